//! Back ends, which turn compiled functions into code: see [`Jit::backend`](crate::Jit::backend).
//!
//! A back end of your own implements [`Backend`]: it takes a program of the loop IR and returns code for it.
//! The crate `wengert-run` has the parts it can build on.
//!
//! Machines with memory of their own implement the trait [`Device`]: see [`wengert::Device`](crate::Device), which is made
//! of one.

pub use wengert_ir::target::{Target, Threads};
pub use wengert_jit::Cranelift;
pub use wengert_run::{Backend, Device, DeviceCode, DeviceMemory, Interpreter};
