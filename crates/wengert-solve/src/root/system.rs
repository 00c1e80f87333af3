//! Roots of functions of trees.

use std::panic::Location;

use wengert::linalg::Krylov;
use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse};
use wengert::tree::ravel;
use wengert::{IntoTree, custom_root_aux};

use super::Root;
use super::trust::{self, Found};
use crate::shared::{DENSE, matrix, not_negative, vector};
use crate::{OnStep, State, Step, Watch};

/// How a root is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Powell's hybrid of Newton's step and the steepest descent, in a trust region, with scaled unknowns; where it
    /// stalls, steps of Levenberg and Marquardt follow. The Jacobian is exact at each step.
    Hybrid,
    /// Levenberg and Marquardt's steps in a trust region: slower, and sure where the Jacobian is singular.
    LevenbergMarquardt,
    /// Newton's step, halved until the residual is shorter.
    Newton,
    /// Newton's step by a Krylov method, which only applies the Jacobian to vectors: for thousands of unknowns.
    Krylov,
    /// Broyden's method: one Jacobian, updated by what each step saw, and taken anew where a step fails.
    Broyden,
}

/// A search for the root of as many functions as there are unknowns.
///
/// It ends when no element of the function is larger than `ftol` ([`ResidualConverged`]), or a step changes no unknown
/// by more than `xtol` times the largest ([`StepConverged`]); if no step makes the residual shorter, it has
/// [`Stalled`]: at a local minimum of the residual, for example.
///
/// [`ResidualConverged`]: crate::Status::ResidualConverged
/// [`StepConverged`]: crate::Status::StepConverged
/// [`Stalled`]: crate::Status::Stalled
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root::{Method, Search};
///
/// // A discretised boundary value problem: u'' = e^u, with 200 unknowns and no matrix.
/// let f = |u: Var| {
///     let all = u.pad([(1, 1)]);
///     all.at(..-2) + all.at(2..) - 2.0 * u - u.exp() / 201f64.powi(2)
/// };
/// let r = jit(move |u: Var| Search::new(Method::Krylov).root(f, u)).call(vec![0.0; 200])?.ok()?;
/// assert!(r.residual.item::<f64>()? < 1e-10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Search<W = ()> {
    /// How it searches.
    pub method: Method,
    /// The tolerance of the function's elements.
    pub ftol: f64,
    /// The tolerance of a step, relative to the largest unknown.
    pub xtol: f64,
    /// The limit of steps.
    pub max_steps: i64,
    implicit: bool,
    watch: W,
}

impl Default for Search {
    /// [`Method::Hybrid`].
    fn default() -> Search {
        Search::new(Method::Hybrid)
    }
}

impl Search {
    /// A method with tolerances of 1e-12 for the function and the precision of `f64` for steps, and 500 steps.
    pub fn new(method: Method) -> Search {
        Search {
            method,
            ftol: 1e-12,
            xtol: 2.0 * f64::EPSILON,
            max_steps: 500,
            implicit: true,
            watch: (),
        }
    }
}

impl<W: Watch> Search<W> {
    /// Sets the tolerance of the function.
    pub fn ftol(mut self, ftol: f64) -> Self {
        self.ftol = ftol;
        self
    }

    /// Sets the tolerance of the step.
    pub fn xtol(mut self, xtol: f64) -> Self {
        self.xtol = xtol;
        self
    }

    /// Sets the limit of steps.
    pub fn max_steps(mut self, max_steps: i64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Whether derivatives are by the implicit function theorem (the default), or through the iterations.
    pub fn implicit(mut self, implicit: bool) -> Self {
        self.implicit = implicit;
        self
    }

    /// Calls a closure after each step.
    pub fn on_step<F>(self, f: F) -> Search<OnStep<F>>
    where
        F: Fn(Step<f64>) + Clone + Send + Sync + 'static,
    {
        Search {
            method: self.method,
            ftol: self.ftol,
            xtol: self.xtol,
            max_steps: self.max_steps,
            implicit: self.implicit,
            watch: OnStep(f),
        }
    }

    /// Searches for a root from a start. The function's value is a tree of as many numbers as the unknowns are.
    ///
    /// # Errors
    /// If the start has leaves that are no floats, or of two types; if the value of `f` has another number of elements
    /// or another type.
    #[track_caller]
    pub fn root<I, Y>(&self, f: impl Fn(I::Tree) -> Y, start: I) -> Root<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        Y: IntoTree,
    {
        let place = Location::caller();
        asked_at(place, || {
            not_negative("root", &[("ftol", self.ftol), ("xtol", self.xtol)]);
            not_negative("root", &[("max_steps", self.max_steps as f64)]);
            let (x, tree) = vector("root", start.into_tree());
            let ty = x.ty();
            let f = |x: Var| {
                asked_at(place, || {
                    let (y, _) = ravel(inside(|| f(tree(x)).into_tree()));
                    if y.ty() != ty {
                        let (n, m) = (ty.size(), y.ty().size());
                        let message = match n == m {
                            true => format!(
                                "the unknowns are {}, and the function is {}",
                                ty.dtype,
                                y.dtype()
                            ),
                            false => {
                                format!("there are {n} unknowns, and the function has {m} numbers")
                            }
                        };
                        refuse("root", message);
                    }
                    y
                })
            };
            let found = |f: &dyn Fn(Var) -> Var, x: Var| {
                asked_at(place, || trust::search(place, self, &self.watch, f, x))
            };
            let (x, facts) = match self.implicit {
                true => custom_root_aux(
                    f,
                    x,
                    |f, x| {
                        let found = found(f, x);
                        (found.x, found)
                    },
                    |j, b| asked_at(place, || self.linear(j, b)),
                ),
                false => {
                    let found = found(&f, x);
                    (found.x, found)
                }
            };
            let Found {
                residual,
                iterations,
                evaluations,
                status,
                ..
            } = facts;
            Root {
                x: tree(x),
                residual: residual.stop_gradient().abs().amax(),
                iterations,
                evaluations,
                status,
            }
        })
    }

    /// Solves a linear system: by its matrix if that is small or the method takes matrices, or by a Krylov method.
    fn linear(&self, apply: &dyn Fn(Var) -> Var, b: Var) -> Var {
        let n = b.shape()[0];
        match n {
            1 => b / apply(ones_like(b)),
            _ if n <= DENSE && self.method != Method::Krylov => {
                matrix(apply, n, b.dtype()).solve(b)
            }
            _ => Krylov::default().bicgstab(apply, b),
        }
    }
}

/// Searches for a root of as many functions as there are unknowns, from a start: [`Search`] with its defaults, a hybrid
/// of Newton's method and steepest descent in a trust region, as `scipy.optimize.root` has it. Unknowns and value are
/// trees with as many numbers.
///
/// The derivative in what `f` captures is that of the equation `f(x) = 0`.
///
/// # Errors
/// If the start has leaves that are no floats, or of two types; if the value of `f` has another number of elements or
/// another type.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root;
///
/// // Where a circle of radius r meets a parabola.
/// let meet = |r: Var| {
///     let f = move |(x, y): (Var, Var)| (x * x + y * y - r * r, y - x * x);
///     root::root(f, (1.0, 1.0))
/// };
/// let r = jit(meet).call(2f64.sqrt())?.ok()?;
/// assert!((r.x.1.item::<f64>()? - 1.0).abs() < 1e-12);
/// // y = (√(1 + 4r²) - 1)/2, and dy/dr = 2r / √(1 + 4r²).
/// let slope = jit(grad(move |r: Var| meet(r).x.1)).call(2f64.sqrt())?;
/// assert!((slope.item::<f64>()? - 2.0 * 2f64.sqrt() / 3.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn root<I, Y>(f: impl Fn(I::Tree) -> Y, start: I) -> Root<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
    Y: IntoTree,
{
    Search::default().root(f, start)
}
