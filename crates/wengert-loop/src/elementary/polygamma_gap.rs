//! Differences of `digamma` and its derivatives, without cancellation.
//!
//! They are `n! (zeta(n + 1, x) - zeta(n + 1, x + b))` with the Hurwitz zeta function. In its sum and the
//! Euler-Maclaurin formula for the rest (DLMF 25.11.5), each power `x^-r` is replaced by `x^-r - (x + b)^-r`,
//! computed as `x^-r (1 - e^(-r log(1 + b/x)))`.
use super::Double;
use super::expm1;
use super::log::log1p;
use super::parts::{MAGIC, below, equals, plus, times};
use super::polygamma::{BERNOULLI, FACTORIALS, factorial_index, where_tabled};
use super::pow::pow;

/// Returns `1 - e^(-r l)`
#[inline(always)]
fn fall<A: Double>(a: &mut A, r: A::F, l: A::F) -> A::F {
    let e = a.mul(r, l);
    let e = a.neg(e);
    let e = expm1(a, e);
    a.neg(e)
}

/// Returns `log(1 + b/x)`
#[inline(always)]
fn step<A: Double>(a: &mut A, x: A::F, b: A::F) -> A::F {
    let share = a.div(b, x);
    log1p(a, share)
}

/// Returns the absolute difference between the derivatives of `digamma` of the order nearest to `n` at `x + b`
/// and at `x`; relative error below 1e-14 for orders up to 20. NaN where `x` is not positive or `b` is
/// negative, and for orders outside 0..170.
#[inline]
pub fn polygamma_gap<A: Double>(a: &mut A, n: A::F, x: A::F, b: A::F) -> A::F {
    let n = a.round(n);
    let s = plus(a, n, 1.0);
    let enough = plus(a, s, 10.0);
    let minus_s = a.neg(s);
    let zero = a.float(0.0);
    let [k, sum] = a.repeat(
        [zero, zero],
        |a, [k, _]| {
            let at = a.add(x, k);
            let near = a.lt(at, enough);
            let bounded = below(a, k, 200.0);
            a.and(near, bounded)
        },
        |a, [k, sum]| {
            let at = a.add(x, k);
            let l = step(a, at, b);
            let share = fall(a, s, l);
            let power = pow(a, at, minus_s);
            [plus(a, k, 1.0), a.fma(power, share, sum)]
        },
    );
    let at = a.add(x, k);
    let one = a.float(1.0);
    let l = step(a, at, b);
    let w = a.div(one, at);
    // The integral: the logarithm, where the order is 0.
    let flat = equals(a, n, 0.0);
    let minus_n = a.neg(n);
    let power = pow(a, at, minus_n);
    let share = fall(a, n, l);
    let order = a.select(flat, one, n);
    let integral = a.mul(power, share);
    let integral = a.div(integral, order);
    let integral = a.select(flat, l, integral);
    // Half of the first term.
    let power = a.mul(power, w);
    let share = fall(a, s, l);
    let share = times(a, share, 0.5);
    let first = a.fma(power, share, integral);
    // s (s + 1) .. (s + 2 k) B(2 k + 2) / (2 k + 2)! times the difference of the powers s + 2 k + 1
    let z = a.mul(w, w);
    let p = a.mul(power, w);
    let p = a.mul(p, s);
    let [_, _, rest] = a.repeat(
        [zero, p, first],
        |a, [k, _, _]| below(a, k, BERNOULLI.len() as f64),
        |a, [k, p, rest]| {
            let index = plus(a, k, MAGIC);
            let index = a.bits(index);
            let mask = a.int(15);
            let index = a.int_and(index, mask);
            let c = a.table(&BERNOULLI, index);
            let twice = a.add(k, k);
            let odd = a.add(s, twice);
            let odd = plus(a, odd, 1.0);
            let even = plus(a, odd, 1.0);
            let share = fall(a, odd, l);
            let term = a.mul(c, p);
            let rest = a.fma(term, share, rest);
            let both = a.mul(odd, even);
            let both = a.mul(both, z);
            [plus(a, k, 1.0), a.mul(p, both), rest]
        },
    );
    let whole = a.add(sum, rest);
    let index = factorial_index(a, n);
    let factorial = a.table(&FACTORIALS, index);
    let y = a.mul(factorial, whole);
    let positive = a.lt(zero, x);
    let ahead = a.le(zero, b);
    let inside = a.and(positive, ahead);
    let nan = a.float(f64::NAN);
    let y = a.select(inside, y, nan);
    where_tabled(a, n, y)
}
