//! Options of fits.

use crate::watch::{OnStep, Step};

use super::Loss;

/// How a step is limited where the linear model of the residuals is not good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Method {
    /// The `p` of the smallest `|J p + r|² + λ |D p|²`, with the `λ` for which `|D p|` is a radius, which follows the
    /// ratio of actual to predicted reduction; `λ = 0` where the Gauss-Newton step is no longer. `D` holds the largest
    /// lengths so far of the columns of `J`. See Moré, *The Levenberg-Marquardt algorithm: implementation and theory*
    /// (1978), and MINPACK, whose rules for the radius these are.
    #[default]
    LevenbergMarquardt,
    /// Such steps whose `λ` itself follows the ratio, as in Nielsen, *Damping parameter in Marquardt's method* (1999); it
    /// falls further the closer the ratio is to 1. A step is cheaper than with a radius, and more of them are taken.
    Damped,
    /// The way from the steepest descent to the Gauss-Newton step, up to a radius: Powell (1970), in coordinates scaled
    /// by `D`. The radius follows the ratio as in MINPACK.
    Dogleg,
    /// The Gauss-Newton step, halved until the cost falls by the part that Armijo's condition asks for.
    GaussNewton,
}

/// What the derivative of what was found is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Derivative {
    /// By the implicit function theorem: of the solution of `Jᵀ r = 0`, with exact second derivatives of the residuals,
    /// whatever the steps were. Where bounds hold a number, its derivative is that of the bound.
    #[default]
    Implicit,
    /// Through the steps that were taken; damping and scales count as constants.
    Steps,
}

/// Least squares by damped Gauss-Newton steps: options of [`least_squares`](super::least_squares) and
/// [`curve_fit`](super::curve_fit).
///
/// A step is accepted if the cost falls by at least 1e-4 of what the linear model predicts. A search ends where one of
/// these tests holds, in the order of their statuses; `p` is a step, `s` is about how many times longer it would be without
/// its damping or radius (`1 + λ` with damping), and `L` the lengths of the columns of the Jacobian:
///
/// | status | test |
/// |---|---|
/// | `GradientConverged` | the cosine of the angle between the residuals and each column of the Jacobian is at most `gtol` |
/// | `StepConverged` | `s abs(L p) <= xtol abs(L x)` |
/// | `ValueConverged` | `s` times the predicted reduction is at most `ftol` times the cost, and the actual one is so as far as its rounding errors show; or twelve steps in a row changed the cost by less than its rounding errors and became no shorter |
/// | `StepLimit` | `max_steps` steps were tried |
/// | `Stalled`, `NotFinite` | steps have become 1e20 times shorter without one that could be accepted |
///
/// The predicted reduction is the square of a length, so that it is known far below the rounding errors of the cost:
/// with the default, `ftol = 1e-20`, the last step is a change of 1e-10 standard errors.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::{LevenbergMarquardt, Loss};
///
/// // A line through points of which one is far off.
/// let x = [0.0, 1.0, 2.0, 3.0, 4.0];
/// let y = [1.0, 3.0, 5.0, 70.0, 9.0];
/// let robust = LevenbergMarquardt::new().loss(Loss::Tukey(1.0)).max_steps(50);
/// let fit = jit(move |(x, y): (Var, Var)| {
///     robust.least_squares(|(a, b): (Var, Var)| a * x + b - y, (1.5, 1.2))
/// });
/// let (slope, height) = fit.call((x, y))?.ok()?.params;
/// assert!((slope.item::<f64>()? - 2.0).abs() < 1e-9 && (height.item::<f64>()? - 1.0).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LevenbergMarquardt<W = ()> {
    pub(super) ftol: f64,
    pub(super) xtol: f64,
    pub(super) gtol: f64,
    pub(super) max_steps: i64,
    pub(super) damping: f64,
    pub(super) radius: f64,
    pub(super) method: Method,
    pub(super) geodesic: Option<f64>,
    pub(super) orthogonal: bool,
    pub(super) loss: Loss,
    pub(super) absolute_sigma: bool,
    pub(super) derivative: Derivative,
    pub(super) watch: W,
}

impl Default for LevenbergMarquardt {
    fn default() -> LevenbergMarquardt {
        LevenbergMarquardt {
            ftol: 1e-20,
            xtol: 1e-14,
            gtol: 0.0,
            max_steps: 1000,
            damping: 1e-3,
            radius: 1.0,
            method: Method::LevenbergMarquardt,
            geodesic: None,
            orthogonal: false,
            loss: Loss::Squares,
            absolute_sigma: false,
            derivative: Derivative::Implicit,
            watch: (),
        }
    }
}

impl LevenbergMarquardt {
    /// The default options.
    pub fn new() -> LevenbergMarquardt {
        LevenbergMarquardt::default()
    }
}

impl<W> LevenbergMarquardt<W> {
    /// The change of the cost, relative to it, below which the search ends (1e-20 by default).
    #[must_use]
    pub fn ftol(mut self, ftol: f64) -> Self {
        self.ftol = ftol;
        self
    }

    /// The change of the unknowns, relative to them and scaled by the columns of the Jacobian, below which the search ends (1e-14 by default). For `f32`
    /// it is at least four times the distance of 1 to the next number.
    #[must_use]
    pub fn xtol(mut self, xtol: f64) -> Self {
        self.xtol = xtol;
        self
    }

    /// The cosine between residuals and columns of the Jacobian below which the search ends (0 by default).
    #[must_use]
    pub fn gtol(mut self, gtol: f64) -> Self {
        self.gtol = gtol;
        self
    }

    /// The largest number of steps that are tried (1000 by default).
    #[must_use]
    pub fn max_steps(mut self, max_steps: i64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// The damping of the first step of [`Method::Damped`] (1e-3 by default).
    #[must_use]
    pub fn damping(mut self, damping: f64) -> Self {
        self.damping = damping;
        self
    }

    /// The radius of the first step, relative to the length of the start in the scales `D` (1 by default): MINPACK's `factor`. A start
    /// of zeros has the length 1.
    #[must_use]
    pub fn radius(mut self, radius: f64) -> Self {
        self.radius = radius;
        self
    }

    /// How steps are limited ([`Method::LevenbergMarquardt`] by default).
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds to damped steps what the curvature of the residuals along them calls for (Transtrum and Sethna,
    /// *Improvements to the Levenberg-Marquardt algorithm*, 2012): fewer steps through narrow valleys, of three times
    /// the price. Steps whose correction is longer than 0.75 of half the step are not accepted.
    #[must_use]
    pub fn geodesic(mut self, geodesic: bool) -> Self {
        self.geodesic = geodesic.then_some(0.75);
        self
    }

    /// Orthogonal factors for every step (false by default). Otherwise steps are by Cholesky factors of the normal equations where
    /// the columns of the Jacobian are far enough apart to keep half of the digits of a step; what is found, and its
    /// covariance, do not depend on it.
    #[must_use]
    pub fn orthogonal(mut self, orthogonal: bool) -> Self {
        self.orthogonal = orthogonal;
        self
    }

    /// How much residuals count ([`Loss::Squares`] by default).
    #[must_use]
    pub fn loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// The covariance is that for residuals of standard deviation 1, as those divided by their known `sigma`
    /// (by default the variance of the residuals is estimated from what they are).
    #[must_use]
    pub fn absolute_sigma(mut self, absolute_sigma: bool) -> Self {
        self.absolute_sigma = absolute_sigma;
        self
    }

    /// What the derivative of what is found is ([`Derivative::Implicit`] by default).
    #[must_use]
    pub fn derivative(mut self, derivative: Derivative) -> Self {
        self.derivative = derivative;
        self
    }

    /// Calls a closure after each accepted step, with the number of steps tried, the cost, and the length of the step in
    /// the scales `D`. The elements of a batch then run one by one.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use wengert::prelude::*;
    /// use wengert_solve::fit::LevenbergMarquardt;
    ///
    /// let costs = Arc::new(Mutex::new(vec![]));
    /// let seen = costs.clone();
    /// let log = LevenbergMarquardt::new().on_step(move |s| seen.lock().unwrap().push(s.value));
    /// let fit = jit(move |a: Var| log.clone().least_squares(|x: Var| x.exp() - a, 0.0).params);
    /// assert!((fit.call(2.0)?.item::<f64>()? - 2f64.ln()).abs() < 1e-14);
    /// assert!(costs.lock().unwrap().is_sorted_by(|a, b| a > b));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[must_use]
    pub fn on_step<F>(self, f: F) -> LevenbergMarquardt<OnStep<F>>
    where
        F: Fn(Step<f64>) + Clone + Send + Sync + 'static,
    {
        LevenbergMarquardt {
            watch: OnStep(f),
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
