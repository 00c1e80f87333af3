//! Tests of the solvers.

mod fit;
mod interp;
mod mgh;
mod minimize;
mod optim;
mod quad;
mod quad_generated;
mod root;
