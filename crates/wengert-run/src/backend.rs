//! What a back end is: it makes code of programs of the loop IR.
//!
//! A back end implements [`Backend`]; the code it makes implements [`Code`], and is run by an [`Executable`], which checks
//! arguments, and keeps the memory of calls and the threads of parallel loops. What any back end wants to know of a
//! program before it writes code is in [`plan`](crate::plan), what its code may call in [`library`](crate::library).

use std::fmt::Debug;

use wengert_loop::loops::Program;
use wengert_loop::target::Target;

use crate::call::layout::FrameShape;
use crate::cpu::Cpu;
use crate::executable::Executable;

/// Makes code of programs.
pub trait Backend: Debug + Send + Sync {
    /// Its name, for people.
    fn name(&self) -> String;

    /// What programs for it should be like.
    fn target(&self, options: &Options) -> Target;

    /// Makes code of a program that has been [verified](wengert_loop::loops::verify), or is otherwise known to be well
    /// formed: the code does not check what the verifier does.
    ///
    /// # Errors
    /// If there is no code for this machine, or for this program.
    fn compile(&self, program: &Program, options: &Options) -> Result<Executable, CompileError>;
}

/// Code of a program, which any number of threads may run at the same time, each on a frame of its own.
pub trait Code: Send + Sync {
    /// Runs a call; 0 if all went well. The frame begins with the [header](crate::call::layout::header) and the pointers of
    /// the inputs and outputs ([`Layout::pointer`](crate::call::layout::Layout::pointer)), and is of the
    /// [shape](Made::call) that was asked for. Errors are put down in the call.
    ///
    /// # Safety
    /// `frame` is the frame pointer of such a frame, which nobody else uses; its inputs and outputs are of the types and
    /// lengths that the program names, nobody writes an input, and nobody else reaches an output while it runs.
    unsafe fn run(&self, frame: *mut u8) -> i32;
}

/// What a back end has made of a program.
pub struct Made {
    /// The code.
    pub code: Box<dyn Code>,
    /// The frame of a call.
    pub call: FrameShape,
    /// The frame of a task: of each thread that works on a parallel loop.
    pub task: FrameShape,
    /// For each output the inputs over which it may be written: see [`reuse`](crate::plan::reuse).
    pub choices: Vec<Vec<u32>>,
    /// How much code there is.
    pub size: Size,
    /// What it was made of, and its text, if [`Options::listing`] asked for it.
    pub listing: Option<Listing>,
}

/// Bytes that the lists of one call may take unless said.
pub const LIST_LIMIT: usize = 8 << 30;

/// How to compile, and limits of what is compiled. A back end passes over what it has no use for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that the lists of one call may take.
    pub list_limit: usize,
    /// Functions of more instructions than this are compiled by the quick register allocator:
    /// several times faster, and a third slower to run.
    pub quick_above: usize,
    /// Nanoseconds of work below which a parallel loop runs on the calling thread.
    pub parallel_above: u64,
    /// Whether short loops become straight lines, and elements of small arrays live in registers.
    pub unroll: bool,
    /// How much is done in registers wider than 128 bits, where the machine has them.
    pub vectors: Vectors,
    /// The processor that code is made for: one that has less than this machine's is slower, and a test of what
    /// better ones never run.
    pub cpu: Cpu,
    /// Whether to keep the text of the code and the program it was made of, see [`Executable::listing`].
    pub listing: bool,
}

/// What is done in registers wider than 128 bits. The results are the same, bit for bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Vectors {
    /// Nothing.
    Narrow,
    /// Elementary functions in lanes, by the runtime.
    Functions,
    /// Vector loops too, where it pays.
    Loops,
    /// Every vector loop that there is such code for: for tests.
    AllLoops,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            list_limit: LIST_LIMIT,
            quick_above: 20_000,
            parallel_above: 80_000,
            unroll: true,
            vectors: Vectors::Loops,
            cpu: Cpu::host(),
            listing: false,
        }
    }
}

/// Why a program could not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// There is no code generator for this machine: programs can be interpreted.
    #[error("no code for this machine: {0}")]
    Machine(String),
    /// The code generator refused.
    #[error("code generation failed: {0}")]
    Codegen(String),
    /// A malformed program, or a mistake of the code generator.
    #[error("code generation stopped: {0}")]
    Internal(String),
}

/// How much code there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Native functions.
    pub functions: usize,
    /// Vector loops in registers of 512 bits; each is one of the functions.
    pub wide_loops: usize,
    /// Bytes of machine code in all.
    pub bytes: usize,
}

/// What code was made of, and its text.
#[derive(Debug)]
pub struct Listing {
    /// The program as it was emitted: short loops are straight lines, small arrays in registers.
    pub program: Program,
    /// The native functions.
    pub functions: Vec<Listed>,
}

/// The text of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// What it is: the call, or a part of it; the body of a parallel loop; or a function of scalars.
    pub name: String,
    /// The text that the back end wrote, in whatever language that is.
    pub text: String,
    /// The assembly.
    pub assembly: String,
}
