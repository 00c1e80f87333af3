//! The logarithms: `log`, `log2`, `log10` and `log1p`.
//!
//! `x = 2^k m` with `sqrt(1/2) <= m < sqrt(2)`, and with `f = m - 1`, `s = f / (2 + f)`:
//! `log m = 2 atanh s = f - (f^2/2 - s (f^2/2 + s^2 L(s^2)))`. This form, in which the leading
//! terms are exact or small, is that of FDLIBM (Sun Microsystems, 1993); `L` is a minimax
//! polynomial.
use super::Arith;
use super::exp::{LN2_HIGH, LN2_LOW};
use super::parts::{ONE, above, equals, fma_by, from, horner, outside, plus, times};

/// The bits of `sqrt(1/2)`.
const SQRT_HALF: i64 = 0x3fe6_a09e_667f_3bcd;
const MANTISSA: i64 = 0x000f_ffff_ffff_ffff;

/// `L` with `2 + z L(z) = 2 atanh(sqrt z) / sqrt z (1 + d)`, `|d| < 2^-59.4` for `z <= 0.02945`.
const L: [f64; 7] = [
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
    /// `k + 1023` in the place of the exponent, sign bit included.
    pub exponent: I,
}

/// Splits a positive normal `x`.
#[inline(always)]
pub(super) fn split<A: Arith>(a: &mut A, x: A::F) -> Split<A::F, A::I> {
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

/// `log(1 + f) = f - rest`: gives `rest`, with `offset` taken away from it.
#[inline(always)]
fn rest<A: Arith>(a: &mut A, f: A::F, offset: A::F) -> A::F {
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

/// `k ln 2 + log(1 + f)`, with the sign of `f` where both are zero.
#[inline(always)]
fn assemble<A: Arith>(a: &mut A, minus_k: A::F, f: A::F) -> A::F {
    let low = times(a, minus_k, -LN2_LOW);
    let rest = rest(a, f, low);
    let log = a.sub(f, rest);
    fma_by(a, minus_k, -LN2_HIGH, log)
}

/// `log` of a positive normal number, whose `k` is then lowered by `less`.
#[inline(always)]
fn of_normal<A: Arith>(a: &mut A, x: A::F, less: f64) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let minus_k = if less == 0.0 {
        minus_k
    } else {
        plus(a, minus_k, less)
    };
    let f = plus(a, m, -1.0);
    assemble(a, minus_k, f)
}

/// What a logarithm gives outside the positive normal numbers; `subnormal` is its value where `x`
/// is subnormal.
#[inline(always)]
fn special<A: Arith>(a: &mut A, x: A::F, subnormal: A::F) -> A::F {
    let nan = a.float(f64::NAN);
    let least = a.float(f64::NEG_INFINITY);
    let zero = equals(a, x, 0.0);
    let y = a.select(zero, least, nan);
    let positive = above(a, x, 0.0);
    let y = a.select(positive, subnormal, y);
    // Infinity stays.
    let infinite = equals(a, x, f64::INFINITY);
    a.select(infinite, x, y)
}

pub(super) const SUBNORMAL_SHIFT: f64 = 54.0;
pub(super) const SUBNORMAL_SCALE: f64 = 18_014_398_509_481_984.0;

/// Whether `x` is not a positive normal number.
#[inline(always)]
fn odd<A: Arith>(a: &mut A, x: A::F) -> A::M {
    outside(a, x, f64::MIN_POSITIVE, f64::INFINITY)
}

/// The natural logarithm; error below 1 ulp.
#[inline]
pub fn log<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let common = of_normal(a, x, 0.0);
    let rare = odd(a, x);
    a.rare(rare, common, |a| {
        let scaled = times(a, x, SUBNORMAL_SCALE);
        let subnormal = of_normal(a, scaled, SUBNORMAL_SHIFT);
        special(a, x, subnormal)
    })
}

/// `log(1 + x)`; error below 1 ulp.
///
/// `u = 1 + x` is rounded with the exact error `c`, and `u = 2^k m`; then `f = (m - 1) + 2^-k c`,
/// which for `k = 0` is `x` itself.
#[inline]
pub fn log1p<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let u = plus(a, x, 1.0);
    let x_seen = plus(a, u, -1.0);
    let one_seen = a.sub(u, x_seen);
    let one_error = plus(a, one_seen, -1.0);
    let x_error = a.sub(x, x_seen);
    let c = a.sub(x_error, one_error);
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
    let common = assemble(a, minus_k, f);
    let rare = outside(a, u, f64::MIN_POSITIVE, 1e300);
    a.rare(rare, common, |a| log(a, u))
}
