//! `sin`, `cos` and `tan`.
//!
//! `sin x = (-1)^n sin r` with `x = n pi + r`, `|r| <= pi/2`; for `cos`, `n` is half an integer off. The
//! reduction subtracts `n` times `pi` in three pieces. The first difference is exact if the first piece ends in
//! two zero bits and the subtraction is one `fma` (Boldo, Daumas and Li, Formally verified argument reduction
//! with a fused multiply-add, 2009); the others are rounded once each, so `r` keeps its relative accuracy.
//! Beyond [`LIMIT`] see `huge.rs`.
use super::Double;
use super::huge;
use super::parts::{MAGIC, beyond, fma_by, horner, negate_if_odd, plus, two_product};
use std::f64::consts::{FRAC_1_PI, FRAC_2_PI};

/// The first 51 bits of pi (they end in three zeros here), the next 53, and the next. All are
/// positive, so that `0 - 0 pi` keeps the sign of the first 0.
const PI: [f64; 3] = [
    std::f64::consts::PI,
    1.224646799147353e-16,
    2.165713347843828e-32,
];

/// The magnitude from which the reduction in three pieces is not used.
pub(super) const LIMIT: f64 = 1_073_741_824.0;

/// `S` with `r + r^3 S(r^2) = sin r (1 + d)`, `|d| < 2^-60.4` for `|r| <= pi/2`.
const S: [f64; 8] = [
    -0.166_666_666_666_666_66,
    0.008_333_333_333_333_207,
    -0.000_198_412_698_412_107_36,
    2.755_731_921_093_633e-6,
    -2.505_210_681_824_569_8e-8,
    1.605_893_543_766_549_7e-10,
    -7.642_847_261_496_462e-13,
    2.719_364_959_926_386e-15,
];

/// `T` with `r + r^3 T(r^2) = tan r (1 + d)`, `|d| < 2^-58.7` for `|r| <= pi/4`.
const T: [f64; 15] = [
    0.333_333_333_333_333_8,
    0.133_333_333_333_252_73,
    0.053_968_253_972_959_956,
    0.021_869_488_397_419_735,
    0.008_863_237_957_322_625,
    0.003_592_100_479_795_753,
    0.001_456_048_616_327_185_8,
    0.000_588_848_347_738_884_8,
    0.000_243_811_657_422_897_02,
    8.339_892_189_887_284e-5,
    6.751_846_369_700_439e-5,
    -2.601_050_298_373_470_3e-5,
    4.894_788_918_189_687e-5,
    -2.442_546_872_535_614e-5,
    9.831_771_516_050_038e-6,
];

/// Returns `x - n pi`
#[inline(always)]
fn reduce<A: Double>(a: &mut A, x: A::F, n: A::F) -> A::F {
    let r = fma_by(a, n, -PI[0], x);
    let r = fma_by(a, n, -PI[1], r);
    fma_by(a, n, -PI[2], r)
}

/// Returns `(-1)^n sin r` for `|r| <= pi/2`, from `MAGIC + n`.
#[inline(always)]
pub(super) fn sine<A: Double>(a: &mut A, r: A::F, magic: A::F) -> A::F {
    let z = a.mul(r, r);
    let s = horner(a, z, &S[1..]);
    let s = a.mul(s, z);
    // The tiny addend is rounded away, except where z = 0: there it makes v positive, and so keeps the sign of
    // zero.
    let tiny = a.float(1e-300);
    let v = a.fma(s, z, tiny);
    // The leading term comes last, so that earlier rounding errors are small.
    let v = fma_by(a, z, S[0], v);
    let y = a.fma(v, r, r);
    negate_if_odd(a, y, magic)
}

/// Returns the sine; error below 1.5 ulp.
#[inline(always)]
pub fn sin<A: Double>(a: &mut A, x: A::F) -> A::F {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, FRAC_1_PI, magic);
    let n = plus(a, magic, -MAGIC);
    let r = reduce(a, x, n);
    let common = sine(a, r, magic);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| huge::sin(a, x, 0.0))
}

/// Returns the cosine; error below 1.6 ulp.
#[inline(always)]
pub fn cos<A: Double>(a: &mut A, x: A::F) -> A::F {
    // The integer next to x / pi + 1/2.
    let half = a.float(0.5);
    let turns = fma_by(a, x, FRAC_1_PI, half);
    let magic = plus(a, turns, MAGIC);
    let n = plus(a, magic, -MAGIC);
    let n = plus(a, n, -0.5);
    let r = reduce(a, x, n);
    let common = sine(a, r, magic);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| huge::sin(a, x, 1.0))
}

/// Returns `tan(r + r_low)` where the integer `n` of `MAGIC + n` is even, and `-1 / tan(r + r_low)` where it is
/// odd; `|r| <= pi/4`.
#[inline(always)]
pub(super) fn tangent<A: Double>(a: &mut A, r: A::F, r_low: A::F, magic: A::F) -> A::F {
    let z = a.mul(r, r);
    let t = horner(a, z, &T);
    let v = a.mul(t, z);
    let high = a.fma(v, r, r);
    let low = a.sub(r, high);
    let low = a.fma(v, r, low);
    let low = a.add(low, r_low);
    // q = -1 / high, corrected by the residual 1 + q (high + low).
    let minus = a.float(-1.0);
    let one = a.float(1.0);
    let q = a.div(minus, high);
    let left = a.fma(q, high, one);
    let left = a.fma(q, low, left);
    let inverse = a.fma(q, left, q);
    let n = a.bits(magic);
    let n = a.int_shl(n, 63);
    let zero = a.int(0);
    let odd = a.int_lt(n, zero);
    a.select(odd, inverse, high)
}

/// Returns `x - n pi/2` as a sum of two: like `reduce`, with the error of its second step. All differences
/// preserve `-0`.
#[inline(always)]
fn reduce_fine<A: Double>(a: &mut A, x: A::F, n: A::F) -> (A::F, A::F) {
    let first = fma_by(a, n, -PI[0] / 2.0, x);
    let piece = a.float(PI[1] / 2.0);
    let (product, error) = two_product(a, n, piece);
    let second = a.sub(first, product);
    let lost = a.sub(first, second);
    let lost = a.sub(lost, product);
    let rest = a.sub(error, lost);
    let rest = fma_by(a, n, PI[2] / 2.0, rest);
    let r = a.sub(second, rest);
    let low = a.sub(second, r);
    let low = a.sub(low, rest);
    (r, low)
}

/// Returns the tangent; error below 2 ulp. Reduced by `pi/2`.
#[inline(always)]
pub fn tan<A: Double>(a: &mut A, x: A::F) -> A::F {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, FRAC_2_PI, magic);
    let n = plus(a, magic, -MAGIC);
    let (r, r_low) = reduce_fine(a, x, n);
    let common = tangent(a, r, r_low, magic);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| huge::tan(a, x))
}
