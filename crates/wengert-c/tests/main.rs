//! The tests of this crate in one program.

mod common;
mod conformance;
mod export;
mod kernels;
mod languages;
mod objects;
mod others;
