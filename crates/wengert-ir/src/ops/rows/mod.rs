//! The tables of elementwise operations: each is one row, a piece of data.
//!
//! To add an operation, write its row in the table it belongs to, and a method in
//! `trace/functions.rs` that names the row.

mod arithmetic;
mod compare;
mod exponential;
mod incomplete;
mod logic;
mod rounding;
mod special;
mod tails;
mod trigonometric;

// What a table may need stands here: it takes everything in by `use super::*`, so that a new row
// imports nothing.
use std::f64::consts;

use smallvec::SmallVec;

use crate::elementary::Elementary;
use crate::ir::DType;
use crate::loops::ScalarOp;
use crate::ops::elementwise::{
    Elementwise, div, eq, fma, lt, mul, mul_or_zero, neg, select, sub, times,
};
use crate::ops::{Cotangent, Operand, Tangent, add_tangents};
use crate::scalar::{Scalar, Scalars};
use crate::trace::Var;

/// The cotangents of the operands, given that of the result.
pub type Transpose = fn(&[Operand], Cotangent) -> Vec<Option<Cotangent>>;

/// One elementwise operation.
#[derive(Debug)]
pub struct Row {
    /// Its name in the text form.
    pub name: &'static str,
    /// The method that it is of, or of whose derivative it is a part, where that has another name.
    pub method: &'static str,
    /// What it is, and what NumPy calls it.
    pub doc: &'static str,
    /// What it takes and gives.
    pub signature: Signature,
    /// What it computes.
    pub define: Define,
    /// Its derivative.
    pub derive: Derive,
    /// The cotangents of its linear operands, if there is an operand it is linear in.
    pub transpose: Option<Transpose>,
    /// For tests: where each operand may lie and the derivative exists.
    pub domain: &'static [(f64, f64)],
}

/// What an operation takes and gives. All operands have one type, and so has the result, unless said.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The number of operands.
    pub arity: usize,
    /// What they may be.
    pub elements: Elements,
    /// The first operand is of truth values, whatever the others are.
    pub predicate: bool,
    /// The result is of truth values.
    pub returns_bool: bool,
}

/// What elements an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elements {
    /// Floats.
    Float,
    /// Floats and integers.
    Number,
    /// Integers.
    Int,
    /// Integers and truth values.
    Bits,
    /// Numbers and truth values.
    Any,
}

impl Elements {
    /// Whether they may be of that type.
    pub fn contains(self, dtype: DType) -> bool {
        match self {
            Elements::Float => dtype.is_float(),
            Elements::Number => dtype != DType::Bool,
            Elements::Int => dtype.is_int(),
            Elements::Bits => !dtype.is_float(),
            Elements::Any => true,
        }
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Elements::Float => "floats",
            Elements::Number => "numbers",
            Elements::Int => "integers",
            Elements::Bits => "integers or bool",
            Elements::Any => "anything",
        }
    }
}

/// What an operation computes on scalars.
#[derive(Clone, Copy, Debug)]
pub enum Define {
    /// One operation of the loop IR.
    Op(ScalarOp),
    /// An elementary function.
    Elementary(Elementary),
    /// Several of these.
    Compose(fn(&mut dyn Scalars, &[Scalar]) -> Scalar),
    /// Several of these, in `f64` whatever the operands are: other floats are converted, and the
    /// result is rounded once.
    Wide(fn(&mut dyn Scalars, &[Scalar]) -> Scalar),
}

impl Define {
    /// Computes or records it.
    pub fn apply(&self, s: &mut dyn Scalars, x: &[Scalar]) -> Scalar {
        match self {
            Define::Op(op) => s.op(*op, x),
            Define::Elementary(f) => s.elementary(*f, x),
            Define::Compose(f) => f(s, x),
            Define::Wide(f) if x[0].dtype == DType::F64 => f(s, x),
            Define::Wide(f) => {
                let mut wide: SmallVec<[Scalar; 3]> = x.into();
                for x in &mut wide {
                    *x = s.op_to(ScalarOp::Convert, DType::F64, &[*x]);
                }
                let y = f(s, &wide);
                s.op_to(ScalarOp::Convert, x[0].dtype, &[y])
            }
        }
    }
}

/// The derivative of an operation.
#[derive(Clone, Copy, Debug)]
pub enum Derive {
    /// Zero wherever it exists.
    Zero,
    /// Of one operand: `dy/dx`, given `x` and `y`.
    Factor(fn(Var, Var) -> Var),
    /// A term of the tangent for each operand.
    Terms(&'static [Term]),
    /// The tangent, given those of the operands, of which one at least is there.
    Tangent(fn(x: &[Var], dx: &[Tangent]) -> Tangent),
}

/// What an operand contributes to the tangent of the result.
#[derive(Clone, Copy, Debug)]
pub enum Term {
    /// Its tangent times `dy/dx`, given the operands and the result.
    Factor(fn(&[Var], Var) -> Var),
    /// A linear function of its tangent (the last argument), given the operands.
    Linear(fn(&[Var], Var) -> Var),
}

/// Every table.
pub const TABLES: [&[Row]; 9] = [
    arithmetic::ROWS,
    exponential::ROWS,
    special::ROWS,
    incomplete::ROWS,
    tails::ROWS,
    trigonometric::ROWS,
    rounding::ROWS,
    compare::ROWS,
    logic::ROWS,
];

/// What a row of one float operand does not say.
const FLOAT: Row = Row {
    name: "",
    method: "",
    doc: "",
    signature: Signature {
        arity: 1,
        elements: Elements::Float,
        predicate: false,
        returns_bool: false,
    },
    define: Define::Compose(|_, x| x[0]),
    derive: Derive::Zero,
    transpose: None,
    domain: &[(-3.0, 3.0)],
};

/// What a row of two float operands does not say.
const FLOATS: Row = Row {
    signature: Signature {
        arity: 2,
        ..FLOAT.signature
    },
    domain: &[(-3.0, 3.0), (-3.0, 3.0)],
    ..FLOAT
};

/// What a row of one operand, a number, does not say.
const NUMBER: Row = Row {
    signature: Signature {
        elements: Elements::Number,
        ..FLOAT.signature
    },
    ..FLOAT
};

/// What a row of two operands, numbers, does not say.
const NUMBERS: Row = Row {
    signature: Signature {
        elements: Elements::Number,
        ..FLOATS.signature
    },
    ..FLOATS
};

/// That number, of the type of `x`.
fn full(x: Var, number: f64) -> Var {
    Var::full(&x.ty(), number)
}

/// `x / hypot(x, y)`, and 0 at the origin.
fn direction(x: Var, y: Var) -> Var {
    const { row("direction") }.apply(&[x, y])
}

/// `digamma(x + b) - digamma(x)`, which does not cancel.
fn digamma_gap(x: Var, b: Var) -> Var {
    const { row("polygamma_gap") }.apply(&[full(x, 0.0), x, b])
}

/// `a / b`, and 0 where `a` is 0, whatever `b`.
fn div_or_zero(a: Var, b: Var) -> Var {
    const { row("div_or_zero") }.apply(&[a, b])
}

/// `x`, and 1 where it is 0, to divide by.
fn or_one(x: Var) -> Var {
    x.eq(0.0).select(1.0, x)
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The operation of that name, if there is one.
pub const fn find(name: &str) -> Option<Elementwise> {
    let mut table = 0;
    while table < TABLES.len() {
        let mut row = 0;
        while row < TABLES[table].len() {
            if same(TABLES[table][row].name, name) {
                return Some(Elementwise::at(table, row));
            }
            row += 1;
        }
        table += 1;
    }
    None
}

/// The operation of that name. In a `const` block a name that is in no table does not compile.
///
/// # Panics
/// If there is none.
pub const fn row(name: &str) -> Elementwise {
    match find(name) {
        Some(row) => row,
        None => panic!("no row of that name"),
    }
}

/// Every operation, in the order of the tables.
pub fn all() -> impl Iterator<Item = Elementwise> {
    let rows = |(t, rows): (usize, &'static [Row])| (0..rows.len()).map(move |r| (t, r));
    let places = TABLES.into_iter().enumerate().flat_map(rows);
    places.map(|(t, r)| Elementwise::at(t, r))
}
