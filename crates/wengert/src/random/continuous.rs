//! Distributions with a known quantile function: one word of the generator per draw.

use std::f64::consts::PI;
use std::panic::Location;

use wengert_ir::ir::Type;
use wengert_ir::trace::{IntoVar, Var, asked_at};

use super::Key;
use super::shape::{Draws, FLOATS, asked, parameter};
use super::valid::where_valid;

/// # Distributions on the line
///
/// Each draw is the quantile of one 64-bit word (`f32`: of a 32-bit one), which increases with the result of
/// [`Key::uniform`] for the same key. Distributions with a location and a scale are drawn with location 0 and
/// scale 1: write `m + s * key.laplace([n])`. Parameters broadcast to the shape.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| {
///     let [a, b, c, d, e, f, g] = key.split_n();
///     let n = [10_000];
///     [
///         a.exponential(n), b.laplace(n), c.logistic(n), d.gumbel(n), e.cauchy(n), f.rayleigh(n), g.pareto(3.0, n),
///     ]
///     .map(|x| x.median())
/// });
/// let medians = f.call(Key::from_seed(0))?;
/// let wanted = [2f64.ln(), 0.0, 0.0, -2f64.ln().ln(), 0.0, (2.0 * 2f64.ln()).sqrt(), 2f64.cbrt()];
/// for (median, wanted) in medians.iter().zip(wanted) {
///     assert!((median.item::<f64>()? - wanted).abs() < 0.06);
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
impl Key {
    /// Draws from the exponential distribution with rate 1: density `e^-x`.
    #[track_caller]
    pub fn exponential(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("exponential", shape, FLOATS);
            self.waits("exponential", &ty)
        })
    }

    /// Draws from the Laplace distribution: density `e^-|x| / 2`.
    #[track_caller]
    pub fn laplace(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("laplace", shape, FLOATS);
            let v = self.tails("laplace", &ty);
            (-(2.0 * v.abs()).ln()).copysign(v)
        })
    }

    /// Draws from the logistic distribution: `P(x < t) = 1 / (1 + e^-t)`.
    #[track_caller]
    pub fn logistic(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("logistic", shape, FLOATS);
            let v = self.tails("logistic", &ty);
            let q = v.abs();
            ((-q).log1p() - q.ln()).copysign(v)
        })
    }

    /// Draws from the Gumbel distribution: `P(x < t) = e^(-e^-t)`.
    #[track_caller]
    pub fn gumbel(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("gumbel", shape, FLOATS);
            self.extremes("gumbel", &ty)
        })
    }

    /// Draws from the Cauchy distribution: density `1 / (π (1 + x²))`.
    #[track_caller]
    pub fn cauchy(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("cauchy", shape, FLOATS);
            (PI * self.tails("cauchy", &ty)).tan().recip()
        })
    }

    /// Draws from the Rayleigh distribution: density `x e^(-x²/2)` for `x > 0`.
    #[track_caller]
    pub fn rayleigh(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("rayleigh", shape, FLOATS);
            (2.0 * self.waits("rayleigh", &ty)).sqrt()
        })
    }

    /// Draws from the Weibull distribution: `P(x > t) = e^(-t^k)` for `t > 0`, with a finite `k > 0`. The
    /// derivative in `k` is that of the draw.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(k, key): (Var, Key)| grad_at(k, |k| key.weibull(k, [1000]).mean()));
    /// assert!(f.call((2.0, Key::from_seed(0)))?.item::<f64>()?.is_finite());
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn weibull(self, k: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("weibull", shape, FLOATS);
            let k = positive(parameter("weibull", k, &ty));
            let log = self.waits("weibull", &ty).ln() / k;
            // Below this the draw is 0 in any case, and so is its derivative.
            log.lt(-800.0).select(-800.0, log).exp()
        })
    }

    /// Draws from the Pareto distribution: `P(x > t) = t^-a` for `t > 1`, with a finite `a > 0`. The derivative
    /// in `a` is that of the draw.
    #[track_caller]
    pub fn pareto(self, a: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("pareto", shape, FLOATS);
            let a = positive(parameter("pareto", a, &ty));
            (self.waits("pareto", &ty) / a).exp()
        })
    }

    #[track_caller]
    fn waits(self, op: &str, ty: &Type) -> Var {
        -self.probabilities(op, ty).ln()
    }

    /// Draws from the Gumbel distribution, accurate in its upper tail.
    #[track_caller]
    pub(super) fn extremes(self, op: &str, ty: &Type) -> Var {
        let q = self.probabilities(op, ty);
        -(-(-q).log1p()).ln()
    }
}

/// Returns `x`, or NaN where it is not finite and positive.
#[track_caller]
pub(super) fn positive(x: Var) -> Var {
    where_valid(x, x.gt(0.0).and(x.is_finite()))
}
