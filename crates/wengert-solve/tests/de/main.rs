//! Tests of differential equations.

mod basics;
mod generated;
mod ivp;
