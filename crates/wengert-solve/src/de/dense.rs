//! Solutions that are evaluated later.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::keep::{Polynomials, or_nan};
use crate::State;
use crate::status::outcome;

/// A solution as a function of time, which [`Ode::dense`](super::Ode::dense) makes: the polynomials of its steps.
///
/// It is a tree: it can be a result of a compiled function and an argument of another. [`at`](Dense::at) is traced.
#[derive(Tree, Clone, Debug)]
pub struct Dense<Y, T = Var> {
    pub(super) pieces: Polynomials<Y, T>,
    pub(super) from: T,
    /// The time that was reached.
    pub t: T,
    /// The state there.
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

outcome!("ode", Dense<Y>);

impl<Y: State> Dense<Y> {
    /// The state at a time, by the polynomial of the step that holds it; NaN at times before the start or beyond what was reached.
    /// At the time of an event that changed the state it is the state after it. It has derivatives by all that the solution depends
    /// on, and by time: `jvp` gives the rate.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Ode, Tsit5};
    ///
    /// let swing = jit(|y: Var| {
    ///     let ode = Ode::new(Tsit5).rtol(1e-9).atol(1e-9);
    ///     let s = ode.dense(|_, [x, v]: [Var; 2]| [v, -x], [y, 0.0.into()], 0.0, 6.0, 200);
    ///     // The time of the first zero, by Newton's method.
    ///     fori(0..6, 1.0, |_, t| {
    ///         let (x, slope) = jvp(|t: Var| s.at(t)[0], t, Var::from(1.0));
    ///         t - x / slope
    ///     })
    /// });
    /// let t = swing.call(2.0)?.item::<f64>()?;
    /// assert!((t - std::f64::consts::FRAC_PI_2).abs() < 1e-8);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the time is not a number; for many times there is `vmap`.
    #[track_caller]
    pub fn at(&self, time: impl wengert::IntoTree<Tree = Var>) -> Y {
        asked_at(Location::caller(), || {
            let time = time.into_tree().to(self.from.dtype());
            if time.ty().rank() != 0 {
                let message = format!("the time is {}, and must be a number; use vmap", time.ty());
                refuse("ode", message);
            }
            let forward = (self.t - self.from).ge(0.0).select(1.0, -1.0);
            let forward = stop_gradient(forward.to(time.dtype()));
            let within =
                ((time - self.from) * forward).ge(0.0) & ((self.t - time) * forward).ge(0.0);
            or_nan(within, self.pieces.at(time, forward))
        })
    }
}
