//! Jumps at the times of a Poisson process whose rate depends on the state.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse, same_trees};
use wengert::{DType, IntoTree};

use super::brownian::{Increment, normal};
use super::diffusion::Diffusion;
use super::scheme::Scheme;
use super::{Place, Sde, Start, code, finite, real};
use crate::shared::{RUNNING, choose, scalar};
use crate::status::outcome;
use crate::{State, Status};

/// Jumps of the state: when, and what they do.
///
/// They happen at a rate `rate(t, y)` that is at most `bound`. Candidates come at the constant rate `bound`, and
/// one is taken with the probability `rate / bound` (thinning: Lewis and Shedler, 1979): the times of the jumps are exact,
/// however long the steps are.
#[derive(Clone, Copy, Debug)]
pub struct Jumps<R, J> {
    rate: R,
    bound: Var,
    jump: J,
}

impl<R, J> Jumps<R, J> {
    /// Jumps with a rate `rate(t, y)`, a bound of the rate, and the state after a jump, `jump(t, y, key)`, where the key
    /// is for the jump's size.
    pub fn new(rate: R, bound: impl Into<Var>, jump: J) -> Jumps<R, J> {
        let bound = bound.into();
        Jumps { rate, bound, jump }
    }
}

/// What [`JumpSteps`] returns.
#[derive(Tree, Clone, Debug)]
pub struct JumpPath<P, T = Var> {
    /// The end of the span.
    pub t: T,
    /// The state there; NaN if it was not reached.
    pub y: P,
    /// The number of steps, `i64`.
    pub steps: T,
    /// The number of jumps, `i64`.
    pub jumps: T,
    /// What ended it: a code of [`Status`]. [`Status::Infeasible`] says that the rate was above its bound.
    pub status: T,
}

outcome!("sde with jumps", JumpPath<P>);

/// A scheme with equal steps, and steps that end at the candidates of jumps in between: see
/// [`FixedSteps::jumps`](super::FixedSteps::jumps).
#[derive(Clone, Copy, Debug)]
pub struct JumpSteps {
    scheme: Scheme,
    steps: usize,
    max_steps: usize,
}

/// What the loop carries.
#[derive(Tree, Clone)]
struct Work<Y, T = Var> {
    t: T,
    y: Y,
    /// The number of equal steps that lie behind.
    passed: T,
    /// The time of the next candidate.
    candidate: T,
    steps: T,
    jumps: T,
    status: T,
}

impl JumpSteps {
    pub(super) fn new(scheme: Scheme, steps: usize) -> JumpSteps {
        JumpSteps {
            scheme,
            steps,
            max_steps: 1_000_000,
        }
    }

    /// The largest number of steps, with those that end at candidates: a million if not given.
    pub fn max_steps(self, max_steps: usize) -> Self {
        JumpSteps { max_steps, ..self }
    }

    /// Solves an equation with jumps from `y0` at `t0` to `t1`.
    ///
    /// Derivatives are along the path with its jumps where they are: they are no derivatives of when a jump happens, and
    /// so not those of means where the rate depends on a parameter.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::{Diagonal, Jumps, Scheme, Sde};
    ///
    /// // Particles that are made at rate 5 and vanish at rate 1 each: the mean of their number is 5.
    /// let count = |key: Key| {
    ///     let still = Sde::ito(|_t, n: Var| zeros_like(n), Diagonal(|_t, n: Var| zeros_like(n)));
    ///     let jumps = Jumps::new(
    ///         |_t, n: Var| 5.0 + n,
    ///         60.0,
    ///         |_t, n: Var, key: Key| (key.uniform(()) * (5.0 + n)).lt(5.0).select(n + 1.0, n - 1.0),
    ///     );
    ///     Scheme::EulerMaruyama.steps(1).jumps().solve(&still, &jumps, 5.0, 0.0, 4.0, key)
    /// };
    /// let counts = jit(move |key: Key| vmap(count)(key.split_into(400)));
    /// let mean = counts.call(Key::from_seed(1))?.ok()?.y.to_vec::<f64>()?.iter().sum::<f64>() / 400.0;
    /// assert!((mean - 5.0).abs() < 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`FixedSteps::solve`](super::FixedSteps::solve), and if the rate or its bound is not a number of the state's
    /// type, or a jump does not return a tree like the state.
    #[track_caller]
    pub fn solve<I, A, F, G, R, J, B>(
        &self,
        sde: &Sde<F, G>,
        jumps: &Jumps<R, J>,
        y0: I,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        key: Key,
    ) -> JumpPath<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        F: Fn(Var, I::Tree) -> A,
        G: Diffusion<I::Tree>,
        R: Fn(Var, I::Tree) -> Var,
        B: IntoTree<Tree = I::Tree>,
        J: Fn(Var, I::Tree, Key) -> B,
    {
        let place = Location::caller();
        let (t0, t1) = (t0.into(), t1.into());
        asked_at(place, || {
            let start = Start::new(OP, sde, y0, t0, t1);
            self.run(place, sde, jumps, start, key)
        })
    }

    #[track_caller]
    fn run<Y, A, F, G, R, J, B>(
        &self,
        place: Place,
        sde: &Sde<F, G>,
        jumps: &Jumps<R, J>,
        start: Start<Y>,
        key: Key,
    ) -> JumpPath<Y>
    where
        Y: State,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y) -> A,
        G: Diffusion<Y>,
        R: Fn(Var, Y) -> Var,
        B: IntoTree<Tree = Y>,
        J: Fn(Var, Y, Key) -> B,
    {
        if self.steps == 0 {
            refuse(OP, "no step leads to the end");
        }
        let dtype = start.dtype;
        let bound = jumps.bound;
        let fits = bound.dtype() == dtype || bound.as_literal().is_some();
        if bound.rank() != 0 || !fits {
            let message = format!(
                "the bound of the rate is {}, and must be one {dtype}",
                bound.ty()
            );
            refuse(OP, message);
        }
        let bound = stop_gradient(bound.to(dtype));
        let p = self.scheme.problem(OP, sde, start.t0, &start.y);
        let (t0, t1) = (stop_gradient(start.t0), stop_gradient(start.t1));
        let length = (t1 - t0) / self.steps as f64;
        // Numbered keys: 3 i for the path, then for the decision and the wait, then for the jump.
        let keys = key.fold_in();
        let numbers = |i: Var, shape: &[usize]| normal(keys.at(i), shape, dtype);
        let uniform = |i: Var| keys.at(i).uniform(ShapeDtype::new([2], dtype));
        let wait = |u: Var| -(1.0 - u).ln() / bound;
        let rows = 1 + usize::from(self.scheme.uses_area());
        let known = length.ge(0.0) & length.is_finite() & bound.ge(0.0);
        let status = finite(&start.y).select(RUNNING, code(Status::StartNotFinite));
        let work = Work {
            t: t0,
            y: start.y.clone(),
            passed: Var::scalar(0i64),
            candidate: t0 + wait(uniform(Var::scalar(0i64)).at(1)),
            steps: Var::scalar(0i64),
            jumps: Var::scalar(0i64),
            status: known.select(status, code(Status::NotFinite)),
        };
        let end = while_loop(
            work,
            |w: Work<Y>| asked_at(place, || w.status.eq(RUNNING)),
            |w: Work<Y>| {
                asked_at(place, || {
                    let passed = w.passed + 1;
                    let is_last = passed.ge(self.steps as i64);
                    let grid = is_last.select(t1, t0 + passed.to(dtype) * length);
                    let is_candidate = w.candidate.lt(grid);
                    let end = is_candidate.select(w.candidate, grid);
                    let h = end - w.t;
                    let stands = h.le(0.0);
                    let h = stands.select(real(1.0, dtype), h);
                    let i = 3 * (w.steps + 1);
                    let z = h.sqrt() * numbers(i, &[rows, start.noise]);
                    let area = match rows {
                        2 => z.at(1) * (1.0 / 12f64.sqrt()),
                        _ => zeros_like(z.at(0)),
                    };
                    let step = Increment {
                        w: z.at(0),
                        h: area,
                    };
                    let y = self.scheme.advance(&p, w.t, h, w.y.clone(), step);
                    let y = choose(stands, w.y, y);

                    let u = uniform(i + 1);
                    let rate = scalar(OP, "the rate", dtype, || (jumps.rate)(end, y.clone()));
                    let taken = is_candidate & (u.at(0) * bound).lt(rate);
                    let after = inside(|| (jumps.jump)(end, y.clone(), keys.at(i + 2)).into_tree());
                    same_trees(OP, ["the state", "what a jump makes of it"], &y, &after);
                    let y = choose(taken, after, y);

                    let steps = w.steps + 1;
                    let above = is_candidate & !rate.le(bound);
                    let late = steps.ge(self.max_steps as i64);
                    let running = late.select(code(Status::StepLimit), RUNNING);
                    let done = !is_candidate & is_last;
                    let running = done.select(code(Status::Finished), running);
                    let status = above.select(code(Status::Infeasible), running);
                    Work {
                        t: end,
                        candidate: is_candidate.select(end + wait(u.at(1)), w.candidate),
                        passed: is_candidate.select(w.passed, passed),
                        steps,
                        jumps: w.jumps + taken.to(DType::I64),
                        status: finite(&y).select(status, code(Status::NotFinite)),
                        y,
                    }
                })
            },
        );
        let arrived = end.status.eq(Status::Finished.code());
        JumpPath {
            t: start.t1,
            y: tree::map(end.y, |v| arrived.select(v, full_like(v, f64::NAN))),
            steps: end.steps,
            jumps: end.jumps,
            status: end.status,
        }
    }
}

const OP: &str = "sde with jumps";
