//! Roots.

mod fixed;
mod interval;
mod systems;
