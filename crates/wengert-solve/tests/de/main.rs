//! Tests of differential equations.

mod basics;
mod dde;
mod sde;
