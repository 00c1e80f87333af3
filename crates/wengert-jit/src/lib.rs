//! Machine code for the loop IR, by Cranelift.
//!
//! [`Cranelift`] is a [back end](wengert_run::Backend): [`compile()`] turns a
//! [`Program`](wengert_loop::loops::Program) into an [`Executable`], which any number of threads may
//! [run](Executable::run) at the same time.
//!
//! * `plan` prepares a program: it shares or inlines functions, and finds out how long each value lives.
//! * `emit` writes Cranelift's IR: scalars, lanes, control flow, memory, lists, parallel loops.
//! * [`object`] makes objects for linkers of programs, instead of code that runs in this process.
//! * `zmm` writes vector loops in registers of 512 or 256 bits, which Cranelift does not have.

mod code;
mod compile;
mod cross;
mod emit;
mod lines;
mod memory;
pub mod object;
mod plan;
mod target;
mod zmm;

pub use compile::{Cranelift, compile};
pub use cross::{Unrun, code_for, how};
pub use emit::how::How;
pub use wengert_run::{
    CompileError, Cpu, Executable, Listed, Listing, Options, Prepared, RunError, Size, Vectors,
    memory_for, threads,
};
