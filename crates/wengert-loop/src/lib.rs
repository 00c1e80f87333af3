//! The loop IR of Wengert, and what it stands on: element types, buffers, errors that name the user's
//! line, elementary functions, and the meaning of scalar operations.
//!
//! A [`loops::Program`] is loop nests over scalars. This crate builds, verifies, prints and interprets
//! one; a back end turns it into machine code and needs to see no other crate. Nothing here knows of
//! array operations or of tracing.
#![forbid(unsafe_code)]

pub mod arithmetic;
pub mod buffer;
pub mod cost;
pub mod elementary;
pub mod error;
pub mod loops;
pub mod order;
pub mod panics;
pub mod scalar;
pub mod sort;
pub mod source;
pub mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod types;
