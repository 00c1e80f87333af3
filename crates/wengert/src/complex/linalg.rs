//! Linear algebra of complex matrices.

use wengert_ir::num::linalg::complex as parts;
use wengert_ir::trace::Var;

use super::Complex;

/// # Complex matrices
///
/// The last two axes are those of the matrices; axes in front are those of a batch. Sizes decide as for real ones whether
/// loops or a library work on a matrix.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(a, b): (Complex, Complex)| (a.solve(b), a.det(), a.eigvalsh()));
/// let a = Complex { re: [[2.0, 0.0], [0.0, 2.0]], im: [[0.0, -1.0], [1.0, 0.0]] };
/// let (x, det, values) = f.call((a, Complex { re: [2.0, 0.0], im: [0.0, 1.0] }))?;
/// assert!(x.re.all_close(&Array::from([1.0, 0.0]), 1e-14, 1e-14));
/// assert!((det.re.item::<f64>()? - 3.0).abs() < 1e-14);
/// assert!(values.all_close(&Array::from([1.0, 3.0]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Complex {
    /// The solution `x` of `self x = b`, by elimination with partial pivoting: `numpy.linalg.solve`. `b` is a vector, or a
    /// matrix whose columns are right-hand sides. Derivative: that of the equation.
    ///
    /// # Errors
    /// If `self` is not square or has not as many rows as `b`.
    #[track_caller]
    pub fn solve(self, b: impl Into<Complex>) -> Complex {
        let b = b.into().together("solve");
        joined(parts::solve("solve", self.pair("solve"), [b.re, b.im]))
    }

    /// The inverse of square matrices: `numpy.linalg.inv`. Derivative: `-x a' x`.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn inv(self) -> Complex {
        joined(parts::inv("inv", self.pair("inv")))
    }

    /// The determinant of square matrices: `numpy.linalg.det`. Derivative: `y tr(a⁻¹ a')`.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn det(self) -> Complex {
        joined(parts::det("det", self.pair("det")))
    }

    /// The eigenvalues of Hermitian matrices in ascending order, and their eigenvectors, the columns of unitary matrices:
    /// `numpy.linalg.eigh`. Only the lower triangle is read, and the real part of the diagonal. Derivative: as of
    /// [`Var::eigh`].
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn eigh(self) -> (Var, Complex) {
        let all = parts::hermitian("eigh", self.pair("eigh"), true);
        (all[0], joined([all[1], all[2]]))
    }

    /// The eigenvalues of Hermitian matrices in ascending order: `numpy.linalg.eigvalsh`. Derivative: as of
    /// [`Var::eigh`].
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn eigvalsh(self) -> Var {
        parts::hermitian("eigvalsh", self.pair("eigvalsh"), false)[0]
    }

    /// The eigenvalues and the eigenvectors of square matrices, as [`linalg::eig`](crate::linalg::eig) of real ones:
    /// `numpy.linalg.eig`. Derivative: as there.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn eig(self) -> (Complex, Complex) {
        let [values, vectors] = parts::eig("eig", &self.pair("eig"));
        (joined(values), joined(vectors))
    }

    /// The eigenvalues of square matrices, as [`Complex::eig`]: `numpy.linalg.eigvals`. Derivative: as there.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn eigvals(self) -> Complex {
        joined(parts::eigvals("eigvals", &self.pair("eigvals")))
    }

    /// Both parts, in one type of floats.
    #[track_caller]
    fn pair(self, op: &str) -> [Var; 2] {
        let z = self.float_parts(op);
        [z.re, z.im]
    }
}

pub(crate) fn joined([re, im]: [Var; 2]) -> Complex {
    Complex { re, im }
}
