//! Minima of functions.
//!
//! | | methods |
//! |---|---|
//! | smooth | [`minimize()`], [`Bfgs`] |
//! | smooth, with second derivatives | [`Newton`] |
//! | smooth, within bounds | [`Bounded`], [`LbfgsB`] |
//! | smooth, under equations and inequalities | [`AugmentedLagrangian`] |
//! | smooth, many unknowns | [`Lbfgs`], [`ConjugateGradients`] |
//! | without derivatives | [`NelderMead`], [`CmaEs`] |
//! | many minima, within bounds | [`DifferentialEvolution`] |
//! | of a number, in an interval | [`brent`], [`golden`], [`InInterval`] |
//!
//! Every method returns a [`Minimum`]. What it found is differentiated through the equation `∇f(x) = 0`, in what `f`
//! captures.

mod bfgs;
mod bounded;
mod constrained;
mod descent;
mod evolution;
mod lbfgs;
mod lbfgsb;
mod line_search;
mod nelder_mead;
mod newton;
mod scalar;

pub use bfgs::Bfgs;
pub use bounded::Bounded;
pub use constrained::{AugmentedLagrangian, Constrained};
pub use evolution::{CmaEs, DifferentialEvolution};
pub use lbfgs::{ConjugateGradients, Lbfgs};
pub use lbfgsb::LbfgsB;
pub use nelder_mead::NelderMead;
pub use newton::Newton;
pub use scalar::{InInterval, brent, golden};

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;
use wengert::{IntoTree, custom_root_aux};

use crate::State;
use crate::shared::{eps, not_negative, scalar, solve_symmetric, vector};
use crate::status::outcome;

/// A minimum: the unknowns, the value there, and how it was found.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Minimum<P, T = Var> {
    /// The unknowns. Their derivative is by the implicit function theorem: `H dx = -d∇f`.
    pub x: P,
    /// The value there, with its derivative.
    pub value: T,
    /// The largest element of the gradient, without a derivative; NaN for methods that take no gradients.
    pub gradient: T,
    /// The number of steps.
    pub iterations: T,
    /// The number of evaluations of the function.
    pub evaluations: T,
    /// What ended the solver: a code of [`Status`](crate::Status).
    pub status: T,
}

outcome!("minimize", Minimum<P>);

/// When a solver of minima ends.
///
/// For `f32`, tolerances are at least what its precision allows: 1e-4 for `gtol`, some units in the last place
/// for the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// [`GradientConverged`](crate::Status::GradientConverged): no element of the gradient is larger than this; or, where
    /// the value is large, than this times `|f| / max(1, |x|)`.
    pub gtol: f64,
    /// [`ValueConverged`](crate::Status::ValueConverged): three steps in a row change the value by at most this times its size, or no
    /// step lowers it, down the gradient neither, and the method's last promised a hundred times that at most.
    pub ftol: f64,
    /// [`StepConverged`](crate::Status::StepConverged): no unknown changes by more than this times the largest;
    /// or a step down the gradient changes none at all.
    pub xtol: f64,
    /// [`StepLimit`](crate::Status::StepLimit): the number of steps.
    pub max_steps: i64,
}

impl Default for Limits {
    /// 1e-8 for the gradient, the precision of `f64` for the value, nothing for the step, and 2,000 steps.
    fn default() -> Limits {
        Limits {
            gtol: 1e-8,
            ftol: 4.0 * f64::EPSILON,
            xtol: 0.0,
            max_steps: 2000,
        }
    }
}

impl Limits {
    #[track_caller]
    fn at_least(self, dtype: DType) -> Limits {
        let steps = self.max_steps as f64;
        let tolerances = [
            ("gtol", self.gtol),
            ("ftol", self.ftol),
            ("xtol", self.xtol),
        ];
        not_negative("minimize", &tolerances);
        not_negative("minimize", &[("max_steps", steps)]);
        let gtol = if dtype == DType::F32 { 1e-4 } else { 0.0 };
        Limits {
            gtol: self.gtol.max(gtol),
            ftol: self.ftol.max(if dtype == DType::F32 {
                4.0 * eps(dtype)
            } else {
                0.0
            }),
            xtol: self
                .xtol
                .max(if dtype == DType::F32 { eps(dtype) } else { 0.0 }),
            ..self
        }
    }
}

/// Gives a method, with the fields `limits`, `implicit`, `watch` and others, its defaults and the setters of what all have.
macro_rules! method {
    ($method:ident { $($field:ident: $default:expr),* }) => {
        impl $method {
            /// The method with the usual limits.
            pub fn new() -> $method {
                $method::default()
            }
        }

        impl Default for $method {
            fn default() -> $method {
                $method {
                    limits: Limits::default(),
                    $($field: $default,)*
                    implicit: true,
                    watch: (),
                }
            }
        }

        impl<W> $method<W> {
            /// Sets the tolerance of the gradient.
            pub fn gtol(mut self, gtol: f64) -> Self {
                self.limits.gtol = gtol;
                self
            }

            /// Sets the tolerance of the value.
            pub fn ftol(mut self, ftol: f64) -> Self {
                self.limits.ftol = ftol;
                self
            }

            /// Sets the tolerance of the step.
            pub fn xtol(mut self, xtol: f64) -> Self {
                self.limits.xtol = xtol;
                self
            }

            /// Sets the limit of steps.
            pub fn max_steps(mut self, max_steps: i64) -> Self {
                self.limits.max_steps = max_steps;
                self
            }

            /// Whether derivatives are by the implicit function theorem (the default), or through the iterations.
            pub fn implicit(mut self, implicit: bool) -> Self {
                self.implicit = implicit;
                self
            }

            /// Calls a closure after each step.
            pub fn on_step<F>(self, f: F) -> $method<$crate::OnStep<F>>
            where
                F: Fn($crate::Step<f64>) + Clone + Send + Sync + 'static,
            {
                $method {
                    limits: self.limits,
                    $($field: self.$field,)*
                    implicit: self.implicit,
                    watch: $crate::OnStep(f),
                }
            }
        }
    };
}
use method;

/// What a method found, as a vector.
#[derive(Tree, Clone, Copy)]
struct Found<T = Var> {
    x: T,
    value: T,
    gradient: T,
    iterations: T,
    evaluations: T,
    status: T,
}

/// Minimises a function of a tree: [`Bfgs`] with its defaults, or [`Lbfgs`] for more than 500 unknowns. The unknowns are a tree of floats, such as a vector, a
/// tuple or a struct; the function's value is a number.
///
/// The derivative of the minimum in what `f` captures is that of the equation `∇f(x) = 0`, by the Hessian there: of
/// its matrix up to 256 unknowns, and by conjugate gradients above.
///
/// # Errors
/// If the start has leaves that are no floats, or of two types, or the value of `f` is not a number of that type.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize;
///
/// // Rosenbrock's function, whose valley has its least value at (a, a²).
/// let least = |a: Var| {
///     let f = move |(x, y): (Var, Var)| (a - x).square() + 100.0 * (y - x * x).square();
///     minimize::minimize(f, (-1.2, 1.0))
/// };
/// let m = jit(least).call(1.0)?.ok()?;
/// assert!((m.x.1.item::<f64>()? - 1.0).abs() < 1e-8);
///
/// // The derivative of a² is 2a; and many at once.
/// let slope = jit(vmap(grad(move |a: Var| least(a).x.1))).call([1.0, 2.0, 3.0])?;
/// assert!(slope.all_close(&Array::from([2.0, 4.0, 6.0]), 1e-6, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn minimize<I>(f: impl Fn(I::Tree) -> Var, start: I) -> Minimum<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
{
    let start = start.into_tree();
    let n: usize = tree::leaves(&start).iter().map(|v| v.ty().size()).sum();
    match n <= MANY {
        true => Bfgs::new().minimize(f, start),
        false => Lbfgs::new().minimize(f, start),
    }
}

/// The largest number of unknowns for which the matrix of [`Bfgs`] is worth its memory.
const MANY: usize = 500;

/// Runs a method on a function of vectors, and gives what it found its derivative and its tree.
fn minimum<I>(
    place: &'static Location<'static>,
    op: &'static str,
    implicit: bool,
    f: &dyn Fn(I::Tree) -> Var,
    start: I,
    method: impl Fn(&dyn Fn(Var) -> (Var, Var), Var) -> Found,
) -> Minimum<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
{
    asked_at(place, || {
        let (x, tree) = vector(op, start.into_tree());
        let dtype = x.dtype();
        let value = |x: Var| {
            asked_at(place, || {
                scalar(op, "the value of the function", dtype, || f(tree(x)))
            })
        };
        let both = |x: Var| value_and_grad(value)(x);
        let slope = |x: Var| grad(value)(x);
        let (x, facts) = match implicit {
            true => custom_root_aux(
                slope,
                x,
                |_, x| {
                    let found = asked_at(place, || method(&both, x));
                    (found.x, found)
                },
                |h, b| asked_at(place, || solve_symmetric(h, b)),
            ),
            false => {
                let found = method(&both, x);
                (found.x, found)
            }
        };
        Minimum {
            value: value(x),
            x: tree(x),
            gradient: facts.gradient.stop_gradient().abs().amax(),
            iterations: facts.iterations,
            evaluations: facts.evaluations,
            status: facts.status,
        }
    })
}
