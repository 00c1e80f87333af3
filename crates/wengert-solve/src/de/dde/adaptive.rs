//! Steps that follow the error and end at breaks.

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::ring::{Ring, breaks};
use super::solver::{Dde, Found, OP, Problem};
use crate::Status;
use crate::de::control::{log, resolved};
use crate::de::keep::{Ends, Keep, Rows, Taken};
use crate::de::method::{Field, Method};
use crate::shared::{RUNNING, choose, number};

/// The largest number of breaks that are looked at.
const BREAKS: usize = 64;

/// What the loop carries.
#[derive(Tree, Clone)]
struct Carry<M, K, T = Var> {
    t: T,
    y: T,
    h: T,
    memory: M,
    logs: [T; 2],
    rejected_last: T,
    ring: Ring<T>,
    /// The number of the break that comes next.
    next: T,
    steps: T,
    rejected: T,
    evaluations: T,
    status: T,
    kept: K,
}

impl<M: Method> Dde<M> {
    /// Integrates to the end, or to the last of several times, and returns the states there.
    #[track_caller]
    pub(super) fn adaptive(&self, p: &Problem<'_>, at: Option<Var>) -> Found {
        match at {
            None => self.follow(p, Ends, |(), y| y),
            Some(times) => self.follow(p, Rows { times }, |(rows, _), _| rows),
        }
    }

    /// The number of coefficients of the method's polynomials: looked at in a loop of no steps.
    pub(super) fn coefficients(&self, p: &Problem<'_>) -> usize {
        let dtype = p.t0.dtype();
        let n = p.y0.shape()[0];
        let ((), rows) = scan((), zeros_of(0, dtype), |(), t: Var| {
            asked_at(p.place, || {
                let ring = Ring::empty(1, 1, n, dtype);
                let find = |_: Var| Var::scalar(0i64);
                let rate = |t: Var, y: Var| p.rate(&ring, &find, t, y);
                let field = p.field(&rate);
                let memory = self.method.start(&field, t, &p.y0);
                let trial = self.method.step(&field, t, &p.y0, t, &memory);
                ((), stack(self.method.dense(&field, t, &p.y0, t, &trial)))
            })
        });
        rows.shape()[1]
    }

    #[track_caller]
    fn follow<K: Keep<Var>>(
        &self,
        p: &Problem<'_>,
        keep: K,
        chosen: impl FnOnce(K::Kept, Var) -> Var,
    ) -> Found {
        let method = self.method;
        let Some(order) = method.error_order() else {
            let name = M::NAME;
            refuse(
                OP,
                format!("{name} does not estimate errors; give `fixed(steps)`"),
            );
        };
        let order = f64::from(order) + 1.0;
        let dtype = p.t0.dtype();
        let n = p.y0.shape()[0];
        let capacity = self.ring.unwrap_or(256);
        let ring = Ring::empty(capacity, self.coefficients(p), n, dtype);
        let breaks = breaks(p.t0, &p.delays, method.order() as usize + 1, BREAKS);
        let last_break = breaks.shape()[0] as i64 - 1;
        let (shortest, longest) = (stop_gradient(p.shortest()), stop_gradient(p.longest()));
        let span = stop_gradient(p.t1 - p.t0);
        let most = self
            .dt_max
            .map_or(span, |h| span.minimum(h))
            .minimum(shortest);
        let (none, one) = (number(0.0, dtype), number(1.0, dtype));
        let first = match self.dt0 {
            Some(dt0) => number(dt0, dtype),
            None => 0.01 * most,
        };
        let memory = {
            let find = |_: Var| Var::scalar(0i64);
            let rate = |t: Var, y: Var| p.rate(&ring, &find, t, y);
            method.start(&p.field(&rate), p.t0, &p.y0)
        };
        let start = Carry {
            t: p.t0,
            y: p.y0,
            h: first.minimum(most),
            memory,
            logs: [none; 2],
            rejected_last: Var::from(false),
            ring,
            next: Var::scalar(0i64),
            steps: Var::scalar(0i64),
            rejected: Var::scalar(0i64),
            evaluations: Var::scalar(1i64),
            status: p.first_status(shortest, zeros_like(shortest)),
            kept: keep.start(method, p.t0, &p.y0, number(1.0, dtype)),
        };
        let end = while_loop(
            start,
            |c: Carry<M::Memory<Var>, K::Kept>| c.status.eq(RUNNING),
            |c: Carry<M::Memory<Var>, K::Kept>| {
                asked_at(p.place, || {
                    let find = |time: Var| c.ring.find(time);
                    let rate = |t: Var, y: Var| p.rate(&c.ring, &find, t, y);
                    let field = p.field(&rate);
                    // A step that nearly comes to a break or the end goes there.
                    let stop = breaks.at(c.next);
                    let is_end = p.t1.le(stop);
                    let target = is_end.select(p.t1, stop);
                    let left = target - c.t;
                    let is_clipped = (c.h * 1.01).ge(stop_gradient(left));
                    let h = is_clipped.select(left, c.h);
                    let end = is_clipped.select(target, c.t + h);
                    let trial = method.step(&field, c.t, &c.y, h, &c.memory);
                    let error = trial.error.unwrap_or(none);
                    let finite = error.is_finite();
                    let accepted = error.le(1.0);
                    let log = log(error);
                    let factor = self.controller.factor(accepted, log, c.logs, order);
                    let growth =
                        (c.rejected_last | !accepted).select(one, self.controller.max_factor);
                    let factor = finite.select(factor.minimum(growth), self.controller.min_factor);
                    let length = stop_gradient(h) * factor;
                    // What was cut short does not shorten the steps after it.
                    let length = (accepted & is_clipped).select(length.maximum(c.h), length);
                    let length = length.minimum(most);
                    let taken = Taken::<Var, M> {
                        accepted,
                        t: c.t,
                        y: &c.y,
                        h,
                        end,
                        next: &trial.y,
                        trial: &trial,
                    };
                    let (kept, extra) = keep.step(method, &field, &taken, c.kept);
                    let polynomial = stack(method.dense(&field, c.t, &c.y, h, &trial));
                    let ring = c.ring.push(accepted, c.t, h, polynomial);

                    let steps = c.steps + accepted.to(DType::I64);
                    let rejected = c.rejected + (!accepted).to(DType::I64);
                    let least = resolved(c.t, span);
                    let too_small = !accepted & length.lt(least);
                    let code = |s: Status| Var::scalar(s.code());
                    let failed = finite.select(code(Status::StepTooSmall), code(Status::NotFinite));
                    let forgotten = ring.count.gt(capacity as i64)
                        & (stop_gradient(end) - longest).lt(stop_gradient(ring.reaches()));
                    let limit = (steps + rejected).ge(self.max_steps) | forgotten;
                    let arrived = accepted & is_clipped;
                    let status = [
                        (arrived & is_end, code(Status::Finished)),
                        (too_small, failed),
                        (limit, code(Status::StepLimit)),
                    ];
                    let rest = match trial.after_rejection {
                        Some(rest) => rest,
                        None => c.memory,
                    };
                    Carry {
                        t: accepted.select(end, c.t),
                        y: accepted.select(trial.y, c.y),
                        h: length,
                        memory: choose(accepted, trial.memory, rest),
                        logs: [
                            accepted.select(log, c.logs[0]),
                            accepted.select(c.logs[0], c.logs[1]),
                        ],
                        rejected_last: !accepted,
                        ring,
                        next: (c.next + arrived.to(DType::I64)).minimum(last_break),
                        steps,
                        rejected,
                        evaluations: c.evaluations + trial.evaluations + extra,
                        status: wengert::select(&status, RUNNING),
                        kept,
                    }
                })
            },
        );
        Found {
            t: end.t,
            y: chosen(end.kept, end.y),
            steps: end.steps,
            rejected: end.rejected,
            evaluations: end.evaluations,
            status: end.status,
        }
    }
}

impl Problem<'_> {
    /// The equation, as methods see it.
    pub(super) fn field<'b>(&self, rate: &'b dyn Fn(Var, Var) -> Var) -> Field<'b, Var> {
        Field {
            rate,
            tolerance: self.tolerance.clone(),
            dtype: self.t0.dtype(),
            place: self.place,
            explicit: None,
            near: None,
            mass: None,
            met: Var::from(true),
        }
    }

    /// The status before the first step, where no step may be shorter than `least`, nor longer than the shortest delay.
    pub(super) fn first_status(&self, shortest: Var, least: Var) -> Var {
        let span = stop_gradient(self.t1 - self.t0);
        let code = |s: Status| Var::scalar(s.code());
        let finite = span.is_finite() & span.ge(0.0) & self.y0.is_finite().all();
        let positive = shortest.gt(0.0) & shortest.ge(least);
        let running = span.eq(0.0).select(code(Status::Finished), RUNNING);
        let running = positive.select(running, code(Status::StepTooSmall));
        finite.select(running, code(Status::StartNotFinite))
    }
}
