//! The scaled complementary error function, and logarithms of decaying functions.
//!
//! Let `M(n)` be the absolute value of the `n`-th derivative of `erfcx x = e^(x^2) erfc x`. The ratios `q(n) =
//! M(n+1) / M(n)` satisfy `q(n) = 2 (n + 1) / (2 x + q(n+1))` (DLMF 7.18.7). All of them are positive, and
//! `erfcx x = 2/sqrt(pi) / (2 x + q(0))`, so one smooth function suffices for all.
use super::Double;
use super::erf::{erf, erfc};
use super::exp::exp;
use super::log::{log, log1p};
use super::parts::{above, below, fma_by, horner, plus, times, two_product};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// `P` with `P((y - 3) / (y + 3)) / (y + 2) = q(0) (1 + d)`, `|d| < 2^-53.7` for `y >= 0`.
const RATIO: [f64; 32] = [
    1.518768445016172,
    -0.7338247379061872,
    0.2009805853889411,
    0.09239069996398834,
    -0.11473056933094365,
    0.026870520446254393,
    0.025963502215199205,
    -0.019333955097457597,
    -0.0017006477178556627,
    0.007067317366931668,
    -0.0016266045630601957,
    -0.0018518574142206037,
    0.001024847162704613,
    0.00032296796501504564,
    -0.0003932726257803083,
    -4.640795156799982e-06,
    0.00011491726014492055,
    -2.4894999705206925e-05,
    -2.542691423685483e-05,
    1.2811439046900708e-05,
    3.2845163046911826e-06,
    -4.31191886703091e-06,
    4.138734052838981e-07,
    1.0958945994428303e-06,
    -4.306720743920246e-07,
    -2.0519488408840227e-07,
    1.5111172735354623e-07,
    2.405536580312133e-08,
    -3.0538723300616924e-08,
    -7.585555616064779e-10,
    2.9135876618849837e-09,
    -1.4168007003368147e-10,
];

/// `1/sqrt(2)` minus its rounded value.
const ROOT_LOW: f64 = -4.833_646_656_726_457e-17;

/// Bound from which `2 y^2` exceeds any exponent of `e`.
const HUGE: f64 = 1_152_921_504_606_846_976.0;

/// Returns `q(0)` for `y >= 0`; error below 2 ulp.
#[inline(always)]
fn first_ratio<A: Double>(a: &mut A, y: A::F) -> A::F {
    // The polynomial is constant from here on.
    let near = below(a, y, HUGE);
    let end = a.float(HUGE);
    let bounded = a.select(near, y, end);
    let up = plus(a, bounded, -3.0);
    let down = plus(a, bounded, 3.0);
    let t = a.div(up, down);
    let p = horner(a, t, &RATIO);
    let under = plus(a, y, 2.0);
    a.div(p, under)
}

/// Returns `e^(x^2) erfc x`; error below 5 ulp.
#[inline(always)]
pub fn erfcx<A: Double>(a: &mut A, x: A::F) -> A::F {
    let y = a.abs(x);
    let q = first_ratio(a, y);
    let half = a.float(0.5);
    let under = a.fma(q, half, y);
    let root = a.float(0.5 * FRAC_2_SQRT_PI);
    let right = a.div(root, under);
    let negative = below(a, x, 0.0);
    a.rare(negative, right, |a| {
        // 2 e^(x^2) minus the value at -x; the square is a sum of two.
        let (square, error) = two_product(a, y, y);
        let e = exp(a, square);
        let twice = a.add(e, e);
        let whole = a.fma(twice, error, twice);
        let left = a.sub(whole, right);
        let infinity = a.float(f64::INFINITY);
        let large = a.eq(twice, infinity);
        a.select(large, infinity, left)
    })
}

/// Returns `q(n)` for the order nearest to `n`; relative error below 1e-13 for orders up to 5. NaN for negative
/// orders, and beyond 100.
#[inline]
pub fn erfcx_ratio<A: Double>(a: &mut A, n: A::F, x: A::F) -> A::F {
    let n = a.round(n);
    let (zero, half) = (a.float(0.0), a.float(0.5));
    let y = a.abs(x);
    let right = first_ratio(a, y);
    let negative = below(a, x, 0.0);
    let first = a.rare(negative, right, |a| {
        let e = erfcx(a, x);
        let root = a.float(FRAC_2_SQRT_PI);
        let hazard = a.div(root, e);
        let minus = times(a, x, -2.0);
        a.add(hazard, minus)
    });
    // The recurrence goes upwards where x is small or negative, downwards elsewhere.
    let bound = a.float(100.0);
    let many = a.lt(bound, n);
    let last = a.select(many, bound, n);
    let [_, upwards] = a.repeat(
        [zero, first],
        |a, [k, _]| a.lt(k, last),
        |a, [k, q]| {
            let k = plus(a, k, 1.0);
            let over = a.div(k, q);
            let less = a.sub(over, x);
            [k, a.add(less, less)]
        },
    );
    let far = above(a, x, 2.0);
    let higher = above(a, n, 0.5);
    let far = a.and(far, higher);
    let q = a.rare(far, upwards, |a| {
        // At its start the ratio is nearly constant: q (2 x + q) = 2 k.
        let k = plus(a, last, 61.0);
        let square = a.mul(x, x);
        let twice = a.add(k, k);
        let sum = a.add(square, twice);
        let root = a.sqrt(sum);
        let under = a.add(x, root);
        let start = a.div(twice, under);
        let next = plus(a, last, 0.5);
        let [_, q] = a.repeat(
            [k, start],
            |a, [k, _]| a.lt(next, k),
            |a, [k, q]| {
                let under = a.fma(q, half, x);
                [plus(a, k, -1.0), a.div(k, under)]
            },
        );
        q
    });
    let nan = a.float(f64::NAN);
    let order = a.le(zero, n);
    let q = a.select(order, q, nan);
    a.select(many, nan, q)
}

/// Returns `log(erfc x)`; error below 4 ulp.
#[inline(always)]
pub fn log_erfc<A: Double>(a: &mut A, x: A::F) -> A::F {
    let e = erf(a, x);
    let minus = a.neg(e);
    let near = log1p(a, minus);
    let far = above(a, x, 0.5);
    a.rare(far, near, |a| {
        let e = erfcx(a, x);
        let l = log(a, e);
        let minus = a.neg(x);
        a.fma(minus, x, l)
    })
}

/// Returns `x / sqrt 2` as a rounded product and its error.
#[inline(always)]
fn over_root<A: Double>(a: &mut A, x: A::F) -> (A::F, A::F) {
    let root = a.float(FRAC_1_SQRT_2);
    let high = a.mul(x, root);
    let minus = a.neg(high);
    let low = a.fma(x, root, minus);
    (high, fma_by(a, x, ROOT_LOW, low))
}

/// Returns `erfc(z + low) / 2`, for `z` and its rounding error.
#[inline(always)]
fn half_erfc<A: Double>(a: &mut A, z: A::F, low: A::F) -> A::F {
    let e = erfc(a, z);
    let half = times(a, e, 0.5);
    // The relative change of erfc is 2 z + q(0), and negligible on the left.
    let right = above(a, z, 0.0);
    let zero = a.float(0.0);
    let bounded = below(a, z, 30.0);
    let counts = a.and(right, bounded);
    let y = a.select(counts, z, zero);
    let q = first_ratio(a, y);
    let hazard = fma_by(a, y, 2.0, q);
    let change = a.mul(hazard, low);
    let change = a.select(counts, change, zero);
    let minus = a.neg(half);
    a.fma(minus, change, half)
}

/// Returns the distribution function of the standard normal distribution; error below 3 ulp.
#[inline(always)]
pub fn ndtr<A: Double>(a: &mut A, x: A::F) -> A::F {
    let minus = a.neg(x);
    let (z, low) = over_root(a, minus);
    half_erfc(a, z, low)
}

/// Returns `log(ndtr x)`; error below 4 ulp.
#[inline(always)]
pub fn log_ndtr<A: Double>(a: &mut A, x: A::F) -> A::F {
    let (z, low) = over_root(a, x);
    let tail = half_erfc(a, z, low);
    let minus = a.neg(tail);
    let near = log1p(a, minus);
    let far = below(a, x, -0.5);
    a.rare(far, near, |a| {
        let y = a.abs(z);
        let e = erfcx(a, y);
        let half = times(a, e, 0.5);
        let l = log(a, half);
        let minus_half = times(a, x, -0.5);
        a.fma(minus_half, x, l)
    })
}
