//! The inverse of the error function, the gamma function and its relatives, and Bessel functions.

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
        // i1e - i0e would cancel.
        derive: Derive::Factor(|x, _| -x.sign() * bessel_moment(full(x, 1.0), x)),
        domain: &[(0.2, 12.0)],
        ..FLOAT
    },
    Row {
        name: "i1e",
        doc: "The modified Bessel function of order 1, times `e^-|x|`: `scipy.special.i1e`.",
        define: Define::Elementary(Elementary::I1e),
        // The derivative is the moment of order 0 minus that of order 1, with the sign of x.
        derive: Derive::Factor(|x, _| {
            bessel_moment(full(x, 2.0), x) - bessel_moment(full(x, 1.0), x)
        }),
        domain: &[(0.2, 12.0)],
        ..FLOAT
    },
    Row {
        name: "i0",
        doc: "The modified Bessel function of order 0: `scipy.special.i0`.",
        define: Define::Wide(|s, x| grown(s, Elementary::I0e, x[0])),
        derive: Derive::Factor(|x, _| x.i1()),
        ..FLOAT
    },
    Row {
        name: "i1",
        doc: "The modified Bessel function of order 1: `scipy.special.i1`.",
        define: Define::Wide(|s, x| grown(s, Elementary::I1e, x[0])),
        // The function is x times the ratio of order 1. All terms of its derivative have one sign.
        derive: Derive::Factor(|x, _| {
            bessel_ratio(full(x, 1.0), x) + x * (x * bessel_ratio(full(x, 2.0), x))
        }),
        ..FLOAT
    },
    Row {
        name: "bessel_ratio",
        method: "i1",
        doc: "The modified Bessel function of the order nearest to the first operand, over `x^n`.",
        define: Define::Elementary(Elementary::BesselRatio),
        // The result is a step function of the order.
        derive: Derive::Tangent(|x, dx| {
            dx[1].map(|d| {
                let next = x[0].round() + 1.0;
                mul(d, x[1] * bessel_ratio(next, x[1]))
            })
        }),
        domain: &[(1.6, 2.4), (0.2, 6.0)],
        ..FLOATS
    },
    Row {
        name: "bessel_moment",
        method: "i0e",
        doc: "The derivative of i0e at `|x|` of the order nearest to the first operand, but for its sign.",
        define: Define::Elementary(Elementary::BesselMoment),
        // The result is a step function of the order.
        derive: Derive::Tangent(|x, dx| {
            dx[1].map(|d| {
                let next = x[0].round() + 1.0;
                mul(d, -x[1].sign() * bessel_moment(next, x[1]))
            })
        }),
        domain: &[(1.6, 2.4), (0.2, 30.0)],
        ..FLOATS
    },
    Row {
        name: "xlogy",
        doc: "`x log y`, and 0 where `x` is 0: `scipy.special.xlogy`.",
        define: Define::Wide(|s, x| times_log(s, x, Elementary::Log)),
        derive: Derive::Terms(&[
            Term::Linear(|x, d| mul_or_zero(d, x[1].ln())),
            Term::Factor(|x, _| div_or_zero(x[0], x[1])),
        ]),
        transpose: Some(|x, ct| {
            let log = x[1].known().ln();
            vec![Some(ct.map(|v| mul_or_zero(v, log)).masked()), None]
        }),
        domain: &[(-3.0, 3.0), (0.3, 3.0)],
        ..FLOATS
    },
    Row {
        name: "xlog1py",
        doc: "`x log(1 + y)`, and 0 where `x` is 0: `scipy.special.xlog1py`.",
        define: Define::Wide(|s, x| times_log(s, x, Elementary::Log1p)),
        derive: Derive::Terms(&[
            Term::Linear(|x, d| mul_or_zero(d, x[1].log1p())),
            Term::Factor(|x, _| div_or_zero(x[0], 1.0 + x[1])),
        ]),
        transpose: Some(|x, ct| {
            let log = x[1].known().log1p();
            vec![Some(ct.map(|v| mul_or_zero(v, log)).masked()), None]
        }),
        domain: &[(-3.0, 3.0), (-0.7, 3.0)],
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
        method: "polygamma",
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
        // The result is a step function of the order.
        derive: Derive::Tangent(|x, dx| dx[1].map(|d| mul(d, x[1].polygamma(x[0].round() + 1.0)))),
        domain: &[(1.6, 2.4), (1.5, 9.0)],
        ..FLOATS
    },
    Row {
        name: "polygamma_gap",
        method: "betaln",
        doc: "The size of the difference between polygamma at `x + b` and at `x`, of an order, `x` and `b`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Elementary(Elementary::PolygammaGap),
        // The result is a step function of the order.
        derive: Derive::Tangent(|x, dx| {
            let next = x[0].round() + 1.0;
            let by_start = dx[1].map(|d| {
                let gap = const { row("polygamma_gap") }.apply(&[next, x[1], x[2]]);
                mul(d, -gap)
            });
            let by_length = dx[2].map(|d| mul(d, (x[1] + x[2]).polygamma(next).abs()));
            add_tangents(by_start, by_length)
        }),
        domain: &[(0.6, 1.4), (0.5, 9.0), (0.5, 9.0)],
        ..FLOAT
    },
];

/// Multiplies a function that is scaled by `e^-|x|` by `e^|x|`. It multiplies twice by the root of the exponential,
/// which would otherwise overflow earlier than the product does.
fn grown(s: &mut dyn Scalars, f: Elementary, x: Scalar) -> Scalar {
    let half = s.number(x, 0.5);
    let y = s.elementary(f, &[x]);
    let size = s.op(ScalarOp::Abs, &[x]);
    let size = s.op(ScalarOp::Mul, &[size, half]);
    let root = s.elementary(Elementary::Exp, &[size]);
    let y = s.op(ScalarOp::Mul, &[y, root]);
    s.op(ScalarOp::Mul, &[y, root])
}

/// Returns `x f(y)`, and 0 where `x` is 0.
fn times_log(s: &mut dyn Scalars, x: &[Scalar], f: Elementary) -> Scalar {
    let zero = s.number(x[0], 0.0);
    let none = s.op(ScalarOp::Eq, &[x[0], zero]);
    let log = s.elementary(f, &[x[1]]);
    let product = s.op(ScalarOp::Mul, &[x[0], log]);
    s.select(none, x[0], product)
}

fn bessel_ratio(n: Var, x: Var) -> Var {
    const { row("bessel_ratio") }.apply(&[n, x])
}

fn bessel_moment(k: Var, x: Var) -> Var {
    const { row("bessel_moment") }.apply(&[k, x])
}
