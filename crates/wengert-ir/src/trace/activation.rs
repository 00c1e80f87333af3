//! Activation functions of neural networks.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

use crate::trace::Var;

/// # Activation functions
///
/// These work element by element on floats; the result has the shape and the element type of `self`. On another
/// element type they are an [`Error::Type`](crate::error::Error::Type).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| stack((x.relu(), x.silu(), x.gelu(), x.softplus(), x.log_sigmoid())));
/// let y: Vec<String> = f.call(-1.0)?.to_vec::<f64>()?.iter().map(|y| format!("{y:.4}")).collect();
/// assert_eq!(y, ["0.0000", "-0.2689", "-0.1587", "0.3133", "-1.3133"]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// `max(x, 0)`; NaN stays NaN: `jax.nn.relu`. Derivative: 1 above 0, else 0.
    #[track_caller]
    pub fn relu(self) -> Var {
        self.le(0.0).select(0.0, self)
    }

    /// `x / (1 + e^-x)`: `jax.nn.silu`, also called swish. Derivative: `s + y (1 - s)` with `s` the
    /// [`Var::sigmoid`].
    #[track_caller]
    pub fn silu(self) -> Var {
        self * self.sigmoid()
    }

    /// `x Φ(x)` with the distribution function `Φ` of the standard normal distribution, computed exactly:
    /// `jax.nn.gelu(x, approximate=False)`. Derivative: `Φ(x) + x φ(x)`.
    #[track_caller]
    pub fn gelu(self) -> Var {
        self * (0.5 * (-FRAC_1_SQRT_2 * self).erfc())
    }

    /// An approximation of [`Var::gelu`] within 5e-4, `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`:
    /// `jax.nn.gelu(x)`, where it is the default. Derivative: that of the approximation.
    #[track_caller]
    pub fn gelu_tanh(self) -> Var {
        // (1 + tanh u) / 2 is sigmoid(2 u), which does not cancel. Beyond the clamp the sigmoid is saturated, and the
        // cube of a large x would overflow.
        let x = self.clamp(-100.0, 100.0);
        let inner = FRAC_2_PI.sqrt() * (x + 0.044715 * x * x.square());
        self * (2.0 * inner).sigmoid()
    }

    /// `ln(1 + e^x)`, without overflow: `jax.nn.softplus`. Derivative: [`Var::sigmoid`].
    #[track_caller]
    pub fn softplus(self) -> Var {
        self.logaddexp(0.0)
    }

    /// `ln(1 / (1 + e^-x))`, without overflow: `jax.nn.log_sigmoid`. Derivative: `1 / (1 + e^x)`.
    #[track_caller]
    pub fn log_sigmoid(self) -> Var {
        -(-self).softplus()
    }
}
