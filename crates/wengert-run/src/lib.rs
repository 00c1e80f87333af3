//! Back ends of [Wengert](https://docs.rs/wengert), and their foundations: the interface between programs of the loop
//! IR and whatever runs them.
//!
//! * [`backend`]: the traits of a back end and of its code, and the options of both.
//! * [`Executable`]: code with the memory of its calls, which any number of threads may run.
//! * [`device`]: the same for machines with memory of their own.
//! * [`plan`]: analyses of a program before code is emitted: where scratch lies, which results may be written over
//!   arguments, which loops gather, what a loop costs.
//! * [`call`]: frames, the memory of a running call or task, and the lists built in them.
//! * [`library`]: functions that generated code calls: threads, kernels, elementary functions in lanes.
//! * [`lines`]: where machine code comes from in the user's program.
//! * [`sample`]: what compiled code is doing, at the ticks of a clock. [`perf`]: files for Linux' `perf`.
//! * [`Cpu`]: the features of a processor.
//! * [`Interpreter`]: the simplest back end.

pub mod backend;
pub mod call;
mod cpu;
pub mod device;
mod executable;
mod interpreter;
pub mod library;
pub mod lines;
pub mod perf;
pub mod plan;
pub mod sample;
#[cfg(feature = "testing")]
pub mod testing;

pub use backend::{Backend, Code, CompileError, Listed, Listing, Made, Options, Size, Vectors};
pub use call::RunError;
pub use call::pages::memory_for;
pub use cpu::{Arch, Cpu, Known};
pub use device::{Device, DeviceCode, DeviceMemory};
pub use executable::{Executable, Prepared};
pub use interpreter::Interpreter;

/// Returns how many threads a parallel loop may use when called from here: those of the current pool.
pub fn threads() -> usize {
    rayon::current_num_threads()
}
