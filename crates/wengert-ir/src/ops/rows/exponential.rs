//! Powers, roots, exponentials and logarithms.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "exp",
        doc: "`e^x`: `numpy.exp`.",
        define: Define::Elementary(Elementary::Exp),
        derive: Derive::Factor(|_, y| y),
        ..FLOAT
    },
    Row {
        name: "exp2",
        doc: "`2^x`: `numpy.exp2`.",
        define: Define::Elementary(Elementary::Exp2),
        derive: Derive::Factor(|_, y| consts::LN_2 * y),
        ..FLOAT
    },
    Row {
        name: "expm1",
        doc: "`e^x - 1`, exact near 0: `numpy.expm1`.",
        define: Define::Elementary(Elementary::Expm1),
        derive: Derive::Factor(|_, y| y + 1.0),
        ..FLOAT
    },
    Row {
        name: "log",
        doc: "The natural logarithm: `numpy.log`.",
        define: Define::Elementary(Elementary::Log),
        derive: Derive::Factor(|x, _| x.recip()),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "log1p",
        doc: "`log(1 + x)`, exact near 0: `numpy.log1p`.",
        define: Define::Elementary(Elementary::Log1p),
        derive: Derive::Factor(|x, _| (1.0 + x).recip()),
        domain: &[(-0.7, 5.0)],
        ..FLOAT
    },
    Row {
        name: "log2",
        doc: "The logarithm to base 2: `numpy.log2`.",
        define: Define::Elementary(Elementary::Log2),
        derive: Derive::Factor(|x, _| consts::LOG2_E / x),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "log10",
        doc: "The logarithm to base 10: `numpy.log10`.",
        define: Define::Elementary(Elementary::Log10),
        derive: Derive::Factor(|x, _| consts::LOG10_E / x),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "logaddexp",
        doc: "`log(e^x + e^y)`, without overflow: `numpy.logaddexp`.",
        // The larger, and log1p of the ratio of the smaller to it, which is 1 where both are equal,
        // infinities too.
        define: Define::Wide(|s, x| {
            let zero = s.number(x[0], 0.0);
            let same = s.op(ScalarOp::Eq, &[x[0], x[1]]);
            let apart = s.op(ScalarOp::Sub, &[x[0], x[1]]);
            let apart = s.op(ScalarOp::Abs, &[apart]);
            let below = s.op(ScalarOp::Sub, &[zero, apart]);
            let below = s.select(same, zero, below);
            let ratio = s.elementary(Elementary::Exp, &[below]);
            let rest = s.elementary(Elementary::Log1p, &[ratio]);
            let larger = s.op(ScalarOp::Max, &[x[0], x[1]]);
            s.op(ScalarOp::Add, &[larger, rest])
        }),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| share(x[0], x[1])),
            Term::Factor(|x, _| share(x[1], x[0])),
        ]),
        ..FLOATS
    },
    Row {
        name: "erf",
        doc: "The error function, `2/sqrt(pi)` times the integral of `e^-t^2` to `x`: `scipy.special.erf`.",
        define: Define::Elementary(Elementary::Erf),
        derive: Derive::Factor(|x, _| consts::FRAC_2_SQRT_PI * (-(x * x)).exp()),
        ..FLOAT
    },
    Row {
        name: "erfc",
        doc: "`1 - erf x`, exact where that is small: `scipy.special.erfc`.",
        define: Define::Elementary(Elementary::Erfc),
        derive: Derive::Factor(|x, _| -consts::FRAC_2_SQRT_PI * (-(x * x)).exp()),
        ..FLOAT
    },
    Row {
        name: "normal_tail",
        doc: "What a standard normal number exceeds with probability `|q|`, with the sign of `q`.",
        define: Define::Elementary(Elementary::NormalTail),
        derive: Derive::Factor(|_, y| -(2.0 * consts::PI).sqrt() * (0.5 * y * y).exp()),
        domain: &[(0.05, 0.45)],
        ..FLOAT
    },
    Row {
        name: "sigmoid",
        doc: "`1 / (1 + e^-x)`: `scipy.special.expit`, `jax.nn.sigmoid`.",
        define: Define::Elementary(Elementary::Sigmoid),
        derive: Derive::Factor(|_, y| y * (1.0 - y)),
        ..FLOAT
    },
    Row {
        name: "pow",
        doc: "`x^y`: `numpy.power`.",
        define: Define::Elementary(Elementary::Pow),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| power_by_base(x[0], x[1])),
            Term::Factor(|x, y| power_by_exponent(x[0], y)),
        ]),
        domain: &[(0.3, 3.0), (-2.0, 3.0)],
        ..FLOATS
    },
    Row {
        name: "sqrt",
        doc: "The square root: `numpy.sqrt`.",
        define: Define::Op(ScalarOp::Sqrt),
        derive: Derive::Factor(|_, y| 0.5 / y),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
    Row {
        name: "cbrt",
        doc: "The cube root, of negative numbers too: `numpy.cbrt`.",
        define: Define::Elementary(Elementary::Cbrt),
        derive: Derive::Factor(|_, y| (3.0 * y * y).recip()),
        domain: &[(-5.0, -0.2)],
        ..FLOAT
    },
    Row {
        name: "hypot",
        doc: "`sqrt(x^2 + y^2)`, without overflow: `numpy.hypot`.",
        define: Define::Elementary(Elementary::Hypot),
        derive: Derive::Terms(&[
            Term::Factor(|x, y| y.eq(0.0).select(0.0, x[0] / y)),
            Term::Factor(|x, y| y.eq(0.0).select(0.0, x[1] / y)),
        ]),
        domain: &[(0.3, 3.0), (-3.0, 3.0)],
        ..FLOATS
    },
    Row {
        name: "rsqrt",
        doc: "`1 / sqrt x`: `jax.lax.rsqrt`.",
        define: Define::Wide(|s, x| {
            let one = s.number(x[0], 1.0);
            let root = s.op(ScalarOp::Sqrt, x);
            s.op(ScalarOp::Div, &[one, root])
        }),
        derive: Derive::Factor(|x, y| -0.5 * (y / x)),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
];

/// The share of `e^x` in `e^x + e^y`; 0 where both are `e^-∞`, and a half where both are infinite.
fn share(x: Var, y: Var) -> Var {
    let ty = x.ty();
    // The difference of equal infinities is no number.
    let apart = select(eq(x, y), Var::zeros(&ty), x - y);
    let share = apart.sigmoid();
    let none = eq(x, Var::full(&ty, f64::NEG_INFINITY));
    select(none, Var::zeros(&ty), share)
}

/// `y x^(y-1)`, which is 0 where `y` is 0, also at `x = 0`.
fn power_by_base(x: Var, y: Var) -> Var {
    let ty = y.ty();
    let none = eq(y, Var::zeros(&ty));
    let less = select(none, Var::full(&ty, 1.0), y - 1.0);
    select(none, Var::zeros(&ty), y * x.powf(less))
}

/// `x^y log x`, and 0 where `x` is 0, given `power` as `x^y`.
fn power_by_exponent(x: Var, power: Var) -> Var {
    let ty = x.ty();
    let none = eq(x, Var::zeros(&ty));
    let log = select(none, Var::full(&ty, 1.0), x).ln();
    select(none, Var::zeros(&ty), power * log)
}
