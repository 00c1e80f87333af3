//! Compiled, differentiable numerics: write an ordinary Rust function over [`Var`]s once, and get its gradient,
//! its vectorised sweep and its machine code.
//!
//! # Arrays and traced values
//!
//! An [`Array`] is data: numbers of one [element type](DType) and a shape, with operators for occasional
//! arithmetic. A [`Var`] stands for an array in a function that is being recorded; it has the operators and
//! methods of numbers and of NumPy's arrays. [`jit`] turns a function of [`Var`]s into a function of arrays: it
//! runs the function once for each signature, records what it does, compiles the recording, and calls the
//! compiled code from then on.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let norm = jit(|x: Var| (x * x).sum().sqrt());
//! assert_eq!(norm.call([3.0, 4.0])?.item::<f64>()?, 5.0);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Derivatives
//!
//! [`grad`], [`value_and_grad`], [`jvp`], [`vjp`], [`jacfwd`], [`jacrev`] and [`hessian`] take functions and
//! return functions, which can be differentiated again. [`custom_jvp`] and [`custom_vjp`] replace a derivative
//! rule; [`custom_root`], [`fixed_point`] and [`custom_linear_solve`] differentiate through the equation that
//! is solved; [`checkpoint`] recomputes values instead of storing them.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let slope = jit(grad(|x: Var| x.sin() * x));
//! let curvature = jit(grad(grad(|x: Var| x.sin() * x)));
//! assert_eq!(slope.call(0.0)?.item::<f64>()?, 0.0);
//! assert_eq!(curvature.call(0.0)?.item::<f64>()?, 2.0);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Batches
//!
//! [`vmap`] turns a function of one element into a function of a batch, whatever loops and branches it
//! contains; compiled, the elements run side by side in vector registers and on all cores.
//!
//! ```
//! use wengert::prelude::*;
//!
//! // The number of steps of the Collatz sequence from n to 1.
//! let steps = |n: Var| {
//!     let next = |n: Var| (n % 2).eq(0).select(n / 2, 3 * n + 1);
//!     while_loop((n, 0), |(n, _)| n.gt(1), |(n, k)| (next(n), k + 1)).1
//! };
//! let all = jit(vmap(steps)).call([1i64, 6, 27])?;
//! assert_eq!(all.to_vec::<i64>()?, [0, 8, 111]);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Loops and choices
//!
//! A Rust loop is unrolled into the recording. [`fori`], [`scan`], [`while_loop`] and [`associative_scan`] are
//! loops in the compiled code, and [`cond`], [`switch`] and [`select`] its choices; all have derivatives in
//! both modes.
//!
//! ```
//! use wengert::prelude::*;
//!
//! // Compound interest, and its derivative by each rate.
//! let grown = |rates: Var| scan(100.0, rates, |sum, rate| (sum * (1.0 + rate), sum)).0;
//! let (sum, slopes) = jit(value_and_grad(grown)).call([0.1, 0.2])?;
//! assert!((sum.item::<f64>()? - 132.0).abs() < 1e-12);
//! assert!((slopes.to_vec::<f64>()?[0] - 120.0).abs() < 1e-12);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Trees
//!
//! Arguments, results, carries and gradients are [trees](tree): tuples, arrays and vectors, and structs and
//! enums with `#[derive(Tree)]`. Their leaves are `Var`s inside traced functions and arrays outside.
//!
//! ```
//! use wengert::prelude::*;
//!
//! #[derive(Tree, Clone, Copy)]
//! struct Line<T = Var> {
//!     slope: T,
//!     height: T,
//! }
//!
//! let loss = |l: Line| (l.slope * 2.0 + l.height - 7.0).square();
//! let g = jit(grad(loss)).call(Line { slope: 1.0, height: 1.0 })?;
//! assert_eq!((g.slope.item::<f64>()?, g.height.item::<f64>()?), (-16.0, -8.0));
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Random numbers
//!
//! [`random`] has keys that are split and never mutated, and samplers that are functions of a key. The same key
//! gives the same numbers on any machine and any number of threads; a batch of keys gives a batch of samples.
//!
//! # When something is wrong
//!
//! A mistake is an [`Error`] that names the operation, the types and the line that wrote it. Only the operators
//! of [`Array`]s panic, because they cannot return a `Result`. [`Jit::debug_nans`] finds the first operation
//! that makes a NaN, [`debug_print`] and [`check`] work inside compiled loops, and [`Jit::explain`] says what
//! the compiler made of a function, and why.
//!
//! ```
//! use wengert::prelude::*;
//!
//! let error = jit(|x: Var| x.reshape([2, 3])).call([1.0, 2.0]).unwrap_err();
//! assert!(error.to_string().starts_with("reshape: f64[2] has 2 elements, f64[2,3] has 6, at "));
//! # Ok::<(), wengert::Error>(())
//! ```
#![forbid(unsafe_code)]

// The derive macro writes `::wengert::..`, and this crate uses the macro too.
extern crate self as wengert;

pub mod array;
pub mod backend;
pub mod complex;
mod control;
mod debug;
mod device;
pub mod fft;
mod func;
mod host;
mod jit;
pub mod linalg;
pub mod prelude;
pub mod random;
#[cfg(feature = "serde")]
mod serialize;
pub mod solver;
mod transform;
pub mod tree;

pub use array::{Array, Nested, Operand};
pub use complex::Complex;
pub use control::{
    Over, Predicate, Steps, associative_scan, cond, fori, scan, scan_checkpointed, scan_reverse,
    switch, while_loop,
};
pub use debug::{check, debug_callback, debug_print};
pub use device::Device;
pub use func::Func;
pub use host::{pure_callback, pure_callback_batched};
#[doc(hidden)]
pub use jit::FunctionParts;
pub use jit::{Estimate, Executable, Explanation, Jit, Profile, Stage, jit, trace};

/// What a [`Profile`] consists of.
pub mod profile {
    pub use crate::jit::{Line, Memory, Method, Profile, StageTime};
}
pub use random::Key;
pub use transform::{
    Axes, checkpoint, closure_convert, custom_jvp, custom_linear_solve, custom_root,
    custom_root_aux, custom_root_with, custom_vjp, fixed_point, grad, grad_at, grad_aux, hessian,
    hvp, jacfwd, jacrev, jvp, linear_transpose, linearize, map, stop_gradient, value_and_grad,
    value_and_grad_at, value_and_grad_aux, value_and_jacfwd, value_and_jacrev, vjp, vjp_aux, vmap,
    vmap_axes,
};
pub use tree::{Feed, IntoTree, Leaf, ShapeDtype, Tree};
pub use wengert_ir::buffer::Element;
pub use wengert_ir::error::{Error, Result};
pub use wengert_ir::ir::{DType, Dim, Shape, Splat, Type};
pub use wengert_ir::num::{Conv, Order, Overlap, Padding, Window, einsum, select};
pub use wengert_ir::rewrite::Choice;
pub use wengert_ir::s;
pub use wengert_ir::source::{Place, SourceId};
pub use wengert_ir::trace::{
    Along, Argument, Axis, Count, IntoShape, IntoVar, IntoVars, Ints, NewAxis, Pairs, Part, Parts,
    Span, Var, Widths, arange, concat, eye, full, full_like, geomspace, iota, keep, linspace,
    logspace, meshgrid, meshgrid_ij, num, ones, ones_like, ones_of, stack, stack_axis, zeros,
    zeros_like, zeros_of,
};
