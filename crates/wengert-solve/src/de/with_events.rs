//! Integrations with events.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::dense::Dense;
use super::drive::Span;
use super::event::{Event, Events};
use super::method::Method;
use super::ode::{Ode, Solution};
use super::precondition::{Checked, Preconditioner};
use super::solve::{Place, Rates};
use crate::{State, Watch};

/// An integration with events, which [`Ode::events`] makes.
#[derive(Clone)]
pub struct WithEvents<'a, M, W, Y, P = ()> {
    pub(super) ode: Ode<M, W, P>,
    pub(super) events: Vec<Event<'a, Y>>,
}

impl<M: Method, W: Watch, Y: State, P: Preconditioner<Y>> WithEvents<'_, M, W, Y, P> {
    /// Is [`Ode::solve`] with events.
    ///
    /// # Errors
    /// As those of [`Ode::solve`]; if there is no event, or the value of one is not a number of the state's type.
    #[track_caller]
    pub fn solve<A: IntoTree<Tree = Y>>(
        &self,
        f: impl Fn(Var, Y) -> A,
        y0: impl IntoTree<Tree = Y>,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
    ) -> (Solution<Y>, Events<Y>) {
        let place = Location::caller();
        let rate = |t: Var, y: Y| f(t, y).into_tree();
        let ends = [t0.into_tree(), t1.into_tree()];
        let (y0, [t0, t1]) = self.ode.start(place, y0.into_tree(), ends);
        let events = self.some(place);
        let near = Checked::new(&self.ode.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        let (s, events) = self
            .ode
            .plain()
            .at_end(place, rates, Span::new(y0, t0, t1), events);
        (s, events.expect("there are events"))
    }

    /// Is [`Ode::sample`] with events. At the time of an event it is the state before a change; times after a terminal event have
    /// NaN.
    ///
    /// # Errors
    /// As those of [`Ode::sample`] and [`solve`](WithEvents::solve).
    #[track_caller]
    pub fn sample<A: IntoTree<Tree = Y>>(
        &self,
        f: impl Fn(Var, Y) -> A,
        y0: impl IntoTree<Tree = Y>,
        t0: impl IntoTree<Tree = Var>,
        times: impl IntoTree<Tree = Var>,
    ) -> (Solution<Y>, Events<Y>) {
        let place = Location::caller();
        let rate = |t: Var, y: Y| f(t, y).into_tree();
        let (t0, times) = (t0.into_tree(), times.into_tree());
        let (span, times) = self.ode.to_times(place, y0.into_tree(), t0, times);
        let events = self.some(place);
        let near = Checked::new(&self.ode.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        let (s, events) = self.ode.plain().at_times(place, rates, span, times, events);
        (s, events.expect("there are events"))
    }

    /// Is [`Ode::steps`] with events: the state at an event is that after a change.
    ///
    /// # Errors
    /// As those of [`solve`](WithEvents::solve).
    #[track_caller]
    pub fn steps<A: IntoTree<Tree = Y>>(
        &self,
        f: impl Fn(Var, Y) -> A,
        y0: impl IntoTree<Tree = Y>,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
        limit: usize,
    ) -> (Solution<Y>, Events<Y>) {
        let place = Location::caller();
        let rate = |t: Var, y: Y| f(t, y).into_tree();
        let ends = [t0.into_tree(), t1.into_tree()];
        let (y0, [t0, t1]) = self.ode.start(place, y0.into_tree(), ends);
        let span = Span::new(y0, t0, t1).limited(limit);
        let events = self.some(place);
        let near = Checked::new(&self.ode.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        let (s, events) = self
            .ode
            .plain()
            .all_steps(place, rates, span, limit, events);
        (s, events.expect("there are events"))
    }

    /// Is [`Ode::dense`] with events.
    ///
    /// # Errors
    /// As those of [`solve`](WithEvents::solve).
    #[track_caller]
    pub fn dense<A: IntoTree<Tree = Y>>(
        &self,
        f: impl Fn(Var, Y) -> A,
        y0: impl IntoTree<Tree = Y>,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
        limit: usize,
    ) -> (Dense<Y>, Events<Y>) {
        let place = Location::caller();
        let rate = |t: Var, y: Y| f(t, y).into_tree();
        let ends = [t0.into_tree(), t1.into_tree()];
        let (y0, [t0, t1]) = self.ode.start(place, y0.into_tree(), ends);
        let span = Span::new(y0, t0, t1).limited(limit);
        let events = self.some(place);
        let near = Checked::new(&self.ode.near, place);
        let rates = Rates::whole(&rate).near(near.some());
        let (s, events) = self
            .ode
            .plain()
            .as_function(place, rates, span, limit, events);
        (s, events.expect("there are events"))
    }

    /// The events, of which there must be one.
    pub(super) fn some(&self, place: Place) -> Vec<Event<'_, Y>> {
        if self.events.is_empty() {
            asked_at(place, || {
                refuse("ode", "the list of events is empty; use `Ode::solve`")
            })
        }
        self.events.clone()
    }
}
