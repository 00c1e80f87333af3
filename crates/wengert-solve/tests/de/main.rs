//! Tests of differential equations.

mod adjoint;
mod basics;
mod events;
mod explicit;
mod output;
mod stiff;
mod analysis;
mod basics;
mod grid;
mod dde;
mod sde;
