//! Reductions of arrays.

use super::{Over, floats};
use crate::ops::elementwise;
use crate::ops::reduce::{self, Reducer};
use crate::trace::Var;
use crate::trace::span::Along;

/// # Reductions
///
/// Over all axes, or over some, which go, or stay with length 1 if they are wrapped in
/// [`keep`](crate::trace::keep). A sum or product of floats is taken in a fixed order (see
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
    /// The sum of all elements, 0 of none: `numpy.sum`. Derivative: 1 to each.
    #[track_caller]
    pub fn sum(self) -> Var {
        reduced("sum", Reducer::Sum, self, (..).into())
    }

    /// The sum along those axes: `numpy.sum(x, axis)`.
    #[track_caller]
    pub fn sum_axis(self, which: impl Into<Along>) -> Var {
        reduced("sum", Reducer::Sum, self, which.into())
    }

    /// The product of all elements, 1 of none: `numpy.prod`. Derivative: to each the product of the
    /// others, right where elements are zero as well.
    #[track_caller]
    pub fn prod(self) -> Var {
        reduced("prod", Reducer::Prod, self, (..).into())
    }

    /// The product along those axes: `numpy.prod(x, axis)`.
    #[track_caller]
    pub fn prod_axis(self, which: impl Into<Along>) -> Var {
        reduced("prod", Reducer::Prod, self, which.into())
    }

    /// The mean of all elements, of floats; NaN of none: `numpy.mean`. Derivative: `1/n` to each.
    #[track_caller]
    pub fn mean(self) -> Var {
        mean_of(self, (..).into())
    }

    /// The mean along those axes: `numpy.mean(x, axis)`.
    #[track_caller]
    pub fn mean_axis(self, which: impl Into<Along>) -> Var {
        mean_of(self, which.into())
    }

    /// The largest element, NaN if any is NaN: `numpy.amax`. Of none it is an error. Derivative: to
    /// the largest, shared equally among equals.
    #[track_caller]
    pub fn amax(self) -> Var {
        reduced("amax", Reducer::Max, self, (..).into())
    }

    /// The largest along those axes: `numpy.amax(x, axis)`.
    #[track_caller]
    pub fn amax_axis(self, which: impl Into<Along>) -> Var {
        reduced("amax", Reducer::Max, self, which.into())
    }

    /// The smallest element, NaN if any is NaN: `numpy.amin`. Of none it is an error. Derivative: to
    /// the smallest, shared equally among equals.
    #[track_caller]
    pub fn amin(self) -> Var {
        reduced("amin", Reducer::Min, self, (..).into())
    }

    /// The smallest along those axes: `numpy.amin(x, axis)`.
    #[track_caller]
    pub fn amin_axis(self, which: impl Into<Along>) -> Var {
        reduced("amin", Reducer::Min, self, which.into())
    }

    /// Whether any element is true, of `bool`; false of none: `numpy.any`.
    #[track_caller]
    pub fn any(self) -> Var {
        reduced("any", Reducer::Any, self, (..).into())
    }

    /// Whether any is true along those axes: `numpy.any(x, axis)`.
    #[track_caller]
    pub fn any_axis(self, which: impl Into<Along>) -> Var {
        reduced("any", Reducer::Any, self, which.into())
    }

    /// Whether all elements are true, of `bool`; true of none: `numpy.all`.
    #[track_caller]
    pub fn all(self) -> Var {
        reduced("all", Reducer::All, self, (..).into())
    }

    /// Whether all are true along those axes: `numpy.all(x, axis)`.
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
