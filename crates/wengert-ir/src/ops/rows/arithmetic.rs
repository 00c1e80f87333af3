//! Arithmetic.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "neg",
        doc: "The negative: `numpy.negative`.",
        define: Define::Op(ScalarOp::Neg),
        derive: Derive::Terms(&[Term::Linear(|_, d| neg(d))]),
        transpose: Some(|_, ct| vec![Some(ct.map(neg))]),
        ..NUMBER
    },
    Row {
        name: "add",
        doc: "The sum: `numpy.add`.",
        define: Define::Op(ScalarOp::Add),
        derive: Derive::Terms(&[Term::Linear(|_, d| d), Term::Linear(|_, d| d)]),
        transpose: Some(|x, ct| x.iter().map(|o| o.is_linear().then_some(ct)).collect()),
        ..NUMBERS
    },
    Row {
        name: "sub",
        doc: "The difference: `numpy.subtract`.",
        define: Define::Op(ScalarOp::Sub),
        derive: Derive::Tangent(|_, dx| match (dx[0], dx[1]) {
            (Some(a), Some(b)) => Some(sub(a, b)),
            (a, None) => a,
            (None, b) => b.map(neg),
        }),
        transpose: Some(|x, ct| {
            let first = x[0].is_linear().then_some(ct);
            vec![first, x[1].is_linear().then(|| ct.map(neg))]
        }),
        ..NUMBERS
    },
    Row {
        name: "mul",
        doc: "The product: `numpy.multiply`.",
        define: Define::Op(ScalarOp::Mul),
        derive: Derive::Terms(&[Term::Factor(|x, _| x[1]), Term::Factor(|x, _| x[0])]),
        transpose: Some(|x, ct| match x[0].is_linear() {
            true => vec![Some(ct.times(x[1].known())), None],
            false => vec![None, Some(ct.times(x[0].known()))],
        }),
        ..NUMBERS
    },
    Row {
        name: "div",
        doc: "The quotient, of integers towards zero: `numpy.divide`, `jax.lax.div`.",
        define: Define::Op(ScalarOp::Div),
        derive: Derive::Terms(&[
            Term::Linear(|x, d| match d.is_masked() {
                true => mul_or_zero(d, x[1].recip()),
                false => div(d, x[1]),
            }),
            Term::Factor(|x, y| neg(div(y, x[1]))),
        ]),
        transpose: Some(|x, ct| {
            let by = x[1].known();
            let first = match ct.zero_wins() {
                true => ct.times(by.recip()),
                false => ct.map(|v| div(v, by)),
            };
            vec![Some(first), None]
        }),
        domain: &[(-3.0, 3.0), (0.3, 3.0)],
        ..NUMBERS
    },
    Row {
        name: "rem",
        doc: "The remainder with the sign of the dividend: `numpy.fmod`, `jax.lax.rem`.",
        define: Define::Op(ScalarOp::Rem),
        derive: Derive::Terms(&[
            Term::Linear(|_, d| d),
            Term::Factor(|x, _| neg(div(x[0], x[1]).trunc())),
        ]),
        domain: &[(0.1, 0.9), (1.1, 1.9)],
        ..NUMBERS
    },
    Row {
        name: "fma",
        method: "mul_add",
        doc: "`a * b + c`, rounded once: `f64::mul_add`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Op(ScalarOp::Fma),
        derive: Derive::Tangent(|x, dx| {
            // If there is a third tangent, the last product and its sum are rounded once.
            let with = |d: Tangent, factor: Var, sum: Tangent| match (d, sum) {
                (Some(d), Some(c)) if d.is_masked() => Some(mul_or_zero(d, factor) + c),
                (Some(d), Some(c)) => Some(fma(d, factor, c)),
                (Some(d), None) => Some(times(d, factor)),
                (None, c) => c,
            };
            with(dx[1], x[0], with(dx[0], x[1], dx[2]))
        }),
        transpose: Some(|x, ct| {
            let factor = |i: usize, other: usize| {
                let linear = x[i].is_linear();
                linear.then(|| ct.times(x[other].known()))
            };
            let third = x[2].is_linear().then_some(ct);
            vec![factor(0, 1), factor(1, 0), third]
        }),
        domain: &[(-3.0, 3.0), (-3.0, 3.0), (-3.0, 3.0)],
    },
    Row {
        name: "mul_or_zero",
        method: "mul",
        doc: "The product, and 0 where the first factor is 0, whatever the second.",
        define: Define::Compose(|s, x| {
            let zero = s.number(x[0], 0.0);
            let none = s.op(ScalarOp::Eq, &[x[0], zero]);
            let product = s.op(ScalarOp::Mul, &[x[0], x[1]]);
            // The zero itself is returned: it keeps its sign, so that a factor of 1 changes nothing.
            s.select(none, x[0], product)
        }),
        derive: Derive::Terms(&[
            Term::Linear(|x, d| mul_or_zero(d, x[1])),
            Term::Linear(|x, d| mul_or_zero(x[0], d)),
        ]),
        transpose: Some(|x, ct| match x[0].is_linear() {
            true => {
                let by = x[1].known();
                vec![Some(ct.map(|v| mul_or_zero(v, by)).masked()), None]
            }
            false => {
                let by = x[0].known();
                vec![None, Some(ct.map(|v| mul_or_zero(by, v)).masked())]
            }
        }),
        ..FLOATS
    },
    Row {
        name: "div_or_zero",
        method: "div",
        doc: "The quotient, and 0 where the first is 0, whatever the second.",
        define: Define::Compose(|s, x| {
            let zero = s.number(x[0], 0.0);
            let none = s.op(ScalarOp::Eq, &[x[0], zero]);
            let quotient = s.op(ScalarOp::Div, &[x[0], x[1]]);
            s.select(none, x[0], quotient)
        }),
        derive: Derive::Terms(&[
            Term::Linear(|x, d| div_or_zero(d, x[1])),
            Term::Factor(|x, y| -div_or_zero(y, x[1])),
        ]),
        transpose: Some(|x, ct| {
            let by = x[1].known();
            vec![Some(ct.map(|v| div_or_zero(v, by)).masked()), None]
        }),
        domain: &[(-3.0, 3.0), (0.3, 3.0)],
        ..FLOATS
    },
    Row {
        name: "inverse_power",
        method: "powi",
        doc: "The power `y = x^-n`, of the operands `x`, `y` and `-n`.",
        signature: Signature {
            arity: 3,
            ..FLOATS.signature
        },
        define: Define::Compose(|_, x| x[1]),
        // Differentiating the reciprocal of the power would square it, which underflows long before the derivative
        // does.
        derive: Derive::Tangent(|x, dx| {
            let y = const { row("inverse_power") }.apply(x);
            dx[0].map(|d| mul(d, x[2] * (y / x[0])))
        }),
        domain: &[(0.3, 3.0), (0.3, 3.0), (-3.0, -1.0)],
        ..FLOAT
    },
    Row {
        name: "max",
        method: "maximum",
        doc: "The larger, NaN if either is NaN: `numpy.maximum`.",
        signature: ORDERED,
        define: Define::Op(ScalarOp::Max),
        derive: Derive::Tangent(|x, dx| extremum(lt(x[1], x[0]), x, dx)),
        ..NUMBERS
    },
    Row {
        name: "min",
        method: "minimum",
        doc: "The smaller, NaN if either is NaN: `numpy.minimum`.",
        signature: ORDERED,
        define: Define::Op(ScalarOp::Min),
        derive: Derive::Tangent(|x, dx| extremum(lt(x[0], x[1]), x, dx)),
        ..NUMBERS
    },
    Row {
        name: "abs",
        doc: "The size: `numpy.absolute`.",
        define: Define::Op(ScalarOp::Abs),
        derive: Derive::Factor(|x, _| x.sign()),
        domain: &[(0.2, 3.0)],
        ..NUMBER
    },
    Row {
        name: "sign",
        doc: "-1, 0 or 1; zeros keep their sign, and NaN stays NaN: `numpy.sign`.",
        define: Define::Compose(|s, x| {
            let (zero, one, minus) = (
                s.number(x[0], 0.0),
                s.number(x[0], 1.0),
                s.number(x[0], -1.0),
            );
            let above = s.op(ScalarOp::Lt, &[zero, x[0]]);
            let below = s.op(ScalarOp::Lt, &[x[0], zero]);
            let rest = s.select(below, minus, x[0]);
            s.select(above, one, rest)
        }),
        domain: &[(0.2, 3.0)],
        ..NUMBER
    },
    Row {
        name: "copysign",
        doc: "The size of the first with the sign of the second, that of a zero too; a NaN counts as positive: `numpy.copysign`.",
        define: Define::Compose(|s, x| {
            let dtype = x[0].dtype;
            let (bits, sign) = match dtype {
                DType::F32 => (DType::U32, 1 << 31),
                _ => (DType::U64, 1 << 63),
            };
            // The sign of a NaN depends on how it was computed, so it counts as positive.
            let number = s.op(ScalarOp::Eq, &[x[1], x[1]]);
            let one = s.number(x[1], 1.0);
            let from = s.select(number, x[1], one);
            let [size, from] = [x[0], from].map(|v| s.op_to(ScalarOp::Bitcast, bits, &[v]));
            let sign = s.constant(bits, sign);
            let rest = s.op(ScalarOp::Not, &[sign]);
            let size = s.op(ScalarOp::And, &[size, rest]);
            let sign = s.op(ScalarOp::And, &[from, sign]);
            let both = s.op(ScalarOp::Or, &[size, sign]);
            s.op_to(ScalarOp::Bitcast, dtype, &[both])
        }),
        // The result is a step function of the second operand.
        derive: Derive::Tangent(|x, dx| {
            let one = Var::full(&x[0].ty(), 1.0);
            dx[0].map(|d| mul(d, x[0].sign() * one.copysign(x[1])))
        }),
        domain: &[(0.2, 3.0), (-3.0, -0.2)],
        ..FLOATS
    },
    Row {
        name: "square",
        doc: "`x * x`: `numpy.square`.",
        define: Define::Compose(|s, x| s.op(ScalarOp::Mul, &[x[0], x[0]])),
        derive: Derive::Factor(|x, _| 2.0 * x),
        ..NUMBER
    },
    Row {
        name: "reciprocal",
        method: "recip",
        doc: "`1 / x`: `numpy.reciprocal`.",
        define: Define::Compose(|s, x| {
            let one = s.number(x[0], 1.0);
            s.op(ScalarOp::Div, &[one, x[0]])
        }),
        derive: Derive::Factor(|_, y| -(y * y)),
        domain: &[(0.3, 3.0)],
        ..FLOAT
    },
    Row {
        name: "stop_gradient",
        doc: "The same value, with derivative zero: `jax.lax.stop_gradient`.",
        signature: Signature {
            elements: Elements::Any,
            ..FLOAT.signature
        },
        ..FLOAT
    },
];

const ORDERED: Signature = Signature {
    elements: Elements::Any,
    ..NUMBERS.signature
};

/// Returns the tangent of the operand that wins (the first where `first` is true), and half of each on a tie.
fn extremum(first: Var, x: &[Var], dx: &[Tangent]) -> Tangent {
    let ty = x[0].ty();
    let [a, b] = [dx[0], dx[1]].map(|d| d.unwrap_or_else(|| Var::zeros(&ty)));
    let half = add_tangents(dx[0], dx[1]).map(|d| 0.5 * d)?;
    Some(select(first, a, select(eq(x[0], x[1]), half, b)).masked())
}
