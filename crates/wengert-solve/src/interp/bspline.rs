//! B-splines.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::banded::{Asked, factors};
use super::{expect_points, part};

/// A spline as a sum of B-splines (de Boor, *A Practical Guide to Splines*, chapters IX and X): `n` coefficients,
/// and `n + degree + 1` knots that do not fall. Outside of its knots the first and the last polynomial go on.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::BSpline;
///
/// // A parabola on two pieces, its slope and its area.
/// let f = jit(|c: Var| {
///     let s = BSpline::new([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0], c, 2);
///     (s.at([0.0, 0.25, 1.0]), s.derivative().at(0.25), s.integral(0.0, 1.0))
/// });
/// // x² has the coefficients 0, 0, 1/2, 1.
/// let (y, slope, area) = f.call([0.0, 0.0, 0.5, 1.0])?;
/// assert_eq!(y.to_vec::<f64>()?, [0.0, 0.0625, 1.0]);
/// assert_eq!(slope.item::<f64>()?, 0.5);
/// assert!((area.item::<f64>()? - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
pub struct BSpline<T = Var> {
    knots: T,
    coefficients: T,
    #[tree(skip)]
    degree: usize,
}

/// The highest degree.
const HIGHEST: usize = 7;

impl BSpline {
    /// Makes a spline of knots, coefficients and a degree of at most 7.
    ///
    /// # Errors
    /// If they are not vectors of floats of lengths `n + degree + 1` and `n`, with `n` above the degree.
    #[track_caller]
    pub fn new(knots: impl Into<Var>, coefficients: impl Into<Var>, degree: usize) -> BSpline {
        let (knots, coefficients) = (knots.into(), coefficients.into());
        asked_at(Location::caller(), || {
            let (t, c) = (knots.ty(), coefficients.ty());
            let floats = t.is_float() && c.is_float() && t.rank() == 1 && c.rank() == 1;
            let fits = floats && t.dims()[0] == c.dims()[0] + degree + 1 && c.dims()[0] > degree;
            if !fits || degree > HIGHEST {
                let message = format!(
                    "{t} knots and {c} coefficients of degree {degree}; for n coefficients, more than the degree, \
                     there are n + degree + 1 knots, and the degree is at most {HIGHEST}"
                );
                refuse("b_spline", message);
            }
            BSpline {
                knots,
                coefficients,
                degree,
            }
        })
    }

    /// Returns the knots.
    pub fn knots(&self) -> Var {
        self.knots
    }

    /// Returns the coefficients.
    pub fn coefficients(&self) -> Var {
        self.coefficients
    }

    /// Returns the number of the knot before each `x`, which begins a piece.
    fn piece(&self, x: Var) -> Var {
        let last = self.coefficients.shape()[0] as i64 - 1;
        let i = self.knots.searchsorted_right(x).to(DType::I64) - 1;
        i.clamp(self.degree as i64, last)
    }

    /// Returns the knots beside a piece, by their distance from its first.
    fn knot(&self, piece: Var, by: i64) -> Var {
        self.knots.take(piece + by, 0)
    }

    /// Returns the values at numbers of any shape, by de Boor's algorithm. A NaN gives NaN.
    #[track_caller]
    pub fn at(&self, x: impl Into<Var>) -> Var {
        let x = x.into();
        asked_at(Location::caller(), || {
            let k = self.degree as i64;
            let i = self.piece(x);
            let mut d: Vec<Var> = (0..=k)
                .map(|j| self.coefficients.take(i - k + j, 0))
                .collect();
            for r in 1..=k {
                for j in (r..=k).rev() {
                    let (low, high) = (self.knot(i, j - k), self.knot(i, j + 1 - r));
                    let part = (x - low) / (high - low);
                    let (a, b) = (d[j as usize - 1], d[j as usize]);
                    d[j as usize] = a + part * (b - a);
                }
            }
            let y = d[k as usize];
            match k {
                // A constant does not see a NaN.
                0 => x.is_nan().select(f64::NAN, y),
                _ => y,
            }
        })
    }

    /// Returns the derivative, a spline of one degree less; of degree 0 it is zero.
    #[track_caller]
    pub fn derivative(&self) -> BSpline {
        asked_at(Location::caller(), || {
            let (k, n) = (self.degree, self.coefficients.shape()[0]);
            if k == 0 {
                return BSpline {
                    coefficients: zeros_like(self.coefficients),
                    ..self.clone()
                };
            }
            let width = part(self.knots, k + 1, n + k) - part(self.knots, 1, n);
            let some = width.ne(0.0);
            let slopes = self.coefficients.diff(0) * k as f64;
            BSpline {
                knots: part(self.knots, 1, n + k),
                coefficients: some.select(slopes / some.select(width, 1.0), 0.0),
                degree: k - 1,
            }
        })
    }

    /// Returns an antiderivative, a spline of one degree more, which is 0 at the first knot.
    #[track_caller]
    pub fn antiderivative(&self) -> BSpline {
        asked_at(Location::caller(), || {
            let (k, n) = (self.degree, self.coefficients.shape()[0]);
            let width = part(self.knots, k + 1, n + k + 1) - part(self.knots, 0, n);
            let sums = (self.coefficients * width / (k as f64 + 1.0)).cumsum(0);
            let (first, last) = (part(self.knots, 0, 1), part(self.knots, n + k, n + k + 1));
            BSpline {
                knots: concat([first, self.knots, last], 0),
                coefficients: concat([zeros_like(part(sums, 0, 1)), sums], 0),
                degree: k + 1,
            }
        })
    }

    /// Returns the integral from `a` to `b`, arrays that broadcast.
    #[track_caller]
    pub fn integral(&self, a: impl Into<Var>, b: impl Into<Var>) -> Var {
        let (a, b) = (a.into(), b.into());
        asked_at(Location::caller(), || {
            let whole = self.antiderivative();
            whole.at(b) - whole.at(a)
        })
    }

    /// Fits the spline with the least sum of squared residuals, in linear time. `inner` are the knots between the
    /// first and the last place, which are knots of multiplicity `degree + 1`. The derivative is in values, places
    /// and knots.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::interp::BSpline;
    ///
    /// let f = jit(|(x, y): (Var, Var)| BSpline::fit(x, y, [0.5], 3).at(0.3));
    /// let x: Vec<f64> = (0..20).map(|i| f64::from(i) / 19.0).collect();
    /// let y: Vec<f64> = x.iter().map(|x| x * x * x).collect();
    /// assert!((f.call((x, y))?.item::<f64>()? - 0.027).abs() < 1e-12);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the vectors do not fit, or there are fewer points than coefficients. Where no points decide on a
    /// coefficient (Schoenberg and Whitney, 1953), the spline is NaN or infinite.
    #[track_caller]
    pub fn fit(
        x: impl Into<Var>,
        y: impl Into<Var>,
        inner: impl Into<Var>,
        degree: usize,
    ) -> BSpline {
        let (x, y, inner) = (x.into(), y.into(), inner.into());
        let place = Location::caller();
        asked_at(place, || fitted(place, x, y, inner, degree, None))
    }

    /// Fits a spline with a penalty: `lambda` times the sum of the squared second differences of its coefficients
    /// (Eilers and Marx, "Flexible smoothing with B-splines and penalties", 1996). The knots may then be many. The
    /// derivative is in `lambda`, too.
    ///
    /// # Errors
    /// As for [`BSpline::fit`], except that there may be fewer points than coefficients.
    #[track_caller]
    pub fn smooth(
        x: impl Into<Var>,
        y: impl Into<Var>,
        inner: impl Into<Var>,
        degree: usize,
        lambda: impl Into<Var>,
    ) -> BSpline {
        let (x, y, inner, lambda) = (x.into(), y.into(), inner.into(), lambda.into());
        let place = Location::caller();
        asked_at(place, || fitted(place, x, y, inner, degree, Some(lambda)))
    }

    /// Returns the `degree + 1` B-splines that are not zero at `x` (Cox and de Boor).
    fn basis(&self, piece: Var, x: Var) -> Vec<Var> {
        let mut all = vec![ones_like(x)];
        for r in 1..=self.degree as i64 {
            let mut saved = zeros_like(x);
            for j in 0..r {
                let right = self.knot(piece, j + 1) - x;
                let left = x - self.knot(piece, j + 1 - r);
                let part = all[j as usize] / (right + left);
                all[j as usize] = saved + right * part;
                saved = left * part;
            }
            all.push(saved);
        }
        all
    }
}

fn fitted(place: Asked, x: Var, y: Var, inner: Var, degree: usize, lambda: Option<Var>) -> BSpline {
    let count = expect_points("b_spline", x, y, 2);
    if degree > HIGHEST || inner.rank() != 1 || !inner.ty().is_float() {
        let message = format!(
            "inner knots of {} and degree {degree}; knots are a vector, and the degree is at most {HIGHEST}",
            inner.ty()
        );
        refuse("b_spline", message);
    }
    let n = inner.shape()[0] + degree + 1;
    if lambda.is_none() && n > count {
        refuse("b_spline", format!("{count} points for {n} coefficients"));
    }
    let end = |v: Var| v.expand_dims(0).broadcast_to(degree + 1);
    let spline = BSpline {
        knots: concat([end(x.at(0)), inner, end(x.at(-1))], 0),
        coefficients: zeros_of(n, y.dtype()),
        degree,
    };
    // The normal equations, whose matrix has as many bands as the degree.
    let width = match lambda {
        None => degree,
        Some(_) => degree.max(2),
    };
    let i = spline.piece(x);
    let basis = spline.basis(i, x);
    let mut bands = zeros_of(n * (width + 1), y.dtype());
    let mut right = zeros_of(n, y.dtype());
    for (a, value) in basis.iter().enumerate() {
        let row = i - degree as i64 + a as i64;
        right = right.at_add(row, *value * y);
        for (b, other) in basis[..=a].iter().enumerate() {
            let slot = row * (width as i64 + 1) + (a - b) as i64;
            bands = bands.at_add(slot, *value * *other);
        }
    }
    let mut bands = bands.reshape([n, width + 1]);
    if let Some(lambda) = lambda {
        let penalty = Var::from(second_differences(n, width)).to(y.dtype());
        bands += lambda.to(y.dtype()) * penalty.reshape([n, width + 1]);
    }
    BSpline {
        coefficients: factors(place, bands).solve(place, right),
        ..spline
    }
}

/// Returns the bands of the matrix of the sum of squared second differences.
fn second_differences(n: usize, width: usize) -> Vec<f64> {
    let mut bands = vec![0.0; n * (width + 1)];
    let d = [1.0, -2.0, 1.0];
    for i in 0..n.saturating_sub(2) {
        for a in 0..3 {
            for b in 0..=a {
                bands[(i + a) * (width + 1) + a - b] += d[a] * d[b];
            }
        }
    }
    bands
}
