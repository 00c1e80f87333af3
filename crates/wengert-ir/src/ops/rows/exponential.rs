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
        // Near the largest float, y overflows although y ln 2 does not.
        derive: Derive::Factor(|x, y| {
            let far = 2.0 * consts::LN_2 * (x - 1.0).exp2();
            let most = if x.ty().dtype == DType::F32 {
                127.0
            } else {
                1023.0
            };
            x.lt(most).select(consts::LN_2 * y, far)
        }),
        ..FLOAT
    },
    Row {
        name: "expm1",
        doc: "`e^x - 1`, exact near 0: `numpy.expm1`.",
        define: Define::Elementary(Elementary::Expm1),
        // y + 1 would cancel.
        derive: Derive::Factor(|x, _| x.exp()),
        ..FLOAT
    },
    Row {
        name: "log",
        method: "ln",
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
        // The larger operand plus log1p of the ratio of the smaller to the larger. The ratio is 1 if both are equal,
        // even if they are infinite.
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
        derive: Derive::Factor(|x, _| consts::FRAC_2_SQRT_PI * gauss(x)),
        ..FLOAT
    },
    Row {
        name: "erfc",
        doc: "`1 - erf x`, exact where that is small: `scipy.special.erfc`.",
        define: Define::Elementary(Elementary::Erfc),
        derive: Derive::Factor(|x, _| -consts::FRAC_2_SQRT_PI * gauss(x)),
        ..FLOAT
    },
    Row {
        name: "normal_tail",
        doc: "What a standard normal number exceeds with probability `|q|`, with the sign of `q`.",
        define: Define::Elementary(Elementary::NormalTail),
        // In f32 the exponential would magnify the rounding error of y.
        derive: Derive::Factor(|x, y| {
            let y = match x.ty().dtype {
                DType::F32 => x.to(DType::F64).normal_tail(),
                _ => y,
            };
            let slope = -(2.0 * consts::PI).sqrt() * (0.5 * y * y).exp();
            slope.to(x.ty().dtype)
        }),
        domain: &[(0.05, 0.45)],
        ..FLOAT
    },
    Row {
        name: "sigmoid",
        doc: "`1 / (1 + e^-x)`: `scipy.special.expit`, `jax.nn.sigmoid`.",
        define: Define::Elementary(Elementary::Sigmoid),
        derive: Derive::Factor(|x, y| const { row("sigmoid_slope") }.apply(&[x, y])),
        ..FLOAT
    },
    Row {
        name: "sigmoid_slope",
        method: "sigmoid",
        doc: "The derivative of sigmoid at the first operand, given its value there.",
        define: Define::Elementary(Elementary::SigmoidSlope),
        // The second operand carries no information beyond the first.
        derive: Derive::Tangent(|x, dx| {
            let slope = const { row("sigmoid_slope") }.apply(x);
            dx[0].map(|d| mul(d, -slope * (0.5 * x[0]).tanh()))
        }),
        // A range in which the second operand is not read.
        domain: &[(4.0, 8.0), (0.98, 0.999)],
        ..FLOATS
    },
    Row {
        name: "gauss",
        method: "erf",
        doc: "`e^-x^2`.",
        define: Define::Wide(|s, x| gaussian(s, x[0])),
        // Beyond the clamp the result is 0, and a large x would give infinities in its derivatives.
        derive: Derive::Factor(|x, y| -2.0 * x.clamp(-100.0, 100.0) * y),
        ..FLOAT
    },
    Row {
        name: "pow",
        method: "powf",
        doc: "`x^y`: `numpy.power`.",
        define: Define::Elementary(Elementary::Pow),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| power_by_base(x[0], x[1])),
            Term::Factor(|x, y| power_log(x[0], x[1], y)),
        ]),
        domain: &[(0.3, 3.0), (-2.0, 3.0)],
        ..FLOATS
    },
    Row {
        name: "power_log",
        method: "powf",
        doc: "`x^y log x`, and 0 where `x` is 0, of the operands `x`, `y` and `x^y`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Compose(|s, x| {
            let (zero, one) = (s.number(x[0], 0.0), s.number(x[0], 1.0));
            let none = s.op(ScalarOp::Eq, &[x[0], zero]);
            let base = s.select(none, one, x[0]);
            let log = s.elementary(Elementary::Log, &[base]);
            let product = s.op(ScalarOp::Mul, &[x[2], log]);
            s.select(none, zero, product)
        }),
        // The derivative by the base is x^(y-1) (1 + y log x): x^y may overflow where x^(y-1) does not.
        derive: Derive::Tangent(|x, dx| {
            let (base, exponent) = (x[0], x[1]);
            let none = base.eq(0.0);
            let safe = none.select(1.0, base);
            let by_base = dx[0].map(|d| {
                let slope = safe.powf(exponent - 1.0) * (1.0 + exponent * safe.ln());
                mul(d, none.select(0.0, slope))
            });
            let by_exponent = dx[1].map(|d| mul(d, power_log(base, exponent, x[2]) * safe.ln()));
            add_tangents(by_base, by_exponent)
        }),
        domain: &[(0.3, 3.0), (-2.0, 3.0), (0.3, 3.0)],
        ..FLOAT
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
        // The square of the reciprocal, so that its derivatives do not overflow earlier than necessary.
        derive: Derive::Factor(|_, y| {
            let r = y.recip();
            r * r / 3.0
        }),
        domain: &[(-5.0, -0.2)],
        ..FLOAT
    },
    Row {
        name: "hypot",
        doc: "`sqrt(x^2 + y^2)`, without overflow: `numpy.hypot`.",
        define: Define::Elementary(Elementary::Hypot),
        derive: Derive::Terms(&[
            Term::Factor(|x, _| direction(x[0], x[1])),
            Term::Factor(|x, _| direction(x[1], x[0])),
        ]),
        domain: &[(0.3, 3.0), (-3.0, 3.0)],
        ..FLOATS
    },
    Row {
        name: "direction",
        method: "hypot",
        doc: "`x / hypot(x, y)`, the cosine of the angle of the point `(x, y)`, and 0 at the origin.",
        define: Define::Compose(|s, x| {
            let (zero, one) = (s.number(x[0], 0.0), s.number(x[0], 1.0));
            // The length of a large point can overflow although its direction is defined.
            let most = match x[0].dtype {
                DType::F32 => f64::from(f32::MAX),
                _ => f64::MAX,
            };
            let [large, less] = [most / 4.0, 0.25].map(|c| s.number(x[0], c));
            let sizes = [x[0], x[1]].map(|x| s.op(ScalarOp::Abs, &[x]));
            let size = s.op(ScalarOp::Max, &sizes);
            let is_large = s.op(ScalarOp::Lt, &[large, size]);
            let scale = s.select(is_large, less, one);
            let [a, b] = [x[0], x[1]].map(|x| s.op(ScalarOp::Mul, &[x, scale]));
            let length = s.elementary(Elementary::Hypot, &[a, b]);
            let none = s.op(ScalarOp::Eq, &[length, zero]);
            let by = s.select(none, one, length);
            s.op(ScalarOp::Div, &[a, by])
        }),
        // The derivative of the cosine of an angle: nothing cancels, and no square overflows.
        derive: Derive::Tangent(|x, dx| {
            let (cosine, sine) = (direction(x[0], x[1]), direction(x[1], x[0]));
            let share = sine / or_one(x[0].hypot(x[1]));
            let first = dx[0].map(|d| mul(d, sine * share));
            let second = dx[1].map(|d| mul(d, -cosine * share));
            add_tangents(first, second)
        }),
        domain: &[(0.3, 3.0), (-3.0, 3.0)],
        ..FLOATS
    },
    Row {
        name: "rsqrt",
        doc: "`1 / sqrt x`: `jax.lax.rsqrt`.",
        define: Define::Compose(reciprocal_root),
        derive: Derive::Factor(|x, y| -0.5 * (y / x)),
        domain: &[(0.2, 5.0)],
        ..FLOAT
    },
];

/// Returns `1 / sqrt x`. In `f32`, where a unit in the last place is seen, the quotient `y` is corrected by its residual
/// `1 - x y^2`, of which it takes half.
fn reciprocal_root(s: &mut dyn Scalars, x: &[Scalar]) -> Scalar {
    let x = x[0];
    let one = s.number(x, 1.0);
    let root = s.op(ScalarOp::Sqrt, &[x]);
    let y = s.op(ScalarOp::Div, &[one, root]);
    if x.dtype != DType::F32 {
        return y;
    }
    let minus_y = s.op(ScalarOp::Neg, &[y]);
    let product = s.op(ScalarOp::Mul, &[x, y]);
    let minus = s.op(ScalarOp::Neg, &[product]);
    let lost = s.op(ScalarOp::Fma, &[x, y, minus]);
    let left = s.op(ScalarOp::Fma, &[product, minus_y, one]);
    let left = s.op(ScalarOp::Fma, &[lost, minus_y, left]);
    let half = s.number(x, 0.5);
    let half = s.op(ScalarOp::Mul, &[half, y]);
    let better = s.op(ScalarOp::Fma, &[half, left, y]);
    // At 0 and at infinity the residual is NaN.
    let zero = s.number(x, 0.0);
    let infinity = s.number(x, f64::INFINITY);
    let some = s.op(ScalarOp::Lt, &[zero, x]);
    let finite = s.op(ScalarOp::Lt, &[x, infinity]);
    let inner = s.op(ScalarOp::And, &[some, finite]);
    s.select(inner, better, y)
}

/// Returns the share of `e^x` in `e^x + e^y`: 0 if both are `e^-∞`, a half if both are infinite.
fn share(x: Var, y: Var) -> Var {
    let ty = x.ty();
    let apart = x - y;
    // The difference of equal infinities is NaN. For equal finite numbers it has derivatives, so it is kept.
    let no_number = eq(x, y).and(apart.is_nan());
    let apart = select(no_number, Var::zeros(&ty), apart);
    let share = apart.sigmoid();
    let none = eq(x, Var::full(&ty, f64::NEG_INFINITY));
    select(none, Var::zeros(&ty), share)
}

/// Returns `y x^(y-1)`, which is 0 where `y` is 0, also at `x = 0`.
fn power_by_base(x: Var, y: Var) -> Var {
    let ty = y.ty();
    // Where the quotient is finite `x^(y-1)` is kept, since it is the derivative of the product by `y`.
    let none = eq(y, Var::zeros(&ty)).and(!(1.0 / x).is_finite());
    let less = select(none, Var::full(&ty, 1.0), y - 1.0);
    select(none, Var::zeros(&ty), y * x.powf(less))
}

/// Returns `x^y log x`, and 0 where `x` is 0, given `power` as `x^y`.
fn power_log(x: Var, y: Var, power: Var) -> Var {
    const { row("power_log") }.apply(&[x, y, power])
}

fn gauss(x: Var) -> Var {
    const { row("gauss") }.apply(&[x])
}

/// Returns `e^-x^2`. Corrects for the rounding error of the square, which the exponential would magnify.
pub(super) fn gaussian(s: &mut dyn Scalars, x: Scalar) -> Scalar {
    let one = s.number(x, 1.0);
    let square = s.op(ScalarOp::Mul, &[x, x]);
    let minus = s.op(ScalarOp::Neg, &[square]);
    let y = s.elementary(Elementary::Exp, &[minus]);
    let rest = s.op(ScalarOp::Fma, &[x, x, minus]);
    let share = s.op(ScalarOp::Sub, &[one, rest]);
    let better = s.op(ScalarOp::Mul, &[y, share]);
    let far = s.number(x, 1000.0);
    let near = s.op(ScalarOp::Lt, &[square, far]);
    s.select(near, better, y)
}
