//! Bitwise logic and shifts.

use super::*;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "and",
        doc: "Both: `numpy.bitwise_and`.",
        signature: BITS,
        define: Define::Op(ScalarOp::And),
        ..FLOATS
    },
    Row {
        name: "or",
        doc: "At least one: `numpy.bitwise_or`.",
        signature: BITS,
        define: Define::Op(ScalarOp::Or),
        ..FLOATS
    },
    Row {
        name: "xor",
        doc: "Exactly one: `numpy.bitwise_xor`.",
        signature: BITS,
        define: Define::Op(ScalarOp::Xor),
        ..FLOATS
    },
    Row {
        name: "not",
        doc: "The opposite: `numpy.bitwise_not`.",
        signature: Signature { arity: 1, ..BITS },
        define: Define::Op(ScalarOp::Not),
        ..FLOAT
    },
    Row {
        name: "shift_left",
        doc: "Shifted left, by the second modulo the width: `numpy.left_shift`.",
        signature: SHIFT,
        define: Define::Op(ScalarOp::Shl),
        ..FLOATS
    },
    Row {
        name: "shift_right",
        doc: "Shifted right, by the second modulo the width; the sign is kept: `numpy.right_shift`.",
        signature: SHIFT,
        define: Define::Op(ScalarOp::Shr),
        ..FLOATS
    },
    Row {
        name: "shift_right_logical",
        doc: "Shifted right, by the second modulo the width; zeros come in: `jax.lax.shift_right_logical`.",
        signature: SHIFT,
        define: Define::Op(ScalarOp::ShrLogical),
        ..FLOATS
    },
];

const BITS: Signature = Signature {
    elements: Elements::Bits,
    ..FLOATS.signature
};

const SHIFT: Signature = Signature {
    elements: Elements::Int,
    ..FLOATS.signature
};
