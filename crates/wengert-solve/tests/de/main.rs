//! Tests of differential equations.

mod adjoint;
mod analysis;
mod basics;
mod events;
mod explicit;
mod grid;
mod output;
