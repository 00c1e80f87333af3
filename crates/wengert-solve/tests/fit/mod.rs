//! Tests of fits.

mod basics;
mod beyond;
mod collection;
mod generated;
