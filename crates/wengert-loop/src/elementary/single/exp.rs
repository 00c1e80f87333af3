//! `exp`, `exp2`, `expm1`, `sigmoid` and its derivative, by the reduction of Cody and Waite (Software Manual for the
//! Elementary Functions, 1980): `x = n ln 2 + r`, `|r| <= ln 2 / 2`.
use super::Single;
use super::parts::{
    MAGIC_SINGLE as MAGIC, above, below, beyond, fast_two_sum, fma_by, from, horner, plus,
    power_of_two, scale, times, two_sum, with_sign,
};
use std::f64::consts::{LN_2, LOG2_E};

/// The first 16 bits of `ln 2`, so that `n LN2_HIGH` is exact for the `n` that occur.
pub(super) const LN2_HIGH: f64 = 0.693_145_751_953_125;
/// `ln 2 - LN2_HIGH`
pub(super) const LN2_LOW: f64 = 1.428_606_8e-6;

/// The magnitude of `x` from which a result or an intermediate power of two may not be normal.
pub(super) const LIMIT: f64 = 87.0;

/// `Q` with `1 + r + r^2 Q(r) = e^r (1 + d)`, `|d| < 2^-28.2` for `|r| <= ln 2 / 2`.
const Q: [f64; 5] = [
    0.499_999_94,
    0.166_665_17,
    0.041_668_102,
    0.008_369_192,
    0.001_383_879_5,
];

/// `Q` with `r + r^2 Q(r) = (e^r - 1)(1 + d)`, `|d| < 2^-31` for `|r| <= ln 2 / 2`.
const Q_FINE: [f64; 6] = [
    0.5,
    0.166_666_67,
    0.041_666_478,
    0.008_333_191,
    0.001_393_369,
    0.000_199_593_27,
];

/// `P` with `1 + f P(f) = 2^f (1 + d)`, `|d| < 2^-31` for `|f| <= 1/2`.
const P: [f64; 7] = [
    LN_2,
    0.240_226_5,
    0.055_504_035,
    0.009_618_1,
    0.001_334_036_4,
    0.000_154_455_45,
    1.358_457_6e-5,
];

/// Reduces `x = n ln 2 + r`: returns `MAGIC + n`, `n` and `r`, the last within half an ulp.
#[inline(always)]
pub(super) fn reduce<A: Single>(a: &mut A, x: A::F) -> (A::F, A::F, A::F) {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let r = fma_by(a, n, -LN2_HIGH, x);
    let r = fma_by(a, n, -LN2_LOW, r);
    (magic, n, r)
}

/// Returns `2^n p`, by adding to the exponent: for normal `p` and a normal result.
#[inline(always)]
pub(super) fn add_exponent<A: Single>(a: &mut A, p: A::F, magic: A::F) -> A::F {
    let n = a.bits(magic);
    let n = a.int_shl(n, 23);
    let p = a.bits(p);
    let bits = a.int_add(p, n);
    a.from_bits(bits)
}

/// Returns `2^n p` where `x = n ln 2 + ...` has any magnitude: overflows to infinity, rounds once to a subnormal,
/// underflows to 0, and keeps NaN.
#[inline(always)]
pub(super) fn scale_any<A: Single>(a: &mut A, p: A::F, n: A::F, x: A::F) -> A::F {
    let y = scale(a, p, n);
    let infinity = a.float(f64::INFINITY);
    let large = above(a, x, 90.0);
    let y = a.select(large, infinity, y);
    let zero = a.float(0.0);
    let small = below(a, x, -105.0);
    a.select(small, zero, y)
}

/// Returns `e^r` for `|r| <= ln 2 / 2`
#[inline(always)]
pub(super) fn small<A: Single>(a: &mut A, r: A::F) -> A::F {
    let q = horner(a, r, &Q);
    let one = a.float(1.0);
    let p = a.fma(q, r, one);
    a.fma(p, r, one)
}

/// Returns `e^x`.
#[inline(always)]
pub fn exp<A: Single>(a: &mut A, x: A::F) -> A::F {
    let (magic, n, r) = reduce(a, x);
    let p = small(a, r);
    let common = add_exponent(a, p, magic);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| scale_any(a, p, n, x))
}

/// Returns `e^x` for all `x`, for the rare paths.
#[inline(always)]
pub(super) fn anywhere<A: Single>(a: &mut A, x: A::F) -> A::F {
    let (_, n, r) = reduce(a, x);
    let p = small(a, r);
    scale_any(a, p, n, x)
}

/// Returns `2^x`, which is exact where `x` is an integer. `x = n + f` is exact, too.
#[inline(always)]
pub fn exp2<A: Single>(a: &mut A, x: A::F) -> A::F {
    let magic = plus(a, x, MAGIC);
    let n = plus(a, magic, -MAGIC);
    let f = a.sub(x, n);
    let p = horner(a, f, &P);
    let one = a.float(1.0);
    let p = a.fma(p, f, one);
    let common = add_exponent(a, p, magic);
    let rare = beyond(a, x, 125.0);
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
pub(super) fn parts<A: Single>(a: &mut A, x: A::F) -> Parts<A::F> {
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
pub(super) fn reduce_fine<A: Single>(a: &mut A, x: A::F, n: A::F, low: A::F) -> (A::F, A::F) {
    let high = fma_by(a, n, -LN2_HIGH, x);
    let r = a.add(high, low);
    let c = a.sub(high, r);
    let c = a.add(c, low);
    (r, c)
}

/// Returns `t` with `e^(r + c) = 1 + r + t`: that is `r^2 Q(r) + c (1 + r)`.
#[inline(always)]
pub(super) fn tail<A: Single>(a: &mut A, r: A::F, c: A::F) -> A::F {
    let q = horner(a, r, &Q_FINE);
    let t = a.fma(q, r, c);
    a.fma(t, r, c)
}

/// Returns `e^x - 1`. It is `(s - 1) + s r + s t`, whose first sums are of two floats.
#[inline(always)]
pub fn expm1<A: Single>(a: &mut A, x: A::F) -> A::F {
    let Parts { s, r, t } = parts(a, x);
    let minus = a.float(-1.0);
    let (first, lost) = two_sum(a, s, minus);
    let high = a.fma(s, r, first);
    let low = a.sub(first, high);
    let low = a.fma(s, r, low);
    let low = a.add(low, lost);
    let low = a.fma(s, t, low);
    let y = a.add(high, low);
    // The sum loses the sign of -0.
    let common = with_sign(a, y, x);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let e = anywhere(a, x);
        plus(a, e, -1.0)
    })
}

/// Returns `1 / (1 + e^-x)`. The denominator is a sum of two, and the quotient is corrected by its residual.
#[inline(always)]
pub fn sigmoid<A: Single>(a: &mut A, x: A::F) -> A::F {
    let minus = a.neg(x);
    let Parts { s, r, t } = parts(a, minus);
    let one = a.float(1.0);
    let (one_s, lost) = two_sum(a, s, one);
    let w = a.mul(s, r);
    let (high, low) = fast_two_sum(a, one_s, w);
    let low = a.add(low, lost);
    let low = a.fma(s, t, low);
    let sum = a.add(high, low);
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

/// The value of a saturating function from which its derivative is not computed from it: the distance to the limit
/// has lost 5 bits there.
pub(super) const SATURATED: f64 = 1.0 - 1.0 / 32.0;

/// Returns the derivative of [`sigmoid`] at `x`, given `y = sigmoid(x)`: `y (1 - y)`, and where `1 - y` has lost
/// digits, `e^-x / (1 + e^-x)^2`.
#[inline(always)]
pub fn sigmoid_slope<A: Single>(a: &mut A, x: A::F, y: A::F) -> A::F {
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
pub(super) fn bell<A: Single>(a: &mut A, x: A::F) -> A::F {
    let t = anywhere(a, x);
    let whole = plus(a, t, 1.0);
    let square = a.mul(whole, whole);
    a.div(t, square)
}
