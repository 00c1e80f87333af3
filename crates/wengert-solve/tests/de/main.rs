//! Tests of differential equations.

mod sde;
