//! Tests of the solvers.

mod interp;
mod optim;
mod quad;
