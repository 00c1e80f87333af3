//! Interpolants whose pieces depend on few points.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::cubic::from_slopes;
use super::piecewise::Piecewise;
use super::{expect_points, part};

/// Divides, where the divisor is not 0, and gives `other` elsewhere; derivatives do not see the other side.
fn quotient(a: Var, b: Var, other: Var) -> Var {
    let some = b.ne(0.0);
    some.select(a / some.select(b, 1.0), other)
}

/// Interpolates points by cubic polynomials that keep their shape: between two points the curve is monotone, and it
/// has extremes only at points (Fritsch and Carlson, 1980; slopes by Fritsch and Butland, 1984). The first
/// derivative is continuous.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::pchip;
///
/// let f = jit(|x: Var| pchip([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 1.0]).at(x));
/// let y = f.call([0.5, 1.5, 2.5])?.to_vec::<f64>()?;
/// assert_eq!(y, [0.0, 0.5, 1.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If places and values are not two vectors of floats of one length, of two points at least.
#[track_caller]
pub fn pchip(x: impl Into<Var>, y: impl Into<Var>) -> Piecewise {
    let (x, y) = (x.into(), y.into());
    asked_at(Location::caller(), || {
        let n = expect_points("pchip", x, y, 2);
        let h = x.diff(0);
        let d = y.diff(0) / h;
        if n == 2 {
            return from_slopes(x, y, concat([d, d], 0));
        }
        let (h0, h1) = (part(h, 0, n - 2), part(h, 1, n - 1));
        let (d0, d1) = (part(d, 0, n - 2), part(d, 1, n - 1));
        let (w0, w1) = (2.0 * h1 + h0, h1 + 2.0 * h0);
        let same = (d0.gt(0.0) & d1.gt(0.0)) | (d0.lt(0.0) & d1.lt(0.0));
        let zero = zeros_like(d0);
        // The weighted harmonic mean.
        let mean = quotient(
            (w0 + w1) * d0 * d1,
            same.select(w0 * d1 + w1 * d0, zero),
            zero,
        );
        let end = |h0: Var, h1: Var, d0: Var, d1: Var| {
            let s = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
            let turns = s.sign().ne(d0.sign());
            let steep = d0.sign().ne(d1.sign()) & s.abs().gt(3.0 * d0.abs());
            turns.select(0.0, steep.select(3.0 * d0, s)).expand_dims(0)
        };
        let (a, b) = (n - 2, n - 3);
        let first = end(h.at(0), h.at(1), d.at(0), d.at(1));
        let last = end(h.at(a), h.at(b), d.at(a), d.at(b));
        from_slopes(x, y, concat([first, mean, last], 0))
    })
}

/// Interpolates points by cubic polynomials whose slopes depend on five points (Akima, 1970): outliers disturb few
/// pieces. The first derivative is continuous.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::interp::akima;
///
/// let f = jit(|x: Var| akima([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 9.0]).at(x));
/// assert_eq!(f.call(0.5)?.item::<f64>()?, 0.5); // the line is kept
/// # Ok::<(), wengert::Error>(())
/// ```
///
/// # Errors
/// If places and values are not two vectors of floats of one length, of two points at least.
#[track_caller]
pub fn akima(x: impl Into<Var>, y: impl Into<Var>) -> Piecewise {
    let (x, y) = (x.into(), y.into());
    asked_at(Location::caller(), || by_akima("akima", x, y, false))
}

/// Is [`akima`] with weights that avoid its overshoot beside flat parts, as MATLAB's `makima` has them.
///
/// # Errors
/// Those of [`akima`].
#[track_caller]
pub fn makima(x: impl Into<Var>, y: impl Into<Var>) -> Piecewise {
    let (x, y) = (x.into(), y.into());
    asked_at(Location::caller(), || by_akima("makima", x, y, true))
}

fn by_akima(op: &str, x: Var, y: Var, modified: bool) -> Piecewise {
    let n = expect_points(op, x, y, 2);
    let d = y.diff(0) / x.diff(0);
    if n == 2 {
        return from_slopes(x, y, concat([d, d], 0));
    }
    // Two slopes more at each end, by parabolas.
    let at = |i: usize| d.at(i);
    let (a, b, c, e) = (at(0), at(1), at(n - 2), at(n - 3));
    let left = stack((3.0 * a - 2.0 * b, 2.0 * a - b));
    let right = stack((2.0 * c - e, 3.0 * c - 2.0 * e));
    let m = concat([left, d, right], 0);
    let count = n + 3;
    let change = m.diff(0).abs();
    let change = match modified {
        true => change + 0.5 * (part(m, 1, count) + part(m, 0, count - 1)).abs(),
        false => change,
    };
    let (after, before) = (part(change, 2, count - 1), part(change, 0, count - 3));
    let total = after + before;
    let flat = total.le(1e-9 * total.amax());
    let mean = 0.5 * (part(m, 3, count) + part(m, 0, count - 3));
    let sum = after * part(m, 1, count - 2) + before * part(m, 2, count - 1);
    let slopes = quotient(sum, flat.select(0.0, total), mean);
    from_slopes(x, y, slopes)
}
