//! States that do not change.

use std::panic::Location;

use wengert::linalg::{Krylov, eigvals};
use wengert::prelude::*;
use wengert::solver::asked_at;
use wengert::{Complex, IntoTree};

use super::of_vectors;
use crate::root::Search;
use crate::shared::{
    DENSE, RUNNING, choose, eps, largest, matrix, not_negative, not_zero, number, vector,
};
use crate::status::outcome;
use crate::{State, Status};

/// A state that does not change, and what small distances from it do.
#[derive(Tree, Clone, Debug)]
pub struct Steady<Y, T = Var> {
    /// The state.
    pub y: Y,
    /// The eigenvalues of the Jacobian there, in the order of their real and then their imaginary parts.
    pub eigenvalues: Complex<T>,
    /// Whether all real parts are negative, so that small distances vanish.
    pub stable: T,
    /// The largest rate there.
    pub residual: T,
    /// Whether pseudo-time was needed.
    pub by_time: T,
    /// The number of steps, of the search for a root and of pseudo-time.
    pub iterations: T,
    /// What ended it: a code of [`Status`].
    pub status: T,
}

outcome!("steady_state", Steady<Y>);

/// How a steady state of `y' = f(y)` is searched for: as a root of `f`, and if that fails, by pseudo-time.
///
/// Pseudo-time follows the flow by linearly implicit steps of Euler, whose length grows as the rate falls and so become Newton's
/// (pseudo-transient continuation with switched evolution relaxation: Kelley, Keyes, SIAM J. Numer. Anal. 35, 1998). It leads
/// to a state that attracts, as the flow itself does, where a root may be any.
///
/// What was found is differentiated through `f(y) = 0`, in what `f` captures.
#[derive(Clone, Copy, Debug)]
pub struct SteadyState {
    /// The tolerance of the rate's elements.
    pub ftol: f64,
    /// The limit of steps, of each of the two.
    pub max_steps: i64,
    /// The first step of pseudo-time.
    pub dt0: f64,
    by_time: bool,
}

impl Default for SteadyState {
    fn default() -> SteadyState {
        SteadyState::new()
    }
}

impl SteadyState {
    /// A tolerance of 1e-10, 500 steps, and a first step of 0.01 of pseudo-time.
    pub fn new() -> SteadyState {
        SteadyState {
            ftol: 1e-10,
            max_steps: 500,
            dt0: 0.01,
            by_time: false,
        }
    }

    /// Sets the tolerance of the rate's elements.
    pub fn ftol(mut self, ftol: f64) -> SteadyState {
        self.ftol = ftol;
        self
    }

    /// Sets the limit of steps.
    pub fn max_steps(mut self, max_steps: i64) -> SteadyState {
        self.max_steps = max_steps;
        self
    }

    /// Sets the first step of pseudo-time.
    pub fn dt0(mut self, dt0: f64) -> SteadyState {
        self.dt0 = dt0;
        self
    }

    /// Goes by pseudo-time from the start, to the state that attracts it.
    pub fn by_time(mut self) -> SteadyState {
        self.by_time = true;
        self
    }

    /// Searches for a steady state of `y' = f(y)` from a start.
    ///
    /// The eigenvalues are those of the whole Jacobian, a matrix, and only computed if they are used.
    ///
    /// # Errors
    /// If the start has leaves that are no floats, or of two types; if the value of `f` differs from it in structure, shapes or
    /// dtypes.
    #[track_caller]
    pub fn search<I, A>(&self, f: impl Fn(I::Tree) -> A, start: I) -> Steady<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            not_zero("steady_state", &[("dt0", Some(self.dt0))]);
            not_negative("steady_state", &[("ftol", self.ftol), ("dt0", self.dt0)]);
            not_negative("steady_state", &[("max_steps", self.max_steps as f64)]);
            let (x0, tree) = vector("steady_state", start.into_tree());
            let f = |_: Var, y: I::Tree| f(y).into_tree();
            let rate = of_vectors("steady_state", place, f, tree.clone());
            let rate = |x: Var| rate(Var::from(0.0), x);
            let (x, facts) = custom_root_aux(
                rate,
                x0,
                |f, x| asked_at(place, || self.found(place, f, x)),
                |j, b| asked_at(place, || solve(j, b)),
            );
            let (by_time, iterations, status) = facts;
            let residual = largest(rate(stop_gradient(x)).stop_gradient());
            let eigenvalues = eigvals(jacfwd(rate)(x));
            Steady {
                y: tree(x),
                eigenvalues,
                stable: eigenvalues.re.lt(0.0).all(),
                residual,
                by_time,
                iterations,
                status,
            }
        })
    }

    /// A root, with whether pseudo-time was needed, the number of steps, and the status.
    fn found(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> Var,
        x0: Var,
    ) -> (Var, (Var, Var, Var)) {
        if self.by_time {
            let (x, steps, status) = self.follow(place, f, x0);
            return (x, (Var::from(true), steps, status));
        }
        let root = Search::default()
            .ftol(self.ftol)
            .max_steps(self.max_steps)
            .implicit(false)
            .root(f, x0);
        // A step that changes nothing is no root if the rate is not small.
        let near = root
            .residual
            .le(self.ftol.max(1e3 * eps(x0.dtype())) * (1.0 + largest(root.x)));
        let failed = root.status.le(0) | !near;
        let (x, steps, status) = cond(
            failed,
            (root.x, root.iterations, root.status),
            |(_, before, _): (Var, Var, Var)| {
                asked_at(place, || {
                    let (x, steps, status) = self.follow(place, f, x0);
                    (x, before + steps, status)
                })
            },
            |found| found,
        );
        (x, (failed, steps, status))
    }

    /// Follows the flow by pseudo-time.
    fn follow(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> Var,
        x0: Var,
    ) -> (Var, Var, Var) {
        let dtype = x0.dtype();
        let f0 = f(x0);
        let finite = f0.is_finite().all() & x0.is_finite().all();
        let status = finite.select(RUNNING, Status::StartNotFinite.code());
        let start = (
            x0,
            f0,
            number(self.dt0, dtype),
            Var::from(0i64),
            status_of(f0, self.ftol, status),
        );
        let (x, _, _, steps, status) = while_loop(
            start,
            |(_, _, _, _, status)| status.eq(RUNNING),
            |(x, k, dt, steps, _): (Var, Var, Var, Var, Var)| {
                asked_at(place, || {
                    let (_, df) = linearize(f, x);
                    let step = solve(&|v: Var| v / dt - df(v), k);
                    let next = x + step;
                    let rate = f(next);
                    let finite = rate.is_finite().all();
                    let ratio = k.square().sum().sqrt() / rate.square().sum().sqrt();
                    let factor = finite.select(ratio.clamp(0.1, 10.0), number(0.1, dtype));
                    let steps = steps + 1;
                    let length = dt * factor;
                    let status = wengert::select(
                        &[
                            (
                                steps.ge(self.max_steps),
                                Var::from(Status::StepLimit.code()),
                            ),
                            (
                                !finite & length.lt(1e-12 * self.dt0),
                                Var::from(Status::NotFinite.code()),
                            ),
                        ],
                        RUNNING,
                    );
                    let status = status_of(rate, self.ftol, status);
                    let (x, k) = choose(finite, (next, rate), (x, k));
                    (x, k, length, steps, status)
                })
            },
        );
        (x, steps, status)
    }
}

/// The status of a rate that is small, or else another one.
fn status_of(rate: Var, ftol: f64, status: Var) -> Var {
    let small = largest(rate).le(ftol);
    small.select(Status::ResidualConverged.code(), status)
}

/// Solves a linear system, by its matrix if that is small.
fn solve(apply: &dyn Fn(Var) -> Var, b: Var) -> Var {
    let n = b.shape()[0];
    match n {
        1 => b / apply(ones_like(b)),
        2..=DENSE => matrix(apply, n, b.dtype()).solve(b),
        _ => Krylov::default().gmres(50, apply, b),
    }
}

/// Searches for a steady state of `y' = f(y)` from a start: [`SteadyState`] with its defaults.
///
/// # Errors
/// As those of [`SteadyState::search`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::steady_state;
///
/// // A population that is harvested: y' = y (1 - y) - h rests at (1 + √(1 - 4h)) / 2.
/// let rest = |h: Var| steady_state(move |y: Var| y * (1.0 - y) - h, 1.0);
/// let s = jit(rest).call(0.16)?.ok()?;
/// assert!((s.y.item::<f64>()? - 0.8).abs() < 1e-9);
/// assert!(s.stable.item::<bool>()?);
/// assert!((s.eigenvalues.re.get::<f64>(0)? + 0.6).abs() < 1e-9);
/// // dy/dh = -1 / √(1 - 4h).
/// let slope = jit(grad(move |h: Var| rest(h).y)).call(0.16)?;
/// assert!((slope.item::<f64>()? + 1.0 / 0.6).abs() < 1e-8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn steady_state<I, A>(f: impl Fn(I::Tree) -> A, start: I) -> Steady<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
    A: IntoTree<Tree = I::Tree>,
{
    SteadyState::new().search(f, start)
}
