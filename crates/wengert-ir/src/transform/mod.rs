//! Transforms from functions to functions: short drivers that never match on an operation, among them
//! [`dead_code`].

pub mod batch;
pub mod body;
pub mod dead;
pub mod linearity;
pub mod linearize;
pub mod replay;
pub mod transpose;

pub use batch::{batch, batched, batched_body};
pub use dead::dead_code;
pub use linearity::why_not_linear;
pub use linearize::{Linear, linearize};
pub use replay::{inline, recorded_anew, replay, unfolded};
pub use transpose::transpose;
