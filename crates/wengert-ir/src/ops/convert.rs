//! Conversion to another element type.

use std::borrow::Cow;

use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::loops::ScalarOp;
use crate::ops::work::FREE;
use crate::ops::{Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Tangent};
use crate::scalar;
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

/// Converts elements to another type as [`ScalarOp::Convert`] defines: floats to integers truncate and saturate,
/// integers to integers wrap, and numbers to `bool` compare with zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Convert {
    /// The element type of the result.
    pub to: DType,
}

impl Convert {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        match name {
            "convert" => Some(Op::Convert(Convert {
                to: given.dtype("to")?,
            })),
            _ => None,
        }
    }

    fn compute(self, x: &Buffer) -> Buffer {
        match x {
            Buffer::List(rows) => Buffer::list(rows.iter().map(|r| self.compute(r)).collect()),
            Buffer::Dense(d) => {
                let from = d.data.dtype();
                let mut data = Data::zeros(self.to, d.data.len());
                for i in 0..data.len() {
                    let x = d.data.bits(i);
                    data.set_bits(i, scalar::apply(ScalarOp::Convert, from, self.to, &[x]));
                }
                Buffer::Dense(Dense::new(d.dims.clone(), data))
            }
        }
    }
}

impl Primitive for Convert {
    fn name(&self) -> Cow<'static, str> {
        "convert".into()
    }

    fn method(&self) -> Cow<'static, str> {
        "to".into()
    }

    fn attributes(&self) -> Attributes {
        vec![("to", Attribute::DType(self.to))]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs {
            [x] => Ok(vec![x.with_dtype(self.to)]),
            _ => Err(TypeError::new(format!("1 operand, not {}", inputs.len()))),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        Ok(vec![self.compute(&inputs[0])])
    }

    // Only a conversion to floats has a derivative; operands of other types have no tangent.
    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        match self.to.is_float() {
            true => BitMatrix::full(outputs, inputs),
            false => BitMatrix::new(outputs, inputs),
        }
    }

    fn folding(&self) -> Folding {
        Folding::Elementwise
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let tangent = match self.to.is_float() {
            true => dx[0].map(|d| convert(d, self.to)),
            false => None,
        };
        (vec![convert(x[0], self.to)], vec![tangent])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let from = inputs[0].ty().dtype;
        vec![ct[0].map(|ct| ct.map(|v| convert(v, from)))]
    }

    fn element_work(&self, _: &[Type]) -> Option<u64> {
        Some(FREE)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let to = self.to;
        Ok(vec![l.each(&outputs[0].ty, inputs, FREE, move |b, x| {
            b.convert(x[0], to)
        })])
    }

    fn batch(&self, inputs: &[Batched], _: usize) -> Vec<Batched> {
        vec![Batched {
            value: convert(inputs[0].value, self.to),
            ..inputs[0]
        }]
    }
}

/// Converts a value to another element type, or returns it unchanged if it has that type.
#[track_caller]
pub fn convert(x: Var, to: DType) -> Var {
    match x.dtype() == to {
        true => x,
        false => bind1(Op::Convert(Convert { to }), &[x]),
    }
}
