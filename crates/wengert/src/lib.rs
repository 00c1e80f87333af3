//! Compiled, differentiable numerics.
#![forbid(unsafe_code)]

// The derive macro writes `::wengert::..`, in this crate too.
extern crate self as wengert;

pub mod array;
pub mod tree;

pub use array::Array;
pub use tree::{Feed, IntoTree, Leaf, ShapeDtype, Tree};
pub use wengert_ir::buffer::Element;
pub use wengert_ir::error::{Error, Result};
pub use wengert_ir::ir::{DType, Type};
pub use wengert_ir::trace::Var;
