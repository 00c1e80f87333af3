//! What is asked of an integration: the end, given times, all steps, a function of time; with events or without.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, refuse, same_trees};
use wengert::tree::ravel;

use super::adjoint::{self, Adjoint};
use super::control::Tolerance;
use super::dense::Dense;
use super::drive::{self, Run, Span};
use super::event::{Event, Events, Guard, Watched};
use super::keep::{Ends, Every, Keep, Lift, Pieces, Rows};
use super::method::{Field, Method};
use super::ode::{Ode, Solution};
use super::precondition::{Checked, Near, OfVector, Preconditioner};
use super::stiff::{Linear, consistent};
use super::with_events::WithEvents;
use crate::{State, Watch};

pub(super) type Place = &'static Location<'static>;

/// A right-hand side.
pub(super) type Rate<'a, Y> = &'a dyn Fn(Var, Y) -> Y;

/// A right-hand side in one part, or in two of which one is explicit.
#[derive(Clone, Copy)]
pub(super) struct Rates<'a, Y> {
    pub(super) rate: Rate<'a, Y>,
    pub(super) explicit: Option<Rate<'a, Y>>,
    pub(super) near: Option<&'a dyn Near<Y>>,
}

impl<'a, Y> Rates<'a, Y> {
    /// A right-hand side in one part.
    pub(super) fn whole(rate: Rate<'a, Y>) -> Rates<'a, Y> {
        Rates {
            rate,
            explicit: None,
            near: None,
        }
    }

    /// Whether it is a right-hand side and nothing else.
    pub(super) fn is_simple(&self) -> bool {
        self.explicit.is_none() && self.near.is_none()
    }

    /// The same with a preconditioner, if there is one.
    pub(super) fn near(self, near: Option<&'a dyn Near<Y>>) -> Rates<'a, Y> {
        Rates { near, ..self }
    }
}

impl<M: Method, W: Watch, P> Ode<M, W, P> {
    /// Integrates `y' = f(t, y)` from `t0` to `t1`, which may be before `t0`.
    ///
    /// # Errors
    /// If the state has leaves that are no floats, or of two types; if the value of `f` differs from it in structure, shapes
    /// or dtypes; if the method needs fixed steps and there are none; if a tolerance or the limit of steps is negative or NaN, or a
    /// length of steps is NaN or zero.
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
        P: Preconditioner<I::Tree>,
    {
        let ends = [t0.into_tree(), t1.into_tree()];
        let rate = |t: Var, y: I::Tree| f(t, y).into_tree();
        let place = Location::caller();
        let (y0, [t0, t1]) = self.start(place, y0.into_tree(), ends);
        let near = Checked::new(&self.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        self.plain()
            .at_end(place, rates, Span::new(y0, t0, t1), vec![])
            .0
    }

    /// Integrates `y' = f(t, y)` from `t0` and returns the state at times, a vector that ascends or descends from `t0`. The
    /// steps do not depend on the times but for the last, at which the integration ends; states between are those of the method's
    /// own polynomial in a step. A time at or before the start has the state at the start. Times that go back, or are NaN, end with
    /// [`Status::Infeasible`](crate::Status::Infeasible).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Ode, Tsit5};
    ///
    /// let times = [0.0, 0.5, 1.0];
    /// let f = jit(|k: Var| Ode::new(Tsit5).sample(|_, y: Var| -k * y, 1.0, 0.0, Array::from([0.0, 0.5, 1.0])));
    /// let s = f.call(2.0)?.ok()?;
    /// for (y, t) in s.y.to_vec::<f64>()?.iter().zip(times) {
    ///     assert!((y - f64::exp(-2.0 * t)).abs() < 1e-6);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        P: Preconditioner<I::Tree>,
    {
        let place = Location::caller();
        let rate = |t: Var, y: I::Tree| f(t, y).into_tree();
        let (span, times) = self.to_times(place, y0.into_tree(), t0.into_tree(), times.into_tree());
        let near = Checked::new(&self.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        self.plain().at_times(place, rates, span, times, vec![]).0
    }

    /// Integrates `y' = f(t, y)` from `t0` to `t1` and returns the times and states at the start and after each step: `limit + 1`
    /// rows, of which those from `steps + 1` on are NaN. An integration that takes more steps ends with
    /// [`Status::StepLimit`](crate::Status::StepLimit).
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Ode, Tsit5};
    ///
    /// let f = jit(|y: Var| Ode::new(Tsit5).steps(|_, y: Var| -y, y, 0.0, 5.0, 60));
    /// let s = f.call(1.0)?.ok()?;
    /// let n = s.steps.item::<i64>()? as usize;
    /// assert_eq!(s.t.to_vec::<f64>()?[n], 5.0);
    /// assert!(s.t.to_vec::<f64>()?[n + 1].is_nan());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As those of [`solve`](Ode::solve).
    #[track_caller]
    pub fn steps<I, A>(
        &self,
        f: impl Fn(Var, I::Tree) -> A,
        y0: I,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
        limit: usize,
    ) -> Solution<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        P: Preconditioner<I::Tree>,
    {
        let ends = [t0.into_tree(), t1.into_tree()];
        let rate = |t: Var, y: I::Tree| f(t, y).into_tree();
        let place = Location::caller();
        let (y0, [t0, t1]) = self.start(place, y0.into_tree(), ends);
        let span = Span::new(y0, t0, t1).limited(limit);
        let near = Checked::new(&self.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        self.plain().all_steps(place, rates, span, limit, vec![]).0
    }

    /// Integrates `y' = f(t, y)` from `t0` to `t1` and returns the solution as a function of time, of at most `limit` steps. An
    /// integration that takes more ends with [`Status::StepLimit`](crate::Status::StepLimit). See [`Dense::at`].
    ///
    /// # Errors
    /// As those of [`solve`](Ode::solve).
    #[track_caller]
    pub fn dense<I, A>(
        &self,
        f: impl Fn(Var, I::Tree) -> A,
        y0: I,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
        limit: usize,
    ) -> Dense<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        P: Preconditioner<I::Tree>,
    {
        let ends = [t0.into_tree(), t1.into_tree()];
        let rate = |t: Var, y: I::Tree| f(t, y).into_tree();
        let place = Location::caller();
        let (y0, [t0, t1]) = self.start(place, y0.into_tree(), ends);
        let span = Span::new(y0, t0, t1).limited(limit);
        let near = Checked::new(&self.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        self.plain()
            .as_function(place, rates, span, limit, vec![])
            .0
    }

    /// The same integrations with events: what they return is followed by the [`Events`] that were met.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Event, Ode, Tsit5};
    ///
    /// // A ball falls from a height, bounces, and is caught at the third bounce's top.
    /// let ball = |height: Var| {
    ///     let bounce = Event::new(|_, [x, _]: [Var; 2]| x).falling().then(|_, [x, v]| [x, -0.8 * v]);
    ///     let (s, events) = Ode::new(Tsit5)
    ///         .kept_events(2)
    ///         .events([bounce])
    ///         .solve(|_, [_, v]| [v, Var::from(-9.81)], [height, 0.0.into()], 0.0, 1.5);
    ///     (s.y, events.times)
    /// };
    /// let ([x, _], times) = jit(ball).call(1.0)?;
    /// let first = (2.0f64 / 9.81).sqrt();
    /// assert!((times.to_vec::<f64>()?[0] - first).abs() < 1e-9);
    /// assert!((times.to_vec::<f64>()?[1] - 2.6 * first).abs() < 1e-9);
    /// assert!(x.item::<f64>()? > 0.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn events<'a, Y: State + 'a>(
        &self,
        events: impl IntoIterator<Item = Event<'a, Y>>,
    ) -> WithEvents<'a, M, W, Y, P>
    where
        P: Clone,
    {
        WithEvents {
            ode: self.clone(),
            events: events.into_iter().collect(),
        }
    }

    /// The start and the ends, of one type.
    pub(super) fn start<Y: State>(&self, place: Place, y0: Y, ends: [Var; 2]) -> (Y, [Var; 2]) {
        asked_at(place, || {
            self.expect_valid();
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
                    let message = format!(
                        "{} knows no masses; those for stiff equations do, such as Rodas5P, Kvaerno5 and Bdf",
                        M::NAME
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
        })
    }

    /// The span to the last of some times, and these.
    pub(super) fn to_times<Y: State>(
        &self,
        place: Place,
        y0: Y,
        t0: Var,
        times: Var,
    ) -> (Span<Y>, Var) {
        let t1 = asked_at(place, || {
            if times.ty().rank() != 1 || times.ty().size() == 0 {
                let message = format!("the times are {}, and must be a vector", times.ty());
                refuse("ode", message);
            }
            times.at(-1)
        });
        let (y0, [t0, t1]) = self.start(place, y0, [t0, t1]);
        let times = asked_at(place, || times.to(t0.dtype()));
        (Span::new(y0, t0, t1), times)
    }
}

impl<M: Method, W: Watch> Ode<M, W> {
    /// Continuous adjoints are only for what has no events and is not kept step by step.
    pub(super) fn by_steps(&self, place: Place, is_simple: bool) {
        if self.adjoint != Adjoint::Steps && !(is_simple && self.mass.is_none()) {
            asked_at(place, || {
                let message = "a continuous adjoint is for `solve` and `sample` without events and masses; use \
                               `Adjoint::Steps`, with `checkpoints` if memory is short; nor does it know preconditioners and rates in two parts";
                refuse("ode", message)
            })
        }
    }

    pub(super) fn at_end<Y: State>(
        &self,
        place: Place,
        rates: Rates<'_, Y>,
        span: Span<Y>,
        events: Vec<Event<'_, Y>>,
    ) -> (Solution<Y>, Option<Events<Y>>) {
        self.by_steps(place, events.is_empty() && rates.is_simple());
        asked_at(place, || {
            if self.adjoint != Adjoint::Steps {
                return (adjoint::solve(self, place, rates.rate, span), None);
            }
            let run = self.integrate(place, rates, span, &Ends, events);
            let (run, (), events) = run.parts();
            (run, events)
        })
    }

    pub(super) fn at_times<Y: State>(
        &self,
        place: Place,
        rates: Rates<'_, Y>,
        span: Span<Y>,
        times: Var,
        events: Vec<Event<'_, Y>>,
    ) -> (Solution<Y>, Option<Events<Y>>) {
        self.by_steps(place, events.is_empty() && rates.is_simple());
        asked_at(place, || {
            let (rows, t0) = (Rows { times }, span.t0);
            let (solution, events) = match self.adjoint {
                Adjoint::Steps => {
                    let run = self.integrate(place, rates, span, &rows, events);
                    let (solution, (y, _), events) = run.parts();
                    (Solution { y, ..solution }, events)
                }
                _ => (adjoint::sample(self, place, rates.rate, span, times), None),
            };
            let solution = Solution {
                t: times,
                status: rows.in_order(t0, solution.status),
                ..solution
            };
            (solution, events)
        })
    }

    pub(super) fn all_steps<Y: State>(
        &self,
        place: Place,
        rates: Rates<'_, Y>,
        span: Span<Y>,
        limit: usize,
        events: Vec<Event<'_, Y>>,
    ) -> (Solution<Y>, Option<Events<Y>>) {
        self.by_steps(place, false);
        asked_at(place, || {
            let run = self.integrate(place, rates, span, &Every { limit }, events);
            let (solution, (t, y, _), events) = run.parts();
            (Solution { t, y, ..solution }, events)
        })
    }

    pub(super) fn as_function<Y: State>(
        &self,
        place: Place,
        rates: Rates<'_, Y>,
        span: Span<Y>,
        limit: usize,
        events: Vec<Event<'_, Y>>,
    ) -> (Dense<Y>, Option<Events<Y>>) {
        self.by_steps(place, false);
        asked_at(place, || {
            let from = span.t0;
            let run = self.integrate(place, rates, span, &Pieces { limit }, events);
            let (s, pieces, events) = run.parts();
            let dense = Dense {
                pieces,
                from,
                t: s.t,
                y: s.y,
                steps: s.steps,
                rejected: s.rejected,
                evaluations: s.evaluations,
                status: s.status,
            };
            (dense, events)
        })
    }

    /// Integrates a tree, or the vector that stands for it.
    pub(super) fn integrate<Y: State, K: Lift<Y>>(
        &self,
        place: Place,
        rates: Rates<'_, Y>,
        span: Span<Y>,
        keep: &K,
        events: Vec<Event<'_, Y>>,
    ) -> Run<Y, <K as Keep<Y>>::Kept> {
        let dtype = span.t0.dtype();
        let by_products = matches!(
            self.method.linear(),
            Linear::Products { .. } | Linear::Residuals { .. }
        );
        if rates.near.is_some() && !by_products {
            let message = format!(
                "{} solves no systems by products, for which a preconditioner is; methods for stiff equations do, with Linear::Residuals or Linear::Products",
                M::NAME
            );
            asked_at(place, || refuse("ode", message));
        }
        if !M::VECTOR {
            let atol = match span.atol {
                Some(all) => vec![all],
                None => self.atol.leaves(dtype, &span.y0),
            };
            return self.run::<Y, K>(place, rates, atol, span, keep, events);
        }
        let y0 = span.y0;
        let atol = match span.atol.or_else(|| self.atol.numbers(dtype, &y0)) {
            Some(all) => vec![all],
            None => vec![self.atol.smallest(dtype)],
        };
        let (x0, tree) = ravel(y0.clone());
        let vector = |y: Y| ravel(y).0;
        let of_vector = |rate: Rate<'_, Y>, t: Var, x: Var| {
            let k = rate(t, tree(x));
            asked_at(place, || {
                same_trees("ode", ["the state", "its rate"], &y0, &k)
            });
            vector(k)
        };
        let rate = |t: Var, x: Var| of_vector(rates.rate, t, x);
        let explicit = rates
            .explicit
            .map(|f| move |t: Var, x: Var| of_vector(f, t, x));
        let near = rates.near.map(|near| OfVector { near, tree: &tree });
        let rates = Rates {
            rate: &rate,
            explicit: explicit.as_ref().map(|f| f as Rate<'_, Var>),
            near: near.as_ref().map(|near| near as &dyn Near<Var>),
        };
        let of_vectors = events.iter().map(|e| e.of_vector(&tree, &vector));
        let span = Span {
            y0: x0,
            t0: span.t0,
            t1: span.t1,
            accepted: span.accepted,
            first: span.first,
            atol: None,
        };
        let run = self.run::<Var, K>(place, rates, atol, span, keep, of_vectors.collect());
        let lift = |w: Watched<Var>| Watched::lifted(w, &tree);
        Run {
            t: run.t,
            y: tree(run.y),
            steps: run.steps,
            rejected: run.rejected,
            evaluations: run.evaluations,
            status: run.status,
            kept: keep.lift(run.kept, &tree),
            watched: run.watched.into_iter().map(lift).collect(),
        }
    }

    /// Integrates what the method works on.
    fn run<Y: State, K: Keep<Y>>(
        &self,
        place: Place,
        rates: Rates<'_, Y>,
        atol: Vec<Var>,
        mut span: Span<Y>,
        keep: &K,
        events: Vec<Event<'_, Y>>,
    ) -> Run<Y, K::Kept> {
        let dtype = span.t0.dtype();
        let mut field = Field {
            rate: rates.rate,
            explicit: rates.explicit,
            near: rates.near,
            tolerance: Tolerance {
                rtol: self.rtol,
                atol,
                norm: self.norm,
            },
            dtype,
            place,
            mass: self.mass.map(|m| m.to(dtype)),
            met: Var::from(true),
        };
        if field.mass.is_some() {
            let (start, met) = consistent(&field, self.method.linear(), span.t0, &span.y0);
            span.y0 = start;
            field.met = met;
        }
        let keeps = self.kept_events;
        match self.fixed {
            Some(steps) if events.is_empty() && span.accepted.is_none_or(|n| n >= steps) => {
                drive::fixed(self, &field, span, steps, keep)
            }
            _ => {
                let guard = Guard {
                    events,
                    keep: keeps,
                };
                drive::adaptive(self, &field, span, keep, &guard)
            }
        }
    }
}
