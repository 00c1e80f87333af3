//! Differential equations whose solutions are known: tests and benchmarks of solvers share them.
//!
//! Most are of the *Test Set for Initial Value Problem Solvers* (F. Mazzia, C. Magherini, Bari, release 2.4, 2008) and
//! of E. Hairer, G. Wanner, *Solving Ordinary Differential Equations* I and II (Springer, 1993, 1996), a few of T. E.
//! Hull, W. H. Enright, B. M. Fellen, A. E. Sedgwick, *Comparing numerical methods for ordinary differential equations*,
//! SIAM J. Numer. Anal. 9 (1972).
//!
//! # References
//! The states at the ends are in `tables/equations.tsv`, made by `tools/equations.py` from definitions of its own: Radau IIA
//! of order 13, with residuals in extended precision. Two runs with tolerances ten times apart agree to at least 12
//! digits in every state, to 16 in most, and the ends agree to 12 and more digits with those that the sources print, which a test
//! checks. Only the end of the ring modulator is the one that Mazzia and Magherini print.
//!
//! # A problem
//! [`Problem`] has the right-hand side, the start, the span and the end. Small ones are functions of an array of
//! numbers, the others of a vector: [`Problem::with`] gives either, and [`Problem::vector`] always the vector.

mod chemistry;
mod circuits;
mod detest;
mod grids;
mod orbits;
mod population;

use std::array::from_fn;
use std::sync::LazyLock;

use wengert::prelude::*;

pub use chemistry::{HIRES, ROBERTSON, hires, robertson};
pub use circuits::van_der_pol;
pub use grids::{brusselator, brusselator_2d, brusselator_2d_start};
pub use population::lorenz;

/// An initial value problem, and where its solution ends.
#[derive(Clone)]
pub struct Problem {
    /// Its name, which is that of its line in the table.
    pub name: &'static str,
    form: Form,
    /// The state at the start.
    pub start: Vec<f64>,
    /// The times of start and end.
    pub span: [f64; 2],
    /// The times between them at which the right-hand side jumps.
    pub jumps: &'static [f64],
    /// The diagonal of the mass matrix, where it is not the identity: zero for algebraic equations.
    pub mass: Option<Vec<f64>>,
    /// What numbers of the state count as small: an absolute tolerance is this times the relative one.
    pub small: f64,
    /// The number of diagonals of the Jacobian on either side of the main one, where there are few.
    pub bands: Option<usize>,
    /// Whether explicit methods need far more steps than accuracy asks for.
    pub stiff: bool,
}

/// Declares the forms of right-hand sides: functions of arrays of some sizes, and of vectors.
macro_rules! forms {
    ($($name:ident = $n:literal),*) => {
        #[derive(Clone, Copy)]
        enum Form {
            $($name(fn(Var, [Var; $n]) -> [Var; $n]),)*
            Vector(fn(Var, Var) -> Var),
        }

        $(impl From<fn(Var, [Var; $n]) -> [Var; $n]> for Form {
            fn from(f: fn(Var, [Var; $n]) -> [Var; $n]) -> Form {
                Form::$name(f)
            }
        })*

        impl Form {
            fn with<V: Visit>(self, visit: V) -> V::Out {
                match self {
                    $(Form::$name(f) => visit.numbers(f),)*
                    Form::Vector(f) => visit.vector(f),
                }
            }
        }
    };
}

forms!(
    One = 1,
    Two = 2,
    Three = 3,
    Four = 4,
    Six = 6,
    Eight = 8,
    Ten = 10,
    Fifteen = 15,
    Twenty = 20
);

/// What is done with a right-hand side, in the form that suits it.
pub trait Visit {
    /// What comes of it.
    type Out;

    /// For a state of a few numbers.
    fn numbers<const N: usize>(self, f: fn(Var, [Var; N]) -> [Var; N]) -> Self::Out;

    /// For a state that is a vector.
    fn vector(self, f: fn(Var, Var) -> Var) -> Self::Out;
}

impl Problem {
    /// A problem from time 0 on, that is not stiff, has no jumps and is in numbers of about 1.
    fn new<const N: usize>(
        name: &'static str,
        f: fn(Var, [Var; N]) -> [Var; N],
        start: [f64; N],
        end: f64,
    ) -> Problem
    where
        Form: From<fn(Var, [Var; N]) -> [Var; N]>,
    {
        Problem::of(name, f.into(), start.to_vec(), end)
    }

    /// The same, for a state that is a vector.
    fn large(name: &'static str, f: fn(Var, Var) -> Var, start: Vec<f64>, end: f64) -> Problem {
        Problem::of(name, Form::Vector(f), start, end)
    }

    fn of(name: &'static str, form: Form, start: Vec<f64>, end: f64) -> Problem {
        Problem {
            name,
            form,
            start,
            span: [0.0, end],
            jumps: &[],
            mass: None,
            small: 1.0,
            bands: None,
            stiff: false,
        }
    }

    fn small(self, small: f64) -> Problem {
        Problem { small, ..self }
    }

    fn stiff(self) -> Problem {
        Problem {
            stiff: true,
            ..self
        }
    }

    fn jumps(self, jumps: &'static [f64]) -> Problem {
        Problem { jumps, ..self }
    }

    fn bands(self, bands: usize) -> Problem {
        let bands = Some(bands);
        Problem { bands, ..self }
    }

    /// The number of equations.
    pub fn size(&self) -> usize {
        self.start.len()
    }

    /// Gives the right-hand side to a visitor.
    pub fn with<V: Visit>(&self, visit: V) -> V::Out {
        self.form.with(visit)
    }

    /// The right-hand side as a function of a vector.
    pub fn vector(&self) -> impl Fn(Var, Var) -> Var + Copy + 'static + use<> {
        let form = self.form;
        move |t, y| form.with(Evaluate { t, y })
    }

    /// The state at the end, from the table.
    pub fn end(&self) -> Vec<f64> {
        let found = ENDS.iter().find(|(name, _)| *name == self.name);
        found
            .map(|(_, end)| end.clone())
            .expect("a line for each problem")
    }

    /// The error of a state at the end: the largest of its numbers' errors, each relative to the number or to what is small.
    pub fn error(&self, end: &[f64]) -> f64 {
        assert_eq!(end.len(), self.size(), "{}", self.name);
        let each = end.iter().zip(self.end());
        let errors = each.map(|(x, y)| (x - y).abs() / (self.small + y.abs()));
        // `f64::max` would pass over NaN.
        errors.fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a })
    }
}

/// Evaluates a right-hand side for a vector.
struct Evaluate {
    t: Var,
    y: Var,
}

impl Visit for Evaluate {
    type Out = Var;

    fn numbers<const N: usize>(self, f: fn(Var, [Var; N]) -> [Var; N]) -> Var {
        stack(f(self.t, from_fn(|i| self.y.at(i))))
    }

    fn vector(self, f: fn(Var, Var) -> Var) -> Var {
        f(self.t, self.y)
    }
}

static ENDS: LazyLock<Vec<(&'static str, Vec<f64>)>> = LazyLock::new(|| {
    let text = include_str!("../../tables/equations.tsv");
    let line = |line: &'static str| {
        let mut fields = line.split('\t');
        let name = fields.next().expect("a name");
        (name, fields.map(|x| x.parse().expect("a number")).collect())
    };
    text.lines().map(line).collect()
});

/// All problems but those of [`detest`].
pub fn problems() -> Vec<Problem> {
    let all = [
        population::problems(),
        orbits::problems(),
        circuits::problems(),
        chemistry::problems(),
        grids::problems(),
    ];
    all.into_iter().flatten().collect()
}

/// The 25 problems of Hull and others (1972), none of which is stiff.
pub fn detest() -> Vec<Problem> {
    detest::problems()
}

/// The problem of a name.
pub fn problem(name: &str) -> Option<Problem> {
    problems()
        .into_iter()
        .chain(detest())
        .find(|p| p.name == name)
}

/// Numbers of a program in a trace.
fn constants<const N: usize>(x: [f64; N]) -> [Var; N] {
    x.map(Var::from)
}
