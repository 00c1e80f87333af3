//! The loop of all methods that search along lines: one evaluation of value and gradient a turn.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::line_search::{Point, Search, Wolfe, origin};
use super::{Found, Limits};
use crate::shared::{RUNNING, choose, eps, is_flat, largest, length, number};
use crate::{State, Status, Step, Watch};

/// A method that finds directions.
pub(crate) trait Directions {
    /// What it remembers from step to step.
    type Memory: State;

    /// What it knows before the first step.
    fn start(&self, like: Var) -> Self::Memory;

    /// Takes in a step and returns the next direction.
    fn next(&self, memory: Self::Memory, pair: Pair) -> (Self::Memory, Var);

    /// What it knows after a direction that failed: nothing, where `when` holds.
    fn forget(&self, when: Var, memory: Self::Memory, like: Var) -> Self::Memory {
        choose(when, self.start(like), memory)
    }

    /// The place `t` times a direction away.
    fn along(&self, x: Var, t: Var, d: Var) -> Var {
        x + t * d
    }

    /// The longest step from a place along a direction, if there are bounds.
    fn most(&self, _x: Var, _d: Var) -> Option<Var> {
        None
    }

    /// What is zero at a minimum.
    fn left(&self, _x: Var, g: Var) -> Var {
        g
    }

    /// The direction down the gradient.
    fn down(&self, _x: Var, g: Var) -> Var {
        -g
    }

    /// The constants of its line searches.
    fn wolfe(&self) -> Wolfe {
        Wolfe {
            decrease: 1e-4,
            curvature: 0.9,
        }
    }
}

/// A step that was taken. Where `taken` does not hold, `s` and `y` are zero, and the memory has to stay as it is.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub taken: Var,
    /// Whether it is the first since the memory was empty.
    pub first: Var,
    /// The step, and the change of the gradient.
    pub s: Var,
    pub y: Var,
    /// The place and the gradient at its end, and the direction of the step.
    pub x: Var,
    pub g: Var,
    pub d: Var,
}

#[derive(Tree, Clone)]
struct Carry<M, T = Var> {
    x: T,
    g: T,
    d: T,
    value: T,
    slope: T,
    memory: M,
    search: Search<T>,
    /// What the method's last direction promised to lower the value by.
    promise: T,
    /// Steps since the memory was empty.
    age: T,
    /// Steps in a row that left the value as it was.
    flat: T,
    status: T,
    iterations: T,
    evaluations: T,
}

/// Minimises from a start; `f` gives value and gradient.
pub(crate) fn descend<D: Directions>(
    place: &'static Location<'static>,
    method: &D,
    limits: &Limits,
    watch: &impl Watch,
    f: &dyn Fn(Var) -> (Var, Var),
    x: Var,
) -> Found {
    let dtype = x.dtype();
    let limits = limits.at_least(dtype);
    let zero = number(0.0, dtype);
    let none = x * 0.0;
    let none = none.is_finite().select(none, 0.0);
    let start = Carry {
        x,
        g: none,
        d: none,
        value: zero,
        slope: zero,
        promise: zero + f64::MAX.sqrt(),
        memory: method.start(x),
        search: Search::new(origin(zero, zero), zero),
        age: Var::from(0i64),
        flat: Var::from(0i64),
        status: Var::from(RUNNING),
        iterations: Var::from(-1i64),
        evaluations: Var::from(0i64),
    };
    let goes_on = |c: Carry<D::Memory>| c.status.eq(RUNNING) & c.iterations.lt(limits.max_steps);
    let end = while_loop(start, goes_on, |c: Carry<D::Memory>| {
        asked_at(place, || turn(method, &limits, watch, f, c))
    });
    Found {
        x: end.x,
        value: end.value,
        gradient: method.left(end.x, end.g),
        iterations: end.iterations.maximum(0),
        evaluations: end.evaluations,
        status: end.status.eq(RUNNING).select(0, end.status),
    }
}

fn turn<D: Directions>(
    method: &D,
    limits: &Limits,
    watch: &impl Watch,
    f: &dyn Fn(Var) -> (Var, Var),
    c: Carry<D::Memory>,
) -> Carry<D::Memory> {
    let dtype = c.x.dtype();
    let first = c.iterations.lt(0);
    let t = c.search.trial;
    let x = method.along(c.x, t, c.d);
    let (value, g) = f(x);
    let finite = value.is_finite() & g.is_finite().all();
    let seen = Point {
        at: t,
        value,
        slope: g.dot(c.d),
    };
    let line = origin(c.value, c.slope);
    let verdict = c.search.look(method.wolfe(), line, seen, finite);
    // The last place within the bounds is taken if it is lower and the function falls on beyond it.
    let most = method.most(c.x, c.d);
    let good = most.map_or(verdict.good, |most| {
        let least = c.value + method.wolfe().decrease * t * c.slope;
        let last = finite & t.ge(most) & seen.value.le(least) & seen.slope.le(0.0);
        verdict.good | last
    });
    let accepted = (first & finite) | (!first & (verdict.accepted | good));
    let taken = accepted & !first;
    // A step within the rounding of the unknowns is none.
    let moved = largest(t * c.d);
    let creeps = taken & moved.le(eps(dtype) * largest(c.x));
    let failed = (!first & verdict.failed & !accepted) | creeps;

    // What the step says.
    let s = taken.select(t * c.d, 0.0);
    let y = taken.select(g - c.g, 0.0);
    let at = |new: Var, old: Var| accepted.select(new, old);
    let (x_now, g) = (at(x, c.x), at(g, c.g));
    let pair = Pair {
        taken,
        first: c.age.eq(0),
        s,
        y,
        x: x_now,
        g,
        d: c.d,
    };
    let (memory, d) = method.next(c.memory, pair);

    // Tests of convergence, and ends of other kinds.
    let change = (c.value - value).abs();
    let size = c.value.abs().maximum(value.abs());
    let still = taken & change.le(limits.ftol * size);
    let flat = taken.select(still.select(c.flat + 1, 0), c.flat);
    let small = is_flat(method.left(x, g), x, value, limits.gtol);
    let short = taken & good & moved.le(limits.xtol * largest(c.x));
    let promise = c.age.gt(0).select(0.5 * c.slope.abs(), c.promise);
    let certain = promise.le(100.0 * limits.ftol * c.value.abs());
    let stuck = failed & c.age.eq(0);
    let no_way = finite.select(Status::Stalled.code(), Status::NotFinite.code());
    let status = select(
        &[
            (first & !finite, Status::StartNotFinite.code().into()),
            (accepted & small, Status::GradientConverged.code().into()),
            (flat.ge(3), Status::ValueConverged.code().into()),
            (short, Status::StepConverged.code().into()),
            (stuck & certain, Status::ValueConverged.code().into()),
            (stuck & creeps & good, Status::StepConverged.code().into()),
            (stuck, no_way),
        ],
        c.status,
    );

    // The next line: down the gradient where the method's direction does not descend, or has failed.
    let slope = d.dot(g);
    let wrong = accepted & !(slope.lt(0.0) & d.is_finite().all());
    let empty = wrong | failed | (first & accepted);
    let down = method.down(x_now, g);
    let d = empty.select(down, d);
    let slope = empty.select(down.dot(g), slope);
    let memory = method.forget(empty, memory, c.x);
    let starts = accepted | failed;
    let value_now = at(value, c.value);
    let unit = number(1.0, dtype);
    let trial = empty.select(
        unit.minimum(1.0 / (length(down) + eps(dtype) * eps(dtype))),
        unit,
    );
    let fresh = Search::new(origin(value_now, slope), trial);
    let next = most.map_or(verdict.next, |most| verdict.next.within(most));

    watch.record(
        taken,
        Step {
            iteration: c.iterations + 1,
            value,
            step: length(s),
        },
    );
    Carry {
        x: x_now,
        g,
        d: starts.select(d, c.d),
        value: value_now,
        slope: starts.select(slope, c.slope),
        promise,
        memory,
        search: choose(starts, fresh, next),
        age: empty.select(0, taken.select(c.age + 1, c.age)),
        flat,
        status,
        iterations: accepted.select(c.iterations + 1, c.iterations),
        evaluations: c.evaluations + 1,
    }
}
