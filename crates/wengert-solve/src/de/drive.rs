//! The loops over steps.

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::control::log;
use super::method::{Field, Method, Trial, horner};
use super::ode::{Ode, Solution};
use crate::shared::{RUNNING, choose, eps, number};
use crate::{State, Status, Step, Watch};

/// A step that was accepted.
pub(super) struct Taken<'a, Y: State, M: Method> {
    /// Whether it was: if not, nothing may be kept of it.
    pub(super) accepted: Var,
    pub(super) t: Var,
    pub(super) y: &'a Y,
    pub(super) h: Var,
    /// The time at its end.
    pub(super) end: Var,
    pub(super) trial: &'a Trial<Y, M::Memory<Y>>,
}

impl<Y: State, M: Method> Taken<'_, Y, M> {
    /// The state at a time within the step.
    pub(super) fn at(&self, method: M, field: &Field<Y>, time: Var) -> Y {
        let coefficients = method.dense(field, self.t, self.y, self.h, self.trial);
        horner(&coefficients, (time - self.t) / self.h)
    }
}

/// What is kept of the solution while it is made.
pub(super) trait Keep<Y: State> {
    type Kept: State;

    /// What is kept before the first step, towards an end in a direction.
    fn start(&self, t0: Var, y0: &Y) -> Self::Kept;

    /// What is kept after a step.
    fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        kept: Self::Kept,
    ) -> Self::Kept;
}

/// Nothing is kept.
pub(super) struct Ends;

impl<Y: State> Keep<Y> for Ends {
    type Kept = ();

    fn start(&self, _: Var, _: &Y) {}

    fn step<M: Method>(&self, _: M, _: &Field<Y>, _: &Taken<Y, M>, (): ()) {}
}

/// The states at given times are kept, and the number of those that are.
pub(super) struct Rows {
    pub(super) times: Var,
}

impl<Y: State> Keep<Y> for Rows {
    type Kept = (Y, Var);

    fn start(&self, t0: Var, y0: &Y) -> (Y, Var) {
        let n = self.times.shape()[0];
        let row = |y: Var| {
            let mut shape = vec![n];
            shape.extend(y.shape());
            full(shape, f64::NAN).to(y.dtype())
        };
        let rows = tree::map(y0.clone(), row);
        // Times that are not after the start have its state.
        let forward = (self.times.at(-1) - t0).sign();
        let before = ((self.times - t0) * forward).le(0.0);
        let rows = tree::map2(rows, y0.clone(), |rows, y| {
            let mut shape = vec![n];
            shape.extend(y.shape().iter().map(|_| 1));
            before.reshape(shape).select(y, rows)
        });
        (rows, before.to(DType::I64).sum())
    }

    fn step<M: Method>(
        &self,
        method: M,
        field: &Field<Y>,
        taken: &Taken<Y, M>,
        kept: (Y, Var),
    ) -> (Y, Var) {
        let n = self.times.shape()[0] as i64;
        let place = field.place;
        while_loop(
            kept,
            |(_, next)| {
                let time = self.times.at(next);
                let reached = ((time - taken.end) * taken.h.sign()).le(0.0);
                taken.accepted & next.lt(n) & reached
            },
            |(rows, next): (Y, Var)| {
                asked_at(place, || {
                    let y = taken.at(method, field, self.times.at(next));
                    (
                        tree::map2(rows, y, |rows, y| rows.at_set(next, y)),
                        next + 1,
                    )
                })
            },
        )
    }
}

/// Where an integration ended.
pub(super) struct Run<Y, K> {
    pub(super) t: Var,
    pub(super) y: Y,
    pub(super) steps: Var,
    pub(super) rejected: Var,
    pub(super) evaluations: Var,
    pub(super) status: Var,
    pub(super) kept: K,
}

impl<Y: State, K> Run<Y, K> {
    /// The solution, of which a function chooses times and states.
    pub(super) fn solution<Z>(
        self,
        tree: impl Fn(Y) -> Z,
        choose: impl FnOnce(K, Var, Z) -> (Var, Z),
    ) -> Solution<Z> {
        let (t, y) = choose(self.kept, self.t, tree(self.y));
        Solution {
            t,
            y,
            steps: self.steps,
            rejected: self.rejected,
            evaluations: self.evaluations,
            status: self.status,
        }
    }
}

/// What the loop over steps carries.
#[derive(Tree, Clone)]
struct Carry<Y, M, K, T = Var> {
    t: T,
    y: Y,
    h: T,
    memory: M,
    logs: [T; 2],
    rejected_last: T,
    steps: T,
    rejected: T,
    evaluations: T,
    status: T,
    kept: K,
}

/// Takes steps whose lengths the errors choose.
pub(super) fn adaptive<Y: State, M: Method, W: Watch, K: Keep<Y>>(
    ode: &Ode<M, W>,
    field: &Field<Y>,
    y0: Y,
    t0: Var,
    t1: Var,
    keep: K,
) -> Run<Y, K::Kept> {
    let dtype = field.dtype;
    let method = ode.method;
    let order = method.error_order().map_or(1.0, |p| f64::from(p) + 1.0);
    let span = stop_gradient(t1 - t0);
    let forward = span.sign();
    let (first, tried) = match ode.dt0 {
        Some(dt0) => (number(dt0, dtype), 0),
        None => (first_step(field, t0, &y0, forward, order), 2),
    };
    let longest = ode.dt_max.map_or(span.abs(), |h| span.abs().minimum(h));
    let none = number(0.0, dtype);
    let start = Carry {
        t: t0,
        y: y0.clone(),
        h: first.minimum(longest) * forward,
        memory: method.start(field, t0, &y0),
        logs: [none; 2],
        rejected_last: Var::from(false),
        steps: Var::from(0i64),
        rejected: Var::from(0i64),
        evaluations: Var::from(tried + 1i64),
        status: {
            let finite = span.is_finite() & all_finite(&y0);
            let running = span.eq(0.0).select(Status::Finished.code(), RUNNING);
            finite.select(running, Status::StartNotFinite.code())
        },
        kept: keep.start(t0, &y0),
    };
    let end = while_loop(
        start,
        |c: Carry<Y, M::Memory<Y>, K::Kept>| c.status.eq(RUNNING),
        |c: Carry<Y, M::Memory<Y>, K::Kept>| {
            asked_at(field.place, || {
                let left = t1 - c.t;
                // A step that nearly ends goes to the end.
                let is_last = (c.h.abs() * 1.01).ge(stop_gradient(left).abs());
                let h = is_last.select(left, c.h);
                let end = is_last.select(t1, c.t + h);
                let trial = method.step(field, c.t, &c.y, h, &c.memory);
                let error = trial.error.unwrap_or(none);
                let finite = error.is_finite();
                let accepted = error.le(1.0);
                let log = log(error);
                let factor = match trial.factor {
                    Some(factor) => factor,
                    None => {
                        let factor = ode.controller.factor(log, c.logs, order);
                        // After a rejection the step does not grow at once.
                        let most =
                            (c.rejected_last | !accepted).select(1.0, ode.controller.max_factor);
                        finite.select(factor.minimum(most), ode.controller.min_factor)
                    }
                };
                let length = (stop_gradient(h).abs() * factor).minimum(longest);
                let taken = Taken::<Y, M> {
                    accepted,
                    t: c.t,
                    y: &c.y,
                    h,
                    end,
                    trial: &trial,
                };
                let kept = keep.step(method, field, &taken, c.kept);
                ode.watch.record(
                    accepted,
                    Step {
                        iteration: c.steps + 1,
                        value: end,
                        step: h,
                    },
                );
                let steps = c.steps + accepted.to(DType::I64);
                let rejected = c.rejected + (!accepted).to(DType::I64);
                let least = match ode.dt_min {
                    Some(least) => number(least, dtype),
                    None => {
                        stop_gradient(c.t).abs().maximum(span.abs() * 1e-3) * (4.0 * eps(dtype))
                    }
                };
                let too_small = !accepted & length.lt(least);
                let failed = finite.select(Status::StepTooSmall.code(), Status::NotFinite.code());
                let status = [
                    (accepted & is_last, Var::from(Status::Finished.code())),
                    (too_small, failed),
                    (
                        (steps + rejected).ge(ode.max_steps),
                        Var::from(Status::StepLimit.code()),
                    ),
                ];
                let rest = match trial.after_rejection {
                    Some(rest) => rest,
                    None => c.memory,
                };
                Carry {
                    t: accepted.select(end, c.t),
                    y: choose(accepted, trial.y, c.y),
                    h: length * forward,
                    memory: choose(accepted, trial.memory, rest),
                    logs: [
                        accepted.select(log, c.logs[0]),
                        accepted.select(c.logs[0], c.logs[1]),
                    ],
                    rejected_last: !accepted,
                    steps,
                    rejected,
                    evaluations: c.evaluations + trial.evaluations,
                    status: wengert::select(&status, RUNNING),
                    kept,
                }
            })
        },
    );
    Run {
        t: end.t,
        y: end.y,
        steps: end.steps,
        rejected: end.rejected,
        evaluations: end.evaluations,
        status: end.status,
        kept: end.kept,
    }
}

/// Takes steps of one length.
pub(super) fn fixed<Y: State, M: Method, W: Watch, K: Keep<Y>>(
    ode: &Ode<M, W>,
    field: &Field<Y>,
    y0: Y,
    t0: Var,
    t1: Var,
    steps: usize,
    keep: K,
) -> Run<Y, K::Kept> {
    let method = ode.method;
    let dtype = field.dtype;
    let h = (t1 - t0) / steps.max(1) as f64;
    let kept = keep.start(t0, &y0);
    let start = (
        y0.clone(),
        method.start(field, t0, &y0),
        Var::from(1i64),
        kept,
    );
    let (y, _, evaluations, kept) = fori(
        0..steps,
        start,
        |i, (y, memory, evaluations, kept): (Y, M::Memory<Y>, Var, K::Kept)| {
            asked_at(field.place, || {
                let t = t0 + i.to(dtype) * h;
                let end = (i + 1)
                    .eq(steps as i64)
                    .select(t1, t0 + (i + 1).to(dtype) * h);
                let trial = method.step(field, t, &y, h, &memory);
                let taken = Taken::<Y, M> {
                    accepted: Var::from(true),
                    t,
                    y: &y,
                    h,
                    end,
                    trial: &trial,
                };
                let kept = keep.step(method, field, &taken, kept);
                ode.watch.record(
                    Var::from(true),
                    Step {
                        iteration: i + 1,
                        value: end,
                        step: h,
                    },
                );
                (trial.y, trial.memory, evaluations + trial.evaluations, kept)
            })
        },
    );
    let finite = all_finite(&y);
    Run {
        t: t1,
        y,
        steps: Var::from(steps as i64),
        rejected: Var::from(0i64),
        evaluations,
        status: finite.select(Status::Finished.code(), Status::NotFinite.code()),
        kept,
    }
}

/// Whether all numbers of a state are finite.
fn all_finite<Y: State>(y: &Y) -> Var {
    let leaves = tree::leaves(&stop_gradient(y.clone()));
    let finite = leaves.iter().map(|v| v.is_finite().all());
    finite.fold(Var::from(true), |a, b| a & b)
}

/// A first step, by the sizes of the state, of its rate, and of how that changes (Hairer, Nørsett, Wanner, Solving ODEs I, II.4).
fn first_step<Y: State>(field: &Field<Y>, t: Var, y: &Y, forward: Var, order: f64) -> Var {
    let k = field.rate(t, y);
    let size = field.norm(y, y, y);
    let slope = field.norm(&k, y, y);
    let tiny = size.lt(1e-5) | slope.lt(1e-5);
    let h = tiny.select(number(1e-6, field.dtype), 0.01 * size / slope);
    let step = stop_gradient(h * forward);
    let next = tree::map2(y.clone(), k.clone(), |y, k| y + step * k);
    let change = tree::map2(field.rate(t + step, &next), k, |b, a| b - a);
    let bend = field.norm(&change, y, y) / h;
    let most = slope.maximum(bend);
    let by_error = (0.01 / most).powf(1.0 / order);
    let by_error = most.le(1e-15).select((h * 1e-3).maximum(1e-6), by_error);
    let step = stop_gradient((100.0 * h).minimum(by_error));
    step.is_finite().select(step, number(1e-6, field.dtype))
}
