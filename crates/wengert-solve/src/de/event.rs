//! Events: zeros of functions of time and state, found within steps.

use std::rc::Rc;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};

use super::keep::{Taken, lift_rows, rows};
use super::method::{Field, Method, horner};
use crate::State;
use crate::shared::{choose, eps, number, scalar};

/// In which direction a function goes through zero, as the integration proceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Both,
    Rising,
    Falling,
}

/// A zero of a function of time and state. [`Ode::events`](super::Ode::events) looks for it after each step: if the
/// sign differs from that before, the first zero in the step is found on the method's polynomial.
///
/// Two zeros in one step cancel, and are not seen; [`dt_max`](super::Ode::dt_max) bounds how close they may be.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::Event;
///
/// // A ball at height x with speed v bounces, and that ends nothing; at time 3 it is caught.
/// let bounce = Event::new(|_, [x, _]: [Var; 2]| x).falling().then(|_, [x, v]| [x, -0.8 * v]);
/// let catch = Event::<[Var; 2]>::new(|t, _| t - 3.0).terminal();
/// ```
#[derive(Clone)]
pub struct Event<'a, Y> {
    value: Rc<dyn Fn(Var, Y) -> Var + 'a>,
    change: Option<Rc<dyn Fn(Var, Y) -> Y + 'a>>,
    direction: Direction,
    terminal: bool,
}

impl<'a, Y: State + 'a> Event<'a, Y> {
    /// The zeros of a function of time and state, in both directions. Its value is a number of the type of the state.
    pub fn new(value: impl Fn(Var, Y) -> Var + 'a) -> Event<'a, Y> {
        Event {
            value: Rc::new(value),
            change: None,
            direction: Direction::Both,
            terminal: false,
        }
    }

    /// Only zeros at which the value goes from negative to positive, as the integration proceeds.
    pub fn rising(mut self) -> Self {
        self.direction = Direction::Rising;
        self
    }

    /// Only zeros at which the value goes from positive to negative, as the integration proceeds.
    pub fn falling(mut self) -> Self {
        self.direction = Direction::Falling;
        self
    }

    /// The integration ends at the first of them, with [`Status::Event`](crate::Status::Event).
    pub fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// The integration goes on with another state: a function of the time and the state at the event.
    pub fn then(mut self, change: impl Fn(Var, Y) -> Y + 'a) -> Self {
        self.change = Some(Rc::new(change));
        self
    }

    /// The same event of a vector that stands for the state.
    pub(super) fn of_vector<'b>(
        &'b self,
        tree: &'b dyn Fn(Var) -> Y,
        vector: &'b dyn Fn(Y) -> Var,
    ) -> Event<'b, Var> {
        let change = self.change.as_ref().map(|change| {
            let change: Rc<dyn Fn(Var, Var) -> Var + 'b> =
                Rc::new(move |t, x| vector(change(t, tree(x))));
            change
        });
        Event {
            value: Rc::new(move |t, x| (self.value)(t, tree(x))),
            change,
            direction: self.direction,
            terminal: self.terminal,
        }
    }

    #[track_caller]
    fn value(&self, field: &Field<Y>, t: Var, y: &Y) -> Var {
        asked_at(field.place, || {
            scalar("ode", "the value of an event", field.dtype, || {
                (self.value)(t, y.clone())
            })
        })
    }
}

/// The events that an integration met.
#[derive(Tree, Clone, Debug)]
pub struct Events<Y, T = Var> {
    /// Their times, in the order of the integration: as many as [`Ode::kept_events`](super::Ode::kept_events), of which those beyond
    /// [`count`](Events::count) are NaN. They have derivatives: `dt = -(∂g/∂p) / (dg/dt)` along the solution, which is 0
    /// where the value touches zero with no slope.
    pub times: T,
    /// Which event each was, by its place in the list of events; -1 beyond the number of them.
    pub which: T,
    /// The states at these times, before they were changed; NaN beyond the number of them.
    pub states: Y,
    /// The number of events, those included for which no place was left.
    pub count: T,
}

/// What a loop knows of events.
#[derive(Tree, Clone)]
pub(super) struct Watched<Y, T = Var> {
    /// The signs of the events' values: those before the next zero.
    pub(super) sides: Vec<T>,
    pub(super) events: Events<Y, T>,
}

impl<Y: State> Watched<Y> {
    pub(super) fn lifted(x: Watched<Var>, tree: &dyn Fn(Var) -> Y) -> Watched<Y> {
        Watched {
            sides: x.sides,
            events: Events {
                times: x.events.times,
                which: x.events.which,
                states: lift_rows(x.events.states, tree),
                count: x.events.count,
            },
        }
    }
}

/// Where the next step starts.
#[derive(Tree, Clone)]
pub(super) struct After<Y, M, T = Var> {
    pub(super) t: T,
    pub(super) y: Y,
    pub(super) memory: M,
    pub(super) watched: Vec<Watched<Y, T>>,
    /// Whether an event ends the integration.
    pub(super) stops: T,
    /// Whether the step ended before its length.
    pub(super) early: T,
    pub(super) evaluations: T,
}

/// The events of an integration, and how many are kept.
pub(super) struct Guard<'a, Y> {
    pub(super) events: Vec<Event<'a, Y>>,
    pub(super) keep: usize,
}

impl<Y: State> Guard<'_, Y> {
    pub(super) fn start(&self, field: &Field<Y>, t0: Var, y0: &Y, forward: Var) -> Vec<Watched<Y>> {
        if self.events.is_empty() {
            return vec![];
        }
        let rate = stop_gradient(field.slope(t0, y0));
        let side = |e: &Event<Y>| {
            let (value, slope) = along(e, field, t0, y0, &rate);
            value.eq(0.0).select((slope * forward).sign(), value.sign())
        };
        vec![Watched {
            sides: self.events.iter().map(side).collect(),
            events: Events {
                times: rows(self.keep, &t0),
                which: full([self.keep], -1i64),
                states: rows(self.keep, y0),
                count: Var::from(0i64),
            },
        }]
    }

    /// Looks for events in a step, whose next state and memory are those of the trial.
    pub(super) fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        watched: Vec<Watched<Y>>,
    ) -> After<Y, M::Memory<Y>> {
        let trial = taken.trial;
        let never = Var::from(false);
        let none = Var::from(0i64);
        let plain = After {
            t: taken.end,
            y: trial.y.clone(),
            memory: trial.memory.clone(),
            watched: vec![],
            stops: never,
            early: never,
            evaluations: none,
        };
        let Some(before) = watched.into_iter().next() else {
            return plain;
        };
        let values: Vec<Var> = self
            .events
            .iter()
            .map(|e| stop_gradient(e.value(field, taken.end, &trial.y)))
            .collect();
        let sides = before.sides.clone();
        let crossed: Vec<Var> = (self.events.iter().zip(&values).zip(&sides))
            .map(|((e, value), side)| {
                let wanted = match e.direction {
                    Direction::Both => side.ne(0.0),
                    Direction::Rising => side.lt(0.0),
                    Direction::Falling => side.gt(0.0),
                };
                taken.accepted & wanted & (*side * value.sign()).le(0.0)
            })
            .collect();
        let any = crossed.iter().fold(never, |a, b| a | *b);
        let on = Watched {
            sides: (sides.iter().zip(&values))
                .map(|(side, value)| {
                    let sign = value.sign();
                    (taken.accepted & sign.ne(0.0)).select(sign, *side)
                })
                .collect(),
            events: before.events.clone(),
        };
        let on = After {
            watched: vec![on],
            ..plain
        };
        cond(
            any,
            (before, on),
            |(before, on): (Watched<Y>, After<Y, M::Memory<Y>>)| {
                asked_at(field.place, || {
                    self.found(method, field, taken, before, &crossed, &values, on)
                })
            },
            |(_, on): (Watched<Y>, After<Y, M::Memory<Y>>)| on,
        )
    }

    /// The first of the events that a step crossed, and what follows.
    #[allow(clippy::too_many_arguments)]
    fn found<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        before: Watched<Y>,
        crossed: &[Var],
        values: &[Var],
        on: After<Y, M::Memory<Y>>,
    ) -> After<Y, M::Memory<Y>> {
        let (t, h) = (taken.t, taken.h);
        let coefficients = method.dense(field, t, taken.y, h, taken.trial);
        let within = |x: Var| (t + x * h, horner(&coefficients, x));
        let beyond = number(2.0, field.dtype);
        let parts: Vec<Var> = (self.events.iter().zip(crossed).zip(&before.sides))
            .map(|((e, crossed), side)| {
                let value = |x: Var| {
                    let (t, y) = within(x);
                    e.value(field, t, &y)
                };
                let one = number(1.0, field.dtype);
                let x = custom_root(
                    value,
                    one,
                    |f, _| bracketed(f, *side, *crossed, field.dtype),
                    |a, b| {
                        // Where the value has no slope, its zero has no derivative.
                        let slope = a(ones_like(b));
                        let none = slope.eq(0.0);
                        none.select(0.0, b / none.select(1.0, slope))
                    },
                );
                crossed.select(x, beyond)
            })
            .collect();
        let (mut first, mut which) = (parts[0], Var::from(0i64));
        for (i, part) in parts.iter().enumerate().skip(1) {
            let sooner = part.lt(first);
            first = sooner.select(*part, first);
            which = sooner.select(i as i64, which);
        }
        let at_end = first.ge(1.0);
        let (time, state) = within(first);
        // At the end of the step it is what the step gave, but for the derivative in the time of the event.
        let time = at_end.select(taken.end + (first - stop_gradient(first)) * h, time);
        let mut next = state.clone();
        let mut stops = Var::from(false);
        for (i, e) in self.events.iter().enumerate() {
            let this = which.eq(i as i64);
            stops |= this & e.terminal;
            if let Some(change) = &e.change {
                let changed = inside(|| change(time, state.clone()));
                same_trees("ode", ["the state", "the changed state"], &state, &changed);
                next = choose(this, changed, next);
            }
        }
        let rate = stop_gradient(field.slope(time, &next));
        let sides = self.events.iter().enumerate().map(|(i, e)| {
            let this = which.eq(i as i64);
            let was = stop_gradient(e.value(field, time, &state));
            let (value, slope) = along(e, field, time, &next, &rate);
            let start = stop_gradient(e.value(field, t, taken.y));
            let size = start.abs().maximum(values[i].abs());
            // What is zero but for rounding goes where its slope says.
            let noise = (8.0 * was.abs()).maximum(size * (64.0 * eps(field.dtype)));
            let is_zero = value.eq(0.0) | (this & value.abs().le(noise));
            let side = is_zero.select((slope * h).sign(), value.sign());
            // What crosses at the same time is found in the next step.
            let same = crossed[i] & !this & parts[i].le(first);
            same.select(before.sides[i], side)
        });
        let events = before.events;
        let place = events.count;
        let has_place = place.lt(self.keep as i64);
        let put = |rows: Var, x: Var| match self.keep {
            0 => rows,
            _ => {
                let at = place.minimum(self.keep as i64 - 1);
                rows.at_set(at, has_place.select(x, rows.at(at)))
            }
        };
        let watched = Watched {
            sides: sides.collect(),
            events: Events {
                times: put(events.times, time),
                which: put(events.which, which),
                states: tree::map2(events.states, state.clone(), put),
                count: place + 1,
            },
        };
        let memory = method.start(field, time, &next);
        After {
            t: time,
            y: next,
            memory,
            watched: vec![watched],
            stops,
            early: !at_end,
            evaluations: on.evaluations + (2 + method.dense_evaluations()),
        }
    }
}

/// The value of an event, and its slope along the solution; they have no derivatives.
fn along<Y: State>(e: &Event<Y>, field: &Field<Y>, t: Var, y: &Y, rate: &Y) -> (Var, Var) {
    let value = |(t, y): (Var, Y)| e.value(field, t, &y);
    let found = jvp(value, (t, y.clone()), (ones_like(t), rate.clone()));
    stop_gradient(found)
}

/// The first point beyond a zero in [0, 1], by regula falsi with halved values (the Illinois method) and every third time
/// the middle. Before it the value has the sign `side`, at 0 even if rounding says otherwise.
fn bracketed(f: &dyn Fn(Var) -> Var, side: Var, crossed: Var, dtype: DType) -> Var {
    let number = |x: f64| number(x, dtype);
    let narrow = 2.0 * eps(dtype);
    let start = (
        [number(0.0), number(1.0)],
        [f(number(0.0)), f(number(1.0))],
        number(0.0),
        Var::from(0i64),
    );
    type Bracket = ([Var; 2], [Var; 2], Var, Var);
    let ([_, end], ..) = while_loop(
        start,
        |([a, b], _, _, n): Bracket| crossed & (b - a).gt(narrow) & n.lt(200),
        |([a, b], [fa, fb], last, n): Bracket| {
            let middle = 0.5 * (a + b);
            let secant = a + (b - a) * (fa / (fa - fb));
            let usable = (fa * side).gt(0.0) & (fb * side).lt(0.0) & (n % 3i64).ne(2);
            let x = usable.select(secant, middle);
            let x = x.maximum(a + 0.5 * narrow).minimum(b - 0.5 * narrow);
            let fx = f(x);
            let before = (fx * side).gt(0.0);
            // The value at an end that stays twice is halved.
            let stays_b = before & last.gt(0.0);
            let stays_a = !before & last.lt(0.0);
            (
                [before.select(x, a), before.select(b, x)],
                [
                    before.select(fx, stays_a.select(0.5 * fa, fa)),
                    before.select(stays_b.select(0.5 * fb, fb), fx),
                ],
                before.select(number(1.0), number(-1.0)),
                n + 1,
            )
        },
    );
    end
}
