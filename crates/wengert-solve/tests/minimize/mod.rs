//! Minima.

mod collection;
mod derivatives;
mod mistakes;
mod scalar;
