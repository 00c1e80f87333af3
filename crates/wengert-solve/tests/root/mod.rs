//! Roots.

mod interval;
