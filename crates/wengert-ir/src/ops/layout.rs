//! Layout.

use std::borrow::Cow;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::Attributes;
use crate::ir::{BitMatrix, Func, Type};
use crate::ops::{Batched, Cotangent, Folding, Mode, Operand, Primitive, Tangent};
use crate::trace::Var;

/// Layout.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Layout {}

impl Primitive for Layout {
    fn name(&self) -> Cow<'static, str> {
        todo!()
    }
    fn attributes(&self) -> Attributes {
        todo!()
    }
    fn types(&self, _: &[Type]) -> Result<Vec<Type>, TypeError> {
        todo!()
    }
    fn eval(&self, _: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        todo!()
    }
    fn deps(&self, _: usize, _: usize) -> BitMatrix {
        todo!()
    }
    fn has_effect(&self) -> bool {
        todo!()
    }
    fn folding(&self) -> Folding {
        todo!()
    }
    fn is_shared(&self) -> bool {
        todo!()
    }
    fn bodies(&self) -> Vec<&Func> {
        todo!()
    }
    fn jvp(&self, _: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        todo!()
    }
    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        todo!()
    }
    fn batch(&self, _: &[Batched], _: usize) -> Vec<Batched> {
        todo!()
    }
}

/// A new axis of length `n` in front of axis `at`, along which the value is repeated.
#[track_caller]
pub fn insert_axis(_x: Var, _at: usize, _n: usize) -> Var {
    todo!()
}

/// The value repeated to those lengths, by NumPy's rules.
#[track_caller]
pub fn broadcast_to(_x: Var, _dims: &[usize]) -> Var {
    todo!()
}
