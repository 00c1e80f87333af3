//! Smoothing splines.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::banded::{Asked, factors};
use super::piecewise::Piecewise;
use super::{expect_points, part};

/// A smoothing spline.
#[derive(Tree, Clone, Debug)]
pub struct Smoothed<T = Var> {
    /// The curve: a natural cubic spline with a knot at each point.
    pub curve: Piecewise<T>,
    /// The weight of the integral of the squared second derivative.
    pub lambda: T,
    /// The score of generalised cross-validation.
    pub score: T,
    /// The effective number of parameters, from 2 for a line to the number of points.
    pub freedom: T,
}

/// The system of Reinsch: what does not depend on lambda.
struct System {
    /// The bands of the integral of squared second derivatives, and of the residuals, `[n - 2, 3]`.
    curvature: Var,
    residual: Var,
    /// The second differences of the values.
    right: Var,
    x: Var,
    y: Var,
    weights: Var,
}

/// Puts a diagonal and the two beside it, which are shorter, into the columns of bands.
fn bands(diagonals: [Var; 3]) -> Var {
    let columns = diagonals.into_iter().enumerate();
    let columns = columns.map(|(j, v)| v.pad([(j, 0)]));
    stack_axis(columns.collect::<Vec<Var>>(), 1)
}

impl System {
    fn new(x: Var, y: Var, weights: Var) -> System {
        let n = x.shape()[0];
        let m = n - 2;
        let h = x.diff(0);
        let (h0, h1) = (part(h, 0, m), part(h, 1, m + 1));
        let (p, r) = (h0.recip(), h1.recip());
        let q = -p - r;
        let u = weights.recip();
        let (u0, u1, u2) = (part(u, 0, m), part(u, 1, m + 1), part(u, 2, n));
        let zero = zeros_like(part(h0, 0, m - 2));
        let next = |v: Var, k: usize| part(v, k, m);
        let cut = |v: Var, k: usize| part(v, 0, m - k);
        System {
            curvature: bands([(h0 + h1) / 3.0, cut(h1, 1) / 6.0, zero]),
            residual: bands([
                p * p * u0 + q * q * u1 + r * r * u2,
                cut(q * u1, 1) * next(p, 1) + cut(r * u2, 1) * next(q, 1),
                cut(r * u2, 2) * next(p, 2),
            ]),
            right: (y.diff(0) / h).diff(0),
            x,
            y,
            weights,
        }
    }

    /// Returns the values at the points, the second derivatives there, the score and the freedom.
    fn solve(&self, place: Asked, lambda: Var) -> [Var; 4] {
        let n = self.x.shape()[0];
        let found = factors(place, self.curvature + lambda * self.residual);
        let inner = found.solve(place, self.right);
        let curved = inner.pad([(1, 1)]);
        let bend = curved.diff(0) / self.x.diff(0);
        let bend = concat(
            [part(bend, 0, 1), bend.diff(0), -part(bend, n - 2, n - 1)],
            0,
        );
        let residuals = lambda * bend / self.weights;

        // The elements of the inverse in the bands (Hutchinson and de Hoog, 1985), from the last row on.
        let m = n - 2;
        let l = |j: usize| {
            let column = found.lower.at((.., j - 1));
            part(column, j, m).pad([(0, j)])
        };
        let zero = zeros_like(inner.at(0));
        let rows = (found.pivots, l(1), l(2));
        let (_, inverse) = scan_reverse(
            [zero; 3],
            rows,
            |[b11, b12, b22]: [Var; 3], (d, l1, l2): (Var, Var, Var)| {
                asked_at(place, || {
                    let b02 = -l1 * b12 - l2 * b22;
                    let b01 = -l1 * b11 - l2 * b12;
                    let b00 = d.recip() - l1 * b01 - l2 * b02;
                    ([b00, b01, b11], [b00, b01, b02])
                })
            },
        );
        let band = |j: usize| part(self.residual.at((.., j)), j, m);
        let trace = (inverse[0] * band(0)).sum()
            + 2.0 * (cut(inverse[1], 1) * band(1)).sum()
            + 2.0 * (cut(inverse[2], 2) * band(2)).sum();
        let left = lambda * trace;
        let count = n as f64;
        let misfit = (self.weights * residuals.square()).sum() / count;
        let score = misfit / (left / count).square();
        [self.y - residuals, curved, score, count - left]
    }

    /// Returns the lambda with the least score: on a grid of its logarithm, then by golden sections.
    fn best(&self, place: Asked) -> Var {
        let scale = self.curvature.at((.., 0)).sum() / self.residual.at((.., 0)).sum();
        let score = |e: Var| {
            let lambda = scale * (10f64.ln() * e).exp().to(scale.dtype());
            self.solve(place, lambda)[2].to(DType::F64)
        };
        let (low, step, count) = (-6.0, 0.25, 57);
        let grid = linspace(low, low + step * (count - 1) as f64, count);
        let scores = wengert::map(grid, |e: Var| asked_at(place, || score(e)));
        let scores = scores.is_finite().select(scores, f64::INFINITY);
        // Of several minima the one with the largest lambda, unless it is hardly better than a line: if errors are
        // correlated, another one has a curve through all points.
        let (before, after) = (part(scores, 0, count - 2), part(scores, 2, count));
        let inner = part(scores, 1, count - 1);
        let least = inner.le(before) & inner.lt(after) & inner.lt(0.999 * scores.at(-1));
        let places = least.select(arange(1..count as i64 - 1), 0);
        let nearest = places.amax().gt(0).select(places.amax(), scores.argmin());
        let middle = grid.at(nearest);
        let ratio = 0.5 * (5f64.sqrt() - 1.0);
        let (a, b) = (middle - step, middle + step);
        let (a, b) = fori(0..36, (a, b), |_, (a, b): (Var, Var)| {
            asked_at(place, || {
                let (c, d) = (b - ratio * (b - a), a + ratio * (b - a));
                let both = wengert::map(stack((c, d)), |e: Var| asked_at(place, || score(e)));
                let left = both.at(0).lt(both.at(1));
                (left.select(a, c), left.select(d, b))
            })
        });
        scale * (10f64.ln() * 0.5 * (a + b)).exp().to(scale.dtype())
    }
}

fn cut(v: Var, k: usize) -> Var {
    let m = v.shape()[0];
    part(v, 0, m - k)
}

/// The spline that minimises the sum of squared residuals plus `lambda` times the integral of its squared second
/// derivative (Reinsch, 1967), where `lambda` has the least score of generalised cross-validation (Craven and
/// Wahba, 1979): `n Σ r² / (n - freedom)²`. Of several minima it is the one with the largest `lambda` that is better
/// than a line. Everything is linear in the number of points.
///
/// The derivative is in values and places for the `lambda` that was found, which itself has none.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::smoothing_spline;
///
/// let f = jit(|(x, y): (Var, Var)| smoothing_spline(x, y));
/// let x: Vec<f64> = (0..60).map(|i| 0.1 * f64::from(i)).collect();
/// let noise = |x: f64| 0.1 * (1e4 * (x + 1.0)).sin();
/// let y: Vec<f64> = x.iter().map(|x| x.sin() + noise(*x)).collect();
/// let smooth = f.call((x, y))?;
/// let freedom = smooth.freedom.item::<f64>()?;
/// assert!(4.0 < freedom && freedom < 20.0, "{freedom}");
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If places and values are not two vectors of floats of one length, of five points at least.
#[track_caller]
pub fn smoothing_spline(x: impl Into<Var>, y: impl Into<Var>) -> Smoothed {
    let (x, y) = (x.into(), y.into());
    let place = Location::caller();
    asked_at(place, || smoothed(place, x, y, None, None))
}

/// Is [`smoothing_spline`] with weights of the squared residuals, and with a `lambda` that is given, a number; either
/// may be `None`. The derivative is in `lambda`, too.
///
/// # Errors
/// Those of [`smoothing_spline`]; and if weights are not a vector like the values, or `lambda` is no number.
#[track_caller]
pub fn smoothing_spline_with(
    x: impl Into<Var>,
    y: impl Into<Var>,
    weights: Option<Var>,
    lambda: Option<Var>,
) -> Smoothed {
    let (x, y) = (x.into(), y.into());
    let place = Location::caller();
    asked_at(place, || smoothed(place, x, y, weights, lambda))
}

fn smoothed(place: Asked, x: Var, y: Var, weights: Option<Var>, lambda: Option<Var>) -> Smoothed {
    let n = expect_points("smoothing_spline", x, y, 5);
    let weights = weights.unwrap_or(ones_like(y));
    expect_points("smoothing_spline", weights, y, 5);
    if let Some(lambda) = lambda.filter(|l| l.rank() != 0 || !l.ty().is_float()) {
        let message = format!("lambda is a number, and this is {}", lambda.ty());
        refuse("smoothing_spline", message);
    }
    let system = System::new(x, y, weights);
    let lambda = match lambda {
        Some(lambda) => lambda,
        None => {
            let fixed = stop_gradient([x, y, weights]);
            System::new(fixed[0], fixed[1], fixed[2]).best(place)
        }
    };
    let [values, curved, score, freedom] = system.solve(place, lambda.to(y.dtype()));
    let h = x.diff(0);
    let (c0, c1) = (part(curved, 0, n - 1), part(curved, 1, n));
    let parts = [
        part(values, 0, n - 1),
        values.diff(0) / h - h * (2.0 * c0 + c1) / 6.0,
        0.5 * c0,
        (c1 - c0) / (6.0 * h),
    ];
    Smoothed {
        curve: Piecewise::made(x, stack_axis(parts, 1)),
        lambda,
        score,
        freedom,
    }
}
