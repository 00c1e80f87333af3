//! Surfaces through values on a grid.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::banded::Asked;
use super::cubic::{Ends, cubic_spline};
use super::piecewise::Outside;
use super::{expect_points, increase};

/// A polynomial in two variables on each cell of a grid.
#[derive(Tree, Clone, Debug)]
pub struct Surface<T = Var> {
    x: T,
    y: T,
    /// `[n - 1, m - 1, k, l]`: for each cell the factors of powers of the distances from its first corner.
    factors: T,
    #[tree(skip)]
    outside: Outside,
}

/// Requires the places of a grid, and values for them.
fn expect_grid(op: &str, x: Var, y: Var, z: Var) {
    expect_points(op, x, x, 2);
    expect_points(op, y, y, 2);
    let (n, m) = (x.shape()[0], y.shape()[0]);
    if z.shape() != [n, m] || !z.ty().is_float() {
        let message = format!(
            "the places are {} and {}, and the values {}, not floats [{n},{m}]",
            x.ty(),
            y.ty(),
            z.ty()
        );
        refuse(op, message);
    }
}

/// Interpolates values on a grid, `z[i, j]` at `(x[i], y[j])`, by `a + b x + c y + d x y` in each cell.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::bilinear;
///
/// let f = jit(|z: Var| bilinear([0.0, 1.0], [0.0, 2.0], z).at(0.5, 0.5));
/// assert_eq!(f.call([[0.0, 2.0], [1.0, 3.0]])?.item::<f64>()?, 1.0);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If places are not vectors of at least two floats, or values are not a matrix for them.
#[track_caller]
pub fn bilinear(x: impl Into<Var>, y: impl Into<Var>, z: impl Into<Var>) -> Surface {
    let (x, y, z) = (x.into(), y.into(), z.into());
    asked_at(Location::caller(), || {
        expect_grid("bilinear", x, y, z);
        let along = |z: Var, axis: usize, h: Var| {
            let n = z.shape()[axis];
            (z.slice_axis(axis, 0..n - 1), z.diff(axis) / h)
        };
        let (constant, slope) = along(z, 0, x.diff(0).expand_dims(1));
        let (a, c) = along(constant, 1, y.diff(0));
        let (b, d) = along(slope, 1, y.diff(0));
        let factors = stack_axis([stack_axis([a, c], 2), stack_axis([b, d], 2)], 2);
        Surface::made(x, y, factors)
    })
}

/// Interpolates values on a grid by cubic splines in both variables, with [`Ends::NotAKnot`]: second derivatives
/// are continuous.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::bicubic;
///
/// let f = jit(|z: Var| {
///     let places = [0.0, 1.0, 2.0, 3.0];
///     bicubic(places, places, z).at(0.5, 2.5)
/// });
/// // x³ y is found exactly.
/// let z: Vec<Vec<f64>> = (0..4).map(|i| (0..4).map(|j| f64::from(i * i * i * j)).collect()).collect();
/// assert!((f.call(z)?.item::<f64>()? - 0.3125).abs() < 1e-13);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// As for [`bilinear`].
#[track_caller]
pub fn bicubic(x: impl Into<Var>, y: impl Into<Var>, z: impl Into<Var>) -> Surface {
    let (x, y, z) = (x.into(), y.into(), z.into());
    let place = Location::caller();
    asked_at(place, || {
        expect_grid("bicubic", x, y, z);
        let (n, m) = (x.shape()[0], y.shape()[0]);
        // Along y for each row, then along x for each factor.
        let rows = splines(place, y, z);
        let columns = splines(place, x, rows.reshape([n, (m - 1) * 4]).t());
        let factors = columns
            .reshape([m - 1, 4, n - 1, 4])
            .transpose([2, 0, 3, 1]);
        Surface::made(x, y, factors)
    })
}

/// Returns the factors of the splines through the rows of a matrix.
fn splines(place: Asked, x: Var, rows: Var) -> Var {
    wengert::map(rows, |y: Var| {
        asked_at(place, || cubic_spline(x, y, Ends::NotAKnot).factors())
    })
}

impl Surface {
    fn made(x: Var, y: Var, factors: Var) -> Surface {
        Surface {
            x,
            y,
            factors: (increase(x) & increase(y)).select(factors, f64::NAN),
            outside: Outside::Extend,
        }
    }

    /// Sets what the surface is outside of the grid: `Extend`, `Clamp`, `Nan` or `Zero`.
    ///
    /// # Errors
    /// For another rule.
    #[track_caller]
    pub fn outside(mut self, outside: Outside) -> Surface {
        asked_at(Location::caller(), || {
            if let Outside::Linear | Outside::Periodic = outside {
                let message = format!(
                    "{outside:?} is a rule for curves; surfaces have Extend, Clamp, Nan and Zero"
                );
                refuse("surface", message);
            }
        });
        self.outside = outside;
        self
    }

    /// Returns the values at `(x, y)`, arrays of any shapes that broadcast.
    #[track_caller]
    pub fn at(&self, x: impl Into<Var>, y: impl Into<Var>) -> Var {
        let (x, y) = (x.into(), y.into());
        asked_at(Location::caller(), || {
            let within = |v: Var, places: Var| v.clamp(places.at(0), places.at(-1));
            let (near_x, near_y) = (within(x, self.x), within(y, self.y));
            let out = || x.ne(near_x) | y.ne(near_y);
            match self.outside {
                Outside::Clamp => self.inside(near_x, near_y),
                Outside::Nan => out().select(f64::NAN, self.inside(near_x, near_y)),
                Outside::Zero => out().select(0.0, self.inside(near_x, near_y)),
                _ => self.inside(x, y),
            }
        })
    }

    fn inside(&self, x: Var, y: Var) -> Var {
        let shape = self.factors.shape();
        let (n, m, k, l) = (shape[0], shape[1], shape[2], shape[3]);
        let cell = |v: Var, places: Var, count: usize| {
            let i = places.searchsorted_right(v).to(DType::I64) - 1;
            let i = i.clamp(0, count as i64 - 1);
            (i, v - places.take(i, 0))
        };
        let ((i, s), (j, t)) = (cell(x, self.x, n), cell(y, self.y, m));
        let all = self
            .factors
            .reshape([n * m, k * l])
            .take(i * m as i64 + j, 0);
        let factor = |p: usize| all.slice_axis(-1, p..p + 1).squeeze_axis(-1);
        let row = |a: usize| {
            let last = factor(a * l + l - 1);
            (0..l - 1)
                .rev()
                .fold(last, |z, b| z * t + factor(a * l + b))
        };
        (0..k - 1).rev().fold(row(k - 1), |z, a| z * s + row(a))
    }

    /// Returns the partial derivative of order `dx` in `x` and `dy` in `y`. Outside, where the surface is clamped,
    /// it is that at the nearest point.
    #[track_caller]
    pub fn partial(&self, dx: usize, dy: usize) -> Surface {
        asked_at(Location::caller(), || {
            let mut factors = self.factors;
            for (axis, times) in [(2, dx), (3, dy)] {
                for _ in 0..times {
                    factors = differentiated(factors, axis);
                }
            }
            Surface {
                factors,
                ..self.clone()
            }
        })
    }

    /// Returns the integral over `x` from `a` to `b` and `y` from `c` to `d`, numbers or arrays that broadcast; outside
    /// of the grid the polynomials go on, whatever the rule.
    #[track_caller]
    pub fn integral(
        &self,
        a: impl Into<Var>,
        b: impl Into<Var>,
        c: impl Into<Var>,
        d: impl Into<Var>,
    ) -> Var {
        let [a, b, c, d] = [a.into(), b.into(), c.into(), d.into()];
        asked_at(Location::caller(), || {
            let along_x = integrated(self.factors, 2, 0, self.x.diff(0));
            let whole = Surface {
                factors: integrated(along_x, 3, 1, self.y.diff(0)),
                ..self.clone()
            };
            let at = |x: Var, y: Var| whole.inside(x, y);
            at(b, d) - at(a, d) - at(b, c) + at(a, c)
        })
    }
}

/// Differentiates polynomials whose powers are along an axis.
fn differentiated(factors: Var, axis: usize) -> Var {
    let k = factors.shape()[axis];
    if k == 1 {
        return zeros_like(factors);
    }
    let mut dims = [1; 4];
    dims[axis] = k - 1;
    let powers: Vec<f64> = (1..k).map(|j| j as f64).collect();
    let powers = Var::from(powers).to(factors.dtype()).reshape(dims);
    factors.slice_axis(axis, 1..k) * powers
}

/// Integrates piecewise polynomials, whose powers are along `axis` and whose pieces, of lengths `h`, along `pieces`.
fn integrated(factors: Var, axis: usize, pieces: usize, h: Var) -> Var {
    let k = factors.shape()[axis];
    let mut dims = [1; 4];
    dims[axis] = k;
    let powers: Vec<f64> = (1..=k).map(|j| j as f64).collect();
    let higher = factors / Var::from(powers).to(factors.dtype()).reshape(dims);
    let mut dims = [1; 4];
    dims[pieces] = h.shape()[0];
    let h = h.reshape(dims);
    let power = |j: usize| higher.slice_axis(axis, j..j + 1);
    let whole = (0..k - 1).rev().fold(power(k - 1), |v, j| v * h + power(j)) * h;
    let before = whole.cumsum(pieces) - whole;
    concat([before, higher], axis)
}
