//! Arrays used in a traced function: hidden arguments, which act as constants.

use wengert_ir::trace::{Argument, IntoVar, Var, captured_array, sealed};

use crate::array::Array;

/// Uses an array as a constant of the trace.
impl From<&Array> for Var {
    #[track_caller]
    fn from(array: &Array) -> Var {
        captured_array(array.dense())
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
