//! Compositions of operations: the methods of [`Var`] and the functions that users of NumPy or `jax.numpy` know,
//! by theme.
//!
//! They are functions of `Var`s like a user's own, so the transforms, the interpreter and the compiler see only the
//! operations that they are composed of. Where the derivative of the composition would be NaN, as for a norm at zero,
//! a selection excludes the point.

mod arrange;
mod calculus;
mod choose;
mod conv;
mod diagonal;
mod einsum;
mod length;
pub mod linalg;
mod nan;
mod norm;
mod order;
mod polynomial;
mod softmax;
mod statistics;

pub use arrange::Padding;
pub use choose::select;
pub use conv::{Conv, Window};
pub use einsum::einsum;
pub use norm::Order;
pub use polynomial::Overlap;

use crate::trace::Var;

/// `√x`, with derivative 0 at 0: if `x` is a sum of squares that are all zero, its change is zero too.
#[track_caller]
pub(crate) fn root(x: Var) -> Var {
    let zero = Var::zeros(&x.ty());
    x.eq(zero).select(zero, x.sqrt())
}
