//! Elementwise.

use std::borrow::Cow;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::Attributes;
use crate::ir::{BitMatrix, Func, Type};
use crate::ops::{Batched, Cotangent, Folding, Mode, Operand, Primitive, Tangent};
use crate::trace::Var;

/// Elementwise.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Elementwise {}

impl Primitive for Elementwise {
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

/// The sum of two values of one type.
#[track_caller]
pub fn add(_a: Var, _b: Var) -> Var {
    todo!()
}

/// The product of two values of one type, zero where the first is zero, whatever the other.
#[track_caller]
pub fn mul_or_zero(_a: Var, _b: Var) -> Var {
    todo!()
}

impl std::ops::Mul for Var {
    type Output = Var;
    #[track_caller]
    fn mul(self, _o: Var) -> Var {
        todo!()
    }
}

pub fn sub(_a: Var, _b: Var) -> Var {
    todo!()
}
pub fn lt(_a: Var, _b: Var) -> Var {
    todo!()
}
pub fn not(_a: Var) -> Var {
    todo!()
}
pub fn select(_p: Var, _a: Var, _b: Var) -> Var {
    todo!()
}
