//! The length of a two-dimensional vector.
use super::Double;
use super::parts::{above, equals, outside};

/// Returns `sqrt(x^2 + y^2)` where neither the squares overflow nor the larger one underflows.
#[inline(always)]
fn plain<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let square = a.mul(y, y);
    let sum = a.fma(x, x, square);
    a.sqrt(sum)
}

/// Returns `sqrt(x^2 + y^2)` without intermediate overflow or underflow; error below 1 ulp. It is infinite if
/// either argument is, whatever the other.
#[inline(always)]
pub fn hypot<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let (x, y) = (a.abs(x), a.abs(y));
    let swap = a.lt(x, y);
    let large = a.select(swap, y, x);
    let small = a.select(swap, x, y);
    let common = plain(a, large, small);
    let rare = outside(a, large, 2f64.powi(-480), 2f64.powi(510));
    a.rare(rare, common, |a| {
        let huge = above(a, large, 1.0);
        let (down, up) = (a.float(2f64.powi(-600)), a.float(2f64.powi(600)));
        let scale = a.select(huge, down, up);
        let back = a.select(huge, up, down);
        let scaled = [large, small].map(|v| a.mul(v, scale));
        let length = plain(a, scaled[0], scaled[1]);
        let length = a.mul(length, back);
        let first = equals(a, x, f64::INFINITY);
        let second = equals(a, y, f64::INFINITY);
        let infinite = a.or(first, second);
        let infinity = a.float(f64::INFINITY);
        a.select(infinite, infinity, length)
    })
}
