//! The typed array IR of Wengert.
#![forbid(unsafe_code)]

pub mod eval;
pub mod ir;
pub mod num;
pub mod ops;
pub mod rewrite;
pub mod schedule;
pub mod trace;
pub mod transform;

pub use wengert_loop::{
    arithmetic, buffer, cost, elementary, error, loops, order, panics, scalar, sort, source,
    target, types, with_data,
};
