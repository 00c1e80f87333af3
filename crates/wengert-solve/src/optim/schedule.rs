//! Numbers that depend on the number of the step.

use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

use wengert::prelude::*;

/// A number for each step, such as a learning rate: a function of the number of steps before it.
///
/// A Rust number, or a traced one, is a constant schedule wherever a schedule is expected. Lengths are in steps;
/// a length of 0 counts as 1.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::optim::{Schedule, adam};
///
/// let rate = Schedule::warmup_cosine(0.0, 1e-3, 100, 1000, 1e-5);
/// let rule = adam(rate.clone());
/// let at = jit(move |step: Var| rate.at(step));
/// assert_eq!(at.call(50i64)?.item::<f64>()?, 5e-4);
/// assert_eq!(at.call(100i64)?.item::<f64>()?, 1e-3);
/// assert!((at.call(1000i64)?.item::<f64>()? - 1e-5).abs() < 1e-18);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone)]
pub struct Schedule(Arc<dyn Fn(Var) -> Var + Send + Sync>);

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schedule")
    }
}

impl From<f64> for Schedule {
    fn from(x: f64) -> Schedule {
        Schedule::constant(x)
    }
}

impl From<Var> for Schedule {
    fn from(x: Var) -> Schedule {
        Schedule::new(move |_| x)
    }
}

fn length(steps: usize) -> f64 {
    steps.max(1) as f64
}

impl Schedule {
    /// Makes a schedule of a function of the number of steps so far, which is an `f64` scalar.
    pub fn new(f: impl Fn(Var) -> Var + Send + Sync + 'static) -> Schedule {
        Schedule(Arc::new(f))
    }

    /// Returns the number for the step after `count` others; `count` is a scalar of integers or floats.
    #[track_caller]
    pub fn at(&self, count: Var) -> Var {
        wengert::solver::inside(|| (self.0)(count.to(DType::F64)))
    }

    /// The same number for all steps.
    pub fn constant(x: f64) -> Schedule {
        Schedule::new(move |_| Var::from(x))
    }

    /// From `start` to `end` in a straight line of `steps` steps, and `end` from then on.
    pub fn linear(start: f64, end: f64, steps: usize) -> Schedule {
        Schedule::polynomial(start, end, 1.0, steps)
    }

    /// From `start` to `end` as `(1 - count / steps)^power`, and `end` from then on.
    pub fn polynomial(start: f64, end: f64, power: f64, steps: usize) -> Schedule {
        Schedule::new(move |n| {
            let rest = 1.0 - n.clamp(0.0, length(steps)) / length(steps);
            let rest = if power == 1.0 { rest } else { rest.powf(power) };
            (start - end) * rest + end
        })
    }

    /// Multiplied by `rate` in every `steps` steps: `start · rate^(count / steps)`.
    pub fn exponential(start: f64, rate: f64, steps: usize) -> Schedule {
        Schedule::new(move |n| start * Var::from(rate).powf(n / length(steps)))
    }

    /// Multiplied by `rate` at once after every `steps` steps: `start · rate^floor(count / steps)`.
    pub fn staircase(start: f64, rate: f64, steps: usize) -> Schedule {
        Schedule::new(move |n| start * Var::from(rate).powf((n / length(steps)).floor()))
    }

    /// From `start` to `alpha · start` by half a period of the cosine (Loshchilov and Hutter, "SGDR", 2017), and
    /// that from then on.
    pub fn cosine(start: f64, steps: usize, alpha: f64) -> Schedule {
        Schedule::new(move |n| {
            let part = n.minimum(length(steps)) / length(steps);
            let wave = 0.5 * (1.0 + (PI * part).cos());
            start * ((1.0 - alpha) * wave + alpha)
        })
    }

    /// From `start` to `peak` in a straight line of `warmup` steps, then to `end` by a cosine; `steps` counts
    /// both. If `peak` is 0, the cosine is 0.
    pub fn warmup_cosine(start: f64, peak: f64, warmup: usize, steps: usize, end: f64) -> Schedule {
        let alpha = if peak == 0.0 { 0.0 } else { end / peak };
        let rise = Schedule::linear(start, peak, warmup);
        let fall = Schedule::cosine(peak, steps.saturating_sub(warmup), alpha);
        Schedule::join(rise, [(warmup, fall)])
    }

    /// `start`, multiplied by each factor from its step on.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::optim::Schedule;
    ///
    /// let rate = Schedule::piecewise(1.0, [(100, 0.5), (200, 0.1)]);
    /// let f = jit(move |n: Var| rate.at(n));
    /// assert_eq!(f.call(99i64)?.item::<f64>()?, 1.0);
    /// assert_eq!(f.call(100i64)?.item::<f64>()?, 0.5);
    /// assert_eq!(f.call(900i64)?.item::<f64>()?, 0.05);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    pub fn piecewise(start: f64, factors: impl IntoIterator<Item = (usize, f64)>) -> Schedule {
        let factors: Vec<(usize, f64)> = factors.into_iter().collect();
        Schedule::new(move |n| {
            let steps = factors.iter();
            steps.fold(Var::from(start), |x, &(at, factor)| {
                n.ge(at as f64).select(x * factor, x)
            })
        })
    }

    /// Runs through the points `(step, value)` in straight lines, or by half periods of the cosine; the first
    /// value before the first point, the last after the last. The points are sorted by their steps.
    pub fn through(points: impl IntoIterator<Item = (usize, f64)>, cosine: bool) -> Schedule {
        let mut points: Vec<(usize, f64)> = points.into_iter().collect();
        points.sort_by_key(|p| p.0);
        Schedule::new(move |n| {
            let first = points.first().map_or(0.0, |p| p.1);
            let pairs = points.windows(2);
            pairs.fold(Var::from(first), |x, pair| {
                let [(from, a), (to, b)] = [pair[0], pair[1]];
                let part = ((n - from as f64) / length(to - from)).clamp(0.0, 1.0);
                let value = match cosine {
                    true => b + 0.5 * (a - b) * ((PI * part).cos() + 1.0),
                    false => a + (b - a) * part,
                };
                n.ge(from as f64).select(value, x)
            })
        })
    }

    /// One cycle of `steps` steps (Smith and Topin, "Super-convergence", 2018): by cosines from `peak / 25` to
    /// `peak` in the first 30 percent, then to `peak / 25e4`.
    pub fn one_cycle(peak: f64, steps: usize) -> Schedule {
        Schedule::one_cycle_with(peak, steps, 0.3, 25.0, 1e4)
    }

    /// Is [`Schedule::one_cycle`] that rises in the part `rise` of the steps, from `peak / div`, and ends at
    /// `peak / (div · final_div)`.
    pub fn one_cycle_with(
        peak: f64,
        steps: usize,
        rise: f64,
        div: f64,
        final_div: f64,
    ) -> Schedule {
        let top = (rise * steps as f64) as usize;
        let points = [
            (0, peak / div),
            (top, peak),
            (steps, peak / (div * final_div)),
        ];
        Schedule::through(points, true)
    }

    /// Runs `first`, and from each step on the schedule beside it, which counts from there.
    pub fn join(first: Schedule, then: impl IntoIterator<Item = (usize, Schedule)>) -> Schedule {
        let then: Vec<(usize, Schedule)> = then.into_iter().collect();
        Schedule::new(move |n| {
            then.iter().fold(first.at(n), |x, (from, next)| {
                let from = *from as f64;
                n.lt(from).select(x, next.at((n - from).maximum(0.0)))
            })
        })
    }
}
