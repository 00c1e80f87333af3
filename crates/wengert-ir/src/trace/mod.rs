//! Tracing: records the operations that a user's function applies to `Var`s as equations.
//!
//! A thread keeps a stack of open traces. An operation is recorded in the innermost of the traces that its
//! operands belong to, but never further out than the innermost *barrier* (the contents of a barrier
//! may not run, or run again each time). So functions capture outer `Var`s freely, an operation that depends on no
//! loop value is recorded outside the loop, and nothing leaves a branch that may not be taken.
//! Tangents live in *linear* traces; an operation that involves no tangent is recorded in the primal trace.
//!
//! No borrow of the stack is held while a user's function or a rule runs.

mod activation;
pub(crate) mod array;
mod functions;
mod lengths;
pub(crate) mod number;
mod span;
mod special;
mod stack;
mod tails;
mod var;

pub(crate) use array::refuse;
pub use array::{
    IntoVars, arange, concat, eye, full, full_like, geomspace, linspace, logspace, meshgrid,
    meshgrid_ij, ones, ones_like, ones_of, stack, stack_axis, zeros, zeros_like, zeros_of,
};
pub use lengths::IntoShape;
#[doc(hidden)]
pub use number::sealed;
pub use number::{Argument, IntoVar, aligned, iota, num, number_beside};
pub use span::{Along, Axis, Count, Ints, NewAxis, Pairs, Part, Parts, Span, Widths, keep};
pub(crate) use stack::definition;
pub use stack::{
    Closed, Kind, OpenTrace, asked_at, bind, bind1, captured_array, closed, current_source, depth,
    door_open, inside, is_weak, left_at, open, place_of, source_at, weaken, with_source,
};
pub use var::Var;
