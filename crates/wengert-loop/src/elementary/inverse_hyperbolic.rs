//! `asinh`, `acosh` and `atanh`, each as `log(1 + t)` with `t` a sum of two.
use super::Double;
use super::log::{of_normal, of_sum, one_plus};
use super::parts::{beyond, equals, fast_two_sum, outside, plus, times, two_sum, with_sign};

/// The magnitude from which `log(2 x)` is used; below it no square overflows.
const LARGE: f64 = 1e150;

/// Returns `log(1 + t + t_low)`
#[inline(always)]
fn log_of_pair<A: Double>(a: &mut A, t: A::F, t_low: A::F) -> A::F {
    let (u, c) = one_plus(a, t);
    let c = a.add(c, t_low);
    of_sum(a, u, c)
}

/// Returns the inverse hyperbolic sine; error below 2 ulp. For positive `x` it is `log(1 + t)` with
/// `t = x + x^2 / (1 + sqrt(1 + x^2))`.
#[inline(always)]
pub fn asinh<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let square = a.mul(x, x);
    let one = a.float(1.0);
    let root = a.fma(x, x, one);
    let root = a.sqrt(root);
    let below = plus(a, root, 1.0);
    let more = a.div(square, below);
    let (t, t_low) = fast_two_sum(a, size, more);
    let common = log_of_pair(a, t, t_low);
    let rare = beyond(a, x, LARGE);
    let y = a.rare(rare, common, |a| log_twice(a, size));
    with_sign(a, y, x)
}

/// Returns `log(2 x)` for `x >= LARGE`; infinity and NaN are returned unchanged.
#[inline(always)]
fn log_twice<A: Double>(a: &mut A, x: A::F) -> A::F {
    let log = of_normal(a, x, -1.0);
    let infinity = a.float(f64::INFINITY);
    let finite = a.lt(x, infinity);
    a.select(finite, log, x)
}

/// Returns the inverse hyperbolic cosine, NaN below 1; error below 2 ulp. It is `log(1 + t)` with
/// `t = d + sqrt(d (d + 2))` for `d = x - 1`.
#[inline(always)]
pub fn acosh<A: Double>(a: &mut A, x: A::F) -> A::F {
    let d = plus(a, x, -1.0);
    let twice = a.add(d, d);
    let square = a.fma(d, d, twice);
    let root = a.sqrt(square);
    let (t, t_low) = two_sum(a, root, d);
    let common = log_of_pair(a, t, t_low);
    let rare = outside(a, x, 1.0, LARGE);
    a.rare(rare, common, |a| {
        let large = log_twice(a, x);
        let nan = a.float(f64::NAN);
        let one = a.float(1.0);
        let small = a.lt(x, one);
        a.select(small, nan, large)
    })
}

/// Returns the inverse hyperbolic tangent, NaN outside `-1..=1`; error below 2 ulp. For positive `x` it is half
/// of `log(1 + t)` with `t = 2 x / (1 - x)`, whose rounding error is used.
#[inline(always)]
pub fn atanh<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let one = a.float(1.0);
    let minus = a.neg(size);
    let (d, d_low) = fast_two_sum(a, one, minus);
    let twice = a.add(size, size);
    let inverse = a.div(one, d);
    let t = a.mul(twice, inverse);
    let minus_t = a.neg(t);
    let left = a.fma(minus_t, d, twice);
    let left = a.fma(minus_t, d_low, left);
    let t_low = a.mul(left, inverse);
    let log = log_of_pair(a, t, t_low);
    let common = times(a, log, 0.5);
    let rare = beyond(a, x, 1.0);
    let y = a.rare(rare, common, |a| {
        let infinity = a.float(f64::INFINITY);
        let nan = a.float(f64::NAN);
        let edge = equals(a, size, 1.0);
        a.select(edge, infinity, nan)
    });
    with_sign(a, y, x)
}
