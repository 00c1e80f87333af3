//! Test support for programs that use Wengert.
//!
//! - [`check_grads`] compares the derivatives of a function, to any order and in both modes, with finite
//!   differences: use it to test an operation or a rule of your own.
//! - [`check_vmap`] compares a batch with a loop.
//! - [`floats`] returns the results of a call, checked against the interpreter, and [`refusal`] the message of
//!   an error.
//! - [`program`] generates random differentiable programs with nested control flow, and shrinks failing ones;
//!   [`laws`] states what must hold for every program.
//! - [`conformance`] states what every back end must compute, and checks one.
//! - [`accuracy`] measures the errors of the elementary and special functions.
//! - [`equations`] has differential equations whose solutions are known.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_check::{check_grads, check_vmap};
//!
//! check_grads(|(x, y): (Var, Var)| (x * y).sin().sum(), ([0.3, -0.8], 1.2), 3)?;
//! check_vmap(|x: Var| x.sin().sum(), [[0.3, 0.4], [0.5, 0.6]])?;
//! # Ok::<(), wengert_check::Failure>(())
//! ```
#![forbid(unsafe_code)]

pub mod accuracy;
mod batch;
mod calls;
mod close;
pub mod conformance;
pub mod equations;
mod grads;
pub mod laws;
pub mod program;
pub mod programs;
mod rng;

pub use batch::check_vmap;
pub use calls::{floats, refusal};
pub use close::Failure;
pub use grads::{Options, check_grads, check_grads_with};
pub use rng::Rng;
