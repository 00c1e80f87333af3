//! The length of a two-dimensional vector.
use super::Single;
use super::parts::{above, equals, fast_two_sum, outside, two_product};

/// Returns `sqrt(x^2 + y^2)` for `x >= y` where neither the squares overflow nor the larger one underflows. The sum is
/// one of two, and the root is corrected by its residual.
#[inline(always)]
fn plain<A: Single>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let (large, large_low) = two_product(a, x, x);
    let (small, small_low) = two_product(a, y, y);
    let (sum, low) = fast_two_sum(a, large, small);
    let lows = a.add(large_low, small_low);
    let low = a.add(low, lows);
    let root = a.sqrt(sum);
    let minus = a.neg(root);
    let left = a.fma(minus, root, sum);
    let left = a.add(left, low);
    let twice = a.add(root, root);
    let more = a.div(left, twice);
    a.add(root, more)
}

/// Returns `sqrt(x^2 + y^2)` without intermediate overflow or underflow. It is infinite if either argument is, whatever
/// the other.
#[inline(always)]
pub fn hypot<A: Single>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let (x, y) = (a.abs(x), a.abs(y));
    let swap = a.lt(x, y);
    let large = a.select(swap, y, x);
    let small = a.select(swap, x, y);
    let common = plain(a, large, small);
    let rare = outside(a, large, 2f64.powi(-50), 2f64.powi(60));
    a.rare(rare, common, |a| {
        let huge = above(a, large, 1.0);
        let (down, up) = (a.float(2f64.powi(-80)), a.float(2f64.powi(80)));
        let scale = a.select(huge, down, up);
        let back = a.select(huge, up, down);
        let scaled = [large, small].map(|v| a.mul(v, scale));
        let length = plain(a, scaled[0], scaled[1]);
        let length = a.mul(length, back);
        let first = equals(a, x, f64::INFINITY);
        let second = equals(a, y, f64::INFINITY);
        let infinite = a.or(first, second);
        let infinity = a.float(f64::INFINITY);
        let length = a.select(infinite, infinity, length);
        // The residual of a root of 0 has no quotient.
        let sum = a.add(x, y);
        let none = equals(a, sum, 0.0);
        a.select(none, sum, length)
    })
}
