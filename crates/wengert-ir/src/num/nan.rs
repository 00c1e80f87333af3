//! Arrays with missing values, marked by NaN.

use crate::ir::DType;
use crate::num::root;
use crate::ops::reduce;
use crate::trace::array::{Over, floats, numbers};
use crate::trace::{Along, Var};

/// # Missing values
///
/// These leave out the elements that are NaN; the derivative to them is 0.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.nansum(), x.nanmean(), x.nanmax_axis(0), x.nan_to_num()));
/// let (sum, mean, largest, filled) = f.call([1.0, f64::NAN, 3.0])?;
/// assert_eq!((sum.item::<f64>()?, mean.item::<f64>()?, largest.item::<f64>()?), (4.0, 2.0, 3.0));
/// assert_eq!(filled.to_vec::<f64>()?, [1.0, 0.0, 3.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The array with NaN replaced by zero, and infinities by the largest and the smallest finite number:
    /// `numpy.nan_to_num`. Arrays other than of floats are unchanged. Derivative: 1, and 0 to replaced elements.
    #[track_caller]
    pub fn nan_to_num(self) -> Var {
        let largest = match self.dtype() {
            DType::F32 => f64::from(f32::MAX),
            DType::F64 => f64::MAX,
            _ => return self,
        };
        let x = self.is_nan().select(0.0, self);
        let x = x.eq(f64::INFINITY).select(largest, x);
        x.eq(f64::NEG_INFINITY).select(-largest, x)
    }

    /// The sum of the elements that are not NaN: `numpy.nansum`. Derivative: 1.
    #[track_caller]
    pub fn nansum(self) -> Var {
        self.nansum_axis(..)
    }

    /// The sum of the elements that are not NaN, along the given axes: `numpy.nansum(x, axis)`.
    #[track_caller]
    pub fn nansum_axis(self, which: impl Into<Along>) -> Var {
        numbers("nansum", self);
        without(self, 0.0).sum_axis(which)
    }

    /// The product of the elements that are not NaN: `numpy.nanprod`. Derivative: the product of the others.
    #[track_caller]
    pub fn nanprod(self) -> Var {
        self.nanprod_axis(..)
    }

    /// The product of the elements that are not NaN, along the given axes: `numpy.nanprod(x, axis)`.
    #[track_caller]
    pub fn nanprod_axis(self, which: impl Into<Along>) -> Var {
        numbers("nanprod", self);
        without(self, 1.0).prod_axis(which)
    }

    /// The largest element that is not NaN, or NaN if there is none: `numpy.nanmax`. Derivative: to the largest.
    #[track_caller]
    pub fn nanmax(self) -> Var {
        self.nanmax_axis(..)
    }

    /// The largest element that is not NaN, along the given axes: `numpy.nanmax(x, axis)`.
    #[track_caller]
    pub fn nanmax_axis(self, which: impl Into<Along>) -> Var {
        numbers("nanmax", self);
        let over = Over::of("nanmax", self, which.into());
        over.expect_elements("nanmax", self);
        let extreme = without(self, f64::NEG_INFINITY).amax_axis(&over.axes);
        over.kept(or_nan(self, extreme, &over))
    }

    /// The smallest element that is not NaN, or NaN if there is none: `numpy.nanmin`. Derivative: to the smallest.
    #[track_caller]
    pub fn nanmin(self) -> Var {
        self.nanmin_axis(..)
    }

    /// The smallest element that is not NaN, along the given axes: `numpy.nanmin(x, axis)`.
    #[track_caller]
    pub fn nanmin_axis(self, which: impl Into<Along>) -> Var {
        numbers("nanmin", self);
        let over = Over::of("nanmin", self, which.into());
        over.expect_elements("nanmin", self);
        let extreme = without(self, f64::INFINITY).amin_axis(&over.axes);
        over.kept(or_nan(self, extreme, &over))
    }

    /// The mean of the floats that are not NaN, or NaN if there is none: `numpy.nanmean`. Derivative: `1/n`.
    #[track_caller]
    pub fn nanmean(self) -> Var {
        self.nanmean_axis(..)
    }

    /// The mean of the elements that are not NaN, along the given axes: `numpy.nanmean(x, axis)`.
    #[track_caller]
    pub fn nanmean_axis(self, which: impl Into<Along>) -> Var {
        floats("nanmean", self);
        let over = Over::of("nanmean", self, which.into());
        over.kept(mean(self, &over))
    }

    /// The variance of the floats that are not NaN: `numpy.nanvar`. Derivative: `2 (x - mean) / n`.
    #[track_caller]
    pub fn nanvar(self) -> Var {
        self.nanvar_axis(..)
    }

    /// The variance of the elements that are not NaN, along the given axes: `numpy.nanvar(x, axis)`.
    #[track_caller]
    pub fn nanvar_axis(self, which: impl Into<Along>) -> Var {
        self.nanvar_ddof(which, 0)
    }

    /// The variance of the elements that are not NaN, along the given axes, where the sum of squares is divided by
    /// their number minus `ddof`: `numpy.nanvar(x, axis, ddof=ddof)`.
    #[track_caller]
    pub fn nanvar_ddof(self, which: impl Into<Along>, ddof: impl Into<f64>) -> Var {
        spread("nanvar", self, which.into(), ddof.into(), |variance| {
            variance
        })
    }

    /// The standard deviation, the root of [`Var::nanvar`]: `numpy.nanstd`. Derivative: `(x - mean) / (n y)`, and 0
    /// if all elements are equal.
    #[track_caller]
    pub fn nanstd(self) -> Var {
        self.nanstd_axis(..)
    }

    /// The standard deviation of the elements that are not NaN, along the given axes: `numpy.nanstd(x, axis)`.
    #[track_caller]
    pub fn nanstd_axis(self, which: impl Into<Along>) -> Var {
        self.nanstd_ddof(which, 0)
    }

    /// The root of [`Var::nanvar_ddof`]: `numpy.nanstd(x, axis, ddof=ddof)`.
    #[track_caller]
    pub fn nanstd_ddof(self, which: impl Into<Along>, ddof: impl Into<f64>) -> Var {
        spread("nanstd", self, which.into(), ddof.into(), root)
    }
}

/// Replaces NaN by a number.
#[track_caller]
fn without(x: Var, number: f64) -> Var {
    match x.ty().is_float() {
        true => x.is_nan().select(number, x),
        false => x,
    }
}

/// Replaces the result `y` by NaN where all elements of `x` are NaN.
#[track_caller]
fn or_nan(x: Var, y: Var, over: &Over) -> Var {
    match x.ty().is_float() {
        true => x.is_nan().all_axis(&over.axes).select(f64::NAN, y),
        false => y,
    }
}

/// Counts the elements that are not NaN, as floats.
#[track_caller]
fn counted(x: Var, over: &Over) -> Var {
    reduce::sum((!x.is_nan()).to(x.dtype()), &over.axes)
}

/// Returns the mean of the elements that are not NaN; if there is none, a NaN without a derivative.
#[track_caller]
fn mean(x: Var, over: &Over) -> Var {
    let count = counted(x, over);
    let mean = reduce::sum(without(x, 0.0), &over.axes) / count;
    count.gt(0.0).select(mean, f64::NAN)
}

/// Applies a function to the variance of the elements that are not NaN; if there are not enough of them, returns a NaN
/// without a derivative.
#[track_caller]
fn spread(op: &str, x: Var, along: Along, ddof: f64, of: fn(Var) -> Var) -> Var {
    floats(op, x);
    let over = Over::of(op, x, along);
    let distance = x.is_nan().select(0.0, x - over.back(mean(x, &over)));
    let squares = reduce::sum(distance.square(), &over.axes);
    let free = counted(x, &over) - ddof;
    let enough = free.gt(0.0);
    let variance = enough.select(squares / free, 0.0);
    over.kept(enough.select(of(variance), f64::NAN))
}
