//! The derivatives of `(e^x - 1) / x` and of `log(1 + x) / x`, as integrals over `0..1` in which nothing
//! cancels.
use super::Double;
use super::exp::{exp, expm1};
use super::log::log1p;
use super::parts::{above, below, equals, from, plus, times};
use super::pow::pow;

/// Returns `value` where the order `n` is not negative, else NaN.
#[inline(always)]
fn of_order<A: Double>(a: &mut A, n: A::F, value: A::F) -> A::F {
    let zero = a.float(0.0);
    let order = a.le(zero, n);
    let nan = a.float(f64::NAN);
    a.select(order, value, nan)
}

/// Returns the integral of `t^n e^(x t)` from 0 to 1, for the order nearest to `n`; relative error below 1e-13
/// for orders up to 20. It uses series of positive terms (DLMF 13.2.2, and Kummer's transformation 13.2.39
/// below 0), and integration by parts for large `x`.
#[inline]
pub fn exprel_moment<A: Double>(a: &mut A, n: A::F, x: A::F) -> A::F {
    let n = a.round(n);
    let size = a.abs(x);
    let next = plus(a, n, 1.0);
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let negative = below(a, x, 0.0);
    let reach = plus(a, n, 10.0);
    let is_far = a.lt(reach, size);
    let z = a.select(is_far, zero, size);
    // For positive x the terms are z^k / k! / (n + 1 + k), for negative x z^k / ((n + 1) .. (n + 1 + k)).
    let [_, _, sum] = a.repeat(
        [zero, one, zero],
        |a, [k, term, sum]| {
            let least = times(a, sum, 1e-18);
            let matters = a.lt(least, term);
            let bounded = below(a, k, 300.0);
            a.and(matters, bounded)
        },
        |a, [k, term, sum]| {
            let under = a.add(next, k);
            let part = a.div(term, under);
            let sum = a.add(sum, part);
            let k = plus(a, k, 1.0);
            let by = a.select(negative, under, k);
            let by = a.div(z, by);
            [k, a.mul(term, by), sum]
        },
    );
    let e = exp(a, x);
    let left = a.mul(sum, e);
    let near = a.select(negative, left, sum);
    let y = a.rare(is_far, near, |a| {
        // m(k) = (e - k m(k-1)) / x, divided by e^x for positive x.
        let minus = a.neg(size);
        let small = exp(a, minus);
        let e = a.select(negative, small, one);
        let other = a.select(negative, one, small);
        let first = a.sub(e, other);
        let first = a.div(first, x);
        let [_, m] = a.repeat(
            [zero, first],
            |a, [k, _]| {
                let more = a.lt(k, n);
                let bounded = below(a, k, 300.0);
                a.and(more, bounded)
            },
            |a, [k, m]| {
                let k = plus(a, k, 1.0);
                let minus = a.neg(k);
                let m = a.fma(minus, m, e);
                [k, a.div(m, x)]
            },
        );
        // In two steps, because the power alone may overflow.
        let half = times(a, x, 0.5);
        let root = exp(a, half);
        let right = a.mul(m, root);
        let right = a.mul(right, root);
        let y = a.select(negative, m, right);
        let infinity = a.float(f64::INFINITY);
        let infinite = equals(a, x, f64::INFINITY);
        let y = a.select(infinite, infinity, y);
        let none = equals(a, x, f64::NEG_INFINITY);
        a.select(none, zero, y)
    });
    of_order(a, n, y)
}

/// Returns `(e^x - 1) / x`, and 1 at 0; error below 3 ulp.
#[inline]
pub fn exprel<A: Double>(a: &mut A, x: A::F) -> A::F {
    let e = expm1(a, x);
    let y = a.div(e, x);
    let zero = equals(a, x, 0.0);
    let one = a.float(1.0);
    let common = a.select(zero, one, y);
    let large = above(a, x, 700.0);
    a.rare(large, common, |a| {
        let end = a.float(1500.0);
        let beyond = a.lt(end, x);
        let x = a.select(beyond, end, x);
        let half = times(a, x, 0.5);
        let root = exp(a, half);
        let part = a.div(root, x);
        a.mul(part, root)
    })
}

/// Returns the integral of `t^n / (1 + x t)^(n+1)` from 0 to 1, for the order nearest to `n`; relative error
/// below 1e-13 for orders up to 10. With `v = x / (1 + x)` it is a series in `v`; where `v` is not small, it is
/// the logarithm minus the first terms of that series.
#[inline]
pub fn log1p_moment<A: Double>(a: &mut A, n: A::F, x: A::F) -> A::F {
    let n = a.round(n);
    let next = plus(a, n, 1.0);
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let whole = plus(a, x, 1.0);
    let v = a.div(x, whole);
    let size = a.abs(v);
    let small = below(a, size, 0.5);
    let w = a.select(small, v, zero);
    let [_, _, sum] = a.repeat(
        [zero, one, zero],
        |a, [k, term, _]| {
            let left = a.abs(term);
            let matters = above(a, left, 1e-18);
            let bounded = below(a, k, 80.0);
            a.and(matters, bounded)
        },
        |a, [k, term, sum]| {
            let under = a.add(next, k);
            let part = a.div(term, under);
            [plus(a, k, 1.0), a.mul(term, w), a.add(sum, part)]
        },
    );
    let inverse = a.div(one, whole);
    let power = pow(a, inverse, next);
    let near = a.mul(sum, power);
    let far = a.not(small);
    let y = a.rare(far, near, |a| {
        let l = log1p(a, x);
        let [_, _, rest] = a.repeat(
            [zero, one, l],
            |a, [k, _, _]| {
                let more = a.lt(k, n);
                let bounded = below(a, k, 300.0);
                a.and(more, bounded)
            },
            |a, [k, term, rest]| {
                let k = plus(a, k, 1.0);
                let term = a.mul(term, v);
                let part = a.div(term, k);
                [k, term, a.sub(rest, part)]
            },
        );
        // In two steps, because the power may be too large where the quotient is not too small.
        let half = times(a, next, 0.5);
        let half = plus(a, half, -0.25);
        let half = a.round(half);
        let other = a.sub(next, half);
        let (first, second) = (pow(a, x, half), pow(a, x, other));
        let y = a.div(rest, first);
        let y = a.div(y, second);
        // At the ends the integral is infinite, or zero.
        let infinity = a.float(f64::INFINITY);
        let pole = equals(a, x, -1.0);
        let y = a.select(pole, infinity, y);
        let end = equals(a, x, f64::INFINITY);
        a.select(end, zero, y)
    });
    of_order(a, n, y)
}

/// Returns `log(1 + x) / x`, and 1 at 0; error below 2 ulp.
#[inline]
pub fn log1p_over_x<A: Double>(a: &mut A, x: A::F) -> A::F {
    let l = log1p(a, x);
    let y = a.div(l, x);
    let zero = equals(a, x, 0.0);
    let one = a.float(1.0);
    let y = a.select(zero, one, y);
    let end = equals(a, x, f64::INFINITY);
    let none = a.float(0.0);
    a.select(end, none, y)
}

/// Returns `log(1 - e^-x)` for `x >= 0`; error below 3 ulp. It uses one formula at each end (Maechler,
/// Accurately computing log(1 - exp(-|a|)), 2012).
#[inline]
pub fn log1mexp<A: Double>(a: &mut A, x: A::F) -> A::F {
    let minus = a.neg(x);
    let e = exp(a, minus);
    let minus_e = a.neg(e);
    let far = log1p(a, minus_e);
    let near = below(a, x, std::f64::consts::LN_2);
    a.rare(near, far, |a| {
        let e = expm1(a, minus);
        let rest = a.neg(e);
        super::log::log(a, rest)
    })
}

/// Returns `log(e^x - 1)` for `x >= 0`; the error is of the size of that of `x`.
#[inline]
pub fn log_expm1<A: Double>(a: &mut A, x: A::F) -> A::F {
    let minus = a.neg(x);
    let e = exp(a, minus);
    let rest = a.neg(e);
    let far = log1p(a, rest);
    let far = a.add(x, far);
    let near = below(a, x, 1.0);
    a.rare(near, far, |a| {
        let e = expm1(a, x);
        super::log::log(a, e)
    })
}

/// Returns `1 / (e^x - 1)`; error below 2 ulp.
#[inline]
pub fn recip_expm1<A: Double>(a: &mut A, x: A::F) -> A::F {
    let e = expm1(a, x);
    let one = a.float(1.0);
    let common = a.div(one, e);
    // Where e^x overflows.
    let large = above(a, x, 700.0);
    a.rare(large, common, |a| {
        let minus = from(a, 0.0, x);
        exp(a, minus)
    })
}
