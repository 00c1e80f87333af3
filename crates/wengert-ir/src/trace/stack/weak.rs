//! Weak values, whose element type adapts to others.

use super::{STACK, Trace, find};
use crate::trace::Var;
use crate::trace::var::Repr;

/// Marks a value as weak: its element type is only a default, as for a loop's carry that starts as
/// `0.0`, or for a constant `[1.0, 2.0]`. Next to a value of another float type it takes that type, like Rust's
/// numbers, and a value that is computed from weak values and numbers alone is weak.
pub fn weaken(var: Var) {
    if let Repr::Traced { trace, id, .. } = var.0 {
        STACK.with_borrow_mut(|s| {
            if let Some(i) = find(s, trace) {
                s[i].weak.insert(id);
            }
        });
    }
}

/// Returns whether a value is weak, so that its element type adapts to others: see [`weaken`].
pub fn is_weak(var: Var) -> bool {
    match var.0 {
        Repr::Literal(_) => false,
        Repr::Traced { trace, id, .. } => {
            STACK.with_borrow(|s| find(s, trace).is_some_and(|i| s[i].weak.contains(&id)))
        }
    }
}

/// Returns whether a value computed from `inputs` is weak: at least one is, and all floats among them are weak or
/// literals.
pub(super) fn weak_result(stack: &[Trace], inputs: &[Var]) -> bool {
    if stack.iter().all(|t| t.weak.is_empty()) {
        return false;
    }
    let mut some = false;
    for v in inputs {
        if let Repr::Traced { trace, id, .. } = v.0
            && let Some(i) = find(stack, trace)
            && stack[i].types[id as usize].is_float()
        {
            if !stack[i].weak.contains(&id) {
                return false;
            }
            some = true;
        }
    }
    some
}
