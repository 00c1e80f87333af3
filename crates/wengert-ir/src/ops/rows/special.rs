//! The inverse of the error function, and the gamma function and what comes from it.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "erf_inv",
        doc: "The inverse of the error function, NaN beyond 1: `scipy.special.erfinv`.",
        define: Define::Elementary(Elementary::ErfInv),
        derive: Derive::Factor(|_, y| consts::FRAC_2_SQRT_PI.recip() * y.square().exp()),
        domain: &[(-0.9, 0.9)],
        ..FLOAT
    },
    Row {
        name: "i0e",
        doc: "The modified Bessel function of order 0, times `e^-|x|`: `scipy.special.i0e`.",
        define: Define::Elementary(Elementary::I0e),
        derive: Derive::Factor(|x, y| x.i1e() - x.sign() * y),
        domain: &[(0.2, 12.0)],
        ..FLOAT
    },
    Row {
        name: "i1e",
        doc: "The modified Bessel function of order 1, times `e^-|x|`: `scipy.special.i1e`.",
        define: Define::Elementary(Elementary::I1e),
        // x times the ratio of order 1.
        derive: Derive::Factor(|x, y| {
            let one = Var::full(&x.ty(), 1.0);
            let next = bessel_ratio(one + 1.0, x);
            bessel_ratio(one, x) + x * (x * next) - x.sign() * y
        }),
        domain: &[(0.2, 12.0)],
        ..FLOAT
    },
    Row {
        name: "bessel_ratio",
        doc: "The modified Bessel function of the order nearest to the first operand, times `e^-|x| / x^n`.",
        define: Define::Elementary(Elementary::BesselRatio),
        // A step function of the order.
        derive: Derive::Tangent(|x, dx| {
            dx[1].map(|d| {
                let (n, x) = (x[0].round(), x[1]);
                let next = x * bessel_ratio(n + 1.0, x);
                mul(d, next - x.sign() * bessel_ratio(n, x))
            })
        }),
        domain: &[(1.6, 2.4), (0.2, 30.0)],
        ..FLOATS
    },
    Row {
        name: "lgamma",
        doc: "The logarithm of the size of the gamma function: `scipy.special.gammaln`.",
        define: Define::Elementary(Elementary::Lgamma),
        derive: Derive::Factor(|x, _| x.digamma()),
        domain: &[(0.3, 9.0)],
        ..FLOAT
    },
    Row {
        name: "digamma",
        doc: "The derivative of lgamma, NaN at its poles: `scipy.special.digamma`.",
        define: Define::Elementary(Elementary::Digamma),
        derive: Derive::Factor(|x, _| x.polygamma(1)),
        domain: &[(0.5, 9.0)],
        ..FLOAT
    },
    Row {
        name: "trigamma",
        doc: "The derivative of digamma: `scipy.special.polygamma(1, x)`.",
        define: Define::Elementary(Elementary::Trigamma),
        derive: Derive::Factor(|x, _| x.polygamma(2)),
        domain: &[(0.8, 9.0)],
        ..FLOAT
    },
    Row {
        name: "polygamma",
        doc: "The derivative of digamma of the order nearest to the first operand, which comes first: `scipy.special.polygamma`.",
        define: Define::Elementary(Elementary::Polygamma),
        // A step function of the order.
        derive: Derive::Tangent(|x, dx| dx[1].map(|d| mul(d, x[1].polygamma(x[0].round() + 1.0)))),
        domain: &[(1.6, 2.4), (1.5, 9.0)],
        ..FLOATS
    },
];

fn bessel_ratio(n: Var, x: Var) -> Var {
    const { row("bessel_ratio") }.apply(&[n, x])
}
