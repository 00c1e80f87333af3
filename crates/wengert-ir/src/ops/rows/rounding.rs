//! Rounding. The derivatives are zero.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "floor",
        doc: "Towards minus infinity: `numpy.floor`.",
        define: Define::Op(ScalarOp::Floor),
        domain: BETWEEN,
        ..FLOAT
    },
    Row {
        name: "ceil",
        doc: "Towards infinity: `numpy.ceil`.",
        define: Define::Op(ScalarOp::Ceil),
        domain: BETWEEN,
        ..FLOAT
    },
    Row {
        name: "round",
        doc: "To the nearest integer, ties to even: `numpy.round`.",
        define: Define::Op(ScalarOp::Round),
        domain: BETWEEN,
        ..FLOAT
    },
    Row {
        name: "trunc",
        doc: "Towards zero: `numpy.trunc`.",
        define: Define::Op(ScalarOp::Trunc),
        domain: BETWEEN,
        ..FLOAT
    },
];

/// A range for tests that contains no jump.
const BETWEEN: &[(f64, f64)] = &[(1.1, 1.4)];
