//! A function under test, and functions derived from it.

use std::sync::OnceLock;

use wengert::Result;
use wengert::prelude::*;
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval;
use wengert_ir::ir::Func;
use wengert_ir::ir::verify::verify;

use super::subject::Subject;
use crate::program::Style;

/// Number of equations above which a function takes too long to test.
const LARGE: usize = 2500;

/// The inputs of a test function: the parameters, a direction, and a covector of the result.
pub type Given = (Vec<Var>, Vec<Var>, Var);

/// A function, with traces that several laws use.
#[derive(Debug)]
pub struct Case {
    /// The function.
    pub subject: Subject,
    /// The values of its parameters, a direction, and a covector.
    pub args: Vec<Dense>,
    specs: (Vec<ShapeDtype>, Vec<ShapeDtype>, ShapeDtype),
    value: OnceLock<Func>,
    slope: OnceLock<Func>,
}

impl Case {
    /// Makes the case of a function at its point.
    pub fn new(subject: Subject) -> Case {
        let (x, d, w) = (subject.point(), subject.direction(), subject.weights());
        let spec = |a: &Dense| ShapeDtype::new(a.dims.to_vec(), DType::F64);
        Case {
            subject,
            specs: (
                x.iter().map(spec).collect(),
                d.iter().map(spec).collect(),
                spec(&w),
            ),
            args: x.into_iter().chain(d).chain([w]).collect(),
            value: OnceLock::new(),
            slope: OnceLock::new(),
        }
    }

    /// Returns the number of parameters.
    pub fn params(&self) -> usize {
        self.specs.0.len()
    }

    /// Returns the function in one style.
    pub fn function(&self, style: Style) -> impl Fn(Vec<Var>) -> Var + Copy {
        move |x| self.subject.build(&x, style)
    }

    /// Returns the scalar to differentiate: the inner product of the result with the covector.
    pub fn loss(&self, style: Style, w: Var) -> impl Fn(Vec<Var>) -> Var + Copy {
        let f = self.function(style);
        move |x| (f(x) * w).sum()
    }

    /// Traces a function of the inputs, and verifies it.
    pub fn traced(&self, f: impl Fn(Given) -> Vec<Var> + Send + Sync) -> Result<Func> {
        let func = wengert::trace(f, &self.specs)?.into_ir();
        verify(&func)?;
        Ok(func)
    }

    /// Returns the IR of the result.
    pub fn value(&self) -> Result<&Func> {
        if self.value.get().is_none() {
            let f = self.function(Style::Structured);
            let func = self.traced(|(x, _, _)| vec![f(x)])?;
            let _ = self.value.set(func);
        }
        Ok(self.value.get().expect("it has been made"))
    }

    /// Returns the IR of the loss and its gradient.
    pub fn gradient(&self) -> Result<&Func> {
        if self.slope.get().is_none() {
            let func = self.traced(|(x, _, w)| {
                let (y, g) = value_and_grad(self.loss(Style::Structured, w))(x);
                std::iter::once(y).chain(g).collect()
            })?;
            let _ = self.slope.set(func);
        }
        Ok(self.slope.get().expect("it has been made"))
    }

    /// Returns whether the function and its gradient are small enough for a law that takes `part` times as
    /// long.
    pub fn is_small(&self, part: usize) -> Result<bool> {
        Ok(self.value()?.count() <= LARGE / part && self.gradient()?.count() <= LARGE / part)
    }

    /// Evaluates a function of the inputs.
    pub fn run(&self, func: &Func) -> Result<Vec<Dense>> {
        run(func, &self.args)
    }

    /// Evaluates a function of the inputs with a scalar result.
    pub fn number(&self, f: impl Fn(Given) -> Var + Send + Sync) -> Result<f64> {
        let func = self.traced(|given| vec![f(given)])?;
        Ok(self.run(&func)?[0].slice::<f64>()[0])
    }

    /// Returns the inputs with the parameters moved along the direction.
    pub fn moved(&self, h: f64) -> Vec<Dense> {
        let (x, rest) = self.args.split_at(self.params());
        let moved = |(x, d): (&Dense, &Dense)| {
            let pairs = x.slice::<f64>().iter().zip(d.slice::<f64>());
            Dense::of(x.dims.clone(), pairs.map(|(x, d)| x + h * d).collect())
        };
        let x = x.iter().zip(rest).map(moved);
        x.chain(rest.iter().cloned()).collect()
    }
}

/// Evaluates a function with the interpreter.
pub fn run(func: &Func, args: &[Dense]) -> Result<Vec<Dense>> {
    let args: Vec<Buffer> = args.iter().map(|a| Buffer::Dense(a.clone())).collect();
    let results = eval::eval(func, &args)?;
    Ok(results.iter().map(|b| b.dense().clone()).collect())
}

/// Returns the inner product of two lists of values.
pub fn dot(a: &[Var], b: &[Var]) -> Var {
    let products = a.iter().zip(b).map(|(a, b)| (*a * *b).sum());
    products.fold(Var::from(0.0), |sum, p| sum + p)
}
