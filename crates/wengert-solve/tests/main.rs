//! Tests of the solvers.

mod mgh;
mod minimize;
mod optim;
mod quad;
mod root;
