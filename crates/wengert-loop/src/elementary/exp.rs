//! The exponential family: `exp`, `exp2`, `expm1`, `sigmoid` and its derivative.
//!
//! All use the reduction of Cody and Waite (Software Manual for the Elementary Functions, 1980): `x = n ln 2 +
//! r` with an integer `n` and `|r| <= ln 2 / 2`, then `e^x = 2^n e^r`, with `e^r = 1 + r + r^2 Q(r)` and `Q` a
//! minimax polynomial.
use super::Double;
use super::parts::{
    MAGIC, above, below, beyond, fma_by, from, horner, plus, power_of_two, scale, times, with_sign,
};
use std::f64::consts::{LN_2, LOG2_E};

/// The first 42 bits of `ln 2`, so that `n LN2_HIGH` is exact for the `n` that occur.
pub(super) const LN2_HIGH: f64 = 0.693_147_180_559_890_3;
/// `ln 2 - LN2_HIGH`
pub(super) const LN2_LOW: f64 = 5.497_923_018_708_371e-14;

/// The magnitude of `x` from which a result or an intermediate power of two may not be normal.
pub(super) const LIMIT: f64 = 708.0;

/// `Q` with `1 + r + r^2 Q(r) = e^r (1 + d)`, `|d| < 2^-56.8` for `|r| <= ln 2 / 2`.
const Q: [f64; 10] = [
    0.500_000_000_000_000_8,
    0.166_666_666_666_664_3,
    0.041_666_666_666_550_86,
    0.008_333_333_333_494_964,
    0.001_388_888_893_895_211,
    0.000_198_412_694_901_277_41,
    2.480_149_721_338_919_3e-5,
    2.755_760_640_381_217_2e-6,
    2.762_902_696_377_732_6e-7,
    2.499_424_076_798_010_6e-8,
];

/// `Q` with `r + r^2 Q(r) = (e^r - 1)(1 + d)`, `|d| < 2^-60` for `|r| <= ln 2 / 2`.
const Q_FINE: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_77,
    0.041_666_666_666_666_706,
    0.008_333_333_333_321_29,
    0.001_388_888_888_885_621,
    0.000_198_412_698_872_953_1,
    2.480_158_739_686_544e-5,
    2.755_724_272_740_783_8e-6,
    2.755_719_779_237_462e-7,
    2.510_965_639_640_689_4e-8,
    2.094_293_318_649_733e-9,
];

/// Reduces `x = n ln 2 + r`: returns `MAGIC + n`, `n` and `r`, the last within half an ulp.
#[inline(always)]
pub(super) fn reduce<A: Double>(a: &mut A, x: A::F) -> (A::F, A::F, A::F) {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let r = fma_by(a, n, -LN2_HIGH, x);
    let r = fma_by(a, n, -LN2_LOW, r);
    (magic, n, r)
}

/// Returns `2^n p`, by adding to the exponent: for normal `p` and a normal result.
#[inline(always)]
pub(super) fn add_exponent<A: Double>(a: &mut A, p: A::F, magic: A::F) -> A::F {
    let n = a.bits(magic);
    let n = a.int_shl(n, 52);
    let p = a.bits(p);
    let bits = a.int_add(p, n);
    a.from_bits(bits)
}

/// Returns `2^n p` where `x = n ln 2 + ...` has any magnitude: overflows to infinity, rounds once to a
/// subnormal, underflows to 0, and keeps NaN.
#[inline(always)]
pub(super) fn scale_any<A: Double>(a: &mut A, p: A::F, n: A::F, x: A::F) -> A::F {
    let y = scale(a, p, n);
    let infinity = a.float(f64::INFINITY);
    let large = above(a, x, 720.0);
    let y = a.select(large, infinity, y);
    let zero = a.float(0.0);
    let small = below(a, x, -750.0);
    a.select(small, zero, y)
}

/// Returns `e^r` for `|r| <= ln 2 / 2`
#[inline(always)]
pub(super) fn small<A: Double>(a: &mut A, r: A::F) -> A::F {
    let q = horner(a, r, &Q);
    let one = a.float(1.0);
    let p = a.fma(q, r, one);
    a.fma(p, r, one)
}

/// Returns `e^x`; error below 1 ulp.
#[inline(always)]
pub fn exp<A: Double>(a: &mut A, x: A::F) -> A::F {
    let (magic, n, r) = reduce(a, x);
    let p = small(a, r);
    let common = add_exponent(a, p, magic);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| scale_any(a, p, n, x))
}

/// Returns `e^x` for all `x`, for the rare paths.
#[inline(always)]
fn anywhere<A: Double>(a: &mut A, x: A::F) -> A::F {
    let (_, n, r) = reduce(a, x);
    let p = small(a, r);
    scale_any(a, p, n, x)
}

/// Returns `e^x / 2`, without intermediate overflow.
#[inline(always)]
pub(super) fn half_exp<A: Double>(a: &mut A, x: A::F) -> A::F {
    let (_, n, r) = reduce(a, x);
    let p = small(a, r);
    let n = plus(a, n, -1.0);
    scale_any(a, p, n, x)
}

/// Returns `2^x`; error below 1 ulp. `x = n + f` is exact, then `2^x = 2^n e^(f ln 2)`.
#[inline(always)]
pub fn exp2<A: Double>(a: &mut A, x: A::F) -> A::F {
    let magic = plus(a, x, MAGIC);
    let n = plus(a, magic, -MAGIC);
    let f = a.sub(x, n);
    let r = times(a, f, LN_2);
    let p = small(a, r);
    let common = add_exponent(a, p, magic);
    let rare = beyond(a, x, 1021.0);
    a.rare(rare, common, |a| {
        let size = times(a, x, LN_2);
        scale_any(a, p, n, size)
    })
}

/// `e^x = s (1 + r + t)` with `s = 2^n` exact, `|t| < r^2`, and `r + t` within a fraction of an ulp.
pub(super) struct Parts<F> {
    pub s: F,
    pub r: F,
    pub t: F,
}

/// Returns the parts of `e^x` for `|x| < LIMIT`.
#[inline(always)]
pub(super) fn parts<A: Double>(a: &mut A, x: A::F) -> Parts<A::F> {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let low = times(a, n, -LN2_LOW);
    let (r, c) = reduce_fine(a, x, n, low);
    let t = tail(a, r, c);
    let s = power_of_two(a, magic);
    Parts { s, r, t }
}

/// Returns `x - n LN2_HIGH + low` as `r + c`, with `c` the rounding error of `r`.
#[inline(always)]
pub(super) fn reduce_fine<A: Double>(a: &mut A, x: A::F, n: A::F, low: A::F) -> (A::F, A::F) {
    let high = fma_by(a, n, -LN2_HIGH, x);
    let r = a.add(high, low);
    let c = a.sub(high, r);
    let c = a.add(c, low);
    (r, c)
}

/// Returns `t` with `e^(r + c) = 1 + r + t`: that is `r^2 Q(r) + c (1 + r)`.
#[inline(always)]
pub(super) fn tail<A: Double>(a: &mut A, r: A::F, c: A::F) -> A::F {
    let q = horner(a, r, &Q_FINE);
    let t = a.fma(q, r, c);
    a.fma(t, r, c)
}

/// Returns `e^x - 1`; error below 1.2 ulp. It is `s t + (s r + (s - 1))`, where `s - 1` is exact unless the
/// rest is negligible.
#[inline(always)]
pub fn expm1<A: Double>(a: &mut A, x: A::F) -> A::F {
    let Parts { s, r, t } = parts(a, x);
    let y = plus(a, s, -1.0);
    let y = a.fma(s, r, y);
    let y = a.fma(s, t, y);
    // The sum loses the sign of -0.
    let common = with_sign(a, y, x);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let e = anywhere(a, x);
        plus(a, e, -1.0)
    })
}

/// Returns `1 / (1 + e^-x)`; error below 1.5 ulp. The denominator is a sum of two, and the quotient is
/// corrected by its residual.
#[inline(always)]
pub fn sigmoid<A: Double>(a: &mut A, x: A::F) -> A::F {
    let minus = a.neg(x);
    let Parts { s, r, t } = parts(a, minus);
    let one_s = plus(a, s, 1.0);
    let w = a.mul(s, r);
    let high = a.add(one_s, w);
    let low = a.sub(one_s, high);
    let low = a.add(low, w);
    let low = a.fma(s, t, low);
    let sum = a.add(high, low);
    let one = a.float(1.0);
    let q = a.div(one, sum);
    let minus_q = a.neg(q);
    let left = a.fma(minus_q, high, one);
    let left = a.fma(minus_q, low, left);
    let common = a.fma(q, left, q);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        // For large x, 1 - e^-x rounds to 1; for small x, e^x / (1 + e^x) rounds to e^x.
        let e = anywhere(a, x);
        let positive = above(a, x, 0.0);
        let one = a.float(1.0);
        a.select(positive, one, e)
    })
}

/// The value of a saturating function from which its derivative is not computed from it: the distance to the
/// limit has lost 5 bits there.
pub(super) const SATURATED: f64 = 1.0 - 1.0 / 32.0;

/// Returns the derivative of [`sigmoid`] at `x`, given `y = sigmoid(x)`: `y (1 - y)`, and where `1 - y` has
/// lost digits, `e^-x / (1 + e^-x)^2`. Error below 32 ulp, mostly 3; from an `f32` `y` a few ulp of `f32`.
#[inline(always)]
pub fn sigmoid_slope<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let rest = from(a, 1.0, y);
    let common = a.mul(y, rest);
    let rare = above(a, y, SATURATED);
    a.rare(rare, common, |a| {
        let minus = a.neg(x);
        bell(a, minus)
    })
}

/// Returns `e^x / (1 + e^x)^2` for `x` that is not large.
#[inline(always)]
pub(super) fn bell<A: Double>(a: &mut A, x: A::F) -> A::F {
    let t = anywhere(a, x);
    let whole = plus(a, t, 1.0);
    let square = a.mul(whole, whole);
    a.div(t, square)
}
