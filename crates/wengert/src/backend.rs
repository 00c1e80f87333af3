//! What runs compiled functions: see [`Jit::backend`](crate::Jit::backend).
//!
//! A back end of your own implements [`Backend`]: it is given a program of the loop IR, and gives code of it. The crate
//! `wengert-run` has what it stands on.

pub use wengert_ir::target::Target;
pub use wengert_jit::Cranelift;
pub use wengert_run::{Backend, Interpreter};
