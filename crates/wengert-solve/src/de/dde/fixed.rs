//! Steps of one length.

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::ring::Ring;
use super::solver::{Dde, Found, Problem};
use crate::Status;
use crate::de::keep::{Ends, Keep, Rows, Taken};
use crate::de::method::Method;
use crate::shared::{RUNNING, number};

impl<M: Method> Dde<M> {
    /// Integrates to the end, or to the last of several times, by equal steps, and returns the states there.
    #[track_caller]
    pub(super) fn equal(&self, p: &Problem<'_>, at: Option<Var>) -> Found {
        match at {
            None => self.march(p, Ends, |(), y| y),
            Some(times) => self.march(p, Rows { times }, |(rows, _), _| rows),
        }
    }

    /// How many steps are kept: as many as were asked for, what known delays need, or all.
    fn kept(&self, p: &Problem<'_>, n: usize) -> usize {
        let known = |v: &Var| {
            v.as_literal().map(|x| match x.ty().dtype {
                DType::F32 => f64::from(f32::from_bits(x.bits as u32)),
                _ => f64::from_bits(x.bits),
            })
        };
        let longest = p.delays.iter().map(known).collect::<Option<Vec<f64>>>();
        let longest = longest.map(|all| all.into_iter().fold(0.0, f64::max));
        let needed = match (longest, known(&p.t0), known(&p.t1)) {
            (Some(delay), Some(t0), Some(t1)) if t1 > t0 => {
                (delay / (t1 - t0) * n as f64 * (1.0 + 1e-9))
                    .ceil()
                    .min(n as f64) as usize
                    + 1
            }
            _ => n,
        };
        self.ring.unwrap_or(needed).clamp(1, n.max(1))
    }

    #[track_caller]
    fn march<K: Keep<Var>>(
        &self,
        p: &Problem<'_>,
        keep: K,
        chosen: impl FnOnce(K::Kept, Var) -> Var,
    ) -> Found {
        let method = self.method;
        let n = self.fixed.unwrap_or(1);
        let dtype = p.t0.dtype();
        let h = (p.t1 - p.t0) / n as f64;
        let capacity = self.kept(p, n);
        let ring = Ring::empty(capacity, self.coefficients(p), p.y0.shape()[0], dtype);
        let step = |time: Var| {
            let x = stop_gradient((time - p.t0) / h);
            // A time that is at a step's beginning but for rounding is there.
            (x + 1e-9 * x.abs().maximum(1.0)).floor().to(DType::I64)
        };
        let memory = {
            let find = |_: Var| Var::scalar(0i64);
            let rate = |t: Var, y: Var| p.rate(&ring, &find, t, y);
            method.start(&p.field(&rate), p.t0, &p.y0)
        };
        let kept = keep.start(method, p.t0, &p.y0, number(1.0, dtype));
        let start = (p.y0, memory, ring, Var::scalar(1i64), kept);
        let (y, _, ring, evaluations, kept) = fori(
            0..n,
            start,
            |i, (y, memory, ring, evaluations, kept): (Var, M::Memory<Var>, Ring, Var, K::Kept)| {
                asked_at(p.place, || {
                    let find = |time: Var| {
                        let oldest = (i - capacity as i64).maximum(0);
                        step(time).minimum(i - 1).maximum(oldest)
                    };
                    let rate = |t: Var, y: Var| p.rate(&ring, &find, t, y);
                    let field = p.field(&rate);
                    let t = p.t0 + i.to(dtype) * h;
                    let end = (i + 1)
                        .eq(n as i64)
                        .select(p.t1, p.t0 + (i + 1).to(dtype) * h);
                    let trial = method.step(&field, t, &y, h, &memory);
                    let taken = Taken::<Var, M> {
                        accepted: Var::from(true),
                        t,
                        y: &y,
                        h,
                        end,
                        next: &trial.y,
                        trial: &trial,
                    };
                    let (kept, extra) = keep.step(method, &field, &taken, kept);
                    let polynomial = stack(method.dense(&field, t, &y, h, &trial));
                    let ring = ring.push(Var::from(true), t, h, polynomial);
                    (
                        trial.y,
                        trial.memory,
                        ring,
                        evaluations + trial.evaluations + extra,
                        kept,
                    )
                })
            },
        );
        let _ = ring;
        let code = |s: Status| Var::scalar(s.code());
        let (shortest, longest) = (stop_gradient(p.shortest()), stop_gradient(p.longest()));
        let step = stop_gradient(h);
        let first = p.first_status(shortest * (1.0 + 1e-9), step);
        let needed = (longest / step * (1.0 - 1e-9)).ceil();
        let forgotten = needed.gt(capacity as f64) & Var::from(capacity < n);
        let done = y
            .is_finite()
            .all()
            .select(code(Status::Finished), code(Status::NotFinite));
        let done = forgotten.select(code(Status::StepLimit), done);
        Found {
            t: p.t1,
            y: chosen(kept, y),
            steps: Var::scalar(n as i64),
            rejected: Var::scalar(0i64),
            evaluations,
            status: first.eq(RUNNING).select(done, first),
        }
    }
}
