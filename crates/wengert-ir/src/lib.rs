//! The typed array IR of [Wengert](https://docs.rs/wengert): functions over arrays, how they are recorded, differentiated,
//! batched and rewritten, and how they become loops over scalars. Programs use the crate `wengert`; who adds an
//! operation, a transform or a rewrite is at home here.
//!
//! * [`ir`]: a [`Func`](ir::Func) is equations over typed values, with the lines of the program that they come from; it is
//!   verified, printed, read and drawn.
//! * [`trace`]: [`Var`](trace::Var)s, and the stack of open traces that their operations are recorded in. [`num`]: what can be
//!   written with other operations.
//! * [`ops`]: the table of operations. A family is a file that implements [`Primitive`](ops::Primitive); elementwise operations are rows
//!   of tables.
//! * [`transform`]: linearisation, transposition, batching and dead code, which ask an operation for its rules and know none.
//! * [`rewrite`]: simplification, contraction, the fusion of maps, and which values loops store for their derivatives.
//! * [`schedule`]: from functions to loops, the programs of `wengert-loop`.
//! * [`mod@eval`]: the interpreter, which says what everything means.
//!
//! ```
//! use wengert_ir::buffer::{Buffer, Dense};
//! use wengert_ir::eval::eval;
//! use wengert_ir::ir::Func;
//! use wengert_ir::loops::Program;
//! use wengert_ir::schedule::lower;
//!
//! // A function is a value with a text; `wengert::trace` records one from Rust.
//! let f = wengert::trace(|x: wengert::Var| (x * x).sin(), 3.0).unwrap();
//! let f: &Func = f.ir();
//! assert_eq!(Func::parse(&f.to_string()).unwrap().to_string(), f.to_string());
//!
//! // The interpreter runs it as it is, and machine code is made of the loops that it is lowered to.
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
    arithmetic, buffer, cost, elementary, error, loops, order, panics, quoted, scalar, sort,
    source, target, types, with_data,
};
