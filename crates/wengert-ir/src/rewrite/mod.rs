//! Rewrites: functions to equal functions, after all differentiation is done.
//!
//! Unlike the transforms these may name operations: each pass is a table of rules.

pub mod dead;

pub use dead::dead_code;
