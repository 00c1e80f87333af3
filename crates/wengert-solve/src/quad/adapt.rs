//! Adaptive subdivision of intervals and boxes, in one flat loop.

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::Place;
use crate::Status;

/// What a rule makes of one region.
pub(super) struct Estimate {
    /// The integral: one array for each leaf.
    pub values: Vec<Var>,
    /// An estimate of its error, `f64`; infinite if a value is not finite.
    pub error: Var,
    /// The part of the error that is rounding.
    pub noise: Var,
    /// The axis along which a box is best divided.
    pub axis: Option<Var>,
}

/// Tolerances and limits.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub rtol: f64,
    pub atol: f64,
    pub regions: usize,
}

/// The regions of a subdivision, in slots, and what ended it.
pub(super) struct Division {
    pub values: Vec<Var>,
    pub low: Var,
    pub high: Var,
    pub error: Var,
    pub regions: Var,
    pub evaluated: Var,
    pub status: Var,
}

#[derive(Tree, Clone)]
struct Work<T = Var> {
    /// The regions: their corners, what the rule made of them, and the axis to divide.
    low: T,
    high: T,
    error: T,
    noise: T,
    axis: Option<T>,
    values: Vec<T>,
    /// How many slots are in use.
    count: T,
    /// The region that is evaluated next, its slot, and the one after it, if there is one.
    slot: T,
    now: [T; 2],
    next: [T; 2],
    waits: T,
    evaluated: T,
    status: T,
}

const RUNNING: i64 = i64::MIN;

/// Divides the region from `low` to `high`, scalars or vectors, where the estimate of the error is largest, until
/// their sum is within the tolerance. Each step evaluates one region.
pub(super) fn adapt(
    place: Place,
    [low, high]: [Var; 2],
    types: &[wengert::Type],
    limits: Limits,
    rule: impl Fn(Var, Var) -> Estimate,
) -> Division {
    let n = limits.regions.max(1);
    let is_box = low.rank() == 1;
    let dtype = low.dtype();
    let row = |dims: &[usize]| [&[n], dims].concat();
    let empty = low.eq(high).any();
    let known = (low.is_finite() & high.is_finite()).all();
    let start = Work {
        low: zeros_of(row(&low.shape()), dtype),
        high: zeros_of(row(&low.shape()), dtype),
        error: zeros_of(n, DType::F64),
        noise: zeros_of(n, DType::F64),
        axis: is_box.then(|| zeros_of(n, DType::I64)),
        values: (types.iter())
            .map(|ty| zeros_of(row(&ty.dims()), ty.dtype))
            .collect(),
        count: Var::scalar(1i64),
        slot: Var::scalar(0i64),
        now: [low, high],
        next: [low, high],
        waits: Var::from(false),
        evaluated: Var::scalar(0i64),
        status: known.select(
            empty.select(Status::ErrorConverged.code(), RUNNING),
            Status::NotFinite.code(),
        ),
    };
    let smallest = match dtype {
        DType::F32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    };
    let end = while_loop(
        start,
        |w: Work| asked_at(place, || w.status.eq(RUNNING)),
        |w: Work| {
            asked_at(place, || {
                let found = rule(w.now[0], w.now[1]);
                let low = w.low.at_set(w.slot, w.now[0]);
                let high = w.high.at_set(w.slot, w.now[1]);
                let error = w.error.at_set(w.slot, found.error);
                let noise = w.noise.at_set(w.slot, found.noise);
                let axis = (w.axis.zip(found.axis)).map(|(all, axis)| all.at_set(w.slot, axis));
                let values: Vec<Var> = (w.values.iter().zip(found.values))
                    .map(|(all, v)| all.at_set(w.slot, v))
                    .collect();

                // The tests, and the division of the worst region, if none waits to be evaluated.
                let total = error.sum();
                let size = values
                    .iter()
                    .map(|v| v.sum_axis(0).abs().amax().to(DType::F64));
                let size = size.reduce(Var::maximum).unwrap_or(Var::from(0.0));
                let converged = total.le((limits.rtol * size).maximum(limits.atol));
                let rounded = total.le(2.0 * noise.sum());
                let worst = error.argmax();
                let (l, h) = (low.at(worst), high.at(worst));
                let middle = 0.5 * l + 0.5 * h;
                let cut = match axis {
                    None => Var::from(true),
                    Some(axis) => arange(low.shape()[1]).eq(axis.at(worst)),
                };
                let least = 16.0 * smallest * l.abs().maximum(h.abs());
                let tiny = (cut & (h - l).abs().le(least)).any();
                let full = w.count.ge(n as i64);
                let finite = total.is_finite();
                let code = |s: Status| Var::scalar(s.code());
                let stuck = finite.select(code(Status::Stalled), code(Status::NotFinite));
                let limit = finite.select(code(Status::StepLimit), code(Status::NotFinite));
                let status = converged.select(
                    code(Status::ErrorConverged),
                    (rounded | tiny).select(stuck, full.select(limit, RUNNING)),
                );
                let (left, right) = (cut.select(middle, h), cut.select(middle, l));
                Work {
                    low,
                    high,
                    error,
                    noise,
                    axis,
                    values,
                    count: w.waits.select(w.count, w.count + 1),
                    slot: w.waits.select(w.count - 1, worst),
                    now: [
                        w.waits.select(w.next[0], l),
                        w.waits.select(w.next[1], left),
                    ],
                    next: [right, h],
                    waits: !w.waits,
                    evaluated: w.evaluated + 1,
                    status: w.waits.select(RUNNING, status),
                }
            })
        },
    );
    let bad = !known;
    Division {
        values: (end.values.iter())
            .map(|v| {
                let sum = v.sum_axis(0);
                bad.select(full_like(sum, f64::NAN), sum)
            })
            .collect(),
        low: end.low,
        high: end.high,
        error: bad.select(f64::INFINITY, end.error.sum()),
        regions: end.evaluated - end.evaluated / 2,
        evaluated: end.evaluated,
        status: end.status,
    }
}
