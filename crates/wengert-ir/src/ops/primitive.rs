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

/// How a `jvp` rule treats tangents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Forward mode: tangents are computed along with the primals.
    Fused,
    /// The tangents belong to the innermost trace, a linear one, and stay separate from the primals.
    Linear,
}

/// An operation without some of its results and operands.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// The remaining operation.
    pub op: Op,
    /// Which operands it still takes.
    pub inputs: Vec<bool>,
    /// Which results it still gives: at least the used ones.
    pub outputs: Vec<bool>,
}

/// How an operation folds literals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folding {
    /// The operation does not fold.
    Keep,
    /// The operation works element by element: if all operands are literals, the result is a literal.
    Elementwise,
    /// The operation only moves or repeats elements: the result of one repeated number is that repeated number.
    Layout,
}

/// The interface of every family of operations: the columns of the table of operations.
pub trait Primitive: std::fmt::Debug {
    /// Returns the name in the text form.
    fn name(&self) -> Cow<'static, str>;

    /// Returns the name for messages: the method or function that the user calls for it, if that is not
    /// [`name`](Primitive::name).
    fn method(&self) -> Cow<'static, str> {
        self.name()
    }

    /// Returns the parameters for the text form: by default none.
    fn attributes(&self) -> Attributes {
        vec![]
    }

    /// Returns the types of the results.
    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError>;

    /// Computes the results in the simplest way.
    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error>;

    /// Returns which result (row) depends differentiably on which operand (column): by default each on each.
    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, _| true)
    }

    /// Returns whether the operation has an effect besides computing its results: then it is never shared, dropped,
    /// hoisted or reordered. By default it has the effects of the functions that it holds.
    fn has_effect(&self) -> bool {
        self.bodies().into_iter().any(Func::has_effect)
    }

    /// Returns the operand whose memory a result takes over if nothing else reads that operand any more. By default
    /// `None`: the result has memory of its own.
    fn in_place_of(&self, _result: usize) -> Option<usize> {
        None
    }

    /// Returns where in the result each operand begins, if the elements of each follow one another there as they do in the
    /// operand, which may then be computed there. By default `None`.
    fn parts(&self, _inputs: &[Type]) -> Option<Vec<usize>> {
        None
    }

    /// Whether its elements are drawn where they are read, and so need no memory.
    fn is_drawn(&self) -> bool {
        false
    }

    /// Returns how the operation folds literals: by default it does not.
    fn folding(&self) -> Folding {
        Folding::Keep
    }

    /// Returns what distinguishes the operation from the [custom operations](super::custom::Custom) of the same name.
    /// With `None`, the default, two operations are equal only if they are the same allocation. Implement it for
    /// operations that are created repeatedly and should be shared if they are equal.
    fn identity(&self) -> Option<String> {
        None
    }

    /// Returns whether two equations of this operation with the same operands may be merged: by default, if it holds no
    /// functions.
    fn is_shared(&self) -> bool {
        self.bodies().is_empty()
    }

    /// Returns whether the operation only moves, repeats or writes elements of its operands and computes no new ones.
    /// Then a NaN or an infinity in its results was in an operand.
    fn only_moves(&self) -> bool {
        false
    }

    /// Returns whether a cotangent may leave the operation as zero because something was not selected or not
    /// written: see [`Cotangent::maybe_zero`].
    fn masks(&self) -> bool {
        false
    }

    /// Returns the functions that the operation holds: by default none.
    fn bodies(&self) -> Vec<&Func> {
        vec![]
    }

    /// Returns the function that the operation reduces to once all differentiation is done, if there is one.
    fn call(&self) -> Option<&Func> {
        None
    }

    /// Returns the operation with each function of [`Primitive::bodies`] rewritten. `None` if it holds no functions.
    fn with_bodies(&self, _rewrite: &mut dyn FnMut(&Func) -> Func) -> Option<Op> {
        None
    }

    /// Returns the function of its operands that the operation computes, if it is an operation only to control what its
    /// derivative stores.
    fn unfolded(&self) -> Option<Func> {
        None
    }

    /// Returns which operands the `used` results need. `None`, the default, means all.
    fn needs(&self, _used: &[bool]) -> Option<Vec<bool>> {
        None
    }

    /// Returns the operation without the results that are not `used` and without the operands that they do not
    /// [need](Primitive::needs); the functions in it have no dead code. `None` if nothing can be left
    /// out.
    fn prune(&self, _used: &[bool]) -> Option<Pruned> {
        None
    }

    /// Records the operation and its tangents and returns both. At least one operand has a tangent.
    fn jvp(&self, x: &[Var], dx: &[Tangent], mode: Mode) -> (Vec<Var>, Vec<Tangent>);

    /// Returns the cotangents of the linear operands, given those of the results, of which at least one is
    /// present. Entries of known operands are `None`.
    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>>;

    /// As [`transpose`](Primitive::transpose), with contributions added to the cotangents that the operands `have` so
    /// far. By default complete contributions are added; a loop or a branch adds what each of its steps contributes.
    fn transpose_onto(
        &self,
        inputs: &[Operand],
        ct: &[Option<Cotangent>],
        have: &[Option<Cotangent>],
    ) -> Vec<Option<Cotangent>> {
        let found = self.transpose(inputs, ct).into_iter();
        let all = have.iter().zip(found);
        all.map(|(&have, found)| add_cotangents(have, found))
            .collect()
    }

    /// Records the operation on a batch of `size` elements. At least one operand is mapped.
    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched>;

    /// Returns the results as nodes of the lowering to loops.
    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error>;

    /// Returns whether all elements of a batch take the same steps: none takes another branch, or more steps
    /// of a loop. The functions that it holds are asked separately.
    fn keeps_step(&self) -> bool {
        true
    }

    /// Returns whether the operation is lowered to a call of the host ([`Lowering::host`]); a map over it runs its
    /// elements one after the other, unless it [takes batches](Primitive::takes_batches).
    fn runs_on_host(&self) -> bool {
        false
    }

    /// Returns whether its call of the host takes all elements of a batch at once. A map over it, in which all elements take
    /// the same steps, is then one operation on whole batches.
    fn takes_batches(&self) -> bool {
        false
    }

    /// Returns the [work](super::work) per element if each element is computed from a few elements of the operands,
    /// with loops over the result only. `None` by default.
    fn element_work(&self, _inputs: &[Type]) -> Option<u64> {
        None
    }

    /// Returns whether the lowering of operands of known lengths, none of which is 0, applies the operations that follow
    /// to each element of the result ([`Lowering::reduce`]).
    fn finishes(&self) -> bool {
        false
    }

    /// Returns whether operands of these types are work for a library, so that a map over the operation is better
    /// done as one operation on batches than lane by lane.
    fn is_large(&self, _inputs: &[Type]) -> bool {
        false
    }

    /// Returns whether such work for a library is large enough for a batch to gain nothing from doing it as one
    /// operation, so that elements may as well run beside each other, each with its own arrays in a near cache.
    fn is_large_alone(&self, _inputs: &[Type]) -> bool {
        false
    }
}
