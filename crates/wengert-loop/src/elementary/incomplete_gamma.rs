//! The incomplete gamma functions.
//!
//! With `w = x^s e^-x / gamma(s)` the lower one is `P = w N` and the upper one `Q = w U`, for
//!
//! - `N`, the integral of `e^(-s u + x (1 - e^-u))` (from `t^(s-1) e^-t` by the substitution `t = x e^-u`), and
//! - `U`, the integral of `(1 + u)^(s-1) e^(-x u)`, both over all `u > 0`.
//!
//! `N` is used up to `x = max(s, 1)` and `U` beyond: there the integrands are positive, near 1 at 0, and
//! decrease. Powers of `log(x / t)` under the integrals give the derivatives by `s`, of any order.
use super::Double;
use super::exp::exp;
use super::expm1;
use super::gamma::{FAR, lgamma_positive, stirling};
use super::log::{L, log, log1p, of_normal};
use super::parts::{above, below, equals, from, horner, outside, plus, times};
use super::polygamma::{FACTORIALS, factorial_index, where_tabled};
use super::quadrature::half_line;

/// Returns `log(1 + m) - m`, without cancellation, given `1 + m` too.
#[inline(always)]
pub(super) fn log_rest<A: Double>(a: &mut A, m: A::F, whole: A::F) -> A::F {
    // Near 0: with s = m / (2 + m), log(1 + m) = 2 atanh s and 2 s - m = -s m.
    let two_more = plus(a, m, 2.0);
    let s = a.div(m, two_more);
    let z = a.mul(s, s);
    let l = horner(a, z, &L);
    let cube = a.mul(z, s);
    let minus = a.neg(s);
    let first = a.mul(minus, m);
    let near = a.fma(cube, l, first);
    let far = outside(a, whole, 0.71, 1.41);
    a.rare(far, near, |a| {
        let l = log(a, whole);
        a.sub(l, m)
    })
}

/// Returns `x^(s - less) e^-x / gamma(s)` for `less` of 0 or 1, `s > 0` and `x >= 0`.
#[inline(always)]
fn weight<A: Double>(a: &mut A, s: A::F, x: A::F, less: f64) -> A::F {
    // From Stirling's formula, a product of small factors: e^(s (log(1 + m) - m)) with m = x/s - 1.
    let one = a.float(1.0);
    let small = below(a, s, FAR);
    let large = a.select(small, one, s);
    let m = a.sub(x, large);
    let m = a.div(m, large);
    let whole = a.div(x, large);
    let rest = log_rest(a, m, whole);
    let correction = stirling(a, large);
    let minus = a.neg(correction);
    let exponent = a.fma(large, rest, minus);
    let far = exp(a, exponent);
    let turn = times(a, large, std::f64::consts::FRAC_1_PI * 0.5);
    let root = a.sqrt(turn);
    let mut far = a.mul(far, root);
    let none = equals(a, x, 0.0);
    if less == 1.0 {
        let quotient = a.div(far, x);
        let zero = a.float(0.0);
        far = a.select(none, zero, quotient);
    }
    a.rare(small, far, |a| {
        let l = log(a, x);
        // 1 / gamma(s) = s / gamma(s + 1): for a small shape the logarithms of x and of gamma(s) would nearly
        // cancel.
        let zero = a.float(0.0);
        let below_half = below(a, s, 0.5);
        let positive = a.lt(zero, x);
        let tiny = a.and(below_half, positive);
        let next = plus(a, s, 1.0);
        let shape = a.select(tiny, next, s);
        let power = plus(a, s, -less);
        let power = a.select(tiny, s, power);
        let product = a.mul(power, l);
        // 0^0
        let flat = equals(a, power, 0.0);
        let product = a.select(flat, zero, product);
        let g = lgamma_positive(a, shape, |a, s| log(a, s));
        let e = a.sub(product, x);
        let e = a.sub(e, g);
        let y = exp(a, e);
        let by = match less == 1.0 {
            true => x,
            false => one,
        };
        let part = a.mul(y, s);
        let part = a.div(part, by);
        a.select(tiny, part, y)
    })
}

/// Orders of [`gamma_moment`] from this on are remainders of the lower integral.
pub const REST: f64 = 1000.0;

/// Returns the integrals in the module's documentation, with the k-th power of `log(x / t)` (upper: `log(t /
/// x)`).
///
/// `order` is `k` for the lower one and `-1 - k` for the upper one; derivatives raise `k`, so that the whole
/// family is closed under them. `REST + k` is the difference of the lower one from its limit for small `x`,
/// where small shapes make that large: the integral of `u^k e^(-s u) (1 - e^(-x e^-u))`. NaN for `k` beyond
/// 170.
#[inline]
pub fn gamma_moment<A: Double>(a: &mut A, order: A::F, s: A::F, x: A::F) -> A::F {
    let order = a.round(order);
    let upper = below(a, order, 0.0);
    let k = from(a, -1.0, order);
    let k = a.select(upper, k, order);
    let rest = above(a, k, REST - 0.5);
    let above_rest = plus(a, k, -REST);
    let k = a.select(rest, above_rest, k);
    let powers = above(a, k, 0.0);

    // The width of the integrand: from its slope at 0, or the root of its curvature.
    let one = a.float(1.0);
    let zero = a.float(0.0);
    let small = below(a, s, 1.0);
    let level = a.select(small, one, s);
    let fall = a.sub(level, x);
    let minus = a.neg(fall);
    let fall = a.select(upper, minus, fall);
    let falls = above(a, fall, 0.0);
    let fall = a.select(falls, fall, zero);
    let root = a.sqrt(level);
    let width = a.add(fall, root);
    let half = a.float(0.5);
    let scale = a.div(half, width);

    // For small s the lower integrand falls slowly, as e^(-s u). Its limit x^0 e^(x - s u) is subtracted, whose
    // integral is known.
    let other = a.or(upper, rest);
    let lower = a.not(other);
    let slow = a.and(small, lower);
    let power = plus(a, s, -1.0);
    let minus_s = a.neg(s);
    let minus_x = a.neg(x);
    let along = a.select(upper, minus_x, minus_s);
    let factor = a.select(upper, power, x);
    let sum = half_line(a, scale, |a, u| {
        let back = a.neg(u);
        let back = expm1(a, back);
        let back = a.neg(back);
        let inner = a.rare(upper, back, |a| log1p(a, u));
        let straight = a.mul(along, u);
        let e = a.fma(factor, inner, straight);
        let value = exp(a, e);
        let value = a.rare(slow, value, |a| {
            let limit = a.add(straight, x);
            let limit = exp(a, limit);
            a.sub(value, limit)
        });
        let value = a.rare(rest, value, |a| {
            let minus = a.neg(u);
            let t = exp(a, minus);
            let t = a.mul(minus_x, t);
            let share = expm1(a, t);
            let share = a.neg(share);
            let along = exp(a, straight);
            a.mul(share, along)
        });
        a.rare(powers, value, |a| {
            let base = a.select(upper, inner, u);
            let l = log(a, base);
            let e = a.mul(k, l);
            let power = exp(a, e);
            a.mul(value, power)
        })
    });
    let y = a.rare(slow, sum, |a| {
        // k! e^x / s^(k + 1)
        let index = factorial_index(a, k);
        let factorial = a.table(&FACTORIALS, index);
        let g = of_normal(a, factorial, 0.0);
        let l = log(a, s);
        let n = plus(a, k, 1.0);
        let n = a.neg(n);
        let e = a.fma(n, l, g);
        let e = a.add(e, x);
        let limit = exp(a, e);
        a.add(sum, limit)
    });
    where_tabled(a, k, y)
}

/// Returns `P` or `Q`.
#[inline(always)]
fn tail<A: Double>(a: &mut A, s: A::F, x: A::F, upper_wanted: bool) -> A::F {
    let (zero, one, minus_one) = (a.float(0.0), a.float(1.0), a.float(-1.0));
    let small = below(a, s, 1.0);
    let level = a.select(small, one, s);
    let lower = a.le(x, level);
    let order = a.select(lower, zero, minus_one);
    let moment = gamma_moment(a, order, s, x);
    let w = weight(a, s, x, 0.0);
    let y = a.mul(w, moment);
    let other = from(a, 1.0, y);
    let y = match upper_wanted {
        true => a.select(lower, other, y),
        false => a.select(lower, y, other),
    };
    // The ends.
    let (start, end) = match upper_wanted {
        true => (one, zero),
        false => (zero, one),
    };
    let at_zero = equals(a, x, 0.0);
    let y = a.select(at_zero, start, y);
    let infinite = equals(a, x, f64::INFINITY);
    let no_shape = equals(a, s, 0.0);
    let at_end = a.or(infinite, no_shape);
    let y = a.select(at_end, end, y);
    let both = a.and(at_zero, no_shape);
    let large = equals(a, s, f64::INFINITY);
    let y = a.select(large, start, y);
    let neither = a.and(infinite, large);
    let inside_x = a.le(zero, x);
    let inside_s = a.le(zero, s);
    let inside = a.and(inside_x, inside_s);
    let outside = a.not(inside);
    let undefined = a.or(both, neither);
    let undefined = a.or(undefined, outside);
    let nan = a.float(f64::NAN);
    a.select(undefined, nan, y)
}

/// Returns the regularised lower incomplete gamma function `P(s, x)`; relative error below 1e-12 for `s` up
/// to 1e4.
#[inline]
pub fn gammainc<A: Double>(a: &mut A, s: A::F, x: A::F) -> A::F {
    tail(a, s, x, false)
}

/// Returns the regularised upper incomplete gamma function `Q(s, x) = 1 - P(s, x)`; relative error below 1e-12
/// for `s` in 0.01..1e4.
#[inline]
pub fn gammaincc<A: Double>(a: &mut A, s: A::F, x: A::F) -> A::F {
    tail(a, s, x, true)
}

/// Returns `x^(s - 1) e^-x / gamma(s)`, the density of the gamma distribution: the derivative of `P` by `x`.
/// NaN for negative arguments.
#[inline]
pub fn gamma_density<A: Double>(a: &mut A, s: A::F, x: A::F) -> A::F {
    let y = weight(a, s, x, 1.0);
    let zero = a.float(0.0);
    let inside_x = a.le(zero, x);
    let inside_s = a.lt(zero, s);
    let inside = a.and(inside_x, inside_s);
    let infinite = equals(a, x, f64::INFINITY);
    let y = a.select(infinite, zero, y);
    let nan = a.float(f64::NAN);
    a.select(inside, y, nan)
}
