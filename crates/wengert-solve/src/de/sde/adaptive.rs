//! Steps that follow the error, on a Brownian tree.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::brownian::{Brownian, Point};
use super::diffusion::Diffusion;
use super::scheme::Scheme;
use super::{Path, Place, Problem, Sde, Start, code, finite, real, times};
use crate::shared::{RUNNING, choose, eps, not_negative, not_zero};
use crate::{State, Status};

/// A scheme whose steps follow an estimate of the error: see [`Scheme::adaptive`].
///
/// A step is taken once as a whole and once in two halves; the difference is the estimate, and the two halves are the
/// result. A step that is rejected is tried again with a shorter one on the same path, which a [`Brownian`] tree gives, so
/// what was seen is not forgotten: drawing anew would bias the result (Gaines and Lyons, *Variable step size control
/// in the numerical solution of stochastic differential equations*, SIAM Journal on Applied Mathematics 57, 1997).
///
/// With a scheme of strong order 0.5, adaptive steps need not converge to the solution in Itô's sense (the same article):
/// use [`Scheme::Milstein`], [`Scheme::Sri1`] or [`Scheme::Sra1`] there, or [`Scheme::Heun`] for general noise that commutes.
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveSteps {
    scheme: Scheme,
    rtol: Option<f64>,
    atol: Option<f64>,
    dt0: Option<f64>,
    max_steps: usize,
    tolerance: f64,
}

/// What the loop carries.
#[derive(Tree, Clone)]
struct Work<Y, T = Var> {
    t: T,
    y: Y,
    /// The length of the next step.
    h: T,
    /// The path at `t`.
    here: Point<T>,
    /// The number of the time that comes next, and the states at those before.
    next: T,
    saved: Option<Y>,
    taken: T,
    rejected: T,
    status: T,
}

impl AdaptiveSteps {
    pub(super) fn new(scheme: Scheme) -> AdaptiveSteps {
        AdaptiveSteps {
            scheme,
            rtol: None,
            atol: None,
            dt0: None,
            max_steps: 100_000,
            tolerance: 1e-6,
        }
    }

    /// The error of a step relative to the state: 1e-3 if not given.
    pub fn rtol(self, rtol: f64) -> Self {
        let rtol = Some(rtol);
        AdaptiveSteps { rtol, ..self }
    }

    /// The absolute error of a step: 1e-4 if not given.
    pub fn atol(self, atol: f64) -> Self {
        let atol = Some(atol);
        AdaptiveSteps { atol, ..self }
    }

    /// The first step that is tried: a hundredth of the span if not given.
    pub fn dt0(self, dt0: f64) -> Self {
        let dt0 = Some(dt0);
        AdaptiveSteps { dt0, ..self }
    }

    /// The largest number of steps, with those that are rejected: 100,000 if not given.
    pub fn max_steps(self, max_steps: usize) -> Self {
        AdaptiveSteps { max_steps, ..self }
    }

    /// The part of the span to which the tree is resolved, which is also the shortest step: 1e-6 if not given. See
    /// [`Brownian::tolerance`].
    pub fn tolerance(self, tolerance: f64) -> Self {
        AdaptiveSteps { tolerance, ..self }
    }

    /// Solves an equation from `y0` at `t0` to `t1`, along the path of a key, and returns the state at `t1`.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::{Brownian, Diagonal, Scheme, Sde};
    ///
    /// // Geometric Brownian motion has a closed form along its path.
    /// let f = jit(|(key, again): (Key, Key)| {
    ///     let sde = Sde::ito(|_t, x: Var| 0.3 * x, Diagonal(|_t, x: Var| 0.5 * x));
    ///     let solver = Scheme::Sri1.adaptive().rtol(1e-6).atol(1e-8);
    ///     let found = solver.solve(&sde, 1.0, 0.0, 1.0, key);
    ///     let w = Brownian::new(again, 0.0, 1.0, 1).at(1.0).at(0);
    ///     (found, ((0.3 - 0.125) + 0.5 * w).exp())
    /// });
    /// let key = Key::from_seed(3);
    /// let (found, exact) = f.call((key.clone(), key))?;
    /// assert!((found.ok()?.y.item::<f64>()? - exact.item::<f64>()?).abs() < 1e-4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`FixedSteps::solve`](super::FixedSteps::solve), and if `t1` is before `t0` for a number of the program. A
    /// status says what ended each path.
    #[track_caller]
    pub fn solve<I, A, F, G>(
        &self,
        sde: &Sde<F, G>,
        y0: I,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        key: Key,
    ) -> Path<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        F: Fn(Var, I::Tree) -> A,
        G: Diffusion<I::Tree>,
    {
        let place = Location::caller();
        let (t0, t1) = (t0.into(), t1.into());
        asked_at(place, || {
            let start = Start::new(OP, sde, y0, t0, t1);
            let end = self.run(place, sde, &start, start.t1.reshape([1]), false, key);
            let is_at_end = end.status.eq(Status::Finished.code());
            Path {
                t: start.t1,
                y: tree::map(end.y, |v| is_at_end.select(v, full_like(v, f64::NAN))),
                steps: end.taken,
                rejected: end.rejected,
                status: end.status,
            }
        })
    }

    /// Solves an equation from `y0` at `t0`, and returns the states at the times `at`, a vector that does not fall.
    /// Steps end at these times. The path is that of a [`Brownian`] tree from `t0` to the last of them.
    ///
    /// # Errors
    /// As [`AdaptiveSteps::solve`], and if the times are not a vector of floats with at least one.
    #[track_caller]
    pub fn sample<I, A, F, G>(
        &self,
        sde: &Sde<F, G>,
        y0: I,
        t0: impl Into<Var>,
        at: impl Into<Var>,
        key: Key,
    ) -> Path<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        F: Fn(Var, I::Tree) -> A,
        G: Diffusion<I::Tree>,
    {
        let place = Location::caller();
        let (t0, at) = (t0.into(), at.into());
        asked_at(place, || {
            let start = Start::new(OP, sde, y0, t0, t0);
            let at = times(OP, at, start.dtype);
            let end = self.run(place, sde, &start, at, true, key);
            Path {
                t: at,
                y: end.saved.expect("states are saved"),
                steps: end.taken,
                rejected: end.rejected,
                status: end.status,
            }
        })
    }

    #[track_caller]
    fn run<Y, A, F, G>(
        &self,
        place: Place,
        sde: &Sde<F, G>,
        start: &Start<Y>,
        at: Var,
        saves: bool,
        key: Key,
    ) -> Work<Y>
    where
        Y: State,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y) -> A,
        G: Diffusion<Y>,
    {
        for (name, x) in [("rtol", self.rtol), ("atol", self.atol)] {
            not_negative(OP, &[(name, x.unwrap_or(0.0))]);
        }
        not_zero(OP, &[("dt0", self.dt0)]);
        let n = at.shape()[0];
        if n == 0 {
            refuse(OP, "there is no time at which the solution is wanted");
        }
        let at = stop_gradient(at);
        let dtype = start.dtype;
        let (t0, t1) = (stop_gradient(start.t0), at.at(-1));
        let path = Brownian::new(key, t0, t1, start.noise).tolerance(self.tolerance);
        let shortest = path.resolution();
        let p = self.scheme.problem(OP, sde, t0, &start.y);
        let span = t1 - t0;
        let h = match self.dt0 {
            Some(dt0) => real(dt0, dtype),
            None => 0.01 * span,
        };
        let status = (finite(&start.y)).select(RUNNING, code(Status::StartNotFinite));
        let ordered = (t0.le(at.at(0)) & span.is_finite()).select(status, code(Status::NotFinite));
        let row = |v: Var| full_like(v, f64::NAN).broadcast_to([&[n], &v.shape()[..]].concat());
        let work = Work {
            t: t0,
            y: start.y.clone(),
            h: h.maximum(shortest),
            here: Point {
                x: zeros_like(t0),
                w: zeros_of(start.noise, dtype),
                area: zeros_of(start.noise, dtype),
            },
            next: Var::scalar(0i64),
            saved: saves.then(|| tree::map(start.y.clone(), row)),
            taken: Var::scalar(0i64),
            rejected: Var::scalar(0i64),
            status: ordered,
        };
        let tolerances = Tolerances {
            rtol: self.rtol.unwrap_or(1e-3),
            atol: self.atol.unwrap_or(1e-4),
            power: -2.0 / (f64::from(self.scheme.twice_order()) + 1.0),
        };
        while_loop(
            work,
            |w: Work<Y>| asked_at(place, || w.status.eq(RUNNING)),
            |w: Work<Y>| asked_at(place, || self.step(&p, &path, at, shortest, &tolerances, w)),
        )
    }

    /// Tries a step.
    fn step<Y, A, F, G>(
        &self,
        p: &Problem<'_, F, G>,
        path: &Brownian,
        at: Var,
        shortest: Var,
        tolerances: &Tolerances,
        w: Work<Y>,
    ) -> Work<Y>
    where
        Y: State,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y) -> A,
        G: Diffusion<Y>,
    {
        let dtype = w.t.dtype();
        let n = at.shape()[0] as i64;
        // A step that would leave a rest shorter than the tree resolves ends at the time itself.
        let target = at.at(w.next);
        let reaches = (w.t + w.h + shortest).ge(target);
        let end = reaches.select(target, w.t + w.h);
        let h = end - w.t;
        let middle = w.t + 0.5 * h;
        let (half, there) = (path.point(middle), path.point(end));
        let (first, second) = (path.increment(w.here, half), path.increment(half, there));
        // No time passes if the target is where the solution is already. Then nothing is taken from the step.
        let stands = h.le(0.0);
        let h = stands.select(shortest, h);
        let whole = self
            .scheme
            .advance(p, w.t, h, w.y.clone(), first.then(second));
        let y = self.scheme.advance(p, w.t, 0.5 * h, w.y.clone(), first);
        let y = choose(
            !stands,
            self.scheme.advance(p, middle, 0.5 * h, y, second),
            w.y.clone(),
        );
        let error = stop_gradient(tolerances.error(&w.y, &y, &whole));

        let accepted = error.le(1.0) | stands;
        let factor = (0.9 * error.maximum(1e-10).powf(tolerances.power)).clamp(0.2, 5.0);
        let factor = error.is_finite().select(factor, real(0.2, dtype));
        // What was cut short by a time does not shorten the steps after it.
        let arrived = accepted & reaches;
        let kept = arrived.select(w.h.maximum(h * factor), h * factor);
        let proposed = stands.select(w.h, kept.maximum(shortest));
        let next = w.next + arrived.to(DType::I64);
        let saved = w.saved.map(|all| {
            tree::map2(all, y.clone(), |all, y| {
                all.at_set(w.next, arrived.select(y, all.at(w.next)))
            })
        });
        let stuck = !accepted & h.le(shortest * (1.0 + 8.0 * eps(dtype)));
        let tried = w.taken + w.rejected + 1;
        let stopped = error
            .is_finite()
            .select(code(Status::StepTooSmall), code(Status::NotFinite));
        let running = tried
            .ge(self.max_steps as i64)
            .select(code(Status::StepLimit), RUNNING);
        let status = next
            .ge(n)
            .select(code(Status::Finished), stuck.select(stopped, running));
        Work {
            t: accepted.select(end, w.t),
            y: choose(accepted, y, w.y),
            h: proposed,
            here: choose(accepted, there, w.here),
            next,
            saved,
            taken: w.taken + (accepted & !stands).to(DType::I64),
            rejected: w.rejected + (!accepted).to(DType::I64),
            status,
        }
    }
}

/// What the error is compared with, and how the next step follows from it.
struct Tolerances {
    rtol: f64,
    atol: f64,
    power: f64,
}

impl Tolerances {
    /// The root of the mean square of the differences as parts of the tolerance.
    fn error<Y: State>(&self, before: &Y, y: &Y, other: &Y) -> Var {
        let scaled = tree::map3(before.clone(), y.clone(), other.clone(), |b, y, o| {
            (y - o) / (self.atol + self.rtol * b.abs().maximum(y.abs()))
        });
        let all = tree::leaves(&scaled);
        let count: usize = all.iter().map(|v| v.ty().size()).sum();
        let sum = all
            .into_iter()
            .map(|v| v.square().sum())
            .reduce(|a, b| a + b);
        (sum.expect("a state has numbers") / count as f64).sqrt()
    }
}

const OP: &str = "sde";
