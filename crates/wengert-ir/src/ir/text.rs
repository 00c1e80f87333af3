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

/// The parameters of an operation as they were read, for a family to make sense of.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Given(pub Vec<(String, Attribute)>);

impl Given {
    fn find(&self, name: &str) -> Option<&Attribute> {
        let found = self.0.iter().find(|(n, _)| n == name)?;
        Some(&found.1)
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.find(name)? {
            Attribute::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub fn index(&self, name: &str) -> Option<usize> {
        usize::try_from(self.int(name)?).ok()
    }

    /// An element type.
    pub fn dtype(&self, name: &str) -> Option<DType> {
        match self.find(name)? {
            Attribute::DType(d) => Some(*d),
            _ => None,
        }
    }

    /// A type.
    pub fn ty(&self, name: &str) -> Option<Type> {
        match self.find(name)? {
            Attribute::Type(t) => Some(t.clone()),
            _ => None,
        }
    }
}
