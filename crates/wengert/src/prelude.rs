//! What a program that uses this crate wants in scope.

pub use crate::array::Array;
pub use crate::control::{cond, fori, scan, scan_reverse, while_loop};
pub use crate::jit::{Jit, jit, trace};
pub use crate::random::Key;
pub use crate::transform::{
    checkpoint, custom_jvp, custom_vjp, grad, grad_at, grad_aux, hessian, hvp, jacfwd, jacrev, jvp,
    linearize, map, stop_gradient, value_and_grad, value_and_grad_at, value_and_grad_aux,
    value_and_jacfwd, vjp, vmap, vmap_axes,
};
pub use crate::tree::{self, ShapeDtype, Tree};
pub use wengert_ir::ir::DType;
pub use wengert_ir::trace::{
    Var, arange, concat, eye, full, iota, ones, ones_like, stack, stack_axis, zeros,
};
