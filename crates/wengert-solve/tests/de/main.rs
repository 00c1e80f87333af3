//! Tests of differential equations.

mod analysis;
mod basics;
mod grid;
