//! A [`Var`] next to other numbers: how they are brought to one type, and the operators.
//!
//! Shapes broadcast as in NumPy: they are aligned at the
//! right, and an axis that is missing or has length 1 is repeated. Element types are promoted by
//! [`DType::promote`]; Rust's literals take the type of the `Var` next to them.

use std::ops;

use smallvec::SmallVec;

use crate::buffer::{Dense, Nested, nested};
use crate::error::{TypeError, raise};
use crate::ir::{DType, Dim, Shape, Splat, Type};
use crate::ops::Primitive;
use crate::ops::convert::convert;
use crate::ops::elementwise::{self, Elementwise};
use crate::ops::layout::broadcast_to;
use crate::ops::rows::row;
use crate::scalar::bits_of;
use crate::trace::{Var, captured_array, current_source, is_weak, weaken};

/// An argument of an operation.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A traced value with its own type.
    Var(Var),
    /// An integer, which takes the element type of the operand next to it.
    Int(i128),
    /// A real number, which takes the float type of the operand next to it.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

/// Seals [`IntoVar`]: only this crate and the crate of arrays implement it.
#[doc(hidden)]
pub mod sealed {
    pub trait IntoVar {}
}

/// A value that can be an operand: a [`Var`], a Rust number, or an array of Rust numbers. Numbers
/// take the element type of the operand next to them, and so do the elements of `[1.0, 2.0]`. The trait is
/// sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand beside a `Var`",
    label = "expected a `Var`, a number, or an array or a vector of numbers"
)]
pub trait IntoVar: sealed::IntoVar {
    /// The element type if no operand stands next to it, if this differs from the default.
    #[doc(hidden)]
    const OWN: Option<DType> = None;

    /// Returns the value as an argument.
    #[track_caller]
    fn argument(self) -> Argument;
}

impl sealed::IntoVar for Var {}
impl IntoVar for Var {
    fn argument(self) -> Argument {
        Argument::Var(self)
    }
}

impl sealed::IntoVar for &Var {}
impl IntoVar for &Var {
    fn argument(self) -> Argument {
        Argument::Var(*self)
    }
}

impl sealed::IntoVar for Argument {}
impl IntoVar for Argument {
    fn argument(self) -> Argument {
        self
    }
}

/// Implements [`IntoVar`] and the conversion to a scalar `Var` for Rust's numbers.
macro_rules! numbers {
    ($($t:ty => $variant:ident as $wide:ty, $element:ty, $own:expr;)*) => {$(
        impl sealed::IntoVar for $t {}
        impl IntoVar for $t {
            const OWN: Option<DType> = $own;
            fn argument(self) -> Argument {
                Argument::$variant(self as $wide)
            }
        }
        impl sealed::IntoVar for &$t {}
        impl IntoVar for &$t {
            const OWN: Option<DType> = $own;
            fn argument(self) -> Argument {
                (*self).argument()
            }
        }
        /// Creates a scalar literal.
        impl From<$t> for Var {
            fn from(x: $t) -> Var {
                Var::scalar(x as $element)
            }
        }
    )*};
}
numbers! {
    f32 => Float as f64, f32, Some(DType::F32);
    f64 => Float as f64, f64, None;
    // An integer literal without a type is an `i32` in Rust; here it means an `i64`.
    i32 => Int as i128, i32, None;
    i64 => Int as i128, i64, None;
    u8 => Int as i128, u8, Some(DType::U8);
    u32 => Int as i128, u32, Some(DType::U32);
    u64 => Int as i128, u64, Some(DType::U64);
    usize => Int as i128, i64, None;
}

/// Implements the conversion to constants for Rust's arrays and vectors of numbers.
macro_rules! arrays {
    ($([$($generics:tt)*] $t:ty, |$x:ident| $values:expr;)*) => {$(
        /// Creates a constant with the element type of the numbers.
        ///
        /// # Errors
        /// If rows have different lengths.
        impl<A: Nested, $($generics)*> From<$t> for Var {
            #[track_caller]
            fn from($x: $t) -> Var {
                constant(nested($values))
            }
        }
        impl<A: Nested, $($generics)*> sealed::IntoVar for $t {}
        impl<A: Nested, $($generics)*> IntoVar for $t {
            #[track_caller]
            fn argument(self) -> Argument {
                let $x = self;
                let var = constant(nested($values));
                weaken(var);
                Argument::Var(var)
            }
        }
    )*};
}
arrays! {
    [const N: usize] [A; N], |x| x.to_vec();
    [const N: usize] &[A; N], |x| x.to_vec();
    [] Vec<A>, |x| x;
    [] &Vec<A>, |x| x.clone();
    [] &[A], |x| x.to_vec();
}

#[track_caller]
fn constant(array: Result<Dense, TypeError>) -> Var {
    captured_array(&or_raise("an array of numbers", &[], array))
}

impl sealed::IntoVar for bool {}
impl IntoVar for bool {
    fn argument(self) -> Argument {
        Argument::Bool(self)
    }
}

/// Creates a scalar literal.
impl From<bool> for Var {
    fn from(x: bool) -> Var {
        Var::scalar(x)
    }
}

/// Returns the value, or ends the trace with an error at the caller's line.
#[track_caller]
pub(super) fn or_raise<T>(op: &str, types: &[Option<Type>], result: Result<T, TypeError>) -> T {
    match result {
        Ok(value) => value,
        Err(e) => raise(e.error(
            op,
            types.iter().flatten().cloned().collect(),
            current_source(),
        )),
    }
}

/// Returns the error for two types that are not promoted, with a hint.
pub(super) fn no_common_type(a: &Type, b: &Type) -> TypeError {
    let error = TypeError::new(format!("{a} and {b} have no common element type"));
    let to = format!("{:?}", a.dtype.meeting(b.dtype));
    error.hint(format!("convert one of them, as in `x.to(DType::{to})`"))
}

/// Returns the element type that values are promoted to. Weak values take that of the others if it is of the same
/// kind: see [`weaken`].
pub(crate) fn common_of<'a>(
    types: impl Iterator<Item = (&'a Type, bool)> + Clone,
) -> Result<DType, TypeError> {
    let all = |weak: bool| {
        let mut types = types.clone().filter(move |(_, w)| *w == weak);
        let first = types.next()?.0;
        let mut dtype = first.dtype;
        for (ty, _) in types {
            dtype = match dtype.promote(ty.dtype) {
                Some(dtype) => dtype,
                None => return Some(Err(no_common_type(first, ty))),
            };
        }
        Some(Ok((first, dtype)))
    };
    match (all(false), all(true)) {
        (Some(strong), Some(weak)) => {
            let ((strong, a), (weak, b)) = (strong?, weak?);
            match a.is_float() && (b.is_float() || b.is_int()) {
                true => Ok(a),
                false => a.promote(b).ok_or_else(|| no_common_type(strong, weak)),
            }
        }
        (Some(one), None) | (None, Some(one)) => Ok(one?.1),
        (None, None) => Ok(DType::Bool),
    }
}

/// Returns the element type that arguments are converted to, given the types of the `Var`s among them, and
/// whether those are weak.
pub(super) fn common_dtype(
    args: &[Argument],
    types: &[Option<(Type, bool)>],
) -> Result<DType, TypeError> {
    let first = types.iter().flatten().next();
    let mut dtype = common_of(types.iter().flatten().map(|(ty, weak)| (ty, *weak)))?;
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

/// Returns the bits of a Rust number in an element type that can represent it.
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
                false => {
                    let error = TypeError::new(format!("{n} does not fit in {dtype}"));
                    Err(error.hint("convert first, as in `x.to(DType::I64)`"))
                }
            }
        }
    }
}

/// Returns a Rust number as a scalar of the element type that it takes next to an array of type `ty`.
#[doc(hidden)]
pub fn number_beside(arg: Argument, ty: &Type) -> Result<Dense, TypeError> {
    let dtype = common_dtype(&[arg], &[Some((ty.clone(), false))])?;
    Ok(Dense::splat(dtype, vec![], number(arg, dtype)?))
}

/// Returns a Rust number as a scalar literal of an element type that can represent it.
#[track_caller]
pub(crate) fn literal(op: &str, arg: Argument, dtype: DType) -> Var {
    let bits = or_raise(op, &[], number(arg, dtype));
    Var::literal(Splat::new(&Type::scalar(dtype), bits))
}

/// Returns the shape that two shapes broadcast to.
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

/// Returns the shape that all types broadcast to.
fn common_shape(types: &[Option<Type>]) -> Result<Shape, TypeError> {
    let mut shape = Shape::default();
    let mut before: SmallVec<[&Type; 3]> = SmallVec::new();
    for ty in types.iter().flatten() {
        shape = match broadcast(&shape, &ty.shape) {
            Some(shape) => shape,
            None => {
                // If each pair broadcasts but not all together, the error names the last two.
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

/// Broadcasts a value to a shape that its own shape broadcasts to.
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

/// Converts the arguments to values of one type: promoted, and broadcast to one shape. A condition
/// comes first; it is broadcast too, but keeps its element type.
#[track_caller]
pub fn aligned(op: &str, condition: Option<Var>, args: &[Argument]) -> SmallVec<[Var; 3]> {
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
    let mut weak: SmallVec<[Option<(Type, bool)>; 3]> = SmallVec::new();
    for (arg, ty) in all.iter().zip(&types).skip(values) {
        weak.push(match (arg, ty) {
            (Argument::Var(v), Some(ty)) => Some((ty.clone(), is_weak(*v))),
            _ => None,
        });
    }
    let dtype = or_raise(op, &types, common_dtype(args, &weak));
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
pub(super) fn unary(op: Elementwise, x: Var) -> Var {
    op.apply(&[x])
}

/// Records a unary operation like [`unary`], for a method whose name differs from the operation's.
#[track_caller]
pub(super) fn unary_as(method: &str, op: Elementwise, x: Var) -> Var {
    op.apply(accepted(method, op, &[x]))
}

#[track_caller]
pub(super) fn binary(op: Elementwise, a: impl IntoVar, b: impl IntoVar) -> Var {
    let args = [a.argument(), b.argument()];
    op.apply(&aligned(&op.method(), None, &args))
}

/// Records a binary operation like [`binary`], for a method whose name differs from the operation's. The operands are
/// in the order in which they are written.
#[track_caller]
pub(super) fn binary_as(method: &str, op: Elementwise, a: Var, b: impl IntoVar) -> Var {
    let vars = aligned(method, None, &[Argument::Var(a), b.argument()]);
    op.apply(accepted(method, op, &vars))
}

/// Records a binary operation with its operands swapped.
#[track_caller]
pub(super) fn swapped(method: &str, op: Elementwise, a: Var, b: impl IntoVar) -> Var {
    let mut vars = aligned(method, None, &[Argument::Var(a), b.argument()]);
    vars.swap(0, 1);
    op.apply(accepted(method, op, &vars))
}

/// Returns the operands if the operation takes them, and otherwise raises an error that names the method.
#[track_caller]
fn accepted<'v>(method: &str, op: Elementwise, vars: &'v [Var]) -> &'v [Var] {
    let types: SmallVec<[Type; 3]> = vars.iter().map(|v| v.ty()).collect();
    let given: SmallVec<[Option<Type>; 3]> = types.iter().cloned().map(Some).collect();
    or_raise(method, &given, op.types(&types));
    vars
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

/// A number as the left operand of an operator, whatever its type: `num(n) - x` with `n: usize`. It
/// takes the element type of the `Var`, as on the right. (Literals, and variables of type `f64` and `i32`,
/// do not need it. If operators took more types of integers and floats on the left, Rust could not infer the type of
/// `2` in `(2 * x).sqrt()`.)
///
/// ```
/// use wengert::prelude::*;
///
/// let n = 3usize;
/// let f = jit(move |x: Var| num(n) - x);
/// assert_eq!(f.call([1f32, 5.0])?.to_vec::<f32>()?, [2.0, -2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn num(x: impl IntoVar) -> Argument {
    x.argument()
}

/// Implements operators with a number on the left, for one float type and one integer type each, so that the type of
/// a literal is inferred at once and `(1.0 + x).sqrt()` compiles.
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
    Argument, Add, add;
    Argument, Sub, sub;
    Argument, Mul, mul;
    Argument, Div, div;
    Argument, Rem, rem;
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

/// The vector `0, 1, 2, .. n - 1` of the given element type: `jax.numpy.arange`. Derivative: none.
#[track_caller]
pub fn iota(n: usize, dtype: DType) -> Var {
    crate::ops::iota::iota(Type::new(dtype, &[n]), 0)
}
