//! The array IR: typed SSA over arrays.

pub mod types;
