//! Machine code for the loop IR, by Cranelift, and what it needs to run.
//!
//! [`compile()`] turns a [`Program`](wengert_loop::loops::Program) into an [`Executable`], which any
//! number of threads may [run](Executable::run) at the same time.
//!
//! * `plan` prepares a program: it shares or inlines functions, finds out how long each value lives,
//!   and lays out the memory of a call.
//! * `emit` writes Cranelift's IR: scalars, lanes, control flow, memory, lists, parallel loops.
//! * `zmm` writes vector loops in registers of 512 bits, which Cranelift does not have.
//! * `runtime` holds what compiled code calls, and what calls it: frames, lists, threads, kernels.

mod compile;
mod cpu;
mod cross;
mod emit;
mod plan;
mod runtime;
mod zmm;

pub use compile::{CompileError, Options, Vectors, compile};
pub use cpu::Cpu;
pub use cross::{Made, code_for, how};
pub use emit::how::How;
pub use emit::session::Listed;
pub use runtime::executable::{Executable, Listing, Prepared, RunError, Size};
pub use runtime::pages::memory_for;

/// How many threads a parallel loop may use where the call is made: those of the caller's pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}
