//! `sin`, `cos` and `tan`.
//!
//! `x = n pi/2 + r`, `|r| <= pi/4`, with `pi/2` in four pieces. The first difference is exact because the first piece
//! ends in two zero bits and it is one `fma` (Boldo, Daumas and Li, Formally verified argument reduction with a fused
//! multiply-add, 2009), the next two products because their pieces have 12 bits; what the other differences lose is
//! the second float of `r`. From [`LIMIT`] on the reduction is that of Payne and Hanek (Radian reduction for
//! trigonometric functions, 1983), in floats.
use super::Single;
use super::parts::{
    MAGIC_SINGLE as MAGIC, beyond, fast_two_sum, fma_by, horner, plus, times, to_sign, two_product,
    two_sum, with_sign,
};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// The first 22 bits of `pi/2`, the next 12, 12 more, and the next 24.
const HALF_PI: [f64; 4] = [
    1.570_796_012_878_418,
    3.138_557e-7,
    6.076_561_5e-11,
    5.390_303e-15,
];

/// The magnitude from which the reduction in pieces is not used.
const LIMIT: f64 = 6000.0;

/// `S` with `r + r^3 S(r^2) = sin r (1 + d)`, `|d| < 2^-27.9` for `|r| <= pi/4`.
const S: [f64; 3] = [-0.166_666_55, 0.008_332_188, -0.000_195_180_98];

/// `C` with `1 - r^2/2 + r^4 C(r^2) = cos r (1 + d)`, `|d| < 2^-32.9` for `|r| <= pi/4`.
const C: [f64; 3] = [0.041_666_646, -0.001_388_731, 2.443_236_7e-5];

/// `T` with `r + r^3 T(r^2) = tan r (1 + d)`, `|d| < 2^-29.1` for `|r| <= pi/4`.
const T: [f64; 7] = [
    0.333_333_5,
    0.133_326_75,
    0.054_059_323,
    0.021_281_878,
    0.010_843_139,
    7.438_451e-5,
    0.004_385_75,
];

/// An angle: `r + low` plus as many quarter turns as the last two bits of `quarters` say, `|r| <= pi/4`.
struct Angle<F, I> {
    r: F,
    low: F,
    quarters: I,
}

/// Reduces `x` below [`LIMIT`]. All differences preserve `-0`.
#[inline(always)]
fn reduce<A: Single>(a: &mut A, x: A::F) -> Angle<A::F, A::I> {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, FRAC_2_PI, magic);
    let n = plus(a, magic, -MAGIC);
    let first = fma_by(a, n, -HALF_PI[0], x);
    let product = times(a, n, HALF_PI[1]);
    let second = a.sub(first, product);
    let lost = a.sub(first, second);
    let lost = a.sub(lost, product);
    let product = times(a, n, HALF_PI[2]);
    let r = a.sub(second, product);
    let low = a.sub(second, r);
    let low = a.sub(low, product);
    let low = a.add(low, lost);
    let low = fma_by(a, n, -HALF_PI[3], low);
    let quarters = a.bits(magic);
    Angle { r, low, quarters }
}

/// Returns the sine of an angle.
#[inline(always)]
fn sine<A: Single>(a: &mut A, Angle { r, low, quarters }: Angle<A::F, A::I>) -> A::F {
    let z = a.mul(r, r);
    let s = horner(a, z, &S);
    let v = a.mul(s, z);
    let rest = a.fma(v, r, low);
    let sine = a.add(r, rest);
    // The sum loses the sign of -0.
    let sine = with_sign(a, sine, r);

    let c = horner(a, z, &C);
    let one = a.float(1.0);
    let high = fma_by(a, z, -0.5, one);
    let lost = a.sub(one, high);
    let lost = fma_by(a, z, -0.5, lost);
    let square = a.mul(z, z);
    let rest = a.fma(c, square, lost);
    let minus_r = a.neg(r);
    let rest = a.fma(minus_r, low, rest);
    let cosine = a.add(high, rest);

    let odd = is_odd(a, quarters);
    let y = a.select(odd, cosine, sine);
    let half = a.int_ushr(quarters, 1);
    let flip = to_sign(a, half);
    let bits = a.bits(y);
    let bits = a.int_xor(bits, flip);
    a.from_bits(bits)
}

#[inline(always)]
fn is_odd<A: Single>(a: &mut A, n: A::I) -> A::M {
    let last = to_sign(a, n);
    let zero = a.int(0);
    a.int_lt(last, zero)
}

/// Returns the sine.
#[inline(always)]
pub fn sin<A: Single>(a: &mut A, x: A::F) -> A::F {
    let angle = reduce(a, x);
    let common = sine(a, angle);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let angle = reduce_huge(a, x);
        sine(a, angle)
    })
}

/// Returns the cosine.
#[inline(always)]
pub fn cos<A: Single>(a: &mut A, x: A::F) -> A::F {
    let one = a.int(1);
    let mut angle = reduce(a, x);
    angle.quarters = a.int_add(angle.quarters, one);
    let common = sine(a, angle);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let one = a.int(1);
        let mut angle = reduce_huge(a, x);
        angle.quarters = a.int_add(angle.quarters, one);
        sine(a, angle)
    })
}

/// Returns the tangent of an angle: that of `r + low`, or minus its reciprocal.
#[inline(always)]
fn tangent<A: Single>(a: &mut A, Angle { r, low, quarters }: Angle<A::F, A::I>) -> A::F {
    let z = a.mul(r, r);
    let minus_z = a.neg(z);
    let z_low = a.fma(r, r, minus_z);
    let t = horner(a, z, &T);
    let v = a.mul(t, z_low);
    let v = a.fma(t, z, v);
    let high = a.fma(v, r, r);
    let rest = a.sub(r, high);
    let rest = a.fma(v, r, rest);
    // The derivative is 1 + tan^2.
    let square = a.mul(high, high);
    let more = a.fma(square, low, low);
    let rest = a.add(rest, more);
    let direct = a.add(high, rest);
    let direct = with_sign(a, direct, r);
    // q = -1 / high, corrected by the residual 1 + q (high + rest).
    let minus = a.float(-1.0);
    let one = a.float(1.0);
    let q = a.div(minus, high);
    let left = a.fma(q, high, one);
    let left = a.fma(q, rest, left);
    let inverse = a.fma(q, left, q);
    let odd = is_odd(a, quarters);
    a.select(odd, inverse, direct)
}

/// Returns the tangent.
#[inline(always)]
pub fn tan<A: Single>(a: &mut A, x: A::F) -> A::F {
    let angle = reduce(a, x);
    let common = tangent(a, angle);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let angle = reduce_huge(a, x);
        tangent(a, angle)
    })
}

/// Returns the integer nearest to `x`, up to a multiple of 4, and the remainder, at most a half; exact.
#[inline(always)]
fn nearest<A: Single>(a: &mut A, x: A::F) -> (A::F, A::F) {
    let quarter = times(a, x, 0.25);
    let n = a.round(quarter);
    let x = fma_by(a, n, -4.0, x);
    let n = a.round(x);
    let rest = a.sub(x, n);
    (n, rest)
}

/// Reduces `x` from 1 on, and gives NaN where it is not finite.
///
/// For `2^(16 j) <= |x| < 2^(16 j + 16)` let `X = 2^(-16 j) x`, a multiple of `2^-23`. Then `x 2/pi = X (2^(16 j)
/// 2/pi)`, and only the quadrant matters, so multiples of `2^25` can be dropped from the second factor. The rest is a
/// row of the table, the sum of an integer, a multiple of `2^-24`, one of `2^-48`, and a remainder, together within
/// `2^-73`. So the product is known to `2^-57`, and no `f32` lies within `2^-30` of a multiple of `pi/2` in these
/// units.
#[inline(always)]
fn reduce_huge<A: Single>(a: &mut A, x: A::F) -> Angle<A::F, A::I> {
    let bits = a.bits(x);
    let shifted = a.int_shl(bits, 1);
    let exponent = a.int_ushr(shifted, 24);
    let bias = a.int(-127);
    let exponent = a.int_add(exponent, bias);
    let row = a.int_ushr(exponent, 4);
    let down = a.int_shl(row, 27);
    let bits = a.int_sub(bits, down);
    let scaled = a.from_bits(bits);
    let mut column = a.int_shl(row, 2);
    let one = a.int(1);
    let mut products = [(scaled, scaled); 4];
    for product in &mut products {
        let piece = a.table(&TWO_OVER_PI, column);
        *product = two_product(a, scaled, piece);
        column = a.int_add(column, one);
    }
    let [(h0, l0), (h1, l1), (h2, l2), (h3, _)] = products;
    // The first two are multiples of 2^-23, and so is the sum of their remainders, which is exact.
    let (n0, f0) = nearest(a, h0);
    let (n1, f1) = nearest(a, l0);
    let (n2, f2) = nearest(a, h1);
    let n = a.add(n0, n1);
    let n = a.add(n, n2);
    let f = a.add(f0, f1);
    // Everything that may cancel is added without rounding.
    let (f, e0) = two_sum(a, f, f2);
    let more = a.round(f);
    let count = a.add(n, more);
    let f = a.sub(f, more);
    let (f, e1) = two_sum(a, f, l1);
    let (f, e2) = two_sum(a, f, h2);
    let (f, e3) = two_sum(a, f, e0);
    let tail = a.add(l2, h3);
    let tail = a.add(tail, e1);
    let tail = a.add(tail, e2);
    let tail = a.add(tail, e3);
    let (high, low) = two_sum(a, f, tail);
    // From quarter turns.
    let half_pi = a.float(FRAC_PI_2);
    let (r, error) = two_product(a, high, half_pi);
    let error = fma_by(a, high, -4.371_139e-8, error);
    let error = a.fma(low, half_pi, error);
    let (r, low) = fast_two_sum(a, r, error);
    let r = fma_by(a, x, 0.0, r);
    let count = plus(a, count, MAGIC);
    let quarters = a.bits(count);
    Angle { r, low, quarters }
}

/// Row `j` of four: `2^(16 j) 2/pi`, minus a multiple of `2^25`.
#[rustfmt::skip]
static TWO_OVER_PI: [f32; 32] = [
    0.0, 0.636_619_75, 2.568_255_3e-8, 2.937_095_5e-16,
    41722.0, -0.486_598_13, 1.585_173_2e-8, -5.337_836e-17,
    16352110.0, 0.305_726_35, 9.775_388e-9, 1.218_749_3e-15,
    -9548220.0, 0.082_671_88, 9.160_267e-9, -1.497_897_8e-16,
    4461866.0, -0.015_024_662, -1.072_002_6e-8, -4.752_677_5e-16,
    -14025689.0, 0.343_047_44, 1.230_887_75e-8, -5.081_339e-16,
    2578386.0, -0.042_162_06, -1.470_163e-8, -1.476_616_3e-15,
    -3017419.0, -0.133_776_01, 2.295_346_1e-8, 8.363_299e-16,
];
