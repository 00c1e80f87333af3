//! The typed array IR of Wengert.
#![forbid(unsafe_code)]

pub mod buffer;
pub mod elementary;
pub mod error;
pub mod eval;
pub mod ir;
pub mod loops;
pub mod num;
pub mod ops;
pub mod panics;
pub mod rewrite;
pub mod schedule;
pub mod source;
pub mod trace;
pub mod transform;
