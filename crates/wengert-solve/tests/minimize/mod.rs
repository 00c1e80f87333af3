//! Minima.

mod bounds;
mod collection;
mod derivatives;
mod mistakes;
mod scalar;
