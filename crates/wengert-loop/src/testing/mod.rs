//! Support for the tests of back ends: programs in files, their expected results, and one suite
//! that runs all of them.
//!
//! A [`File`] is a program in [text form](crate::loops::parse) and, in comments, its runs:
//!
//! ```text
//! ; Sums, in order.
//! b0: f64[3] input 0
//! b1: f64[1] output 0
//! ..
//! ; run: f64[3] 1.0 2.0 3.0 -> f64[1] 6.0
//! ; run: f64[3] 0.5 * 2 NaN -> f64[1] NaN
//! ; run: f64[3] -1.0 * 3 -> fails 0
//! ```
//!
//! A run is its arguments, an arrow, and its results, or `fails` with the number of the failure, or
//! `max_steps` with the limit. An array is its element type, its length, and its elements, written as
//! constants of programs are: `x * n` is `n` of them. A line that begins with a semicolon and two
//! spaces goes on with the run above it. Results are compared bit by bit, but one NaN is as good as
//! another. `; wide: n` says how many of its vector loops are such as a back end with registers of 512
//! bits has code for, if there is one.
//!
//! [`backend_tests!`](crate::backend_tests) makes a test of each file of this crate for a
//! [`Runner`]. A generated program that fails is reduced by [`shrunk()`] and printed as such a
//! file.

mod file;
mod rewrite;
mod shrink;

pub use file::{File, Run};
pub use shrink::shrunk;

use std::fmt::{self, Display, Formatter};

use crate::buffer::Data;
use crate::loops::kernel::all_as_loops;
use crate::loops::prepare::prepare;
use crate::loops::verify::verify;
use crate::loops::{BufferKind, Program, interp};

/// Why a run has no results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// The program stopped with an error; an index into [`Program::failures`].
    Failed(u32),
    /// A loop ran to its limit of steps.
    MaxSteps(u64),
    /// Anything else, which no file expects.
    Other(String),
}

impl Display for Stopped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::Failed(n) => write!(f, "fails {n}"),
            Stopped::MaxSteps(limit) => write!(f, "max_steps {limit}"),
            Stopped::Other(message) => write!(f, "{message}"),
        }
    }
}

/// Runs programs: a back end in one configuration.
pub trait Runner {
    /// Runs a program. Returns its outputs, in order.
    ///
    /// # Errors
    /// If the run stops.
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped>;

    /// Checks further properties of a file.
    ///
    /// # Errors
    /// If one does not hold.
    fn examine(&self, file: &File) -> Result<(), String> {
        let _ = file;
        Ok(())
    }
}

/// The reference interpreter of programs.
#[derive(Clone, Copy, Debug)]
pub struct Interpreter;

impl Runner for Interpreter {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        let inputs: Vec<&Data> = inputs.iter().collect();
        let mut results = outputs(program);
        match interp::run(program, &inputs, &mut results) {
            Ok(()) => Ok(results),
            Err(interp::Error::Failed(n)) => Err(Stopped::Failed(n)),
            Err(interp::Error::MaxSteps { limit, .. }) => Err(Stopped::MaxSteps(limit)),
            Err(error) => Err(Stopped::Other(error.to_string())),
        }
    }
}

/// The interpreter, on the programs that the passes before code generation produce.
#[derive(Clone, Copy, Debug)]
pub struct Rewritten;

impl Runner for Rewritten {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        let rewritten = prepare(program);
        verify(&rewritten).map_err(Stopped::Other)?;
        Interpreter.run(&rewritten, inputs)
    }
}

/// Runs programs after the passes, with loops instead of kernels, on the interpreter.
#[derive(Clone, Copy, Debug)]
pub struct WithoutKernels;

impl Runner for WithoutKernels {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        let program = all_as_loops(program);
        verify(&program).map_err(Stopped::Other)?;
        Rewritten.run(&program, inputs)
    }
}

/// Zeros for each output of a program, in order.
pub fn outputs(program: &Program) -> Vec<Data> {
    let mut found: Vec<(u32, Data)> = vec![];
    for b in &program.buffers {
        if let BufferKind::Output(n) = b.kind {
            found.push((n, Data::zeros(b.dtype, b.len)));
        }
    }
    found.sort_by_key(|f| f.0);
    found.into_iter().map(|f| f.1).collect()
}

fn is_nan(data: &Data, i: usize) -> bool {
    match data {
        Data::F64(v) => v[i].is_nan(),
        Data::F32(v) => v[i].is_nan(),
        _ => false,
    }
}

/// The first output and element in which two results differ; all NaNs are equal.
pub fn difference(got: &[Data], expected: &[Data]) -> Option<String> {
    if got.len() != expected.len() {
        return Some(format!("{} results, not {}", got.len(), expected.len()));
    }
    for (n, (a, b)) in got.iter().zip(expected).enumerate() {
        if a.dtype() != b.dtype() || a.len() != b.len() {
            let (a, b) = (file::result(a), file::result(b));
            return Some(format!("output {n} is {a}, not {b}"));
        }
        let differ = |&i: &usize| a.bits(i) != b.bits(i) && !(is_nan(a, i) && is_nan(b, i));
        if let Some(i) = (0..a.len()).find(differ) {
            // Show the elements before it, too.
            let near = |d: &Data| file::result(&d.pick(i.saturating_sub(7)..i + 1));
            return Some(format!(
                "output {n}, element {i}, with what is in front of it:\n     got {}\nexpected {}",
                near(a),
                near(b)
            ));
        }
    }
    None
}

/// Checks a file on a back end.
///
/// # Errors
/// Describes the mismatch, with the line of the run.
pub fn check(file: &File, runner: &dyn Runner) -> Result<(), String> {
    let name = &file.name;
    for run in &file.runs {
        let line = run.line;
        let got = runner.run(&file.program, &run.inputs);
        let wrong = match (&got, &run.expected) {
            (Ok(got), Ok(expected)) => difference(got, expected),
            (got, expected) if got == expected => None,
            (got, expected) => {
                let text = |r: &Result<Vec<Data>, Stopped>| match r {
                    Ok(results) => format!("{} results", results.len()),
                    Err(stopped) => stopped.to_string(),
                };
                Some(format!(
                    "     got {}\nexpected {}",
                    text(got),
                    text(expected)
                ))
            }
        };
        if let Some(wrong) = wrong {
            return Err(format!("{name}.loop, line {line}: {wrong}"));
        }
    }
    runner
        .examine(file)
        .map_err(|e| format!("{name}.loop: {e}"))
}

/// Checks the file of that name on a back end; [`backend_tests!`](crate::backend_tests) calls it.
///
/// # Panics
/// If the check fails.
#[track_caller]
pub fn check_named(name: &str, runner: &dyn Runner) {
    let file = File::named(name).unwrap_or_else(|e| panic!("{name}.loop: {e}"));
    if let Err(wrong) = check(&file, runner) {
        panic!("{wrong}");
    }
}

/// Makes a test of each file in `tests/loops` of this crate, for a [`Runner`].
///
/// ```text
/// mod interpreted {
///     wengert_loop::backend_tests!(wengert_loop::testing::Interpreter);
/// }
/// ```
#[macro_export]
macro_rules! backend_tests {
    ($backend:expr) => {
        $crate::backend_tests! { @each $backend;
            any
            block_of_7
            block_of_8
            block_of_9
            carried_change_places
            constants
            copies
            elementary
            elementary_f32
            even_bool
            even_f32
            even_f64
            even_i32
            even_i64
            even_u32
            even_u64
            even_u8
            exponential
            extents_by_lane
            fails
            fft
            folds
            functions
            gather_and_scatter
            if_in_lanes
            if_outside_lanes
            lanes_bool
            lanes_f32
            lanes_f64
            lanes_i32
            lanes_i64
            lanes_u32
            lanes_u64
            lanes_u8
            lists
            lists_in_lanes
            local_memory
            local_outside_lanes
            many_tasks
            masks
            narrow_branches
            narrow_carries
            narrow_folds
            narrow_memory
            neighbouring_loops
            nested_masks
            no_steps
            one_by_one_bool
            one_by_one_f32
            one_by_one_f64
            one_by_one_i32
            one_by_one_i64
            one_by_one_u32
            one_by_one_u64
            one_by_one_u8
            parallel_tasks
            product
            products_in_lanes
            products_in_lanes_f32
            random_words
            random_words_in_lanes
            reverse
            scratch
            sixteen_bool
            sixteen_f32
            sixteen_i32
            sixteen_u32
            sixteen_u8
            sort
            stores_read_later
            stores_read_later_backwards
            stores_read_later_in_lanes
            stores_that_may_meet
            top_k
            uniform_bool
            uniform_f32
            uniform_f64
            uniform_i32
            uniform_i64
            uniform_u32
            uniform_u64
            uniform_u8
            while_counts
            while_in_lanes
            while_limit
            while_limit_in_lanes
            wide_f32
            wide_f64
        }
    };
    (@each $backend:expr; $($file:ident)*) => {
        $(
            #[test]
            fn $file() {
                $crate::testing::check_named(stringify!($file), &$backend);
            }
        )*

        /// No file is left out.
        #[test]
        fn every_file_is_named() {
            assert_eq!($crate::testing::File::names(), [$(stringify!($file)),*]);
        }
    };
}

#[cfg(test)]
mod tests {
    mod interpreted {
        crate::backend_tests!(crate::testing::Interpreter);
    }

    mod rewritten {
        crate::backend_tests!(crate::testing::Rewritten);
    }

    mod without_kernels {
        crate::backend_tests!(crate::testing::WithoutKernels);
    }
}
