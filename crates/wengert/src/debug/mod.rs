//! Debugging functions while they run: printing, and checking conditions.

mod callback;
mod observe;
mod print;

use wengert_ir::ops::check as checks;
use wengert_ir::trace::Var;

pub use callback::debug_callback;
pub use print::debug_print;
pub(crate) use print::{Printer, printing};

/// States a condition that must hold when the function runs. Where an element of `pred` is false, the call
/// returns [`Error::Check`](crate::Error::Check) with the message and the line of this call.
///
/// A check respects the function's branches and loops: inside a [`cond`](crate::cond) it is evaluated if that
/// branch runs, inside a [`while_loop`](crate::while_loop) at every step, inside a [`vmap`](crate::vmap) for
/// every element of the batch. If several checks fail on several threads, the call returns one of those errors.
/// A check has no derivative and changes none; the forward pass of a gradient evaluates it too. In compiled
/// code it is a comparison and a branch.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| {
///     wengert::check(x.gt(0.0), "densities are positive");
///     x.log().sum()
/// });
/// assert!(f.call([1.0, 2.0]).is_ok());
/// let error = f.call([1.0, -2.0]).unwrap_err().to_string();
/// assert!(error.starts_with("check: densities are positive, at "), "{error}");
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If the dtype of `pred` is not `bool`.
#[track_caller]
pub fn check(pred: Var, message: &str) {
    checks::check(pred, message);
}
