//! Tests of the solvers.

mod fit;
mod mgh;
mod minimize;
mod optim;
mod quad;
mod root;
