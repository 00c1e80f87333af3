//! The logarithms: `log`, `log1p`, `log2` and `log10`.
//!
//! `x = 2^k m` with `sqrt(1/2) <= m < sqrt(2)`, and with `f = m - 1`, `s = f / (2 + f)`:
//! `log m = 2 atanh s = f - (f^2/2 - s (f^2/2 + s^2 L(s^2)))`. This form, in which the leading
//! terms are exact or small, is that of FDLIBM (Sun Microsystems, 1993); `L` is a minimax
//! polynomial.
use super::Double;
use super::exp::{LN2_HIGH, LN2_LOW};
use super::parts::{
    ONE, above, equals, fast_two_sum, fma_by, from, horner, outside, plus, times, two_product,
};
use std::f64::consts::{LOG2_E, LOG10_E};

/// The bits of `sqrt(1/2)`.
const SQRT_HALF: i64 = 0x3fe6_a09e_667f_3bcd;
const MANTISSA: i64 = 0x000f_ffff_ffff_ffff;

/// `L` with `2 + z L(z) = 2 atanh(sqrt z) / sqrt z (1 + d)`, `|d| < 2^-59.4` for `z <= 0.02945`.
pub(super) const L: [f64; 7] = [
    0.666_666_666_666_673_5,
    0.399_999_999_994_092_8,
    0.285_714_287_437_151_9,
    0.222_221_984_249_163_6,
    0.181_835_726_207_205,
    0.153_138_239_694_451_42,
    0.147_983_551_191_295_03,
];

/// `x = 2^k m` with `sqrt(1/2) <= m < sqrt(2)`.
pub(super) struct Split<F, I> {
    /// `-k`, as a float.
    pub minus_k: F,
    pub m: F,
    /// `k + 1023` at the position of the exponent, sign bit included.
    pub exponent: I,
}

/// Splits a positive normal `x`.
#[inline(always)]
pub(super) fn split<A: Double>(a: &mut A, x: A::F) -> Split<A::F, A::I> {
    let bits = a.bits(x);
    let shift = a.int(ONE - SQRT_HALF);
    let shifted = a.int_add(bits, shift);
    let k = a.int_ushr(shifted, 52);
    // With the exponent of 2^52 the integer becomes the fraction of a float.
    let exponent = a.int(0x4330_0000_0000_0000);
    let k = a.int_or(k, exponent);
    let k = a.from_bits(k);
    let minus_k = from(a, 4_503_599_627_370_496.0 + 1023.0, k);
    let mask = a.int(MANTISSA);
    let mantissa = a.int_and(shifted, mask);
    let exponent = a.int_sub(shifted, mantissa);
    let least = a.int(SQRT_HALF);
    let m = a.int_add(mantissa, least);
    let m = a.from_bits(m);
    Split {
        minus_k,
        m,
        exponent,
    }
}

/// Returns `rest` in `log(1 + f) = f - rest`, minus `offset`.
#[inline(always)]
fn rest<A: Double>(a: &mut A, f: A::F, offset: A::F) -> A::F {
    let two_f = plus(a, f, 2.0);
    let s = a.div(f, two_f);
    let z = a.mul(s, s);
    let l = horner(a, z, &L);
    let half = times(a, f, 0.5);
    let half = a.mul(half, f);
    let r = a.fma(z, l, half);
    let r = a.fma(s, r, offset);
    a.sub(half, r)
}

/// Returns `k ln 2 + log(1 + f)`, with the sign of `f` where both are zero.
#[inline(always)]
fn assemble<A: Double>(a: &mut A, minus_k: A::F, f: A::F) -> A::F {
    let low = times(a, minus_k, -LN2_LOW);
    let rest = rest(a, f, low);
    let log = a.sub(f, rest);
    fma_by(a, minus_k, -LN2_HIGH, log)
}

/// Returns the `log` of a positive normal number, with `less` subtracted from its `k`.
#[inline(always)]
pub(super) fn of_normal<A: Double>(a: &mut A, x: A::F, less: f64) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let minus_k = if less == 0.0 {
        minus_k
    } else {
        plus(a, minus_k, less)
    };
    let f = plus(a, m, -1.0);
    assemble(a, minus_k, f)
}

/// Returns the logarithm for all `x`, given its value where `x` is positive and finite.
#[inline(always)]
fn special<A: Double>(a: &mut A, x: A::F, positive_value: A::F) -> A::F {
    let nan = a.float(f64::NAN);
    let least = a.float(f64::NEG_INFINITY);
    let zero = equals(a, x, 0.0);
    let y = a.select(zero, least, nan);
    let positive = above(a, x, 0.0);
    let y = a.select(positive, positive_value, y);
    // Infinity is returned unchanged.
    let infinite = equals(a, x, f64::INFINITY);
    a.select(infinite, x, y)
}

pub(super) const SUBNORMAL_SHIFT: f64 = 54.0;
pub(super) const SUBNORMAL_SCALE: f64 = 18_014_398_509_481_984.0;

/// Returns whether `x` is not a positive normal number.
#[inline(always)]
fn odd<A: Double>(a: &mut A, x: A::F) -> A::M {
    outside(a, x, f64::MIN_POSITIVE, f64::INFINITY)
}

/// Returns the natural logarithm; error below 1 ulp.
#[inline(always)]
pub fn log<A: Double>(a: &mut A, x: A::F) -> A::F {
    let common = of_normal(a, x, 0.0);
    let rare = odd(a, x);
    a.rare(rare, common, |a| {
        let scaled = times(a, x, SUBNORMAL_SCALE);
        let subnormal = of_normal(a, scaled, SUBNORMAL_SHIFT);
        special(a, x, subnormal)
    })
}

/// Returns `log x` for all `x` but subnormals, for the rare path of `log1p`.
#[inline(always)]
fn anywhere<A: Double>(a: &mut A, x: A::F) -> A::F {
    let normal = of_normal(a, x, 0.0);
    special(a, x, normal)
}

/// Returns `log(u + c)` for a positive normal `u` up to `1e300` and a `c` below an ulp of `u`.
///
/// With `u = 2^k m` it is `k ln 2 + log(1 + f)` for `f = (m - 1) + 2^-k c`. Where `k = 0` and
/// `u + c` is near 1, `f` is `u + c - 1` rounded once.
#[inline(always)]
pub(super) fn of_sum<A: Double>(a: &mut A, u: A::F, c: A::F) -> A::F {
    let Split {
        minus_k,
        m,
        exponent,
    } = split(a, u);
    let twice_bias = a.int(2 * ONE);
    let scale = a.int_sub(twice_bias, exponent);
    let scale = a.from_bits(scale);
    let c = a.mul(c, scale);
    // 1 - m is +0 where m = 1, and -0 - (+0) is -0 again.
    let minus = from(a, 1.0, m);
    let f = a.sub(c, minus);
    assemble(a, minus_k, f)
}

/// Returns `1 + x` as a rounded sum and its error, which is `x` itself, signed, where `x` is tiny.
#[inline(always)]
pub(super) fn one_plus<A: Double>(a: &mut A, x: A::F) -> (A::F, A::F) {
    let u = plus(a, x, 1.0);
    let x_seen = plus(a, u, -1.0);
    let one_seen = a.sub(u, x_seen);
    let one_error = plus(a, one_seen, -1.0);
    let x_error = a.sub(x, x_seen);
    let c = a.sub(x_error, one_error);
    (u, c)
}

/// Returns `log(1 + x)`; error below 1.5 ulp.
#[inline(always)]
pub fn log1p<A: Double>(a: &mut A, x: A::F) -> A::F {
    let (u, c) = one_plus(a, x);
    let common = of_sum(a, u, c);
    let rare = outside(a, u, f64::MIN_POSITIVE, 1e300);
    a.rare(rare, common, |a| anywhere(a, u))
}

/// A base `b` of logarithms.
struct Base {
    /// `log_b 2`, its first 42 bits and the rest.
    two: [f64; 2],
    /// `log_b e` as a sum of two.
    e: [f64; 2],
}

/// Returns `k log_b 2 + log_b m`, with `log_b e` as a sum of two whose large part multiplies exactly.
#[inline(always)]
fn in_base<A: Double>(a: &mut A, x: A::F, less: f64, base: &Base) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let minus_k = if less == 0.0 {
        minus_k
    } else {
        plus(a, minus_k, less)
    };
    let f = plus(a, m, -1.0);
    let zero = a.float(0.0);
    let rest = rest(a, f, zero);
    let log = a.sub(f, rest);
    let low = a.sub(f, log);
    let low = a.sub(low, rest);
    let e = a.float(base.e[0]);
    let (part, error) = two_product(a, log, e);
    let error = fma_by(a, log, base.e[1], error);
    let error = a.fma(low, e, error);
    let error = fma_by(a, minus_k, -base.two[1], error);
    let whole = times(a, minus_k, -base.two[0]);
    let (high, low) = fast_two_sum(a, whole, part);
    let low = a.add(low, error);
    a.add(high, low)
}

/// Returns the logarithm to any base.
#[inline(always)]
fn to_base<A: Double>(a: &mut A, x: A::F, base: &Base) -> A::F {
    let common = in_base(a, x, 0.0, base);
    let rare = odd(a, x);
    a.rare(rare, common, |a| {
        let scaled = times(a, x, SUBNORMAL_SCALE);
        let subnormal = in_base(a, scaled, SUBNORMAL_SHIFT, base);
        special(a, x, subnormal)
    })
}

/// Returns the logarithm to base 2; error below 1 ulp, none at powers of 2.
#[inline(always)]
pub fn log2<A: Double>(a: &mut A, x: A::F) -> A::F {
    to_base(
        a,
        x,
        &Base {
            two: [1.0, 0.0],
            e: [LOG2_E, 2.035_527_374_093_103_3e-17],
        },
    )
}

/// Returns the logarithm to base 10; error below 1 ulp, none at powers of 10.
#[inline(always)]
pub fn log10<A: Double>(a: &mut A, x: A::F) -> A::F {
    let two = [0.301_029_995_663_952_83, 2.836_339_455_104_496_4e-14];
    to_base(
        a,
        x,
        &Base {
            two,
            e: [LOG10_E, 1.098_319_650_216_765e-17],
        },
    )
}
