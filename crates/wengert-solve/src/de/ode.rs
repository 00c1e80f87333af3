//! Ordinary differential equations from a start.

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::refuse;
use wengert::tree::ravel;

use super::adjoint::Adjoint;
use super::control::{Atol, Controller, Norm};
use super::method::Method;
use super::precondition::{Direct, Prepared};
use crate::shared::{not_negative, not_zero};
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

/// How an ordinary differential equation is integrated: a method, tolerances, and what chooses the steps.
///
/// The state is any tree of floats of one type, and time is of that type. A step is accepted if the root mean square of its
/// estimated errors, each divided by `atol + rtol |y|`, is at most 1. Nothing is integrated beyond the last time.
#[derive(Clone, Copy, Debug)]
pub struct Ode<M, W = (), P = ()> {
    /// The method.
    pub method: M,
    /// The tolerance relative to the size of each number of the state.
    pub rtol: f64,
    /// The tolerance of each number of the state: one for all, or one for each leaf or each number.
    pub atol: Atol,
    /// How the errors of all numbers become one.
    pub norm: Norm,
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
    /// The number of events whose times and states are kept.
    pub kept_events: usize,
    /// How many carries the reverse pass keeps; without it, the stages of all steps.
    pub checkpoints: Option<usize>,
    /// How derivatives in reverse mode are computed.
    pub adjoint: Adjoint,
    pub(super) fixed: Option<usize>,
    pub(super) mass: Option<Var>,
    pub(super) watch: W,
    pub(super) near: P,
}

impl<M: Method> Ode<M> {
    /// A method with `rtol` 1e-6, `atol` 1e-9, and 100,000 steps.
    pub fn new(method: M) -> Ode<M> {
        Ode {
            method,
            rtol: 1e-6,
            atol: Atol::One(1e-9),
            norm: Norm::Rms,
            dt0: None,
            dt_min: None,
            dt_max: None,
            max_steps: 100_000,
            controller: Controller::PI,
            kept_events: 16,
            checkpoints: None,
            adjoint: Adjoint::Steps,
            fixed: None,
            mass: None,
            watch: (),
            near: (),
        }
    }
}

impl<M: Method, W: Watch, P> Ode<M, W, P> {
    /// Sets the tolerance relative to the size of the state.
    pub fn rtol(mut self, rtol: f64) -> Self {
        self.rtol = rtol;
        self
    }

    /// Sets the tolerance of the state: a number, or a list such as `&[1e-8, 1e-14, 1e-6]` with one for each leaf of the state or
    /// for each of its numbers. A list may also be a vector or a value of the trace in which the equation is solved;
    /// [`atol_like`](Ode::atol_like) takes a tree.
    pub fn atol(mut self, atol: impl Into<Atol>) -> Self {
        self.atol = atol.into();
        self
    }

    /// Sets the tolerance of each number of the state: a tree like the state, of constants or of values of the trace.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Bdf, Ode};
    ///
    /// let f = |_, (a, b): (Var, Var)| (-a, 1e-6 * (a - b.sum()) * ones([2]));
    /// let solve = move |a: Var| {
    ///     let ode = Ode::new(Bdf::new()).atol_like((1e-9, full([2], 1e-15)));
    ///     ode.solve(f, (a, zeros([2])), 0.0, 1.0)
    /// };
    /// let (_, b) = jit(solve).call(1.0)?.ok()?.y;
    /// assert!((b.to_vec::<f64>()?[0] / 0.6321206e-6 - 1.0).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn atol_like<I>(mut self, atol: I) -> Self
    where
        I: IntoTree,
        I::Tree: State,
    {
        self.atol = Atol::Traced(stop_gradient(ravel(atol.into_tree()).0));
        self
    }

    /// Sets how the errors of all numbers become one.
    pub fn norm(mut self, norm: Norm) -> Self {
        self.norm = norm;
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

    /// Sets the number of events whose times and states are kept.
    pub fn kept_events(mut self, kept_events: usize) -> Self {
        self.kept_events = kept_events;
        self
    }

    /// Bounds the memory of reverse mode: it keeps so many states for each level of segments of the steps, and the stages of so many
    /// steps, and takes each step again once for each level. There are as many levels, less one, as powers of that number hold
    /// `max_steps`: with 320 and 100,000 steps it keeps 320 states and the stages of 320 steps, and takes each step twice.
    pub fn checkpoints(mut self, states: usize) -> Self {
        self.checkpoints = Some(states);
        self
    }

    /// Sets how derivatives in reverse mode are computed.
    pub fn adjoint(mut self, adjoint: Adjoint) -> Self {
        self.adjoint = adjoint;
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
    /// [`KenCarp4`](super::KenCarp4), [`TrBdf2`](super::TrBdf2), [`Bdf`](super::Bdf) and [`Auto`](super::Auto).
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

    /// Requires options that make sense.
    #[track_caller]
    pub(super) fn expect_valid(&self) {
        not_negative("ode", &[("rtol", self.rtol)]);
        self.atol.expect_valid();
        not_negative("ode", &[("max_steps", self.max_steps as f64)]);
        not_zero("ode", &[("dt0", self.dt0), ("dt_max", self.dt_max)]);
        if self.fixed == Some(0) {
            refuse("ode", "no step leads to the end");
        }
    }

    /// Calls a closure after each accepted step: with the number of the step, the time, and the step's length.
    pub fn on_step<F>(self, f: F) -> Ode<M, OnStep<F>, P>
    where
        F: Fn(Step<f64>) + Clone + Send + Sync + 'static,
        P: Clone,
    {
        let near = self.near.clone();
        self.with(OnStep(f), near)
    }

    /// Sets what is near the inverse of `M - s J`, with which the systems of a method with
    /// [`Linear::Residuals`](super::Linear::Residuals) or [`Linear::Products`](super::Linear::Products) take fewer products: `near(t, y, s, r)`
    /// is a linear function of `r`, a tree like the state, and its value is near the `z` of `M z - s J(t, y) z = r`. `J` is the Jacobian
    /// of the right-hand side, or of its implicit part, and `s` the step times a factor of the method. A part of `J` is enough: what
    /// is stiff, such as the diffusion alone, or the reactions within each cell. `y` and `t` are of a step before, if the
    /// preconditioner is still good enough (see [`preconditioner_with`](Ode::preconditioner_with)). It changes the work alone, not the
    /// solution; reverse mode uses its transpose.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Bdf, Linear, Ode};
    ///
    /// // Substances that decay, each at its own rate, and are stirred a little.
    /// let decay = |k: Var| {
    ///     let f = move |_, y: Var| -k * y + 0.01 * (y.roll(1, 0) - y);
    ///     Ode::new(Bdf::new().linear(Linear::residuals()))
    ///         .preconditioner(move |_, _: Var, s: Var, r: Var| r / (1.0 + s * k))
    ///         .solve(f, ones([4]), 0.0, 1.0)
    /// };
    /// let s = jit(decay).call([1.0, 1e2, 1e4, 1e6])?.ok()?;
    /// assert!((s.y.to_vec::<f64>()?[0] - f64::exp(-1.01)).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the equation is solved: if the method solves no systems by products, if the value of the preconditioner differs from `r` in
    /// structure, shapes or dtypes, or it is not linear in `r`.
    pub fn preconditioner<Y, B, F>(self, near: F) -> Ode<M, W, Direct<F>>
    where
        Y: State,
        B: IntoTree<Tree = Y>,
        F: Fn(Var, Y, Var, Y) -> B + Clone,
    {
        let watch = self.watch.clone();
        self.with(watch, Direct(near))
    }

    /// Sets a preconditioner in two parts: `prepare(t, y, s)` makes something, such as parts of the Jacobian or factors, and
    /// `solve(made, s, r)` is near the solution, a linear function of `r` (compare `psetup` and `psolve` of CVODE: Hindmarsh et al., ACM Trans.
    /// Math. Softw. 31, 2005). Methods that keep a Jacobian keep what was made: for 20 steps, until `s` has changed by three tenths of that
    /// for which it was made, or until Newton's method does not converge. Rosenbrock methods make it anew in each step.
    ///
    /// # Errors
    /// As those of [`preconditioner`](Ode::preconditioner).
    pub fn preconditioner_with<Y, D, B, S, F>(
        self,
        prepare: S,
        solve: F,
    ) -> Ode<M, W, Prepared<S, F>>
    where
        Y: State,
        D: State,
        B: IntoTree<Tree = Y>,
        S: Fn(Var, Y, Var) -> D + Clone,
        F: Fn(D, Var, Y) -> B + Clone,
    {
        let watch = self.watch.clone();
        self.with(watch, Prepared::new(prepare, solve))
    }

    /// The same without a preconditioner.
    pub(super) fn plain(&self) -> Ode<M, W> {
        self.with(self.watch.clone(), ())
    }

    /// The same with something else that watches, and another preconditioner.
    fn with<V: Watch, Q>(&self, watch: V, near: Q) -> Ode<M, V, Q> {
        Ode {
            method: self.method,
            rtol: self.rtol,
            atol: self.atol,
            norm: self.norm,
            dt0: self.dt0,
            dt_min: self.dt_min,
            dt_max: self.dt_max,
            max_steps: self.max_steps,
            controller: self.controller,
            kept_events: self.kept_events,
            checkpoints: self.checkpoints,
            adjoint: self.adjoint,
            fixed: self.fixed,
            mass: self.mass,
            watch,
            near,
        }
    }
}
