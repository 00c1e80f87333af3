//! The tests of this crate in one program. They use the first device that is found, and say so if there is none.

mod calls;
mod conformance;
mod ensembles;
mod suite;
