//! Tests of fits.

mod basics;
mod beyond;
mod generated;
