//! Comparisons and selection.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "eq",
        doc: "Whether both are equal, false on NaN: `numpy.equal`.",
        signature: COMPARE,
        define: Define::Op(ScalarOp::Eq),
        ..NUMBERS
    },
    Row {
        name: "ne",
        doc: "Whether they differ, true on NaN: `numpy.not_equal`.",
        signature: COMPARE,
        define: Define::Op(ScalarOp::Ne),
        ..NUMBERS
    },
    Row {
        name: "lt",
        doc: "Whether the first is smaller, false on NaN: `numpy.less`.",
        signature: COMPARE,
        define: Define::Op(ScalarOp::Lt),
        ..NUMBERS
    },
    Row {
        name: "le",
        doc: "Whether the first is not larger, false on NaN: `numpy.less_equal`.",
        signature: COMPARE,
        define: Define::Op(ScalarOp::Le),
        ..NUMBERS
    },
    Row {
        name: "select",
        method: "",
        doc: "The second where the first holds, else the third: `numpy.where`.",
        signature: Signature {
            arity: 3,
            elements: Elements::Any,
            predicate: true,
            returns_bool: false,
        },
        define: Define::Op(ScalarOp::Select),
        derive: Derive::Tangent(chosen),
        transpose: Some(masked),
        domain: &[(0.0, 1.0), (-3.0, 3.0), (-3.0, 3.0)],
    },
];

const COMPARE: Signature = Signature {
    arity: 2,
    elements: Elements::Any,
    predicate: false,
    returns_bool: true,
};

fn chosen(x: &[Var], dx: &[Tangent]) -> Tangent {
    let ty = x[1].ty();
    let or_zero = |d: Tangent| d.unwrap_or_else(|| Var::zeros(&ty));
    let some = dx[1].is_some() || dx[2].is_some();
    some.then(|| select(x[0], or_zero(dx[1]), or_zero(dx[2])))
}

fn masked(x: &[Operand], ct: Cotangent) -> Vec<Option<Cotangent>> {
    let p = x[0].known();
    let zero = Var::zeros(&ct.value.ty());
    let linear = |i: usize, f: &dyn Fn(Var) -> Var| x[i].is_linear().then(|| ct.map(f).masked());
    vec![
        None,
        linear(1, &|v| select(p, v, zero)),
        linear(2, &|v| select(p, zero, v)),
    ]
}
