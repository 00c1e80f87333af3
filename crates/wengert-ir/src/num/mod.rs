//! What is made of the operations: methods of [`Var`] and functions that a user of
//! NumPy or `jax.numpy` knows, by theme.
//!
//! They are functions of `Var`s like a user's own, so the transforms, the interpreter and the compiler
//! see only the operations they are made of. Where the derivative of those would be NaN, as that of a
//! norm at zero, what is not defined is left out by a selection.

mod arrange;
mod calculus;
mod choose;
mod diagonal;
mod einsum;
mod length;
mod nan;
mod norm;
mod order;
mod polynomial;
mod softmax;
mod statistics;

pub use arrange::Padding;
pub use choose::select;
pub use einsum::einsum;
pub use norm::Order;
pub use polynomial::Overlap;

use crate::trace::Var;

/// `√x`, with derivative 0 at 0: where all that `x` is the sum of is zero, so is its change.
#[track_caller]
pub(crate) fn root(x: Var) -> Var {
    let zero = Var::zeros(&x.ty());
    x.eq(zero).select(zero, x.sqrt())
}
