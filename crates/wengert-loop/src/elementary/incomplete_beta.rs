//! The beta function and the incomplete one.
//!
//! For `x` up to the mean `a / (a + b)` the incomplete function is `w J` with `w = x^a (1 - x)^(b - 1) / B(a,
//! b)` and `J` the integral over `u > 0` of `e^(-a u) (1 + r (1 - e^-u))^(b - 1)`, `r = x / (1 - x)` (from
//! `t^(a-1) (1 - t)^(b-1)` by the substitution `t = x e^-u`); beyond, it is `1 - I(b, a, 1 - x)`. Powers of
//! `log(x / t)` and of `log((1 - t) / (1 - x))` under the integral give the derivatives by `a` and `b`, of any
//! order.
use super::Double;
use super::exp::exp;
use super::expm1;
use super::gamma::{FAR, HALF_LOG_2_PI, lgamma_positive, stirling};
use super::incomplete_gamma::log_rest;
use super::log::{log, log1p, of_normal};
use super::parts::{above, below, equals, from, plus, times};
use super::polygamma::{FACTORIALS, factorial_index, where_tabled};
use super::quadrature::half_line;
use std::f64::consts::FRAC_1_PI;

/// Returns `log B(a, b)`; the error is that of its largest term, near 1 ulp of `lgamma(min(a, b))`, also where
/// the other argument is large. NaN for negative arguments.
#[inline]
pub fn betaln<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let swap = a.lt(y, x);
    let p = a.select(swap, y, x);
    let q = a.select(swap, x, y);
    let sum = a.add(p, q);
    // lgamma q - lgamma(p + q); for large q by Stirling's formula, whose large terms cancel.
    let six = a.float(FAR);
    let far = a.le(six, q);
    let q_far = a.select(far, q, six);
    let ratio = a.div(p, q_far);
    let growth = log1p(a, ratio);
    let whole = a.add(p, q_far);
    let rest = stirling(a, q_far);
    let rest_of_sum = stirling(a, whole);
    let rest = a.sub(rest, rest_of_sum);
    let less = from(a, 0.5, q_far);
    let rest = a.fma(less, growth, rest);
    // Plus lgamma p, by the same formula if p is large.
    let both = a.le(six, p);
    let p_far = a.select(both, p, six);
    let own = stirling(a, p_far);
    let share = a.div(p_far, whole);
    let share = log(a, share);
    let l = log(a, p_far);
    let half = times(a, l, -0.5);
    let large = a.fma(p_far, share, half);
    let large = plus(a, large, HALF_LOG_2_PI);
    let large = a.add(large, own);
    let large = a.add(large, rest);
    let one = a.float(1.0);
    let p_near = a.select(both, one, p);
    let mixed = a.not(both);
    let y = a.rare(mixed, large, |a| {
        let g = lgamma_positive(a, p_near, |a, x| log(a, x));
        let l = log(a, whole);
        let l = plus(a, l, -1.0);
        let minus_p = a.neg(p_near);
        let joint = a.fma(minus_p, l, rest);
        let joint = a.add(joint, g);
        let near = a.not(far);
        a.rare(near, joint, |a| {
            let g_q = lgamma_positive(a, q, |a, x| log(a, x));
            let g_sum = lgamma_positive(a, sum, |a, x| log(a, x));
            let other = a.sub(g_q, g_sum);
            a.add(g, other)
        })
    });
    let infinity = a.float(f64::INFINITY);
    let none = equals(a, p, 0.0);
    let y = a.select(none, infinity, y);
    let nan = a.float(f64::NAN);
    let zero = a.float(0.0);
    let inside = a.le(zero, p);
    a.select(inside, y, nan)
}

/// Returns `x^(p - i) (1 - x)^(q - j) / B(p, q)` for `i` and `j` of 0 or 1.
#[inline(always)]
fn weight<A: Double>(a: &mut A, p: A::F, q: A::F, x: A::F, [i, j]: [A::F; 2]) -> A::F {
    let y = from(a, 1.0, x);
    // For large p and q a product of small factors, as in the density of the gamma distribution: with x = (1 +
    // m) p / (p + q) and y = (1 + n) q / (p + q), where p m + q n = 0.
    let swap = a.lt(q, p);
    let least = a.select(swap, q, p);
    let small = below(a, least, FAR);
    let (zero, one, six) = (a.float(0.0), a.float(1.0), a.float(FAR));
    let large_p = a.select(small, six, p);
    let large_q = a.select(small, six, q);
    let cross = a.mul(y, large_p);
    let minus = a.neg(cross);
    let error = a.fma(y, large_p, minus);
    let off = a.fma(x, large_q, minus);
    let off = a.sub(off, error);
    let m = a.div(off, large_p);
    let n = a.div(off, large_q);
    let n = a.neg(n);
    let sum = a.add(large_p, large_q);
    let (of_x, of_y) = (a.div(sum, large_p), a.div(sum, large_q));
    let (of_x, of_y) = (a.mul(x, of_x), a.mul(y, of_y));
    let m = log_rest(a, m, of_x);
    let n = log_rest(a, n, of_y);
    let e = a.mul(large_p, m);
    let e = a.fma(large_q, n, e);
    let of_sum = stirling(a, sum);
    let of_p = stirling(a, large_p);
    let of_q = stirling(a, large_q);
    let e = a.add(e, of_sum);
    let e = a.sub(e, of_p);
    let e = a.sub(e, of_q);
    let value = exp(a, e);
    let ratio = a.div(large_q, sum);
    let turn = a.mul(large_p, ratio);
    let turn = times(a, turn, 0.5 * FRAC_1_PI);
    let root = a.sqrt(turn);
    let mut value = a.mul(value, root);
    // At the ends it is 0.
    for (at, times) in [(x, i), (y, j)] {
        let wanted = a.lt(zero, times);
        let inside = a.lt(zero, at);
        let wanted = a.and(wanted, inside);
        let by = a.select(wanted, at, one);
        value = a.div(value, by);
    }
    a.rare(small, value, |a| {
        let minus_x = a.neg(x);
        let (log_x, log_y) = (log(a, x), log1p(a, minus_x));
        let mut e = betaln(a, p, q);
        e = a.neg(e);
        for (log, exponent, less) in [(log_x, p, i), (log_y, q, j)] {
            let power = a.sub(exponent, less);
            let part = a.mul(power, log);
            // 0^0
            let flat = a.eq(power, zero);
            let part = a.select(flat, zero, part);
            e = a.add(e, part);
        }
        exp(a, e)
    })
}

/// Returns whether `p` and `q` are positive and `x` is in 0..1.
#[inline(always)]
fn inside<A: Double>(a: &mut A, p: A::F, q: A::F, x: A::F) -> A::M {
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let parts = [a.lt(zero, p), a.lt(zero, q), a.le(zero, x), a.le(x, one)];
    let first = a.and(parts[0], parts[1]);
    let second = a.and(parts[2], parts[3]);
    a.and(first, second)
}

/// Returns `x^(p - 1) (1 - x)^(q - 1) / B(p, q)`, the density of the beta distribution: the derivative of
/// `betainc` by `x`. NaN where `p` or `q` is not positive or `x` is outside 0..1.
#[inline]
pub fn beta_density<A: Double>(a: &mut A, p: A::F, q: A::F, x: A::F) -> A::F {
    let one = a.float(1.0);
    let value = weight(a, p, q, x, [one, one]);
    let inside = inside(a, p, q, x);
    let nan = a.float(f64::NAN);
    a.select(inside, value, nan)
}

/// Returns the integral in the module's documentation, with the i-th power of `log(x / t)` and the j-th of
/// `log((1 - t) / (1 - x))`, given `r = x / (1 - x)`. NaN where `i` is not in 0..170.
#[inline]
pub fn beta_moment<A: Double>(a: &mut A, i: A::F, j: A::F, p: A::F, q: A::F, r: A::F) -> A::F {
    let (i, j) = (a.round(i), a.round(j));
    let first = above(a, i, 0.0);
    let second = above(a, j, 0.0);
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let power = plus(a, q, -1.0);

    // The width of the integrand: from its slope at 0, or the root of its curvature. A negative power makes it
    // fall faster at first, but only as a power of u, which is harmless.
    let slow = below(a, p, 1.0);
    let level = a.select(slow, one, p);
    let minus_r = a.neg(r);
    let grows = above(a, power, 0.0);
    let growth = a.select(grows, power, zero);
    let fall = a.fma(minus_r, growth, level);
    let falls = above(a, fall, 0.0);
    let fall = a.select(falls, fall, zero);
    let squares = a.fma(r, r, r);
    let bend = a.mul(growth, squares);
    let bends = a.lt(level, bend);
    let bend = a.select(bends, bend, level);
    let root = a.sqrt(bend);
    let width = a.add(fall, root);
    let half = a.float(0.5);
    let scale = a.div(half, width);

    // For small p the integrand falls slowly, as e^(-p u). Its limit is subtracted, whose integral is known.
    let limit_log = log1p(a, r);
    let limit = a.mul(power, limit_log);
    let limit_log_log = a.rare(second, zero, |a| {
        let l = log(a, limit_log);
        a.mul(j, l)
    });
    let limit = a.add(limit, limit_log_log);
    let minus_p = a.neg(p);
    let sum = half_line(a, scale, |a, u| {
        let back = a.neg(u);
        let back = expm1(a, back);
        let part = a.mul(minus_r, back);
        let inner = log1p(a, part);
        let straight = a.mul(minus_p, u);
        let e = a.fma(power, inner, straight);
        let extra = a.rare(second, zero, |a| {
            let l = log(a, inner);
            a.mul(j, l)
        });
        let e = a.add(e, extra);
        let value = exp(a, e);
        let value = a.rare(slow, value, |a| {
            let limit = a.add(straight, limit);
            let limit = exp(a, limit);
            a.sub(value, limit)
        });
        a.rare(first, value, |a| {
            let l = log(a, u);
            let e = a.mul(i, l);
            let power = exp(a, e);
            a.mul(value, power)
        })
    });
    let y = a.rare(slow, sum, |a| {
        // i! / p^(i + 1), times the limit
        let index = factorial_index(a, i);
        let factorial = a.table(&FACTORIALS, index);
        let g = of_normal(a, factorial, 0.0);
        let l = log(a, p);
        let n = plus(a, i, 1.0);
        let n = a.neg(n);
        let e = a.fma(n, l, g);
        let e = a.add(e, limit);
        let limit = exp(a, e);
        a.add(sum, limit)
    });
    where_tabled(a, i, y)
}

/// Returns the regularised incomplete beta function; relative error below 1e-11 for `p` and `q` in 0.01..1e3.
/// NaN where `p` or `q` is not positive or `x` is outside 0..1.
#[inline]
pub fn betainc<A: Double>(a: &mut A, p: A::F, q: A::F, x: A::F) -> A::F {
    let y = from(a, 1.0, x);
    let sum = a.add(p, q);
    let mean = a.div(p, sum);
    let swap = a.lt(mean, x);
    let near = a.select(swap, y, x);
    let away = a.select(swap, x, y);
    let first = a.select(swap, q, p);
    let second = a.select(swap, p, q);
    let r = a.div(near, away);
    let (zero, one) = (a.float(0.0), a.float(1.0));
    let moment = beta_moment(a, zero, zero, first, second, r);
    let (i, j) = (a.select(swap, one, zero), a.select(swap, zero, one));
    let w = weight(a, p, q, x, [i, j]);
    let value = a.mul(w, moment);
    let none = equals(a, near, 0.0);
    let value = a.select(none, zero, value);
    let other = from(a, 1.0, value);
    let value = a.select(swap, other, value);
    let inside = inside(a, p, q, x);
    let nan = a.float(f64::NAN);
    a.select(inside, value, nan)
}
