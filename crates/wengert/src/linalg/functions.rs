//! Functions of matrices: roots, logarithms, powers, polar factors, and products of reflections.

use std::panic::Location;

use wengert_ir::num::linalg::{for_each, matrix, square};
use wengert_ir::ops::scan::scan;

use crate::solver::{asked_at, refuse};
use crate::{DType, Var, while_loop};

/// Steps of an iteration, at most. Ten are usual.
const STEPS: i64 = 60;

/// Steps after the one at which the error is the root of rounding: the first makes the value exact, and each of the
/// others one order of derivatives more.
const LAST: i64 = 3;

/// The nodes of Gauss and Legendre between 0 and 1, of seven points, and their weights.
const NODES: [(f64, f64); 7] = [
    (0.025_446_043_828_620_737, 0.064_742_483_084_434_85),
    (0.129_234_407_200_302_77, 0.139_852_695_744_638_33),
    (0.297_077_424_311_301_4, 0.190_915_025_252_559_47),
    (0.5, 0.208_979_591_836_734_7),
    (0.702_922_575_688_698_6, 0.190_915_025_252_559_47),
    (0.870_765_592_799_697_2, 0.139_852_695_744_638_33),
    (0.974_553_956_171_379_3, 0.064_742_483_084_434_85),
];

/// The principal square root of square matrices, `x x = a` with eigenvalues in the right half plane: `scipy.linalg.sqrtm`.
/// The iteration of Denman and Beavers in its product form, scaled by determinants (Higham, *Functions of Matrices*, 2008,
/// 6.3). A matrix with an eigenvalue that is zero or negative has no such real root, and gives NaN. Derivative: that of
/// the iteration, which converges as the iteration does.
///
/// # Errors
/// If the last two axes differ in length.
///
/// ```
/// use wengert::linalg::sqrtm;
/// use wengert::prelude::*;
///
/// let x = jit(|a: Var| sqrtm(a)).call([[7.0, 10.0], [15.0, 22.0]])?;
/// let wanted = Array::from([[1.566_698_903_601_28, 1.740_776_559_557_76], [2.611_164_839_336_64, 4.177_863_742_937_92]]);
/// assert!(x.all_close(&wanted, 1e-12, 1e-12));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn sqrtm(a: Var) -> Var {
    if square("sqrtm", a) == 0 {
        return a;
    }
    let place = Location::caller();
    for_each("sqrtm", &[(a, 2)], |x| vec![root(x[0], place)])[0]
}

/// The principal logarithm of square matrices, `expm(x) = a`: `scipy.linalg.logm`. Roots are taken until the matrix is near
/// the identity, where Padé's approximation is a sum of seven fractions (Higham, *Functions of Matrices*, 2008, 11.5). A
/// matrix with an eigenvalue that is zero or negative has no such real logarithm, and gives NaN. Derivative: that of the
/// roots and the fractions.
///
/// # Errors
/// If the last two axes differ in length.
///
/// ```
/// use wengert::linalg::{expm, logm};
/// use wengert::prelude::*;
///
/// let x = jit(|a: Var| logm(expm(a))).call([[0.5, -1.0], [2.0, 0.25]])?;
/// assert!(x.all_close(&Array::from([[0.5, -1.0], [2.0, 0.25]]), 1e-12, 1e-12));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn logm(a: Var) -> Var {
    if square("logm", a) == 0 {
        return a;
    }
    let place = Location::caller();
    for_each("logm", &[(a, 2)], |x| vec![logarithm(x[0], place)])[0]
}

/// A power of square matrices with any real exponent, `expm(p logm(a))`: `scipy.linalg.fractional_matrix_power`. It is NaN
/// as [`logm`]. Derivative: that of both functions; the exponent may be a traced value.
///
/// # Errors
/// If the last two axes differ in length.
///
/// ```
/// use wengert::linalg::fractional_matrix_power;
/// use wengert::prelude::*;
///
/// let x = jit(|a: Var| fractional_matrix_power(a, 0.5)).call([[4.0, 0.0], [0.0, 9.0]])?;
/// assert!(x.all_close(&Array::from([[2.0, 0.0], [0.0, 3.0]]), 1e-13, 1e-13));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fractional_matrix_power(a: Var, exponent: impl Into<Var>) -> Var {
    square("fractional_matrix_power", a);
    super::expm(logm(a) * exponent.into())
}

/// The polar factors `(u, p)` of matrices with at least as many rows as columns: orthonormal columns, and a symmetric,
/// positive definite `p` with `a = u p`: `scipy.linalg.polar`. Newton's iteration, scaled by norms (Higham, *Functions of
/// Matrices*, 2008, 8.6), after orthogonal factors of a tall matrix. Where the columns are not independent, NaN.
/// Derivative: that of the iteration, right also where singular values are equal.
///
/// # Errors
/// If there are fewer rows than columns.
///
/// ```
/// use wengert::linalg::polar;
/// use wengert::prelude::*;
///
/// let (u, p) = jit(|a: Var| polar(a)).call([[0.0, -2.0], [3.0, 0.0]])?;
/// assert!(u.all_close(&Array::from([[0.0, -1.0], [1.0, 0.0]]), 1e-14, 1e-14));
/// assert!(p.all_close(&Array::from([[3.0, 0.0], [0.0, 2.0]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn polar(a: Var) -> (Var, Var) {
    let (m, n) = matrix("polar", a);
    if m < n {
        let ty = a.ty();
        refuse(
            "polar",
            format!("{ty} has fewer rows than columns; of its transpose, `a = p uᵀ`"),
        );
    }
    let place = Location::caller();
    let both = for_each("polar", &[(a, 2)], |x| {
        let a = x[0];
        if n == 0 {
            return vec![a, a.at(0..0)];
        }
        let u = match m == n {
            true => nearest(a, place),
            false => {
                let (q, r) = a.qr();
                q.matmul(nearest(r, place))
            }
        };
        let p = u.t().matmul(a);
        vec![u, (p + p.t()) * 0.5]
    });
    (both[0], both[1])
}

/// The first `n` columns of the product of reflections `1 - taus[i] v vᵀ`, where `v` is column `i` of an `m` by `n` matrix
/// below its diagonal, 1 on it, and 0 above: `jax.lax.linalg.householder_product`, LAPACK's `orgqr`. Derivative: that of
/// the products.
///
/// # Errors
/// If there are more reflections than columns, or more columns than rows.
///
/// ```
/// use wengert::linalg::householder_product;
/// use wengert::prelude::*;
///
/// let f = jit(|(a, taus): (Var, Var)| householder_product(a, taus));
/// let q = f.call(([[9.0], [1.0]], [1.0]))?;
/// assert_eq!(q.to_vec::<f64>()?, [0.0, -1.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn householder_product(a: Var, taus: Var) -> Var {
    let op = "householder_product";
    let (m, n) = matrix(op, a);
    let (ty, own) = (a.ty(), taus.ty());
    let k = match taus.shape()[..] {
        [.., k] => k,
        [] => refuse(op, "the factors are a vector, and a number has no axis"),
    };
    if k > n || n > m {
        let message =
            format!("{ty} has not as many columns as {own} has factors, and as many rows");
        refuse(op, message);
    }
    if a.dtype() != taus.dtype() {
        refuse(op, format!("{ty} and {own} have different elements"));
    }
    for_each(op, &[(a, 2), (taus, 1)], |x| {
        let (a, taus) = (x[0], x[1]);
        let (rows, columns) = (places(m), places(n));
        let unit = rows.expand_dims(1).eq(columns).to(a.dtype());
        if k == 0 {
            return vec![unit];
        }
        let each = [places(k), a.t().at(0..k), taus];
        let out = scan(&[unit], &each, k, true, |q, row| {
            let (q, i, x, tau) = (q[0], row[0], row[1], row[2]);
            let v = rows.eq(i).select(1.0, rows.gt(i).select(x, 0.0));
            let along = v.dot(q);
            (vec![q - (tau * v).expand_dims(1) * along], vec![])
        });
        vec![out[0]]
    })[0]
}

fn places(n: usize) -> Var {
    crate::arange(n as i64)
}

/// The identity in the type of `a`.
fn unit(a: Var) -> Var {
    crate::eye(a.shape()[0]).to(a.dtype())
}

/// The root of the rounding of an element type.
fn near(a: Var) -> f64 {
    match a.dtype() {
        DType::F32 => 3e-4,
        _ => 1e-8,
    }
}

fn root(a: Var, place: &'static Location<'static>) -> Var {
    asked_at(place, || {
        let n = a.shape()[0];
        let one = unit(a);
        let limit = near(a);
        let start = (a, a, Var::from(0i64), Var::from(0i64));
        let (_, x, _, last) = while_loop(
            start,
            |(_, _, steps, last): (Var, Var, Var, Var)| steps.lt(STEPS) & last.lt(LAST),
            |(m, x, steps, last): (Var, Var, Var, Var)| {
                asked_at(place, || {
                    let off = (m - one).stop_gradient().abs().sum_axis(0).amax();
                    // The geometric mean of the eigenvalues is made 1 while they are far from it.
                    let log = m.stop_gradient().slogdet().1;
                    let by = off.gt(0.01).select((log * (-0.5 / n as f64)).exp(), 1.0);
                    let inverse = m.inv() / (by * by);
                    let next = (one + (m * (by * by) + inverse) * 0.5) * 0.5;
                    let x = (x * by).matmul(one + inverse) * 0.5;
                    let close = (next - one)
                        .stop_gradient()
                        .abs()
                        .sum_axis(0)
                        .amax()
                        .le(limit);
                    (next, x, steps + 1, last + close.to(DType::I64))
                })
            },
        );
        last.ge(LAST).select(x, f64::NAN)
    })
}

fn logarithm(a: Var, place: &'static Location<'static>) -> Var {
    asked_at(place, || {
        let one = unit(a);
        let far = |x: Var| (x - one).stop_gradient().abs().sum_axis(0).amax().gt(0.25);
        let (x, roots) = while_loop(
            (a, Var::from(0i64)),
            |(x, roots): (Var, Var)| asked_at(place, || far(x) & roots.lt(STEPS)),
            |(x, roots): (Var, Var)| (root(x, place), roots + 1),
        );
        let y = x - one;
        let terms = NODES.map(|(node, weight)| (one + y * node).solve(y) * weight);
        let sum = terms.into_iter().reduce(|a, b| a + b).expect("seven terms");
        let whole = sum * roots.to(a.dtype()).exp2();
        // Roots that never come near the identity have no logarithm.
        far(x).select(f64::NAN, whole)
    })
}

/// The orthogonal matrix nearest to a square one.
fn nearest(a: Var, place: &'static Location<'static>) -> Var {
    asked_at(place, || {
        let limit = near(a);
        let start = (a, Var::from(0i64), Var::from(0i64));
        let (u, _, last) = while_loop(
            start,
            |(_, steps, last): (Var, Var, Var)| steps.lt(STEPS) & last.lt(LAST),
            |(x, steps, last): (Var, Var, Var)| {
                asked_at(place, || {
                    let inverse = x.inv();
                    let size = |x: Var, axis: i64| x.stop_gradient().abs().sum_axis(axis).amax();
                    let up = size(inverse, 0).sqrt() * size(inverse, 1).sqrt();
                    let down = size(x, 0).sqrt() * size(x, 1).sqrt();
                    let by = last.gt(0).select(1.0, (up / down).sqrt());
                    let next = (x * by + inverse.t() / by) * 0.5;
                    let off = (next - x).stop_gradient().abs().sum_axis(0).amax();
                    (next, steps + 1, last + off.le(limit).to(DType::I64))
                })
            },
        );
        last.ge(LAST).select(u, f64::NAN)
    })
}
