//! The tails of the normal distribution, the quotients at zero and their derivatives, in arbitrary
//! precision and in `f64`.

use astro_float::{BigFloat, Consts};

use super::oracle::{P, RM, add, big, div, erf, erfc_fraction, log1p, mul, sub};

/// Computes the function of a row, where it is finite. Returns `None` for a row that is not known here.
pub(super) fn value(name: &str, args: &[f64], c: &mut Consts) -> Option<BigFloat> {
    let x = big(args[0]);
    let one = big(1.0);
    Some(match name {
        "erfcx" => erfcx(&x, args[0], c),
        "erfc_hazard" => div(&two_over_root(c), &erfcx(&x, args[0], c)),
        "erfcx_ratio" => erfcx_ratio(args[0] as u32, args[1], c),
        "log_erfc" => log_erfc(&x, args[0], c),
        "ndtr" => ndtr(args[0], c),
        "log_ndtr" => log_ndtr(args[0], c),
        "normal_hazard" => {
            let density = mul(&mul(&x, &x), &big(-0.5));
            let log = sub(&density, &log_ndtr(args[0], c)).exp(P, RM, c);
            div(&log, &mul(&c.pi(P, RM), &big(2.0)).sqrt(P, RM))
        }
        "exprel" => exprel_moment(0, args[0], c),
        "exprel_moment" => exprel_moment(args[0] as u32, args[1], c),
        "log1p_over_x" if args[0].abs() < 1e-40 => one,
        "log1p_over_x" => div(&log1p(&x, c), &x),
        "log1p_moment" => log1p_moment(args[0] as u32, args[1], c),
        "log1mexp" => rest_of_exp(&x, args[0], c).ln(P, RM, c),
        "log_expm1" if args[0] > 1000.0 => x,
        "log_expm1" => add(&x, &rest_of_exp(&x, args[0], c).ln(P, RM, c)),
        "recip_expm1" => {
            let decay = x.neg().exp(P, RM, c);
            div(&decay, &rest_of_exp(&x, args[0], c))
        }
        "exponent" => {
            let n = x.exponent().unwrap_or(0);
            big(f64::from(if args[0] == 0.0 { 0 } else { n }))
        }
        "ldexp" => {
            let n = args[1].round_ties_even() as i32;
            let step = |x: &BigFloat, n: i32| mul(x, &big(2f64.powi(n)));
            let third = n / 3;
            step(&step(&step(&x, third), third), n - 2 * third)
        }
        _ => return None,
    })
}

fn two_over_root(c: &mut Consts) -> BigFloat {
    div(&big(2.0), &c.pi(P, RM).sqrt(P, RM))
}

/// Computes `e^(x^2) erfc x`, given `x` as a float too.
fn erfcx(x: &BigFloat, near: f64, c: &mut Consts) -> BigFloat {
    if near >= 1.0 {
        let levels = 40 + (600.0 / (near * near)) as usize;
        return div(&erfc_fraction(x, levels), &c.pi(P, RM).sqrt(P, RM));
    }
    let grown = mul(x, x).exp(P, RM, c);
    mul(&grown, &sub(&big(1.0), &erf(x, c)))
}

/// Computes `M(n+1) / M(n)` by a continued fraction, or by upward recurrence where that would take too long.
fn erfcx_ratio(n: u32, near: f64, c: &mut Consts) -> BigFloat {
    let x = big(near);
    if near >= 1.0 {
        let levels = 60 + n + (800.0 / (near * near)) as u32;
        let mut half = big(0.0);
        for k in (n + 1..levels).rev() {
            let under = add(&x, &half);
            half = div(&big(f64::from(k) * 0.5), &under);
        }
        return add(&half, &half);
    }
    let hazard = div(&two_over_root(c), &erfcx(&x, near, c));
    let twice = add(&x, &x);
    (1..=n).fold(sub(&hazard, &twice), |q, k| {
        sub(&div(&big(2.0 * f64::from(k)), &q), &twice)
    })
}

fn log_erfc(x: &BigFloat, near: f64, c: &mut Consts) -> BigFloat {
    match near < 0.5 {
        true => log1p(&erf(x, c).neg(), c),
        false => sub(&erfcx(x, near, c).ln(P, RM, c), &mul(x, x)),
    }
}

/// Computes `x / sqrt 2`.
fn over_root(x: f64) -> BigFloat {
    div(&big(x), &big(2.0).sqrt(P, RM))
}

fn ndtr(x: f64, c: &mut Consts) -> BigFloat {
    let near = -x / 2f64.sqrt();
    let tail = super::oracle::erfc(&over_root(-x), near, c);
    mul(&tail, &big(0.5))
}

fn log_ndtr(x: f64, c: &mut Consts) -> BigFloat {
    if x > 0.0 {
        return log1p(&ndtr(-x, c).neg(), c);
    }
    let (z, near) = (over_root(-x), -x / 2f64.sqrt());
    let log = mul(&erfcx(&z, near, c), &big(0.5)).ln(P, RM, c);
    sub(&log, &mul(&z, &z))
}

/// Computes `1 - e^-x`.
fn rest_of_exp(x: &BigFloat, near: f64, c: &mut Consts) -> BigFloat {
    if near.abs() > 1e-20 {
        return sub(&big(1.0), &x.neg().exp(P, RM, c));
    }
    sub(x, &mul(&mul(x, x), &big(0.5)))
}

/// Computes the integral of `t^n e^(x t)` over `0..1`, by series of positive terms (DLMF 13.2.2, 13.2.39).
fn exprel_moment(n: u32, x: f64, c: &mut Consts) -> BigFloat {
    let (z, next) = (big(x.abs()), f64::from(n) + 1.0);
    if x < -1000.0 {
        // n! / |x|^(n+1), up to terms below e^-1000.
        return (1..=n).fold(div(&big(1.0), &z), |m, k| {
            div(&mul(&m, &big(f64::from(k))), &z)
        });
    }
    if x > 1000.0 {
        // The result exceeds any float, and the series would need too many terms.
        return div(&big(x.min(1e4)).exp(P, RM, c), &big(1e4));
    }
    let (mut term, mut sum, mut k) = (big(1.0), big(0.0), 0.0);
    while sum.is_zero() || (!term.is_zero() && term.exponent() > sum.exponent().map(|e| e - 160)) {
        sum = add(&sum, &div(&term, &big(next + k)));
        k += 1.0;
        let by = if x < 0.0 { next + k - 1.0 } else { k };
        term = mul(&term, &div(&z, &big(by)));
    }
    match x < 0.0 {
        true => mul(&sum, &big(x).exp(P, RM, c)),
        false => sum,
    }
}

/// Computes the integral of `t^n / (1 + x t)^(n+1)` over `0..1`: by parts, and near zero by its series.
fn log1p_moment(n: u32, x: f64, c: &mut Consts) -> BigFloat {
    let (at, next) = (big(x), f64::from(n) + 1.0);
    if x.abs() < 1e-3 {
        let (mut term, mut sum) = (big(1.0), big(0.0));
        for k in 0..40 {
            let k = f64::from(k);
            sum = add(&sum, &div(&term, &big(next + k)));
            let by = div(&big(-(next + k)), &big(k + 1.0));
            term = mul(&term, &mul(&at, &by));
        }
        return sum;
    }
    let v = div(&at, &add(&at, &big(1.0)));
    let (mut rest, mut power, mut under) = (log1p(&at, c), big(1.0), at.clone());
    for k in 1..=n {
        power = mul(&power, &v);
        rest = sub(&rest, &div(&power, &big(f64::from(k))));
        under = mul(&under, &at);
    }
    div(&rest, &under)
}

/// Computes `e^(x^2) erfc x` in `f64`, for large `x` by its continued fraction.
pub(super) fn erfcx_f64(x: f64) -> f64 {
    if x < 3.0 {
        return (x * x).exp() * libm::erfc(x);
    }
    let tail = (1..60).rev().fold(x, |t, n| x + f64::from(n) / 2.0 / t);
    1.0 / (tail * std::f64::consts::PI.sqrt())
}

/// Computes `log(erfc x)` in `f64`.
pub(super) fn log_erfc_f64(x: f64) -> f64 {
    match x < 0.5 {
        true => (-libm::erf(x)).ln_1p(),
        false => erfcx_f64(x).ln() - x * x,
    }
}

/// Computes `log(ndtr x)` in `f64`.
pub(super) fn log_ndtr_f64(x: f64) -> f64 {
    let z = -x * std::f64::consts::FRAC_1_SQRT_2;
    match x > 0.0 {
        true => (-0.5 * libm::erfc(-z)).ln_1p(),
        false => (0.5 * erfcx_f64(z)).ln() - 0.5 * x * x,
    }
}
