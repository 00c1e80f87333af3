//! Differential equations.

pub mod sde;
