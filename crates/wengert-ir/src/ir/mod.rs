//! The array IR: typed SSA over arrays.

pub mod bits;
pub mod func;
pub mod order;
pub mod parse;
pub mod text;
pub mod types;
pub mod verify;
pub mod view;

pub use bits::BitMatrix;
pub use func::{Atom, Atoms, Eqn, Func, Splat, VarId};
pub use types::{DType, Dim, Shape, Type};
