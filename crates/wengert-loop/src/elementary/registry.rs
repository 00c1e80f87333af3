//! The functions as data: to list them, to name them, to build or evaluate one.
use super::{Arith, Plain};

/// An elementary or special function of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Elementary {
    /// `e^x`
    Exp,
    /// `2^x`
    Exp2,
    /// `e^x - 1`
    Expm1,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// The derivative of `Sigmoid` at a point, given its value there.
    SigmoidSlope,
    /// The natural logarithm.
    Log,
    /// `log(1 + x)`
    Log1p,
    /// The logarithm to base 2.
    Log2,
    /// The logarithm to base 10.
    Log10,
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// The tangent.
    Tan,
    /// The inverse sine.
    Asin,
    /// The inverse cosine.
    Acos,
    /// The inverse tangent.
    Atan,
    /// `atan2(y, x)`
    Atan2,
    /// The hyperbolic sine.
    Sinh,
    /// The hyperbolic cosine.
    Cosh,
    /// The hyperbolic tangent.
    Tanh,
    /// The derivative of `Tanh` at a point, given its value there.
    TanhSlope,
    /// The inverse hyperbolic sine.
    Asinh,
    /// The inverse hyperbolic cosine.
    Acosh,
    /// The inverse hyperbolic tangent.
    Atanh,
    /// `pow(x, y)`
    Pow,
    /// The cube root.
    Cbrt,
    /// The error function.
    Erf,
    /// The complementary error function.
    Erfc,
    /// The inverse of the error function.
    ErfInv,
    /// The logarithm of the size of the gamma function.
    Lgamma,
    /// The derivative of `Lgamma`.
    Digamma,
    /// The derivative of `Digamma`.
    Trigamma,
    /// `polygamma(n, x)`, the n-th derivative of `Digamma`.
    Polygamma,
    /// The size of the difference of two values of `polygamma` of an order, at a point and as far behind it.
    PolygammaGap,
    /// `sqrt(x^2 + y^2)`
    Hypot,
    /// The modified Bessel function of order 0, times `e^-|x|`.
    I0e,
    /// The modified Bessel function of order 1, times `e^-|x|`.
    I1e,
    /// The modified Bessel function of an order, over `x^n`.
    BesselRatio,
    /// The derivative of `I0e` of an order, but for its sign.
    BesselMoment,
    /// The regularised lower incomplete gamma function of a shape and a point.
    Gammainc,
    /// The regularised upper incomplete gamma function of a shape and a point.
    Gammaincc,
    /// The density of the gamma distribution of a shape at a point.
    GammaDensity,
    /// An integral under the incomplete gamma functions, of an order, a shape and a point.
    GammaMoment,
    /// The logarithm of the beta function.
    Betaln,
    /// The regularised incomplete beta function of two shapes and a point.
    Betainc,
    /// The density of the beta distribution of two shapes at a point.
    BetaDensity,
    /// An integral under the incomplete beta function, of two orders, two shapes and odds.
    BetaMoment,
    /// What a normal number exceeds with a probability.
    NormalTail,
    /// `e^(x^2) erfc x`
    Erfcx,
    /// The ratio of two derivatives of `Erfcx`, of orders next to each other.
    ErfcxRatio,
    /// `log(erfc x)`
    LogErfc,
    /// The distribution function of the standard normal distribution.
    Ndtr,
    /// `log(ndtr x)`
    LogNdtr,
    /// `(e^x - 1) / x`
    Exprel,
    /// The derivative of `Exprel` of an order.
    ExprelMoment,
    /// `log(1 + x) / x`
    Log1pOverX,
    /// An integral, the derivative of `Log1pOverX` of an order up to a factor.
    Log1pMoment,
    /// `log(1 - e^-x)`
    Log1mexp,
    /// `log(e^x - 1)`
    LogExpm1,
    /// `1 / (e^x - 1)`
    RecipExpm1,
    /// `2^n x`
    Ldexp,
    /// The exponent of a float whose mantissa is below 1.
    Exponent,
}

use Elementary::*;

impl Elementary {
    /// All of them.
    pub const ALL: &[Self] = &[
        Exp,
        Exp2,
        Expm1,
        Sigmoid,
        SigmoidSlope,
        Log,
        Log1p,
        Log2,
        Log10,
        Sin,
        Cos,
        Tan,
        Asin,
        Acos,
        Atan,
        Atan2,
        Sinh,
        Cosh,
        Tanh,
        TanhSlope,
        Asinh,
        Acosh,
        Atanh,
        Pow,
        Cbrt,
        Erf,
        Erfc,
        ErfInv,
        Lgamma,
        Digamma,
        Trigamma,
        Polygamma,
        PolygammaGap,
        Hypot,
        I0e,
        I1e,
        BesselRatio,
        BesselMoment,
        Gammainc,
        Gammaincc,
        GammaDensity,
        GammaMoment,
        Betaln,
        Betainc,
        BetaDensity,
        BetaMoment,
        NormalTail,
        Erfcx,
        ErfcxRatio,
        LogErfc,
        Ndtr,
        LogNdtr,
        Exprel,
        ExprelMoment,
        Log1pOverX,
        Log1pMoment,
        Log1mexp,
        LogExpm1,
        RecipExpm1,
        Ldexp,
        Exponent,
    ];

    /// The number of arguments.
    pub fn arity(&self) -> usize {
        match self {
            Atan2 | Pow | Polygamma | Hypot | Gammainc | Gammaincc | GammaDensity | Betaln
            | BesselRatio | BesselMoment | SigmoidSlope | TanhSlope | ErfcxRatio | ExprelMoment
            | Log1pMoment | Ldexp => 2,
            GammaMoment | Betainc | BetaDensity | PolygammaGap => 3,
            BetaMoment => 5,
            _ => 1,
        }
    }

    /// The name, in lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Exp => "exp",
            Exp2 => "exp2",
            Expm1 => "expm1",
            Sigmoid => "sigmoid",
            SigmoidSlope => "sigmoid_slope",
            Log => "log",
            Log1p => "log1p",
            Log2 => "log2",
            Log10 => "log10",
            Sin => "sin",
            Cos => "cos",
            Tan => "tan",
            Asin => "asin",
            Acos => "acos",
            Atan => "atan",
            Atan2 => "atan2",
            Sinh => "sinh",
            Cosh => "cosh",
            Tanh => "tanh",
            TanhSlope => "tanh_slope",
            Asinh => "asinh",
            Acosh => "acosh",
            Atanh => "atanh",
            Pow => "pow",
            Cbrt => "cbrt",
            Erf => "erf",
            Erfc => "erfc",
            ErfInv => "erf_inv",
            Lgamma => "lgamma",
            Digamma => "digamma",
            Trigamma => "trigamma",
            Polygamma => "polygamma",
            PolygammaGap => "polygamma_gap",
            Hypot => "hypot",
            I0e => "i0e",
            I1e => "i1e",
            BesselRatio => "bessel_ratio",
            BesselMoment => "bessel_moment",
            Gammainc => "gammainc",
            Gammaincc => "gammaincc",
            GammaDensity => "gamma_density",
            GammaMoment => "gamma_moment",
            Betaln => "betaln",
            Betainc => "betainc",
            BetaDensity => "beta_density",
            BetaMoment => "beta_moment",
            NormalTail => "normal_tail",
            Erfcx => "erfcx",
            ErfcxRatio => "erfcx_ratio",
            LogErfc => "log_erfc",
            Ndtr => "ndtr",
            LogNdtr => "log_ndtr",
            Exprel => "exprel",
            ExprelMoment => "exprel_moment",
            Log1pOverX => "log1p_over_x",
            Log1pMoment => "log1p_moment",
            Log1mexp => "log1mexp",
            LogExpm1 => "log_expm1",
            RecipExpm1 => "recip_expm1",
            Ldexp => "ldexp",
            Exponent => "exponent",
        }
    }

    /// The function of these arguments, in any arithmetic.
    ///
    /// # Panics
    /// Where there are not [`Self::arity`] arguments.
    pub fn build<A: Arith>(&self, a: &mut A, args: &[A::F]) -> A::F {
        match (self, args) {
            (Exp, &[x]) => super::exp(a, x),
            (Exp2, &[x]) => super::exp2(a, x),
            (Expm1, &[x]) => super::expm1(a, x),
            (Sigmoid, &[x]) => super::sigmoid(a, x),
            (SigmoidSlope, &[x, y]) => super::sigmoid_slope(a, x, y),
            (Log, &[x]) => super::log(a, x),
            (Log1p, &[x]) => super::log1p(a, x),
            (Log2, &[x]) => super::log2(a, x),
            (Log10, &[x]) => super::log10(a, x),
            (Sin, &[x]) => super::sin(a, x),
            (Cos, &[x]) => super::cos(a, x),
            (Tan, &[x]) => super::tan(a, x),
            (Asin, &[x]) => super::asin(a, x),
            (Acos, &[x]) => super::acos(a, x),
            (Atan, &[x]) => super::atan(a, x),
            (Atan2, &[y, x]) => super::atan2(a, y, x),
            (Sinh, &[x]) => super::sinh(a, x),
            (Cosh, &[x]) => super::cosh(a, x),
            (Tanh, &[x]) => super::tanh(a, x),
            (TanhSlope, &[x, y]) => super::tanh_slope(a, x, y),
            (Asinh, &[x]) => super::asinh(a, x),
            (Acosh, &[x]) => super::acosh(a, x),
            (Atanh, &[x]) => super::atanh(a, x),
            (Pow, &[x, y]) => super::pow(a, x, y),
            (Cbrt, &[x]) => super::cbrt(a, x),
            (Erf, &[x]) => super::erf(a, x),
            (Erfc, &[x]) => super::erfc(a, x),
            (ErfInv, &[x]) => super::erf_inv(a, x),
            (Lgamma, &[x]) => super::lgamma(a, x),
            (Digamma, &[x]) => super::digamma(a, x),
            (Trigamma, &[x]) => super::trigamma(a, x),
            (Polygamma, &[n, x]) => super::polygamma(a, n, x),
            (PolygammaGap, &[n, x, b]) => super::polygamma_gap(a, n, x, b),
            (Hypot, &[x, y]) => super::hypot(a, x, y),
            (I0e, &[x]) => super::i0e(a, x),
            (I1e, &[x]) => super::i1e(a, x),
            (BesselRatio, &[n, x]) => super::bessel_ratio(a, n, x),
            (BesselMoment, &[k, x]) => super::bessel_moment(a, k, x),
            (Gammainc, &[s, x]) => super::gammainc(a, s, x),
            (Gammaincc, &[s, x]) => super::gammaincc(a, s, x),
            (GammaDensity, &[s, x]) => super::gamma_density(a, s, x),
            (GammaMoment, &[k, s, x]) => super::gamma_moment(a, k, s, x),
            (Betaln, &[x, y]) => super::betaln(a, x, y),
            (Betainc, &[p, q, x]) => super::betainc(a, p, q, x),
            (BetaDensity, &[p, q, x]) => super::beta_density(a, p, q, x),
            (BetaMoment, &[i, j, p, q, r]) => super::beta_moment(a, i, j, p, q, r),
            (NormalTail, &[q]) => super::normal_tail(a, q),
            (Erfcx, &[x]) => super::erfcx(a, x),
            (ErfcxRatio, &[n, x]) => super::erfcx_ratio(a, n, x),
            (LogErfc, &[x]) => super::log_erfc(a, x),
            (Ndtr, &[x]) => super::ndtr(a, x),
            (LogNdtr, &[x]) => super::log_ndtr(a, x),
            (Exprel, &[x]) => super::exprel(a, x),
            (ExprelMoment, &[n, x]) => super::exprel_moment(a, n, x),
            (Log1pOverX, &[x]) => super::log1p_over_x(a, x),
            (Log1pMoment, &[n, x]) => super::log1p_moment(a, n, x),
            (Log1mexp, &[x]) => super::log1mexp(a, x),
            (LogExpm1, &[x]) => super::log_expm1(a, x),
            (RecipExpm1, &[x]) => super::recip_expm1(a, x),
            (Ldexp, &[x, n]) => super::ldexp(a, x, n),
            (Exponent, &[x]) => super::exponent(a, x),
            _ => panic!(
                "{} takes {} arguments, not {}",
                self.name(),
                self.arity(),
                args.len()
            ),
        }
    }
}

/// The value of a function, by plain floats.
#[inline]
pub fn eval(f: Elementary, args: &[f64]) -> f64 {
    f.build(&mut Plain, args)
}
