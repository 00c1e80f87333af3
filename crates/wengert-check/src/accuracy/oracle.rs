//! The functions in arbitrary precision, and distances in ulp.

use astro_float::{BigFloat, Consts, RoundingMode, Sign};
use wengert_ir::elementary::{Elementary, eval};

/// Bits of the results.
pub(super) const P: usize = 192;
pub(super) const RM: RoundingMode = RoundingMode::None;

/// Functions in arbitrary precision.
#[derive(Debug)]
pub struct Oracle {
    pub(super) consts: Consts,
}

/// Converts `x` exactly. The library's own conversion is not exact below the normal floats, so those are scaled
/// first.
pub(super) fn big(x: f64) -> BigFloat {
    if x.abs() >= f64::MIN_POSITIVE || x == 0.0 {
        return BigFloat::from_f64(x, P);
    }
    let scaled = BigFloat::from_f64(x * 2f64.powi(200), P);
    scaled.mul(&BigFloat::from_f64(2f64.powi(-200), P), P, RM)
}

/// The Bernoulli numbers `B(2 k)` for `k` from 1, as fractions of floats that are integers.
const BERNOULLI: [(f64, f64); 17] = [
    (1.0, 6.0),
    (-1.0, 30.0),
    (1.0, 42.0),
    (-1.0, 30.0),
    (5.0, 66.0),
    (-691.0, 2730.0),
    (7.0, 6.0),
    (-3617.0, 510.0),
    (43_867.0, 798.0),
    (-174_611.0, 330.0),
    (854_513.0, 138.0),
    (-236_364_091.0, 2730.0),
    (8_553_103.0, 6.0),
    (-23_749_461_029.0, 870.0),
    (8_615_841_276_005.0, 14_322.0),
    (-7_709_321_041_217.0, 510.0),
    (2_577_687_858_367.0, 6.0),
];

/// The start of the asymptotic series of the gamma family with these numbers, to 1e-40.
const FAR: f64 = 32.0;

pub(super) fn add(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.add(b, P, RM)
}

pub(super) fn sub(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.sub(b, P, RM)
}

pub(super) fn mul(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.mul(b, P, RM)
}

pub(super) fn div(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.div(b, P, RM)
}

/// Returns whether `a < b`.
fn below(a: &BigFloat, b: f64) -> bool {
    a.cmp(&big(b)).is_some_and(|order| order < 0)
}

impl Default for Oracle {
    fn default() -> Oracle {
        let consts = Consts::new().expect("constants");
        Oracle { consts }
    }
}

impl Oracle {
    /// Computes the function of a row, where it is finite. Returns `None` for a row that is not known here.
    pub fn value(&mut self, name: &str, args: &[f64]) -> Option<BigFloat> {
        let c = &mut self.consts;
        let x = big(args[0]);
        let size = args[0].abs();
        let one = big(1.0);
        Some(match name {
            "exp" => x.exp(P, RM, c),
            "exp2" => big(2.0).pow(&x, P, RM, c),
            "expm1" if size < 1e-20 => add(&x, &mul(&mul(&x, &x), &big(0.5))),
            "expm1" => sub(&x.exp(P, RM, c), &one),
            "sigmoid" => div(&one, &add(&x.neg().exp(P, RM, c), &one)),
            "log" => x.ln(P, RM, c),
            "log1p" => log1p(&x, c),
            "log2" => x.log2(P, RM, c),
            "log10" => x.log10(P, RM, c),
            "logaddexp" => {
                let y = big(args[1]);
                let (large, small) = match args[0] < args[1] {
                    true => (y, x),
                    false => (x, y),
                };
                let ratio = sub(&small, &large).exp(P, RM, c);
                add(&large, &log1p(&ratio, c))
            }
            "sin" => x.sin(P, RM, c),
            "cos" => x.cos(P, RM, c),
            "tan" => x.tan(P, RM, c),
            "asin" => x.asin(P, RM, c),
            "acos" => x.acos(P, RM, c),
            "atan" => x.atan(P, RM, c),
            "atan2" => {
                let across = big(args[1]);
                let angle = div(&x, &across).atan(P, RM, c);
                if args[1] > 0.0 {
                    return Some(angle);
                }
                let pi = c.pi(P, RM);
                if args[0].is_sign_negative() {
                    sub(&angle, &pi)
                } else {
                    add(&angle, &pi)
                }
            }
            "sinc" if size == 0.0 => one,
            "sinc" => {
                let full = mul(&c.pi(P, RM), &x);
                div(&self.sin_pi(args[0]), &full)
            }
            "sinh" => x.sinh(P, RM, c),
            "cosh" => x.cosh(P, RM, c),
            "tanh" if size < 1e-20 => x,
            "tanh" => x.tanh(P, RM, c),
            "asinh" if size < 1e-20 => x,
            "asinh" => x.asinh(P, RM, c),
            "acosh" => x.acosh(P, RM, c),
            "atanh" if size < 1e-20 => x,
            "atanh" => x.atanh(P, RM, c),
            "sqrt" => x.sqrt(P, RM),
            "rsqrt" => div(&one, &x.sqrt(P, RM)),
            "cbrt" => x.cbrt(P, RM),
            "hypot" => {
                let y = big(args[1]);
                add(&mul(&x, &x), &mul(&y, &y)).sqrt(P, RM)
            }
            "pow" => x.pow(&big(args[1]), P, RM, c),
            "erf" => erf(&x, c),
            "erfc" => erfc(&x, args[0], c),
            "erf_inv" => self.erf_inv(args[0]),
            "normal_tail" => self.normal_tail(args[0]),
            "lgamma" => self.lgamma(args[0]),
            "digamma" => self.digamma(args[0]),
            "trigamma" => polygamma(1, &x),
            "polygamma" => polygamma(args[0] as u32, &big(args[1])),
            "i0e" => bessel(0, size, c),
            "i1e" => mul(&x, &bessel(1, size, c)),
            "i0" => mul(&bessel(0, size, c), &big(size).exp(P, RM, c)),
            "i1" => mul(&mul(&x, &bessel(1, size, c)), &big(size).exp(P, RM, c)),
            "bessel_ratio" => {
                let size = args[1].abs();
                mul(&bessel(args[0] as u32, size, c), &big(size).exp(P, RM, c))
            }
            "gauss" => mul(&x, &x).neg().exp(P, RM, c),
            name => return super::tails::value(name, args, c),
        })
    }

    /// Computes `sin(pi x)`.
    fn sin_pi(&mut self, x: f64) -> BigFloat {
        let nearest = x.round_ties_even();
        let angle = mul(&self.consts.pi(P, RM), &big(x - nearest));
        let sine = angle.sin(P, RM, &mut self.consts);
        match nearest % 2.0 == 0.0 {
            true => sine,
            false => sine.neg(),
        }
    }

    /// Computes `pi / tan(pi x)`.
    fn pi_cot_pi(&mut self, x: f64) -> BigFloat {
        let pi = self.consts.pi(P, RM);
        let angle = mul(&pi, &big(x - x.round_ties_even()));
        div(&pi, &angle.tan(P, RM, &mut self.consts))
    }

    /// Refines a float by two steps of Halley's method: its error is about 1e-16, and is cubed by each step.
    fn erf_inv(&mut self, x: f64) -> BigFloat {
        let c = &mut self.consts;
        let size = big(x.abs());
        let near = eval(Elementary::ErfInv, &[x.abs()]);
        let mut y = big(near);
        let half_root = div(&c.pi(P, RM).sqrt(P, RM), &big(2.0));
        let rest = sub(&big(1.0), &size);
        for _ in 0..2 {
            let off = match x.abs() < 0.5 {
                true => sub(&size, &erf(&y, c)),
                false => sub(&erfc(&y, near, c), &rest),
            };
            let step = mul(&mul(&off, &half_root), &mul(&y, &y).exp(P, RM, c));
            let bend = sub(&big(1.0), &mul(&y, &step));
            y = add(&y, &div(&step, &bend));
        }
        match x < 0.0 {
            true => y.neg(),
            false => y,
        }
    }

    /// Refines a float by two steps of Newton's method on the logarithm of the probability.
    fn normal_tail(&mut self, q: f64) -> BigFloat {
        let c = &mut self.consts;
        let near = eval(Elementary::NormalTail, &[q.abs()]);
        let (root, pi) = (big(2.0).sqrt(P, RM), c.pi(P, RM));
        let mut z = big(near);
        for _ in 0..2 {
            let x = div(&z, &root);
            let tail = div(&erfc(&x, near / 2f64.sqrt(), c), &big(2.0));
            let square = mul(&x, &x).neg().exp(P, RM, c);
            let density = div(&square, &mul(&big(2.0), &pi).sqrt(P, RM));
            let log = div(&tail, &big(q.abs())).ln(P, RM, c);
            z = add(&z, &div(&mul(&log, &tail), &density));
        }
        match q < 0.0 {
            true => z.neg(),
            false => z,
        }
    }

    /// Uses Stirling's series after the recurrence, and reflection.
    fn lgamma(&mut self, x: f64) -> BigFloat {
        if x.abs() < 1e-25 {
            return big(x.abs()).ln(P, RM, &mut self.consts).neg();
        }
        if x < 0.0 {
            let sine = div(&self.sin_pi(x).abs(), &self.consts.pi(P, RM));
            let log = sine.ln(P, RM, &mut self.consts);
            let other = lgamma_positive(sub(&big(1.0), &big(x)), &mut self.consts);
            return add(&log, &other).neg();
        }
        lgamma_positive(big(x), &mut self.consts)
    }

    fn digamma(&mut self, x: f64) -> BigFloat {
        if x.abs() < 1e-25 {
            return div(&big(-1.0), &big(x));
        }
        if x < 0.0 {
            let other = digamma_positive(sub(&big(1.0), &big(x)), &mut self.consts);
            return sub(&other, &self.pi_cot_pi(x));
        }
        digamma_positive(big(x), &mut self.consts)
    }
}

pub(super) fn lgamma_positive(mut x: BigFloat, c: &mut Consts) -> BigFloat {
    let one = big(1.0);
    let mut product = one.clone();
    while below(&x, FAR) {
        product = mul(&product, &x);
        x = add(&x, &one);
    }
    let square = mul(&x, &x);
    let mut power = x.clone();
    let mut sum = big(0.0);
    for (k, &b) in BERNOULLI.iter().enumerate() {
        let n = 2.0 * (k as f64 + 1.0);
        let below = mul(&power, &big(b.1 * n * (n - 1.0)));
        sum = add(&sum, &div(&big(b.0), &below));
        power = mul(&power, &square);
    }
    let log = x.ln(P, RM, c);
    let main = mul(&sub(&x, &big(0.5)), &log);
    let half = mul(&mul(&c.pi(P, RM), &big(2.0)).ln(P, RM, c), &big(0.5));
    let far = add(&add(&sub(&main, &x), &half), &sum);
    sub(&far, &product.ln(P, RM, c))
}

pub(super) fn digamma_positive(mut x: BigFloat, c: &mut Consts) -> BigFloat {
    let one = big(1.0);
    let mut sum = big(0.0);
    while below(&x, FAR) {
        sum = sub(&sum, &div(&one, &x));
        x = add(&x, &one);
    }
    let square = mul(&x, &x);
    let mut power = square.clone();
    for (k, &b) in BERNOULLI.iter().enumerate() {
        let below = mul(&power, &big(b.1 * 2.0 * (k as f64 + 1.0)));
        sum = sub(&sum, &div(&big(b.0), &below));
        power = mul(&power, &square);
    }
    let half = div(&big(0.5), &x);
    let log = x.ln(P, RM, c);
    add(&sub(&log, &half), &sum)
}

pub(super) fn log1p(x: &BigFloat, c: &mut Consts) -> BigFloat {
    match x.exponent().is_some_and(|e| e < -66) {
        true => sub(x, &mul(&mul(x, x), &big(0.5))),
        false => x.add(&big(1.0), P + 64, RM).ln(P, RM, c),
    }
}

/// Computes `(-1)^(n+1) n! zeta(n + 1, x)`, by enough terms and the Euler-Maclaurin formula (DLMF 25.11.5).
/// Negative `x` of moderate size are supported too.
pub(super) fn polygamma(n: u32, x: &BigFloat) -> BigFloat {
    let one = big(1.0);
    let s = f64::from(n) + 1.0;
    let power = |x: &BigFloat| (0..=n).fold(one.clone(), |p, _| mul(&p, x));
    let mut x = x.clone();
    let mut sum = big(0.0);
    while below(&x, FAR + s) {
        sum = add(&sum, &div(&one, &power(&x)));
        x = add(&x, &one);
    }
    let last = div(&one, &power(&x));
    let mut rest = add(&div(&x, &big(s - 1.0)), &big(0.5));
    // s (s + 1) .. (s + 2 k - 2) / ((2 k)! x^(2 k - 1))
    let square = mul(&x, &x);
    let mut factor = div(&big(s), &mul(&x, &big(2.0)));
    for (k, &b) in BERNOULLI.iter().enumerate() {
        let b = div(&big(b.0), &big(b.1));
        rest = add(&rest, &mul(&factor, &b));
        let n = 2.0 * (k as f64 + 1.0);
        let up = big((s + n - 1.0) * (s + n));
        let down = mul(&big((n + 1.0) * (n + 2.0)), &square);
        factor = mul(&factor, &div(&up, &down));
    }
    let zeta = add(&sum, &mul(&last, &rest));
    let factorial = (2..=n).fold(one, |p, k| mul(&p, &big(f64::from(k))));
    let size = mul(&factorial, &zeta);
    match n.is_multiple_of(2) {
        true => size.neg(),
        false => size,
    }
}

/// Computes `e^-x I(n, x) / x^n` for `x >= 0`: by the power series (DLMF 10.25.2), whose terms are all
/// positive, and for large `x` by the asymptotic one (DLMF 10.40.1), whose smallest term is below `e^-2x`.
fn bessel(n: u32, x: f64, c: &mut Consts) -> BigFloat {
    let (one, big_x, n) = (big(1.0), big(x), f64::from(n));
    let small = |term: &BigFloat, sum: &BigFloat| {
        term.is_zero() || term.exponent() < sum.exponent().map(|e| e - 160)
    };
    let (mut term, mut sum, mut k) = (one.clone(), one.clone(), 0.0);
    if x < 100.0 {
        let square = mul(&mul(&big_x, &big_x), &big(0.25));
        while !small(&term, &sum) {
            k += 1.0;
            term = div(&mul(&term, &square), &big(k * (n + k)));
            sum = add(&sum, &term);
        }
        let first = (1..=n as u32).fold(one, |p, k| mul(&p, &big(2.0 * f64::from(k))));
        return div(&mul(&sum, &big_x.neg().exp(P, RM, c)), &first);
    }
    while !small(&term, &sum) {
        k += 1.0;
        let odd = 2.0 * k - 1.0;
        let by = div(&big(odd * odd - 4.0 * n * n), &mul(&big_x, &big(8.0 * k)));
        term = mul(&term, &by);
        sum = add(&sum, &term);
    }
    let turn = mul(&mul(&c.pi(P, RM), &big(2.0)), &big_x);
    let powers = (0..n as u32).fold(one, |p, _| mul(&p, &big_x));
    div(&div(&sum, &turn.sqrt(P, RM)), &powers)
}

/// Computes `erfc x`, given `x` as a float too.
pub(super) fn erfc(x: &BigFloat, near: f64, c: &mut Consts) -> BigFloat {
    if near < 1.0 {
        return sub(&big(1.0), &erf(x, c));
    }
    let square = mul(x, x);
    // For large x a few levels of the continued fraction suffice.
    let levels = 40 + (600.0 / (near * near)) as usize;
    let fraction = mul(&erfc_fraction(x, levels), &square.neg().exp(P, RM, c));
    div(&fraction, &c.pi(P, RM).sqrt(P, RM))
}

/// Computes `erf x` by its series in `x^2` (DLMF 7.6.2): `2 x e^(-x^2) / sqrt(pi)` times the sum of `(2 x^2)^n
/// / (1 3 5 .. (2 n + 1))`, whose terms are all positive.
pub(super) fn erf(x: &BigFloat, c: &mut Consts) -> BigFloat {
    if x.abs().cmp(&big(9.0)) == Some(1) {
        return big(if x.is_positive() { 1.0 } else { -1.0 });
    }
    let square = x.mul(x, P, RM);
    let twice = square.mul(&big(2.0), P, RM);
    let (mut term, mut sum, mut n) = (big(1.0), big(1.0), 1.0);
    while term.exponent() > sum.exponent().map(|e| e - 160) {
        n += 2.0;
        term = term.mul(&twice, P, RM).div(&big(n), P, RM);
        sum = sum.add(&term, P, RM);
    }
    let two_root = big(2.0).div(&c.pi(P, RM).sqrt(P, RM), P, RM);
    let factor = square.neg().exp(P, RM, c).mul(x, P, RM);
    sum.mul(&factor, P, RM).mul(&two_root, P, RM)
}

/// Computes `sqrt(pi) e^(x^2) erfc x` by a continued fraction (DLMF 7.9.1), for `x >= 1`: `1 / (x + (1/2) / (x
/// + 1 / (x + (3/2) / ...`
pub(super) fn erfc_fraction(x: &BigFloat, levels: usize) -> BigFloat {
    let mut tail = x.clone();
    for n in (1..levels).rev() {
        tail = big(n as f64 / 2.0).div(&tail, P, RM).add(x, P, RM);
    }
    big(1.0).div(&tail, P, RM)
}

/// Returns the distance of `y` from `exact`, in ulp of `exact` (below the normal numbers: of the smallest
/// normal number). An infinite `y` counts as `2^1024`.
pub fn ulps(y: f64, exact: &BigFloat) -> f64 {
    if y.is_nan() || exact.is_nan() {
        return f64::INFINITY;
    }
    let exponent = exact.exponent().unwrap_or(-2000);
    if exact.is_inf() || exponent > 1024 {
        let sign = if exact.sign() == Some(Sign::Neg) {
            -1.0
        } else {
            1.0
        };
        return if y == sign * f64::INFINITY {
            0.0
        } else {
            f64::INFINITY
        };
    }
    let ulp = (exponent - 53).max(-1074);
    let y = if y.is_infinite() {
        big(y.signum() * 2f64.powi(1023)).mul(&big(2.0), P, RM)
    } else {
        big(y)
    };
    let difference = y.sub(exact, P, RM);
    if difference.is_zero() {
        return 0.0;
    }
    let Some((words, _, _, exponent, _)) = difference.as_raw_parts() else {
        return f64::INFINITY;
    };
    let Some(&top) = words.last() else { return 0.0 };
    (top as f64 * 2f64.powi(-64)) * 2f64.powi(exponent - ulp)
}

/// Returns the distance of `y` from `exact`, in ulp of `f32`. An infinite `y` counts as `2^128`.
pub(super) fn ulps_f32(y: f32, exact: &BigFloat) -> f64 {
    let exponent = exact.exponent().unwrap_or(-2000);
    let negative = exact.sign() == Some(Sign::Neg);
    if y.is_infinite() && exponent > 128 && y.is_sign_negative() == negative {
        return 0.0;
    }
    let y = match y.is_infinite() {
        true => f64::from(y.signum()) * 2f64.powi(128),
        false => f64::from(y),
    };
    let (wide, narrow) = ((exponent - 53).max(-1074), (exponent - 24).clamp(-149, 104));
    ulps(y, exact) * 2f64.powi(wide - narrow)
}

/// Returns the absolute value of `x` as a float, to one part in a million.
pub(super) fn size(x: &BigFloat) -> f64 {
    let Some((words, _, _, exponent, _)) = x.as_raw_parts() else {
        return f64::INFINITY;
    };
    let top = words.last().copied().unwrap_or(0) as f64 * 2f64.powi(-64);
    // In two steps, because the power alone may overflow.
    let exponent = exponent.clamp(-1100, 1100);
    let half = exponent / 2;
    top * 2f64.powi(half) * 2f64.powi(exponent - half)
}

/// Returns the distance of `y` from `exact`, with the accuracy of [`size`].
pub(super) fn distance(y: f64, exact: &BigFloat) -> f64 {
    size(&sub(&big(y), exact))
}

pub(super) fn zero() -> BigFloat {
    big(0.0)
}
