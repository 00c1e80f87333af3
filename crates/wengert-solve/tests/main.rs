//! Tests of the solvers.

#[cfg(feature = "argmin")]
mod argmin;
mod fit;
mod generated;
mod interp;
mod mgh;
mod minimize;
mod nested;
mod optim;
mod options;
mod quad;
mod quad_generated;
mod root;
