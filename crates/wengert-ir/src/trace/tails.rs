//! Tails of distributions, quotients at zero and the parts of floats, as methods of a [`Var`].

use crate::error::TypeError;
use crate::ir::DType;
use crate::ops::rows::row;
use crate::trace::Var;
use crate::trace::array::{floats, refuse};
use crate::trace::number::{Argument, IntoVar, binary, unary};

/// # Tails, quotients and parts of floats
///
/// These work element by element, on floats: functions for densities where the plain formula overflows, underflows or
/// cancels. In `f32` the value is that in `f64`, rounded once. Derivatives of all orders are made of
/// functions that do not cancel either. If there are several operands, shapes broadcast; operands that are not
/// floats are an [`Error::Type`](crate::error::Error::Type).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| stack((x.erfcx(), x.log_erfc(), (-x).log_ndtr(), (0.0 * x).exprel())));
/// let y: Vec<String> = f.call(40.0)?.to_vec::<f64>()?.iter().map(|y| format!("{y:.5}")).collect();
/// assert_eq!(y, ["0.01410", "-1604.26156", "-804.60844", "1.00000"]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// `e^x² erfc x`, the complementary error function without its decay: `scipy.special.erfcx`.
    /// Infinite below about -26.6. Derivative: `2 x y - 2/√π`, without cancellation.
    #[track_caller]
    pub fn erfcx(self) -> Var {
        unary(const { row("erfcx") }, self)
    }

    /// `ln erfc x`, also where [`Var::erfc`] underflows: `tfp.math.log_erfc`. Derivative:
    /// `-2/√π / erfcx x`.
    #[track_caller]
    pub fn log_erfc(self) -> Var {
        unary(const { row("log_erfc") }, self)
    }

    /// The distribution function of the standard normal distribution, `erfc(-x/√2) / 2`:
    /// `scipy.special.ndtr`, `jax.scipy.stats.norm.cdf`. Derivative: the density `e^(-x²/2) / √(2π)`.
    #[track_caller]
    pub fn ndtr(self) -> Var {
        unary(const { row("ndtr") }, self)
    }

    /// `ln` of [`Var::ndtr`], also where that underflows: `scipy.special.log_ndtr`,
    /// `jax.scipy.stats.norm.logcdf`. Derivative: the density divided by the distribution function.
    #[track_caller]
    pub fn log_ndtr(self) -> Var {
        unary(const { row("log_ndtr") }, self)
    }

    /// `(e^x - 1) / x`, and 1 at 0: `scipy.special.exprel`. Derivative: `∫ t e^(x t) dt` over `0..1`,
    /// which is 1/2 at 0.
    #[track_caller]
    pub fn exprel(self) -> Var {
        unary(const { row("exprel") }, self)
    }

    /// `ln(1 + x) / x`, and 1 at 0; NaN below -1. Derivative: `-∫ t / (1 + x t)² dt` over `0..1`, which is
    /// -1/2 at 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.log1p_over_x());
    /// assert_eq!(f.call(1e-20)?.item::<f64>()?, 1.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn log1p_over_x(self) -> Var {
        unary(const { row("log1p_over_x") }, self)
    }

    /// `ln(1 - e^-x)` for positive `x`, `-∞` at 0, NaN below: `jax.nn.log1mexp`. Derivative:
    /// `1 / (e^x - 1)`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.log1mexp());
    /// assert!((f.call(1e-20)?.item::<f64>()? - 1e-20f64.ln()).abs() < 1e-14);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn log1mexp(self) -> Var {
        unary(const { row("log1mexp") }, self)
    }

    /// `ln(e^x - 1)` for positive `x`, without overflow: the inverse of [`Var::softplus`],
    /// `tfp.math.softplus_inverse`. `-∞` at 0, NaN below. Derivative: `1 / (1 - e^-x)`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.log_expm1());
    /// assert_eq!(f.call(1000.0)?.item::<f64>()?, 1000.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn log_expm1(self) -> Var {
        unary(const { row("log_expm1") }, self)
    }

    /// `2^n self` for integers `n`, rounded once, even if the power alone would overflow:
    /// `numpy.ldexp`. Derivative: `2^n`.
    ///
    /// # Errors
    /// If `n` is not an integer.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.ldexp(1990));
    /// assert_eq!(f.call(3e-300)?.item::<f64>()?, 3e-300 * 2f64.powi(995) * 2f64.powi(995));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn ldexp(self, n: impl IntoVar) -> Var {
        floats("ldexp", self);
        let n = match n.argument() {
            Argument::Int(n) => {
                Argument::Float(n.clamp(-i128::from(REACH), i128::from(REACH)) as f64)
            }
            Argument::Var(n) if n.dtype().is_int() => {
                // An unsigned integer has no negative bound.
                let wide = match n.dtype() {
                    DType::U64 => n.minimum(REACH),
                    _ => n,
                };
                let bounded = wide.to(DType::I64).clamp(-REACH, REACH);
                Argument::Var(bounded.to(self.dtype()))
            }
            n => {
                let n = match n {
                    Argument::Var(n) => n,
                    Argument::Bool(b) => Var::scalar(b),
                    Argument::Float(x) => Var::scalar(x),
                    Argument::Int(n) => Var::scalar(n as i64),
                };
                let message = format!("the exponent {} is not an integer", n.ty());
                let error = TypeError::new(message);
                refuse(
                    "ldexp",
                    &[self, n],
                    error.hint("convert it, as in `n.to(DType::I64)`"),
                )
            }
        };
        binary(const { row("ldexp") }, self, n)
    }

    /// `(m, n)` with `self = m 2^n` and `1/2 <= |m| < 1`; `n` is `i64`: `numpy.frexp`. Zero, infinity and NaN
    /// have no exponent: they are their own `m`, with `n = 0`. Derivative: `2^-n` to `m`.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let (m, n) = jit(|x: Var| x.frexp()).call(-12.0)?;
    /// assert_eq!((m.item::<f64>()?, n.item::<i64>()?), (-0.75, 4));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn frexp(self) -> (Var, Var) {
        floats("frexp", self);
        let n = unary(const { row("exponent") }, self);
        let m = const { row("ldexp") }.apply(&[self, -n]);
        (m, n.to(DType::I64))
    }

    /// The float next to `self` in the direction of `to`, or `to` if they are equal: `numpy.nextafter`. NaN
    /// if either is NaN. Derivatives: 1 and 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(x, to): (Var, Var)| x.nextafter(to));
    /// assert_eq!(f.call((1.0, 2.0))?.item::<f64>()?, 1.0 + f64::EPSILON);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn nextafter(self, to: impl IntoVar) -> Var {
        binary(const { row("nextafter") }, self, to)
    }
}

/// Every float becomes zero or infinite when scaled by 2 to this power, negative or positive.
const REACH: i64 = 2200;
