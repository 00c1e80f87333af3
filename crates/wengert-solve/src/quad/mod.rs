//! Integrals: adaptive rules, Gauss's, boxes, and quasi-random points.
//!
//! [`integrate`] is the usual case: adaptive Gauss-Kronrod, for integrands whose values are numbers, arrays or
//! trees, over finite and infinite ranges. [`TanhSinh`] is for singularities at the ends, [`Cubature`] for boxes
//! of a few dimensions, [`sobol`] and [`halton`] for many. [`gauss_legendre`], [`gauss_hermite`] and
//! [`gauss_laguerre`] return nodes and weights as Rust numbers.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::quad::integrate;
//!
//! // ∫ exp(-p x²) dx over the line is √(π / p).
//! let bell = |p: Var| integrate(move |x: Var| (-p * x * x).exp(), f64::NEG_INFINITY, f64::INFINITY);
//! let found = jit(vmap(bell)).call([1.0, 2.0, 3.0])?.ok()?;
//! assert!((found.value.to_vec::<f64>()?[1] - (std::f64::consts::PI / 2.0).sqrt()).abs() < 1e-12);
//!
//! // Derivatives in what the integrand captures, and in the limits.
//! let slope = jit(grad(move |p: Var| bell(p).value));
//! assert!((slope.call(1.0)?.item::<f64>()? + 0.5 * std::f64::consts::PI.sqrt()).abs() < 1e-12);
//! let area = jit(grad(|b: Var| integrate(|x: Var| x.sin().square(), 0.0, b).value));
//! assert!((area.call(2.0)?.item::<f64>()? - 2f64.sin().powi(2)).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Derivatives
//! The derivative of an adaptive integral in what the integrand captures is that of the converged rule: the same
//! nodes and weights, applied to the derivative of the integrand, to any order and in both modes. It is as
//! accurate as that integral is on that subdivision. The derivative in a limit is by the fundamental theorem of
//! calculus, the value of the integrand there, and that of the integrand to second order. Where only values are asked for, nothing of this is computed.

mod adapt;
mod cubature;
mod kronrod;
mod range;
mod rules;
mod sequence;
mod sobol_table;
mod tanh_sinh;

pub use cubature::{Cubature, cubature, tensor};
pub use kronrod::{GaussKronrod, integrate};
pub use rules::{gauss_hermite, gauss_laguerre, gauss_legendre};
pub use sequence::{Scramble, halton, sobol, sobol_point};
pub use tanh_sinh::TanhSinh;

use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, inside, refuse};
use wengert::{IntoTree, Type};

use crate::State;
use crate::shared::not_negative;
use crate::status::outcome;

/// An integral.
#[derive(Tree, Clone, Debug)]
pub struct Integral<P, T = Var> {
    /// The value, a tree like that of the integrand. It is NaN if a limit is NaN.
    pub value: P,
    /// An estimate of the absolute error, `f64`: for several values, of the largest.
    pub error: T,
    /// The number of intervals or boxes, or of levels, that the rule ended with, `i64`.
    pub intervals: T,
    /// The number of evaluations of the integrand, `i64`.
    pub evaluations: T,
    /// What ended it: a code of [`Status`](crate::Status).
    pub status: T,
}

outcome!("integrate", Integral<P>);

/// The tolerances of an adaptive rule; what is not given depends on the element type.
#[derive(Clone, Copy, Default, Debug)]
struct Tolerances {
    rtol: Option<f64>,
    atol: Option<f64>,
}

impl Tolerances {
    /// Returns the relative and the absolute tolerance for values of some types.
    #[track_caller]
    fn of(self, types: &[Type]) -> (f64, f64) {
        for (name, x) in [("rtol", self.rtol), ("atol", self.atol)] {
            not_negative("integrate", &[(name, x.unwrap_or(0.0))]);
        }
        let narrow = types.iter().any(|ty| ty.dtype == DType::F32);
        let (rtol, atol) = if narrow { (1e-5, 1e-6) } else { (1e-10, 1e-12) };
        (self.rtol.unwrap_or(rtol), self.atol.unwrap_or(atol))
    }
}

/// The line of the user that asks for an integral.
type Place = &'static std::panic::Location<'static>;

/// An integrand on flat leaves, with the types and the structure of its values.
struct Integrand<F> {
    f: F,
    types: Vec<Type>,
    def: tree::TreeDef,
}

impl<P, A, F> Integrand<F>
where
    P: State,
    A: IntoTree<Tree = P>,
    F: Fn(Var) -> A,
{
    /// Looks at the values of an integrand at points of a type: it is recorded in a loop of no steps.
    fn new(op: &'static str, place: Place, f: F, x: &Type) -> Self {
        let points = zeros_of([&[0], &x.dims()[..]].concat(), x.dtype);
        let ((), rows) = scan((), points, |(), x: Var| {
            let y = inside(|| f(x).into_tree());
            asked_at(place, || {
                expect_floats(op, "the value of the integrand", &y)
            });
            ((), y)
        });
        let (rows, def) = tree::flatten(rows);
        let row = |v: &Var| Type::new(v.dtype(), &v.shape()[1..]);
        let types = rows.iter().map(row).collect();
        Integrand { f, types, def }
    }

    fn at(&self, x: Var) -> Vec<Var> {
        tree::leaves(&inside(|| (self.f)(x).into_tree()))
    }

    fn zeros(&self) -> Vec<Var> {
        self.types.iter().map(Var::zeros).collect()
    }

    fn tree(&self, leaves: Vec<Var>) -> P {
        let tree = tree::unflatten(&self.def, leaves);
        tree.unwrap_or_else(|e| wengert::solver::raise(e))
    }

    /// The largest difference of numbers beside 1 in any of the values.
    fn epsilon(&self) -> f64 {
        match self.types.iter().any(|ty| ty.dtype == DType::F32) {
            true => f64::from(f32::EPSILON),
            false => f64::EPSILON,
        }
    }
}

/// Returns two limits as floats of one type.
fn limits(op: &str, a: Var, b: Var) -> [Var; 2] {
    let float = |x: Var| {
        if x.ty().is_float() {
            x
        } else {
            x.to(DType::F64)
        }
    };
    let (a, b) = (float(a), float(b));
    for x in [a, b] {
        if x.rank() != a.rank() || x.rank() > 0 {
            let message = format!(
                "a limit is a number, and this is {}; use `vmap` for several",
                x.ty()
            );
            refuse(op, message);
        }
    }
    match (a.dtype() == b.dtype(), a.as_literal(), b.as_literal()) {
        (true, ..) => [a, b],
        (false, Some(_), _) => [a.to(b.dtype()), b],
        (false, _, Some(_)) => [a, b.to(a.dtype())],
        _ => refuse(
            op,
            format!("the limits are {} and {}; convert one", a.ty(), b.ty()),
        ),
    }
}

/// Sums an array of values along its first axis, with weights.
fn weighted(weights: &[f64], y: Var) -> Var {
    let mut dims = vec![1; y.rank()];
    dims[0] = weights.len();
    (Var::from(weights.to_vec()).to(y.dtype()).reshape(dims) * y).sum_axis(0)
}

/// Returns the largest number of an array in size, as `f64`.
fn largest(x: Var) -> Var {
    x.abs().amax().to(DType::F64)
}
