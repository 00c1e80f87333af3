//! Ordinary differential equations from a start.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, refuse};
use wengert::tree::ravel;

use super::control::{Controller, Tolerance};
use super::drive::{self, Ends, Rows, Run};
use super::method::{Field, Method};
use crate::status::outcome;
use crate::{OnStep, State, Step, Watch};

/// What an integration found.
#[derive(Tree, Clone, Debug)]
pub struct Solution<Y, T = Var> {
    /// The time that was reached, or the times that were asked for.
    pub t: T,
    /// The state there. For several times each leaf has a row for each; where an integration did not come so far, the rows are NaN.
    pub y: Y,
    /// The number of accepted steps.
    pub steps: T,
    /// The number of rejected steps.
    pub rejected: T,
    /// The number of evaluations of the right-hand side.
    pub evaluations: T,
    /// What ended it: a code of [`Status`](crate::Status).
    pub status: T,
}

outcome!("ode", Solution<Y>);

impl<Y> Solution<Y> {
    /// The same at other times.
    fn with(self, t: Var, y: Y) -> Solution<Y> {
        Solution { t, y, ..self }
    }
}

/// How an ordinary differential equation is integrated: a method, tolerances, and what chooses the steps.
///
/// The state is any tree of floats of one type, and time is of that type. A step is accepted if the root mean square of its
/// estimated errors, each divided by `atol + rtol |y|`, is at most 1.
#[derive(Clone, Copy, Debug)]
pub struct Ode<M, W = ()> {
    /// The method.
    pub method: M,
    /// The tolerance relative to the size of each number of the state.
    pub rtol: f64,
    /// The tolerance of each number of the state.
    pub atol: f64,
    /// The first step; without it, it is chosen (Hairer, Nørsett, Wanner, Solving ODEs I, II.4).
    pub dt0: Option<f64>,
    /// The shortest step; without it, what the numbers resolve.
    pub dt_min: Option<f64>,
    /// The longest step.
    pub dt_max: Option<f64>,
    /// The limit of steps, accepted or not.
    pub max_steps: i64,
    /// What chooses the length of steps.
    pub controller: Controller,
    pub(super) fixed: Option<usize>,
    pub(super) watch: W,
}

impl<M: Method> Ode<M> {
    /// A method with `rtol` 1e-6, `atol` 1e-9, and 100,000 steps.
    pub fn new(method: M) -> Ode<M> {
        Ode {
            method,
            rtol: 1e-6,
            atol: 1e-9,
            dt0: None,
            dt_min: None,
            dt_max: None,
            max_steps: 100_000,
            controller: Controller::PI,
            fixed: None,
            watch: (),
        }
    }
}

impl<M: Method, W: Watch> Ode<M, W> {
    /// Sets the tolerance relative to the size of the state.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.rtol = rtol;
        self
    }

    /// Sets the tolerance of the state.
    pub fn atol(mut self, atol: f64) -> Self {
        self.atol = atol;
        self
    }

    /// Sets the first step.
    pub fn dt0(mut self, dt0: f64) -> Self {
        self.dt0 = Some(dt0);
        self
    }

    /// Sets the shortest step.
    pub fn dt_min(mut self, dt_min: f64) -> Self {
        self.dt_min = Some(dt_min);
        self
    }

    /// Sets the longest step.
    pub fn dt_max(mut self, dt_max: f64) -> Self {
        self.dt_max = Some(dt_max);
        self
    }

    /// Sets the limit of steps.
    pub fn max_steps(mut self, max_steps: i64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Sets what chooses the length of steps.
    pub fn controller(mut self, controller: Controller) -> Self {
        self.controller = controller;
        self
    }

    /// Takes so many steps of one length, whatever the error is.
    pub fn fixed(mut self, steps: usize) -> Self {
        self.fixed = Some(steps);
        self
    }

    /// Calls a closure after each accepted step: with the number of the step, the time, and the step's length.
    pub fn on_step<F>(self, f: F) -> Ode<M, OnStep<F>>
    where
        F: Fn(Step<f64>) + Clone + Send + Sync + 'static,
    {
        Ode {
            method: self.method,
            rtol: self.rtol,
            atol: self.atol,
            dt0: self.dt0,
            dt_min: self.dt_min,
            dt_max: self.dt_max,
            max_steps: self.max_steps,
            controller: self.controller,
            fixed: self.fixed,
            watch: OnStep(f),
        }
    }

    /// Integrates `y' = f(t, y)` from `t0` to `t1`, which may be before `t0`.
    ///
    /// # Errors
    /// If the state has leaves that are no floats, or of two types; if the value of `f` differs from it in structure, shapes
    /// or dtypes; if the method needs fixed steps and there are none.
    #[track_caller]
    pub fn solve<I, A>(
        &self,
        f: impl Fn(Var, I::Tree) -> A,
        y0: I,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
    ) -> Solution<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let (y0, [t0, t1]) = self.start(y0.into_tree(), [t0.into_tree(), t1.into_tree()]);
            let rate = |t: Var, y: I::Tree| f(t, y).into_tree();
            if !M::VECTOR {
                let run = self.run(place, &rate, y0, t0, t1, Ends);
                return run.solution(|y| y, |_, t, y| (t, y));
            }
            let (x0, tree) = ravel(y0);
            let rate = |t: Var, x: Var| ravel(rate(t, tree(x))).0;
            let run = self.run(place, &rate, x0, t0, t1, Ends);
            run.solution(&tree, |_, t, y| (t, y))
        })
    }

    /// Integrates `y' = f(t, y)` from `t0` and returns the state at times, a vector that ascends or descends from `t0`. The
    /// steps do not depend on the times but for the last, at which the integration ends; states between are those of the method's
    /// own polynomial in a step.
    ///
    /// # Errors
    /// As those of [`solve`](Ode::solve); if the times are no vector of floats with at least one.
    #[track_caller]
    pub fn sample<I, A>(
        &self,
        f: impl Fn(Var, I::Tree) -> A,
        y0: I,
        t0: impl IntoTree<Tree = Var>,
        times: impl IntoTree<Tree = Var>,
    ) -> Solution<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let times = times.into_tree();
            if times.ty().rank() != 1 || times.ty().size() == 0 {
                let message = format!("the times are {}, and must be a vector", times.ty());
                refuse("ode", message);
            }
            let t1 = times.at(-1);
            let (y0, [t0, t1]) = self.start(y0.into_tree(), [t0.into_tree(), t1]);
            let times = times.to(t0.dtype());
            let rate = |t: Var, y: I::Tree| f(t, y).into_tree();
            let rows = Rows { times };
            let kept = |kept: (I::Tree, Var), _, _| (times, kept.0);
            if !M::VECTOR {
                let run = self.run(place, &rate, y0, t0, t1, rows);
                return run.solution(|y| y, kept);
            }
            let (x0, tree) = ravel(y0);
            let rate = |t: Var, x: Var| ravel(rate(t, tree(x))).0;
            let run = self.run(place, &rate, x0, t0, t1, rows);
            let rows = vmap(&tree)(run.kept.0);
            run.solution(&tree, |_, t, y| (t, y)).with(times, rows)
        })
    }

    /// The start and the ends, of one type.
    #[track_caller]
    fn start<Y: State>(&self, y0: Y, ends: [Var; 2]) -> (Y, [Var; 2]) {
        expect_floats("ode", "the state", &y0);
        let types: Vec<DType> = tree::leaves(&y0).iter().map(|v| v.dtype()).collect();
        let Some(&dtype) = types.first() else {
            refuse("ode", "the state has no numbers");
        };
        if let Some(other) = types.iter().find(|t| **t != dtype) {
            let message = format!("the state has {dtype} and {other}, and must be of one type");
            refuse("ode", message);
        }
        for t in ends {
            if t.ty().rank() != 0 {
                let message = format!("an end of the span is {}, and must be a number", t.ty());
                refuse("ode", message);
            }
        }
        if self.fixed.is_none() && self.method.error_order().is_none() {
            let name = M::NAME;
            refuse(
                "ode",
                format!("{name} does not estimate errors; give `fixed(steps)`"),
            );
        }
        (y0, ends.map(|t| t.to(dtype)))
    }

    /// Integrates, and lets `keep` follow the steps.
    fn run<Y: State, K: drive::Keep<Y>>(
        &self,
        place: &'static Location<'static>,
        rate: &dyn Fn(Var, Y) -> Y,
        y0: Y,
        t0: Var,
        t1: Var,
        keep: K,
    ) -> Run<Y, K::Kept> {
        let field = Field {
            rate,
            tolerance: Tolerance {
                rtol: self.rtol,
                atol: self.atol,
            },
            dtype: t0.dtype(),
            place,
        };
        match self.fixed {
            Some(steps) => drive::fixed(self, &field, y0, t0, t1, steps, keep),
            None => drive::adaptive(self, &field, y0, t0, t1, keep),
        }
    }
}
