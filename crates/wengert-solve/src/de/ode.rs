//! Ordinary differential equations from a start.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, refuse};
use wengert::tree::ravel;

use super::control::{Controller, Tolerance};
use super::drive::{self, Ends, Rows, Run};
use super::method::{Field, Method};
use super::stiff::consistent;
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

/// The parts of a rate.
struct Rates<'a, Y> {
    rate: &'a dyn Fn(Var, Y) -> Y,
    explicit: Option<&'a dyn Fn(Var, Y) -> Y>,
}

impl<'a, Y> Rates<'a, Y> {
    /// A rate in one part.
    fn whole(rate: &'a dyn Fn(Var, Y) -> Y) -> Rates<'a, Y> {
        Rates {
            rate,
            explicit: None,
        }
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
    pub(super) mass: Option<Var>,
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
            mass: None,
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

    /// Integrates `m y' = f(t, y)` with a mass `m` for each number of the state: a tree like the state, of constants or of values of the
    /// trace. Where a mass is zero, the equation is `0 = f(t, y)`: a differential-algebraic system, which must be of
    /// index 1, that is, those equations must determine the numbers without mass.
    ///
    /// At the start the numbers without mass are found from the others by Newton's method, from those that are given; if none are
    /// found, the status is [`Infeasible`](crate::Status::Infeasible). They have the derivative of their equation. The masses' own
    /// derivative is that of the steps.
    ///
    /// Methods that integrate such systems are [`Rodas4`](super::Rodas4), [`Rodas5P`](super::Rodas5P), [`Ros3P`](super::Ros3P),
    /// [`Kvaerno3`](super::Kvaerno3), [`Kvaerno5`](super::Kvaerno5), [`KenCarp3`](super::KenCarp3),
    /// [`KenCarp4`](super::KenCarp4) and [`Bdf`](super::Bdf).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Ode, Rodas5P};
    ///
    /// // Robertson's reactions, where the third substance is what is left of the whole.
    /// let reactions = |rate: Var| {
    ///     let f = move |_, [a, b, c]: [Var; 3]| {
    ///         let (slow, fast, back) = (rate * a, 3e7 * b * b, 1e4 * b * c);
    ///         [back - slow, slow - back - fast, a + b + c - 1.0]
    ///     };
    ///     let ode = Ode::new(Rodas5P::new()).rtol(1e-8).atol(1e-12).mass([1.0, 1.0, 0.0]);
    ///     ode.solve(f, [1.0, 0.0, 0.0], 0.0, 40.0)
    /// };
    /// let s = jit(reactions).call(0.04)?.ok()?;
    /// let [a, b, c] = &s.y;
    /// let (a, b, c) = (a.item::<f64>()?, b.item::<f64>()?, c.item::<f64>()?);
    /// assert!((a - 0.7158270688).abs() < 1e-7 && (a + b + c - 1.0).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the equation is solved: if the masses are not as many numbers as the state has, or the method knows no masses.
    pub fn mass<I>(mut self, mass: I) -> Self
    where
        I: IntoTree,
        I::Tree: State,
    {
        self.mass = Some(ravel(mass.into_tree()).0);
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
            mass: self.mass,
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
                let run = self.run(place, Rates::whole(&rate), y0, t0, t1, Ends);
                return run.solution(|y| y, |_, t, y| (t, y));
            }
            let (x0, tree) = ravel(y0);
            let rate = |t: Var, x: Var| ravel(rate(t, tree(x))).0;
            let run = self.run(place, Rates::whole(&rate), x0, t0, t1, Ends);
            run.solution(&tree, |_, t, y| (t, y))
        })
    }

    /// Integrates `y' = explicit(t, y) + implicit(t, y)` from `t0` to `t1`, where only the implicit part is stiff: steps are implicit in it
    /// alone, and its Jacobian is the only one. Methods for it are [`KenCarp3`](super::KenCarp3) and [`KenCarp4`](super::KenCarp4).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{KenCarp4, Ode};
    ///
    /// // What follows the cosine quickly, and what pushes it slowly.
    /// let pushed = |k: Var| {
    ///     let slow = |t: Var, _: Var| -t.sin();
    ///     let fast = move |t: Var, y: Var| k * (t.cos() - y);
    ///     Ode::new(KenCarp4::new()).solve_split(slow, fast, 1.0, 0.0, 2.0)
    /// };
    /// let s = jit(pushed).call(1e4)?.ok()?;
    /// assert!((s.y.item::<f64>()? - 2f64.cos()).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As those of [`solve`](Ode::solve); if the method knows no two parts, or there are masses.
    #[track_caller]
    pub fn solve_split<I, A, B>(
        &self,
        explicit: impl Fn(Var, I::Tree) -> A,
        implicit: impl Fn(Var, I::Tree) -> B,
        y0: I,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
    ) -> Solution<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        B: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let (y0, [t0, t1]) = self.start(y0.into_tree(), [t0.into_tree(), t1.into_tree()]);
            if !M::SPLIT {
                let name = M::NAME;
                refuse(
                    "ode",
                    format!("{name} knows no rates in two parts; KenCarp3 and KenCarp4 do"),
                );
            }
            if self.mass.is_some() {
                refuse(
                    "ode",
                    "rates in two parts have no masses; integrate their sum by `solve`",
                );
            }
            let explicit = |t: Var, y: I::Tree| explicit(t, y).into_tree();
            let implicit = |t: Var, y: I::Tree| implicit(t, y).into_tree();
            let run = self.run(
                place,
                Rates {
                    rate: &implicit,
                    explicit: Some(&explicit),
                },
                y0,
                t0,
                t1,
                Ends,
            );
            run.solution(|y| y, |_, t, y| (t, y))
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
                let run = self.run(place, Rates::whole(&rate), y0, t0, t1, rows);
                return run.solution(|y| y, kept);
            }
            let (x0, tree) = ravel(y0);
            let rate = |t: Var, x: Var| ravel(rate(t, tree(x))).0;
            let run = self.run(place, Rates::whole(&rate), x0, t0, t1, rows);
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
        if let Some(mass) = self.mass {
            let numbers: usize = tree::leaves(&y0).iter().map(|v| v.ty().size()).sum();
            if !M::MASS {
                let name = M::NAME;
                let message = format!(
                    "{name} knows no masses; those for stiff equations do, such as Rodas5P, Kvaerno5 and Bdf"
                );
                refuse("ode", message);
            }
            if mass.shape() != [numbers] {
                let message = format!(
                    "the masses are {}, and the state has {numbers} numbers",
                    mass.ty()
                );
                refuse("ode", message);
            }
        }
        (y0, ends.map(|t| t.to(dtype)))
    }

    /// Integrates, and lets `keep` follow the steps.
    fn run<Y: State, K: drive::Keep<Y>>(
        &self,
        place: &'static Location<'static>,
        rates: Rates<'_, Y>,
        y0: Y,
        t0: Var,
        t1: Var,
        keep: K,
    ) -> Run<Y, K::Kept> {
        let mut field = Field {
            rate: rates.rate,
            explicit: rates.explicit,
            tolerance: Tolerance {
                rtol: self.rtol,
                atol: self.atol,
            },
            dtype: t0.dtype(),
            place,
            mass: self.mass.map(|m| m.to(t0.dtype())),
            met: Var::from(true),
        };
        let mut y0 = y0;
        if field.mass.is_some() {
            let (start, met) = consistent(&field, self.method.linear(), t0, &y0);
            y0 = start;
            field.met = met;
        }
        match self.fixed {
            Some(steps) => drive::fixed(self, &field, y0, t0, t1, steps, keep),
            None => drive::adaptive(self, &field, y0, t0, t1, keep),
        }
    }
}
