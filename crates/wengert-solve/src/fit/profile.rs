//! Confidence intervals by profile likelihood.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse};
use wengert::{IntoTree, vmap};

use super::search::Problem;
use super::space::Space;
use super::{Fit, LevenbergMarquardt, Start, covariance, joined, student_t_quantile};
use crate::watch::Watch;

/// A fit with intervals for its unknowns: see [`profile`].
#[derive(Tree, Clone, Debug)]
pub struct Profile<P, T = Var> {
    /// The fit.
    pub fit: Fit<P, T>,
    /// The lower ends of the intervals; negative infinity, or the bound, where the cost does not rise enough.
    pub low: P,
    /// The upper ends.
    pub high: P,
}

/// The largest number of fits for one end.
const ENDS: i64 = 60;

/// The relative error of an end, in the root of the cost's rise.
const CLOSE: f64 = 1e-9;

/// Fits, and finds for each unknown the interval that holds its true value with a probability, from the cost itself: its
/// ends are where the smallest cost over all other unknowns has risen by `t²` times the variance of the residuals, where
/// `t` is Student's quantile. See Bates and Watts, *Nonlinear Regression Analysis* (1988), section 6.1. Unlike
/// [`Fit::confidence_intervals`], they need not be symmetric, do not depend on the scale of an unknown, and are right also
/// where the model is curved over them. The variance is that of the fit, or 1 with
/// [`absolute_sigma`](LevenbergMarquardt::absolute_sigma).
///
/// All ends are searched side by side, in a batch, each by fits with one unknown held. The intervals of fixed unknowns are
/// empty. They have no derivative.
///
/// # Errors
/// As [`least_squares`](super::least_squares); if the level is not between 0 and 1, or there are not more residuals than
/// unknowns.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::profile;
///
/// // Michaelis and Menten's law, with few readings.
/// let fit = jit(|(s, v): (Var, Var)| {
///     profile(|(top, half): (Var, Var)| top * s / (half + s) - v, (1.0, 1.0), 0.95)
/// });
/// let found = fit.call(([0.5, 1.0, 2.0, 4.0, 8.0], [0.70, 1.03, 1.31, 1.68, 1.77]))?;
/// let half = found.fit.params.1.item::<f64>()?;
/// let (low, high) = (half - found.low.1.item::<f64>()?, found.high.1.item::<f64>()? - half);
/// // It is longer above than below.
/// assert!(low > 0.0 && high > 1.1 * low);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn profile<S: Start, A: IntoTree>(
    residuals: impl Fn(S::Tree) -> A,
    start: S,
    level: f64,
) -> Profile<S::Tree> {
    LevenbergMarquardt::new().profile(residuals, start, level)
}

impl<W: Watch> LevenbergMarquardt<W> {
    /// Is [`profile`] with these options. Progress is that of the first fit.
    ///
    /// # Errors
    /// As [`profile`].
    #[track_caller]
    pub fn profile<S: Start, A: IntoTree>(
        &self,
        residuals: impl Fn(S::Tree) -> A,
        start: S,
        level: f64,
    ) -> Profile<S::Tree> {
        let place = Location::caller();
        asked_at(place, || {
            let op = "profile";
            if !(level > 0.0 && level < 1.0) {
                refuse(
                    op,
                    format!("a level of confidence is between 0 and 1, not {level}"),
                )
            }
            let start = start.parameters();
            let space = Space::new(op, start.clone());
            let residuals = |p: S::Tree| inside(|| residuals(p).into_tree());
            let fit = self.fit(op, place, &residuals, start);
            let of = |u: Var| asked_at(place, || joined(op, residuals(space.tree(u)), space.dtype));
            let problem = Problem {
                residuals: &of,
                bounds: space.bounds,
                loss: self.loss,
                dtype: space.dtype,
                place,
            };
            let best = space.numbers(&fit.params).stop_gradient();
            let best = problem.inside(space.searched(best));
            let ends = self.ends(&problem, best, level);
            let [a, b] = ends.map(|u| space.tree::<S::Tree>(u));
            let ordered = |pick: fn(Var, Var) -> Var| {
                tree::map2(a.clone(), b.clone(), |a, b| pick(a, b).stop_gradient())
            };
            Profile {
                low: ordered(|a, b| a.minimum(b)),
                high: ordered(|a, b| a.maximum(b)),
                fit,
            }
        })
    }

    /// Returns the ends of all intervals, in the coordinates of the search.
    fn ends(&self, problem: &Problem<'_>, best: Var, level: f64) -> [Var; 2] {
        let n = best.shape()[0];
        let (r, j) = problem.jacobian(best);
        let dof = r.shape()[0] as i64 - n as i64;
        if dof <= 0 {
            refuse("profile", "there are not more residuals than unknowns")
        }
        let cost = problem.loss.cost(r);
        let dtype = problem.dtype;
        let (variance, t) = match self.absolute_sigma {
            true => (ones_like(cost), Var::from(level).erf_inv() * 2f64.sqrt()),
            false => (
                cost / dof as f64,
                Var::from(student_t_quantile(0.5 + 0.5 * level, dof as f64)),
            ),
        };
        let t = t.to(dtype);
        let weighed = problem.loss.weigh(r);
        let j = weighed.row.map_or(j, |f| j * f.expand_dims(1));
        let errors = covariance(j, r, variance).diagonal().sqrt();
        let errors = errors.is_finite().select(errors, 1.0 + best.abs());
        let quiet = self.quiet();
        let end = |(j, side): (Var, Var)| {
            let own = arange(n).eq(j);
            let center = own.select(best, 0.0).sum();
            let error = own.select(errors, 0.0).sum();
            // The root of the rise, in units of the variance's root, less what it is at the end.
            let rise = |at: Var, from: Var| {
                let pinned = |u: Var| (problem.residuals)(own.select(at, u));
                let held = Problem {
                    residuals: &pinned,
                    ..*problem
                };
                let (u, _) = held.search(own.select(at, from), &quiet);
                let u = own.select(at, u);
                let rise = (problem.loss.cost((problem.residuals)(u)) - cost) / variance;
                let rise = rise.is_finite().select(rise.maximum(0.0).sqrt(), 1e9);
                (rise - t, u)
            };
            // The distance from the best value that is tried, the bracket with the values at its ends, the others.
            let first = t * error;
            let far = Var::from(f64::INFINITY).to(dtype);
            let start = (
                first,
                zeros_like(t),
                -t,
                far,
                far,
                best,
                far,
                Var::from(0i64),
            );
            type Carry = (Var, Var, Var, Var, Var, Var, Var, Var);
            let goes_on = |(.., off, tried): Carry| off.abs().gt(CLOSE * t) & tried.lt(ENDS);
            let step = |(s, low, below, high, above, from, _, tried): Carry| {
                asked_at(problem.place, || {
                    let (off, u) = rise(center + side * s, from);
                    let under = off.lt(0.0);
                    let (low, below) = (under.select(s, low), under.select(off, below));
                    let (high, above) = (under.select(high, s), under.select(above, off));
                    let from = off.lt(1e8).select(u, from);
                    // The root of the rise is nearly a line.
                    let line = low + (high - low) * (below / (below - above)).clamp(0.02, 0.98);
                    let beyond = s * (t / (off + t)).clamp(1.05, 4.0);
                    let next = high.is_finite().select(line, beyond);
                    // One end that stays is left by bisection.
                    let next =
                        (high.is_finite() & (tried % 4).eq(3)).select(0.5 * (low + high), next);
                    (next, low, below, high, above, from, off, tried + 1)
                })
            };
            let (_, low, below, high, above, ..) = while_loop(start, goes_on, step);
            let found = (below.abs().lt(above.abs())).select(low, high);
            let reached = high.is_finite() | below.abs().le(CLOSE * t);
            center + side * reached.select(found, far)
        };
        let sides = |side: f64| {
            let side = ones_of([n], dtype) * side;
            let ends = vmap(end)((arange(n), side));
            problem.inside(ends)
        };
        [sides(-1.0), sides(1.0)]
    }

    /// These options without progress.
    pub(super) fn quiet(&self) -> LevenbergMarquardt {
        LevenbergMarquardt {
            watch: (),
            ftol: self.ftol,
            xtol: self.xtol,
            gtol: self.gtol,
            max_steps: self.max_steps,
            damping: self.damping,
            radius: self.radius,
            method: self.method,
            geodesic: self.geodesic,
            orthogonal: self.orthogonal,
            loss: self.loss,
            absolute_sigma: self.absolute_sigma,
            derivative: self.derivative,
        }
    }
}
