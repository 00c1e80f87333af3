//! A Python module whose functions are compiled by Wengert: many damped oscillators at once, and how well they fit data,
//! with gradients.
//!
//! Arrays of NumPy are read where they are, and results are handed over without a copy. Other threads of Python run while a
//! function does.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use numpy::{PyArray1, PyArray2, PyArrayLike1, PyArrayMethods};
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use wengert::prelude::*;

create_exception!(
    oscillators,
    ModelError,
    PyRuntimeError,
    "What a compiled function says, with the line of the Rust program."
);

/// An error of Wengert as one of Python.
fn raised(e: wengert::Error) -> PyErr {
    ModelError::new_err(e.to_string())
}

/// Positions of an oscillator that is let go at 1, after each step of the midpoint rule.
fn positions([frequency, damping]: [Var; 2], h: f64, steps: usize) -> Var {
    wengert::check(frequency.gt(0.0), "a frequency is not positive");
    let rate = move |[x, v]: [Var; 2]| [v, -frequency.square() * x - damping * v];
    let along = |s: [Var; 2], h: f64, k: [Var; 2]| [s[0] + h * k[0], s[1] + h * k[1]];
    let start = [Var::from(1.0), Var::from(0.0)];
    let (_, x) = scan(start, 0..steps, |s, _| {
        let next = along(s, h, rate(along(s, h / 2.0, rate(s))));
        (next, next[0])
    });
    x
}

/// Many oscillators with the same time steps. The first call with as many compiles.
#[pyclass(frozen)]
struct Oscillators {
    steps: usize,
    positions: Jit<[Var; 2], Var>,
    misfit: Jit<([Var; 2], Var), (Var, [Var; 2])>,
}

/// The numbers of an array: where they are, or, if they are not one after the other, in a copy.
fn numbers<'a>(x: &'a PyArrayLike1<'_, f64>) -> Cow<'a, [f64]> {
    match x.as_slice() {
        Ok(x) => Cow::Borrowed(x),
        Err(_) => Cow::Owned(x.as_array().to_vec()),
    }
}

#[pymethods]
impl Oscillators {
    #[new]
    fn new(step: f64, steps: usize) -> PyResult<Self> {
        if !(step > 0.0 && steps > 0) {
            return Err(PyValueError::new_err("step and steps must be positive"));
        }
        let run = move |q: [Var; 2]| positions(q, step, steps);
        let misfit = move |(q, data): ([Var; 2], Var)| {
            value_and_grad(move |q: [Var; 2]| (run(q) - data).square().sum())(q)
        };
        Ok(Oscillators {
            steps,
            positions: jit(vmap(run)),
            misfit: jit(vmap_axes(misfit, [Some(0), Some(0), None], 0)),
        })
    }

    /// positions(frequency, damping): a row for each oscillator, with its position after each step.
    fn positions<'py>(
        &self,
        py: Python<'py>,
        frequency: PyArrayLike1<'py, f64>,
        damping: PyArrayLike1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (frequency, damping) = (numbers(&frequency), numbers(&damping));
        let n = frequency.len();
        let run = || {
            let x = self.positions.call([&*frequency, &*damping])?;
            x.into_vec::<f64>()
        };
        let x = py.detach(run).map_err(raised)?;
        PyArray1::from_vec(py, x).reshape([n, self.steps])
    }

    /// misfit(frequency, damping, data): the sum of squares of each oscillator's distance from the data, and its derivatives
    /// by frequency and damping.
    fn misfit<'py>(
        &self,
        py: Python<'py>,
        frequency: PyArrayLike1<'py, f64>,
        damping: PyArrayLike1<'py, f64>,
        data: PyArrayLike1<'py, f64>,
    ) -> PyResult<[Bound<'py, PyArray1<f64>>; 3]> {
        let (frequency, damping, data) = (numbers(&frequency), numbers(&damping), numbers(&data));
        let run = || {
            let (loss, [a, b]) = self.misfit.call(([&*frequency, &*damping], &*data))?;
            Ok([loss.into_vec::<f64>()?, a.into_vec()?, b.into_vec()?])
        };
        let found = py.detach(run).map_err(raised)?;
        Ok(found.map(|x| PyArray1::from_vec(py, x)))
    }
}

#[pymodule]
mod oscillators {
    #[pymodule_export]
    use super::{ModelError, Oscillators};
}
