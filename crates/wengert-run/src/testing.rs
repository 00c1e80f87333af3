//! Running the [suite of loop programs](wengert_loop::testing) on a back end.

use wengert_loop::buffer::Data;
use wengert_loop::error::Error;
use wengert_loop::loops::Program;
use wengert_loop::testing::{Runner, Stopped, outputs};

use crate::{Backend, Executable, Options, RunError};

/// A back end and its options, for [`backend_tests!`](wengert_loop::backend_tests).
#[derive(Clone, Debug)]
pub struct With<B>(pub B, pub Options);

impl<B: Backend> Runner for With<B> {
    fn run(&self, program: &Program, inputs: &[Data]) -> Result<Vec<Data>, Stopped> {
        compiled(&self.0, &self.1, program, inputs).map(|(_, results)| results)
    }
}

/// Compiles a program and runs it.
///
/// # Errors
/// If the program cannot be compiled, or its run fails.
pub fn compiled(
    backend: &dyn Backend,
    options: &Options,
    program: &Program,
    inputs: &[Data],
) -> Result<(Executable, Vec<Data>), Stopped> {
    let other = |e: &dyn std::fmt::Display| Stopped::Other(e.to_string());
    let exe = backend.compile(program, options).map_err(|e| other(&e))?;
    let mut results = outputs(program);
    let inputs: Vec<&Data> = inputs.iter().collect();
    let mut outs: Vec<&mut Data> = results.iter_mut().collect();
    let failed = |error: &Error| program.failures.iter().position(|f| f.error() == *error);
    exe.run(&inputs, &mut outs).map_err(|error| match error {
        RunError::Stopped(error) => match (failed(&error), &error) {
            (Some(n), _) => Stopped::Failed(n as u32),
            (None, Error::MaxSteps { limit, .. }) => Stopped::MaxSteps(*limit),
            (None, _) => other(&error),
        },
        error => other(&error),
    })?;
    Ok((exe, results))
}
