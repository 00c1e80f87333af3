//! The double exponential rule.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::asked_at;

use super::range::{Range, moved_end};
use super::{Integral, Integrand, Place, Tolerances, largest, limits, weighted};
use crate::{State, Status};

/// The tanh-sinh rule (Takahasi and Mori, 1974), for integrands that are smooth inside the range and may be
/// singular at its ends, such as `x^(-1/2)` at 0: nodes crowd towards the ends, and each level doubles them, until
/// two levels agree to `max(atol, rtol · |value|)`.
///
/// Values are trees of floats, and limits as those of [`GaussKronrod`](super::GaussKronrod), infinite ones too. A
/// singularity is best placed at 0: beside another number floats are spaced too far apart, and nodes that round
/// to the end are left out. A kink or a pole inside the range makes convergence slow, and is for the adaptive
/// rule.
///
/// | [`Status`](crate::Status) | |
/// |---|---|
/// | `ErrorConverged` | two levels agree |
/// | `StepLimit` | the last level is reached |
/// | `Stalled` | two levels differ by no more than rounding, which is above the tolerance |
/// | `NotFinite` | a value is not finite inside the range, or a limit is NaN |
///
/// The derivative is that of the rule at the level reached, and in the limits by the fundamental theorem.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::TanhSinh;
///
/// // The beta function of 1/2 and 1/2 is π.
/// let rule = TanhSinh::new();
/// let f = jit(move |()| rule.integrate(|x: Var| 2.0 * x.powf(-0.5) * (1.0 - x).powf(-0.5), 0.0, 0.5));
/// let found = f.call(())?.ok()?;
/// assert!((found.value.item::<f64>()? - std::f64::consts::PI).abs() < 1e-10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TanhSinh {
    tolerances: Tolerances,
    max_level: usize,
}

impl Default for TanhSinh {
    fn default() -> Self {
        TanhSinh::new()
    }
}

/// The number of nodes that are evaluated in a step.
const BLOCK: usize = 16;

/// The nodes of all levels, in blocks: the distance to the nearer end as a part of the range, whether that is the
/// upper one, the weight without the step, and for each block the level that it ends, or -1.
struct Table {
    near: Vec<f64>,
    upper: Vec<f64>,
    weight: Vec<f64>,
    ends: Vec<i64>,
}

impl Table {
    fn new(max_level: usize, dtype: DType) -> Table {
        // The distance at the last node is close to the smallest float.
        let last = match dtype {
            DType::F32 => 4.0,
            _ => 6.1,
        };
        let mut table = Table {
            near: vec![],
            upper: vec![],
            weight: vec![],
            ends: vec![],
        };
        for level in 0..=max_level {
            let step = 0.5f64.powi(level as i32);
            let (first, by) = if level == 0 { (0, 1) } else { (1, 2) };
            let places = (first..).step_by(by).map(|j| f64::from(j) * step);
            for t in places.take_while(|t| *t <= last) {
                let u = (-std::f64::consts::PI * t.sinh()).exp();
                let (near, far) = (u / (1.0 + u), 1.0 / (1.0 + u));
                let weight = std::f64::consts::PI * t.cosh() * near * far;
                table.push(near, 0.0, weight);
                if t > 0.0 {
                    table.push(near, 1.0, weight);
                }
            }
            while !table.near.len().is_multiple_of(BLOCK) {
                table.push(0.5, 0.0, 0.0);
            }
            table.ends.resize(table.near.len() / BLOCK, -1);
            *table.ends.last_mut().expect("a level has nodes") = level as i64;
        }
        table
    }

    fn push(&mut self, near: f64, upper: f64, weight: f64) {
        self.near.push(near);
        self.upper.push(upper);
        self.weight.push(weight);
    }
}

impl TanhSinh {
    /// With `rtol` 1e-10 and `atol` 1e-12 (1e-5 and 1e-6 for values of `f32`), and at most nine levels.
    pub fn new() -> TanhSinh {
        TanhSinh {
            tolerances: Tolerances::default(),
            max_level: 8,
        }
    }

    /// Sets the tolerance relative to the value.
    pub fn rtol(mut self, rtol: f64) -> TanhSinh {
        self.tolerances.rtol = Some(rtol);
        self
    }

    /// Sets the absolute tolerance.
    pub fn atol(mut self, atol: f64) -> TanhSinh {
        self.tolerances.atol = Some(atol);
        self
    }

    /// Sets the last level, at most 12: level `k` has about `12 · 2^k` nodes.
    pub fn max_level(mut self, level: usize) -> TanhSinh {
        self.max_level = level.min(12);
        self
    }

    /// Integrates `f` from `a` to `b`.
    ///
    /// # Errors
    /// If a value of the integrand is not of floats, or a limit is not a number.
    #[track_caller]
    pub fn integrate<A>(
        &self,
        f: impl Fn(Var) -> A,
        a: impl Into<Var>,
        b: impl Into<Var>,
    ) -> Integral<A::Tree>
    where
        A: IntoTree,
        A::Tree: State,
    {
        let (a, b) = (a.into(), b.into());
        let place = Location::caller();
        asked_at(place, || self.run(place, f, a, b))
    }

    fn run<A>(&self, place: Place, f: impl Fn(Var) -> A, a: Var, b: Var) -> Integral<A::Tree>
    where
        A: IntoTree,
        A::Tree: State,
    {
        let [a, b] = limits("tanh_sinh", a, b);
        let dtype = a.dtype();
        let f = Integrand::new("tanh_sinh", place, f, &a.ty());
        let eps = f.epsilon();
        let (rtol, atol) = self.tolerances.of(&f.types);
        let table = Table::new(self.max_level, dtype);
        let blocks = table.ends.len();
        let rows = |x: &[f64]| Var::from(x.to_vec()).reshape([blocks, BLOCK]).to(dtype);
        let (near, upper, weight) = (rows(&table.near), rows(&table.upper), rows(&table.weight));
        let ends = Var::from(table.ends.clone());

        let range = Range::new(stop_gradient(a), stop_gradient(b));
        let [from, to] = range.ends;
        let length = to - from;
        // The sum of a block: weighted values, their sizes, and whether all are finite.
        let block = |i: Var| {
            let nodes = (near.at(i), upper.at(i), weight.at(i));
            let ys = wengert::map(nodes, |(near, upper, w): (Var, Var, Var)| {
                asked_at(place, || {
                    let t = upper
                        .gt(0.5)
                        .select(to - length * near, from + length * near);
                    let inside = t.ne(from) & t.ne(to) & w.gt(0.0);
                    let t = inside.select(t, 0.5 * from + 0.5 * to);
                    let (x, slope) = range.point(t);
                    let w = slope.map_or(w, |s| w * s);
                    let part = |y: Var| inside.select(y * w.to(y.dtype()), zeros_like(y));
                    f.at(x).into_iter().map(part).collect::<Vec<Var>>()
                })
            });
            let one = [1.0; BLOCK];
            let sizes = ys.iter().map(|y| largest(weighted(&one, y.abs())));
            let size = sizes.reduce(Var::maximum).unwrap_or(Var::from(0.0));
            let sums: Vec<Var> = ys.iter().map(|y| weighted(&one, *y)).collect();
            (sums, size)
        };
        let add = |a: Vec<Var>, b: Vec<Var>| -> Vec<Var> {
            a.into_iter().zip(b).map(|(a, b)| a + b).collect()
        };
        let scaled = |sums: &[Var], step: Var| -> Vec<Var> {
            let factor = length * step.to(dtype);
            sums.iter().map(|s| *s * factor.to(s.dtype())).collect()
        };

        let known = (from.is_finite() & to.is_finite()).all();
        let running = i64::MIN;
        let status = known.select(
            from.eq(to).select(Status::ErrorConverged.code(), running),
            Status::NotFinite.code(),
        );
        let code = |s: Status| Var::scalar(s.code());
        let solve = || {
            let zero = Var::from(0.0);
            let start = (
                (Var::scalar(0i64), f.zeros(), zero),
                (f.zeros(), Var::from(f64::INFINITY), Var::from(1.0)),
                status,
            );
            let ((used, _, _), (values, error, step), status) = while_loop(
                start,
                |(_, _, status)| asked_at(place, || status.eq(running)),
                |((i, sums, size), (before, error, step), _): Work| {
                    asked_at(place, || {
                        let (more, larger) = block(i);
                        let (sums, size) = (add(sums, more), size + larger);
                        let level = ends.at(i);
                        let done = level.ge(0);
                        let next_step = (-level.to(DType::F64)).exp2();
                        let values = scaled(&sums, next_step);
                        let pairs = values.iter().zip(&before);
                        let differences = pairs.map(|(v, b)| largest(*v - *b));
                        let difference = differences.reduce(Var::maximum).unwrap_or(zero);
                        let whole = values.iter().map(|v| largest(*v)).reduce(Var::maximum);
                        let whole = whole.unwrap_or(zero);
                        let noise = 10.0 * eps * size * (length.to(DType::F64) * next_step).abs();
                        let difference = difference.maximum(noise);
                        let converged = difference.le((rtol * whole).maximum(atol));
                        let late = level.ge(3);
                        let rounded = late & difference.le(2.0 * noise);
                        let next = (late & converged).select(
                            code(Status::ErrorConverged),
                            rounded.select(
                                code(Status::Stalled),
                                (i + 1)
                                    .ge(blocks as i64)
                                    .select(code(Status::StepLimit), running),
                            ),
                        );
                        let next = size
                            .is_finite()
                            .select(done.select(next, running), code(Status::NotFinite));
                        let kept = values.into_iter().zip(before);
                        let kept: Vec<Var> = kept.map(|(v, b)| done.select(v, b)).collect();
                        let error = done.select(difference, error);
                        let step = done.select(next_step, step);
                        ((i + 1, sums, size), (kept, error, step), next)
                    })
                },
            );
            let all = values.into_iter();
            let values = all
                .map(|v| known.select(v, full_like(v, f64::NAN)))
                .collect();
            let bad = status.eq(Status::NotFinite.code());
            let level = (-step.log2()).round().to(DType::I64) + 1;
            let facts = [
                bad.select(f64::INFINITY, used.eq(0).select(0.0, error)),
                used.eq(0).select(0, level),
                used * BLOCK as i64,
                status,
            ];
            ((values, used.to(DType::F64), step), facts)
        };

        let residual = |(values, used, step): (Vec<Var>, Var, Var)| {
            let count = used.to(DType::I64);
            let sums = fori(..count, f.zeros(), |i, sums: Vec<Var>| {
                add(sums, block(i).0)
            });
            let mut total = scaled(&sums, step);
            for (x, sign) in [(a, -1.0), (b, 1.0)] {
                if x.as_literal().is_none() {
                    let all = total.into_iter().zip(moved_end(x, |x| f.at(x)));
                    total = all.map(|(t, end)| t + sign * end).collect();
                }
            }
            let all = values.into_iter().zip(total);
            let values: Vec<Var> = all.map(|(v, t)| v - t).collect();
            (values, zeros_like(used), zeros_like(step))
        };
        let guess = (f.zeros(), Var::from(0.0), Var::from(1.0));
        let (found, [error, intervals, evaluations, status]) = wengert::custom_root_aux(
            residual,
            guess,
            |_, _| solve(),
            |_, (v, used, step)| (v, zeros_like(used), zeros_like(step)),
        );
        Integral {
            value: f.tree(found.0),
            error,
            intervals,
            evaluations,
            status,
        }
    }
}

/// The carry: the next block, the sums and the size of all values so far; the values of the last level, the error
/// and the step; the status.
type Work = ((Var, Vec<Var>, Var), (Vec<Var>, Var, Var), Var);
