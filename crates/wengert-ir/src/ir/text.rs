//! The text form of functions.
//!
//! The first line names the version. Values are numbered as in the [`Func`]; a literal is a number with its
//! type; the functions that an operation holds follow it; and `@` gives the place in the user's program:
//!
//! ```text
//! wengert 1
//! fn(v0: f64[3]) {
//!   v1: f64[3] = mul(v0, 2.0: f64[3]) @ src/model.rs:41:22
//!   v2: f64[3] = convert{to=f32}(v1) @ src/model.rs:42:5 in src/model.rs:40:9
//!   return v2
//! }
//! ```
//!
//! `{}` writes everything, and [`Func::parse`] returns the same function, bit by bit; `{:#}` leaves out
//! the places.

use std::fmt::{self, Write};

use crate::buffer::Element;
use crate::ir::{Atom, DType, Eqn, Func, Splat, Type};
use crate::ops::Op;
use crate::source::{Place, SourceId};

/// The first line of every program in text form.
pub const HEADER: &str = "wengert 1";

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

/// The parsed parameters of an operation, which its family interprets. In the text form empty lists of all
/// kinds look alike, and an element type looks like the type of a scalar; the accessors accept either where
/// the reading is ambiguous.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Given(pub Vec<(String, Attribute)>);

impl Given {
    fn find(&self, name: &str) -> Option<&Attribute> {
        let found = self.0.iter().find(|(n, _)| n == name)?;
        Some(&found.1)
    }

    /// Returns a whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.find(name)? {
            Attribute::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// Returns a whole number that is not negative.
    pub fn index(&self, name: &str) -> Option<usize> {
        usize::try_from(self.int(name)?).ok()
    }

    /// Returns a list of whole numbers.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        match self.find(name)? {
            Attribute::Ints(v) => Some(v.clone()),
            _ => None,
        }
    }

    /// Returns a list of whole numbers that are not negative.
    pub fn indices(&self, name: &str) -> Option<Vec<usize>> {
        let ints = self.ints(name)?;
        ints.into_iter().map(|n| usize::try_from(n).ok()).collect()
    }

    /// Returns a truth value.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.find(name)? {
            Attribute::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// Returns a list of truth values.
    pub fn booleans(&self, name: &str) -> Option<Vec<bool>> {
        match self.find(name)? {
            Attribute::Bools(v) => Some(v.clone()),
            Attribute::Ints(v) if v.is_empty() => Some(vec![]),
            _ => None,
        }
    }

    /// Returns a word.
    pub fn name(&self, name: &str) -> Option<&str> {
        match self.find(name)? {
            Attribute::Name(s) => Some(s),
            _ => None,
        }
    }

    /// Returns an element type.
    pub fn dtype(&self, name: &str) -> Option<DType> {
        match self.find(name)? {
            Attribute::DType(d) => Some(*d),
            _ => None,
        }
    }

    /// Returns a type.
    pub fn ty(&self, name: &str) -> Option<Type> {
        match self.find(name)? {
            Attribute::Type(t) => Some(t.clone()),
            Attribute::DType(d) => Some(Type::scalar(*d)),
            _ => None,
        }
    }

    /// Returns a list of types.
    pub fn types(&self, name: &str) -> Option<Vec<Type>> {
        match self.find(name)? {
            Attribute::Types(v) => Some(v.clone()),
            Attribute::Ints(v) if v.is_empty() => Some(vec![]),
            _ => None,
        }
    }
}

/// Writes a literal: the number and its type. A number whose decimal form would not be read back with the
/// same bits (a NaN other than the usual one) is written as its bits.
pub fn literal(splat: Splat) -> String {
    fn number<T: Element>(bits: u64, write: impl Fn(T) -> String) -> String {
        let x = T::from_bits(bits);
        match x.to_bits() == bits {
            true => write(x),
            false => format!("{bits:#x}"),
        }
    }
    fn float<T: Element + fmt::Debug>(bits: u64, nan: T) -> String {
        number(bits, |x: T| match format!("{x:?}").as_str() {
            "NaN" if bits == nan.to_bits() => "nan".to_string(),
            "NaN" => format!("{bits:#x}"),
            number => number.to_string(),
        })
    }
    fn whole<T: Element + fmt::Display>(bits: u64) -> String {
        number(bits, |x: T| x.to_string())
    }
    let bits = splat.bits;
    let number = match splat.ty().dtype {
        DType::F32 => float(bits, f32::NAN),
        DType::F64 => float(bits, f64::NAN),
        DType::I32 => whole::<i32>(bits),
        DType::I64 => whole::<i64>(bits),
        DType::U32 => whole::<u32>(bits),
        DType::U64 => whole::<u64>(bits),
        DType::U8 => whole::<u8>(bits),
        DType::Bool => whole::<bool>(bits),
    };
    format!("{number}: {}", splat.ty())
}

/// Returns whether a string can be written without quotes.
pub(crate) fn is_word(s: &str) -> bool {
    !s.is_empty() && s.chars().all(is_word_char)
}

/// Returns whether a character may be part of a word: enough for names, numbers and most paths.
pub(crate) fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.+-/".contains(c)
}

fn word(s: &str) -> String {
    // `derivative` is a keyword where a place is parsed.
    match is_word(s) && s != "derivative" {
        true => s.to_string(),
        false => format!("{s:?}"),
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
            write!(f, "[{}]", commas(items))
        }
        match self {
            Attribute::Int(n) => write!(f, "{n}"),
            Attribute::Ints(v) => list(f, v),
            Attribute::Bool(b) => write!(f, "{b}"),
            Attribute::Bools(v) => list(f, v),
            Attribute::Name(s) if is_name(s) => f.write_str(s),
            Attribute::Name(s) => write!(f, "{s:?}"),
            Attribute::DType(d) => write!(f, "{d}"),
            Attribute::Type(t) => write!(f, "{t}"),
            Attribute::Types(v) => list(f, v),
        }
    }
}

/// Returns whether a word can only be parsed as a name.
fn is_name(s: &str) -> bool {
    let taken = s == "true" || s == "false" || DType::from_name(s).is_some();
    is_word(s) && s.starts_with(|c: char| c.is_ascii_alphabetic()) && !taken
}

pub(super) fn commas<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut out = String::new();
    for (i, item) in items.into_iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        write!(out, "{comma}{item}").expect("a string takes everything");
    }
    out
}

/// Writes an operation with its parameters.
pub(super) fn operation(op: &Op) -> String {
    let name = word(&op.name());
    let attributes = op.attributes();
    match attributes.is_empty() {
        true => name,
        false => {
            let each = attributes.iter().map(|(n, a)| format!("{n}={a}"));
            format!("{name}{{{}}}", commas(each))
        }
    }
}

/// Writes an operand.
pub(super) fn atom(a: &Atom) -> String {
    match a {
        Atom::Var(id) => format!("v{id}"),
        Atom::Lit(splat) => literal(*splat),
    }
}

fn place(p: &Place) -> String {
    let at = format!("{}:{}:{}", word(&p.file), p.line, p.column);
    match p.parent {
        None => at,
        Some(parent) if parent.places().len() == 1 => format!("{at} in {}", source(parent)),
        Some(parent) => format!("{at} in ({})", source(parent)),
    }
}

fn source(id: SourceId) -> String {
    let member = |id: SourceId| match id.is_derivative() {
        true => format!("derivative {}", place(&id.place())),
        false => place(&id.place()),
    };
    let members: Vec<String> = id.members().into_iter().map(member).collect();
    members.join(" and ")
}

struct Writer<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    places: bool,
}

impl Writer<'_, '_> {
    fn line(&mut self, depth: usize, text: &str) -> fmt::Result {
        writeln!(self.f, "{:1$}{text}", "", 2 * depth)
    }

    fn func(&mut self, func: &Func, depth: usize) -> fmt::Result {
        let value = |id: u32| format!("v{id}: {}", func.types[id as usize]);
        self.line(
            depth,
            &format!("fn({}) {{", commas((0..func.params).map(value))),
        )?;
        for eqn in &func.eqns {
            let outputs = commas(eqn.outputs.clone().map(value));
            let equals = if outputs.is_empty() { "" } else { " = " };
            let call = self.call(eqn);
            self.line(depth + 1, &format!("{outputs}{equals}{call}"))?;
            for body in eqn.op.bodies() {
                self.func(body, depth + 2)?;
            }
        }
        let results = commas(func.results.iter().map(atom));
        let space = if results.is_empty() { "" } else { " " };
        self.line(depth + 1, &format!("return{space}{results}"))?;
        self.line(depth, "}")
    }

    fn call(&self, eqn: &Eqn) -> String {
        let operation = operation(&eqn.op);
        let inputs = commas(eqn.inputs.iter().map(atom));
        let at = match self.places {
            true => format!(" @ {}", source(eqn.source)),
            false => String::new(),
        };
        format!("{operation}({inputs}){at}")
    }
}

impl fmt::Display for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        let places = !f.alternate();
        Writer { f, places }.func(self, 0)
    }
}
