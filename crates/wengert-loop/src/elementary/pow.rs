//! `pow(x, y) = x^y`.
//!
//! `y log |x|` may be 700 and more, so a correct last digit needs the logarithm to about 65 bits: it is
//! computed as a sum of two floats, and `e` is raised to the product in the same way.
use super::Double;
use super::exp::{LIMIT, LN2_HIGH, LN2_LOW, add_exponent, reduce_fine, scale_any, tail};
use super::log::{SUBNORMAL_SCALE, SUBNORMAL_SHIFT, Split, split};
use super::parts::{
    MAGIC, above, below, beyond, equals, fast_two_sum, fma_by, horner, outside, plus, times,
    two_product,
};
use std::f64::consts::LOG2_E;

/// `2/3` as a sum of two.
const TWO_THIRDS: f64 = 2.0 / 3.0;
const TWO_THIRDS_LOW: f64 = 3.700_743_415_417_188e-17;

/// `P` with `2 + z (2/3 + z P(z)) = 2 atanh(sqrt z) / sqrt z (1 + d)`, `|d| < 2^-73` for
/// `z <= 0.02945`.
const P: [f64; 8] = [
    0.3999999999999998,
    0.2857142857144385,
    0.22222222217785195,
    0.18181818844716158,
    0.15384558370513604,
    0.13336266996798768,
    0.1167572561855738,
    0.11982242639560096,
];

/// Returns `log m - minus_k ln 2` as a sum of two, for `sqrt(1/2) <= m < sqrt(2)`.
///
/// With `f = m - 1` and `s = f / (2 + f)`, `log m = 2 s + s^3 (2/3 + s^2 P(s^2))`: `s`, its square,
/// and all but the last product are sums of two.
#[inline(always)]
fn log_pair<A: Double>(a: &mut A, minus_k: A::F, m: A::F) -> (A::F, A::F) {
    let f = plus(a, m, -1.0);
    let two = a.float(2.0);
    let (d, d_low) = fast_two_sum(a, two, f);
    let one = a.float(1.0);
    let inverse = a.div(one, d);
    let s = a.mul(f, inverse);
    let minus_s = a.neg(s);
    let left = a.fma(minus_s, d, f);
    let left = a.fma(minus_s, d_low, left);
    let s_low = a.mul(left, inverse);
    let twice = a.add(s, s);

    let (z, z_low) = two_product(a, s, s);
    let z_low = a.fma(twice, s_low, z_low);
    let p = horner(a, z, &P);
    let t = a.mul(p, z);
    let two_thirds = a.float(TWO_THIRDS);
    let (q, q_low) = fast_two_sum(a, two_thirds, t);
    let q_low = plus(a, q_low, TWO_THIRDS_LOW);
    let (u, u_low) = two_product(a, z, q);
    let u_low = a.fma(z, q_low, u_low);
    let u_low = a.fma(z_low, q, u_low);
    let (w, w_low) = two_product(a, s, u);
    let w_low = a.fma(s, u_low, w_low);
    let w_low = a.fma(s_low, u, w_low);

    let (high, low) = fast_two_sum(a, twice, w);
    let low = a.add(low, w_low);
    let low = fma_by(a, s_low, 2.0, low);
    let k = times(a, minus_k, -LN2_HIGH);
    let (high, error) = fast_two_sum(a, k, high);
    let low = a.add(low, error);
    let low = fma_by(a, minus_k, -LN2_LOW, low);
    (high, low)
}

/// Splits `e^(high + low) = 2^n p`: returns `p`, `MAGIC + n` and `n`.
#[inline(always)]
fn exp_pair<A: Double>(a: &mut A, high: A::F, low: A::F) -> (A::F, A::F, A::F) {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, high, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let low = fma_by(a, n, -LN2_LOW, low);
    let (r, c) = reduce_fine(a, high, n, low);
    let t = tail(a, r, c);
    let one = a.float(1.0);
    let (p, p_low) = fast_two_sum(a, one, r);
    let p_low = a.add(p_low, t);
    let p = a.add(p, p_low);
    (p, magic, n)
}

/// Returns `y` times a sum of two, as a sum of two.
#[inline(always)]
fn product<A: Double>(a: &mut A, y: A::F, (high, low): (A::F, A::F)) -> (A::F, A::F) {
    let (p, error) = two_product(a, y, high);
    let error = a.fma(y, low, error);
    (p, error)
}

/// Returns `x^y`, with the special values of C99 (F.9.4.4); error below 1 ulp, and small integer powers that
/// are exactly representable are exact.
#[inline(always)]
pub fn pow<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let log = log_pair(a, minus_k, m);
    let (high, low) = product(a, y, log);
    let (p, magic, _) = exp_pair(a, high, low);
    let common = add_exponent(a, p, magic);
    let odd = outside(a, x, f64::MIN_POSITIVE, f64::INFINITY);
    let large = beyond(a, high, LIMIT);
    let rare = a.or(odd, large);
    a.rare(rare, common, |a| anywhere(a, x, y))
}

/// Returns `x^y` for all `x` and `y`.
#[inline(always)]
fn anywhere<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let size = a.abs(x);
    let finite = finite_power(a, size, y);

    // Up to sign, powers of zero and infinity depend only on the sign of y.
    let zero = a.float(0.0);
    let infinity = a.float(f64::INFINITY);
    let falling = a.lt(y, zero);
    let of_zero = a.select(falling, infinity, zero);
    let of_infinity = a.select(falling, zero, infinity);
    let is_zero = a.eq(x, zero);
    let is_infinite = a.eq(size, infinity);
    let value = a.select(is_zero, of_zero, finite);
    let value = a.select(is_infinite, of_infinity, value);

    // An odd power of a negative base is negative; a non-integer power is NaN, unless the base is zero or
    // infinite. Floats from 2^53 on, infinity among them, are even integers.
    let whole = a.round(y);
    let integer = a.eq(whole, y);
    let half = times(a, y, 0.5);
    let whole_half = a.round(half);
    let even = a.eq(whole_half, half);
    let uneven = a.not(even);
    let odd = a.and(integer, uneven);
    let x_bits = a.bits(x);
    let no_bits = a.int(0);
    let signed = a.int_lt(x_bits, no_bits);
    let flip = a.and(signed, odd);
    let minus = a.neg(value);
    let value = a.select(flip, minus, value);
    let negative = a.lt(x, zero);
    let broken = a.not(integer);
    let invalid = a.and(negative, broken);
    let finite = a.not(is_infinite);
    let invalid = a.and(invalid, finite);
    let nan = a.float(f64::NAN);
    let value = a.select(invalid, nan, value);

    // NaN operands give NaN, but x^0 = 1 and 1^y = 1 for all x and y.
    let sum = a.add(x, y);
    let x_known = a.eq(x, x);
    let y_known = a.eq(y, y);
    let known = a.and(x_known, y_known);
    let value = a.select(known, value, sum);
    let to_zero = a.eq(y, zero);
    let of_one = equals(a, x, 1.0);
    let unity = a.or(to_zero, of_one);
    let one = a.float(1.0);
    a.select(unity, one, value)
}

/// Returns `x^y` for positive and finite `x`, subnormals too, and any `y` but NaN.
#[inline(always)]
fn finite_power<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let subnormal = below(a, x, f64::MIN_POSITIVE);
    let scaled = times(a, x, SUBNORMAL_SCALE);
    let x = a.select(subnormal, scaled, x);
    let Split { minus_k, m, .. } = split(a, x);
    let lowered = plus(a, minus_k, SUBNORMAL_SHIFT);
    let minus_k = a.select(subnormal, lowered, minus_k);
    let log = log_pair(a, minus_k, m);
    // The smallest nonzero logarithm is 2^-53, so from 2^70 on the magnitude of y does not matter.
    let y = clamp(a, y, 1_180_591_620_717_411_303_424.0);
    let (high, low) = product(a, y, log);
    // Beyond 800 the result is 0 or infinite.
    let far = beyond(a, high, 800.0);
    let zero = a.float(0.0);
    let low = a.select(far, zero, low);
    let high = clamp(a, high, 800.0);
    let (p, _, n) = exp_pair(a, high, low);
    scale_any(a, p, n, high)
}

/// Clamps `x` to `-limit..=limit`.
#[inline(always)]
fn clamp<A: Double>(a: &mut A, x: A::F, limit: f64) -> A::F {
    let most = a.float(limit);
    let large = above(a, x, limit);
    let x = a.select(large, most, x);
    let least = a.float(-limit);
    let small = below(a, x, -limit);
    a.select(small, least, x)
}
