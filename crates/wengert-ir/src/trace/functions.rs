//! Functions of numbers, as methods of [`Var`]: each names its row in the tables of
//! elementwise operations.

use crate::error::TypeError;
use crate::ir::DType;
use crate::ops::convert::convert;
use crate::ops::elementwise;
use crate::ops::rows::row;
use crate::trace::Var;
use crate::trace::number::{
    Argument, IntoVar, aligned, binary, binary_as, or_raise, swapped, unary, unary_as,
};

/// # Functions of one number
///
/// These work element by element, on floats unless noted; the result has the shape and the element type of
/// `self`. On another element type they are an [`Error::Type`](crate::error::Error::Type).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| x.sin().exp());
/// let y = f.call([0f32, 1.0])?;
/// assert_eq!((y.dtype(), y.to_vec::<f32>()?[0]), (DType::F32, 1.0));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The sine of an angle in radians: `numpy.sin`. Derivative: `cos x`.
    #[track_caller]
    pub fn sin(self) -> Var {
        unary(const { row("sin") }, self)
    }

    /// The cosine of an angle in radians: `numpy.cos`. Derivative: `-sin x`.
    #[track_caller]
    pub fn cos(self) -> Var {
        unary(const { row("cos") }, self)
    }

    /// The tangent of an angle in radians: `numpy.tan`. Derivative: `1 + tan² x`.
    #[track_caller]
    pub fn tan(self) -> Var {
        unary(const { row("tan") }, self)
    }

    /// `sin(πx) / (πx)`, and 1 at 0: `numpy.sinc`. Derivative: `(cos(πx) - y) / x`, and 0 at 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|x: Var| x.sinc());
    /// assert_eq!(f.call([0.0, 0.5])?.to_vec::<f64>()?, [1.0, std::f64::consts::FRAC_2_PI]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn sinc(self) -> Var {
        unary(const { row("sinc") }, self)
    }

    /// The angle in `[-π/2, π/2]` whose sine is `x`; NaN outside `[-1, 1]`: `numpy.arcsin`. Derivative:
    /// `1 / √(1 - x²)`.
    #[track_caller]
    pub fn asin(self) -> Var {
        unary(const { row("asin") }, self)
    }

    /// The angle in `[0, π]` whose cosine is `x`; NaN outside `[-1, 1]`: `numpy.arccos`. Derivative:
    /// `-1 / √(1 - x²)`.
    #[track_caller]
    pub fn acos(self) -> Var {
        unary(const { row("acos") }, self)
    }

    /// The angle in `[-π/2, π/2]` whose tangent is `x`: `numpy.arctan`. Derivative: `1 / (1 + x²)`.
    #[track_caller]
    pub fn atan(self) -> Var {
        unary(const { row("atan") }, self)
    }

    /// The hyperbolic sine: `numpy.sinh`. Derivative: `cosh x`.
    #[track_caller]
    pub fn sinh(self) -> Var {
        unary(const { row("sinh") }, self)
    }

    /// The hyperbolic cosine: `numpy.cosh`. Derivative: `sinh x`.
    #[track_caller]
    pub fn cosh(self) -> Var {
        unary(const { row("cosh") }, self)
    }

    /// The hyperbolic tangent: `numpy.tanh`. Derivative: `1 - tanh² x`.
    #[track_caller]
    pub fn tanh(self) -> Var {
        unary(const { row("tanh") }, self)
    }

    /// The inverse of the hyperbolic sine: `numpy.arcsinh`. Derivative: `1 / √(1 + x²)`.
    #[track_caller]
    pub fn asinh(self) -> Var {
        unary(const { row("asinh") }, self)
    }

    /// The inverse of the hyperbolic cosine, which is not negative; NaN below 1: `numpy.arccosh`. Derivative:
    /// `1 / √(x² - 1)`.
    #[track_caller]
    pub fn acosh(self) -> Var {
        unary(const { row("acosh") }, self)
    }

    /// The inverse of the hyperbolic tangent; infinite at -1 and 1, NaN beyond: `numpy.arctanh`.
    /// Derivative: `1 / (1 - x²)`.
    #[track_caller]
    pub fn atanh(self) -> Var {
        unary(const { row("atanh") }, self)
    }

    /// `e^x`: `numpy.exp`. Derivative: itself.
    #[track_caller]
    pub fn exp(self) -> Var {
        unary(const { row("exp") }, self)
    }

    /// `2^x`: `numpy.exp2`. Derivative: `2^x ln 2`.
    #[track_caller]
    pub fn exp2(self) -> Var {
        unary(const { row("exp2") }, self)
    }

    /// `e^x - 1`, accurate near 0: `numpy.expm1`. Derivative: `e^x`.
    #[track_caller]
    pub fn expm1(self) -> Var {
        unary(const { row("expm1") }, self)
    }

    /// [`Var::expm1`] under its name in Rust.
    #[track_caller]
    pub fn exp_m1(self) -> Var {
        unary_as("exp_m1", const { row("expm1") }, self)
    }

    /// The natural logarithm; `-∞` at 0, NaN below: `numpy.log`. Derivative: `1 / x`.
    #[track_caller]
    pub fn ln(self) -> Var {
        unary(const { row("log") }, self)
    }

    /// [`Var::ln`] under its name in NumPy.
    #[track_caller]
    pub fn log(self) -> Var {
        unary_as("log", const { row("log") }, self)
    }

    /// `ln(1 + x)`, accurate near 0: `numpy.log1p`. Derivative: `1 / (1 + x)`.
    #[track_caller]
    pub fn log1p(self) -> Var {
        unary(const { row("log1p") }, self)
    }

    /// [`Var::log1p`] under its name in Rust.
    #[track_caller]
    pub fn ln_1p(self) -> Var {
        unary_as("ln_1p", const { row("log1p") }, self)
    }

    /// The logarithm to base 2: `numpy.log2`. Derivative: `1 / (x ln 2)`.
    #[track_caller]
    pub fn log2(self) -> Var {
        unary(const { row("log2") }, self)
    }

    /// The logarithm to base 10: `numpy.log10`. Derivative: `1 / (x ln 10)`.
    #[track_caller]
    pub fn log10(self) -> Var {
        unary(const { row("log10") }, self)
    }

    /// The error function, `2/√π ∫ e^-t² dt` from 0 to `x`: `scipy.special.erf`. Derivative:
    /// `2/√π e^-x²`.
    #[track_caller]
    pub fn erf(self) -> Var {
        unary(const { row("erf") }, self)
    }

    /// `1 - erf x`, accurate where it is small: `scipy.special.erfc`. Derivative: `-2/√π e^-x²`.
    #[track_caller]
    pub fn erfc(self) -> Var {
        unary(const { row("erfc") }, self)
    }

    /// The number that a standard normal random number exceeds with probability `|q|`, with the sign of `q`,
    /// for `|q| <= 1/2`: `scipy.stats.norm.isf` for small `q`, extended as an odd function. Infinite at 0, 0 at 1/2,
    /// NaN beyond. Accurate for arbitrarily small `q`. Derivative: `-√(2π) e^(y²/2)`.
    #[track_caller]
    pub fn normal_tail(self) -> Var {
        unary(const { row("normal_tail") }, self)
    }

    /// `1 / (1 + e^-x)`, the logistic function: `jax.nn.sigmoid`. Derivative: `y (1 - y)`, accurate also where
    /// `1 - y` would cancel.
    #[track_caller]
    pub fn sigmoid(self) -> Var {
        unary(const { row("sigmoid") }, self)
    }

    /// The square root; NaN below 0: `numpy.sqrt`. Derivative: `1 / (2 √x)`.
    #[track_caller]
    pub fn sqrt(self) -> Var {
        unary(const { row("sqrt") }, self)
    }

    /// The cube root, also of negative numbers: `numpy.cbrt`. Derivative: `1 / (3 y²)`.
    #[track_caller]
    pub fn cbrt(self) -> Var {
        unary(const { row("cbrt") }, self)
    }

    /// `1 / √x`: `jax.lax.rsqrt`. Derivative: `-1 / (2 x √x)`.
    #[track_caller]
    pub fn rsqrt(self) -> Var {
        unary(const { row("rsqrt") }, self)
    }

    /// `x * x`, of any numbers: `numpy.square`. Derivative: `2 x`.
    #[track_caller]
    pub fn square(self) -> Var {
        unary(const { row("square") }, self)
    }

    /// `1 / x`: `numpy.reciprocal`. Derivative: `-1 / x²`.
    #[track_caller]
    pub fn recip(self) -> Var {
        unary(const { row("reciprocal") }, self)
    }

    /// The absolute value, of any numbers: `numpy.abs`. That of the smallest integer wraps. Derivative: [`Var::sign`],
    /// which is 0 at 0.
    #[track_caller]
    pub fn abs(self) -> Var {
        unary(const { row("abs") }, self)
    }

    /// -1, 0 or 1, of any numbers; a zero keeps its sign, NaN is NaN: `numpy.sign`. Derivative: 0.
    #[track_caller]
    pub fn sign(self) -> Var {
        unary(const { row("sign") }, self)
    }

    /// The next integer towards minus infinity: `numpy.floor`. Derivative: 0.
    #[track_caller]
    pub fn floor(self) -> Var {
        unary(const { row("floor") }, self)
    }

    /// The next integer towards infinity: `numpy.ceil`. Derivative: 0.
    #[track_caller]
    pub fn ceil(self) -> Var {
        unary(const { row("ceil") }, self)
    }

    /// The nearest integer, ties to the even one (unlike Rust's `round`): `numpy.round`.
    /// Derivative: 0.
    #[track_caller]
    pub fn round(self) -> Var {
        unary(const { row("round") }, self)
    }

    /// The next integer towards zero: `numpy.trunc`. Derivative: 0.
    #[track_caller]
    pub fn trunc(self) -> Var {
        unary(const { row("trunc") }, self)
    }

    /// The value, which every derivative treats as a constant: `jax.lax.stop_gradient`. Takes any element type.
    /// Derivative: 0.
    #[track_caller]
    pub fn stop_gradient(self) -> Var {
        unary(const { row("stop_gradient") }, self)
    }

    /// Whether the element is NaN; `bool`: `numpy.isnan`.
    #[track_caller]
    pub fn is_nan(self) -> Var {
        elementwise::ne(self, self)
    }

    /// Whether the element is neither NaN nor infinite; `bool`: `numpy.isfinite`.
    #[track_caller]
    pub fn is_finite(self) -> Var {
        self.abs().lt(f64::INFINITY)
    }

    /// The value converted to another element type: `x.astype(..)` in NumPy. Floats are truncated to integers,
    /// saturating at the largest and the smallest integer, and NaN becomes 0; integers wrap;
    /// for `bool` the result is whether the number is nonzero. Derivative: the tangent converted, between floats; 0
    /// otherwise.
    #[track_caller]
    pub fn to(self, dtype: DType) -> Var {
        convert(self, dtype)
    }

    /// The power with a known integer exponent, of floats or integers, by repeated squaring:
    /// `jax.lax.integer_power`. `x^0` is 1 for every `x`. Derivative: `n x^(n-1)`.
    ///
    /// # Errors
    /// [`Error::Type`](crate::error::Error::Type) for a negative power of an integer.
    #[track_caller]
    pub fn powi(self, n: i32) -> Var {
        let ty = self.ty();
        if n < 0 && !ty.is_float() {
            let error = TypeError::new(format!("{ty} to the power {n} is no whole number"));
            let error = error.hint("convert first, as in `x.to(DType::F64)`");
            or_raise("powi", &[Some(ty.clone())], Err(error))
        }
        let mut left = n.unsigned_abs();
        let mut power: Option<Var> = None;
        let mut square = self;
        while left > 0 {
            if left & 1 == 1 {
                power = Some(match power {
                    None => square,
                    Some(p) => elementwise::mul(p, square),
                });
            }
            left >>= 1;
            if left > 0 {
                square = square.square();
            }
        }
        match power {
            None => Var::full(&ty, 1.0),
            Some(p) if n < 0 => {
                let exponent = Var::full(&ty, f64::from(n));
                const { row("inverse_power") }.apply(&[self, p.recip(), exponent])
            }
            Some(p) => p,
        }
    }
}

/// # Functions of several numbers
///
/// These work element by element; shapes broadcast, element types are promoted, and Rust's numbers take the
/// type of `self`. Shapes that do not broadcast and element types without a common type are an
/// [`Error::Type`](crate::error::Error::Type).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(x, y): (Var, Var)| x.lt(1.0).select(x, x.powf(y)));
/// assert_eq!(f.call(([0.5, 4.0], 0.5))?.to_vec::<f64>()?, [0.5, 2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// `self` to the power `exponent`; of floats: `numpy.power`. Derivatives: `y x^(y-1)`, which is 0
    /// for `y = 0`, and `x^y ln x`, which is defined as 0 at `x = 0`.
    #[track_caller]
    pub fn powf(self, exponent: impl IntoVar) -> Var {
        binary(const { row("pow") }, self, exponent)
    }

    /// `self` to the power `exponent`: `jax.numpy.power`. For one of Rust's integers it is [`Var::powi`],
    /// for anything else [`Var::powf`]. Derivative: that of `powi` or `powf`.
    #[track_caller]
    pub fn pow(self, exponent: impl IntoVar) -> Var {
        match exponent.argument() {
            Argument::Int(n) if i32::try_from(n).is_ok() => self.powi(n as i32),
            other => binary_as("pow", const { row("pow") }, self, other),
        }
    }

    /// `ln(e^self + e^other)`, without overflow: `numpy.logaddexp`. Derivatives: the shares of the
    /// two in the sum, as for [`Var::logsumexp`]: 0 if both are `-∞`, a half each if both are `∞`.
    #[track_caller]
    pub fn logaddexp(self, other: impl IntoVar) -> Var {
        binary(const { row("logaddexp") }, self, other)
    }

    /// `√(self² + other²)`, without overflow: `numpy.hypot`. Derivatives: `self / y` and `other / y`,
    /// 0 where `y` is 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(x, y): (Var, Var)| x.hypot(y));
    /// assert_eq!(f.call((3e300, 4e300))?.item::<f64>()?, 5e300);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn hypot(self, other: impl IntoVar) -> Var {
        binary(const { row("hypot") }, self, other)
    }

    /// The absolute value of `self` with the sign of `sign`, even of a zero: `numpy.copysign`. The sign of a NaN
    /// depends on the machine, so it counts as positive. Derivatives:
    /// 1 or -1, depending on whether the sign stays, and 0 where `self` is 0; and 0.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(x, sign): (Var, Var)| x.copysign(sign));
    /// assert_eq!(f.call((3.0, -0.0))?.item::<f64>()?, -3.0);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn copysign(self, sign: impl IntoVar) -> Var {
        binary(const { row("copysign") }, self, sign)
    }

    /// The angle in `[-π, π]` of the point `(x, self)`: `numpy.arctan2`. Derivatives: `x / r²` and
    /// `-self / r²`, with `r² = x² + self²`.
    #[track_caller]
    pub fn atan2(self, x: impl IntoVar) -> Var {
        binary(const { row("atan2") }, self, x)
    }

    /// The remainder with the sign of `self`, as by `self % other`: `numpy.fmod`. Derivatives: 1 and
    /// `-trunc(self / other)`.
    #[track_caller]
    #[expect(
        clippy::should_implement_trait,
        reason = "the operator is there too; this needs no import"
    )]
    pub fn rem(self, other: impl IntoVar) -> Var {
        binary(const { row("rem") }, self, other)
    }

    /// The larger of two numbers; NaN if either is NaN: `numpy.maximum`. Derivative: to the larger, half to each on
    /// a tie.
    #[track_caller]
    pub fn maximum(self, other: impl IntoVar) -> Var {
        binary(const { row("max") }, self, other)
    }

    /// The smaller of two numbers; NaN if either is NaN: `numpy.minimum`. Derivative: to the smaller, half to each
    /// on a tie.
    #[track_caller]
    pub fn minimum(self, other: impl IntoVar) -> Var {
        binary(const { row("min") }, self, other)
    }

    /// [`Var::maximum`] under its name in Rust.
    #[track_caller]
    pub fn max(self, other: impl IntoVar) -> Var {
        binary_as("max", const { row("max") }, self, other)
    }

    /// [`Var::minimum`] under its name in Rust.
    #[track_caller]
    pub fn min(self, other: impl IntoVar) -> Var {
        binary_as("min", const { row("min") }, self, other)
    }

    /// The number clamped to the range from `low` to `high`: `numpy.clip`. Derivative: 1 between them,
    /// half at either end, 0 outside.
    #[track_caller]
    pub fn clamp(self, low: impl IntoVar, high: impl IntoVar) -> Var {
        let raised = binary_as("clamp", const { row("max") }, self, low);
        binary_as("clamp", const { row("min") }, raised, high)
    }

    /// `self * a + b`, rounded once; of floats. Derivatives: `a`, `self` and 1.
    #[track_caller]
    pub fn mul_add(self, a: impl IntoVar, b: impl IntoVar) -> Var {
        let args = [Argument::Var(self), a.argument(), b.argument()];
        const { row("fma") }.apply(&aligned("mul_add", None, &args))
    }

    /// Whether `self < other`; `bool`, false for NaN: `numpy.less`.
    #[track_caller]
    pub fn lt(self, other: impl IntoVar) -> Var {
        binary(const { row("lt") }, self, other)
    }

    /// Whether `self <= other`; `bool`, false for NaN: `numpy.less_equal`.
    #[track_caller]
    pub fn le(self, other: impl IntoVar) -> Var {
        binary(const { row("le") }, self, other)
    }

    /// Whether `self > other`; `bool`, false for NaN: `numpy.greater`.
    #[track_caller]
    pub fn gt(self, other: impl IntoVar) -> Var {
        swapped("gt", const { row("lt") }, self, other)
    }

    /// Whether `self >= other`; `bool`, false for NaN: `numpy.greater_equal`.
    #[track_caller]
    pub fn ge(self, other: impl IntoVar) -> Var {
        swapped("ge", const { row("le") }, self, other)
    }

    /// Whether both are equal; `bool`, false for NaN: `numpy.equal`.
    #[track_caller]
    pub fn eq(self, other: impl IntoVar) -> Var {
        binary(const { row("eq") }, self, other)
    }

    /// Whether they differ; `bool`, true for NaN: `numpy.not_equal`.
    #[track_caller]
    pub fn ne(self, other: impl IntoVar) -> Var {
        binary(const { row("ne") }, self, other)
    }

    /// The conjunction of truth values or bits, `self & other`: `numpy.bitwise_and`. Derivative: none.
    #[track_caller]
    pub fn and(self, other: impl IntoVar) -> Var {
        binary(const { row("and") }, self, other)
    }

    /// The disjunction of truth values or bits, `self | other`: `numpy.bitwise_or`. Derivative: none.
    #[track_caller]
    pub fn or(self, other: impl IntoVar) -> Var {
        binary(const { row("or") }, self, other)
    }

    /// The exclusive or of truth values or bits, `self ^ other`: `numpy.bitwise_xor`. Derivative: none.
    #[track_caller]
    pub fn xor(self, other: impl IntoVar) -> Var {
        binary(const { row("xor") }, self, other)
    }

    /// The bits shifted right by `by` modulo the width, filled with zeros; of integers:
    /// `jax.lax.shift_right_logical`. `self >> by` keeps the sign.
    #[track_caller]
    pub fn shift_right_logical(self, by: impl IntoVar) -> Var {
        binary(const { row("shift_right_logical") }, self, by)
    }

    /// `a` where `self` (of `bool`) is true, and `b` elsewhere: `numpy.where`. All three broadcast. The value that is
    /// not chosen has no influence, not even on the derivative: a NaN or an infinity in it does no harm.
    #[track_caller]
    pub fn select(self, a: impl IntoVar, b: impl IntoVar) -> Var {
        let vars = aligned("select", Some(self), &[a.argument(), b.argument()]);
        elementwise::select(vars[0], vars[1], vars[2])
    }
}
