//! Back ends: they compile programs of the loop IR.
//!
//! A back end implements [`Backend`]; the code it makes implements [`Code`] and is run by an [`Executable`],
//! which checks arguments and keeps the memory of calls and the threads of parallel loops. Analyses of programs
//! that any back end can use are in [`plan`](crate::plan), the functions its code may call in
//! [`library`](crate::library).

use std::fmt::Debug;

use wengert_loop::loops::Program;
use wengert_loop::target::Target;

use crate::call::layout::FrameShape;
use crate::cpu::Cpu;
use crate::executable::Executable;
use crate::lines::LineTable;
use crate::plan::cost::Costs;

/// A compiler of programs.
pub trait Backend: Debug + Send + Sync {
    /// Returns the back end's name, for people.
    fn name(&self) -> String;

    /// Returns the properties that programs for this back end should have.
    fn target(&self, options: &Options) -> Target;

    /// Compiles a program that has been [verified](wengert_loop::loops::verify), or is otherwise known to be
    /// well formed: the code does not repeat the verifier's checks.
    ///
    /// # Errors
    /// If the back end does not support this machine or this program.
    fn compile(&self, program: &Program, options: &Options) -> Result<Executable, CompileError>;
}

/// Compiled code of a program, which any number of threads may run at the same time, each on its own frame.
pub trait Code: Send + Sync {
    /// Runs a call, and returns 0 on success. The frame starts with the [header](crate::call::layout::header)
    /// and the pointers of the inputs and outputs ([`Layout::pointer`](crate::call::layout::Layout::pointer)),
    /// and has the [shape](Made::call) that was requested. Errors are stored in the call.
    ///
    /// # Safety
    /// `frame` is the frame pointer of such a frame, which nobody else uses; its inputs and outputs have the
    /// types and lengths that the program names, nobody writes an input, and nobody else accesses an output
    /// while it runs.
    unsafe fn run(&self, frame: *mut u8) -> i32;
}

/// The result of compiling a program.
pub struct Made {
    /// The code.
    pub code: Box<dyn Code>,
    /// The shape of a call's frame.
    pub call: FrameShape,
    /// The shape of a task's frame: one for each thread that works on a parallel loop.
    pub task: FrameShape,
    /// For each output, the inputs over which it may be written: see [`reuse`](crate::plan::reuse).
    pub choices: Vec<Vec<u32>>,
    /// The size of the code.
    pub size: Size,
    /// The emitted program and its text, if [`Options::listing`] asked for them.
    pub listing: Option<Listing>,
    /// Where the code comes from, if [`Options::lines`] asked for it.
    pub lines: Option<LineTable>,
}

/// Default limit on the bytes that the lists of one call may take.
pub const LIST_LIMIT: usize = 8 << 30;

/// Options of compilation, and limits of compiled code. A back end ignores options that do not apply to it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Limit on the bytes that the lists of one call may take.
    pub list_limit: usize,
    /// Functions with more instructions than this are compiled with the fast register allocator: several times
    /// faster to compile, and a third slower to run.
    pub quick_above: usize,
    /// Nanoseconds of work below which a parallel loop runs on the calling thread.
    pub parallel_above: u64,
    /// Whether the passes that make programs faster run: short loops are unrolled, neighbouring loops joined, and
    /// elements kept in registers.
    pub unroll: bool,
    /// Which code uses registers wider than 128 bits, where the machine has them.
    pub vectors: Vectors,
    /// The processor to compile for. Code for one with fewer features than this machine's is slower; it serves
    /// to test paths that better processors never take.
    pub cpu: Cpu,
    /// Whether to keep the text of the code and the emitted program, see [`Executable::listing`].
    pub listing: bool,
    /// Whether to keep where the code comes from, see [`Executable::lines`]. The code is the same.
    pub lines: bool,
}

/// Which code uses registers wider than 128 bits. The results have the same bits in every case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Vectors {
    /// None.
    Narrow,
    /// Elementary functions in lanes, by the runtime.
    Functions,
    /// Vector loops too, where it pays.
    Loops,
    /// Every vector loop that code of 512 or 256 bits can be made for: for tests.
    AllLoops,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            list_limit: LIST_LIMIT,
            quick_above: 20_000,
            parallel_above: 25_000,
            unroll: true,
            vectors: Vectors::Loops,
            cpu: Cpu::host(),
            listing: false,
            lines: false,
        }
    }
}

/// The reason why a program could not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// No code generator supports this machine; programs can still be interpreted.
    #[error("no code for this machine: {0}")]
    Machine(String),
    /// The code generator refused the program.
    #[error("code generation failed: {0}")]
    Codegen(String),
    /// A malformed program, or a bug of the code generator.
    #[error("code generation stopped: {0}")]
    Internal(String),
}

/// The size of compiled code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Number of native functions.
    pub functions: usize,
    /// Number of vector loops in registers of 512 or 256 bits; each is one of the functions.
    pub wide_loops: usize,
    /// Total bytes of machine code.
    pub bytes: usize,
}

/// The program that was emitted, and its text.
#[derive(Debug)]
pub struct Listing {
    /// The program as emitted: short loops unrolled, small arrays in registers.
    pub program: Program,
    /// What the code costs, as estimated.
    pub costs: Costs,
    /// The native functions.
    pub functions: Vec<Listed>,
}

/// The text of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its role: the call, or a part of it; the body of a parallel loop; or a function of scalars.
    pub name: String,
    /// The text that the back end wrote, in its own language.
    pub text: String,
    /// The assembly.
    pub assembly: String,
}
