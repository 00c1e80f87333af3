//! Tests of the solvers.

mod fit;
