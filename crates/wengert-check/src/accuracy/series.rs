//! Functions in Taylor arithmetic: composed of other functions, from their derivatives, and by series.

use astro_float::BigFloat;

use super::jet::{Jet, Jets, big};
use super::oracle::{digamma_positive, erfc, lgamma_positive, polygamma};

pub(super) fn log_to(j: &mut Jets, x: &Jet, base: f64) -> Jet {
    let base = j.number(base);
    let base = j.ln(&base);
    let y = j.ln(x);
    j.div(&y, &base)
}

pub(super) fn sigmoid(j: &mut Jets, x: &Jet) -> Jet {
    let one = j.number(1.0);
    if j.value(x).is_positive() {
        let minus = j.neg(x);
        let e = j.exp(&minus);
        let whole = j.add(&one, &e);
        return j.recip(&whole);
    }
    let e = j.exp(x);
    let whole = j.add(&one, &e);
    j.div(&e, &whole)
}

pub(super) fn softplus(j: &mut Jets, x: &Jet) -> Jet {
    j.by_slope(x, big(0.0), sigmoid)
}

pub(super) fn hyperbolic(j: &mut Jets, x: &Jet, sign: f64) -> Jet {
    let up = j.exp(x);
    let down = j.exp(&j.neg(x));
    let down = j.times(&down, sign);
    let sum = j.add(&up, &down);
    j.times(&sum, 0.5)
}

/// Computes `1 / sqrt(a x^2 + b)`.
pub(super) fn under_root(j: &mut Jets, x: &Jet, a: f64, b: f64) -> Jet {
    let square = j.mul(x, x);
    let square = j.times(&square, a);
    let sum = j.plus(&square, b);
    let root = j.sqrt(&sum);
    j.recip(&root)
}

pub(super) fn atan(j: &mut Jets, x: &Jet, value: BigFloat) -> Jet {
    j.by_slope(x, value, |j, x| {
        let square = j.mul(x, x);
        let sum = j.plus(&square, 1.0);
        j.recip(&sum)
    })
}

pub(super) fn power(j: &mut Jets, x: &Jet, n: usize) -> Jet {
    (1..n).fold(x.clone(), |y, _| j.mul(&y, x))
}

pub(super) fn sinc(j: &mut Jets, x: &Jet, at: f64) -> Jet {
    let pi = j.pi();
    if at.abs() < 0.1 {
        let angle = j.by(x, &pi);
        let square = j.mul(&angle, &angle);
        let mut term = j.number(1.0);
        let mut sum = term.clone();
        for k in 1..40 {
            let k = f64::from(2 * k);
            term = j.mul(&term, &square);
            let by = j.number(-k * (k + 1.0));
            term = j.div(&term, &by);
            sum = j.add(&sum, &term);
        }
        return sum;
    }
    let nearest = at.round_ties_even();
    let angle = j.plus(x, -nearest);
    let angle = j.by(&angle, &pi);
    let [sine, _] = j.sin_cos(&angle);
    let full = j.by(x, &pi);
    let y = j.div(&sine, &full);
    match nearest % 2.0 == 0.0 {
        true => y,
        false => j.neg(&y),
    }
}

/// Computes `erfc x`.
pub(super) fn erf_tail(j: &mut Jets, x: &Jet) -> Jet {
    let at = j.value(x);
    let near = f64_of(&at);
    let value = match near.abs() < 1e3 {
        true => erfc(&at, near, j.consts),
        false => big(if near < 0.0 { 2.0 } else { 0.0 }),
    };
    j.by_slope(x, value, |j, x| {
        let root = j.pi();
        let root = j.constant(root);
        let root = j.sqrt(&root);
        let square = j.mul(x, x);
        let e = j.exp(&j.neg(&square));
        let y = j.div(&e, &root);
        j.times(&y, -2.0)
    })
}

pub(super) fn root_pi(j: &mut Jets) -> Jet {
    let pi = j.pi();
    let pi = j.constant(pi);
    j.sqrt(&pi)
}

/// Computes the distribution function of the normal distribution.
pub(super) fn normal(j: &mut Jets, x: &Jet) -> Jet {
    let root = j.number(2.0);
    let root = j.sqrt(&root);
    let u = j.div(x, &root);
    let y = erf_tail(j, &j.neg(&u));
    j.times(&y, 0.5)
}

/// Computes the power series whose k-th term is the previous one times `up(k) x / (k + 1)`.
pub(super) fn series(j: &mut Jets, x: &Jet, up: fn(f64) -> f64) -> Jet {
    let mut term = j.number(1.0);
    let mut sum = term.clone();
    for k in 1.. {
        term = j.mul(&term, x);
        let k = f64::from(k);
        term = j.times(&term, up(k));
        let down = j.number(k + 1.0);
        term = j.div(&term, &down);
        sum = j.add(&sum, &term);
        if j.small(&term, &sum, 300) {
            break;
        }
    }
    sum
}

/// Converts to a nearby float.
pub(super) fn f64_of(x: &BigFloat) -> f64 {
    let size = super::oracle::size(x);
    if x.is_negative() { -size } else { size }
}

/// Computes a function whose lowest derivatives are given, and whose next one is `polygamma` of this order.
pub(super) fn gamma_family(j: &mut Jets, x: &Jet, at: f64, given: &[BigFloat], order: u32) -> Jet {
    let mut coefficients = vec![];
    let mut factorial = 1.0;
    for k in 0..=5 {
        factorial *= f64::from(k.max(1));
        let derivative = match given.get(k as usize) {
            Some(value) => value.clone(),
            None => polygamma(order + k - given.len() as u32, &big(at)),
        };
        coefficients.push(super::jet::mul(&derivative, &big(1.0 / factorial)));
    }
    j.compose(x, &coefficients)
}

/// Computes `lgamma` of a positive number.
pub(super) fn lgamma_positive_jet(j: &mut Jets, x: &Jet) -> Jet {
    let at = j.value(x);
    let mut coefficients = vec![
        lgamma_positive(at.clone(), j.consts),
        digamma_positive(at.clone(), j.consts),
    ];
    let mut factorial = big(1.0);
    for k in 2..=4u32 {
        factorial = super::jet::mul(&factorial, &big(f64::from(k)));
        let derivative = polygamma(k - 1, &at);
        coefficients.push(derivative.div(&factorial, 2304, astro_float::RoundingMode::None));
    }
    j.compose(x, &coefficients)
}

/// Computes `I(n, x) / x^n`, by its series of a few hundred terms or by `bessel`.
pub(super) fn bessel_grown(j: &mut Jets, x: &Jet, at: f64, n: u32) -> Jet {
    if at.abs() < 100.0 {
        return bessel_series(j, x, n);
    }
    let y = bessel(j, x, at, n);
    let size = if at < 0.0 { j.neg(x) } else { x.clone() };
    let e = j.exp(&size);
    j.mul(&y, &e)
}

/// Computes the sum of `(x/2)^(2 k) / (k! (n + k)! 2^n)` (DLMF 10.25.2).
pub(super) fn bessel_series(j: &mut Jets, x: &Jet, n: u32) -> Jet {
    let square = j.mul(x, x);
    let square = j.times(&square, 0.25);
    let mut term = j.number(if n == 0 { 1.0 } else { 0.5 });
    let mut sum = term.clone();
    for k in 1..400u32 {
        term = j.mul(&term, &square);
        let by = j.number(f64::from(k * (k + n)));
        term = j.div(&term, &by);
        sum = j.add(&sum, &term);
        if j.small(&term, &sum, 400) {
            break;
        }
    }
    sum
}

/// Computes `e^-|x| I(n, x) / x^n` for large `|x|` by the asymptotic series (DLMF 10.40.1).
pub(super) fn bessel(j: &mut Jets, x: &Jet, at: f64, n: u32) -> Jet {
    let size = if at < 0.0 { j.neg(x) } else { x.clone() };
    if at.abs() < 100.0 {
        let sum = bessel_series(j, x, n);
        let e = j.exp(&j.neg(&size));
        return j.mul(&sum, &e);
    }
    let inverse = j.recip(&size);
    let order = 4.0 * f64::from(n * n);
    let mut term = j.number(1.0);
    let mut sum = term.clone();
    for k in 1..180 {
        let k = f64::from(k);
        let odd = 2.0 * k - 1.0;
        term = j.mul(&term, &inverse);
        term = j.times(&term, odd * odd - order);
        let by = j.number(8.0 * k);
        term = j.div(&term, &by);
        sum = j.add(&sum, &term);
        if j.small(&term, &sum, 400) {
            break;
        }
    }
    let pi = j.pi();
    let turn = j.by(&size, &pi);
    let turn = j.times(&turn, 2.0);
    let root = j.sqrt(&turn);
    let y = j.div(&sum, &root);
    match n {
        0 => y,
        _ => j.mul(&y, &inverse),
    }
}

/// Computes `x^a e^-x / gamma(a + 1)` times the sum of `x^n / ((a + 1) .. (a + n))` (DLMF 8.11.4).
pub(super) fn gammainc(j: &mut Jets, a: &Jet, x: &Jet) -> Jet {
    let mut term = j.number(1.0);
    let mut sum = term.clone();
    // For small shapes the derivative by the point vanishes up to terms as small as the shape, hence the many
    // bits.
    for n in 1.. {
        let next = j.plus(a, f64::from(n));
        term = j.mul(&term, x);
        term = j.div(&term, &next);
        sum = j.add(&sum, &term);
        if j.small(&term, &sum, 1300) {
            break;
        }
    }
    let log = j.ln(x);
    let power = j.mul(a, &log);
    let next = j.plus(a, 1.0);
    let g = lgamma_positive_jet(j, &next);
    let e = j.sub(&power, x);
    let e = j.sub(&e, &g);
    let first = j.exp(&e);
    j.mul(&first, &sum)
}

/// Computes a series of positive terms (DLMF 8.17.8) up to 1/2, and uses symmetry beyond.
pub(super) fn betainc(j: &mut Jets, x: &[Jet], at: &[f64]) -> Jet {
    let rest = j.plus(&j.neg(&x[2]), 1.0);
    let swap = at[2] > 0.5;
    let [p, q, near, away] = match swap {
        false => [&x[0], &x[1], &x[2], &rest],
        true => [&x[1], &x[0], &rest, &x[2]],
    };
    let both = j.add(p, q);
    let mut term = j.number(1.0);
    let mut sum = term.clone();
    for n in 0.. {
        let up = j.plus(&both, f64::from(n));
        let down = j.plus(p, f64::from(n + 1));
        term = j.mul(&term, near);
        term = j.mul(&term, &up);
        term = j.div(&term, &down);
        sum = j.add(&sum, &term);
        if j.small(&term, &sum, 300) {
            break;
        }
    }
    let (log_near, log_away) = (j.ln(near), j.ln(away));
    let (log_near, log_away) = (j.mul(p, &log_near), j.mul(q, &log_away));
    let next = j.plus(p, 1.0);
    let [first, second, all] = [next, q.clone(), both].map(|x| lgamma_positive_jet(j, &x));
    let mut e = j.add(&log_near, &log_away);
    e = j.sub(&e, &first);
    e = j.sub(&e, &second);
    e = j.add(&e, &all);
    let factor = j.exp(&e);
    let y = j.mul(&factor, &sum);
    match swap {
        false => y,
        true => j.neg(&y),
    }
}
