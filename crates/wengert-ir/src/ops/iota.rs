//! Counting up along an axis.

use std::borrow::Cow;

use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::ops::work::FREE;
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent};
use crate::scalar::bits_of;
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

/// The numbers `0, 1, 2, ..` along an axis, repeated along all others.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Iota {
    /// The type of the result.
    pub ty: Type,
    /// The axis along which it counts.
    pub axis: usize,
}

impl Iota {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        match name {
            "iota" => Some(Op::Iota(Iota {
                ty: given.ty("ty")?,
                axis: given.index("axis")?,
            })),
            _ => None,
        }
    }
}

impl Primitive for Iota {
    fn name(&self) -> Cow<'static, str> {
        "iota".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("ty", Attribute::Type(self.ty.clone())),
            ("axis", Attribute::Int(self.axis as i64)),
        ]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let ty = &self.ty;
        if !inputs.is_empty() {
            return Err(TypeError::new(format!("no operand, not {}", inputs.len())));
        }
        if ty.dtype == DType::Bool {
            return Err(TypeError::new(format!("numbers expected, got {ty}")));
        }
        if ty.shape.has_run() {
            return Err(TypeError::new(format!(
                "{ty} has a length that is not known"
            )));
        }
        ty.check_size()?;
        if self.axis >= ty.rank() {
            let message = format!("{ty} has no axis {}", self.axis);
            return Err(TypeError::new(message));
        }
        Ok(vec![ty.clone()])
    }

    fn eval(&self, _: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let dims = self.ty.dims();
        let inner: usize = dims[self.axis + 1..].iter().product();
        let mut data = Data::zeros(self.ty.dtype, self.ty.size());
        for i in 0..data.len() {
            let count = (i / inner % dims[self.axis]) as u64;
            data.set_bits(i, bits_of(count, self.ty.dtype));
        }
        Ok(vec![Buffer::Dense(Dense::new(dims, data))])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::new(outputs, inputs)
    }

    fn jvp(&self, _: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        (vec![iota(self.ty.clone(), self.axis)], vec![None])
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        vec![]
    }

    fn element_work(&self, _: &[Type]) -> Option<u64> {
        Some(FREE)
    }

    fn lower(&self, l: &mut Lowering, _: &[NodeId], _: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        Ok(vec![l.iota(self.ty.clone(), self.axis)])
    }

    fn batch(&self, _: &[Batched], _: usize) -> Vec<Batched> {
        vec![Batched::shared(iota(self.ty.clone(), self.axis))]
    }
}

/// Records `0, 1, 2, ..` along axis `axis` of a value of type `ty`.
#[track_caller]
pub fn iota(ty: Type, axis: usize) -> Var {
    bind1(Op::Iota(Iota { ty, axis }), &[])
}
