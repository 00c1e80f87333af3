//! Minima.

mod bounds;
mod collection;
mod constraints;
mod derivatives;
mod mistakes;
mod scalar;
mod without;
