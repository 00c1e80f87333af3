//! Curves and surfaces through data: splines, local interpolants, B-splines, smoothing.
//!
//! [`cubic_spline`], [`pchip`] and [`akima`] make a [`Piecewise`] polynomial of points, [`smoothing_spline`] one
//! that passes near them, [`BSpline`] has a basis of its own, and [`bilinear`] and [`bicubic`] make a [`Surface`]
//! of values on a grid. All are trees: they may be carried, batched, captured and returned. They have values,
//! derivatives, antiderivatives and integrals, and rules for what is [`Outside`].
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::interp::{Ends, cubic_spline};
//!
//! let f = jit(|(y, at): (Var, Var)| {
//!     let curve = cubic_spline([0.0, 1.0, 2.0, 3.0, 4.0], y, Ends::NotAKnot);
//!     (curve.at(at), curve.derivative().at(at), curve.integral(0.0, 4.0))
//! });
//! // A cubic polynomial is found exactly: x³ - x.
//! let (y, slope, area) = f.call(([0.0, 0.0, 6.0, 24.0, 60.0], 2.5))?;
//! assert!((y.item::<f64>()? - 13.125).abs() < 1e-12);
//! assert!((slope.item::<f64>()? - 17.75).abs() < 1e-12);
//! assert!((area.item::<f64>()? - 56.0).abs() < 1e-12);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! Systems are solved in linear time, by scans. What is interpolated has derivatives in the values of the points
//! and, except where stated, in their places, in both modes and to any order. Places must increase: otherwise all
//! values are NaN, for only the call knows them.

mod banded;
mod bspline;
mod cubic;
mod local;
mod piecewise;
mod smooth;
mod surface;

pub use bspline::BSpline;
pub use cubic::{Ends, cubic_spline, hermite};
pub use local::{akima, makima, pchip};
pub use piecewise::{Outside, Piecewise};
pub use smooth::{Smoothed, smoothing_spline, smoothing_spline_with};
pub use surface::{Surface, bicubic, bilinear};

use wengert::prelude::*;
use wengert::solver::refuse;

/// Requires points: two vectors of floats of one length, with at least so many.
fn expect_points(op: &str, x: Var, y: Var, least: usize) -> usize {
    let (tx, ty) = (x.ty(), y.ty());
    if !tx.is_float() || !ty.is_float() {
        let message = format!("the places are {tx} and the values {ty}, and must be of floats");
        refuse(op, message);
    }
    if tx.rank() != 1 || tx.dims() != ty.dims() {
        let hint = "for several curves, use `vmap`";
        let message = format!(
            "the places are {tx} and the values {ty}, and must be two vectors of one length; {hint}"
        );
        refuse(op, message);
    }
    let n = tx.dims()[0];
    if n < least {
        refuse(op, format!("{n} points; there must be at least {least}"));
    }
    n
}

/// Returns whether places increase.
fn increase(x: Var) -> Var {
    x.diff(0).gt(0.0).all()
}

/// Returns elements `from..to` of a vector.
fn part(x: Var, from: usize, to: usize) -> Var {
    x.slice_axis(0, from..to)
}
