//! What a user does with arrays: methods on `Var`, and functions that make arrays.

use crate::error::{Error, TypeError, raise};
use crate::trace::{Var, current_source};

/// Refuses an operation before it is recorded.
#[track_caller]
pub(crate) fn refuse(op: &str, operands: &[Var], error: TypeError) -> ! {
    raise(Error::Type {
        op: op.to_string(),
        types: operands.iter().map(|x| x.ty()).collect(),
        message: error.message,
        at: current_source(),
        hint: error.hint,
    })
}
