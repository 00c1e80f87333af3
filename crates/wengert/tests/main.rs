//! The tests of this crate in one program.

mod array;
mod callback;
mod debug;
mod derivatives;
mod doors;
mod regressions;
mod tree;
mod views;
