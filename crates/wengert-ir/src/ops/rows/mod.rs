//! The tables of elementwise operations: each operation is one row of data.
//!
//! To add an operation, write a row in the table that it belongs to, and a method in
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

// Everything that a table may need is imported here: tables have `use super::*`, so that a new row
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

/// A function that returns the cotangents of the operands, given that of the result.
pub type Transpose = fn(&[Operand], Cotangent) -> Vec<Option<Cotangent>>;

/// One elementwise operation.
#[derive(Debug)]
pub struct Row {
    /// The name in the text form.
    pub name: &'static str,
    /// The name of the method that records the row, or whose derivative it is part of, if it differs from `name`.
    pub method: &'static str,
    /// The description of the function, with its name in NumPy.
    pub doc: &'static str,
    /// The operands that it takes and the result that it gives.
    pub signature: Signature,
    /// The definition on scalars.
    pub define: Define,
    /// The derivative.
    pub derive: Derive,
    /// The transpose, if the operation is linear in an operand.
    pub transpose: Option<Transpose>,
    /// For tests: a range for each operand within which the derivative exists.
    pub domain: &'static [(f64, f64)],
}

/// The operands and the result of an operation. All have the same type except as noted.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The number of operands.
    pub arity: usize,
    /// The element types that the operands may have.
    pub elements: Elements,
    /// Whether the first operand is a truth value, whatever the others are.
    pub predicate: bool,
    /// Whether the result is a truth value.
    pub returns_bool: bool,
}

/// The kinds of elements that an operation takes.
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
    /// Returns whether the elements may have this type.
    pub fn contains(self, dtype: DType) -> bool {
        match self {
            Elements::Float => dtype.is_float(),
            Elements::Number => dtype != DType::Bool,
            Elements::Int => dtype.is_int(),
            Elements::Bits => !dtype.is_float(),
            Elements::Any => true,
        }
    }

    /// Returns a description for messages.
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

/// The definition of an operation on scalars.
#[derive(Clone, Copy, Debug)]
pub enum Define {
    /// One operation of the loop IR.
    Op(ScalarOp),
    /// An elementary function.
    Elementary(Elementary),
    /// A composition of operations.
    Compose(fn(&mut dyn Scalars, &[Scalar]) -> Scalar),
    /// A composition of operations computed in `f64`: other floats are converted, and the
    /// result is rounded once.
    Wide(fn(&mut dyn Scalars, &[Scalar]) -> Scalar),
}

impl Define {
    /// Computes or records the definition.
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
    /// The derivative is zero wherever it exists.
    Zero,
    /// For one operand: `dy/dx`, given `x` and `y`.
    Factor(fn(Var, Var) -> Var),
    /// The tangent is a sum with a term for each operand.
    Terms(&'static [Term]),
    /// The tangent, given those of the operands, of which at least one is present.
    Tangent(fn(x: &[Var], dx: &[Tangent]) -> Tangent),
}

/// The term that an operand contributes to the tangent of the result.
#[derive(Clone, Copy, Debug)]
pub enum Term {
    /// The operand's tangent times `dy/dx`, given the operands and the result.
    Factor(fn(&[Var], Var) -> Var),
    /// A linear function of the operand's tangent (the last argument), given the operands.
    Linear(fn(&[Var], Var) -> Var),
}

/// All tables.
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

/// The defaults of a row with one float operand.
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

/// The defaults of a row with two float operands.
const FLOATS: Row = Row {
    signature: Signature {
        arity: 2,
        ..FLOAT.signature
    },
    domain: &[(-3.0, 3.0), (-3.0, 3.0)],
    ..FLOAT
};

/// The defaults of a row with one number as its operand.
const NUMBER: Row = Row {
    signature: Signature {
        elements: Elements::Number,
        ..FLOAT.signature
    },
    ..FLOAT
};

/// The defaults of a row with two numbers as its operands.
const NUMBERS: Row = Row {
    signature: Signature {
        elements: Elements::Number,
        ..FLOATS.signature
    },
    ..FLOATS
};

/// Returns a number in the type of `x`.
fn full(x: Var, number: f64) -> Var {
    Var::full(&x.ty(), number)
}

/// Returns `x / hypot(x, y)`, and 0 at the origin.
fn direction(x: Var, y: Var) -> Var {
    const { row("direction") }.apply(&[x, y])
}

/// Returns `digamma(x + b) - digamma(x)`, computed without cancellation.
fn digamma_gap(x: Var, b: Var) -> Var {
    const { row("polygamma_gap") }.apply(&[full(x, 0.0), x, b])
}

/// Returns `a / b`, and 0 where `a` is 0, whatever `b` is.
fn div_or_zero(a: Var, b: Var) -> Var {
    const { row("div_or_zero") }.apply(&[a, b])
}

/// Returns `x`, and 1 where it is 0, as a safe divisor.
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

/// Looks an operation up by name.
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

/// Looks an operation up by name. In a `const` block a name that is in no table does not compile.
///
/// # Panics
/// If no row has the name.
pub const fn row(name: &str) -> Elementwise {
    match find(name) {
        Some(row) => row,
        None => panic!("no row of that name"),
    }
}

/// Returns every operation, in the order of the tables.
pub fn all() -> impl Iterator<Item = Elementwise> {
    let rows = |(t, rows): (usize, &'static [Row])| (0..rows.len()).map(move |r| (t, r));
    let places = TABLES.into_iter().enumerate().flat_map(rows);
    places.map(|(t, r)| Elementwise::at(t, r))
}
