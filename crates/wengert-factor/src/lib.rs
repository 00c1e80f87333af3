//! Factorisations of large matrices, by `faer` in its sequential forms.
//!
//! Matrices are row-major slices; the library prefers columns, so that they are transposed on the way in and out. What
//! it refuses, or what is not finite, gives NaN.
#![forbid(unsafe_code)]

mod complex;
mod real;

/// A real and an imaginary part.
pub type Parts<'a, T> = [&'a [T]; 2];

/// Floats, and what is computed of matrices of them. Who calls it instantiates nothing of the library: that would
/// take longer than all else in a crate.
pub trait Float: Copy + Default + 'static {
    /// Not a number.
    const NAN: Self;

    /// The lower Cholesky factor.
    fn cholesky(a: &[Self], n: usize, l: &mut [Self]);

    /// Both triangular factors, the order of the rows, and its sign.
    fn lu(a: &[Self], size: [usize; 2], lu: &mut [Self], order: &mut [i64], sign: &mut [Self]);

    /// The solution of a triangular system. The form says whether the lower triangle is read, whether the matrix is
    /// transposed, and whether its diagonal is taken for ones.
    fn triangular(
        form: (bool, bool, bool),
        a: &[Self],
        b: &[Self],
        size: [usize; 2],
        x: &mut [Self],
    );

    /// Orthogonal and triangular factors; the diagonal of the triangle is not negative.
    fn qr(a: &[Self], size: [usize; 2], q: &mut [Self], r: &mut [Self]);

    /// Eigenvalues of a symmetric matrix, and the eigenvectors if they are asked for.
    fn eigh(a: &[Self], n: usize, values: &mut [Self], vectors: Option<&mut [Self]>);

    /// Singular values of a matrix that is not wide, and the singular vectors if they are asked for.
    fn svd(
        a: &[Self],
        size: [usize; 2],
        values: &mut [Self],
        vectors: Option<(&mut [Self], &mut [Self])>,
    );

    /// The solution of a complex system, or of that with the adjoint matrix.
    fn solve_complex(
        adjoint: bool,
        a: Parts<'_, Self>,
        b: Parts<'_, Self>,
        size: [usize; 2],
        x: [&mut [Self]; 2],
    );

    /// The determinant of a complex matrix: the product of the pivots.
    fn det_complex(a: Parts<'_, Self>, n: usize, det: [&mut [Self]; 2]);

    /// Eigenvalues of a Hermitian matrix, of which the lower triangle is read, and the parts of the eigenvectors if
    /// there is room for them.
    fn hermitian(a: Parts<'_, Self>, n: usize, out: &mut [&mut [Self]]);

    /// Eigenvalues of a matrix in one part or in two, in the order of their real and then their imaginary parts, and
    /// the eigenvectors if there is room for them: each of the length 1, with its largest element real and positive.
    fn eig(a: &[&[Self]], n: usize, out: &mut [&mut [Self]]);
}

macro_rules! floats {
    ($($float:ident)*) => {$(
        impl Float for $float {
            const NAN: $float = $float::NAN;

            fn cholesky(a: &[$float], n: usize, l: &mut [$float]) {
                real::cholesky(a, n, l)
            }
            fn lu(
                a: &[$float],
                [m, n]: [usize; 2],
                lu: &mut [$float],
                order: &mut [i64],
                sign: &mut [$float],
            ) {
                real::lu(a, m, n, lu, order, sign)
            }
            fn triangular(
                form: (bool, bool, bool),
                a: &[$float],
                b: &[$float],
                [n, m]: [usize; 2],
                x: &mut [$float],
            ) {
                real::triangular(form, a, b, n, m, x)
            }
            fn qr(a: &[$float], [m, n]: [usize; 2], q: &mut [$float], r: &mut [$float]) {
                real::qr(a, m, n, q, r)
            }
            fn eigh(a: &[$float], n: usize, values: &mut [$float], vectors: Option<&mut [$float]>) {
                real::eigh(a, n, values, vectors)
            }
            fn svd(
                a: &[$float],
                [m, n]: [usize; 2],
                values: &mut [$float],
                vectors: Option<(&mut [$float], &mut [$float])>,
            ) {
                real::svd(a, m, n, values, vectors)
            }
            fn solve_complex(
                adjoint: bool,
                a: Parts<'_, $float>,
                b: Parts<'_, $float>,
                size: [usize; 2],
                x: [&mut [$float]; 2],
            ) {
                complex::solve_complex(adjoint, a, b, size, x)
            }
            fn det_complex(a: Parts<'_, $float>, n: usize, det: [&mut [$float]; 2]) {
                complex::det_complex(a, n, det)
            }
            fn hermitian(a: Parts<'_, $float>, n: usize, out: &mut [&mut [$float]]) {
                complex::hermitian(a, n, out)
            }
            fn eig(a: &[&[$float]], n: usize, out: &mut [&mut [$float]]) {
                complex::eig(a, n, out)
            }
        }
    )*};
}

floats!(f32 f64);
