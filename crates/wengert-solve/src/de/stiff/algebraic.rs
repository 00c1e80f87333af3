//! Equations without mass: a start that satisfies them.

use wengert::prelude::*;

use super::linear::{Flat, Linear};
use crate::State;
use crate::de::method::Field;

/// The limit of Newton's steps.
const STEPS: i64 = 30;

/// The state whose numbers without mass satisfy their equations, from a start, and whether one was found. The others are as they are.
pub(in crate::de) fn consistent<Y: State>(
    field: &Field<Y>,
    linear: Linear,
    t: Var,
    y: &Y,
) -> (Y, Var) {
    let (flat, start) = Flat::new(field, linear, y);
    let step = |t: Var, x: Var| flat.along(t, x, flat.without_mass(-flat.rate(t, x)));
    let (at, begin) = (stop_gradient(t), stop_gradient(start));
    let no = Var::from(false);
    let (found, _, met) = while_loop(
        (begin, 0i64, no),
        |(_, i, met)| !met & i.lt(STEPS),
        |(x, i, _): (Var, Var, Var)| {
            let dx = step(at, x);
            let next = x + dx;
            let near = flat.norm(dx, x, next).le(1e-3);
            // What is not finite stays so, and ends.
            let broken = !next.is_finite().all();
            (next, broken.select(STEPS, i + 1), near)
        },
    );
    // Numbers with mass are the start's; two steps that are differentiated give the others their first two derivatives.
    let mut x = flat.without_mass(found) + flat.with_mass(start);
    for _ in 0..2 {
        x += step(t, x);
    }
    (flat.tree(met.select(x, start)), met)
}

impl<Y: State> Flat<'_, Y> {
    /// The numbers without mass, and zeros.
    fn without_mass(&self, x: Var) -> Var {
        match self.mass {
            Some(mass) => mass.eq(0.0).select(x, zeros_like(x)),
            None => zeros_like(x),
        }
    }

    /// The numbers with mass, and zeros.
    fn with_mass(&self, x: Var) -> Var {
        match self.mass {
            Some(mass) => mass.eq(0.0).select(zeros_like(x), x),
            None => x,
        }
    }

    /// The vector with given numbers where there is mass, for which the equations without mass change as given.
    pub(super) fn along(&self, t: Var, x: Var, given: Var) -> Var {
        let one = ones_like(x);
        let (p, q) = (self.with_mass(one), -self.without_mass(one));
        let system = self.system(t, x, p, q, self.jacobian(t, x));
        self.solve(&system, given)
    }

    /// The derivative of the state by time: the rate over the mass, and what keeps the equations without mass.
    pub(super) fn direction(&self, t: Var, x: Var) -> Var {
        let rate = self.rate(t, x);
        if self.mass.is_none() {
            return rate;
        }
        let mut given = self.field.over_mass(rate);
        if let Some(by_time) = self.rate_by_time(t, x) {
            given -= self.without_mass(by_time);
        }
        self.along(t, x, given)
    }
}
