//! The tests of this crate in one program.

mod accuracy;
mod conformance;
mod derivatives;
mod equations;
