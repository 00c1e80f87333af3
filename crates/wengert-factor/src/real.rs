//! Real matrices.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::householder::{
    apply_block_householder_on_the_left_in_place_scratch,
    apply_block_householder_on_the_left_in_place_with_conj,
};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::qr::no_pivoting::factor::{
    QrParams, qr_in_place, qr_in_place_scratch, recommended_block_size,
};
use faer::linalg::svd::{ComputeSvdVectors, svd_scratch};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_unit_lower_triangular_in_place,
    solve_unit_upper_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::traits::{ComplexField, RealField};
use faer::{Conj, MatMut, MatRef, Par, Spec};

/// Floats that the library computes with.
pub(crate) trait Real: RealField<Unit: ComplexField> + Copy + Default {
    /// Not a number.
    const NAN: Self;
    /// Whether it is neither infinite nor NaN.
    fn is_number(self) -> bool;
    /// Its square root.
    fn root(self) -> Self;
    /// A power of two.
    fn power(k: i32) -> Self;
    /// The largest exponent of such a power that is used.
    const MOST: i32;
    /// One.
    const ONE: Self;
}

impl Real for f32 {
    const NAN: f32 = f32::NAN;
    fn is_number(self) -> bool {
        self.is_finite()
    }
    fn root(self) -> f32 {
        self.sqrt()
    }
    fn power(k: i32) -> f32 {
        2f32.powi(k)
    }
    const MOST: i32 = 120;
    const ONE: f32 = 1.0;
}

impl Real for f64 {
    const NAN: f64 = f64::NAN;
    fn is_number(self) -> bool {
        self.is_finite()
    }
    fn root(self) -> f64 {
        self.sqrt()
    }
    fn power(k: i32) -> f64 {
        2f64.powi(k)
    }
    const MOST: i32 = 1000;
    const ONE: f64 = 1.0;
}

pub(crate) fn with_stack<R>(req: StackReq, f: impl FnOnce(&mut MemStack) -> R) -> R {
    let mut memory = MemBuffer::new(req);
    f(MemStack::new(&mut memory))
}

/// Copies a row-major matrix column by column.
pub(crate) fn columns<T: Copy + Default>(a: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut out = vec![T::default(); rows * columns];
    transpose(a, rows, columns, &mut out);
    out
}

/// Writes the transpose of a row-major matrix, in blocks.
fn transpose<T: Copy>(a: &[T], rows: usize, columns: usize, to: &mut [T]) {
    const BLOCK: usize = 16;
    for i0 in (0..rows).step_by(BLOCK) {
        for j0 in (0..columns).step_by(BLOCK) {
            for i in i0..rows.min(i0 + BLOCK) {
                for j in j0..columns.min(j0 + BLOCK) {
                    to[j * rows + i] = a[i * columns + j];
                }
            }
        }
    }
}

/// The lower Cholesky factor.
pub(crate) fn cholesky<T: Real>(a: &[T], n: usize, l: &mut [T]) {
    let mut w = columns(a, n, n);
    let req = cholesky_in_place_scratch::<T>(n, Par::Seq, Default::default());
    let done = with_stack(req, |stack| {
        let w = MatMut::from_column_major_slice_mut(&mut w, n, n);
        cholesky_in_place(w, Default::default(), Par::Seq, stack, Default::default()).is_ok()
    });
    if !done || !(0..n).all(|i| w[i * n + i].is_number()) {
        return l.fill(T::NAN);
    }
    transpose(&w, n, n, l);
    for i in 0..n {
        l[i * n + i + 1..i * n + n].fill(T::default());
    }
}

/// Both triangular factors, the order of the rows, and its sign.
pub(crate) fn lu<T: Real>(
    a: &[T],
    m: usize,
    n: usize,
    lu: &mut [T],
    order: &mut [i64],
    sign: &mut [T],
) {
    let mut w = columns(a, m, n);
    let (mut there, mut back) = (vec![0usize; m], vec![0usize; m]);
    let req = lu_in_place_scratch::<usize, T>(m, n, Par::Seq, Default::default());
    let swaps = with_stack(req, |stack| {
        let w = MatMut::from_column_major_slice_mut(&mut w, m, n);
        let params = Default::default();
        let (info, _) = lu_in_place(w, &mut there, &mut back, Par::Seq, stack, params);
        info.transposition_count
    });
    transpose(&w, n, m, lu);
    for (to, from) in order.iter_mut().zip(there) {
        *to = from as i64;
    }
    sign[0] = if swaps % 2 == 0 { T::ONE } else { -T::ONE };
}

/// The solution of a triangular system.
pub(crate) fn triangular<T: Real>(
    (lower, transposed, unit): (bool, bool, bool),
    a: &[T],
    b: &[T],
    n: usize,
    m: usize,
    x: &mut [T],
) {
    let mut w = columns(b, n, m);
    let a = MatRef::from_row_major_slice(a, n, n);
    let a = if transposed { a.transpose() } else { a };
    let right = MatMut::from_column_major_slice_mut(&mut w, n, m);
    match (lower != transposed, unit) {
        (true, false) => solve_lower_triangular_in_place(a, right, Par::Seq),
        (true, true) => solve_unit_lower_triangular_in_place(a, right, Par::Seq),
        (false, false) => solve_upper_triangular_in_place(a, right, Par::Seq),
        (false, true) => solve_unit_upper_triangular_in_place(a, right, Par::Seq),
    }
    transpose(&w, m, n, x);
}

/// The number of reflections that are applied together to a matrix of up to [`BLOCKED`] elements.
const TOGETHER: usize = 16;

/// The number of elements up to which the columns of a block are factored one by one. In larger matrices the library
/// divides them once more.
const BLOCKED: usize = 256 * 256;

/// Orthogonal and triangular factors; the diagonal of the triangle is not negative.
pub(crate) fn qr<T: Real>(a: &[T], m: usize, n: usize, q: &mut [T], r: &mut [T]) {
    let k = m.min(n);
    let mut w = columns(a, m, n);
    let mut params: Spec<QrParams, T> = Default::default();
    let mut block = recommended_block_size::<T>(m, n);
    if m * n <= BLOCKED {
        block = TOGETHER.min(k.max(1));
        params.config.blocking_threshold = usize::MAX;
    }
    let (mut factors, mut unit) = (vec![T::default(); block * k], vec![T::default(); m * k]);
    (0..k).for_each(|i| unit[i * m + i] = T::ONE);
    let req = qr_in_place_scratch::<T>(m, n, block, Par::Seq, params);
    let apply = apply_block_householder_on_the_left_in_place_scratch::<T>(m, block, k);
    with_stack(StackReq::any_of(&[req, apply]), |stack| {
        let mut w = MatMut::from_column_major_slice_mut(&mut w, m, n);
        let mut factors = MatMut::from_column_major_slice_mut(&mut factors, block, k);
        qr_in_place(w.as_mut(), factors.as_mut(), Par::Seq, stack, params);
        let mut unit = MatMut::from_column_major_slice_mut(&mut unit, m, k);
        // From the last block to the first: the columns before a block are still those of the identity.
        for start in (0..k).step_by(block).rev() {
            let width = block.min(k - start);
            apply_block_householder_on_the_left_in_place_with_conj(
                w.as_ref().submatrix(start, start, m - start, width),
                factors.as_ref().submatrix(0, start, width, width),
                Conj::No,
                unit.as_mut()
                    .submatrix_mut(start, start, m - start, k - start),
                Par::Seq,
                stack,
            );
        }
    });
    let flipped: Vec<bool> = (0..k).map(|i| w[i * m + i] < T::default()).collect();
    for i in 0..k {
        for j in 0..n {
            let x = if j < i { T::default() } else { w[j * m + i] };
            r[i * n + j] = if flipped[i] && j >= i { -x } else { x };
        }
    }
    for i in 0..m {
        for j in 0..k {
            let x = unit[j * m + i];
            q[i * k + j] = if flipped[j] { -x } else { x };
        }
    }
}

/// Eigenvalues of a symmetric matrix, and the eigenvectors if they are asked for.
pub(crate) fn eigh<T: Real>(a: &[T], n: usize, values: &mut [T], vectors: Option<&mut [T]>) {
    let mut w = columns(a, n, n);
    let mut v = vec![T::default(); if vectors.is_some() { n * n } else { 0 }];
    let lower = (0..n).all(|j| w[j * n + j..j * n + n].iter().all(|x| x.is_number()));
    for j in 0..n {
        for i in 0..j {
            w[j * n + i] = w[i * n + j];
        }
    }
    let which = match vectors {
        Some(_) => ComputeEigenvectors::Yes,
        None => ComputeEigenvectors::No,
    };
    let done = lower && {
        let params = Default::default();
        let req = self_adjoint_evd_scratch::<T>(n, which, Par::Seq, params);
        with_stack(req, |stack| {
            let a = MatRef::from_column_major_slice(&w, n, n);
            let s = DiagMut::from_slice_mut(&mut *values);
            let u = vectors.is_some();
            let u = u.then(|| MatMut::from_column_major_slice_mut(&mut v, n, n));
            self_adjoint_evd(a, s, u, Par::Seq, stack, params).is_ok()
        })
    };
    if !done {
        values.fill(T::NAN);
    }
    if let Some(vectors) = vectors {
        match done {
            true => transpose(&v, n, n, vectors),
            false => vectors.fill(T::NAN),
        }
    }
}

/// Singular values of a matrix that is not wide, and the singular vectors if they are asked for.
pub(crate) fn svd<T: Real>(
    a: &[T],
    m: usize,
    n: usize,
    values: &mut [T],
    vectors: Option<(&mut [T], &mut [T])>,
) {
    let w = columns(a, m, n);
    let long = |n: usize| if vectors.is_some() { n } else { 0 };
    let (mut u, mut v) = (
        vec![T::default(); long(m * n)],
        vec![T::default(); long(n * n)],
    );
    let which = match vectors {
        Some(_) => ComputeSvdVectors::Thin,
        None => ComputeSvdVectors::No,
    };
    let done = w.iter().all(|x| x.is_number()) && {
        let params = Default::default();
        let req = svd_scratch::<T>(m, n, which, which, Par::Seq, params);
        with_stack(req, |stack| {
            let a = MatRef::from_column_major_slice(&w, m, n);
            let s = DiagMut::from_slice_mut(&mut *values);
            let wanted = vectors.is_some();
            let u = wanted.then(|| MatMut::from_column_major_slice_mut(&mut u, m, n));
            let v = wanted.then(|| MatMut::from_column_major_slice_mut(&mut v, n, n));
            faer::linalg::svd::svd(a, s, u, v, Par::Seq, stack, params).is_ok()
        })
    };
    if !done {
        values.fill(T::NAN);
    }
    if let Some((left, right)) = vectors {
        match done {
            true => {
                transpose(&u, n, m, left);
                // The columns of `v` are the rows of its transpose.
                right.copy_from_slice(&v);
            }
            false => {
                left.fill(T::NAN);
                right.fill(T::NAN);
            }
        }
    }
}
