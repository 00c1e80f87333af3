//! Tests of fits.

mod basics;
mod beyond;
mod bounded;
mod collection;
mod drivers;
mod generated;
