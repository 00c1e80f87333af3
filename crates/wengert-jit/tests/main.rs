//! The tests of this crate in one program, since each program is linked with the code generator anew.

mod calls;
mod common;
mod conformance;
mod divisions;
mod files;
mod kernels;
mod lanes;
mod lists;
mod machines;
mod near;
mod operations;
mod random;
mod refill;
mod reuse;
mod scratch;
mod unaligned;
mod upper;
mod zmm;
