//! Sums of exponentials, without overflow.

use crate::ops::reduce::{self, Reducer};
use crate::trace::array::{Over, floats};
use crate::trace::{Along, Var};

/// # Sums of exponentials
///
/// These take floats, over all axes or over some. The largest element is subtracted first, so that nothing
/// overflows.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.softmax(-1), x.log_softmax(-1), x.logsumexp()));
/// let (shares, logs, sum) = f.call([0.0, 3f64.ln()])?;
/// let near = |a: &[f64], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15);
/// assert!(near(&shares.to_vec::<f64>()?, [0.25, 0.75]));
/// assert!(near(&logs.to_vec::<f64>()?, [0.25f64.ln(), 0.75f64.ln()]));
/// assert!((sum.item::<f64>()? - 4f64.ln()).abs() < 1e-15);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// `ln Σ e^x` of all elements, `-∞` if there is none: `jax.scipy.special.logsumexp`. Derivative: to each
    /// element, its share in the sum; 0 if all are `-∞`.
    #[track_caller]
    pub fn logsumexp(self) -> Var {
        logsumexp("logsumexp", self, (..).into())
    }

    /// `ln Σ e^x` along the given axes: `jax.scipy.special.logsumexp(x, axis)`.
    #[track_caller]
    pub fn logsumexp_axis(self, which: impl Into<Along>) -> Var {
        logsumexp("logsumexp", self, which.into())
    }

    /// The share of each `e^x` in their sum along the given axes: `jax.nn.softmax`. Derivative:
    /// `y (x' - Σ y x')`.
    #[track_caller]
    pub fn softmax(self, which: impl Into<Along>) -> Var {
        floats("softmax", self);
        let over = Over::of("softmax", self, which.into());
        if over.count == 0 {
            return self;
        }
        let share = (self - over.back(largest(self, &over))).exp();
        share / over.back(reduce::sum(share, &over.axes))
    }

    /// The logarithm of [`Var::softmax`]: `jax.nn.log_softmax`. Derivative: `x' - Σ e^y x'`.
    #[track_caller]
    pub fn log_softmax(self, which: impl Into<Along>) -> Var {
        floats("log_softmax", self);
        let over = Over::of("log_softmax", self, which.into());
        if over.count == 0 {
            return self;
        }
        let shifted = self - over.back(largest(self, &over));
        shifted - over.back(reduce::sum(shifted.exp(), &over.axes).log())
    }
}

#[track_caller]
fn logsumexp(op: &str, x: Var, along: Along) -> Var {
    floats(op, x);
    let over = Over::of(op, x, along);
    if over.count == 0 {
        let none = reduce::sum(x, &over.axes);
        return over.kept(Var::full(&none.ty(), f64::NEG_INFINITY));
    }
    let top = largest(x, &over);
    let sum = reduce::sum((x - over.back(top)).exp(), &over.axes);
    // The sum is zero only if every element is -∞. Then -∞ is added, a term without a derivative: a selection between
    // the two results would mark every cotangent that passes through as one that may have to be masked.
    let none = sum.eq(0.0);
    let floor = none.select(Var::full(&sum.ty(), f64::NEG_INFINITY), 0.0);
    over.kept((sum + none.to(sum.dtype())).log() + top + floor)
}

/// Returns the largest element, as a constant for every derivative, or 0 where it is infinite.
#[track_caller]
fn largest(x: Var, over: &Over) -> Var {
    let top = reduce::reduce(Reducer::Max, x, &over.axes).stop_gradient();
    top.is_finite().select(top, 0.0)
}
