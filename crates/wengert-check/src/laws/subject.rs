//! Functions on which laws are tested.

use std::fmt;
use std::sync::Arc;

use wengert::prelude::*;
use wengert::{Error, Result};
use wengert_ir::buffer::Dense;
use wengert_ir::ir::{Func, Type};
use wengert_ir::transform::inline;

use crate::program::{Program, Style};

/// A function from arrays of `f64` to one array of `f64`.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A random program.
    Program(Arc<Program>),
    /// A function in the IR, for example from the corpus. It has only one style.
    Func(Arc<Func>),
}

impl From<Program> for Subject {
    fn from(program: Program) -> Subject {
        Subject::Program(Arc::new(program))
    }
}

impl Subject {
    /// Parses a function in text form.
    ///
    /// # Errors
    /// If the text is no function, or not one from arrays of `f64` to one array of `f64`.
    pub fn parse(text: &str) -> Result<Subject> {
        let func = Func::parse(text)?;
        let floats = |ty: &Type| ty.dtype == DType::F64 && !ty.shape.has_run();
        let results = func.result_types();
        match results.len() == 1 && func.param_types().iter().chain(&results).all(floats) {
            true => Ok(Subject::Func(Arc::new(func))),
            false => Err(Error::invalid(
                "laws are tried on arrays of f64, and one result",
            )),
        }
    }

    /// Records the function on `x`.
    pub fn build(&self, x: &[Var], style: Style) -> Var {
        match self {
            Subject::Program(program) => program.build(x, style),
            Subject::Func(func) => inline(func, x)[0],
        }
    }

    /// Returns the shape of each parameter.
    fn params(&self) -> Vec<Vec<usize>> {
        match self {
            Subject::Program(program) => program.params.iter().map(|p| p.shape.clone()).collect(),
            Subject::Func(func) => func.param_types().iter().map(Type::dims).collect(),
        }
    }

    /// Returns the shape of the result.
    fn result(&self) -> Vec<usize> {
        match self {
            Subject::Program(program) => program.body.shape.clone(),
            Subject::Func(func) => func.result_types()[0].dims(),
        }
    }

    /// Returns values for the parameters.
    pub fn point(&self) -> Vec<Dense> {
        self.values(|k| 0.75 * (2.3 * k as f64 + 0.4).sin())
    }

    /// Returns a direction in the space of the parameters.
    pub fn direction(&self) -> Vec<Dense> {
        self.values(|k| (1.7 * k as f64 + 0.9).cos())
    }

    /// Returns a covector of the result.
    pub fn weights(&self) -> Dense {
        let shape = self.result();
        let n = shape.iter().product();
        let elements = (0..n).map(|k| (0.6 * k as f64).cos() + 0.1);
        Dense::of(shape, elements.collect())
    }

    fn values(&self, f: impl Fn(usize) -> f64) -> Vec<Dense> {
        let mut k = 0;
        let value = |shape: Vec<usize>| {
            let n: usize = shape.iter().product();
            let elements = (k..k + n).map(&f).collect();
            k += n;
            Dense::of(shape, elements)
        };
        self.params().into_iter().map(value).collect()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Program(program) => program.fmt(f),
            Subject::Func(_) => f.write_str("a function of the corpus"),
        }
    }
}
