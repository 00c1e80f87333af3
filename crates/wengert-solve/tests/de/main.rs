//! Tests of differential equations.

mod basics;
