//! Sweeps as a user runs them.

mod common;
mod designs;
mod directories;
mod failures;
mod kills;
mod same_bits;
