//! Tests of the solvers.

mod optim;
mod quad;
