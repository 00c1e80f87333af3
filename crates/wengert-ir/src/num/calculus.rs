//! Differences and sums of samples: finite-difference derivatives and integrals by the trapezoidal rule.

use crate::error::TypeError;
use crate::ops::layout;
use crate::trace::array::{axis, floats, numbers, refuse, spread};
use crate::trace::{Argument, Axis, IntoVar, Var, number};

/// # Samples
///
/// Samples are values along an axis. Their positions are given by a number (the distance from one to the
/// next), a vector (the positions along the axis), or an array of the shape of the values (the
/// positions of each row).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(y, t): (Var, Var)| (y.diff(0), y.gradient(t, 0), y.trapezoid(t, 0)));
/// let (steps, slopes, area) = f.call(([0.0, 1.0, 4.0], [0.0, 1.0, 2.0]))?;
/// assert_eq!(steps.to_vec::<f64>()?, [1.0, 3.0]);
/// assert_eq!(slopes.to_vec::<f64>()?, [1.0, 2.0, 3.0]);
/// assert_eq!(area.item::<f64>()?, 3.0);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// Each element minus the one before it along an axis, of numbers: `numpy.diff`. The result is empty for an
    /// axis of one element or none. Derivative: the differences of the tangent.
    #[track_caller]
    pub fn diff(self, along: impl Into<Axis>) -> Var {
        numbers("diff", self);
        let a = axis("diff", self, along.into());
        difference(self, a)
    }

    /// The derivative along an axis by central differences of second order, and of first order at the two ends:
    /// `numpy.gradient`. Derivative: the gradient of the tangent; also to the positions.
    ///
    /// # Errors
    /// If there are fewer than two elements along the axis.
    #[track_caller]
    pub fn gradient(self, spacing: impl IntoVar, along: impl Into<Axis>) -> Var {
        floats("gradient", self);
        let a = axis("gradient", self, along.into());
        let n = self.shape()[a];
        if n < 2 {
            let message = format!("{} has less than two elements along axis {a}", self.ty());
            refuse("gradient", &[self], TypeError::new(message));
        }
        let (step, uniform) = steps("gradient", self, a, spacing.argument());
        // The slopes between neighbours; inside, the mean of two slopes, weighted in favour of the shorter step.
        let slope = difference(self, a) / step;
        let before = layout::slice_axis(slope, a, 0..n - 2);
        let after = layout::slice_axis(slope, a, 1..n - 1);
        let inside = match uniform {
            true => (before + after) * 0.5,
            false => {
                let step = spread("gradient", step, &slope.shape());
                let left = layout::slice_axis(step, a, 0..n - 2);
                let right = layout::slice_axis(step, a, 1..n - 1);
                (before * right + after * left) / (left + right)
            }
        };
        let first = layout::slice_axis(slope, a, 0..1);
        let last = layout::slice_axis(slope, a, n - 2..n - 1);
        layout::concat(&[first, inside, last], a)
    }

    /// The integral along an axis, which is removed, of the straight lines through the values:
    /// `numpy.trapezoid`. Derivative: the integral of the tangent; also to the positions.
    #[track_caller]
    pub fn trapezoid(self, spacing: impl IntoVar, along: impl Into<Axis>) -> Var {
        let a = axis("trapezoid", self, along.into());
        areas("trapezoid", self, a, spacing.argument()).sum_axis(a)
    }

    /// The integral from the first value to each of the others:
    /// `scipy.integrate.cumulative_trapezoid`. The axis is one shorter. Derivative: the cumulative integral of the
    /// tangent; also to the positions.
    #[track_caller]
    pub fn cumulative_trapezoid(self, spacing: impl IntoVar, along: impl Into<Axis>) -> Var {
        let a = axis("cumulative_trapezoid", self, along.into());
        areas("cumulative_trapezoid", self, a, spacing.argument()).cumsum(a)
    }
}

#[track_caller]
fn difference(x: Var, a: usize) -> Var {
    let n = x.shape()[a];
    let after = layout::slice_axis(x, a, n.min(1)..n);
    after - layout::slice_axis(x, a, 0..n.saturating_sub(1))
}

/// Returns the areas between neighbours.
#[track_caller]
fn areas(op: &str, x: Var, a: usize, spacing: Argument) -> Var {
    floats(op, x);
    let (step, _) = steps(op, x, a, spacing);
    let n = x.shape()[a];
    let after = layout::slice_axis(x, a, n.min(1)..n);
    let before = layout::slice_axis(x, a, 0..n.saturating_sub(1));
    (before + after) * 0.5 * step
}

/// Returns the distances between neighbours along axis `a` of `x`, which broadcast with the differences there, and
/// whether all distances are equal.
#[track_caller]
fn steps(op: &str, x: Var, a: usize, spacing: Argument) -> (Var, bool) {
    let Argument::Var(given) = spacing else {
        return (number::literal(op, spacing, x.dtype()), true);
    };
    let (dims, n) = (given.shape(), x.shape()[a]);
    if dims.is_empty() {
        return (given, true);
    }
    if dims == x.shape() {
        return (difference(given, a), false);
    }
    if dims != [n] {
        let message = format!("positions {} of {} along axis {a}", given.ty(), x.ty());
        let hint = "give a distance, a vector of positions along the axis, or one for each value";
        refuse(op, &[x, given], TypeError::new(message).hint(hint));
    }
    let mut dims = vec![1; x.rank()];
    let step = difference(given, 0);
    dims[a] = step.ty().size();
    (layout::reshape(step, &dims), false)
}
