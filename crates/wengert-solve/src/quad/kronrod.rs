//! Adaptive Gauss-Kronrod.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::asked_at;

use super::adapt::{Estimate, Limits, adapt};
use super::range::{Range, moved_end};
use super::rules::{highest, kronrod};
use super::{Integral, Integrand, Place, Tolerances, largest, limits, weighted};
use crate::State;

/// Adaptive Gauss-Kronrod quadrature, as in QUADPACK's QAG (Piessens, de Doncker-Kapenga, Überhuber and Kahaner,
/// 1983): the interval with the largest estimate of the error is halved until the sum of the estimates is at
/// most `max(atol, rtol · |value|)`.
///
/// - Values of the integrand are numbers, arrays or trees of floats; for several, errors are those of the
///   largest.
/// - A limit may be infinite; the range is then mapped to a finite one by `x = a + t / (1 - t)`, or by
///   `x = t / (1 - t²)` for the whole line. Whether it is infinite is decided for each element of a batch. An
///   upper limit below the lower one changes the sign; an empty range gives 0.
/// - An estimate is `K - G`, the difference of the two rules, reduced as QUADPACK does if the coefficients of the
///   highest Legendre polynomials are as small, and not below the rounding error `50 ε ∫|f|`. (Beside a kink the two
///   rules may agree by chance.) If a value is not finite, the interval is halved: a pole or a singularity at a node does
///   no harm once it is at an end.
///
/// | [`Status`](crate::Status) | |
/// |---|---|
/// | `ErrorConverged` | the estimate of the error is within the tolerance |
/// | `StepLimit` | there are `max_intervals` intervals; the value and the error are returned |
/// | `Stalled` | the rest of the error is rounding, or an interval is too short to be halved |
/// | `NotFinite` | some value of the integrand stays not finite, or a limit is NaN |
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::GaussKronrod;
///
/// let rule = GaussKronrod::new().points(15).rtol(1e-12).max_intervals(100);
/// let f = jit(move |()| rule.integrate(|x: Var| x.ln(), 0.0, 1.0));
/// let found = f.call(())?.ok()?;
/// assert!((found.value.item::<f64>()? + 1.0).abs() < 1e-12);
/// assert_eq!(found.evaluations.item::<i64>()?, 15 * (2 * found.intervals.item::<i64>()? - 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussKronrod {
    points: usize,
    tolerances: Tolerances,
    max_intervals: usize,
}

impl Default for GaussKronrod {
    fn default() -> Self {
        GaussKronrod::new()
    }
}

impl GaussKronrod {
    /// The rule of 21 points, with `rtol` 1e-10 and `atol` 1e-12 (1e-5 and 1e-6 for values of `f32`), and at most
    /// 64 intervals.
    pub fn new() -> GaussKronrod {
        GaussKronrod {
            points: 21,
            tolerances: Tolerances::default(),
            max_intervals: 64,
        }
    }

    /// Chooses the rule of 15 points with Gauss's of 7, or that of 21 with 10: any number up to 15 is the first.
    pub fn points(mut self, points: usize) -> GaussKronrod {
        self.points = if points <= 15 { 15 } else { 21 };
        self
    }

    /// Sets the tolerance relative to the value.
    pub fn rtol(mut self, rtol: f64) -> GaussKronrod {
        self.tolerances.rtol = Some(rtol);
        self
    }

    /// Sets the absolute tolerance.
    pub fn atol(mut self, atol: f64) -> GaussKronrod {
        self.tolerances.atol = Some(atol);
        self
    }

    /// Sets the largest number of intervals. Each element of a batch keeps room for as many.
    pub fn max_intervals(mut self, n: usize) -> GaussKronrod {
        self.max_intervals = n;
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
        let [a, b] = limits("integrate", a, b);
        let f = Integrand::new("integrate", place, f, &a.ty());
        let [nodes, outer, inner] = kronrod(self.points);
        let tails = highest(&nodes, &outer);
        let eps = f.epsilon();
        let (rtol, atol) = self.tolerances.of(&f.types);
        let limits = Limits {
            rtol,
            atol,
            regions: self.max_intervals,
        };
        let range = Range::new(stop_gradient(a), stop_gradient(b));

        // The values at the nodes of an interval, times dx/dt, and half its length.
        let sampled = |low: Var, high: Var| {
            let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
            let t = middle + half * Var::from(nodes.clone()).to(half.dtype());
            let values = wengert::map(t, |t: Var| {
                asked_at(place, || {
                    let (x, slope) = range.point(t);
                    let y = f.at(x).into_iter();
                    y.map(|y| slope.map_or(y, |s| y * s.to(y.dtype())))
                        .collect::<Vec<Var>>()
                })
            });
            (values, half)
        };
        let sum = |y: Var, half: Var, weights: &[f64]| weighted(weights, y) * half.to(y.dtype());
        let estimate = |low: Var, high: Var| {
            let (ys, half) = sampled(low, high);
            let finite = ys.iter().map(|y| y.is_finite().all());
            let finite = finite.reduce(Var::and).unwrap_or(Var::from(true));
            let zero = Var::from(0.0);
            let (mut error, mut deviation, mut size, mut rough) = (zero, zero, zero, zero);
            let mut values = vec![];
            let h = half.abs();
            for y in ys {
                let y = finite.select(y, zeros_like(y));
                let mean = weighted(&outer, y) * 0.5;
                let value = mean * (2.0 * half).to(y.dtype());
                error = error.maximum(largest(value - sum(y, half, &inner)));
                deviation = deviation.maximum(largest(sum((y - mean).abs(), h, &outer)));
                size = size.maximum(largest(sum(y.abs(), h, &outer)));
                let tail = tails.iter().map(|w| largest(sum(y, h, w)));
                rough = tail.fold(rough, Var::maximum);
                values.push(value);
            }
            let noise = 50.0 * eps * size;
            let some = deviation.gt(0.0) & error.gt(0.0);
            let u = (200.0 * error).maximum(10.0 * rough) / some.select(deviation, 1.0);
            let error = some.select(deviation * (u * u.sqrt()).minimum(1.0), error);
            Estimate {
                values,
                error: finite.select(error.maximum(noise), f64::INFINITY),
                noise,
                axis: None,
            }
        };

        // The division is the root of `value - rule(division)`, in which only what the integrand captures moves.
        let slots = zeros_of(self.max_intervals.max(1), a.dtype());
        let guess = (f.zeros(), slots, slots);
        let residual = |(values, low, high): (Vec<Var>, Var, Var)| {
            let count = low.ne(high).to(DType::I64).sum();
            let total = fori(..count, f.zeros(), |i, sums: Vec<Var>| {
                asked_at(place, || {
                    let (ys, half) = sampled(low.at(i), high.at(i));
                    let all = sums.into_iter().zip(ys);
                    all.map(|(a, y)| a + sum(y, half, &outer))
                        .collect::<Vec<Var>>()
                })
            });
            let end = |x: Var| match x.as_literal() {
                Some(_) => None,
                None => Some(moved_end(x, |x| f.at(x))),
            };
            let ends = [end(a), end(b)];
            let all = values.into_iter().zip(total).enumerate();
            let values = all.map(|(i, (v, sum))| match &ends {
                [from, to] => {
                    let v = v - sum;
                    let v = to.as_ref().map_or(v, |to| v - to[i]);
                    from.as_ref().map_or(v, |from| v + from[i])
                }
            });
            (
                values.collect::<Vec<Var>>(),
                zeros_like(low),
                zeros_like(high),
            )
        };
        let (found, facts) = wengert::custom_root_aux(
            residual,
            guess,
            |_, _| {
                let d = adapt(place, range.ends, &f.types, limits, estimate);
                let facts = [d.error, d.regions, d.evaluated, d.status];
                ((d.values, d.low, d.high), facts)
            },
            |_, (v, low, high)| (v, zeros_like(low), zeros_like(high)),
        );
        let [error, intervals, evaluated, status] = facts;
        Integral {
            value: f.tree(found.0),
            error,
            intervals,
            evaluations: evaluated * nodes.len() as i64,
            status,
        }
    }
}

/// Integrates `f` from `a` to `b` by adaptive Gauss-Kronrod with its defaults: see [`GaussKronrod`].
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::quad::integrate;
///
/// // Two integrals at once, over the same intervals.
/// let f = jit(|()| integrate(|x: Var| (x.exp(), stack((x, x * x))), 0.0, 1.0).value);
/// let (e, powers) = f.call(())?;
/// assert!((e.item::<f64>()? - (1f64.exp() - 1.0)).abs() < 1e-15);
/// assert!((powers.to_vec::<f64>()?[1] - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If a value of the integrand is not of floats, or a limit is not a number.
#[track_caller]
pub fn integrate<A>(f: impl Fn(Var) -> A, a: impl Into<Var>, b: impl Into<Var>) -> Integral<A::Tree>
where
    A: IntoTree,
    A::Tree: State,
{
    let (a, b) = (a.into(), b.into());
    let place = Location::caller();
    asked_at(place, || GaussKronrod::new().run(place, f, a, b))
}
