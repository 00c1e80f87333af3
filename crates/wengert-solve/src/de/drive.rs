//! The loops over steps.

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::checkpoints::{counted_steps, steps_while};
use super::control::{log, resolved};
use super::event::Events;
use super::event::{After, Guard, Watched};
use super::keep::{Keep, Taken};
use super::method::{Field, Method};
use super::ode::{Ode, Solution};
use crate::shared::{RUNNING, choose, number};
use crate::{State, Status, Step, Watch};

/// Where an integration ended.
pub(super) struct Run<Y, K> {
    pub(super) t: Var,
    pub(super) y: Y,
    pub(super) steps: Var,
    pub(super) rejected: Var,
    pub(super) evaluations: Var,
    pub(super) status: Var,
    pub(super) kept: K,
    pub(super) watched: Vec<Watched<Y>>,
}

/// From where to where an integration goes.
#[derive(Clone)]
pub(super) struct Span<Y> {
    pub(super) y0: Y,
    pub(super) t0: Var,
    pub(super) t1: Var,
    /// The limit of accepted steps, if what is kept of them has one.
    pub(super) accepted: Option<usize>,
    /// The length of the first step, if it is known.
    pub(super) first: Option<Var>,
    /// The absolute tolerances of each number, if they are not those of the options.
    pub(super) atol: Option<Var>,
}

impl<Y: State, K> Run<Y, K> {
    /// The solution at the end, what was kept, and the events.
    pub(super) fn parts(self) -> (Solution<Y>, K, Option<Events<Y>>) {
        let solution = Solution {
            t: self.t,
            y: self.y,
            steps: self.steps,
            rejected: self.rejected,
            evaluations: self.evaluations,
            status: self.status,
        };
        let events = self.watched.into_iter().next().map(|w| w.events);
        (solution, self.kept, events)
    }
}

impl<Y> Span<Y> {
    pub(super) fn new(y0: Y, t0: Var, t1: Var) -> Span<Y> {
        Span {
            y0,
            t0,
            t1,
            accepted: None,
            first: None,
            atol: None,
        }
    }

    /// The same with a limit of accepted steps.
    pub(super) fn limited(self, limit: usize) -> Span<Y> {
        Span {
            accepted: Some(limit),
            ..self
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
    watched: Vec<Watched<Y, T>>,
}

/// Takes steps whose lengths the errors choose, or of one length but for those after an event.
pub(super) fn adaptive<Y: State, M: Method, W: Watch, K: Keep<Y>>(
    ode: &Ode<M, W>,
    field: &Field<Y>,
    Span {
        y0,
        t0,
        t1,
        accepted: limit,
        first,
        ..
    }: Span<Y>,
    keep: &K,
    guard: &Guard<Y>,
) -> Run<Y, K::Kept> {
    let dtype = field.dtype;
    let method = ode.method;
    let order = method.error_order().map_or(1.0, |p| f64::from(p) + 1.0);
    let span = stop_gradient(t1 - t0);
    let forward = direction(span);
    let (first, tried) = match (ode.fixed, first, ode.dt0) {
        (Some(steps), ..) => (span.abs() / steps.max(1) as f64, 0),
        (None, Some(first), _) => (stop_gradient(first).abs(), 0),
        (None, None, Some(dt0)) => (number(dt0.abs(), dtype), 0),
        (None, None, None) => (first_step(field, t0, &y0, forward, order), 2),
    };
    let longest = ode
        .dt_max
        .map_or(span.abs(), |h| span.abs().minimum(h.abs()));
    let (none, one) = (number(0.0, dtype), number(1.0, dtype));
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
            let none = ode.max_steps == 0 || limit == Some(0);
            let first = if none {
                Status::StepLimit.code()
            } else {
                RUNNING
            };
            let running = span.eq(0.0).select(Status::Finished.code(), first);
            let running = field.met.select(running, Status::Infeasible.code());
            finite.select(running, Status::StartNotFinite.code())
        },
        kept: keep.start(method, t0, &y0, forward),
        watched: guard.start(field, t0, &y0, forward),
    };
    let step = |c: Carry<Y, M::Memory<Y>, K::Kept>| {
        asked_at(field.place, || {
            let left = t1 - c.t;
            // A step that nearly ends goes to the end.
            let is_last = (c.h.abs() * 1.01).ge(stop_gradient(left).abs());
            let h = is_last.select(left, c.h);
            let end = is_last.select(t1, c.t + h);
            let trial = method.step(field, c.t, &c.y, h, &c.memory);
            let (finite, accepted, factor, log) = match (ode.fixed, trial.error) {
                (None, Some(error)) => {
                    let (finite, accepted) = (error.is_finite(), error.le(1.0));
                    let log = log(error);
                    let factor = ode.controller.factor(accepted, log, c.logs, order);
                    // After a rejection the step does not grow at once.
                    let most = (c.rejected_last | !accepted).select(one, ode.controller.max_factor);
                    let factor = finite.select(factor.minimum(most), ode.controller.min_factor);
                    let factor = trial
                        .factor
                        .map_or(factor, |own| own.is_nan().select(factor, own));
                    // An infinite error is a step whose equations were not solved.
                    (!error.is_nan(), accepted, factor, log)
                }
                _ => {
                    let finite = all_finite(&trial.y);
                    (finite, finite, one, none)
                }
            };
            let taken = Taken::<Y, M> {
                accepted,
                t: c.t,
                y: &c.y,
                h,
                end,
                next: &trial.y,
                trial: &trial,
            };
            let after: After<Y, M::Memory<Y>> = guard.step(method, field, &taken, c.watched);
            let taken = Taken {
                end: after.t,
                next: &after.y,
                ..taken
            };
            let (kept, extra) = keep.step(method, field, &taken, c.kept);
            ode.watch.record(
                accepted,
                Step {
                    iteration: c.steps + 1,
                    value: after.t,
                    step: h,
                },
            );
            let steps = c.steps + accepted.to(DType::I64);
            let rejected = c.rejected + (!accepted).to(DType::I64);
            let least = match ode.dt_min {
                Some(least) => number(least.abs(), dtype),
                None => resolved(c.t, span),
            };
            let length = match ode.fixed {
                Some(_) => stop_gradient(c.h).abs(),
                None => (stop_gradient(h).abs() * factor).minimum(longest),
            };
            let too_small = match ode.fixed {
                Some(_) => !accepted,
                // Steps that do not move the time never end.
                None => (!accepted & length.lt(least)) | (accepted & end.eq(c.t)),
            };
            let failed = finite.select(Status::StepTooSmall.code(), Status::NotFinite.code());
            let mut full = (steps + rejected).ge(ode.max_steps);
            if let Some(limit) = limit {
                full |= steps.ge(limit.max(1) as i64);
            }
            let status = [
                (after.stops, Var::from(Status::Event.code())),
                (
                    accepted & is_last & !after.early,
                    Var::from(Status::Finished.code()),
                ),
                (too_small, failed),
                (full, Var::from(Status::StepLimit.code())),
            ];
            let rest = match trial.after_rejection {
                Some(rest) => rest,
                None => c.memory,
            };
            Carry {
                t: accepted.select(after.t, c.t),
                y: choose(accepted, after.y, c.y),
                h: length * forward,
                memory: choose(accepted, after.memory, rest),
                logs: [
                    accepted.select(log, c.logs[0]),
                    accepted.select(c.logs[0], c.logs[1]),
                ],
                rejected_last: !accepted,
                steps,
                rejected,
                evaluations: c.evaluations + trial.evaluations + extra + after.evaluations,
                status: wengert::select(&status, RUNNING),
                kept,
                watched: after.watched,
            }
        })
    };
    let runs = |c: &Carry<Y, M::Memory<Y>, K::Kept>| c.status.eq(RUNNING);
    let end = steps_while(ode.checkpoints, ode.max_steps, start, &runs, &step);
    Run {
        t: end.t,
        y: end.y,
        steps: end.steps,
        rejected: end.rejected,
        evaluations: end.evaluations,
        status: end.status,
        kept: end.kept,
        watched: end.watched,
    }
}

/// What the loop over steps of one length carries: the state, what the method keeps, evaluations and whether all equations were solved,
/// and what is kept.
type Stage<Y, M, K> = (
    Y,
    <M as Method>::Memory<Y>,
    (Var, Var),
    <K as Keep<Y>>::Kept,
);

/// Takes steps of one length.
pub(super) fn fixed<Y: State, M: Method, W: Watch, K: Keep<Y>>(
    ode: &Ode<M, W>,
    field: &Field<Y>,
    Span { y0, t0, t1, .. }: Span<Y>,
    steps: usize,
    keep: &K,
) -> Run<Y, K::Kept> {
    let method = ode.method;
    let dtype = field.dtype;
    let h = (t1 - t0) / steps.max(1) as f64;
    let forward = direction(stop_gradient(h));
    let start = (
        y0.clone(),
        method.start(field, t0, &y0),
        (Var::from(1i64), Var::from(true)),
        keep.start(method, t0, &y0, forward),
    );
    let step = |i: Var, (y, memory, (evaluations, solved), kept): Stage<Y, M, K>| {
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
                next: &trial.y,
                trial: &trial,
            };
            let (kept, extra) = keep.step(method, field, &taken, kept);
            ode.watch.record(
                Var::from(true),
                Step {
                    iteration: i + 1,
                    value: end,
                    step: h,
                },
            );
            // An infinite error is a step whose equations were not solved.
            let solved = match trial.error {
                Some(error) => solved & error.ne(f64::INFINITY),
                None => solved,
            };
            let evaluations = evaluations + trial.evaluations + extra;
            (trial.y, trial.memory, (evaluations, solved), kept)
        })
    };
    let (y, _, (evaluations, solved), kept) = counted_steps(ode.checkpoints, steps, start, &step);
    let failure = field
        .met
        .select(Status::NotFinite.code(), Status::Infeasible.code());
    let finite = all_finite(&y) & field.met;
    Run {
        t: t1,
        y,
        steps: Var::from(steps as i64),
        rejected: Var::from(0i64),
        evaluations,
        status: finite.select(
            solved.select(Status::Finished.code(), Status::Stalled.code()),
            failure,
        ),
        kept,
        watched: vec![],
    }
}

/// The direction of a span, 1 or -1; that of an empty one is 1.
fn direction(span: Var) -> Var {
    let one = |x: f64| number(x, span.dtype());
    span.lt(0.0).select(one(-1.0), one(1.0))
}

/// Whether all numbers of a state are finite.
fn all_finite<Y: State>(y: &Y) -> Var {
    let leaves = tree::leaves(&stop_gradient(y.clone()));
    let finite = leaves.iter().map(|v| v.is_finite().all());
    finite.fold(Var::from(true), |a, b| a & b)
}

/// A first step, by the sizes of the state, of its rate, and of how that changes (Hairer, Nørsett, Wanner, Solving ODEs I, II.4).
fn first_step<Y: State>(field: &Field<Y>, t: Var, y: &Y, forward: Var, order: f64) -> Var {
    let k = field.slope(t, y);
    let size = field.norm(y, y, y);
    let slope = field.norm(&k, y, y);
    let tiny = size.lt(1e-5) | slope.lt(1e-5);
    let h = tiny.select(number(1e-6, field.dtype), 0.01 * size / slope);
    let step = stop_gradient(h * forward);
    let next = tree::map2(y.clone(), k.clone(), |y, k| y + step * k);
    let change = tree::map2(field.slope(t + step, &next), k, |b, a| b - a);
    let bend = field.norm(&change, y, y) / h;
    let most = slope.maximum(bend);
    let by_error = (0.01 / most).powf(1.0 / order);
    let by_error = most.le(1e-15).select((h * 1e-3).maximum(1e-6), by_error);
    let step = stop_gradient((100.0 * h).minimum(by_error));
    step.is_finite().select(step, number(1e-6, field.dtype))
}
