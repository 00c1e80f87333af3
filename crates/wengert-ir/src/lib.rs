//! The typed array IR of Wengert.
#![forbid(unsafe_code)]

pub mod buffer;
pub mod ir;
pub mod loops;
