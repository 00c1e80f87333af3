//! The logarithm of the gamma function and its first two derivatives, `digamma` and `trigamma`.
//!
//! For large `x` they use Stirling's series and its derivatives (DLMF 5.11), with the tail as a polynomial in
//! `1/x^2`. For smaller `x` the recurrence `gamma(x + 1) = x gamma(x)` leads to an interval around the zero,
//! where a polynomial is multiplied by the distance from the zero, so that no digit is lost. The intermediate
//! sums and products are collected under one logarithm, or one fraction. Below 0 they use reflection (DLMF
//! 5.5). The polynomials are from `tools/coefficients.py`.
use super::Double;
use super::log::{log, of_normal};
use super::parts::{above, below, equals, from, horner, outside, plus, times};
use std::f64::consts::PI;

/// `P` with `e P(e) = lgamma(2 + e) (1 + d)`, `|d| < 2^-55.55` for `|e| <= 1/2`.
const LGAMMA: [f64; 21] = [
    0.42278433509846713,
    0.3224670334241132,
    -0.06735230105319809,
    0.02058080842778463,
    -0.007385551028674025,
    0.0028905103307344045,
    -0.0011927539116998527,
    0.0005096695250241955,
    -0.00022315475858818615,
    9.94575066878814e-05,
    -4.4926233820610826e-05,
    2.0507291996563825e-05,
    -9.439526202058818e-06,
    4.374223481082048e-06,
    -2.0389077825677104e-06,
    9.584207048594987e-07,
    -4.508168225446838e-07,
    2.0193835401136915e-07,
    -9.558178101635195e-08,
    6.472569840064724e-08,
    -3.085985478390577e-08,
];

/// `S` with `lgamma x - (x - 1/2) log x + x - log(2 pi) / 2 = S(1/x^2) / x (1 + d)`, `|d| < 2^-54.0` for
/// `x >= 6.5`.
const STIRLING: [f64; 9] = [
    0.08333333333333333,
    -0.0027777777777777063,
    0.000793650793569783,
    -0.0005952380596898419,
    0.0008417429704122439,
    -0.0019165370151110915,
    0.006335736391005143,
    -0.02615633806980357,
    0.08831258839702742,
];

/// `P` with `(x - x0) P(x - 3/2) = digamma x (1 + d)` for its zero `x0`, `|d| < 2^-54.2` for
/// `1 <= x <= 2`.
const DIGAMMA: [f64; 23] = [
    0.9510558760318328,
    -0.4236274212814606,
    0.24054248424078697,
    -0.14840492305388092,
    0.09498872445289039,
    -0.06192213327548831,
    0.040760833940846085,
    -0.026975796659787055,
    0.017907248317313294,
    -0.011908220105959716,
    0.007927021796868154,
    -0.005279937255532708,
    0.003518106563802472,
    -0.0023454947397380833,
    0.0015633696313653504,
    -0.0010364584817312839,
    0.0006909255761282986,
    -0.00048595039220036254,
    0.00032395945401345196,
    -0.00014480643368061614,
    9.653646261410062e-05,
    -0.0001782188548855923,
    0.00011881232908510335,
];

/// `A` with `log x - digamma x = 1/(2 x) + A(1/x^2) / x^2 (1 + d)`, `|d| < 2^-54.0` for `x >= 7`.
const DIGAMMA_FAR: [f64; 9] = [
    0.08333333333333333,
    -0.008333333333332905,
    0.0039682539676910876,
    -0.0041666663803217015,
    0.007575684089737476,
    -0.021082089323436328,
    0.08240021117356577,
    -0.3941260046151281,
    1.531125541180779,
];

/// `B` with `trigamma x = 1/x + 1/(2 x^2) + B(1/x^2) / x^3 (1 + d)`, `|d| < 2^-54.0` for `x >= 7`.
const TRIGAMMA_FAR: [f64; 10] = [
    0.16666666666666666,
    -0.03333333333333288,
    0.023809523808793736,
    -0.03333333287019985,
    0.0757574255504724,
    -0.25308530480407065,
    1.1633842594208286,
    -6.84991487025649,
    43.59552377561223,
    -194.3956627938198,
];

/// `S` with `sin(pi r) = pi r S(r^2) (1 + d)`, `|d| < 2^-56.23` for `|r| <= 1/2`.
const SINC: [f64; 10] = [
    1.0,
    -1.6449340668482264,
    0.8117424252833536,
    -0.19075182412208255,
    0.026147847817611935,
    -0.002346081034815316,
    0.0001484287872033628,
    -6.975840829271594e-06,
    2.5300985563133904e-07,
    -7.093125881622967e-09,
];

/// The zero of digamma, as a sum of two.
const ZERO: [f64; 2] = [1.4616321449683622, 9.549995429965697e-17];

/// `log(2 pi) / 2`
pub(super) const HALF_LOG_2_PI: f64 = 0.918_938_533_204_672_8;

/// The start of `stirling`.
pub(super) const FAR: f64 = 6.5;

/// The start of the series of digamma and trigamma.
const SERIES: f64 = 7.0;

/// Returns `sin(pi r) / pi` for `|r| <= 1/2`.
#[inline(always)]
fn sine<A: Double>(a: &mut A, r: A::F) -> A::F {
    let z = a.mul(r, r);
    let s = horner(a, z, &SINC);
    a.mul(r, s)
}

/// Returns the remainder of Stirling's formula for `lgamma x`, for `x >= 6.5`.
#[inline(always)]
pub(super) fn stirling<A: Double>(a: &mut A, x: A::F) -> A::F {
    let one = a.float(1.0);
    let w = a.div(one, x);
    let z = a.mul(w, w);
    let s = horner(a, z, &STIRLING);
    a.mul(w, s)
}

/// Returns `lgamma x` for a positive normal `x`, given a logarithm for such numbers.
#[inline(always)]
pub(super) fn lgamma_positive<A: Double>(
    a: &mut A,
    x: A::F,
    log: impl FnOnce(&mut A, A::F) -> A::F,
) -> A::F {
    // x = 2 + e after steps down, whose product is p ..
    let mut e = plus(a, x, -2.0);
    let mut p = a.float(1.0);
    for k in 1..=4 {
        let more = below(a, x, 1.5 + f64::from(k));
        let factor = plus(a, x, -f64::from(k));
        let product = a.mul(p, factor);
        p = a.select(more, p, product);
        let rest = plus(a, x, -f64::from(2 + k));
        e = a.select(more, e, rest);
    }
    // .. or a step or two up, whose logarithm is subtracted.
    let up = below(a, x, 1.5);
    let one_up = plus(a, x, -1.0);
    let twice = below(a, x, 0.5);
    let one_e = a.select(twice, x, one_up);
    let both = a.fma(x, x, x);
    let one_p = a.select(twice, both, x);
    e = a.select(up, one_e, e);
    p = a.select(up, one_p, p);
    let far = above(a, x, FAR);
    p = a.select(far, x, p);
    let l = log(a, p);
    let minus = a.neg(l);
    let signed = a.select(up, minus, l);
    let series = horner(a, e, &LGAMMA);
    let near = a.fma(e, series, signed);

    let rest = stirling(a, x);
    let rest = plus(a, rest, HALF_LOG_2_PI - 0.5);
    let less = plus(a, x, -0.5);
    let slope = plus(a, l, -1.0);
    let large = a.fma(less, slope, rest);
    a.select(far, large, near)
}

/// Returns the logarithm of the absolute value of the gamma function; error below 4 ulp for positive `x`. Below
/// 0 it has zeros next to its poles, near which the error is that of `lgamma(1 - x)`.
#[inline]
pub fn lgamma<A: Double>(a: &mut A, x: A::F) -> A::F {
    let common = lgamma_positive(a, x, |a, x| of_normal(a, x, 0.0));
    let rare = outside(a, x, f64::MIN_POSITIVE, f64::INFINITY);
    a.rare(rare, common, |a| {
        // -log |sin(pi x) / pi| - lgamma(1 - x): also for positive x that are not normal, where the second term
        // is negligible.
        let size = a.abs(x);
        let nearest = a.round(size);
        let r = a.sub(size, nearest);
        let r = a.abs(r);
        let s = sine(a, r);
        let l = log(a, s);
        let reflected = plus(a, size, 1.0);
        let other = lgamma_positive(a, reflected, |a, x| of_normal(a, x, 0.0));
        let sum = a.add(l, other);
        let y = a.neg(sum);
        let pole = equals(a, r, 0.0);
        let infinite = equals(a, size, f64::INFINITY);
        let pole = a.or(pole, infinite);
        let infinity = a.float(f64::INFINITY);
        a.select(pole, infinity, y)
    })
}

/// Returns `digamma x` for a positive normal `x`.
#[inline(always)]
fn digamma_positive<A: Double>(a: &mut A, x: A::F) -> A::F {
    // y is x, shifted to 1..2, and n / d the sum of the fractions of the shifts.
    let first = below(a, x, 1.0);
    let up = plus(a, x, 1.0);
    let mut y = a.select(first, up, x);
    let (none, one, minus_one) = (a.float(0.0), a.float(1.0), a.float(-1.0));
    let mut n = a.select(first, minus_one, none);
    let mut d = a.select(first, x, one);
    for k in 1..=5 {
        let enough = below(a, x, f64::from(k + 1));
        let t = plus(a, x, -f64::from(k));
        let sum = a.fma(n, t, d);
        n = a.select(enough, n, sum);
        let product = a.mul(d, t);
        d = a.select(enough, d, product);
        y = a.select(enough, y, t);
    }
    let far = above(a, x, SERIES);
    n = a.select(far, one, n);
    d = a.select(far, x, d);
    let q = a.div(n, d);

    let distance = plus(a, y, -ZERO[0]);
    let distance = plus(a, distance, -ZERO[1]);
    let t = plus(a, y, -1.5);
    let p = horner(a, t, &DIGAMMA);
    let near = a.fma(distance, p, q);

    let z = a.mul(q, q);
    let s = horner(a, z, &DIGAMMA_FAR);
    let half = a.float(0.5);
    let s = a.fma(q, s, half);
    let minus_q = a.neg(q);
    let l = of_normal(a, x, 0.0);
    let large = a.fma(minus_q, s, l);
    a.select(far, large, near)
}

/// Returns the derivative of `lgamma`; error below 4 ulp for positive `x`. Below 0 it has zeros, near which
/// the error is that of `digamma(1 - x)`. NaN at its poles, 0 and the negative integers.
#[inline]
pub fn digamma<A: Double>(a: &mut A, x: A::F) -> A::F {
    let common = digamma_positive(a, x);
    let rare = outside(a, x, f64::MIN_POSITIVE, f64::INFINITY);
    a.rare(rare, common, |a| {
        // digamma(1 - x) - pi cot(pi x), also for positive x that are not normal.
        let size = a.abs(x);
        let nearest = a.round(x);
        let r = a.sub(x, nearest);
        let s = sine(a, r);
        let away = a.abs(r);
        let away = from(a, 0.5, away);
        let c = sine(a, away);
        let c = times(a, c, PI);
        let cotangent = a.div(c, s);
        let reflected = plus(a, size, 1.0);
        let other = digamma_positive(a, reflected);
        let y = a.sub(other, cotangent);
        let nan = a.float(f64::NAN);
        let pole = equals(a, r, 0.0);
        let y = a.select(pole, nan, y);
        let infinite = equals(a, x, f64::INFINITY);
        a.select(infinite, x, y)
    })
}

/// Returns `trigamma x` for a positive `x`.
#[inline(always)]
fn trigamma_positive<A: Double>(a: &mut A, x: A::F) -> A::F {
    let (mut n, mut d, mut y) = (a.float(0.0), a.float(1.0), x);
    for k in 0..SERIES as i32 {
        let more = below(a, x, SERIES - f64::from(k));
        let t = plus(a, x, f64::from(k));
        let square = a.mul(t, t);
        let sum = a.fma(n, square, d);
        n = a.select(more, sum, n);
        let product = a.mul(d, square);
        d = a.select(more, product, d);
        let next = plus(a, x, f64::from(k + 1));
        y = a.select(more, next, y);
    }
    let one = a.float(1.0);
    let w = a.div(one, y);
    let z = a.mul(w, w);
    let s = horner(a, z, &TRIGAMMA_FAR);
    let half = a.float(0.5);
    let s = a.fma(w, s, half);
    let s = a.fma(w, s, one);
    let steps = a.div(n, d);
    a.fma(w, s, steps)
}

/// Returns the derivative of `digamma`; error below 5 ulp. Infinite at its poles, 0 and the negative
/// integers.
#[inline]
pub fn trigamma<A: Double>(a: &mut A, x: A::F) -> A::F {
    let common = trigamma_positive(a, x);
    let rare = below(a, x, 0.0);
    a.rare(rare, common, |a| {
        // (pi / sin(pi x))^2 - trigamma(1 - x)
        let nearest = a.round(x);
        let r = a.sub(x, nearest);
        let s = sine(a, r);
        let one = a.float(1.0);
        let cosecant = a.div(one, s);
        let reflected = from(a, 1.0, x);
        let other = trigamma_positive(a, reflected);
        let minus = a.neg(other);
        a.fma(cosecant, cosecant, minus)
    })
}
