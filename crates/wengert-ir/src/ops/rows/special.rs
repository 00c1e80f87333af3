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
