//! Cubic splines.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::banded::{Asked, tridiagonal};
use super::piecewise::{Outside, Piecewise};
use super::{expect_points, part};

/// The conditions at the ends of a cubic spline.
#[derive(Clone, Copy, Debug)]
pub enum Ends {
    /// The second derivative is 0.
    Natural,
    /// The slopes at the first and the last point: numbers.
    Clamped(Var, Var),
    /// The third derivative has no jump at the second and the last but one point.
    NotAKnot,
    /// The spline and its first two derivatives are the same at both ends; so must the values be, and the last is
    /// taken to be the first.
    Periodic,
}

/// Interpolates points by the polynomials of degree 3 that join with continuous second derivatives (de Boor, *A
/// Practical Guide to Splines*, chapter IV), in linear time. Two points give a line, three with
/// [`Ends::NotAKnot`] a parabola.
///
/// The derivative is in values, places and slopes at the ends.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::{Ends, cubic_spline};
///
/// // How the value between the points moves with each of them.
/// let f = jit(grad(|y: Var| cubic_spline([0.0, 1.0, 2.0, 4.0], y, Ends::Natural).at(0.5)));
/// let weights = f.call([0.0, 1.0, 0.0, 0.0])?.to_vec::<f64>()?;
/// assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If places and values are not two vectors of floats of one length, of two points at least.
#[track_caller]
pub fn cubic_spline(x: impl Into<Var>, y: impl Into<Var>, ends: Ends) -> Piecewise {
    let (x, y) = (x.into(), y.into());
    let place = Location::caller();
    asked_at(place, || {
        let n = expect_points("cubic_spline", x, y, 2);
        if let Ends::Clamped(a, b) = ends {
            for v in [a, b] {
                if v.rank() != 0 || !v.ty().is_float() {
                    let message = format!("a slope at an end is a number, and this is {}", v.ty());
                    refuse("cubic_spline", message);
                }
            }
        }
        let y = match ends {
            Ends::Periodic => concat([part(y, 0, n - 1), part(y, 0, 1)], 0),
            _ => y,
        };
        let slopes = slopes(place, x, y, ends, n);
        let curve = from_slopes(x, y, slopes);
        match ends {
            Ends::Periodic => curve.outside(Outside::Periodic),
            _ => curve,
        }
    })
}

fn slopes(place: Asked, x: Var, y: Var, ends: Ends, n: usize) -> Var {
    let h = x.diff(0);
    let d = y.diff(0) / h;
    let one = |v: Var| v.expand_dims(0);
    match (ends, n) {
        (Ends::NotAKnot | Ends::Natural, 2) => return concat([d, d], 0),
        (Ends::Clamped(a, b), 2) => return stack((a, b)).to(d.dtype()),
        (Ends::Periodic, 2) => return zeros_like(y),
        (Ends::Periodic, _) => return periodic(place, h, d, n),
        _ => {}
    }
    // Of two pieces: the first, and the second.
    let (h0, h1) = (part(h, 0, n - 2), part(h, 1, n - 1));
    let (d0, d1) = (part(d, 0, n - 2), part(d, 1, n - 1));
    let right = 3.0 * (h1 * d0 + h0 * d1);
    let zero = zeros_like(h.at(0));
    let first = |i: usize| (h.at(i), d.at(i));
    let last = |i: usize| (h.at(n - 2 - i), d.at(n - 2 - i));
    // At an end: the factors of its slope and of the next one, and the right side.
    let end = |at: &dyn Fn(usize) -> (Var, Var), slope: Option<Var>| {
        let ((h0, d0), (h1, d1)) = (at(0), at(1));
        match ends {
            Ends::Clamped(..) => (
                full_like(h0, 1.0),
                zero,
                slope.unwrap_or(zero).to(d0.dtype()),
            ),
            Ends::Natural => (2.0 * h0, h0, 3.0 * h0 * d0),
            _ if n == 3 => (full_like(h0, 1.0), full_like(h0, 1.0), 2.0 * d0),
            _ => {
                let both = h0 + h1;
                (
                    h1,
                    both,
                    ((h0 + 2.0 * both) * h1 * d0 + h0 * h0 * d1) / both,
                )
            }
        }
    };
    let (a, b) = match ends {
        Ends::Clamped(a, b) => (Some(a), Some(b)),
        _ => (None, None),
    };
    let (m0, u0, r0) = end(&first, a);
    let (m1, l1, r1) = end(&last, b);
    let low = concat([one(zero), h1, one(l1)], 0);
    let middle = concat([one(m0), 2.0 * (h0 + h1), one(m1)], 0);
    let high = concat([one(u0), h0, one(zero)], 0);
    let right = concat([one(r0), right, one(r1)], 0);
    tridiagonal(place, low, middle, high, right.expand_dims(1)).squeeze_axis(1)
}

/// The cyclic system, as a tridiagonal one and a correction of rank one (Sherman and Morrison).
fn periodic(place: Asked, h: Var, d: Var, n: usize) -> Var {
    let m = n - 1;
    let before = |v: Var| v.roll(1, 0);
    // Row i: h[i] s[i-1] + 2 (h[i-1] + h[i]) s[i] + h[i-1] s[i+1].
    let (low, high) = (h, before(h));
    let middle = 2.0 * (h + before(h));
    let right = 3.0 * (h * before(d) + before(h) * d);
    let s = match m {
        2 => {
            // The neighbours on both sides are one.
            let (a, b) = (middle, low + high);
            let det = a.at(0) * a.at(1) - b.at(0) * b.at(1);
            stack((
                (right.at(0) * a.at(1) - b.at(0) * right.at(1)) / det,
                (a.at(0) * right.at(1) - b.at(1) * right.at(0)) / det,
            ))
        }
        _ => {
            let corner = (low.at(0), high.at(m - 1));
            let gamma = -middle.at(0);
            let middle = middle.at_add(0, -gamma);
            let middle = middle.at_add(m - 1, -corner.0 * corner.1 / gamma);
            let u = zeros_like(middle).at_set(0, gamma).at_set(m - 1, corner.1);
            let low = low.at_set(0, 0.0);
            let high = high.at_set(m - 1, 0.0);
            let found = tridiagonal(place, low, middle, high, stack_axis([right, u], 1));
            let (y, z) = (found.at((.., 0)), found.at((.., 1)));
            let dot = |v: Var| v.at(0) + corner.0 / gamma * v.at(m - 1);
            y - dot(y) / (1.0 + dot(z)) * z
        }
    };
    concat([s, part(s, 0, 1)], 0)
}

/// Makes the cubic polynomials with values and slopes at points.
pub(super) fn from_slopes(x: Var, y: Var, s: Var) -> Piecewise {
    let n = x.shape()[0];
    let h = x.diff(0);
    let d = y.diff(0) / h;
    let (s0, s1) = (part(s, 0, n - 1), part(s, 1, n));
    let factors = [
        part(y, 0, n - 1),
        s0,
        (3.0 * d - 2.0 * s0 - s1) / h,
        (s0 + s1 - 2.0 * d) / (h * h),
    ];
    Piecewise::made(x, stack_axis(factors, 1))
}

/// Interpolates points by cubic polynomials with given slopes at them.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::hermite;
///
/// let f = jit(|x: Var| hermite([0.0, 1.0], [0.0, 1.0], [0.0, 3.0]).at(x)); // x³
/// assert_eq!(f.call(0.5)?.item::<f64>()?, 0.125);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If places, values and slopes are not vectors of floats of one length, of two points at least.
#[track_caller]
pub fn hermite(x: impl Into<Var>, y: impl Into<Var>, slopes: impl Into<Var>) -> Piecewise {
    let (x, y, slopes) = (x.into(), y.into(), slopes.into());
    asked_at(Location::caller(), || {
        expect_points("hermite", x, y, 2);
        expect_points("hermite", x, slopes, 2);
        from_slopes(x, y, slopes)
    })
}
