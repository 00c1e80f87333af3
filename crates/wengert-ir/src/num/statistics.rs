//! Spread, averages and correlation.

use crate::error::TypeError;
use crate::ir::DType;
use crate::num::diagonal::diagonal_of;
use crate::num::length::Squares;
use crate::num::root;
use crate::ops::reduce;
use crate::trace::array::{Over, axis, floats, numbers, promoted, refuse};
use crate::trace::{Along, Var, keep};

/// # Statistics
///
/// These work over all axes or over some. With `ddof` (delta degrees of freedom) sums of squares are divided by
/// `n - ddof`: 0 gives the variance of the elements themselves, 1 estimates that of the population they were drawn
/// from.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.mean(), x.std(), x.var_ddof(.., 1), x.ptp(), x.gt(2.0).count_nonzero()));
/// let (mean, std, sample, range, above) = f.call([1.0, 2.0, 3.0, 6.0])?;
/// assert_eq!((mean.item::<f64>()?, std.item::<f64>()?), (3.0, 3.5f64.sqrt()));
/// assert!((sample.item::<f64>()? - 14.0 / 3.0).abs() < 1e-15);
/// assert_eq!((range.item::<f64>()?, above.item::<i64>()?), (5.0, 2));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The mean squared deviation from the mean, of floats; NaN if there is no element: `numpy.var`. Derivative:
    /// `2 (x - mean) / n` to each.
    #[track_caller]
    pub fn var(self) -> Var {
        spread("var", self, (..).into(), 0.0, false)
    }

    /// The variance along the given axes: `numpy.var(x, axis)`.
    #[track_caller]
    pub fn var_axis(self, which: impl Into<Along>) -> Var {
        spread("var", self, which.into(), 0.0, false)
    }

    /// The variance along the given axes, divided by `n - ddof`: `numpy.var(x, axis, ddof=ddof)`. NaN if
    /// `n - ddof` is not positive and all elements are equal.
    #[track_caller]
    pub fn var_ddof(self, which: impl Into<Along>, ddof: impl Into<f64>) -> Var {
        spread("var", self, which.into(), ddof.into(), false)
    }

    /// The standard deviation, the root of [`Var::var`]: `numpy.std`. Derivative:
    /// `(x - mean) / (n y)` to each; 0 if all elements are equal.
    #[track_caller]
    pub fn std(self) -> Var {
        spread("std", self, (..).into(), 0.0, true)
    }

    /// The standard deviation along the given axes: `numpy.std(x, axis)`.
    #[track_caller]
    pub fn std_axis(self, which: impl Into<Along>) -> Var {
        spread("std", self, which.into(), 0.0, true)
    }

    /// The root of [`Var::var_ddof`]: `numpy.std(x, axis, ddof=ddof)`.
    #[track_caller]
    pub fn std_ddof(self, which: impl Into<Along>, ddof: impl Into<f64>) -> Var {
        spread("std", self, which.into(), ddof.into(), true)
    }

    /// The weighted mean of all elements; weights broadcast: `numpy.average`. Derivative:
    /// `w / Σw` to each element, `(x - y) / Σw` to its weight.
    #[track_caller]
    pub fn average(self, weights: Var) -> Var {
        self.average_axis(weights, ..)
    }

    /// The weighted mean along the given axes: `numpy.average(x, axis, weights)`. A vector of weights
    /// applies to the one axis.
    #[track_caller]
    pub fn average_axis(self, weights: Var, which: impl Into<Along>) -> Var {
        let both = promoted("average", &[self, weights]);
        let (x, mut w) = (both[0], both[1]);
        floats("average", x);
        let over = Over::of("average", x, which.into());
        if let ([a], 1) = (&over.axes[..], w.rank()) {
            let mut dims = vec![1; x.rank()];
            dims[*a] = w.ty().size();
            w = w.reshape(dims);
        }
        let dims = x.shape();
        let missing = dims.len().saturating_sub(w.rank());
        let fits = |(n, m): (&usize, &usize)| n == m || *n == 1;
        if w.rank() > dims.len() || !w.shape().iter().zip(&dims[missing..]).all(fits) {
            let message = format!("weights {} for {}", weights.ty(), self.ty());
            refuse("average", &both, TypeError::new(message));
        }
        let total = reduce::sum(w.broadcast_to(&dims), &over.axes);
        over.kept(reduce::sum(x * w, &over.axes) / total)
    }

    /// The largest element minus the smallest: `numpy.ptp`. An empty array is an error. Derivative: 1 to the
    /// largest, -1 to the smallest, shared among equals.
    #[track_caller]
    pub fn ptp(self) -> Var {
        self.ptp_axis(..)
    }

    /// The largest element minus the smallest along the given axes: `numpy.ptp(x, axis)`.
    #[track_caller]
    pub fn ptp_axis(self, which: impl Into<Along>) -> Var {
        numbers("ptp", self);
        let over = Over::of("ptp", self, which.into());
        over.expect_elements("ptp", self);
        over.kept(self.amax_axis(&over.axes) - self.amin_axis(&over.axes))
    }

    /// The number of elements that are nonzero or true; `i64`: `numpy.count_nonzero`. Derivative: none.
    #[track_caller]
    pub fn count_nonzero(self) -> Var {
        self.count_nonzero_axis(..)
    }

    /// The number of nonzero elements along the given axes: `numpy.count_nonzero(x, axis)`.
    #[track_caller]
    pub fn count_nonzero_axis(self, which: impl Into<Along>) -> Var {
        let there = match self.dtype() {
            DType::Bool => self,
            _ => self.ne(0),
        };
        there.to(DType::I64).sum_axis(which)
    }

    /// The covariance of the rows of a matrix, whose columns are observations, divided by `n - 1`; the variance of a
    /// vector: `numpy.cov`. Derivative: that of the products.
    ///
    /// # Errors
    /// If there are more than two axes.
    #[track_caller]
    pub fn cov(self) -> Var {
        self.cov_ddof(1)
    }

    /// The covariance divided by `n - ddof`: `numpy.cov(x, ddof=ddof)`.
    #[track_caller]
    pub fn cov_ddof(self, ddof: impl Into<f64>) -> Var {
        covariance("cov", self, ddof.into())
    }

    /// The correlation of the rows of a matrix, whose columns are observations: `numpy.corrcoef`.
    /// Derivative: that of the covariance.
    ///
    /// # Errors
    /// If there are more than two axes.
    #[track_caller]
    pub fn corrcoef(self) -> Var {
        let c = covariance("corrcoef", self, 1.0);
        if c.rank() == 0 {
            let deviation = root(c);
            return c / deviation / deviation;
        }
        let deviation = root(diagonal_of(c, 0, 0, 1));
        c / deviation.expand_dims(1) / deviation
    }
}

/// Returns the mean squared deviation from the mean, or its root.
#[track_caller]
fn spread(op: &str, x: Var, along: Along, ddof: f64, root: bool) -> Var {
    floats(op, x);
    let over = Over::of(op, x, along);
    let distance = |x: &[Var]| {
        let sum = reduce::sum(x[0], &over.axes);
        x[0] - over.back(sum / over.count as f64)
    };
    let squares = Squares {
        distance: &distance,
        axes: &over.axes,
        count: (over.count as f64 - ddof).max(0.0),
        root,
    };
    over.kept(squares.of(&[x]))
}

#[track_caller]
fn covariance(op: &str, x: Var, ddof: f64) -> Var {
    floats(op, x);
    let ty = x.ty();
    if ty.rank() > 2 || ty.rank() == 0 {
        let message = format!("{ty} is not a matrix of observations");
        refuse(op, &[x], TypeError::new(message));
    }
    let n = ty.dims()[axis(op, x, (-1).into())] as f64;
    let distance = x - x.sum_axis(keep(-1)) / n;
    distance.inner(distance) / (n - ddof).max(0.0)
}
