//! Differential equations.
