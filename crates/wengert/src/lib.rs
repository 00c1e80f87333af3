//! Compiled, differentiable numerics: write an ordinary Rust function over [`Var`]s once, and have its
//! gradient, its vectorised sweep and its machine code.
#![forbid(unsafe_code)]

// The derive macro writes `::wengert::..`, in this crate too.
extern crate self as wengert;

pub mod array;
#[cfg(doctest)]
mod book;
mod control;
mod debug;
mod host;
mod jit;
pub mod prelude;
pub mod random;
pub mod solver;
mod transform;
pub mod tree;

pub use array::{Array, Lengths, Nested};
pub use control::{
    Over, Predicate, Steps, associative_scan, cond, fori, scan, scan_checkpointed, scan_reverse,
    switch, while_loop,
};
pub use debug::{check, debug_print};
pub use host::pure_callback;
pub use jit::{Executable, Explanation, Jit, Stage, jit, trace};
pub use random::Key;
pub use transform::{
    Axes, checkpoint, custom_jvp, custom_linear_solve, custom_root, custom_vjp, fixed_point, grad,
    grad_at, grad_aux, hessian, hvp, jacfwd, jacrev, jvp, linear_transpose, linearize, map,
    stop_gradient, value_and_grad, value_and_grad_at, value_and_grad_aux, value_and_jacfwd,
    value_and_jacrev, vjp, vjp_aux, vmap, vmap_axes,
};
pub use tree::{Feed, IntoTree, Leaf, ShapeDtype, Tree};
pub use wengert_ir::buffer::Element;
pub use wengert_ir::error::{Error, Result};
pub use wengert_ir::ir::{DType, Func, Type};
pub use wengert_ir::num::{Order, Overlap, Padding, einsum, select};
pub use wengert_ir::rewrite::Choice;
pub use wengert_ir::s;
pub use wengert_ir::trace::{
    Along, Axis, Count, IntoVar, IntoVars, Ints, NewAxis, Pairs, Part, Parts, Span, Var, Widths,
    arange, concat, eye, full, full_like, geomspace, iota, keep, linspace, logspace, meshgrid,
    meshgrid_ij, num, ones, ones_like, ones_of, stack, stack_axis, zeros, zeros_like, zeros_of,
};
