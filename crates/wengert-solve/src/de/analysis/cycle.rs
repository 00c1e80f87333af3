//! Limit cycles, and how they answer to kicks.

use std::panic::Location;

use wengert::linalg::eigvals;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};
use wengert::tree::ravel;
use wengert::{Complex, IntoTree};

use super::of_vectors;
use crate::de::{Method, Ode};
use crate::root::Search;
use crate::shared::{length, vector};
use crate::status::outcome;
use crate::{State, Watch};

/// A closed orbit of `y' = f(y)`.
#[derive(Tree, Clone, Debug)]
pub struct LimitCycle<Y, T = Var> {
    /// A state on the orbit: that of phase 0.
    pub y: Y,
    /// The period.
    pub period: T,
    /// The Floquet multipliers: the eigenvalues of the derivative of the state after a period by that before. One of them is 1,
    /// along the orbit.
    pub multipliers: Complex<T>,
    /// Whether all other multipliers are less than 1 in size, so that the orbit attracts.
    pub stable: T,
    /// The largest distance between the state and that after a period.
    pub residual: T,
    /// The number of steps of the search.
    pub iterations: T,
    /// What ended it: a code of [`Status`](crate::Status).
    pub status: T,
}

outcome!("limit_cycle", LimitCycle<Y>);

/// How the phase of a limit cycle depends on its state.
#[derive(Tree, Clone, Debug)]
pub struct PhaseResponse<Y, T = Var> {
    /// Evenly spaced times from 0, below the period.
    pub t: T,
    /// The states at these times: each leaf has a row for each.
    pub y: Y,
    /// The derivatives of the phase by the numbers of these states, likewise: by how much time a small push, divided by its size,
    /// advances the cycle.
    pub response: Y,
}

/// Searches for a closed orbit of `y' = f(y)` by shooting, from a state near it and a guess of its period.
///
/// The unknowns are the state and the period; the equations are that a period leads back, and that the state lies in the plane
/// through the start at right angles to the rate there. The tolerance is ten times that of `ode`. An orbit that attracts is
/// found from far if the start is integrated for a while first; guesses of the period that are much too short lead to steady states.
///
/// State and period are differentiated through these equations, in what `f` captures.
///
/// # Errors
/// If the start has leaves that are no floats, or of two types; if the value of `f` differs from it in structure, shapes or
/// dtypes; if the period is no number; as those of [`Ode::solve`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Ode, Tsit5, limit_cycle};
///
/// // Van der Pol's oscillator, whose period for mu = 1 is 6.6632868593231.
/// let cycle = |mu: Var| {
///     let f = move |[x, v]: [Var; 2]| [v, mu * (1.0 - x * x) * v - x];
///     let ode = Ode::new(Tsit5).rtol(1e-9).atol(1e-9);
///     limit_cycle(&ode, f, [2.0, 0.0], 6.5)
/// };
/// let c = jit(cycle).call(1.0)?.ok()?;
/// assert!((c.period.item::<f64>()? - 6.6632868593231).abs() < 1e-6);
/// assert!(c.stable.item::<bool>()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn limit_cycle<I, A, M: Method, W: Watch>(
    ode: &Ode<M, W>,
    f: impl Fn(I::Tree) -> A,
    start: I,
    period: impl IntoTree<Tree = Var>,
) -> LimitCycle<I::Tree>
where
    I: IntoTree,
    I::Tree: State + IntoTree<Tree = I::Tree>,
    A: IntoTree<Tree = I::Tree>,
{
    let place = Location::caller();
    asked_at(place, || {
        let (x0, tree) = vector("limit_cycle", start.into_tree());
        let period = period.into_tree();
        if period.ty().rank() != 0 {
            let ty = period.ty();
            let message = format!("the period is {ty}, and must be a number");
            refuse("limit_cycle", message);
        }
        let (x0, period) = (stop_gradient(x0), stop_gradient(period.to(x0.dtype())));
        let f = |_: Var, y: I::Tree| f(y).into_tree();
        let rate = of_vectors("limit_cycle", place, &f, tree.clone());
        let after = |x: Var, t: Var| ravel(solve(ode, &f, tree(x), t)).0;
        let across = stop_gradient(rate(Var::from(0.0), x0));
        let across = across / length(across);
        let back = |(x, t): (Var, Var)| (after(x, t) - x, across.dot(x - x0));
        let tolerance = 10.0 * ode.rtol.max(ode.atol.known());
        let search = Search::default().ftol(tolerance).xtol(0.1 * tolerance);
        let root = search.root(back, (x0, period));
        let (x, t) = root.x;
        let multipliers = eigvals(jacfwd(|x: Var| after(x, t))(x));
        let from_one = (multipliers.re - 1.0).hypot(multipliers.im);
        let along = from_one.argmin();
        let others = iota(x.shape()[0], DType::I64).ne(along);
        LimitCycle {
            y: tree(x),
            period: t,
            multipliers,
            stable: (multipliers.abs().lt(1.0) | !others).all(),
            residual: root.residual,
            iterations: root.iterations,
            status: root.status,
        }
    })
}

impl<Y: State> LimitCycle<Y> {
    /// The states at `n` evenly spaced times from phase 0 on, as rows of each leaf.
    ///
    /// # Errors
    /// As those of [`Ode::sample`].
    #[track_caller]
    pub fn orbit<A, M: Method, W: Watch>(&self, ode: &Ode<M, W>, f: impl Fn(Y) -> A, n: usize) -> Y
    where
        Y: IntoTree<Tree = Y>,
        A: IntoTree<Tree = Y>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let times = phases(n, self.period);
            ode.sample(|_, y: Y| f(y), self.y.clone(), 0.0, times).y
        })
    }
}

/// The phase response of a limit cycle at `n` evenly spaced times: the periodic solution of the adjoint equation of its
/// variations, with unit projection on the rate (Malkin; Ermentrout, Terman, Mathematical Foundations of Neuroscience, ch. 8).
///
/// It starts at the left eigenvector of the multiplier 1 and goes backwards, where it is stable for an orbit that attracts, by the
/// transposes of the integrations between the times.
///
/// # Errors
/// If `n` is 0; as those of [`limit_cycle`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Ode, Tsit5, limit_cycle, phase_response};
///
/// // A rotation with a radius that returns to 1: pushes along the circle count, and others do not.
/// let f = |[x, y]: [Var; 2]| {
///     let grow = 1.0 - x * x - y * y;
///     [grow * x - y, grow * y + x]
/// };
/// let response = jit(move |x: Var| {
///     let ode = Ode::new(Tsit5).rtol(1e-10).atol(1e-10);
///     let cycle = limit_cycle(&ode, f, [x, 0.0.into()], 6.0);
///     phase_response(&ode, f, &cycle, 4)
/// });
/// let r = response.call(1.1)?;
/// // At (cos φ, sin φ) it is (-sin φ, cos φ).
/// let ([x, y], [dx, dy]) = (&r.y, &r.response);
/// assert!(dy.all_close(x, 0.0, 1e-7));
/// assert!((dx + y).all_close(&Array::from([0.0; 4]), 0.0, 1e-7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn phase_response<Y, A, M: Method, W: Watch>(
    ode: &Ode<M, W>,
    f: impl Fn(Y) -> A,
    cycle: &LimitCycle<Y>,
    n: usize,
) -> PhaseResponse<Y>
where
    Y: State + IntoTree<Tree = Y>,
    A: IntoTree<Tree = Y>,
{
    let place = Location::caller();
    asked_at(place, || {
        if n == 0 {
            refuse("phase_response", "there are no times");
        }
        let (x0, tree) = vector("phase_response", cycle.y.clone());
        let period = cycle.period.to(x0.dtype());
        let f = |_: Var, y: Y| f(y).into_tree();
        let rate = of_vectors("phase_response", place, &f, tree.clone());
        let after = |x: Var, t: Var| ravel(solve(ode, &f, tree(x), t)).0;
        // The left eigenvector z of 1, with z · k = 1: (Mᵀ - 1) z = 0 and k (k · z) = k together.
        let size = x0.shape()[0];
        let k = rate(Var::from(0.0), x0);
        let scale = k.dot(k);
        let turn = jacfwd(|x: Var| after(x, period))(x0);
        let matrix = turn.t() - eye(size).to(x0.dtype()) + k.outer(k) / scale;
        let z0 = matrix.solve(k / scale);
        let times = phases(n, period);
        let states = ode.sample(&f, cycle.y.clone(), 0.0, times).y;
        let rows = vmap(|y: Y| ravel(y).0)(states.clone());
        let part = period / n as f64;
        let (_, response) = scan_reverse(z0, rows, |z: Var, x: Var| {
            asked_at(place, || {
                let (_, pull) = vjp(|x: Var| after(x, part), x);
                let z = pull(z);
                (z, z)
            })
        });
        PhaseResponse {
            t: times,
            y: states,
            response: vmap(&tree)(response),
        }
    })
}

/// The state after a time.
fn solve<Y: State + IntoTree<Tree = Y>, M: Method, W: Watch>(
    ode: &Ode<M, W>,
    f: &impl Fn(Var, Y) -> Y,
    y: Y,
    t: Var,
) -> Y {
    ode.solve(f, y, 0.0, t).y
}

/// Evenly spaced times from 0, below a period.
fn phases(n: usize, period: Var) -> Var {
    iota(n, DType::I64).to(period.dtype()) * (period / n.max(1) as f64)
}
