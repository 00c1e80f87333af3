//! Complex systems, and eigenvalues that may be complex. Complex matrices are given and returned in two parts.

use faer::complex::Complex;
use faer::diag::DiagMut;
use faer::linalg::evd::{
    ComputeEigenvectors, evd_cplx, evd_real, evd_scratch, self_adjoint_evd,
    self_adjoint_evd_scratch,
};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::svd::{ComputeSvdVectors, svd_scratch};
use faer::linalg::triangular_solve::{
    solve_unit_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{MatMut, MatRef, Par};

use crate::Parts;
use crate::real::{self, Real, with_stack};

/// Joins the parts of a row-major matrix, column by column.
fn columns<T: Real>([re, im]: Parts<'_, T>, rows: usize, columns: usize) -> Vec<Complex<T>> {
    let each = (0..columns).flat_map(|j| (0..rows).map(move |i| i * columns + j));
    each.map(|k| Complex::new(re[k], im[k])).collect()
}

/// Writes the parts of a matrix that is given column by column.
fn write<T: Real>(w: &[Complex<T>], rows: usize, columns: usize, [re, im]: [&mut [T]; 2]) {
    for i in 0..rows {
        for j in 0..columns {
            let z = w[j * rows + i];
            re[i * columns + j] = z.re;
            im[i * columns + j] = z.im;
        }
    }
}

/// Factors a matrix that is given column by column; returns the order of its rows, and whether its sign is minus.
fn factored<T: Real>(w: &mut [Complex<T>], n: usize) -> (Vec<usize>, bool) {
    let (mut there, mut back) = (vec![0usize; n], vec![0usize; n]);
    let req = lu_in_place_scratch::<usize, Complex<T>>(n, n, Par::Seq, Default::default());
    let swaps = with_stack(req, |stack| {
        let w = MatMut::from_column_major_slice_mut(w, n, n);
        let params = Default::default();
        let (info, _) = lu_in_place(w, &mut there, &mut back, Par::Seq, stack, params);
        info.transposition_count
    });
    (there, swaps % 2 == 1)
}

/// The solution of a complex system, or of that with the adjoint matrix.
pub(crate) fn solve_complex<T: Real>(
    adjoint: bool,
    a: Parts<'_, T>,
    b: Parts<'_, T>,
    [n, m]: [usize; 2],
    x: [&mut [T]; 2],
) {
    let mut w = columns(a, n, n);
    if adjoint {
        let turned = (0..n * n).map(|k| w[k % n * n + k / n].conj());
        w = turned.collect();
    }
    let (order, _) = factored(&mut w, n);
    let right = columns(b, n, m);
    let each = (0..m).flat_map(|j| order.iter().map(move |&i| j * n + i));
    let mut right: Vec<Complex<T>> = each.map(|k| right[k]).collect();
    let a = MatRef::from_column_major_slice(&w, n, n);
    let mut to = MatMut::from_column_major_slice_mut(&mut right, n, m);
    solve_unit_lower_triangular_in_place(a, to.as_mut(), Par::Seq);
    solve_upper_triangular_in_place(a, to, Par::Seq);
    write(&right, n, m, x);
}

/// The determinant of a complex matrix: the product of the pivots.
pub(crate) fn det_complex<T: Real>(a: Parts<'_, T>, n: usize, [re, im]: [&mut [T]; 2]) {
    let mut w = columns(a, n, n);
    let (_, minus) = factored(&mut w, n);
    let mut det = Complex::new(if minus { -T::ONE } else { T::ONE }, T::default());
    for i in 0..n {
        let p = w[i * n + i];
        det = Complex::new(det.re * p.re - det.im * p.im, det.re * p.im + det.im * p.re);
    }
    (re[0], im[0]) = (det.re, det.im);
}

/// Eigenvalues of a Hermitian matrix, of which the lower triangle is read, and the parts of the eigenvectors if there is
/// room for them.
pub(crate) fn hermitian<T: Real>(a: Parts<'_, T>, n: usize, out: &mut [&mut [T]]) {
    let mut w = columns(a, n, n);
    for j in 0..n {
        w[j * n + j].im = T::default();
        for i in 0..j {
            w[j * n + i] = w[i * n + j].conj();
        }
    }
    let (values, vectors) = out.split_first_mut().expect("the eigenvalues");
    let wanted = !vectors.is_empty();
    let mut v = vec![Complex::new(T::default(), T::default()); if wanted { n * n } else { 0 }];
    let mut s = vec![Complex::new(T::default(), T::default()); n];
    let which = match wanted {
        true => ComputeEigenvectors::Yes,
        false => ComputeEigenvectors::No,
    };
    let finite = w.iter().all(|z| z.re.is_number() && z.im.is_number());
    let done = finite && {
        let params = Default::default();
        let req = self_adjoint_evd_scratch::<Complex<T>>(n, which, Par::Seq, params);
        with_stack(req, |stack| {
            let a = MatRef::from_column_major_slice(&w, n, n);
            let u = wanted.then(|| MatMut::from_column_major_slice_mut(&mut v, n, n));
            let s = DiagMut::from_slice_mut(&mut s);
            self_adjoint_evd(a, s, u, Par::Seq, stack, params).is_ok()
        })
    };
    if !done {
        out.iter_mut().for_each(|x| x.fill(T::NAN));
        return;
    }
    for (to, z) in values.iter_mut().zip(s) {
        *to = z.re;
    }
    if let [re, im] = vectors {
        write(&v, n, n, [re, im]);
    }
}

/// Eigenvalues of a matrix in one part or in two, in the order of their real and then their imaginary parts, and the
/// eigenvectors if there is room for them: each of the length 1, with its largest element real and positive.
pub(crate) fn eig<T: Real>(a: &[&[T]], n: usize, out: &mut [&mut [T]]) {
    let finite = a.iter().all(|a| a.iter().all(|x| x.is_number()));
    let wanted = out.len() > 2;
    let (scaled, back) = scaled(a);
    let a: Vec<&[T]> = scaled.iter().map(|a| &a[..]).collect();
    let found = finite.then(|| match a[..] {
        [re, im] => of_complex([re, im], n, wanted),
        _ => of_real(a[0], n, wanted),
    });
    let Some(Some((values, mut vectors))) = found else {
        out.iter_mut().for_each(|x| x.fill(T::NAN));
        return;
    };
    let mut order: Vec<usize> = (0..n).collect();
    let key = |i: usize| (values[i].re, values[i].im);
    order.sort_by(|&i, &j| {
        let less = key(i).partial_cmp(&key(j));
        less.unwrap_or(std::cmp::Ordering::Equal)
    });
    for (k, &i) in order.iter().enumerate() {
        out[0][k] = values[i].re * back;
        out[1][k] = values[i].im * back;
    }
    if !wanted {
        return;
    }
    for (k, &i) in order.iter().enumerate() {
        let v = &mut vectors[i * n..i * n + n];
        directed(v);
        if v.iter().any(|z| !z.re.is_number() || !z.im.is_number()) {
            shortest(&a, values[i], n, v);
            directed(v);
        }
        for (row, z) in v.iter().enumerate() {
            out[2][row * n + k] = z.re;
            out[3][row * n + k] = z.im;
        }
    }
}

/// The parts of a matrix, multiplied by the power of two that makes the largest of them about 1, and the inverse of that:
/// the library's thresholds are absolute.
fn scaled<T: Real>(a: &[&[T]]) -> (Vec<Vec<T>>, T) {
    let mut most = T::default();
    for &x in a.iter().copied().flatten() {
        let x = if x < T::default() { -x } else { x };
        most = if x > most { x } else { most };
    }
    let (two, half) = (T::power(1), T::power(-1));
    let mut k = 0;
    while most >= two && k > -T::MOST {
        (most, k) = (most * half, k - 1);
    }
    while most < T::ONE && most > T::default() && k < T::MOST {
        (most, k) = (most * two, k + 1);
    }
    let times = |a: &&[T]| a.iter().map(|&x| x * T::power(k)).collect();
    (a.iter().map(times).collect(), T::power(-k))
}

/// Writes the vector that the matrix less the eigenvalue makes shortest, in place of one that has grown out of range:
/// matrices with fewer eigenvectors than rows have such.
fn shortest<T: Real>(a: &[&[T]], value: Complex<T>, n: usize, v: &mut [Complex<T>]) {
    let zeros = vec![T::default(); n * n];
    let mut w = columns([a[0], a.get(1).copied().unwrap_or(&zeros)], n, n);
    for i in 0..n {
        let z = w[i * n + i];
        w[i * n + i] = Complex::new(z.re - value.re, z.im - value.im);
    }
    let none = Complex::new(T::default(), T::default());
    let (mut s, mut u, mut right) = (vec![none; n], vec![none; n * n], vec![none; n * n]);
    let (thin, params) = (ComputeSvdVectors::Thin, Default::default());
    let req = svd_scratch::<Complex<T>>(n, n, thin, thin, Par::Seq, params);
    let done = with_stack(req, |stack| {
        let a = MatRef::from_column_major_slice(&w, n, n);
        let s = DiagMut::from_slice_mut(&mut s);
        let u = MatMut::from_column_major_slice_mut(&mut u, n, n);
        let right = MatMut::from_column_major_slice_mut(&mut right, n, n);
        faer::linalg::svd::svd(a, s, Some(u), Some(right), Par::Seq, stack, params).is_ok()
    });
    if done {
        v.copy_from_slice(&right[n * n - n..]);
        // That of a real matrix and a real eigenvalue is real, up to a factor.
        if a.len() == 1 && value.im == T::default() {
            directed(v);
            v.iter_mut().for_each(|z| z.im = T::default());
        }
    }
}

/// Gives a vector the length 1, and makes its largest element, the first of equals, real and positive.
fn directed<T: Real>(v: &mut [Complex<T>]) {
    let (mut sum, mut best, mut at) = (T::default(), -T::ONE, 0);
    // The largest part is 1, so that no square is out of range.
    let mut most = T::default();
    for z in v.iter() {
        for x in [z.re, z.im] {
            let x = if x < T::default() { -x } else { x };
            most = if x > most { x } else { most };
        }
    }
    if most == T::default() {
        return;
    }
    for z in v.iter_mut() {
        *z = Complex::new(z.re / most, z.im / most);
    }
    for (i, z) in v.iter().enumerate() {
        let square = z.re * z.re + z.im * z.im;
        sum += square;
        if square > best {
            (best, at) = (square, i);
        }
    }
    let top = v[at];
    let by = T::ONE / (best.root() * sum.root());
    let turn = Complex::new(top.re * by, -(top.im * by));
    for z in v.iter_mut() {
        let (re, im) = (
            z.re * turn.re - z.im * turn.im,
            z.re * turn.im + z.im * turn.re,
        );
        *z = Complex::new(re, im);
    }
    v[at].im = T::default();
}

/// Eigenvalues, and vectors one after the other.
type Found<T> = (Vec<Complex<T>>, Vec<Complex<T>>);

fn of_complex<T: Real>(a: Parts<'_, T>, n: usize, wanted: bool) -> Option<Found<T>> {
    let w = columns(a, n, n);
    let none = Complex::new(T::default(), T::default());
    let mut v = vec![none; if wanted { n * n } else { 0 }];
    let mut s = vec![none; n];
    let which = match wanted {
        true => ComputeEigenvectors::Yes,
        false => ComputeEigenvectors::No,
    };
    let (no, params) = (ComputeEigenvectors::No, Default::default());
    let req = evd_scratch::<Complex<T>>(n, no, which, Par::Seq, params);
    let done = with_stack(req, |stack| {
        let a = MatRef::from_column_major_slice(&w, n, n);
        let u = wanted.then(|| MatMut::from_column_major_slice_mut(&mut v, n, n));
        let s = DiagMut::from_slice_mut(&mut s);
        evd_cplx(a, s, None, u, Par::Seq, stack, params).is_ok()
    });
    done.then_some((s, v))
}

fn of_real<T: Real>(a: &[T], n: usize, wanted: bool) -> Option<Found<T>> {
    let w = real::columns(a, n, n);
    let mut v = vec![T::default(); if wanted { n * n } else { 0 }];
    let (mut re, mut im) = (vec![T::default(); n], vec![T::default(); n]);
    let which = match wanted {
        true => ComputeEigenvectors::Yes,
        false => ComputeEigenvectors::No,
    };
    let (no, params) = (ComputeEigenvectors::No, Default::default());
    let req = evd_scratch::<T>(n, no, which, Par::Seq, params);
    let done = with_stack(req, |stack| {
        let a = MatRef::from_column_major_slice(&w, n, n);
        let u = wanted.then(|| MatMut::from_column_major_slice_mut(&mut v, n, n));
        let (re, im) = (
            DiagMut::from_slice_mut(&mut re),
            DiagMut::from_slice_mut(&mut im),
        );
        evd_real(a, re, im, None, u, Par::Seq, stack, params).is_ok()
    });
    if !done {
        return None;
    }
    let parts = re.into_iter().zip(im);
    let values: Vec<Complex<T>> = parts.map(|(re, im)| Complex::new(re, im)).collect();
    let mut vectors = vec![];
    if wanted {
        let mut k = 0;
        while k < n {
            let real = &v[k * n..k * n + n];
            if values[k].im == T::default() || k + 1 == n {
                vectors.extend(real.iter().map(|&x| Complex::new(x, T::default())));
                k += 1;
                continue;
            }
            // A pair: the parts of the first vector, of which the second is the conjugate.
            let other = &v[(k + 1) * n..(k + 2) * n];
            let both = || real.iter().zip(other);
            vectors.extend(both().map(|(&x, &y)| Complex::new(x, y)));
            vectors.extend(both().map(|(&x, &y)| Complex::new(x, -y)));
            k += 2;
        }
    }
    Some((values, vectors))
}

#[cfg(test)]
mod tests {
    use super::eig;

    /// `a v = v w` of matrices whose elements are far from 1.
    #[test]
    fn sizes_far_from_one() {
        let n = 33;
        for size in [1.0, 1e-150, 1e150] {
            let mut seed = 1u64;
            let mut next = || {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                ((seed >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * size
            };
            let parts: Vec<Vec<f64>> = (0..2)
                .map(|_| (0..n * n).map(|_| next()).collect())
                .collect();
            for count in [1, 2] {
                let a: Vec<&[f64]> = parts[..count].iter().map(|a| &a[..]).collect();
                let mut out = [
                    vec![0.0; n],
                    vec![0.0; n],
                    vec![0.0; n * n],
                    vec![0.0; n * n],
                ];
                let mut slices: Vec<&mut [f64]> = out.iter_mut().map(|x| &mut x[..]).collect();
                eig(&a, n, &mut slices);
                let [re, im, x, y] = &out;
                for k in 0..n {
                    for i in 0..n {
                        let (mut p, mut q) = (0.0, 0.0);
                        for j in 0..n {
                            let (b, c) = (a[0][i * n + j], a.get(1).map_or(0.0, |a| a[i * n + j]));
                            let (v, w) = (x[j * n + k], y[j * n + k]);
                            p += b * v - c * w;
                            q += b * w + c * v;
                        }
                        let (v, w) = (x[i * n + k], y[i * n + k]);
                        p -= re[k] * v - im[k] * w;
                        q -= re[k] * w + im[k] * v;
                        let off = p.abs().max(q.abs()) / size;
                        assert!(off < 1e-12, "{size:e}, {count}, {k}: {off:e}");
                    }
                }
            }
        }
    }
}
