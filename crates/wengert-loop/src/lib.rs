//! The loop IR of Wengert and its foundations: element types, buffers, errors that name the user's line,
//! elementary functions, and the semantics of scalar operations.
//!
//! A [`loops::Program`] is loop nests over scalars. This crate builds, verifies, prints and interprets
//! programs; a back end turns them into machine code and depends on no other crate. Nothing here depends on
//! array operations or tracing.
//!
//! * [`loops`]: the IR: [builder](loops::builder), [verifier](loops::verify), [text form](loops::text),
//!   [interpreter](loops::interp), passes. [`loops::kernel`] has operations on whole arrays that are not loops.
//! * [`scalar`]: the names, types and semantics of scalar operations. [`elementary`]: the elementary functions, each
//!   written once for every use.
//! * [`types`], [`buffer`], [`error`], [`source`]: element types and shapes, arrays in memory, errors, lines of the program.
//! * [`order`], [`sort`], [`arithmetic`]: the order of sums and of elements. [`target`]: properties of the machine that
//!   affect how programs are built. [`cost`]: what operations cost. [`timing`]: what the passes of the compiler took.
//!
//! ```
//! use wengert_loop::buffer::Data;
//! use wengert_loop::loops::{Program, interp};
//!
//! let program = Program::parse(
//!     "b0: f64[4] input 0
//!      b1: f64[4] output 0
//!      n: i64 = 4
//!      for vector k < n {
//!        x: f64* = b0[i]
//!        y: f64* = mul x, x
//!        b1[i] = y
//!      }",
//! )?;
//! let mut out = [Data::F64(vec![0.0; 4])];
//! interp::run(&program, &[&Data::F64(vec![1.0, 2.0, 3.0, 4.0])], &mut out).unwrap();
//! assert_eq!(out[0], Data::F64(vec![1.0, 4.0, 9.0, 16.0]));
//! # Ok::<(), wengert_loop::error::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod arithmetic;
pub mod buffer;
pub mod cost;
pub mod elementary;
pub mod error;
pub mod loops;
pub mod order;
pub mod panics;
pub mod quoted;
pub mod scalar;
pub mod sort;
pub mod source;
pub mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod timing;
pub mod types;

pub use wengert_fourier as fourier;
