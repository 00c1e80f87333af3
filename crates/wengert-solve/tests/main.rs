//! Tests of the solvers.

mod mgh;
mod minimize;
mod root;
