//! Tests of differential equations.

mod basics;
mod grid;
