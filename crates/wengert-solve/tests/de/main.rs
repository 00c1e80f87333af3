//! Tests of differential equations.

mod adjoint;
mod analysis;
mod basics;
mod dde;
mod events;
mod explicit;
mod generated;
mod grid;
mod ivp;
mod output;
mod sde;
mod slices;
mod stiff;
