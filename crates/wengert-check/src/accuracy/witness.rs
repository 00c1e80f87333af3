//! Independent implementations in `f64` of each function of one argument: fast enough to evaluate at every
//! `f32`, and sharing no code with the functions that are measured.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI, SQRT_2};

use super::tails::{erfcx_f64, log_erfc_f64, log_ndtr_f64};

/// A function in `f64`.
#[derive(Clone, Copy, Debug)]
pub struct Witness {
    /// Its source, in words.
    pub from: &'static str,
    /// Its value at operands, given the `f32` result to be judged, which serves inverse functions as a starting
    /// point.
    pub value: fn(&[f64], f32) -> f64,
}

const SYSTEM: &str = "`std`";
const LIBM: &str = "`libm`";
const BY_LIBM: &str = "by `libm`";
const SERIES: &str = "a series";

/// Returns the witness for the row with this name.
pub fn witness(name: &str) -> Option<Witness> {
    type Value = fn(&[f64], f32) -> f64;
    let (from, value): (&str, Value) = match name {
        "neg" => (SYSTEM, |x, _| -x[0]),
        "abs" => (SYSTEM, |x, _| x[0].abs()),
        "sign" => (SYSTEM, |x, _| match x[0] == 0.0 {
            true => x[0],
            false => x[0].signum(),
        }),
        "square" => (SYSTEM, |x, _| x[0] * x[0]),
        "reciprocal" => (SYSTEM, |x, _| 1.0 / x[0]),
        "floor" => (SYSTEM, |x, _| x[0].floor()),
        "ceil" => (SYSTEM, |x, _| x[0].ceil()),
        "round" => (SYSTEM, |x, _| x[0].round_ties_even()),
        "trunc" => (SYSTEM, |x, _| x[0].trunc()),
        "exp" => (SYSTEM, |x, _| x[0].exp()),
        "exp2" => (SYSTEM, |x, _| x[0].exp2()),
        "expm1" => (SYSTEM, |x, _| x[0].exp_m1()),
        "log" => (SYSTEM, |x, _| x[0].ln()),
        "log1p" => (SYSTEM, |x, _| x[0].ln_1p()),
        "log2" => (SYSTEM, |x, _| x[0].log2()),
        "log10" => (SYSTEM, |x, _| x[0].log10()),
        "sqrt" => (SYSTEM, |x, _| x[0].sqrt()),
        "rsqrt" => (SYSTEM, |x, _| 1.0 / x[0].sqrt()),
        "cbrt" => (SYSTEM, |x, _| x[0].cbrt()),
        "sin" => (SYSTEM, |x, _| x[0].sin()),
        "cos" => (SYSTEM, |x, _| x[0].cos()),
        "tan" => (SYSTEM, |x, _| x[0].tan()),
        "asin" => (SYSTEM, |x, _| x[0].asin()),
        "acos" => (SYSTEM, |x, _| x[0].acos()),
        "atan" => (SYSTEM, |x, _| x[0].atan()),
        "sinh" => (SYSTEM, |x, _| x[0].sinh()),
        "cosh" => (SYSTEM, |x, _| x[0].cosh()),
        "tanh" => (SYSTEM, |x, _| x[0].tanh()),
        "sigmoid" => (SYSTEM, |x, _| 1.0 / (1.0 + (-x[0]).exp())),
        "sinc" => (SYSTEM, |x, _| sinc(x[0])),
        // The standard library's inverse hyperbolic functions are short formulas, so libm's are used.
        "asinh" => (LIBM, |x, _| libm::asinh(x[0])),
        // Its acosh is NaN below 1 for some arguments only.
        "acosh" => (LIBM, |x, _| match x[0] < 1.0 {
            true => f64::NAN,
            false => libm::acosh(x[0]),
        }),
        "atanh" => (LIBM, |x, _| libm::atanh(x[0])),
        "erf" => (LIBM, |x, _| libm::erf(x[0])),
        "erfc" => (LIBM, |x, _| libm::erfc(x[0])),
        "lgamma" => (LIBM, |x, _| libm::lgamma(x[0])),
        "erf_inv" => (BY_LIBM, |x, y| {
            inverse_erf(x[0].abs(), 1.0 - x[0].abs(), f64::from(y).abs()).copysign(x[0])
        }),
        "normal_tail" => (BY_LIBM, |x, y| {
            let tail = 2.0 * x[0].abs();
            let near = f64::from(y).abs() / SQRT_2;
            (SQRT_2 * inverse_erf(1.0 - tail, tail, near)).copysign(x[0])
        }),
        "digamma" => (SERIES, |x, _| digamma(x[0])),
        "trigamma" => (SERIES, |x, _| trigamma(x[0])),
        "polygamma" => (SERIES, |x, _| polygamma(x[0] as u32, x[1])),
        "i0e" => (SERIES, |x, _| bessel_ratio(0, x[0].abs())),
        "i1e" => (SERIES, |x, _| i1e(x[0])),
        "i0" => (SERIES, |x, _| grown(bessel_ratio(0, x[0].abs()), x[0])),
        "i1" => (SERIES, |x, _| grown(i1e(x[0]), x[0])),
        "bessel_ratio" => (SERIES, |x, _| {
            grown(bessel_ratio(x[0] as u32, x[1].abs()), x[1])
        }),
        "gauss" => (SYSTEM, |x, _| (-x[0] * x[0]).exp()),
        "erfcx" => (BY_LIBM, |x, _| erfcx_f64(x[0])),
        "erfc_hazard" => (BY_LIBM, |x, _| FRAC_2_SQRT_PI / erfcx_f64(x[0])),
        "log_erfc" => (BY_LIBM, |x, _| log_erfc_f64(x[0])),
        "ndtr" => (LIBM, |x, _| 0.5 * libm::erfc(-x[0] * FRAC_1_SQRT_2)),
        "log_ndtr" => (BY_LIBM, |x, _| log_ndtr_f64(x[0])),
        "normal_hazard" => (BY_LIBM, |x, _| match x[0] > 0.0 {
            true => {
                (-0.5 * x[0] * x[0]).exp()
                    / (2.0 * PI).sqrt()
                    / (1.0 - 0.5 * libm::erfc(x[0] * FRAC_1_SQRT_2))
            }
            false => FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / erfcx_f64(-x[0] * FRAC_1_SQRT_2),
        }),
        "exprel" => (SYSTEM, |x, _| match x[0] {
            0.0 => 1.0,
            f64::INFINITY => f64::INFINITY,
            x => x.exp_m1() / x,
        }),
        "log1p_over_x" => (SYSTEM, |x, _| match x[0] {
            0.0 => 1.0,
            f64::INFINITY => 0.0,
            x => x.ln_1p() / x,
        }),
        "log1mexp" => (SYSTEM, |x, _| match x[0] > 0.7 {
            true => (-(-x[0]).exp()).ln_1p(),
            false => (-(-x[0]).exp_m1()).ln(),
        }),
        "log_expm1" => (SYSTEM, |x, _| match x[0] > 700.0 {
            true => x[0],
            false => x[0].exp_m1().ln(),
        }),
        "recip_expm1" => (SYSTEM, |x, _| 1.0 / x[0].exp_m1()),
        "exponent" => (SYSTEM, |x, _| match x[0] == 0.0 || !x[0].is_finite() {
            true => 0.0,
            false => x[0].abs().log2().floor() + 1.0,
        }),
        _ => return None,
    };
    Some(Witness { from, value })
}

/// Returns `x` minus the nearest integer, which is exact.
fn off_whole(x: f64) -> f64 {
    x - x.round_ties_even()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let sine = (PI * off_whole(x)).sin();
    let odd = x.round_ties_even() % 2.0 != 0.0;
    if odd {
        -sine / (PI * x)
    } else {
        sine / (PI * x)
    }
}

/// Computes the `y >= 0` with `erf y = x`, given `1 - x` and a nearby value, by two steps of Halley's method.
fn inverse_erf(x: f64, rest: f64, near: f64) -> f64 {
    match x {
        x if x < 0.0 => return f64::NAN,
        0.0 => return 0.0,
        _ if rest == 0.0 => return f64::INFINITY,
        _ => {}
    }
    let mut y = near;
    for _ in 0..2 {
        let off = match x < 0.5 {
            true => x - libm::erf(y),
            false => libm::erfc(y) - rest,
        };
        let step = off * (0.5 * PI.sqrt()) * (y * y).exp();
        y += step / (1.0 - y * step);
    }
    y
}

/// The Bernoulli numbers `B(2 k)` for `k` from 1.
const BERNOULLI: [f64; 9] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43_867.0 / 798.0,
];

/// The start of asymptotic series with these numbers, to full precision.
const FAR: f64 = 14.0;

fn digamma(x: f64) -> f64 {
    if x < 0.0 {
        return digamma(1.0 - x) - PI / (PI * off_whole(x)).tan();
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < FAR {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let mut power = square;
    let mut tail = 0.5 / x;
    for (k, b) in BERNOULLI.iter().enumerate() {
        tail += b / (2.0 * (k as f64 + 1.0)) * power;
        power *= square;
    }
    sum + (x.ln() - tail)
}

fn trigamma(x: f64) -> f64 {
    if x < 0.0 {
        let sine = (PI * off_whole(x)).sin();
        return PI * PI / (sine * sine) - polygamma(1, 1.0 - x);
    }
    polygamma(1, x)
}

/// Computes `polygamma` by enough terms and the Euler-Maclaurin formula (DLMF 25.11.5).
fn polygamma(n: u32, x: f64) -> f64 {
    let s = f64::from(n) + 1.0;
    let (mut x, mut sum) = (x, 0.0);
    while x < FAR + s {
        sum += x.powi(n as i32 + 1).recip();
        x += 1.0;
    }
    let mut rest = x / (s - 1.0) + 0.5;
    let mut factor = s / (2.0 * x);
    for (k, b) in BERNOULLI.iter().enumerate() {
        rest += factor * b;
        let n = 2.0 * (k as f64 + 1.0);
        factor *= (s + n - 1.0) * (s + n) / ((n + 1.0) * (n + 2.0) * (x * x));
    }
    let last = x.powi(n as i32 + 1).recip();
    // Where the power overflows a double, the sum underflows an f32.
    let far = if last == 0.0 { 0.0 } else { last * rest };
    let factorial: f64 = (1..=n).map(f64::from).product();
    let size = factorial * (sum + far);
    if n.is_multiple_of(2) { -size } else { size }
}

/// The start of the asymptotic series of the Bessel functions, to full precision.
const BESSEL_FAR: f64 = 40.0;

/// Computes `e^-x I(n, x)` for large `x` (DLMF 10.40.1).
fn bessel_far(n: u32, x: f64) -> f64 {
    let square = 4.0 * f64::from(n * n);
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    while f64::abs(term) > 1e-18 {
        k += 1.0;
        let odd = 2.0 * k - 1.0;
        term *= (odd * odd - square) / (8.0 * k * x);
        sum += term;
    }
    sum / (2.0 * PI * x).sqrt()
}

/// Computes `e^-x I(n, x) / x^n` for `x >= 0`, near zero by its power series (DLMF 10.25.2).
fn bessel_ratio(n: u32, x: f64) -> f64 {
    if x >= BESSEL_FAR {
        return bessel_far(n, x) / x.powi(n as i32);
    }
    let (square, order) = (0.25 * x * x, f64::from(n));
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    while term > 1e-18 * sum {
        k += 1.0;
        term *= square / (k * (order + k));
        sum += term;
    }
    let first: f64 = (1..=n).map(|k| 2.0 * f64::from(k)).product();
    sum * (-x).exp() / first
}

/// Computes `y e^|x|`, which overflows only if the result does.
fn grown(y: f64, x: f64) -> f64 {
    let root = (0.5 * x.abs()).exp();
    match x.is_infinite() {
        true => f64::INFINITY.copysign(y),
        false => y * root * root,
    }
}

fn i1e(x: f64) -> f64 {
    match x.abs() >= BESSEL_FAR {
        true => bessel_far(1, x.abs()).copysign(x),
        false => x * bessel_ratio(1, x.abs()),
    }
}
