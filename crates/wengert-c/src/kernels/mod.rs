//! Programs as kernels of a device: a source, and a plan that says what a call launches.
//!
//! [`Kernels`] writes programs of the loop IR to one source in a dialect for devices, and gives a [`Plan`] of each. A plan
//! is data: memory with its sizes, and [`Step`]s in order. It knows no runtime, so that OpenCL, CUDA or a simulator can
//! run it: [`machine`](crate::machine) follows plans for any of them.
//!
//! - What has many independent steps is a kernel of its own, a thread for each: the lanes of a map with their whole body
//!   in them, the elements of a nest, the elements of a product of matrices. A sum in eight interleaved parts has a
//!   thread for each part. So results have the bits of the interpreter.
//! - What is small is one thread's work, as much of it in a row as there is. No kernel but a tiled product has a barrier.
//! - Loops and branches around these are the host's. It knows the extents of most loops, and reads a word of the
//!   [frame](Plan#structfield.frame_words) to know a condition.
//! - The steps of a parallel loop are *rows*. The host launches each part of its body for all rows that are in flight, which
//!   are as many as there is memory for: [`Rows`].
//! - A thread that fails records its status in the frame, if it is the first one, and goes on; kernels that begin
//!   later do nothing. Lists lie in a pool, and a call that found it full is run again with a larger one.
//!
//! ```
//! use wengert_c::Dialect;
//! use wengert_c::kernels::{Kernels, Step};
//! use wengert_loop::loops::Program;
//!
//! let program = Program::parse("
//! b0: f64[1000] input 0
//! b1: f64[1000] output 0
//! n: i64 = 1000
//! for vector k < n {
//!   x: f64* = b0[i]
//!   y: f64* = mul x, x
//!   b1[i] = y
//! }
//! ")?;
//! let mut kernels = Kernels::new(Dialect::OpenCl);
//! let plan = kernels.add(&program)?;
//! let [Step::Launch(square)] = &plan.steps[..] else { panic!("one launch") };
//! assert_eq!(square.columns, 1000);
//! assert!(kernels.source().contains(&format!("void {}(", square.kernel)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod memory;
mod show;
mod sort;
mod split;
mod write;

use wengert_loop::loops::kernel::as_loops;
use wengert_loop::loops::{Failure, Program};
use wengert_loop::types::DType;

use crate::emit::kernels::is_without_function;
use crate::unit::{Port, Unit};
use crate::{CError, Dialect};

pub use crate::unit::{FAILURES, LISTS_FULL};

/// Words of a frame that are not values: the status, and how much of the pool of lists is taken.
pub const FRAME_HEAD: usize = 2;

/// Words in a unit of the pool of lists. The first unit is never taken; its words are zero.
pub const UNIT_WORDS: usize = 8;

/// From what sizes on work is a kernel of its own. No bit depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grain {
    /// Number of lanes from which a vector loop is a kernel.
    pub lanes: usize,
    /// Number of steps from which a sum is a kernel of eight threads.
    pub chains: usize,
    /// The same in the rows of a parallel loop, which have threads already.
    pub row_lanes: usize,
    /// The same for sums in rows.
    pub row_chains: usize,
    /// The most steps of a loop in rows that the host runs.
    pub row_steps: usize,
}

impl Grain {
    /// One thread does what it can: few kernels, which compile fast.
    pub const COARSE: Grain = Grain {
        lanes: usize::MAX,
        chains: usize::MAX,
        row_lanes: usize::MAX,
        row_chains: usize::MAX,
        row_steps: 0,
    };

    /// Everything that can be a kernel is one.
    pub const FINE: Grain = Grain {
        lanes: 1,
        chains: 1,
        row_lanes: 1,
        row_chains: 1,
        row_steps: 64,
    };
}

impl Default for Grain {
    fn default() -> Grain {
        Grain {
            lanes: 64,
            chains: 256,
            row_lanes: 8,
            row_chains: 64,
            row_steps: 64,
        }
    }
}

/// A source of kernels in the making.
#[derive(Debug)]
pub struct Kernels {
    unit: Unit,
    grain: Grain,
    programs: usize,
}

impl Kernels {
    /// Begins a source in a dialect for devices.
    ///
    /// # Panics
    /// If the dialect is [`Dialect::C`], which has no kernels.
    pub fn new(dialect: Dialect) -> Kernels {
        assert!(dialect != Dialect::C, "kernels are for devices");
        Kernels {
            unit: Unit::in_dialect("kernels", dialect),
            grain: Grain::default(),
            programs: 0,
        }
    }

    /// Sets from what sizes on work is a kernel of its own.
    pub fn grain(mut self, grain: Grain) -> Kernels {
        self.grain = grain;
        self
    }

    /// Adds a [verified](wengert_loop::loops::verify) program.
    ///
    /// # Errors
    /// If it calls a function of the host, or a library that factorises matrices: a target
    /// [without a library](wengert_loop::target::Target::without_library) has none.
    pub fn add(&mut self, program: &Program) -> Result<Plan, CError> {
        self.programs += 1;
        let program = &*as_loops(program, &is_without_function);
        split::plan(program, &mut self.unit, self.grain, self.programs - 1)
    }

    /// Returns the failures of the programs so far: that of status [`FAILURES`]` + i` is number `i`.
    pub fn failures(&self) -> &[Failure] {
        self.unit.failures()
    }

    /// Returns the source.
    pub fn source(&self) -> String {
        self.unit.source()
    }
}

/// What a call of a program needs and does.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The arguments. A number that the program does not name is a `bool` without elements.
    pub inputs: Vec<Port>,
    /// The results.
    pub outputs: Vec<Port>,
    /// Words of 64 bits of the frame: [`FRAME_HEAD`], which are zero and one at first, and the values that go from kernel
    /// to kernel.
    pub frame_words: usize,
    /// Scratch of the call: the number of elements of each type.
    pub memory: Vec<(DType, usize)>,
    /// Whether it needs a pool of lists.
    pub lists: bool,
    /// The number of indices of host loops.
    pub indices: usize,
    /// What the call does, in order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Returns the names of the kernels that a call launches, each as often as it is a step.
    ///
    /// ```
    /// use wengert_c::Dialect;
    /// use wengert_c::kernels::Kernels;
    /// use wengert_loop::loops::Program;
    ///
    /// let program = Program::parse("
    /// b0: f64[100] output 0
    /// n: i64 = 100
    /// x: f64 = 1.0
    /// for vector k < n {
    ///   b0[i] = x
    /// }
    /// ")?;
    /// let plan = Kernels::new(Dialect::Cuda).add(&program)?;
    /// assert_eq!(plan.kernels(), ["w0_0"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kernels(&self) -> Vec<&str> {
        let mut names = vec![];
        launches(&self.steps, &mut names);
        names
    }
}

/// The names of the kernels that steps launch.
fn launches<'p>(steps: &'p [Step], names: &mut Vec<&'p str>) {
    for step in steps {
        match step {
            Step::Launch(l) => names.push(&l.kernel),
            Step::Rows(r) => launches(&r.steps, names),
            Step::For { steps, .. } => launches(steps, names),
            Step::While { cond, steps, .. } => {
                launches(cond, names);
                launches(steps, names);
            }
            Step::If {
                then, otherwise, ..
            } => {
                launches(then, names);
                launches(otherwise, names);
            }
        }
    }
}

/// A step of a call.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Launches a kernel.
    Launch(Launch),
    /// Runs steps for the rows of a parallel loop.
    Rows(Rows),
    /// Runs steps a number of times.
    For {
        /// How many times, as an `i64`; not at all if it is not positive.
        extent: Word,
        /// The number of the index, for [`Arg::Index`].
        index: usize,
        /// Whether the index counts down.
        reverse: bool,
        /// The steps.
        steps: Vec<Step>,
    },
    /// Runs steps while a condition holds.
    While {
        /// What computes the condition.
        cond: Vec<Step>,
        /// Whether it holds: not zero.
        go: Word,
        /// The steps.
        steps: Vec<Step>,
        /// The number of times after which the call fails; `u64::MAX` is no limit.
        limit: u64,
        /// The status of that failure.
        status: i32,
    },
    /// Runs one of two.
    If {
        /// Whether the first: not zero.
        pred: Word,
        /// The first.
        then: Vec<Step>,
        /// The second.
        otherwise: Vec<Step>,
    },
}

/// A number that the host needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// It is known.
    Known(u64),
    /// It is this word of the frame.
    Frame(usize),
}

/// Steps that run for the rows of a parallel loop. Rows are independent, so that the host may take as many at a time
/// as there is memory for; launches inside have so many rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows {
    /// The number of rows.
    pub extent: Word,
    /// Words of each row for values that go from kernel to kernel.
    pub frame_words: usize,
    /// Scratch of each row: the number of elements of each type.
    pub memory: Vec<(DType, usize)>,
    /// The steps: launches, and [`Step::For`] around them.
    pub steps: Vec<Step>,
}

/// A launch of one kernel: a thread for each column of each row that is in flight, one row outside of [`Rows`].
#[derive(Clone, PartialEq, Debug)]
pub struct Launch {
    /// The kernel's name in the source.
    pub kernel: String,
    /// Threads of each row.
    pub columns: usize,
    /// The size of groups, where it matters; `columns` is a multiple of it.
    pub group: Option<usize>,
    /// Scratch of each thread: the number of elements of each type. The threads of a launch may be split
    /// over several, by [`Arg::First`], to bound it.
    pub memory: Vec<(DType, usize)>,
    /// The kernel's arguments, in order.
    pub args: Vec<Arg>,
}

/// An argument of a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    /// The frame.
    Frame,
    /// The words of rows, word `i` of all rows in flight before word `i + 1`.
    RowFrame,
    /// The pool of lists.
    Lists,
    /// The number of units of the pool, as `u32`.
    ListUnits,
    /// An argument of the call.
    Input(usize),
    /// A result of the call.
    Output(usize),
    /// Scratch of the call, of this type.
    Memory(DType),
    /// Scratch of the rows in flight, row after row.
    RowMemory(DType),
    /// Scratch of the threads of the launch.
    ThreadMemory(DType),
    /// The index of a host loop, as `i64`.
    Index(usize),
    /// The number of the first row in flight, as `i64`.
    FirstRow,
    /// The number of rows in flight, as `i64`.
    RowCount,
    /// The number of the first thread of this launch among those of the rows in flight, as `i64`.
    First,
}
