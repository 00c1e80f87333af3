//! Arrays used in a traced function: hidden arguments, which act as constants.

use std::cell::RefCell;
use std::sync::Arc;

use wengert_ir::trace::{Argument, IntoVar, Var, captured_array, sealed};

use crate::array::{Array, Remote};

thread_local! {
    /// The arrays on devices that the function being traced captures, if somebody wants to know.
    static REMOTES: RefCell<Option<Vec<Arc<Remote>>>> = const { RefCell::new(None) };
}

/// Runs `trace`, and returns also the arrays on devices that the function it traces captures. Their elements are read in
/// the trace.
pub(crate) fn capturing<T>(trace: impl FnOnce() -> T) -> (T, Vec<Arc<Remote>>) {
    /// Puts back what an outer trace has captured, even if a panic passes.
    struct Outer(Option<Vec<Arc<Remote>>>);
    impl Drop for Outer {
        fn drop(&mut self) {
            REMOTES.set(self.0.take());
        }
    }
    let _outer = Outer(REMOTES.replace(Some(vec![])));
    let result = trace();
    (result, REMOTES.take().unwrap_or_default())
}

/// Uses an array as a constant of the trace.
impl From<&Array> for Var {
    #[track_caller]
    fn from(array: &Array) -> Var {
        let dense = array.dense();
        if let Some(remote) = array.remote() {
            REMOTES.with_borrow_mut(|all| all.iter_mut().for_each(|all| all.push(remote.clone())));
        }
        captured_array(dense)
    }
}

/// Uses an array as a constant of the trace.
impl From<Array> for Var {
    #[track_caller]
    fn from(array: Array) -> Var {
        Var::from(&array)
    }
}

impl sealed::IntoVar for &Array {}
impl IntoVar for &Array {
    #[track_caller]
    fn argument(self) -> Argument {
        Argument::Var(Var::from(self))
    }
}

impl sealed::IntoVar for Array {}
impl IntoVar for Array {
    #[track_caller]
    fn argument(self) -> Argument {
        Argument::Var(Var::from(self))
    }
}
