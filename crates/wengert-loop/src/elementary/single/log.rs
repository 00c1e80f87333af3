//! `log`, `log1p`, `log2` and `log10`.
//!
//! `x = 2^k m` with `sqrt(1/2) <= m < sqrt(2)`, and `log m = f - f^2/2 + f^3 P(f)` with `f = m - 1`, which is exact.
use super::Single;
use super::exp::{LN2_HIGH, LN2_LOW};
use super::parts::{
    above, equals, fast_two_sum, fma_by, from, horner, outside, plus, times, two_product,
};
use std::f64::consts::{LOG2_E, LOG10_E};

/// The bits of `1.0` and of `sqrt(1/2)`.
const ONE: i64 = 0x3f80_0000;
const SQRT_HALF: i64 = 0x3f35_04f3;
const MANTISSA: i64 = 0x007f_ffff;

/// `P` with `f - f^2/2 + f^3 P(f) = log(1 + f) (1 + d)`, `|d| < 2^-27` for `sqrt(1/2) <= 1 + f < sqrt(2)`.
const P: [f64; 9] = [
    0.333_333_13,
    -0.250_000_66,
    0.200_021_31,
    -0.166_660_52,
    0.142_163_59,
    -0.124_171_44,
    0.119_207_58,
    -0.117_469_77,
    0.068_626_72,
];

/// `x = 2^k m` with `sqrt(1/2) <= m < sqrt(2)`.
pub(super) struct Split<F, I> {
    /// `-k`, as a float.
    pub minus_k: F,
    pub m: F,
    /// `k + 127` at the position of the exponent, sign bit included.
    pub exponent: I,
}

/// Splits a positive normal `x`.
#[inline(always)]
pub(super) fn split<A: Single>(a: &mut A, x: A::F) -> Split<A::F, A::I> {
    let bits = a.bits(x);
    let shift = a.int(ONE - SQRT_HALF);
    let shifted = a.int_add(bits, shift);
    let k = a.int_ushr(shifted, 23);
    // With the exponent of 2^23 the integer becomes the fraction of a float.
    let exponent = a.int(0x4b00_0000);
    let k = a.int_or(k, exponent);
    let k = a.from_bits(k);
    let minus_k = from(a, 8_388_608.0 + 127.0, k);
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

/// Returns `rest` in `log(1 + f) = f + rest`, plus `offset`.
#[inline(always)]
fn rest<A: Single>(a: &mut A, f: A::F, offset: A::F) -> A::F {
    let z = a.mul(f, f);
    let cube = a.mul(z, f);
    let p = horner(a, f, &P);
    let r = fma_by(a, z, -0.5, offset);
    a.fma(p, cube, r)
}

/// Returns `k ln 2 + log(1 + f)` plus a small `more`, with the sign of `f` where both are zero: the large terms are
/// added as a sum of two.
#[inline(always)]
fn assemble<A: Single>(a: &mut A, minus_k: A::F, f: A::F, more: A::F) -> A::F {
    let low = fma_by(a, minus_k, -LN2_LOW, more);
    let rest = rest(a, f, low);
    let large = times(a, minus_k, -LN2_HIGH);
    let (high, low) = fast_two_sum(a, large, f);
    let low = a.add(low, rest);
    a.add(high, low)
}

/// Returns the `log` of a positive normal number, with `less` subtracted from its `k`.
#[inline(always)]
pub(super) fn of_normal<A: Single>(a: &mut A, x: A::F, less: f64) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let minus_k = less_than(a, minus_k, less);
    let f = plus(a, m, -1.0);
    let zero = a.float(0.0);
    assemble(a, minus_k, f, zero)
}

/// Returns `minus_k` plus a constant that is mostly 0.
#[inline(always)]
fn less_than<A: Single>(a: &mut A, minus_k: A::F, less: f64) -> A::F {
    match less == 0.0 {
        true => minus_k,
        false => plus(a, minus_k, less),
    }
}

/// Returns the logarithm for all `x`, given its value where `x` is positive and finite.
#[inline(always)]
fn special<A: Single>(a: &mut A, x: A::F, positive_value: A::F) -> A::F {
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

pub(super) const MIN_NORMAL: f64 = f32::MIN_POSITIVE as f64;
pub(super) const SUBNORMAL_SHIFT: f64 = 24.0;
pub(super) const SUBNORMAL_SCALE: f64 = 16_777_216.0;

/// Returns whether `x` is not a positive normal number.
#[inline(always)]
fn odd<A: Single>(a: &mut A, x: A::F) -> A::M {
    outside(a, x, MIN_NORMAL, f64::INFINITY)
}

/// Returns the natural logarithm.
#[inline(always)]
pub fn log<A: Single>(a: &mut A, x: A::F) -> A::F {
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
fn anywhere<A: Single>(a: &mut A, x: A::F) -> A::F {
    let normal = of_normal(a, x, 0.0);
    special(a, x, normal)
}

/// Returns `log(u + c)` for a positive normal `u` up to `1e38` and a `c` below an ulp of `u`.
///
/// With `u = 2^k m` it is `k ln 2 + log(1 + f)` for `f = (m - 1) + 2^-k c`, which is rounded; its rounding error is
/// divided by `1 + f` to first order.
#[inline(always)]
pub(super) fn of_sum<A: Single>(a: &mut A, u: A::F, c: A::F) -> A::F {
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
    let lost = a.add(minus, f);
    let lost = a.sub(c, lost);
    let minus_f = a.neg(f);
    let lost = a.fma(minus_f, lost, lost);
    assemble(a, minus_k, f, lost)
}

/// Returns `1 + x` as a rounded sum and its error, which is `x` itself, signed, where `x` is tiny.
#[inline(always)]
pub(super) fn one_plus<A: Single>(a: &mut A, x: A::F) -> (A::F, A::F) {
    let u = plus(a, x, 1.0);
    let x_seen = plus(a, u, -1.0);
    let one_seen = a.sub(u, x_seen);
    let one_error = plus(a, one_seen, -1.0);
    let x_error = a.sub(x, x_seen);
    let c = a.sub(x_error, one_error);
    (u, c)
}

/// Returns `log(1 + x)`.
#[inline(always)]
pub fn log1p<A: Single>(a: &mut A, x: A::F) -> A::F {
    let (u, c) = one_plus(a, x);
    let common = of_sum(a, u, c);
    let rare = outside(a, u, MIN_NORMAL, 1e38);
    a.rare(rare, common, |a| anywhere(a, u))
}

/// A base `b` of logarithms.
struct Base {
    /// `log_b 2`, its first 15 bits and the rest.
    two: [f64; 2],
    /// `log_b e` as a sum of two.
    e: [f64; 2],
}

/// Returns `k log_b 2 + log_b m`, with `log_b e` as a sum of two whose large part multiplies exactly.
#[inline(always)]
fn in_base<A: Single>(a: &mut A, x: A::F, less: f64, base: &Base) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let minus_k = less_than(a, minus_k, less);
    let f = plus(a, m, -1.0);
    let zero = a.float(0.0);
    let rest = rest(a, f, zero);
    let log = a.add(f, rest);
    let low = a.sub(f, log);
    let low = a.add(low, rest);
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
fn to_base<A: Single>(a: &mut A, x: A::F, base: &Base) -> A::F {
    let common = in_base(a, x, 0.0, base);
    let rare = odd(a, x);
    a.rare(rare, common, |a| {
        let scaled = times(a, x, SUBNORMAL_SCALE);
        let subnormal = in_base(a, scaled, SUBNORMAL_SHIFT, base);
        special(a, x, subnormal)
    })
}

/// Returns the logarithm to base 2, which is exact at powers of 2.
#[inline(always)]
pub fn log2<A: Single>(a: &mut A, x: A::F) -> A::F {
    let two = [1.0, 0.0];
    let e = [LOG2_E, 1.925_963e-8];
    to_base(a, x, &Base { two, e })
}

/// Returns the logarithm to base 10, which is exact at powers of 10.
#[inline(always)]
pub fn log10<A: Single>(a: &mut A, x: A::F) -> A::F {
    let two = [0.301_025_390_625, 4.605_039e-6];
    let e = [LOG10_E, -1.010_305e-8];
    to_base(a, x, &Base { two, e })
}
