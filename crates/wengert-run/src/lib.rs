//! Back ends of [Wengert](https://docs.rs/wengert), and what they stand on: the seam between programs of the loop IR
//! and whatever runs them.
//!
//! * [`backend`]: the traits of a back end and of its code, and the options of both.
//! * [`Executable`]: code with the memory of its calls, which any number of threads may run.
//! * [`plan`]: what a back end wants to know of a program before it writes code: where scratch lies, which results may
//!   be written over arguments, which loops gather, what a loop costs.
//! * [`call`]: frames, the memory of a running call or task, and the lists built in them.
//! * [`library`]: what generated code calls: threads, kernels, elementary functions in lanes.
//! * [`Cpu`]: what a processor has.
//! * [`Interpreter`]: the first back end.

pub mod backend;
pub mod call;
mod cpu;
mod executable;
mod interpreter;
pub mod library;
pub mod plan;
#[cfg(feature = "testing")]
pub mod testing;

pub use backend::{Backend, Code, CompileError, Listed, Listing, Made, Options, Size, Vectors};
pub use call::RunError;
pub use call::pages::memory_for;
pub use cpu::{Arch, Cpu, Known};
pub use executable::{Executable, Prepared};
pub use interpreter::Interpreter;

/// How many threads a parallel loop may use where the call is made: those of the caller's pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}
