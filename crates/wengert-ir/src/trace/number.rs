//! What can be done with a [`Var`] as with a number: operators, functions, comparisons.
//!
//! Everything here works element by element. Shapes broadcast as in NumPy: they are aligned at the
//! right, and an axis that is missing or of length 1 is repeated. Element types are promoted by
//! [`DType::promote`]; Rust's literals take the type of the `Var` beside them.

use std::ops;

use smallvec::SmallVec;

use crate::error::{Error, TypeError, raise};
use crate::ir::{DType, Dim, Shape, Splat, Type};
use crate::ops::convert::convert;
use crate::ops::elementwise::{self, Elementwise};
use crate::ops::layout::broadcast_to;
use crate::ops::rows::row;
use crate::ops::scalars::bits_of;
use crate::trace::{Var, current_source};

/// What a number is given as.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A traced value, of its own type.
    Var(Var),
    /// A whole number, of whatever type stands beside it.
    Int(i128),
    /// A real number, of whatever float type stands beside it.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

/// What may stand where a number is wanted: a [`Var`], or a number of Rust's.
pub trait IntoVar {
    /// What it is.
    fn argument(self) -> Argument;
}

impl IntoVar for Var {
    fn argument(self) -> Argument {
        Argument::Var(self)
    }
}

impl IntoVar for &Var {
    fn argument(self) -> Argument {
        Argument::Var(*self)
    }
}

/// Rust's numbers, as an argument and as a scalar `Var`.
macro_rules! numbers {
    ($($t:ty => $variant:ident as $wide:ty, $element:ty;)*) => {$(
        impl IntoVar for $t {
            fn argument(self) -> Argument {
                Argument::$variant(self as $wide)
            }
        }
        /// A scalar literal.
        impl From<$t> for Var {
            fn from(x: $t) -> Var {
                Var::scalar(x as $element)
            }
        }
    )*};
}
numbers! {
    f32 => Float as f64, f32;
    f64 => Float as f64, f64;
    i32 => Int as i128, i32;
    i64 => Int as i128, i64;
    u8 => Int as i128, u8;
    u32 => Int as i128, u32;
    u64 => Int as i128, u64;
    usize => Int as i128, i64;
}

impl IntoVar for bool {
    fn argument(self) -> Argument {
        Argument::Bool(self)
    }
}

/// A scalar literal.
impl From<bool> for Var {
    fn from(x: bool) -> Var {
        Var::scalar(x)
    }
}

/// The value, or the end of the trace with an error at the caller's line.
#[track_caller]
fn or_raise<T>(op: &str, types: &[Option<Type>], result: Result<T, TypeError>) -> T {
    match result {
        Ok(value) => value,
        Err(e) => raise(Error::Type {
            op: op.to_string(),
            types: types.iter().flatten().cloned().collect(),
            message: e.message,
            at: current_source(),
            hint: e.hint,
        }),
    }
}

/// The element type that arguments are brought to, given the types of the `Var`s among them.
fn common_dtype(args: &[Argument], types: &[Option<Type>]) -> Result<DType, TypeError> {
    let first = types.iter().flatten().next();
    let mut dtype = first.map_or(DType::Bool, |t| t.dtype);
    for ty in types.iter().flatten() {
        dtype = match dtype.promote(ty.dtype) {
            Some(dtype) => dtype,
            None => {
                let first = first.unwrap_or(ty);
                let message = format!("{first} and {ty} have no common element type");
                let hint = "convert one of them, as in `x.to(DType::F64)`";
                return Err(TypeError::new(message).hint(hint));
            }
        };
    }
    for arg in args {
        dtype = match (arg, dtype) {
            (Argument::Float(_), DType::Bool) => DType::F64,
            (Argument::Int(_), DType::Bool) => DType::I64,
            (Argument::Float(_), _) if dtype.is_int() && first.is_none() => DType::F64,
            _ => dtype,
        };
    }
    Ok(dtype)
}

/// The bits of one of Rust's numbers in an element type that holds it.
fn number(arg: Argument, dtype: DType) -> Result<u64, TypeError> {
    match arg {
        Argument::Var(v) => unreachable!("{v:?} is not a number of Rust's"),
        Argument::Bool(b) => Ok(bits_of(b, dtype)),
        Argument::Float(x) if dtype.is_float() => Ok(bits_of(x, dtype)),
        Argument::Float(x) => {
            let error = TypeError::new(format!("the float {x:?} beside {dtype}"));
            Err(error.hint("convert first, as in `x.to(DType::F64)`"))
        }
        Argument::Int(n) => {
            let fits = match dtype {
                DType::F32 => return Ok((n as f32).to_bits().into()),
                DType::F64 => return Ok((n as f64).to_bits()),
                DType::Bool => n == 0 || n == 1,
                DType::I32 => i32::try_from(n).is_ok(),
                DType::I64 => i64::try_from(n).is_ok(),
                DType::U8 => u8::try_from(n).is_ok(),
                DType::U32 => u32::try_from(n).is_ok(),
                DType::U64 => u64::try_from(n).is_ok(),
            };
            match fits {
                true => Ok(bits_of(n as u64, dtype)),
                false => Err(TypeError::new(format!("{n} does not fit in {dtype}"))),
            }
        }
    }
}

/// One of Rust's numbers as a scalar literal of an element type that holds it.
#[track_caller]
pub(crate) fn literal(op: &str, arg: Argument, dtype: DType) -> Var {
    let bits = or_raise(op, &[], number(arg, dtype));
    Var::literal(Splat::new(&Type::scalar(dtype), bits))
}

/// What two shapes broadcast to.
fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
    let (long, short) = match a.rank() >= b.rank() {
        true => (a, b),
        false => (b, a),
    };
    let mut shape = long.clone();
    let offset = long.rank() - short.rank();
    for (d, &other) in shape.0[offset..].iter_mut().zip(&short.0) {
        *d = match (*d, other) {
            (a, b) if a == b => a,
            (Dim::N(1), n @ Dim::N(_)) | (n @ Dim::N(_), Dim::N(1)) => n,
            _ => return None,
        };
    }
    Some(shape)
}

/// The shape that all types broadcast to.
fn common_shape(types: &[Option<Type>]) -> Result<Shape, TypeError> {
    let mut shape = Shape::default();
    let mut before: SmallVec<[&Type; 3]> = SmallVec::new();
    for ty in types.iter().flatten() {
        shape = match broadcast(&shape, &ty.shape) {
            Some(shape) => shape,
            None => {
                // Where each pair broadcasts and all together do not, the last two stand for them.
                let clashes = |t: &&&Type| broadcast(&t.shape, &ty.shape).is_none();
                let other = before.iter().find(clashes).or(before.last());
                let other = other.map_or(ty, |t| *t);
                return Err(TypeError::new(format!("{other} and {ty} do not broadcast")));
            }
        };
        before.push(ty);
    }
    Ok(shape)
}

/// The value in that shape, which its own broadcasts to.
#[track_caller]
fn spread(x: Var, shape: &Shape) -> Var {
    match x.as_literal() {
        Some(splat) => {
            let (dtype, shape) = (splat.ty().dtype, shape.clone());
            Var::literal(Splat::new(&Type { dtype, shape }, splat.bits))
        }
        None => broadcast_to(x, &shape.dims()),
    }
}

/// The arguments as values of one type: promoted, and in the shape that all of them broadcast to. So
/// is the condition, if there is one, but for its element type; it comes first.
#[track_caller]
fn aligned(op: &str, condition: Option<Var>, args: &[Argument]) -> SmallVec<[Var; 3]> {
    let mut all: SmallVec<[Argument; 3]> = condition.map(Argument::Var).into_iter().collect();
    let values = all.len();
    all.extend_from_slice(args);
    let mut types: SmallVec<[Option<Type>; 3]> = SmallVec::new();
    for arg in &all {
        types.push(match arg {
            Argument::Var(v) => Some(v.ty()),
            _ => None,
        });
    }
    let dtype = or_raise(op, &types, common_dtype(args, &types[values..]));
    let shape = or_raise(op, &types, common_shape(&types));
    let mut vars = SmallVec::new();
    for (i, (arg, ty)) in all.iter().zip(&types).enumerate() {
        vars.push(match (*arg, ty) {
            (Argument::Var(mut v), Some(ty)) => {
                if i >= values && ty.dtype != dtype {
                    v = convert(v, dtype);
                }
                match ty.shape == shape {
                    true => v,
                    false => spread(v, &shape),
                }
            }
            (other, _) => {
                let bits = or_raise(op, &types, number(other, dtype));
                let shape = shape.clone();
                Var::literal(Splat::new(&Type { dtype, shape }, bits))
            }
        });
    }
    vars
}

#[track_caller]
fn unary(op: Elementwise, x: Var) -> Var {
    op.apply(&[x])
}

#[track_caller]
fn binary(op: Elementwise, a: impl IntoVar, b: impl IntoVar) -> Var {
    let args = [a.argument(), b.argument()];
    op.apply(&aligned(op.row().name, None, &args))
}

macro_rules! operators {
    ($($op:ident, $method:ident, $assign:ident, $assign_method:ident, $name:literal;)*) => {$(
        impl<R: IntoVar> ops::$op<R> for Var {
            type Output = Var;
            #[track_caller]
            fn $method(self, other: R) -> Var {
                binary(const { row($name) }, self, other)
            }
        }
        impl<R: IntoVar> ops::$assign<R> for Var {
            #[track_caller]
            fn $assign_method(&mut self, other: R) {
                *self = binary(const { row($name) }, *self, other);
            }
        }
    )*};
}
operators! {
    Add, add, AddAssign, add_assign, "add";
    Sub, sub, SubAssign, sub_assign, "sub";
    Mul, mul, MulAssign, mul_assign, "mul";
    Div, div, DivAssign, div_assign, "div";
    Rem, rem, RemAssign, rem_assign, "rem";
    BitAnd, bitand, BitAndAssign, bitand_assign, "and";
    BitOr, bitor, BitOrAssign, bitor_assign, "or";
    BitXor, bitxor, BitXorAssign, bitxor_assign, "xor";
    Shl, shl, ShlAssign, shl_assign, "shift_left";
    Shr, shr, ShrAssign, shr_assign, "shift_right";
}

/// Numbers to the left of an operator: of floats and of integers one type each, so that the type of
/// a literal is settled at once and `(1.0 + x).sqrt()` compiles.
macro_rules! left_operators {
    ($($t:ty, $op:ident, $method:ident;)*) => {$(
        impl ops::$op<Var> for $t {
            type Output = Var;
            #[track_caller]
            fn $method(self, other: Var) -> Var {
                binary(const { row(stringify!($method)) }, self, other)
            }
        }
    )*};
}
left_operators! {
    f64, Add, add;
    f64, Sub, sub;
    f64, Mul, mul;
    f64, Div, div;
    f64, Rem, rem;
    i32, Add, add;
    i32, Sub, sub;
    i32, Mul, mul;
    i32, Div, div;
    i32, Rem, rem;
}

impl ops::Neg for Var {
    type Output = Var;
    #[track_caller]
    fn neg(self) -> Var {
        elementwise::neg(self)
    }
}

impl ops::Not for Var {
    type Output = Var;
    #[track_caller]
    fn not(self) -> Var {
        elementwise::not(self)
    }
}

impl std::iter::Sum for Var {
    fn sum<I: Iterator<Item = Var>>(values: I) -> Var {
        values.reduce(|a, b| a + b).unwrap_or(Var::scalar(0.0))
    }
}

/// # Functions of one number
///
/// Element by element, of floats unless said; the result has the shape and the element type of
/// `self`. On another element type they are an [`Error::Type`].
///
/// ```
/// use wengert_ir::ir::{DType, Type};
/// use wengert_ir::trace::{Kind, closed};
///
/// let door = closed(Kind::Door, &[Type::new(DType::F32, &[3])], |x| vec![x[0].sin().exp()]);
/// assert_eq!(door.func.result_types()[0].to_string(), "f32[3]");
/// ```
impl Var {
    /// The sine of radians: `numpy.sin`. Derivative: `cos x`.
    #[track_caller]
    pub fn sin(self) -> Var {
        unary(const { row("sin") }, self)
    }

    /// The cosine of radians: `numpy.cos`. Derivative: `-sin x`.
    #[track_caller]
    pub fn cos(self) -> Var {
        unary(const { row("cos") }, self)
    }

    /// The tangent of radians: `numpy.tan`. Derivative: `1 + tan² x`.
    #[track_caller]
    pub fn tan(self) -> Var {
        unary(const { row("tan") }, self)
    }

    /// The angle in `[-π/2, π/2]` of that sine; NaN outside `[-1, 1]`: `numpy.arcsin`. Derivative:
    /// `1 / √(1 - x²)`.
    #[track_caller]
    pub fn asin(self) -> Var {
        unary(const { row("asin") }, self)
    }

    /// The angle in `[0, π]` of that cosine; NaN outside `[-1, 1]`: `numpy.arccos`. Derivative:
    /// `-1 / √(1 - x²)`.
    #[track_caller]
    pub fn acos(self) -> Var {
        unary(const { row("acos") }, self)
    }

    /// The angle in `[-π/2, π/2]` of that tangent: `numpy.arctan`. Derivative: `1 / (1 + x²)`.
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

    /// The inverse of the hyperbolic cosine, not negative; NaN below 1: `numpy.arccosh`. Derivative:
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

    /// [`Var::expm1`] by its name in Rust.
    #[track_caller]
    pub fn exp_m1(self) -> Var {
        self.expm1()
    }

    /// The natural logarithm; `-∞` at 0, NaN below: `numpy.log`. Derivative: `1 / x`.
    #[track_caller]
    pub fn ln(self) -> Var {
        unary(const { row("log") }, self)
    }

    /// [`Var::ln`] by its name in NumPy.
    #[track_caller]
    pub fn log(self) -> Var {
        self.ln()
    }

    /// `ln(1 + x)`, accurate near 0: `numpy.log1p`. Derivative: `1 / (1 + x)`.
    #[track_caller]
    pub fn log1p(self) -> Var {
        unary(const { row("log1p") }, self)
    }

    /// [`Var::log1p`] by its name in Rust.
    #[track_caller]
    pub fn ln_1p(self) -> Var {
        self.log1p()
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

    /// `1 - erf x`, accurate where that is small: `scipy.special.erfc`. Derivative: `-2/√π e^-x²`.
    #[track_caller]
    pub fn erfc(self) -> Var {
        unary(const { row("erfc") }, self)
    }

    /// `ln(1 + e^x)`, without overflow: `jax.nn.softplus`. Derivative: [`Var::sigmoid`].
    #[track_caller]
    pub fn softplus(self) -> Var {
        self.logaddexp(0.0)
    }

    /// `1 / (1 + e^-x)`, the logistic function: `jax.nn.sigmoid`. Derivative: `y (1 - y)`.
    #[track_caller]
    pub fn sigmoid(self) -> Var {
        unary(const { row("sigmoid") }, self)
    }

    /// The square root; NaN below 0: `numpy.sqrt`. Derivative: `1 / (2 √x)`.
    #[track_caller]
    pub fn sqrt(self) -> Var {
        unary(const { row("sqrt") }, self)
    }

    /// The cube root, of negative numbers too: `numpy.cbrt`. Derivative: `1 / (3 y²)`.
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

    /// The size, of any numbers: `numpy.abs`. Of integers it wraps. Derivative: [`Var::sign`], which
    /// is 0 at 0.
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

    /// The same value, taken as a constant by every derivative: `jax.lax.stop_gradient`. Of any
    /// elements.
    #[track_caller]
    pub fn stop_gradient(self) -> Var {
        unary(const { row("stop_gradient") }, self)
    }

    /// Whether it is NaN; `bool`: `numpy.isnan`.
    #[track_caller]
    pub fn is_nan(self) -> Var {
        elementwise::ne(self, self)
    }

    /// Whether it is neither NaN nor infinite; `bool`: `numpy.isfinite`.
    #[track_caller]
    pub fn is_finite(self) -> Var {
        self.abs().lt(f64::INFINITY)
    }

    /// With elements of another type: `x.astype(..)` in NumPy. From floats to integers towards zero,
    /// the largest or the smallest integer where that does not fit, and 0 for NaN; between integers
    /// wrapping; to `bool` whether it is not 0. Derivative: the tangent converted, between floats; 0
    /// otherwise.
    #[track_caller]
    pub fn to(self, dtype: DType) -> Var {
        convert(self, dtype)
    }

    /// The power with a whole number that is known, of floats or integers, by repeated squaring:
    /// `jax.lax.integer_power`. `x^0` is 1 for every `x`. Derivative: `n x^(n-1)`.
    ///
    /// # Errors
    /// [`Error::Type`] for a negative power of an integer.
    #[track_caller]
    pub fn powi(self, n: i32) -> Var {
        let ty = self.ty();
        if n < 0 && !ty.is_float() {
            let error = TypeError::new(format!("{ty} to the power {n}"));
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
            Some(p) if n < 0 => p.recip(),
            Some(p) => p,
        }
    }
}

/// # Functions of several numbers
///
/// Element by element; shapes broadcast, element types are promoted, and Rust's numbers take the
/// type of `self`. Shapes that do not broadcast and element types that have no common one are an
/// [`Error::Type`].
///
/// ```
/// use wengert_ir::ir::{DType, Type};
/// use wengert_ir::trace::{Kind, closed};
///
/// let params = [Type::new(DType::F64, &[2, 1]), Type::new(DType::F32, &[3])];
/// let door = closed(Kind::Door, &params, |x| vec![x[0].lt(1.0).select(x[0], x[1].powf(0.5))]);
/// assert_eq!(door.func.result_types()[0].to_string(), "f64[2,3]");
/// ```
impl Var {
    /// `self` to the power `exponent`; of floats: `numpy.power`. Derivatives: `y x^(y-1)`, which is 0
    /// for `y = 0`, and `x^y ln x`, taken as 0 at `x = 0`.
    #[track_caller]
    pub fn powf(self, exponent: impl IntoVar) -> Var {
        binary(const { row("pow") }, self, exponent)
    }

    /// `self` to the power `exponent`: `jax.numpy.power`. A whole number of Rust's is [`Var::powi`],
    /// anything else [`Var::powf`].
    #[track_caller]
    pub fn pow(self, exponent: impl IntoVar) -> Var {
        match exponent.argument() {
            Argument::Int(n) if i32::try_from(n).is_ok() => self.powi(n as i32),
            other => self.powf(other),
        }
    }

    /// `ln(e^self + e^other)`, without overflow: `numpy.logaddexp`. Derivatives: the shares of the
    /// two in the sum.
    #[track_caller]
    pub fn logaddexp(self, other: impl IntoVar) -> Var {
        binary(const { row("logaddexp") }, self, other)
    }

    /// The angle in `[-π, π]` of the point `(x, self)`: `numpy.arctan2`. Derivatives: `x / r²` and
    /// `-self / r²`, with `r² = x² + self²`.
    #[track_caller]
    pub fn atan2(self, x: impl IntoVar) -> Var {
        binary(const { row("atan2") }, self, x)
    }

    /// The remainder with the sign of `self`, as `self % other`: `numpy.fmod`. Derivatives: 1 and
    /// `-trunc(self / other)`.
    #[track_caller]
    #[expect(
        clippy::should_implement_trait,
        reason = "the operator is there too; this needs no import"
    )]
    pub fn rem(self, other: impl IntoVar) -> Var {
        binary(const { row("rem") }, self, other)
    }

    /// The larger; NaN if either is NaN: `numpy.maximum`. Derivative: to the larger, half to each on
    /// a tie.
    #[track_caller]
    pub fn maximum(self, other: impl IntoVar) -> Var {
        binary(const { row("max") }, self, other)
    }

    /// The smaller; NaN if either is NaN: `numpy.minimum`. Derivative: to the smaller, half to each
    /// on a tie.
    #[track_caller]
    pub fn minimum(self, other: impl IntoVar) -> Var {
        binary(const { row("min") }, self, other)
    }

    /// [`Var::maximum`] by its name in Rust.
    #[track_caller]
    pub fn max(self, other: impl IntoVar) -> Var {
        self.maximum(other)
    }

    /// [`Var::minimum`] by its name in Rust.
    #[track_caller]
    pub fn min(self, other: impl IntoVar) -> Var {
        self.minimum(other)
    }

    /// No smaller than `low` and no larger than `high`: `numpy.clip`. Derivative: 1 between them,
    /// half at either end, 0 outside.
    #[track_caller]
    pub fn clamp(self, low: impl IntoVar, high: impl IntoVar) -> Var {
        self.maximum(low).minimum(high)
    }

    /// `self * a + b`, rounded once; of floats. Derivatives: `a`, `self` and 1.
    #[track_caller]
    pub fn mul_add(self, a: impl IntoVar, b: impl IntoVar) -> Var {
        let args = [Argument::Var(self), a.argument(), b.argument()];
        const { row("fma") }.apply(&aligned("fma", None, &args))
    }

    /// Whether `self < other`; `bool`, false on NaN: `numpy.less`.
    #[track_caller]
    pub fn lt(self, other: impl IntoVar) -> Var {
        binary(const { row("lt") }, self, other)
    }

    /// Whether `self <= other`; `bool`, false on NaN: `numpy.less_equal`.
    #[track_caller]
    pub fn le(self, other: impl IntoVar) -> Var {
        binary(const { row("le") }, self, other)
    }

    /// Whether `self > other`; `bool`, false on NaN: `numpy.greater`.
    #[track_caller]
    pub fn gt(self, other: impl IntoVar) -> Var {
        binary(const { row("lt") }, other, self)
    }

    /// Whether `self >= other`; `bool`, false on NaN: `numpy.greater_equal`.
    #[track_caller]
    pub fn ge(self, other: impl IntoVar) -> Var {
        binary(const { row("le") }, other, self)
    }

    /// Whether both are equal; `bool`, false on NaN: `numpy.equal`.
    #[track_caller]
    pub fn eq(self, other: impl IntoVar) -> Var {
        binary(const { row("eq") }, self, other)
    }

    /// Whether they differ; `bool`, true on NaN: `numpy.not_equal`.
    #[track_caller]
    pub fn ne(self, other: impl IntoVar) -> Var {
        binary(const { row("ne") }, self, other)
    }

    /// Both, of truth values or bits: `self & other`.
    #[track_caller]
    pub fn and(self, other: impl IntoVar) -> Var {
        binary(const { row("and") }, self, other)
    }

    /// At least one, of truth values or bits: `self | other`.
    #[track_caller]
    pub fn or(self, other: impl IntoVar) -> Var {
        binary(const { row("or") }, self, other)
    }

    /// Exactly one, of truth values or bits: `self ^ other`.
    #[track_caller]
    pub fn xor(self, other: impl IntoVar) -> Var {
        binary(const { row("xor") }, self, other)
    }

    /// Shifted right by `by` modulo the width, zeros coming in; of integers:
    /// `jax.lax.shift_right_logical`. `self >> by` keeps the sign.
    #[track_caller]
    pub fn shift_right_logical(self, by: impl IntoVar) -> Var {
        binary(const { row("shift_right_logical") }, self, by)
    }

    /// `a` where `self` (of `bool`) holds, else `b`: `numpy.where`. All three broadcast. What is not
    /// chosen has no influence, on the derivative neither: a NaN or an infinity in it does no harm.
    #[track_caller]
    pub fn select(self, a: impl IntoVar, b: impl IntoVar) -> Var {
        let vars = aligned("select", Some(self), &[a.argument(), b.argument()]);
        elementwise::select(vars[0], vars[1], vars[2])
    }
}

impl IntoVar for Argument {
    fn argument(self) -> Argument {
        self
    }
}

/// `0, 1, 2, .. n - 1`, a vector of that element type: `jax.numpy.arange`. Derivative: none.
#[track_caller]
pub fn iota(n: usize, dtype: DType) -> Var {
    crate::ops::iota::iota(Type::new(dtype, &[n]), 0)
}
