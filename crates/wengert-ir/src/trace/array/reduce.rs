//! Reductions of arrays.

use super::{Over, floats};
use crate::ops::elementwise;
use crate::ops::reduce::{self, Reducer};
use crate::trace::Var;
use crate::trace::span::Along;

/// # Reductions
///
/// These reduce all axes, or some. Reduced axes are removed, or kept with length 1 if they are wrapped in
/// [`keep`](crate::trace::keep). Sums and products of floats are taken in a fixed order (see
/// [`order`](crate::order)); integers wrap.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.sum(), x.sum_axis(0), x.amax_axis(-1), x / x.sum_axis(keep(1)), x.gt(0.0).all()));
/// let (all, columns, largest, shares, positive) = f.call([[1.0, 3.0], [2.0, 2.0]])?;
/// assert_eq!(all.item::<f64>()?, 8.0);
/// assert_eq!(columns.to_vec::<f64>()?, [3.0, 5.0]);
/// assert_eq!(largest.to_vec::<f64>()?, [3.0, 2.0]);
/// assert_eq!(shares.to_vec::<f64>()?, [0.25, 0.75, 0.5, 0.5]);
/// assert!(positive.item::<bool>()?);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The sum of all elements, 0 if there is none: `numpy.sum`. Derivative: 1 to each.
    #[track_caller]
    pub fn sum(self) -> Var {
        reduced("sum", Reducer::Sum, self, (..).into())
    }

    /// The sum along the given axes: `numpy.sum(x, axis)`.
    #[track_caller]
    pub fn sum_axis(self, which: impl Into<Along>) -> Var {
        reduced("sum", Reducer::Sum, self, which.into())
    }

    /// The product of all elements, 1 if there is none: `numpy.prod`. Derivative: to each element the product of the
    /// others, correct even if elements are zero.
    #[track_caller]
    pub fn prod(self) -> Var {
        reduced("prod", Reducer::Prod, self, (..).into())
    }

    /// The product along the given axes: `numpy.prod(x, axis)`.
    #[track_caller]
    pub fn prod_axis(self, which: impl Into<Along>) -> Var {
        reduced("prod", Reducer::Prod, self, which.into())
    }

    /// The mean of all elements, of floats; NaN if there is none: `numpy.mean`. Derivative: `1/n` to each.
    #[track_caller]
    pub fn mean(self) -> Var {
        mean_of(self, (..).into())
    }

    /// The mean along the given axes: `numpy.mean(x, axis)`.
    #[track_caller]
    pub fn mean_axis(self, which: impl Into<Along>) -> Var {
        mean_of(self, which.into())
    }

    /// The largest element, NaN if any is NaN: `numpy.amax`. An empty array is an error. Derivative: to
    /// the largest, shared equally among equals.
    #[track_caller]
    pub fn amax(self) -> Var {
        reduced("amax", Reducer::Max, self, (..).into())
    }

    /// The largest element along the given axes: `numpy.amax(x, axis)`.
    #[track_caller]
    pub fn amax_axis(self, which: impl Into<Along>) -> Var {
        reduced("amax", Reducer::Max, self, which.into())
    }

    /// The smallest element, NaN if any is NaN: `numpy.amin`. An empty array is an error. Derivative: to
    /// the smallest, shared equally among equals.
    #[track_caller]
    pub fn amin(self) -> Var {
        reduced("amin", Reducer::Min, self, (..).into())
    }

    /// The smallest element along the given axes: `numpy.amin(x, axis)`.
    #[track_caller]
    pub fn amin_axis(self, which: impl Into<Along>) -> Var {
        reduced("amin", Reducer::Min, self, which.into())
    }

    /// Whether any element is true, of `bool`; false if there is none: `numpy.any`.
    #[track_caller]
    pub fn any(self) -> Var {
        reduced("any", Reducer::Any, self, (..).into())
    }

    /// Whether any element is true along the given axes: `numpy.any(x, axis)`.
    #[track_caller]
    pub fn any_axis(self, which: impl Into<Along>) -> Var {
        reduced("any", Reducer::Any, self, which.into())
    }

    /// Whether all elements are true, of `bool`; true if there is none: `numpy.all`.
    #[track_caller]
    pub fn all(self) -> Var {
        reduced("all", Reducer::All, self, (..).into())
    }

    /// Whether all elements are true along the given axes: `numpy.all(x, axis)`.
    #[track_caller]
    pub fn all_axis(self, which: impl Into<Along>) -> Var {
        reduced("all", Reducer::All, self, which.into())
    }
}

#[track_caller]
fn reduced(op: &str, reducer: Reducer, x: Var, along: Along) -> Var {
    let over = Over::of(op, x, along);
    over.kept(reduce::reduce(reducer, x, &over.axes))
}

#[track_caller]
fn mean_of(x: Var, along: Along) -> Var {
    floats("mean", x);
    let over = Over::of("mean", x, along);
    let sum = reduce::sum(x, &over.axes);
    let n = Var::full(&sum.ty(), over.count as f64);
    over.kept(elementwise::div(sum, n))
}
