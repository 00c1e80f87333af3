//! The table of scalar operations: the name, the operands and the result of each.

use super::{FoldOp, ScalarOp};
use crate::types::DType;

/// Which element types an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// Every one.
    All,
    /// Numbers: all but truth values.
    Numbers,
    /// Floats.
    Floats,
    /// Integers.
    Integers,
    /// Integers and truth values.
    Bits,
    /// Truth values.
    Truth,
}

impl Takes {
    /// Whether that is one of them.
    pub fn includes(self, dtype: DType) -> bool {
        match self {
            Takes::All => true,
            Takes::Numbers => dtype != DType::Bool,
            Takes::Floats => dtype.is_float(),
            Takes::Integers => dtype.is_int(),
            Takes::Bits => !dtype.is_float(),
            Takes::Truth => dtype == DType::Bool,
        }
    }
}

/// The type of a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gives {
    /// That of the last operand.
    Same,
    /// A truth value.
    Truth,
    /// Any: the statement says which.
    Any,
    /// Any of the width of the operand: the statement says which.
    AnyOfWidth,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name in the text form.
    pub name: &'static str,
    /// How many operands. All have one type, but for the first of [`ScalarOp::Select`], which is a truth value.
    pub arity: usize,
    /// Which types it takes.
    pub takes: Takes,
    /// The type of its result.
    pub gives: Gives,
}

impl ScalarOp {
    /// Every operation, in the order of the type.
    pub const ALL: [ScalarOp; 35] = {
        use ScalarOp::*;
        [
            Add,
            Sub,
            Mul,
            Div,
            Rem,
            Neg,
            Abs,
            Sqrt,
            Fma,
            Min,
            Max,
            Floor,
            Ceil,
            Round,
            Trunc,
            And,
            Or,
            Xor,
            Not,
            Shl,
            Shr,
            ShrLogical,
            Rotl,
            Eq,
            Ne,
            Lt,
            Le,
            Select,
            Convert,
            Bitcast,
            Fold(FoldOp::Add),
            Fold(FoldOp::Mul),
            Fold(FoldOp::Min),
            Fold(FoldOp::Max),
            Any,
        ]
    };

    /// Its row.
    pub const fn row(self) -> Row {
        use Gives::{Any, AnyOfWidth, Same};
        use Takes::{All, Bits, Floats, Integers, Numbers};
        let (name, arity, takes, gives) = match self {
            ScalarOp::Add => ("add", 2, Numbers, Same),
            ScalarOp::Sub => ("sub", 2, Numbers, Same),
            ScalarOp::Mul => ("mul", 2, Numbers, Same),
            ScalarOp::Div => ("div", 2, Numbers, Same),
            ScalarOp::Rem => ("rem", 2, Numbers, Same),
            ScalarOp::Neg => ("neg", 1, Numbers, Same),
            ScalarOp::Abs => ("abs", 1, Numbers, Same),
            ScalarOp::Sqrt => ("sqrt", 1, Floats, Same),
            ScalarOp::Fma => ("fma", 3, Floats, Same),
            ScalarOp::Min => ("min", 2, All, Same),
            ScalarOp::Max => ("max", 2, All, Same),
            ScalarOp::Floor => ("floor", 1, Floats, Same),
            ScalarOp::Ceil => ("ceil", 1, Floats, Same),
            ScalarOp::Round => ("round", 1, Floats, Same),
            ScalarOp::Trunc => ("trunc", 1, Floats, Same),
            ScalarOp::And => ("and", 2, Bits, Same),
            ScalarOp::Or => ("or", 2, Bits, Same),
            ScalarOp::Xor => ("xor", 2, Bits, Same),
            ScalarOp::Not => ("not", 1, Bits, Same),
            ScalarOp::Shl => ("shl", 2, Integers, Same),
            ScalarOp::Shr => ("shr", 2, Integers, Same),
            ScalarOp::ShrLogical => ("shr_logical", 2, Integers, Same),
            ScalarOp::Rotl => ("rotl", 2, Integers, Same),
            ScalarOp::Eq => ("eq", 2, All, Gives::Truth),
            ScalarOp::Ne => ("ne", 2, All, Gives::Truth),
            ScalarOp::Lt => ("lt", 2, All, Gives::Truth),
            ScalarOp::Le => ("le", 2, All, Gives::Truth),
            ScalarOp::Select => ("select", 3, All, Same),
            ScalarOp::Convert => ("convert", 1, All, Any),
            ScalarOp::Bitcast => ("bitcast", 1, All, AnyOfWidth),
            ScalarOp::Fold(FoldOp::Add) => ("fold_add", 1, All, Same),
            ScalarOp::Fold(FoldOp::Mul) => ("fold_mul", 1, All, Same),
            ScalarOp::Fold(FoldOp::Min) => ("fold_min", 1, All, Same),
            ScalarOp::Fold(FoldOp::Max) => ("fold_max", 1, All, Same),
            ScalarOp::Any => ("any", 1, Takes::Truth, Gives::Truth),
        };
        Row {
            name,
            arity,
            takes,
            gives,
        }
    }

    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<ScalarOp> {
        ScalarOp::ALL.into_iter().find(|op| op.row().name == name)
    }
}
