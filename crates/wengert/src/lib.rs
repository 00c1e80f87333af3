//! Compiled, differentiable numerics.
