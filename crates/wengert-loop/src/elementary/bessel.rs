//! Modified Bessel functions of the first kind.
//!
//! `e^-x I(n, x)` for orders 0 and 1 is computed by polynomials (from `tools/coefficients.py`) in `x^2` up to 8
//! and in `1/x` beyond. The derivatives involve higher orders. `I(n, x) / x^n` is a smooth even function, and
//! its derivative is `x` times the next one. These are summed as a power series (DLMF 10.25.2), and integrated
//! for large `x` (DLMF 10.32.2). The derivatives of `e^-x I(0, x)` are moments under its integral.
use super::Double;
use super::exp::exp;
use super::gamma::lgamma_positive;
use super::log::of_normal;
use super::parts::{above, below, beyond, equals, fma_by, horner, plus, times, with_sign};
use super::pow::pow;
use super::quadrature::half_line;
use std::f64::consts::{FRAC_1_PI, LN_2};

/// `P` with `P(x^2) = I(0, x) (1 + d)`, `|d| < 2^-54.96` for `x <= 8`.
const NEAR_0: [f64; 17] = [
    1.0,
    0.25,
    0.015625000000000007,
    0.00043402777777777445,
    6.781684027778812e-06,
    6.781684027758202e-08,
    4.709502797312111e-10,
    2.4028075474081917e-12,
    9.385967122158306e-15,
    2.896902788810415e-17,
    7.242279005317181e-20,
    1.4962822964042478e-22,
    2.5987841051325663e-25,
    3.829411247002327e-28,
    5.0327117729737235e-31,
    4.601357767863732e-34,
    8.487698345602824e-37,
];

/// `Q` with `Q(1/x) / sqrt x = e^-x I(0, x) (1 + d)`, `|d| < 2^-53.67` for `x >= 8`.
const FAR_0: [f64; 24] = [
    0.3989422804014327,
    0.049867785050114875,
    0.028050629187314404,
    0.029219347421438797,
    0.04476056531150337,
    0.08704683347554451,
    0.6877224065669231,
    -41.168296192798095,
    2801.4724178724464,
    -141238.3263143012,
    5487958.733366844,
    -166513798.34046206,
    3983467524.2556686,
    -75559659766.83765,
    1138840956162.2056,
    -13621513911611.64,
    128662997288036.84,
    -951008898199223.8,
    5420564027588497.0,
    -2.3288087519524964e+16,
    7.274618764084626e+16,
    -1.555402915807975e+17,
    2.0301160570429462e+17,
    -1.2158799337567458e+17,
];

/// `P` with `x P(x^2) = I(1, x) (1 + d)`, `|d| < 2^-56.1` for `x <= 8`.
const NEAR_1: [f64; 17] = [
    0.5,
    0.0625,
    0.002604166666666667,
    5.425347222222213e-05,
    6.781684027778059e-07,
    5.651403356476159e-09,
    3.363930569400616e-11,
    1.5017547178772907e-13,
    5.214426141593576e-16,
    1.44845153192735e-18,
    3.291941257933586e-21,
    6.234584831530237e-24,
    9.994221689502959e-27,
    1.3687885297024527e-29,
    1.6696390898900487e-32,
    1.47105648860311e-35,
    2.4334892279361836e-38,
];

/// `Q` with `Q(1/x) / sqrt x = e^-x I(1, x) (1 + d)`, `|d| < 2^-51.81` for `x >= 8`.
const FAR_1: [f64; 24] = [
    0.39894228040143265,
    -0.14960335515047216,
    -0.046751048582460826,
    -0.04090710876437384,
    -0.05754429329194686,
    -0.10713689795305824,
    -0.7345589146269469,
    41.505285226702505,
    -2828.122567126933,
    142367.35983608698,
    -5522762.465483355,
    167244234.38625252,
    -3991796511.0241513,
    75513858650.60938,
    -1134538205849.9893,
    13519127075245.975,
    -127127573459745.27,
    934681441848553.6,
    -5293745832028180.0,
    2.256983983228127e+16,
    -6.984992240068681e+16,
    1.476479691974234e+17,
    -1.8996693072629142e+17,
    1.117012993141221e+17,
];

/// `log(pi) / 2`
const HALF_LOG_PI: f64 = 0.572_364_942_924_700_1;

/// The start of the polynomials in `1/x`.
const FAR: f64 = 8.0;

/// Returns `e^-x` times a polynomial in `x^2`, or a polynomial in `1/x` over the root of `x`.
#[inline(always)]
fn scaled<A: Double>(a: &mut A, x: A::F, near: &[f64], far: &[f64]) -> A::F {
    let is_far = above(a, x, FAR);
    let (one, eight) = (a.float(1.0), a.float(FAR));
    let small = a.select(is_far, eight, x);
    let large = a.select(is_far, x, eight);
    let z = a.mul(small, small);
    let p = horner(a, z, near);
    let minus = a.neg(small);
    let e = exp(a, minus);
    let p = a.mul(p, e);
    let w = a.div(one, large);
    let q = horner(a, w, far);
    let root = a.sqrt(w);
    let q = a.mul(q, root);
    a.select(is_far, q, p)
}

/// Returns `e^-|x| I(0, x)`; error below 4 ulp.
#[inline]
pub fn i0e<A: Double>(a: &mut A, x: A::F) -> A::F {
    let x = a.abs(x);
    scaled(a, x, &NEAR_0, &FAR_0)
}

/// Returns `e^-|x| I(1, x)`; error below 4 ulp.
#[inline]
pub fn i1e<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let y = scaled(a, size, &NEAR_1, &FAR_1);
    let product = a.mul(y, size);
    let is_far = above(a, size, FAR);
    let y = a.select(is_far, y, product);
    with_sign(a, y, x)
}

/// Checks the order `n`: returns `y`, or NaN where `n` is negative or not a number.
#[inline(always)]
fn of_order<A: Double>(a: &mut A, n: A::F, y: A::F) -> A::F {
    let nan = a.float(f64::NAN);
    let none = below(a, n, 0.0);
    let known = a.eq(n, n);
    let unknown = a.not(known);
    let none = a.or(none, unknown);
    a.select(none, nan, y)
}

/// The start of the integrals: the square of `e^-x` is negligible beside 1.
const INTEGRAL: f64 = 25.0;

/// Returns `I(n, x) / x^n` for the order nearest to `n`; relative error below 1e-13 for orders up to 20. NaN
/// for negative orders.
#[inline]
pub fn bessel_ratio<A: Double>(a: &mut A, n: A::F, x: A::F) -> A::F {
    let n = a.round(n);
    let x = a.abs(x);
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let z = a.mul(x, x);
    let z = times(a, z, 0.25);
    // The terms, relative to the first: z^k / (k! (n + 1) .. (n + k)).
    let [_, _, sum] = a.repeat(
        [zero, one, one],
        |a, [k, term, sum]| {
            let least = times(a, sum, 1e-17);
            let matters = a.lt(least, term);
            let bounded = below(a, k, 100.0);
            a.and(matters, bounded)
        },
        |a, [k, term, sum]| {
            let k = plus(a, k, 1.0);
            let other = a.add(k, n);
            let by = a.mul(k, other);
            let by = a.div(z, by);
            let term = a.mul(term, by);
            [k, term, a.add(sum, term)]
        },
    );
    // The first term is 1 / (2^n n!).
    let next = plus(a, n, 1.0);
    let factorial = lgamma_positive(a, next, |a, x| of_normal(a, x, 0.0));
    let powers = times(a, n, LN_2);
    let whole = a.add(factorial, powers);
    let minus = a.neg(whole);
    let first = exp(a, minus);
    let near = a.mul(first, sum);
    // For large x, sqrt(pi) 2^n gamma(n + 1/2) times the function is e^x times the integral of e^(-x s) (s (2 -
    // s))^(n - 1/2) from 0 to 2.
    let is_far = beyond(a, x, INTEGRAL);
    let y = a.rare(is_far, near, |a| {
        let scale = a.div(one, x);
        let power = plus(a, n, -0.5);
        let minus_x = a.neg(x);
        let sum = half_line(a, scale, |a, s| {
            let inside = below(a, s, 2.0);
            let s = a.select(inside, s, one);
            let minus = a.neg(s);
            let rest = plus(a, minus, 2.0);
            let both = a.mul(s, rest);
            let l = of_normal(a, both, 0.0);
            let e = a.mul(power, l);
            let e = a.fma(minus_x, s, e);
            let value = exp(a, e);
            a.select(inside, value, zero)
        });
        let half = plus(a, n, 0.5);
        let under = lgamma_positive(a, half, |a, x| of_normal(a, x, 0.0));
        let under = a.add(under, powers);
        let under = plus(a, under, HALF_LOG_PI);
        let under = a.neg(under);
        let under = exp(a, under);
        // The power of e is applied in halves, so that it overflows no earlier than the product.
        let root = times(a, x, 0.5);
        let root = exp(a, root);
        let y = a.mul(sum, under);
        let y = a.mul(y, root);
        a.mul(y, root)
    });
    let infinite = equals(a, x, f64::INFINITY);
    let infinity = a.float(f64::INFINITY);
    let y = a.select(infinite, infinity, y);
    of_order(a, n, y)
}

/// Returns the integral of `t^k e^(-|x| t) / (pi sqrt(t (2 - t)))` from 0 to 2, for the order nearest to `k`;
/// relative error below 1e-13 for orders up to 20. NaN for negative orders.
///
/// Order 0 is [`i0e`] (DLMF 10.32.1, with `t = 1 - cos`), and each next order is minus the derivative of the
/// previous one. Nothing cancels: near 0 it is `binom(2 k, k) / 2^k e^-2x` times a series of positive terms
/// (DLMF 13.4.1 with 13.2.39); for large `x` the integral is used.
#[inline]
pub fn bessel_moment<A: Double>(a: &mut A, k: A::F, x: A::F) -> A::F {
    let k = a.round(k);
    let x = a.abs(x);
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let is_far = above(a, x, INTEGRAL);
    let near = a.select(is_far, one, x);
    let z = a.add(near, near);
    let [_, _, sum] = a.repeat(
        [zero, one, one],
        |a, [m, term, sum]| {
            let least = times(a, sum, 1e-17);
            let matters = a.lt(least, term);
            let bounded = below(a, m, 200.0);
            a.and(matters, bounded)
        },
        |a, [m, term, sum]| {
            let half = plus(a, m, 0.5);
            let up = a.mul(z, half);
            let m = plus(a, m, 1.0);
            let other = a.add(k, m);
            let down = a.mul(m, other);
            let by = a.div(up, down);
            let term = a.mul(term, by);
            [m, term, a.add(sum, term)]
        },
    );
    // The first factor is 2^k gamma(k + 1/2) / (sqrt(pi) k!).
    let half = plus(a, k, 0.5);
    let up = lgamma_positive(a, half, |a, x| of_normal(a, x, 0.0));
    let next = plus(a, k, 1.0);
    let down = lgamma_positive(a, next, |a, x| of_normal(a, x, 0.0));
    let first = a.sub(up, down);
    let first = fma_by(a, k, LN_2, first);
    let first = plus(a, first, -HALF_LOG_PI);
    let first = exp(a, first);
    let minus = a.neg(z);
    let fall = exp(a, minus);
    let common = a.mul(sum, fall);
    let common = a.mul(common, first);
    // With s = x t: x^(-k - 1/2) times the integral of s^k e^-s / (pi sqrt(s (2 - s / x))).
    let y = a.rare(is_far, common, |a| {
        let sum = half_line(a, one, |a, s| {
            let t = a.div(s, x);
            let inside = below(a, t, 2.0);
            let minus = a.neg(t);
            let rest = plus(a, minus, 2.0);
            let under = a.mul(s, rest);
            let under = a.select(inside, under, one);
            let root = a.sqrt(under);
            let l = of_normal(a, s, 0.0);
            let minus = a.neg(s);
            let e = a.fma(k, l, minus);
            let value = exp(a, e);
            let value = a.div(value, root);
            a.select(inside, value, zero)
        });
        let minus_k = a.neg(k);
        let power = pow(a, x, minus_k);
        let root = a.sqrt(x);
        let power = a.div(power, root);
        let sum = times(a, sum, FRAC_1_PI);
        a.mul(sum, power)
    });
    let known = a.eq(x, x);
    let nan = a.float(f64::NAN);
    let y = a.select(known, y, nan);
    of_order(a, k, y)
}
