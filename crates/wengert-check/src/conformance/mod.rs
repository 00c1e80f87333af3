//! What every back end must compute: programs of the loop IR with arguments, whose results are those of the loop IR's
//! own interpreter, bit for bit, except that any NaN is as good as another.
//!
//! - [`operations`]: every scalar operation on every type, on operands that are easily got wrong: NaN, zeros of both
//!   signs, infinities, subnormal numbers, the largest and smallest integers. Random programs hardly ever meet these.
//! - [`functions`]: every elementary function, in both precisions and over the whole range.
//! - [`files`]: the programs in files of `wengert-loop`, with results that were worked out by hand.
//! - [`generated`]: random differentiable programs, their gradients, and batches of both.
//! - [`ensembles`]: what devices are for.
//!
//! A back end is a [`Candidate`]; one that runs programs one by one, such as a
//! [`Backend`](wengert_run::Backend) by [`With`](wengert_run::testing::With), becomes one by [`Each`], and a
//! [`Device`](wengert_run::Device) by [`OnDevice`]. How calls of a device behave is checked by [`chained_calls`],
//! [`wrong_arguments`], [`failing_calls`] and [`cut_calls`].
//!
//! ```
//! use wengert_check::conformance::{Each, check, operations};
//! use wengert_run::testing::With;
//! use wengert_run::{Interpreter, Options};
//!
//! let candidate = Each("the interpreter", With(Interpreter, Options::default()));
//! check(&candidate, &operations())?;
//! # Ok::<(), wengert_check::Failure>(())
//! ```

mod devices;
mod ensembles;
mod operations;
mod programs;
mod sample;

use wengert_ir::buffer::Data;
use wengert_ir::loops::Program;
use wengert_loop::testing::{Interpreter, Runner, Stopped, difference};

pub use devices::{Compiled, OnDevice, chained_calls, cut_calls, failing_calls, wrong_arguments};
pub use ensembles::ensembles;
pub use operations::{functions, operations};
pub use programs::{files, generated};
pub use sample::{Sample, joined};

use crate::Failure;

/// A program with arguments.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it is, for people.
    pub name: String,
    /// The program.
    pub program: Program,
    /// Its inputs, in order.
    pub inputs: Vec<Data>,
}

/// The results of a program, or why there are none.
pub type Outcome = Result<Vec<Data>, Stopped>;

/// A back end in one configuration.
pub trait Candidate {
    /// Returns its name, for people.
    fn name(&self) -> String;

    /// Runs all examples, in order.
    ///
    /// # Errors
    /// If they cannot be run at all, for example because a compiler refuses them.
    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure>;
}

/// A back end that runs one program after the other, with its name.
#[derive(Clone, Copy, Debug)]
pub struct Each<R>(pub &'static str, pub R);

impl<R: Runner> Candidate for Each<R> {
    fn name(&self) -> String {
        self.0.into()
    }

    fn run_all(&self, examples: &[Example]) -> Result<Vec<Outcome>, Failure> {
        let run = |e: &Example| self.1.run(&e.program, &e.inputs);
        Ok(examples.iter().map(run).collect())
    }
}

/// Checks that a back end computes what the interpreter of loops computes.
///
/// # Errors
/// Describes the first few examples that differ, and says how many there are.
pub fn check(candidate: &dyn Candidate, examples: &[Example]) -> Result<(), Failure> {
    let outcomes = candidate.run_all(examples)?;
    if outcomes.len() != examples.len() {
        let (got, wanted) = (outcomes.len(), examples.len());
        return Err(Failure(format!(
            "{}: {got} outcomes of {wanted}",
            candidate.name()
        )));
    }
    let mut wrong = vec![];
    for (example, outcome) in examples.iter().zip(&outcomes) {
        let expected = Interpreter.run(&example.program, &example.inputs);
        let text = |o: &Outcome| match o {
            Ok(results) => format!("{} results", results.len()),
            Err(stopped) => stopped.to_string(),
        };
        let found = match (outcome, &expected) {
            (Ok(got), Ok(expected)) => difference(got, expected),
            (got, expected) if got == expected => None,
            (got, expected) => Some(format!("got {}, expected {}", text(got), text(expected))),
        };
        wrong.extend(found.map(|f| format!("{}: {f}", example.name)));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => {
            let few = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
            Err(Failure(format!(
                "{}: {} of {} examples are wrong\n{few}",
                candidate.name(),
                wrong.len(),
                examples.len()
            )))
        }
    }
}
