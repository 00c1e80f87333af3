//! Run-time checks: the call returns an error if a condition does not hold.

use std::borrow::Cow;

use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::ops::reduce::{Reducer, reduce};
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind};

/// Ends the call with [`Error::Check`] if its operand, a scalar truth value, is false. It has no
/// result. In a batch the operand must be true for every element.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Check {
    /// The condition that should hold, in the user's words.
    pub message: String,
}

/// Records a check that all elements of `pred` are true.
#[track_caller]
pub fn check(pred: Var, message: &str) {
    let axes: Vec<usize> = (0..pred.ty().rank()).collect();
    let check = Check {
        message: message.into(),
    };
    bind(Op::Check(check), &[reduce(Reducer::All, pred, &axes)]);
}

impl Check {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let message = given.name("message")?.into();
        (name == "check").then_some(Op::Check(Check { message }))
    }
}

impl Primitive for Check {
    fn name(&self) -> Cow<'static, str> {
        "check".into()
    }

    fn attributes(&self) -> Attributes {
        vec![("message", Attribute::Name(self.message.clone()))]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs {
            [p] if *p == Type::scalar(DType::Bool) => Ok(vec![]),
            [p] => Err(TypeError::new(format!("takes a truth value, not {p}"))
                .hint("compare, as in `x.lt(1.0)`")),
            _ => Err(TypeError::new("takes one operand")),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        match inputs[0].dense().data.bits(0) {
            0 => Err(Error::check(self.message.clone(), None)),
            _ => Ok(vec![]),
        }
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, _| false)
    }

    fn has_effect(&self) -> bool {
        true
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn jvp(&self, _: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        unreachable!("truth values have no tangents")
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("there is no result that could have a cotangent")
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], _: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        l.check(x[0], &self.message)?;
        Ok(vec![])
    }

    fn batch(&self, inputs: &[Batched], _: usize) -> Vec<Batched> {
        check(inputs[0].value, &self.message);
        vec![]
    }
}
