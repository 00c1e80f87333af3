//! The array IR: typed SSA over arrays.

pub mod bits;
pub mod func;
pub mod parse;
pub mod text;
pub mod verify;
pub mod view;

pub use crate::types::{DType, Dim, Shape, Type};
pub use bits::BitMatrix;
pub use func::{Atom, Atoms, Eqn, Func, Splat, VarId};
