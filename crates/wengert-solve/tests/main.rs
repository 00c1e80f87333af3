//! Tests of the solvers.

mod generated;
mod mgh;
mod minimize;
mod root;
