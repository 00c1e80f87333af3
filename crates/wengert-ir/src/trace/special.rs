//! Special functions, as methods of a [`Var`].

use crate::ops::rows::row;
use crate::trace::Var;
use crate::trace::number::{Argument, IntoVar, aligned, binary, unary};

/// # Special functions
///
/// These work element by element, on floats. If there are several operands, shapes broadcast and element types are
/// promoted; operands that are not floats are an [`Error::Type`](crate::error::Error::Type). In `f32` the
/// value is that in `f64`, rounded once. The book has a table of their errors.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| stack((x.erf_inv(), x.lgamma(), x.digamma(), x.polygamma(1), x.xlogy(x))));
/// let y: Vec<String> = f.call(0.5)?.to_vec::<f64>()?.iter().map(|y| format!("{y:.4}")).collect();
/// assert_eq!(y, ["0.4769", "0.5724", "-1.9635", "4.9348", "-0.3466"]);
/// # Ok::<(), wengert::Error>(())
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

    /// The derivative of [`Var::digamma`] of order `n`, one of Rust's numbers or a float `Var`, which is
    /// rounded; NaN for negative orders: `scipy.special.polygamma(n, x)`. At 0 and the negative integers it is
    /// infinite for odd orders and NaN for even ones. Derivative: `x.polygamma(n + 1)`; 0 in `n`.
    #[track_caller]
    pub fn polygamma(self, n: impl IntoVar) -> Var {
        match n.argument() {
            Argument::Int(0) => self.digamma(),
            Argument::Int(1) => unary(const { row("trigamma") }, self),
            n => binary(const { row("polygamma") }, n, self),
        }
    }

    /// `I₀(x)`, the modified Bessel function of the first kind of order 0: `scipy.special.i0`. Infinite
    /// beyond about ±713. Derivative: [`Var::i1`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| stack((x.i0(), x.i1(), x.i0e(), x.i1e())));
    /// let y: Vec<String> = f.call(1.0)?.to_vec::<f64>()?.iter().map(|y| format!("{y:.4}")).collect();
    /// assert_eq!(y, ["1.2661", "0.5652", "0.4658", "0.2079"]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn i0(self) -> Var {
        unary(const { row("i0") }, self)
    }

    /// `I₁(x)`, the modified Bessel function of the first kind of order 1: `scipy.special.i1`. Infinite
    /// beyond about ±713. Derivative: `I₀(x) - I₁(x) / x`, and 1/2 at 0.
    #[track_caller]
    pub fn i1(self) -> Var {
        unary(const { row("i1") }, self)
    }

    /// `e^-|x| I₀(x)`, without overflow: `scipy.special.i0e`. Derivative: `i1e(x) - sign(x) y`.
    #[track_caller]
    pub fn i0e(self) -> Var {
        unary(const { row("i0e") }, self)
    }

    /// `e^-|x| I₁(x)`, without overflow: `scipy.special.i1e`. Derivative:
    /// `i0e(x) - (sign(x) + 1/x) y`, and 1/2 at 0.
    #[track_caller]
    pub fn i1e(self) -> Var {
        unary(const { row("i1e") }, self)
    }

    /// `self ln y`, and 0 where `self` is 0, whatever `y` is: `scipy.special.xlogy`. Derivatives: `ln y`,
    /// and `self / y`, which is 0 where `self` is 0.
    #[track_caller]
    pub fn xlogy(self, y: impl IntoVar) -> Var {
        binary(const { row("xlogy") }, self, y)
    }

    /// `self ln(1 + y)`, and 0 where `self` is 0, whatever `y` is: `scipy.special.xlog1py`. Derivatives:
    /// `ln(1 + y)`, and `self / (1 + y)`, which is 0 where `self` is 0.
    #[track_caller]
    pub fn xlog1py(self, y: impl IntoVar) -> Var {
        binary(const { row("xlog1py") }, self, y)
    }

    /// `ln B(self, b)`, the logarithm of the beta function `Γ(a) Γ(b) / Γ(a + b)`, for positive
    /// arguments: `scipy.special.betaln`. Derivatives: `ψ(a) - ψ(a + b)` and `ψ(b) - ψ(a + b)` with
    /// [`Var::digamma`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(p, q): (Var, Var)| p.betaln(q).exp());
    /// assert!((f.call((2.0, 3.0))?.item::<f64>()? - 1.0 / 12.0).abs() < 1e-16);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn betaln(self, b: impl IntoVar) -> Var {
        binary(const { row("betaln") }, self, b)
    }

    /// `1/Γ(a) ∫ t^(a-1) e^-t dt` from 0 to `x`, the regularised lower incomplete gamma function of the
    /// shape `a = self`, for nonnegative `a` and `x`: `scipy.special.gammainc(a, x)`. It is the
    /// distribution function of the gamma distribution. Derivatives: by `x` its density
    /// `x^(a-1) e^-x / Γ(a)`, by `a` an integral; both of any order.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(s, x): (Var, Var)| s.gammainc(x));
    /// assert!((f.call((1.0, 2.0))?.item::<f64>()? - (1.0 - (-2f64).exp())).abs() < 1e-15);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn gammainc(self, x: impl IntoVar) -> Var {
        binary(const { row("gammainc") }, self, x)
    }

    /// `1 - a.gammainc(x)`, accurate where it is small: the regularised upper incomplete gamma function
    /// of the shape `a = self`: `scipy.special.gammaincc(a, x)`. Derivatives: those of
    /// [`Var::gammainc`], negated.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(s, x): (Var, Var)| s.gammaincc(x));
    /// assert!((f.call((1.0, 100.0))?.item::<f64>()? / (-100f64).exp() - 1.0).abs() < 1e-13);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn gammaincc(self, x: impl IntoVar) -> Var {
        binary(const { row("gammaincc") }, self, x)
    }

    /// `1/B(a, b) ∫ t^(a-1) (1-t)^(b-1) dt` from 0 to `x`, the regularised incomplete beta function of
    /// the shapes `a = self` and `b`, for positive shapes and `x` in 0..1, otherwise NaN:
    /// `scipy.special.betainc(a, b, x)`. It is the distribution function of the beta distribution.
    /// Derivatives: by `x` its density `x^(a-1) (1-x)^(b-1) / B(a, b)`, by the shapes integrals; all of
    /// any order.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(p, q, x): (Var, Var, Var)| p.betainc(q, x));
    /// assert!((f.call((2.0, 1.0, 0.3))?.item::<f64>()? - 0.09).abs() < 1e-16);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn betainc(self, b: impl IntoVar, x: impl IntoVar) -> Var {
        let args = [self.argument(), b.argument(), x.argument()];
        const { row("betainc") }.apply(&aligned("betainc", None, &args))
    }
}
