//! Equations with a few constant delays.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse, same_trees};

use super::ring::Ring;
use crate::State;
use crate::de::control::{Controller, Norm, Tolerance};
use crate::de::keep::Rows;
use crate::de::{Method, Solution};
use crate::shared::{ends, not_negative, not_zero, number, vector};

pub(super) const OP: &str = "dde";

/// How an equation with constant delays is solved: by the method of steps, with the polynomials of the method's dense output
/// for the past.
///
/// The right-hand side is `f(t, y, past)`, where `past[i]` is the state at `t - delays[i]`, a tree like the state. The
/// history is a function of time, `h(t)`, for `t ≤ t0`; the solution starts from `h(t0)`. Delays are numbers, the same for
/// the whole integration, and positive; time runs forward.
///
/// Adaptive steps are no longer than the shortest delay, so that no step needs what it makes itself, and they end where
/// the solution is not smooth: at `t0` plus sums of delays, up to the method's order (Bellen and Zennaro, *Numerical
/// Methods for Delay Differential Equations*, 2003). Fixed steps ([`Dde::fixed`]) have the method's order if the delays
/// are multiples of the step; its length must not be above the shortest delay. What the method's dense output is for: the cubic
/// through both ends gives order 4 in the past as well.
///
/// Neutral equations, with the past's derivative, are not solved.
///
/// # Derivatives
/// Those of the steps that were taken, as for [`Ode`](crate::de::Ode), in all that closures capture, in delays and in the
/// times. Where steps end at breaks, the derivative in a delay is that of the solution; with fixed steps it has
/// an error of the order of the step where a break meets a stage.
#[derive(Clone, Copy, Debug)]
pub struct Dde<M> {
    pub(super) method: M,
    pub(super) rtol: f64,
    pub(super) atol: f64,
    pub(super) dt0: Option<f64>,
    pub(super) dt_max: Option<f64>,
    pub(super) max_steps: i64,
    pub(super) ring: Option<usize>,
    pub(super) fixed: Option<usize>,
    pub(super) controller: Controller,
}

impl<M: Method> Dde<M> {
    /// A method with `rtol` 1e-6, `atol` 1e-9, and 100,000 steps.
    pub fn new(method: M) -> Dde<M> {
        Dde {
            method,
            rtol: 1e-6,
            atol: 1e-9,
            dt0: None,
            dt_max: None,
            max_steps: 100_000,
            ring: None,
            fixed: None,
            controller: Controller::PI,
        }
    }

    /// Sets the tolerance relative to the size of the state.
    pub fn rtol(self, rtol: f64) -> Self {
        Dde { rtol, ..self }
    }

    /// Sets the tolerance of the state.
    pub fn atol(self, atol: f64) -> Self {
        Dde { atol, ..self }
    }

    /// Sets the first step: a hundredth of the shortest delay if not given.
    pub fn dt0(self, dt0: f64) -> Self {
        let dt0 = Some(dt0);
        Dde { dt0, ..self }
    }

    /// Sets the longest step; the shortest delay is a limit in any case.
    pub fn dt_max(self, dt_max: f64) -> Self {
        let dt_max = Some(dt_max);
        Dde { dt_max, ..self }
    }

    /// Sets the limit of steps, accepted or not.
    pub fn max_steps(self, max_steps: i64) -> Self {
        Dde { max_steps, ..self }
    }

    /// Sets the number of steps whose polynomials are kept. Without it, fixed steps keep what the delays need if times and delays are
    /// numbers of the program, and else all; adaptive steps keep 256. If the longest delay needs
    /// more, the integration ends with [`Status::StepLimit`](crate::Status::StepLimit).
    pub fn ring(self, steps: usize) -> Self {
        let ring = Some(steps);
        Dde { ring, ..self }
    }

    /// Takes `n` equal steps over the span.
    pub fn fixed(self, n: usize) -> Self {
        let fixed = Some(n);
        Dde { fixed, ..self }
    }

    /// Solves an equation from `t0` to `t1`, and returns the state at the end.
    ///
    /// # Errors
    /// If the rate or the history is not a tree like the state, the state is not of floats of one type, there are no delays or
    /// no steps, or times and delays are not numbers of that type. A status says what ended each integration; a delay
    /// that is not positive is [`Status::StepTooSmall`](crate::Status::StepTooSmall).
    #[track_caller]
    pub fn solve<Y, A, H, F>(
        &self,
        f: F,
        delays: impl IntoIterator<Item = impl Into<Var>>,
        history: impl Fn(Var) -> H,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
    ) -> Solution<Y>
    where
        Y: State,
        H: IntoTree<Tree = Y>,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y, Vec<Y>) -> A,
    {
        let place = Location::caller();
        let (t0, t1) = (t0.into(), t1.into());
        let delays: Vec<Var> = delays.into_iter().map(Into::into).collect();
        asked_at(place, || {
            let history = |t: Var| inside(|| history(t).into_tree());
            let (problem, back) = self.problem(place, &f, delays, &history, t0, t1);
            let found = match self.fixed {
                None => self.adaptive(&problem, None),
                Some(_) => self.equal(&problem, None),
            };
            let (t, y) = (found.t, back(found.y));
            found.solution(t, y)
        })
    }

    /// Solves an equation from `t0`, and returns the states at the times `at`, a vector that rises, by the method's dense output. The
    /// integration ends at the last of them. Times that go back, or are NaN, end with
    /// [`Status::Infeasible`](crate::Status::Infeasible).
    ///
    /// # Errors
    /// As [`Dde::solve`], and if the times are not a vector of floats with at least one.
    #[track_caller]
    pub fn sample<Y, A, H, F>(
        &self,
        f: F,
        delays: impl IntoIterator<Item = impl Into<Var>>,
        history: impl Fn(Var) -> H,
        t0: impl Into<Var>,
        at: impl Into<Var>,
    ) -> Solution<Y>
    where
        Y: State,
        H: IntoTree<Tree = Y>,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y, Vec<Y>) -> A,
    {
        let place = Location::caller();
        let (t0, at) = (t0.into(), at.into());
        let delays: Vec<Var> = delays.into_iter().map(Into::into).collect();
        asked_at(place, || {
            let history = |t: Var| inside(|| history(t).into_tree());
            if at.rank() != 1 || at.shape()[0] == 0 {
                let message = format!("the times are {}, and must be a vector of floats", at.ty());
                refuse(OP, message);
            }
            let (problem, back) = self.problem(place, &f, delays, &history, t0, at.at(-1));
            let at = at.to(problem.t0.dtype());
            let found = match self.fixed {
                None => self.adaptive(&problem, Some(at)),
                Some(_) => self.equal(&problem, Some(at)),
            };
            let y = wengert::map(found.y, back);
            let status = Rows { times: at }.in_order(problem.t0, found.status);
            Found { status, ..found }.solution(at, y)
        })
    }

    /// The problem in vectors, and what makes trees of them.
    #[track_caller]
    fn problem<'a, Y, A, F>(
        &self,
        place: &'static Location<'static>,
        f: &'a F,
        delays: Vec<Var>,
        history: &'a dyn Fn(Var) -> Y,
        t0: Var,
        t1: Var,
    ) -> (Problem<'a>, impl Fn(Var) -> Y + Clone + 'a)
    where
        Y: State + 'a,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y, Vec<Y>) -> A,
    {
        not_negative(OP, &[("rtol", self.rtol), ("atol", self.atol)]);
        not_negative(OP, &[("max_steps", self.max_steps as f64)]);
        not_zero(OP, &[("dt0", self.dt0), ("dt_max", self.dt_max)]);
        let (t0, t1) = ends(OP, t0, t1);
        // The state's type is that of the history at the start.
        let first = history(t0);
        let (y0, _) = vector(OP, first.clone());
        let dtype = y0.dtype();
        let time = |what: &str, t: Var| {
            if t.rank() != 0 || !(t.dtype() == dtype || t.as_literal().is_some()) {
                let message = format!(
                    "{what} is {}, and must be one {dtype}, as the state",
                    t.ty()
                );
                refuse(OP, message);
            }
            t.to(dtype)
        };
        let (t0, t1) = (time("a time", t0), time("a time", t1));
        let delays: Vec<Var> = delays.into_iter().map(|d| time("a delay", d)).collect();
        if delays.is_empty() {
            refuse(OP, "there is no delay; Ode solves equations without");
        }
        if self.fixed == Some(0) || self.ring == Some(0) {
            refuse(OP, "no step leads to the end");
        }
        let first = history(t0);
        let (y0, back) = wengert::tree::ravel(first.clone());
        let unravel = back.clone();
        let rate = move |t: Var, y: Var, past: Vec<Var>| {
            asked_at(place, || {
                let y = unravel(y);
                let past = past.into_iter().map(&unravel).collect();
                let k = inside(|| f(t, y.clone(), past).into_tree());
                same_trees(OP, ["the state", "its rate"], &y, &k);
                wengert::tree::ravel(k).0
            })
        };
        let before = move |t: Var| {
            let y = history(t);
            same_trees(OP, ["the history at the start", "the history"], &first, &y);
            wengert::tree::ravel(y).0
        };
        let problem = Problem {
            place,
            rate: Box::new(rate),
            history: Box::new(before),
            delays,
            t0,
            t1,
            y0,
            tolerance: Tolerance {
                rtol: self.rtol,
                atol: vec![number(self.atol, t0.dtype())],
                norm: Norm::Rms,
            },
        };
        (problem, back)
    }
}

impl Found {
    /// The solution, with its times and the trees of its states.
    fn solution<Y>(self, t: Var, y: Y) -> Solution<Y> {
        Solution {
            t,
            y,
            steps: self.steps,
            rejected: self.rejected,
            evaluations: self.evaluations,
            status: self.status,
        }
    }
}

/// A problem in vectors.
pub(super) struct Problem<'a> {
    pub place: &'static Location<'static>,
    pub rate: Box<dyn Fn(Var, Var, Vec<Var>) -> Var + 'a>,
    pub history: Box<dyn Fn(Var) -> Var + 'a>,
    pub delays: Vec<Var>,
    pub t0: Var,
    pub t1: Var,
    pub y0: Var,
    pub tolerance: Tolerance,
}

impl Problem<'_> {
    /// The state at a time before the present step; `find` says which step holds it.
    pub fn past(&self, ring: &Ring, time: Var, find: &dyn Fn(Var) -> Var) -> Var {
        let is_before = time.lt(self.t0) | ring.count.eq(0);
        let before = (self.history)(is_before.select(time.minimum(self.t0), self.t0));
        let later = is_before.select(self.t0, time);
        is_before.select(before, ring.at(find(later), later))
    }

    /// The rate, with the past from a ring.
    pub fn rate(&self, ring: &Ring, find: &dyn Fn(Var) -> Var, t: Var, y: Var) -> Var {
        asked_at(self.place, || {
            let past = self.delays.iter().map(|d| self.past(ring, t - *d, find));
            (self.rate)(t, y, past.collect())
        })
    }

    pub fn shortest(&self) -> Var {
        let first = self.delays[0];
        self.delays[1..].iter().fold(first, |a, b| a.minimum(*b))
    }

    pub fn longest(&self) -> Var {
        let first = self.delays[0];
        self.delays[1..].iter().fold(first, |a, b| a.maximum(*b))
    }
}

/// What a loop found, in vectors.
pub(super) struct Found {
    pub t: Var,
    pub y: Var,
    pub steps: Var,
    pub rejected: Var,
    pub evaluations: Var,
    pub status: Var,
}
