//! Tests of differential equations.

mod adjoint;
mod basics;
mod events;
mod explicit;
mod generated;
mod ivp;
mod output;
