//! The columns of the table of operations.

use std::borrow::Cow;

use super::{Batched, Cotangent, Op, Operand, Tangent, add_cotangents};
use crate::buffer::Buffer;
use crate::error::{Error, TypeError};
use crate::ir::text::Attributes;
use crate::ir::{BitMatrix, Func, Type};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::Var;

/// How a `jvp` rule treats its tangents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Forward mode: tangents are computed beside the primals.
    Fused,
    /// The tangents live in the innermost trace, a linear one, and stay apart from the primals.
    Linear,
}

/// An operation with results and operands left out.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// What is left of it.
    pub op: Op,
    /// Which operands it still takes.
    pub inputs: Vec<bool>,
    /// Which results it still gives: at least those that are used.
    pub outputs: Vec<bool>,
}

/// How an operation acts on a literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folding {
    /// It is left as it is.
    Keep,
    /// Element by element: literals in, a literal out.
    Elementwise,
    /// It only moves or repeats elements of its operands: one repeated number stays that number.
    Layout,
}

/// What every family of operations answers: the columns of the table of operations.
pub trait Primitive: std::fmt::Debug {
    /// The name, in the text form.
    fn name(&self) -> Cow<'static, str>;

    /// The name in messages: that of the method or the function that the user writes for it, where that is not
    /// [`name`](Primitive::name).
    fn method(&self) -> Cow<'static, str> {
        self.name()
    }

    /// The parameters, for the text form: none unless said.
    fn attributes(&self) -> Attributes {
        vec![]
    }

    /// The types of the results.
    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError>;

    /// The results, computed in the plainest way.
    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error>;

    /// Which result depends differentiably on which operand (rows: results): each on each unless said.
    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, _| true)
    }

    /// Whether it does something besides computing its results: then it is never shared, dropped,
    /// hoisted or reordered. By itself it does what the functions do that it holds.
    fn has_effect(&self) -> bool {
        self.bodies().into_iter().any(Func::has_effect)
    }

    /// The operand whose memory a result takes over if nothing else reads that operand any more. `None`
    /// unless said: the result has memory of its own.
    fn in_place_of(&self, _result: usize) -> Option<usize> {
        None
    }

    /// How it acts on literals: it keeps them as operands unless said.
    fn folding(&self) -> Folding {
        Folding::Keep
    }

    /// What tells it from the [custom operations](super::custom::Custom) of its name. `None`, as unless said: two are the
    /// same only if they are one allocation. Operations that are recorded anew, and are shared where they are
    /// equal, say it.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Whether two equations of it with the same operands may be one: unless said, if it holds no
    /// functions.
    fn is_shared(&self) -> bool {
        self.bodies().is_empty()
    }

    /// Whether it only moves, repeats or writes elements of its operands, and makes none: a NaN or an infinity in its results was in
    /// an operand.
    fn only_moves(&self) -> bool {
        false
    }

    /// Whether a cotangent may come out of it as zero because something was not chosen or not
    /// written: see [`Cotangent::maybe_zero`].
    fn masks(&self) -> bool {
        false
    }

    /// The functions it holds: none unless said.
    fn bodies(&self) -> Vec<&Func> {
        vec![]
    }

    /// The function that it computes, where it is nothing but that once all differentiation is done.
    fn call(&self) -> Option<&Func> {
        None
    }

    /// The same operation around other functions: each of [`Primitive::bodies`], rewritten. `None`
    /// where it holds none.
    fn with_bodies(&self, _rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        None
    }

    /// The function of its operands that it is, where it is an operation of its own only for the sake of what its
    /// derivative stores.
    fn unfolded(&self) -> Option<Func> {
        None
    }

    /// Which operands the results that are `used` need. `None`, as unless said: all.
    fn needs(&self, _used: &[bool]) -> Option<Vec<bool>> {
        None
    }

    /// The same operation without the results that are not `used`, and without the operands that
    /// they do not [need](Primitive::needs); the functions in it have no dead code. `None` where nothing can be left
    /// out.
    fn prune(&self, _used: &[bool]) -> Option<Pruned> {
        None
    }

    /// Its results and their tangents. At least one operand has a tangent.
    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>);

    /// The cotangents of its linear operands, given those of its results, of which at least one is
    /// there. Entries of known operands are `None`.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>>;

    /// As [`transpose`](Primitive::transpose), with contributions added to the cotangents that the operands `have` so far. Unless said,
    /// they are added when they are complete; a loop or a branch adds what each of its steps gives.
    fn transpose_onto(
        &self,
        inputs: &[Operand],
        ct: &[Option<Cotangent>],
        have: &[Option<Cotangent>],
    ) -> Vec<Option<Cotangent>> {
        let found = self.transpose(inputs, ct).into_iter();
        have.iter()
            .zip(found)
            .map(|(&have, found)| add_cotangents(have, found))
            .collect()
    }

    /// The same on a batch of `size`. At least one operand is mapped.
    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched>;

    /// Its results, as nodes of the lowering to loops.
    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error>;

    /// Whether all elements of a batch walk through it side by side: none takes another branch, or more steps
    /// of a loop. The functions it holds answer for themselves.
    fn keeps_step(&self) -> bool {
        true
    }

    /// Whether it is lowered to a call of the host ([`Lowering::host`]): a map over it runs one element
    /// after the other.
    fn runs_on_host(&self) -> bool {
        false
    }

    /// How much [work](super::work) an element is, where each is that of a few elements of the operands, in loops
    /// over nothing but the result. `None` unless said.
    fn element_work(&self, _inputs: &[Type]) -> Option<u64> {
        None
    }

    /// Whether it is work for a library on operands of these types, so that a map over it is better
    /// done as one operation on batches than lane by lane.
    fn is_large(&self, _inputs: &[Type]) -> bool {
        false
    }
}
