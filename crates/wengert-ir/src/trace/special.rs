//! Special functions, as methods of a [`Var`].

use crate::ops::elementwise::mul_or_zero;
use crate::ops::rows::row;
use crate::trace::Var;
use crate::trace::number::{Argument, IntoVar, aligned, binary, unary};

/// # Special functions
///
/// Element by element, of floats. Shapes broadcast and element types are promoted where there are
/// several operands; what is no float is an [`Error::Type`](crate::error::Error::Type). In `f32` the
/// value is that in `f64`, rounded once. The book has a table of their errors.
///
/// ```
/// use wengert_ir::trace::{Kind, Var, closed};
///
/// let door = closed(Kind::Door, &[], |_| {
///     let x = Var::scalar(0.5);
///     vec![x.erf_inv(), x.lgamma(), x.digamma(), x.polygamma(1), Var::scalar(0.0).xlogy(0.0)]
/// });
/// let y = wengert_ir::eval::eval(&door.func, &[])?;
/// let y: Vec<String> = y.iter().map(|y| format!("{:.4}", y.dense().slice::<f64>()[0])).collect();
/// assert_eq!(y, ["0.4769", "0.5724", "-1.9635", "4.9348", "0.0000"]);
/// # Ok::<(), wengert_ir::error::Error>(())
/// ```
impl Var {
    /// The number whose error function is `x`; infinite at -1 and 1, NaN beyond:
    /// `scipy.special.erfinv`, `jax.lax.erf_inv`. Derivative: `√π/2 e^y²`.
    #[track_caller]
    pub fn erf_inv(self) -> Var {
        unary(const { row("erf_inv") }, self)
    }

    /// `ln |Γ(x)|`; infinite at 0 and the negative integers: `scipy.special.gammaln`,
    /// `jax.lax.lgamma`. Derivative: [`Var::digamma`].
    #[track_caller]
    pub fn lgamma(self) -> Var {
        unary(const { row("lgamma") }, self)
    }

    /// `Γ'(x) / Γ(x)`; NaN at 0 and the negative integers: `scipy.special.digamma`,
    /// `jax.lax.digamma`. Derivative: `x.polygamma(1)`.
    #[track_caller]
    pub fn digamma(self) -> Var {
        unary(const { row("digamma") }, self)
    }

    /// The derivative of [`Var::digamma`] of order `n`, a number of Rust's or a float `Var` that is
    /// rounded; NaN for negative orders: `scipy.special.polygamma(n, x)`. At 0 and the negative integers
    /// infinite for odd orders, NaN for even ones. Derivative: `x.polygamma(n + 1)`; 0 in `n`.
    #[track_caller]
    pub fn polygamma(self, n: impl IntoVar) -> Var {
        match n.argument() {
            Argument::Int(0) => self.digamma(),
            Argument::Int(1) => unary(const { row("trigamma") }, self),
            n => binary(const { row("polygamma") }, n, self),
        }
    }

    /// `self ln y`, and 0 where `self` is 0, whatever `y`: `scipy.special.xlogy`. Derivatives: `ln y`,
    /// and `self / y`, which is 0 where `self` is 0.
    #[track_caller]
    pub fn xlogy(self, y: impl IntoVar) -> Var {
        let vars = aligned("xlogy", None, &[self.argument(), y.argument()]);
        mul_or_zero(vars[0], vars[1].ln())
    }

    /// `self ln(1 + y)`, and 0 where `self` is 0, whatever `y`: `scipy.special.xlog1py`. Derivatives:
    /// `ln(1 + y)`, and `self / (1 + y)`, which is 0 where `self` is 0.
    #[track_caller]
    pub fn xlog1py(self, y: impl IntoVar) -> Var {
        let vars = aligned("xlog1py", None, &[self.argument(), y.argument()]);
        mul_or_zero(vars[0], vars[1].log1p())
    }
}
