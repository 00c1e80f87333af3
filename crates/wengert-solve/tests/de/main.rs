//! Tests of differential equations.
