//! Cumulative operations along an axis.

use super::{axis, refuse};
use crate::error::TypeError;
use crate::ops::cumulative::{self, Step, moved_on, recurrence};
use crate::ops::elementwise;
use crate::trace::Var;
use crate::trace::span::Axis;

/// # Cumulative operations
///
/// These work along one axis, on numbers, and keep the shape. Values are computed in order from the first
/// element to the last, or with `_reverse` from the last to the first; integers wrap.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.cumsum(0), x.cumprod(0), x.cummax_reverse(0)));
/// let (sums, products, largest) = f.call([1.0, 3.0, 2.0])?;
/// assert_eq!(sums.to_vec::<f64>()?, [1.0, 4.0, 6.0]);
/// assert_eq!(products.to_vec::<f64>()?, [1.0, 3.0, 6.0]);
/// assert_eq!(largest.to_vec::<f64>()?, [3.0, 3.0, 2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The sum of the elements up to each: `numpy.cumsum`. Derivative: the cumulative sum of the
    /// tangents.
    #[track_caller]
    pub fn cumsum(self, along: impl Into<Axis>) -> Var {
        running(Step::Sum, "cumsum", self, along.into(), false)
    }

    /// The sum of the elements from each on: `jax.lax.cumsum(x, axis, reverse=True)`.
    #[track_caller]
    pub fn cumsum_reverse(self, along: impl Into<Axis>) -> Var {
        running(Step::Sum, "cumsum", self, along.into(), true)
    }

    /// The product of the elements up to each: `numpy.cumprod`. Derivative: to each element the product of the
    /// others, correct even if elements are zero.
    #[track_caller]
    pub fn cumprod(self, along: impl Into<Axis>) -> Var {
        running(Step::Prod, "cumprod", self, along.into(), false)
    }

    /// The product of the elements from each on: `jax.lax.cumprod(x, axis, reverse=True)`.
    #[track_caller]
    pub fn cumprod_reverse(self, along: impl Into<Axis>) -> Var {
        running(Step::Prod, "cumprod", self, along.into(), true)
    }

    /// The largest element up to each, NaN from the first NaN on: `numpy.maximum.accumulate`.
    /// Derivative: to the largest, shared equally among equals, as for [`Var::amax`].
    #[track_caller]
    pub fn cummax(self, along: impl Into<Axis>) -> Var {
        running(Step::Max, "cummax", self, along.into(), false)
    }

    /// The largest element from each on: `jax.lax.cummax(x, axis, reverse=True)`.
    #[track_caller]
    pub fn cummax_reverse(self, along: impl Into<Axis>) -> Var {
        running(Step::Max, "cummax", self, along.into(), true)
    }

    /// The smallest element up to each, NaN from the first NaN on: `numpy.minimum.accumulate`.
    /// Derivative: to the smallest, shared equally among equals, as for [`Var::amin`].
    #[track_caller]
    pub fn cummin(self, along: impl Into<Axis>) -> Var {
        running(Step::Min, "cummin", self, along.into(), false)
    }

    /// The smallest element from each on: `jax.lax.cummin(x, axis, reverse=True)`.
    #[track_caller]
    pub fn cummin_reverse(self, along: impl Into<Axis>) -> Var {
        running(Step::Min, "cummin", self, along.into(), true)
    }

    /// The logarithm of the sum of the exponentials of the elements up to each, of floats:
    /// `jax.lax.cumlogsumexp`. Intermediate values do not overflow. Derivative: to each element its share of the sum;
    /// zero if all are minus infinity.
    #[track_caller]
    pub fn cumlogsumexp(self, along: impl Into<Axis>) -> Var {
        logsumexp(self, along.into(), false)
    }

    /// The logarithm of the sum of the exponentials of the elements from each on:
    /// `jax.lax.cumlogsumexp(x, axis, reverse=True)`.
    #[track_caller]
    pub fn cumlogsumexp_reverse(self, along: impl Into<Axis>) -> Var {
        logsumexp(self, along.into(), true)
    }
}

#[track_caller]
fn running(step: Step, op: &str, x: Var, along: Axis, reverse: bool) -> Var {
    let a = axis(op, x, along);
    cumulative::cumulative(step, x, a, reverse)
}

/// With `m[i]` the largest element so far, `s[i] = s[i-1] exp(m[i-1] - m[i]) + exp(x[i] - m[i])` is the sum
/// divided by `exp(m[i])`. The result does not depend on `m`, so no derivative is taken through it.
#[track_caller]
fn logsumexp(x: Var, along: Axis, reverse: bool) -> Var {
    let ty = x.ty();
    let a = axis("cumlogsumexp", x, along);
    if !ty.is_float() {
        let error = TypeError::new(format!("{ty} is not an array of floats"));
        let hint = "convert it first, as in `x.to(DType::F64)`";
        refuse("cumlogsumexp", &[x], error.hint(hint));
    }
    let zeros = Var::zeros(&ty);
    let largest = cumulative::cumulative(Step::Max, x.stop_gradient(), a, reverse);
    // An infinity cannot serve as the scale.
    let scale = elementwise::select(largest.is_finite(), largest, zeros);
    let change = elementwise::sub(moved_on(scale, a, reverse, 0.0), scale);
    let factor = elementwise::min(change, zeros).exp();
    let sum = recurrence(factor, elementwise::sub(x, scale).exp(), a, reverse);
    // If all terms are exp(-inf), the logarithm of the sum has no derivative.
    let none = elementwise::eq(sum, zeros);
    let logarithm = elementwise::select(none, Var::full(&ty, 1.0), sum).ln();
    elementwise::add(largest, elementwise::select(none, zeros, logarithm))
}
