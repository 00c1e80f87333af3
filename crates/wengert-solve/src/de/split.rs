//! Rates in two parts, of which one is stiff.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::drive::Span;
use super::event::Events;
use super::method::Method;
use super::ode::{Ode, Solution};
use super::precondition::{Checked, Preconditioner};
use super::solve::{Place, Rate, Rates};
use super::with_events::WithEvents;
use crate::{State, Watch};

impl<M: Method, W: Watch, P> Ode<M, W, P> {
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
        P: Preconditioner<I::Tree>,
    {
        let place = Location::caller();
        let ends = [t0.into_tree(), t1.into_tree()];
        let explicit = |t: Var, y: I::Tree| explicit(t, y).into_tree();
        let implicit = |t: Var, y: I::Tree| implicit(t, y).into_tree();
        let (y0, [t0, t1]) = self.start(place, y0.into_tree(), ends);
        let near = Checked::new(&self.near, place);
        let rates = self.split(place, &explicit, &implicit).near(near.some());
        let span = Span::new(y0, t0, t1);
        self.plain().at_end(place, rates, span, vec![]).0
    }

    /// Integrates rates in two parts, and returns the state at times: [`sample`](Ode::sample) for [`solve_split`](Ode::solve_split).
    ///
    /// # Errors
    /// As those of [`solve_split`](Ode::solve_split) and [`sample`](Ode::sample).
    #[track_caller]
    pub fn sample_split<I, A, B>(
        &self,
        explicit: impl Fn(Var, I::Tree) -> A,
        implicit: impl Fn(Var, I::Tree) -> B,
        y0: I,
        t0: impl IntoTree<Tree = Var>,
        times: impl IntoTree<Tree = Var>,
    ) -> Solution<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        B: IntoTree<Tree = I::Tree>,
        P: Preconditioner<I::Tree>,
    {
        let place = Location::caller();
        let explicit = |t: Var, y: I::Tree| explicit(t, y).into_tree();
        let implicit = |t: Var, y: I::Tree| implicit(t, y).into_tree();
        let (span, times) = self.to_times(place, y0.into_tree(), t0.into_tree(), times.into_tree());
        let near = Checked::new(&self.near, place);
        let rates = self.split(place, &explicit, &implicit).near(near.some());
        self.plain().at_times(place, rates, span, times, vec![]).0
    }

    /// The two parts of a rate.
    fn split<'a, Y: State>(
        &self,
        place: Place,
        explicit: Rate<'a, Y>,
        implicit: Rate<'a, Y>,
    ) -> Rates<'a, Y> {
        asked_at(place, || {
            if !M::SPLIT {
                let message = format!(
                    "{} knows no rates in two parts; KenCarp3 and KenCarp4 do",
                    M::NAME
                );
                refuse("ode", message);
            }
            if self.mass.is_some() {
                let message = "rates in two parts have no masses; integrate their sum by `solve`";
                refuse("ode", message);
            }
        });
        Rates {
            rate: implicit,
            explicit: Some(explicit),
            near: None,
        }
    }
}

impl<M: Method, W: Watch, Y: State, P: Preconditioner<Y>> WithEvents<'_, M, W, Y, P> {
    /// Is [`Ode::solve_split`] with events.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Event, KenCarp4, Ode};
    ///
    /// // What follows the cosine quickly, until it is at a half.
    /// let pushed = |k: Var| {
    ///     let slow = |t: Var, _: Var| -t.sin();
    ///     let fast = move |t: Var, y: Var| k * (t.cos() - y);
    ///     let half = Event::new(|_, y: Var| y - 0.5).terminal();
    ///     let (s, _) = Ode::new(KenCarp4::new()).events([half]).solve_split(slow, fast, 1.0, 0.0, 2.0);
    ///     s.t
    /// };
    /// let t = jit(pushed).call(1e4)?.item::<f64>()?;
    /// assert!((t - std::f64::consts::FRAC_PI_3).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As those of [`Ode::solve_split`] and [`solve`](WithEvents::solve).
    #[track_caller]
    pub fn solve_split<A: IntoTree<Tree = Y>, B: IntoTree<Tree = Y>>(
        &self,
        explicit: impl Fn(Var, Y) -> A,
        implicit: impl Fn(Var, Y) -> B,
        y0: impl IntoTree<Tree = Y>,
        t0: impl IntoTree<Tree = Var>,
        t1: impl IntoTree<Tree = Var>,
    ) -> (Solution<Y>, Events<Y>) {
        let place = Location::caller();
        let ends = [t0.into_tree(), t1.into_tree()];
        let explicit = |t: Var, y: Y| explicit(t, y).into_tree();
        let implicit = |t: Var, y: Y| implicit(t, y).into_tree();
        let (y0, [t0, t1]) = self.ode.start(place, y0.into_tree(), ends);
        let near = Checked::new(&self.ode.near, place);
        let rates = self
            .ode
            .split(place, &explicit, &implicit)
            .near(near.some());
        let (events, span) = (self.some(place), Span::new(y0, t0, t1));
        let (s, events) = self.ode.plain().at_end(place, rates, span, events);
        (s, events.expect("there are events"))
    }

    /// Is [`Ode::sample_split`] with events.
    ///
    /// # Errors
    /// As those of [`Ode::sample_split`] and [`solve`](WithEvents::solve).
    #[track_caller]
    pub fn sample_split<A: IntoTree<Tree = Y>, B: IntoTree<Tree = Y>>(
        &self,
        explicit: impl Fn(Var, Y) -> A,
        implicit: impl Fn(Var, Y) -> B,
        y0: impl IntoTree<Tree = Y>,
        t0: impl IntoTree<Tree = Var>,
        times: impl IntoTree<Tree = Var>,
    ) -> (Solution<Y>, Events<Y>) {
        let place = Location::caller();
        let explicit = |t: Var, y: Y| explicit(t, y).into_tree();
        let implicit = |t: Var, y: Y| implicit(t, y).into_tree();
        let (t0, times) = (t0.into_tree(), times.into_tree());
        let (span, times) = self.ode.to_times(place, y0.into_tree(), t0, times);
        let near = Checked::new(&self.ode.near, place);
        let rates = self
            .ode
            .split(place, &explicit, &implicit)
            .near(near.some());
        let events = self.some(place);
        let (s, events) = self.ode.plain().at_times(place, rates, span, times, events);
        (s, events.expect("there are events"))
    }
}
