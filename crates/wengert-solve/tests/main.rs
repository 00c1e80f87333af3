//! Tests of the solvers.

mod fit;
mod generated;
mod mgh;
mod minimize;
mod optim;
mod quad;
mod root;
