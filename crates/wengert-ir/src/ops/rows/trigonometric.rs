//! Circular and hyperbolic functions and their inverses. Angles are in radians.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "sin",
        doc: "The sine: `numpy.sin`.",
        define: Define::Elementary(Elementary::Sin),
        derive: Derive::Factor(|x, _| x.cos()),
        ..FLOAT
    },
    Row {
        name: "cos",
        doc: "The cosine: `numpy.cos`.",
        define: Define::Elementary(Elementary::Cos),
        derive: Derive::Factor(|x, _| -x.sin()),
        ..FLOAT
    },
    Row {
        name: "tan",
        doc: "The tangent: `numpy.tan`.",
        define: Define::Elementary(Elementary::Tan),
        derive: Derive::Factor(|_, y| 1.0 + y * y),
        domain: &[(-1.2, 1.2)],
        ..FLOAT
    },
    Row {
        name: "sinc",
        doc: "`sin(pi x) / (pi x)`, and 1 at 0: `numpy.sinc`.",
        // sin(pi x) is computed from the distance to the nearest integer, which is exact, with the sign
        // of that integer's parity.
        define: Define::Wide(|s, x| {
            let [zero, half, one, pi] = [0.0, 0.5, 1.0, consts::PI].map(|c| s.number(x[0], c));
            let nearest = s.op(ScalarOp::Round, x);
            let rest = s.op(ScalarOp::Sub, &[x[0], nearest]);
            let angle = s.op(ScalarOp::Mul, &[pi, rest]);
            let sine = s.elementary(Elementary::Sin, &[angle]);
            let halved = s.op(ScalarOp::Mul, &[nearest, half]);
            let even = s.op(ScalarOp::Round, &[halved]);
            let even = s.op(ScalarOp::Eq, &[halved, even]);
            let negative = s.op(ScalarOp::Neg, &[sine]);
            let sine = s.select(even, sine, negative);
            let full = s.op(ScalarOp::Mul, &[pi, x[0]]);
            let ratio = s.op(ScalarOp::Div, &[sine, full]);
            let none = s.op(ScalarOp::Eq, &[x[0], zero]);
            s.select(none, one, ratio)
        }),
        derive: Derive::Factor(sinc_slope),
        domain: &[(-4.0, 4.0)],
        ..FLOAT
    },
    Row {
        name: "asin",
        doc: "The inverse of the sine, from -pi/2 to pi/2: `numpy.arcsin`.",
        define: Define::Elementary(Elementary::Asin),
        derive: Derive::Factor(|x, _| less_square(x).rsqrt()),
        domain: &[(-0.8, 0.8)],
        ..FLOAT
    },
    Row {
        name: "acos",
        doc: "The inverse of the cosine, from 0 to pi: `numpy.arccos`.",
        define: Define::Elementary(Elementary::Acos),
        derive: Derive::Factor(|x, _| -less_square(x).rsqrt()),
        domain: &[(-0.8, 0.8)],
        ..FLOAT
    },
    Row {
        name: "atan",
        doc: "The inverse of the tangent, from -pi/2 to pi/2: `numpy.arctan`.",
        define: Define::Elementary(Elementary::Atan),
        // The square of the cosine, so that no square overflows in its derivatives.
        derive: Derive::Factor(|x, _| {
            let cosine = x.hypot(full(x, 1.0)).recip();
            cosine * cosine
        }),
        ..FLOAT
    },
    Row {
        name: "atan2",
        doc: "The angle of the point `(x, y)`, from -pi to pi; `y` comes first: `numpy.arctan2`.",
        define: Define::Elementary(Elementary::Atan2),
        derive: Derive::Terms(&[
            Term::Factor(|p, _| inverse_part(p[1], p[0])),
            Term::Factor(|p, _| -inverse_part(p[0], p[1])),
        ]),
        domain: &[(0.3, 2.0), (-2.0, 2.0)],
        ..FLOATS
    },
    Row {
        name: "inverse_part",
        method: "atan2",
        doc: "`x / (x^2 + y^2)`, the real part of the inverse of `x + i y`.",
        define: Define::Compose(|s, x| {
            let length = s.elementary(Elementary::Hypot, x);
            let cosine = s.op(ScalarOp::Div, &[x[0], length]);
            s.op(ScalarOp::Div, &[cosine, length])
        }),
        // The real part of the tangent times minus the square of the inverse.
        derive: Derive::Tangent(|x, dx| {
            let (real, other) = (inverse_part(x[0], x[1]), inverse_part(x[1], x[0]));
            let first = dx[0].map(|d| mul(d, (other - real) * (other + real)));
            let second = dx[1].map(|d| mul(d, -2.0 * real * other));
            add_tangents(first, second)
        }),
        domain: &[(0.3, 2.0), (-2.0, 2.0)],
        ..FLOATS
    },
    Row {
        name: "sinh",
        doc: "The hyperbolic sine: `numpy.sinh`.",
        define: Define::Elementary(Elementary::Sinh),
        derive: Derive::Factor(|x, _| x.cosh()),
        ..FLOAT
    },
    Row {
        name: "cosh",
        doc: "The hyperbolic cosine: `numpy.cosh`.",
        define: Define::Elementary(Elementary::Cosh),
        derive: Derive::Factor(|x, _| x.sinh()),
        ..FLOAT
    },
    Row {
        name: "tanh",
        doc: "The hyperbolic tangent: `numpy.tanh`.",
        define: Define::Elementary(Elementary::Tanh),
        derive: Derive::Factor(|x, y| const { row("tanh_slope") }.apply(&[x, y])),
        ..FLOAT
    },
    Row {
        name: "tanh_slope",
        method: "tanh",
        doc: "The derivative of tanh at the first operand, given its value there.",
        define: Define::Elementary(Elementary::TanhSlope),
        // The second operand carries no information beyond the first.
        derive: Derive::Tangent(|x, dx| {
            let slope = const { row("tanh_slope") }.apply(x);
            dx[0].map(|d| mul(d, -2.0 * x[0].tanh() * slope))
        }),
        // A range in which the second operand is not read.
        domain: &[(4.0, 8.0), (0.98, 0.999)],
        ..FLOATS
    },
    Row {
        name: "asinh",
        doc: "The inverse of the hyperbolic sine: `numpy.arcsinh`.",
        define: Define::Elementary(Elementary::Asinh),
        derive: Derive::Factor(|x, _| x.hypot(full(x, 1.0)).recip()),
        ..FLOAT
    },
    Row {
        name: "acosh",
        doc: "The inverse of the hyperbolic cosine, NaN below 1: `numpy.arccosh`.",
        define: Define::Elementary(Elementary::Acosh),
        // The square of a large number would overflow.
        derive: Derive::Factor(|x, _| ((x - 1.0).sqrt() * (x + 1.0).sqrt()).recip()),
        domain: &[(1.3, 5.0)],
        ..FLOAT
    },
    Row {
        name: "atanh",
        doc: "The inverse of the hyperbolic tangent, NaN beyond 1: `numpy.arctanh`.",
        define: Define::Elementary(Elementary::Atanh),
        derive: Derive::Factor(|x, _| less_square(x).recip()),
        domain: &[(-0.8, 0.8)],
        ..FLOAT
    },
];

fn inverse_part(x: Var, y: Var) -> Var {
    const { row("inverse_part") }.apply(&[x, y])
}

/// Returns `1 - x^2`, rounded once. Its derivative is `-2 x`; that of `(1 - x) (1 + x)` would cancel.
fn less_square(x: Var) -> Var {
    fma(-x, x, full(x, 1.0))
}

/// Returns `(cos(pi x) - sinc x) / x`. Where the difference cancels it is computed by its series, with enough terms for
/// higher derivatives.
fn sinc_slope(x: Var, y: Var) -> Var {
    let turn = x - 2.0 * (0.5 * x).round();
    let far = ((consts::PI * turn).cos() - y) / x;
    let square = (consts::PI * x).square();
    // The k-th coefficient, from the last one down: (-1)^k 2k / (2k + 1)!, times pi^2.
    let mut sum = Var::full(&x.ty(), 0.0);
    for k in (1..=11).rev() {
        let factorial: f64 = (1..=2 * k + 1).map(f64::from).product();
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        sum = sum * square + sign * f64::from(2 * k) / factorial;
    }
    let near = consts::PI * consts::PI * x * sum;
    x.abs().lt(0.3).select(near, far)
}
