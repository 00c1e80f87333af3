//! `asinh`, `acosh` and `atanh`, each as `log(1 + t)` with `t` a sum of two.
use super::Single;
use super::log::{of_normal, of_sum, one_plus};
use super::parts::{
    beyond, equals, fast_two_sum, fma_by, outside, plus, times, two_product, two_sum, with_sign,
};

/// The magnitude from which `log(2 x)` is used; below it no square overflows.
const LARGE: f64 = 1e18;

/// Returns `log(1 + t + t_low)`
#[inline(always)]
fn log_of_pair<A: Single>(a: &mut A, t: A::F, t_low: A::F) -> A::F {
    let (u, c) = one_plus(a, t);
    let c = a.add(c, t_low);
    of_sum(a, u, c)
}

/// Returns the square root of a sum of two, without its rounding error, and that.
#[inline(always)]
fn root_of_pair<A: Single>(a: &mut A, x: A::F, x_low: A::F) -> (A::F, A::F) {
    let root = a.sqrt(x);
    let minus = a.neg(root);
    let left = a.fma(minus, root, x);
    let left = a.add(left, x_low);
    let twice = a.add(root, root);
    // The root of 0 is exact.
    let twice = plus(a, twice, 1e-30);
    let low = a.div(left, twice);
    (root, low)
}

/// Returns the inverse hyperbolic sine. For positive `x` it is `log(1 + t)` with `t = x + (sqrt(1 + x^2) - 1)`, the
/// second term being `x^2 / (1 + sqrt(1 + x^2))`.
#[inline(always)]
pub fn asinh<A: Single>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let (square, square_low) = two_product(a, x, x);
    let one = a.float(1.0);
    let (sum, sum_low) = two_sum(a, one, square);
    let sum_low = a.add(sum_low, square_low);
    let root = a.sqrt(sum);
    let (below, below_low) = fast_two_sum(a, root, one);
    let inverse = a.div(one, below);
    // What the root has lost is its residual over twice the root: 1 / root is u / (1 - u) for u = 1 / (1 + root), which
    // is u (1 + 2 u) within a tenth.
    let minus = a.neg(root);
    let left = a.fma(minus, root, sum);
    let left = a.add(left, sum_low);
    let twice = a.add(inverse, inverse);
    let twice = a.fma(twice, inverse, inverse);
    let half = a.float(0.5);
    let slope = a.mul(twice, half);
    let below_low = a.fma(left, slope, below_low);
    let more = a.mul(square, inverse);
    let minus = a.neg(more);
    let left = a.fma(minus, below, square);
    let left = a.fma(minus, below_low, left);
    let left = a.add(left, square_low);
    let (t, t_low) = two_sum(a, size, more);
    let t_low = a.fma(left, inverse, t_low);
    let common = log_of_pair(a, t, t_low);
    let rare = beyond(a, x, LARGE);
    let y = a.rare(rare, common, |a| log_twice(a, size));
    with_sign(a, y, x)
}

/// Returns `log(2 x)` for `x >= LARGE`; infinity and NaN are returned unchanged.
#[inline(always)]
fn log_twice<A: Single>(a: &mut A, x: A::F) -> A::F {
    let log = of_normal(a, x, -1.0);
    let infinity = a.float(f64::INFINITY);
    let finite = a.lt(x, infinity);
    a.select(finite, log, x)
}

/// Returns the inverse hyperbolic cosine, NaN below 1. It is `log(1 + t)` with `t = d + sqrt(d (d + 2))` for `d = x -
/// 1`.
#[inline(always)]
pub fn acosh<A: Single>(a: &mut A, x: A::F) -> A::F {
    let d = plus(a, x, -1.0);
    // d is exact up to 2^24, and from there what is lost does not matter.
    let (square, lost) = two_product(a, d, d);
    let twice = a.add(d, d);
    let (sum, error) = two_sum(a, twice, square);
    let lost = a.add(lost, error);
    let (root, root_low) = root_of_pair(a, sum, lost);
    let (t, t_low) = two_sum(a, root, d);
    let t_low = a.add(t_low, root_low);
    let (t, t_low) = fast_two_sum(a, t, t_low);
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

/// Returns the inverse hyperbolic tangent, NaN outside `-1..=1`. For positive `x` it is half of `log(1 + t)` with `t =
/// 2 x / (1 - x)`, whose rounding error is used.
#[inline(always)]
pub fn atanh<A: Single>(a: &mut A, x: A::F) -> A::F {
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
    // Half of a number that is not normal is rounded twice, and there it is x.
    let tiny = outside(a, size, 1e-30, f64::INFINITY);
    let y = a.select(tiny, size, y);
    let y = fma_by(a, x, 0.0, y);
    with_sign(a, y, x)
}
