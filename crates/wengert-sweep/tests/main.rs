//! Sweeps as a user runs them.

mod common;
mod designs;
mod directories;
mod failures;
mod kills;
mod odd;
mod same_bits;
