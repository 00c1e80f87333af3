//! Shapes, element types and parameters of draws.

use wengert_ir::error::{TypeError, raise};
use wengert_ir::ir::{DType, Splat, Type};
use wengert_ir::trace::{Argument, IntoShape, IntoVar, Ints, Var, current_source};

use crate::tree::ShapeDtype;

/// The shape of a draw, written as [any shape](IntoShape), `()` for one number; or a [`ShapeDtype`], which also
/// gives the element type.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|key: Key| {
///     let [a, b, c] = key.split_n();
///     (a.normal([2, 3]), b.normal(()), c.normal(ShapeDtype::new([4], DType::F32)))
/// });
/// let (a, b, c) = f.call(Key::from_seed(0))?;
/// assert_eq!((a.shape(), b.shape(), c.dtype()), (&[2, 3][..], &[][..], DType::F32));
/// # Ok::<(), wengert::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what is drawn",
    label = "expected a shape, such as `[2, 3]`, `n` or `()`, or a `ShapeDtype`"
)]
pub trait Draws: Sealed {}

mod sealed {
    pub trait Sealed {
        /// Returns the lengths, and the element type if it is given.
        #[doc(hidden)]
        fn spec(self) -> (super::Ints, Option<super::DType>);
    }
}
use sealed::Sealed;

impl<T: IntoShape> Draws for T {}
impl<T: IntoShape> Sealed for T {
    fn spec(self) -> (Ints, Option<DType>) {
        (self.lengths(), None)
    }
}

impl Draws for ShapeDtype {}
impl Sealed for ShapeDtype {
    fn spec(self) -> (Ints, Option<DType>) {
        (self.shape.into(), Some(self.dtype))
    }
}

impl Draws for &ShapeDtype {}
impl Sealed for &ShapeDtype {
    fn spec(self) -> (Ints, Option<DType>) {
        self.clone().spec()
    }
}

#[track_caller]
pub(super) fn refuse(op: &str, types: &[Type], message: String, hint: Option<&str>) -> ! {
    let hint = hint.map(Into::into);
    raise(TypeError { message, hint }.error(op, types.to_vec(), current_source()))
}

/// Returns the requested type, whose dtype must be among the `allowed`, the first of which is the default.
#[track_caller]
pub(super) fn asked(op: &str, shape: impl Draws, allowed: &[DType]) -> Type {
    let (dims, dtype) = shape.spec();
    let dtype = dtype.unwrap_or(allowed[0]);
    if !allowed.contains(&dtype) {
        let names: Vec<String> = allowed.iter().map(DType::to_string).collect();
        let message = format!("draws {}, and not {dtype}", names.join(" or "));
        refuse(op, &[], message, None);
    }
    let known: Option<Vec<usize>> = dims.0.iter().map(|&n| usize::try_from(n).ok()).collect();
    match known {
        Some(dims) => sized(op, dtype, &dims),
        None => refuse(
            op,
            &[],
            format!("{:?} holds a negative length", dims.0),
            None,
        ),
    }
}

/// Returns the type with these lengths, if such an array can be addressed.
#[track_caller]
pub(super) fn sized(op: &str, dtype: DType, dims: &[usize]) -> Type {
    let ty = Type::new(dtype, dims);
    // Counts eight bytes per element: a smaller element may be drawn from as many.
    let bytes = (dims.iter()).try_fold(8usize, |n, &d| n.checked_mul(d.max(1)));
    if bytes.is_none_or(|n| n > isize::MAX as usize) {
        refuse(op, &[], format!("{ty} is larger than memory can be"), None);
    }
    ty
}

/// Returns the requested type with more axes at the end, for elements that are arrays.
#[track_caller]
pub(super) fn several(op: &str, ty: &Type, more: &[usize]) -> Type {
    sized(op, ty.dtype, &[&ty.dims()[..], more].concat())
}

pub(super) const FLOATS: &[DType] = &[DType::F64, DType::F32];

/// Converts an integer scalar to `u64`; negative ones wrap around.
#[track_caller]
pub(super) fn integer(op: &str, i: impl IntoVar) -> Var {
    let i = match i.argument() {
        Argument::Var(v) => v,
        Argument::Int(n) => Var::scalar(n as u64),
        other => refuse(op, &[], not_an_integer(other), None),
    };
    let ty = i.ty();
    if !ty.dtype.is_int() || ty.rank() > 0 {
        refuse(
            op,
            std::slice::from_ref(&ty),
            format!("{ty} is not an integer scalar"),
            None,
        );
    }
    i.to(DType::U64)
}

pub(super) fn not_an_integer(x: Argument) -> String {
    match x {
        Argument::Float(x) => format!("{x:?} is not an integer"),
        Argument::Bool(b) => format!("{b} is not an integer"),
        Argument::Int(n) => format!("{n} does not fit in i64"),
        Argument::Var(v) => format!("{} is not an integer", v.ty()),
    }
}

/// Converts an integer parameter to `i64` in the shape of `ty`.
#[track_caller]
pub(super) fn whole(op: &str, x: Argument, ty: &Type) -> Var {
    let ty = ty.with_dtype(DType::I64);
    match x {
        Argument::Var(v) if v.dtype().is_int() => spread(op, v.to(DType::I64), v.ty(), &ty),
        Argument::Int(n) if i64::try_from(n).is_ok() => Var::literal(Splat::new(&ty, n as u64)),
        other => refuse(op, &[], not_an_integer(other), None),
    }
}

/// Converts a parameter of a distribution to the type of the draws, if that is lossless, and broadcasts it.
#[track_caller]
pub(super) fn parameter(op: &str, x: impl IntoVar, ty: &Type) -> Var {
    let x = match x.argument() {
        Argument::Var(v) => v,
        Argument::Float(x) => return Var::full(ty, x),
        Argument::Int(n) => return Var::full(ty, n as f64),
        Argument::Bool(b) => return Var::full(ty, f64::from(b)),
    };
    let given = x.ty();
    if given.dtype.promote(ty.dtype) != Some(ty.dtype) {
        let hint = "convert it, or ask for its element type by a `ShapeDtype`";
        let message = format!("a parameter of type {given} for draws of type {ty}");
        refuse(op, &[given, ty.clone()], message, Some(hint));
    }
    spread(op, x.to(ty.dtype), given, ty)
}

/// Broadcasts a parameter that was given with the type `given`.
#[track_caller]
pub(super) fn spread(op: &str, x: Var, given: Type, ty: &Type) -> Var {
    let (dims, to) = (given.dims(), ty.dims());
    let fits = dims.len() <= to.len()
        && (dims.iter().rev().zip(to.iter().rev())).all(|(n, to)| n == to || *n == 1);
    if !fits {
        let message =
            format!("a parameter of type {given} does not broadcast to draws of type {ty}");
        refuse(op, &[given, ty.clone()], message, None);
    }
    x.broadcast_to(to)
}
