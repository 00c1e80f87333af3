//! Tests of fits.

mod basics;
mod generated;
