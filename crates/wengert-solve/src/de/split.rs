//! Rates in two parts, of which one is stiff.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::drive::Span;
use super::keep::Ends;
use super::method::Method;
use super::ode::{Ode, Solution};
use super::solve::Rates;
use crate::{State, Watch};

impl<M: Method, W: Watch> Ode<M, W> {
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
        let ends = [t0.into_tree(), t1.into_tree()];
        let explicit = |t: Var, y: I::Tree| explicit(t, y).into_tree();
        let implicit = |t: Var, y: I::Tree| implicit(t, y).into_tree();
        let place = Location::caller();
        let (y0, [t0, t1]) = self.start(place, y0.into_tree(), ends);
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
        self.by_steps(place, false);
        let rates = Rates {
            rate: &implicit,
            explicit: Some(&explicit),
        };
        asked_at(place, || {
            let span = Span::new(y0, t0, t1);
            self.integrate(place, rates, span, &Ends, vec![]).parts().0
        })
    }
}
