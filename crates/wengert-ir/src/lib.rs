//! The typed array IR of [Wengert](https://docs.rs/wengert): how functions over arrays are recorded, differentiated,
//! batched and rewritten, and how they become loops over scalars. Programs use the crate `wengert`; this crate is for
//! those who add an operation, a transform or a rewrite.
//!
//! * [`ir`]: a [`Func`](ir::Func) is a list of equations over typed values, each with the lines of the program that it
//!   comes from. The module verifies, prints, parses and draws functions.
//! * [`trace`]: [`Var`](trace::Var)s, and the stack of open traces that records their operations. [`num`]: operations
//!   composed of other operations.
//! * [`ops`]: the table of operations. A family is a file that implements [`Primitive`](ops::Primitive); elementwise
//!   operations are rows of tables.
//! * [`transform`]: linearisation, transposition, batching and dead-code elimination. They ask an operation for its
//!   rules and name none.
//! * [`rewrite`]: simplification, contraction, the fusion of maps, and the choice of the values that loops store for
//!   their derivatives.
//! * [`schedule`]: the lowering from functions to loops, the programs of `wengert-loop`.
//! * [`mod@eval`]: the interpreter, which defines the meaning of everything.
//!
//! ```
//! use wengert_ir::buffer::{Buffer, Dense};
//! use wengert_ir::eval::eval;
//! use wengert_ir::ir::Func;
//! use wengert_ir::loops::Program;
//! use wengert_ir::schedule::lower;
//!
//! // A function is a value with a text form; `wengert::trace` records one from Rust.
//! let f = wengert::trace(|x: wengert::Var| (x * x).sin(), 3.0).unwrap();
//! let f: &Func = f.ir();
//! assert_eq!(Func::parse(&f.to_string()).unwrap().to_string(), f.to_string());
//!
//! // The interpreter runs the function itself; machine code is made from the loops that it is lowered to.
//! let y = eval(f, &[Buffer::Dense(Dense::scalar(3.0))]).unwrap();
//! assert_eq!(y[0].dense().slice::<f64>(), [9f64.sin()]);
//! let program: Program = lower(f).unwrap();
//! assert!(program.to_string().starts_with("b0: f64[1] input 0"));
//! ```
#![forbid(unsafe_code)]

pub mod eval;
pub mod ir;
pub mod num;
pub mod ops;
pub mod rewrite;
pub mod schedule;
pub mod trace;
pub mod transform;

pub use wengert_loop::{
    arithmetic, buffer, cost, elementary, error, fourier, loops, order, panics, quoted, scalar,
    sort, source, target, timing, types, with_data,
};
