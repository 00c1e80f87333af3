//! The functions in arbitrary precision, and distances in ulp.
use astro_float::{BigFloat, Consts, RoundingMode, Sign};
use wengert_ir::elementary::Elementary::{self, *};
use wengert_ir::elementary::eval;

/// Bits of the oracle's results.
const P: usize = 192;
const RM: RoundingMode = RoundingMode::None;

pub struct Oracle {
    consts: Consts,
}

/// Random numbers: an xorshift, whose seed makes the points the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    /// Uniform in `low..high`.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.bits() >> 11) as f64 * 2f64.powi(-53))
    }
    /// Any finite float, all exponents alike.
    pub fn any(&mut self) -> f64 {
        loop {
            let x = f64::from_bits(self.bits());
            if x.is_finite() {
                return x;
            }
        }
    }
}

/// `x` in full. The library's own conversion is not exact below the normal floats, so those are
/// scaled first.
fn big(x: f64) -> BigFloat {
    if x.abs() >= f64::MIN_POSITIVE || x == 0.0 {
        return BigFloat::from_f64(x, P);
    }
    let scaled = BigFloat::from_f64(x * 2f64.powi(200), P);
    scaled.mul(&BigFloat::from_f64(2f64.powi(-200), P), P, RM)
}

impl Oracle {
    pub fn new() -> Self {
        Self {
            consts: Consts::new().expect("constants"),
        }
    }

    /// `f(args)`, where it is finite.
    pub fn value(&mut self, f: Elementary, args: &[f64]) -> BigFloat {
        let c = &mut self.consts;
        let x = big(args[0]);
        let size = args[0].abs();
        let one = big(1.0);
        match f {
            Exp => x.exp(P, RM, c),
            Exp2 => big(2.0).pow(&x, P, RM, c),
            Expm1 if size < 1e-20 => x.add(&x.mul(&x, P, RM).mul(&big(0.5), P, RM), P, RM),
            Expm1 => x.exp(P, RM, c).sub(&one, P, RM),
            Sigmoid => one.div(&x.neg().exp(P, RM, c).add(&one, P, RM), P, RM),
            Log => x.ln(P, RM, c),
            Log1p if size < 1e-20 => x.sub(&x.mul(&x, P, RM).mul(&big(0.5), P, RM), P, RM),
            Log1p => x.add(&one, P + 64, RM).ln(P, RM, c),
            Log2 => x.log2(P, RM, c),
            Log10 => x.log10(P, RM, c),
            Sin => x.sin(P, RM, c),
            Cos => x.cos(P, RM, c),
            Tan => x.tan(P, RM, c),
            Asin => x.asin(P, RM, c),
            Acos => x.acos(P, RM, c),
            Atan => x.atan(P, RM, c),
            Atan2 => {
                let across = big(args[1]);
                let angle = x.div(&across, P, RM).atan(P, RM, c);
                if args[1] > 0.0 {
                    return angle;
                }
                let pi = c.pi(P, RM);
                if args[0].is_sign_negative() {
                    angle.sub(&pi, P, RM)
                } else {
                    angle.add(&pi, P, RM)
                }
            }
            Sinh => x.sinh(P, RM, c),
            Cosh => x.cosh(P, RM, c),
            Tanh if size < 1e-20 => x,
            Tanh => x.tanh(P, RM, c),
            Asinh if size < 1e-20 => x,
            Asinh => x.asinh(P, RM, c),
            Acosh => x.acosh(P, RM, c),
            Atanh if size < 1e-20 => x,
            Atanh => x.atanh(P, RM, c),
            Cbrt => x.cbrt(P, RM),
            Erf => erf(&x, c),
            Erfc if args[0] < 1.0 => one.sub(&erf(&x, c), P, RM),
            Erfc => {
                let square = x.mul(&x, P, RM).neg().exp(P, RM, c);
                erfc_fraction(&x, 40 + (600.0 / (size * size)) as usize)
                    .mul(&square, P, RM)
                    .div(&c.pi(P, RM).sqrt(P, RM), P, RM)
            }
            NormalTail => normal_tail(args[0], c),
            Pow => x.pow(&big(args[1]), P, RM, c),
            Hypot => {
                let y = big(args[1]);
                x.mul(&x, P, RM).add(&y.mul(&y, P, RM), P, RM).sqrt(P, RM)
            }
            ErfInv | Lgamma | Digamma | Trigamma | Polygamma => {
                unreachable!("{} is not known here", f.name())
            }
        }
    }
}

/// The number that a normal number exceeds with probability `|q|`, with the sign of `q`, by Newton's
/// method on the logarithm of that probability, from the value under test.
fn normal_tail(q: f64, c: &mut Consts) -> BigFloat {
    let (two, one) = (big(2.0), big(1.0));
    let (root, pi) = (two.sqrt(P, RM), c.pi(P, RM));
    let value = eval(NormalTail, &[q.abs()]);
    let mut z = big(value);
    for _ in 0..2 {
        let x = z.div(&root, P, RM);
        let square = x.mul(&x, P, RM).neg().exp(P, RM, c);
        let tail = match value < 1.5 {
            true => one.sub(&erf(&x, c), P, RM),
            false => erfc_fraction(&x, 40 + (1200.0 / (value * value)) as usize)
                .mul(&square, P, RM)
                .div(&pi.sqrt(P, RM), P, RM),
        };
        let tail = tail.div(&two, P, RM);
        let density = square.div(&two.mul(&pi, P, RM).sqrt(P, RM), P, RM);
        let log = tail.div(&big(q.abs()), P, RM).ln(P, RM, c);
        z = z.add(&log.mul(&tail, P, RM).div(&density, P, RM), P, RM);
    }
    if q < 0.0 { z.neg() } else { z }
}

/// `erf x` by its series in `x^2` (DLMF 7.6.2): `2 x e^(-x^2) / sqrt(pi)` times the sum of
/// `(2 x^2)^n / (1 3 5 .. (2 n + 1))`, all of whose terms are positive.
fn erf(x: &BigFloat, c: &mut Consts) -> BigFloat {
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

/// `sqrt(pi) e^(x^2) erfc x` by a continued fraction (DLMF 7.9.1), for `x >= 1`:
/// `1 / (x + (1/2) / (x + 1 / (x + (3/2) / ...`
fn erfc_fraction(x: &BigFloat, levels: usize) -> BigFloat {
    let mut tail = x.clone();
    for n in (1..levels).rev() {
        tail = big(n as f64 / 2.0).div(&tail, P, RM).add(x, P, RM);
    }
    big(1.0).div(&tail, P, RM)
}

/// The distance of `y` from `exact`, in ulp of `exact` (of the least normal number below that). An
/// infinite `y` counts as `2^1024`.
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
    let Some((words, _, _, exponent, _)) = difference.as_raw_parts() else {
        return f64::INFINITY;
    };
    let Some(&top) = words.last() else { return 0.0 };
    (top as f64 * 2f64.powi(-64)) * 2f64.powi(exponent - ulp)
}
