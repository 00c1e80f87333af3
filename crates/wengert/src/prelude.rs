//! The names that a program using this crate usually needs in scope.
//!
//! A name of your own takes precedence over one from here if it is defined in the same module or imported by
//! name. Two glob imports have equal precedence: where `use mine::*` brings another `scan` or `full`, choose
//! one with `use mine::scan`.
//!
//! Names that clash easily with a program's own are not here and are written with the crate's name:
//! `wengert::check(..)`, `wengert::map(..)`, `wengert::trace(..)`, and `wengert::Order`, `wengert::Overlap` and
//! `wengert::Padding`, which a few methods take.

pub use crate::array::Array;
pub use crate::complex::Complex;
pub use crate::control::{
    associative_scan, cond, fori, scan, scan_checkpointed, scan_reverse, switch, while_loop,
};
pub use crate::debug::debug_print;
pub use crate::device::Device;
pub use crate::host::{pure_callback, pure_callback_batched};
pub use crate::jit::{Jit, jit};
pub use crate::random::Key;
pub use crate::transform::{
    checkpoint, custom_jvp, custom_linear_solve, custom_root, custom_root_aux, custom_root_with,
    custom_vjp, fixed_point, grad, grad_at, grad_aux, hessian, hvp, jacfwd, jacrev, jvp,
    linear_transpose, linearize, stop_gradient, value_and_grad, value_and_grad_at,
    value_and_grad_aux, value_and_jacfwd, value_and_jacrev, vjp, vjp_aux, vmap, vmap_axes,
};
pub use crate::tree::{self, ShapeDtype, Tree};
pub use wengert_ir::ir::DType;
pub use wengert_ir::num::{einsum, select};
pub use wengert_ir::s;
pub use wengert_ir::trace::{
    NewAxis, Span, Var, arange, concat, eye, full, full_like, geomspace, iota, keep, linspace,
    logspace, meshgrid, meshgrid_ij, num, ones, ones_like, ones_of, stack, stack_axis, zeros,
    zeros_like, zeros_of,
};
