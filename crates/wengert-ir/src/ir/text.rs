//! The text form of functions.

use crate::ir::{DType, Splat, Type};

/// A parameter of an operation in the text form.
#[derive(Clone, PartialEq, Debug)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A truth value.
    Bool(bool),
    /// Truth values.
    Bools(Vec<bool>),
    /// A word.
    Name(String),
    /// An element type.
    DType(DType),
    /// A type.
    Type(Type),
    /// Types.
    Types(Vec<Type>),
}

/// The parameters of an operation in the text form, by name.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// A literal in the text form.
pub fn literal(splat: Splat) -> String {
    format!("{:#x}:{}", splat.bits, splat.ty())
}
