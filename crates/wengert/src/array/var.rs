//! Arrays inside a function that is traced: hidden arguments, which stand for constants.

use wengert_ir::trace::{Argument, IntoVar, Var, captured_array, sealed};

use crate::array::Array;

/// In a trace an array is a constant.
impl From<&Array> for Var {
    #[track_caller]
    fn from(array: &Array) -> Var {
        captured_array(array.dense())
    }
}

/// In a trace an array is a constant.
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
