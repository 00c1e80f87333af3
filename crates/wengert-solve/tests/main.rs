//! Tests of the solvers.

mod optim;
