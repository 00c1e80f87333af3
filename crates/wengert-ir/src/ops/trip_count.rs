//! The number of steps of a loop between two traced numbers.

use std::borrow::Cow;

use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::loops::Cause;
use crate::ops::reduce::{Reducer, reduce};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, elementwise, while_loop,
};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Kind, Var, bind1, closed};

/// The length of the range from the first operand up to the second, both `i64`, element by element;
/// 0 if the range is empty. A range longer than `limit` ends the call with
/// [`Error::MaxSteps`], so that a loop over it does not run forever, whatever a transform makes of
/// the loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TripCount {
    /// The maximum length of a range.
    pub limit: u64,
}

/// Records the number of steps of a loop from `start` up to `end`, two scalars of `i64`. The limit is
/// the current one of this thread.
#[track_caller]
pub fn trip_count(start: Var, end: Var) -> Var {
    let limit = while_loop::max_steps();
    bind1(Op::TripCount(TripCount { limit }), &[start, end])
}

impl TripCount {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let limit = given.int("limit")? as u64;
        (name == "trip_count").then_some(Op::TripCount(TripCount { limit }))
    }

    /// Returns the limit as an `i64`, the type of the counts, clamped to its range.
    fn longest(self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }

    /// Records the counts, and whether all of them are allowed.
    fn counted(self, start: Var, end: Var) -> [Var; 2] {
        let ty = start.ty();
        let full = |n: i64| Var::literal(crate::ir::Splat::new(&ty, n as u64));
        let runs = elementwise::lt(start, end);
        // A difference that does not fit into `i64` wraps and is negative.
        let n = elementwise::sub(end, start);
        let few = elementwise::and(
            elementwise::le(full(0), n),
            elementwise::le(n, full(self.longest())),
        );
        let fine = elementwise::or(elementwise::not(runs), few);
        let axes: Vec<usize> = (0..ty.rank()).collect();
        [
            elementwise::select(runs, n, full(0)),
            reduce(Reducer::All, fine, &axes),
        ]
    }
}

impl Primitive for TripCount {
    fn name(&self) -> Cow<'static, str> {
        "trip_count".into()
    }

    fn method(&self) -> Cow<'static, str> {
        "fori".into()
    }

    fn attributes(&self) -> Attributes {
        vec![("limit", Attribute::Int(self.limit as i64))]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        match inputs {
            [a, b] if a == b && a.dtype == DType::I64 && !a.shape.has_run() => Ok(vec![a.clone()]),
            [a, b] => Err(TypeError::new(format!("from {a} to {b}, not of i64"))),
            _ => Err(TypeError::new("takes two operands")),
        }
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let [start, end] = [0, 1].map(|i| inputs[i].dense());
        let count = |(&start, &end): (&i64, &i64)| match i128::from(end) - i128::from(start) {
            n if n <= 0 => Ok(0),
            n if n <= i128::from(self.longest()) => Ok(n as i64),
            _ => Err(Error::max_steps(self.method(), self.limit, None)),
        };
        let both = start.slice::<i64>().iter().zip(end.slice::<i64>());
        let counts: Result<Vec<i64>, Error> = both.map(count).collect();
        Ok(vec![Buffer::Dense(Dense::of(start.dims.clone(), counts?))])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::new(outputs, inputs)
    }

    fn jvp(&self, _: &[Var], _: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        unreachable!("integers have no tangents")
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        unreachable!("integers have no cotangents")
    }

    fn lower(&self, l: &mut Lowering, x: &[NodeId], out: &[Wanted]) -> Result<Vec<NodeId>, Error> {
        let types = [0, 1].map(|i: usize| l.ty(x[i]).clone());
        let both = closed(Kind::Barrier, &types, |x| self.counted(x[0], x[1]).to_vec());
        let results = l.call(&both.func, x, &[out[0].place.clone(), None])?;
        l.fail_unless(
            results[1],
            Cause::MaxSteps(self.method().into(), self.limit),
        )?;
        Ok(results[..1].to_vec())
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let [start, end] = [0, 1].map(|i| inputs[i].spread(size));
        vec![Batched::mapped(bind1(Op::TripCount(*self), &[start, end]))]
    }
}
