//! Creating arrays, from other arrays or from nothing.

use super::{axis, axis_of_rank, entry, lengths, promoted, refuse, spread};
use crate::error::TypeError;
use crate::ir::{DType, Splat, Type};
use crate::ops::{convert, elementwise, iota, layout};
use crate::trace::span::{Axis, Count, Ints};
use crate::trace::{Argument, IntoShape, IntoVar, Var, is_weak, number};

mod sealed {
    pub trait IntoVars {}
}

/// Several values in order: an array, a slice or a vector of [`Var`]s, or a tuple, in which
/// Rust's numbers may stand next to `Var`s: `stack((x, 0.0))`. (An array `[x, 0.0]` is not valid Rust, since its
/// elements must have the same type.) The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not several `Var`s",
    label = "expected an array, a slice, a vector or a tuple of `Var`s",
    note = "numbers may stand beside `Var`s in a tuple: `stack((x, 0.0))`"
)]
pub trait IntoVars: sealed::IntoVars {
    /// Returns the values, for the operation with this name.
    #[doc(hidden)]
    #[track_caller]
    fn vars(self, op: &str) -> Vec<Var>;
}

impl sealed::IntoVars for &[Var] {}
impl IntoVars for &[Var] {
    fn vars(self, _: &str) -> Vec<Var> {
        self.to_vec()
    }
}
impl sealed::IntoVars for Vec<Var> {}
impl IntoVars for Vec<Var> {
    fn vars(self, _: &str) -> Vec<Var> {
        self
    }
}
impl sealed::IntoVars for &Vec<Var> {}
impl IntoVars for &Vec<Var> {
    fn vars(self, _: &str) -> Vec<Var> {
        self.clone()
    }
}
impl<const N: usize> sealed::IntoVars for [Var; N] {}
impl<const N: usize> IntoVars for [Var; N] {
    fn vars(self, _: &str) -> Vec<Var> {
        self.to_vec()
    }
}
impl<const N: usize> sealed::IntoVars for &[Var; N] {}
impl<const N: usize> IntoVars for &[Var; N] {
    fn vars(self, _: &str) -> Vec<Var> {
        self.to_vec()
    }
}

macro_rules! tuples {
    ($(($($t:ident)*))*) => {$(
        impl<$($t: IntoVar),*> sealed::IntoVars for ($($t,)*) {}
        impl<$($t: IntoVar),*> IntoVars for ($($t,)*) {
            #[allow(non_snake_case)]
            #[track_caller]
            fn vars(self, op: &str) -> Vec<Var> {
                let ($($t,)*) = self;
                beside(op, &[$($t.argument()),*])
            }
        }
    )*};
}
tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

/// Converts numbers to values; they take the element type of the values next to them.
#[track_caller]
fn beside(op: &str, all: &[Argument]) -> Vec<Var> {
    let mut types = Vec::with_capacity(all.len());
    for arg in all {
        types.push(match arg {
            Argument::Var(v) => Some((v.ty(), is_weak(*v))),
            _ => None,
        });
    }
    let common = number::common_dtype(all, &types);
    let known: Vec<_> = types
        .iter()
        .map(|t| t.as_ref().map(|(ty, _)| ty.clone()))
        .collect();
    let dtype = number::or_raise(op, &known, common);
    let mut vars = Vec::with_capacity(all.len());
    for arg in all {
        vars.push(match arg {
            Argument::Var(v) => *v,
            other => number::literal(op, *other, dtype),
        });
    }
    vars
}

/// Arrays concatenated along an axis: `numpy.concatenate`. The other axes must agree; element types are
/// promoted. Derivative: the tangents, concatenated.
#[track_caller]
pub fn concat(parts: impl IntoVars, along: impl Into<Axis>) -> Var {
    let parts = promoted("concat", &parts.vars("concat"));
    if parts[0].rank() == 0 {
        let error = TypeError::new(format!("{} has no axis", parts[0].ty()));
        refuse("concat", &parts, error.hint("use `stack` to make an axis"));
    }
    let a = axis("concat", parts[0], along.into());
    layout::concat(&parts, a)
}

/// Arrays stacked along a new first axis: `numpy.stack`. Shapes must agree; element types are
/// promoted. Derivative: the tangents, stacked.
#[track_caller]
pub fn stack(parts: impl IntoVars) -> Var {
    stack_axis(parts, 0)
}

/// Arrays stacked along a new axis, which is axis `along` of the result: `numpy.stack`.
#[track_caller]
pub fn stack_axis(parts: impl IntoVars, along: impl Into<Axis>) -> Var {
    let parts = promoted("stack", &parts.vars("stack"));
    let (first, rank) = (parts[0].ty(), parts[0].rank());
    if let Some(other) = parts.iter().find(|x| x.ty() != first) {
        let message = format!("{first} and {} have different shapes", other.ty());
        refuse("stack", &parts, TypeError::new(message));
    }
    let a = axis_of_rank("stack", parts[0], along.into(), rank + 1);
    layout::stack(&parts, a)
}

/// Zeros of the given shape, `f64`: `numpy.zeros`. A literal.
#[track_caller]
pub fn zeros(shape: impl IntoShape) -> Var {
    filled("zeros", Var::scalar(0.0), shape.lengths())
}

/// Zeros of the given shape and element type (`false` for truth values): `numpy.zeros(shape, dtype)`. A literal.
///
/// ```
/// use wengert::prelude::*;
///
/// assert_eq!(zeros_of([2, 3], DType::F32).ty().to_string(), "f32[2,3]");
/// ```
#[track_caller]
pub fn zeros_of(shape: impl IntoShape, dtype: DType) -> Var {
    filled("zeros", Var::zeros(&Type::scalar(dtype)), shape.lengths())
}

/// Ones of the given shape and element type: `numpy.ones(shape, dtype)`. A literal.
#[track_caller]
pub fn ones_of(shape: impl IntoShape, dtype: DType) -> Var {
    filled(
        "ones",
        Var::full(&Type::scalar(dtype), 1.0),
        shape.lengths(),
    )
}

/// Ones of the given shape, `f64`: `numpy.ones`. A literal.
#[track_caller]
pub fn ones(shape: impl IntoShape) -> Var {
    filled("ones", Var::scalar(1.0), shape.lengths())
}

/// An array filled with one value: `numpy.full`. It has the element type of the value, `f32` for `full(3, 0f32)`;
/// an integer literal without a type, as in `full(3, 0)`, and an `i32` give `i64`. Derivative: to a traced value,
/// the sum.
#[track_caller]
pub fn full<V: IntoVar>(shape: impl IntoShape, value: V) -> Var {
    let value = match value.argument() {
        Argument::Var(v) => v,
        number => {
            let dtype = V::OWN.unwrap_or(match number {
                Argument::Int(_) => DType::I64,
                Argument::Bool(_) => DType::Bool,
                _ => DType::F64,
            });
            number::literal("full", number, dtype)
        }
    };
    filled("full", value, shape.lengths())
}

#[track_caller]
fn filled(op: &str, value: Var, dims: Ints) -> Var {
    let dims = lengths(op, &[value], value.dtype(), &dims);
    match value.as_literal() {
        Some(l) if value.rank() == 0 => {
            Var::literal(Splat::new(&value.ty().with_dims(&dims), l.bits))
        }
        _ => spread(op, value, &dims),
    }
}

/// Zeros of the same type as another value: `numpy.zeros_like`. A literal.
#[track_caller]
pub fn zeros_like(x: Var) -> Var {
    Var::zeros(&x.ty())
}

/// Ones of the same type as another value: `numpy.ones_like`. A literal.
#[track_caller]
pub fn ones_like(x: Var) -> Var {
    Var::full(&x.ty(), 1.0)
}

/// An array of the same type as another, filled with one value: `numpy.full_like`. The value is a Rust number or a
/// scalar `Var`; nothing is narrowed. Derivative: to a traced value, the sum.
#[track_caller]
pub fn full_like(x: Var, value: impl IntoVar) -> Var {
    let value = entry("full_like", x, value);
    filled("full_like", value, Ints::from(x.shape()))
}

/// Evenly spaced integers, `i64`: `arange(5)` for `0, 1, 2, 3, 4`, `arange(2..5)`,
/// `arange((9, 0, -3))` for `9, 6, 3`: `numpy.arange`. For numbers that are not integers
/// see [`linspace`]. Derivative: none.
///
/// # Errors
/// If the step is zero.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|()| (arange(3), arange(2..5), arange((9, 0, -4)), arange(3..3)));
/// let (first, range, steps, none) = f.call(())?;
/// assert_eq!(first.to_vec::<i64>()?, [0, 1, 2]);
/// assert_eq!(range.to_vec::<i64>()?, [2, 3, 4]);
/// assert_eq!(steps.to_vec::<i64>()?, [9, 5, 1]);
/// assert!(none.to_vec::<i64>()?.is_empty());
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn arange(numbers: impl Into<Count>) -> Var {
    let Count { start, end, step } = numbers.into();
    if step == 0 {
        let message = format!("no step leads from {start} to {end}");
        refuse("arange", &[], TypeError::new(message));
    }
    let way = (i128::from(end) - i128::from(start)) * i128::from(step.signum());
    let n = (way.max(0) + i128::from(step.unsigned_abs()) - 1) / i128::from(step.unsigned_abs());
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let dims = lengths("arange", &[], DType::I64, &n.into());
    let numbers = iota::iota(Type::new(DType::I64, &dims), 0);
    match (start, step) {
        (0, 1) => numbers,
        (_, 1) => numbers + start,
        _ => numbers * step + start,
    }
}

/// `n` evenly spaced numbers from `start` to `stop`, both included, along a new first axis:
/// `numpy.linspace`. Both are floats; other numbers become `f64`. To exclude the last number:
/// `linspace(a, b, n + 1).slice(..-1)`. Derivative: to either end, its share.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| linspace(0.0, x, 5));
/// assert_eq!(f.call(2.0)?.to_vec::<f64>()?, [0.0, 0.5, 1.0, 1.5, 2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn linspace(start: impl IntoVar, stop: impl IntoVar, n: usize) -> Var {
    let (a, b, t) = shares("linspace", start.argument(), stop.argument(), n);
    match n {
        1 => spread("linspace", a, &t.shape()),
        _ => a * (1.0 - t) + b * t,
    }
}

/// `n` powers of 10, from `10^start` to `10^stop`: `numpy.logspace`. Derivative: that of the powers, by the
/// exponents.
#[track_caller]
pub fn logspace(start: impl IntoVar, stop: impl IntoVar, n: usize) -> Var {
    let exponents = linspace(start, stop, n);
    Var::full(&exponents.ty(), 10.0).powf(exponents)
}

/// `n` numbers from `start` to `stop` with a constant ratio between neighbours:
/// `numpy.geomspace`. Both must have the same sign. Derivative: to both ends.
#[track_caller]
pub fn geomspace(start: impl IntoVar, stop: impl IntoVar, n: usize) -> Var {
    let (a, b, t) = shares("geomspace", start.argument(), stop.argument(), n);
    match n {
        1 => spread("geomspace", a, &t.shape()),
        _ => a * (b / a).powf(t),
    }
}

/// Returns both ends as floats, and the weight that the second end has in each of the `n` numbers between them,
/// along a new first axis.
#[track_caller]
fn shares(op: &str, start: Argument, stop: Argument, n: usize) -> (Var, Var, Var) {
    let ends = number::aligned(op, None, &[start, stop]);
    let (mut a, mut b) = (ends[0], ends[1]);
    if !a.ty().is_float() {
        a = convert::convert(a, DType::F64);
        b = convert::convert(b, DType::F64);
    }
    let ty = a.ty();
    let dims = [&[n], &ty.dims()[..]].concat();
    let dims = lengths(op, &[], ty.dtype, &dims.into());
    let place = iota::iota(ty.with_dims(&dims), 0);
    (a, b, place / (n.max(2) - 1) as f64)
}

/// The identity matrix, `f64`: of `n` rows and columns, or of `[rows, columns]`: `numpy.eye`. For ones
/// above or below the diagonal: `ones(n).diag_at(k)`. Derivative: none.
///
/// # Errors
/// If there are more than two lengths.
#[track_caller]
pub fn eye(shape: impl IntoShape) -> Var {
    let given = lengths("eye", &[], DType::I64, &shape.lengths());
    let dims = match given[..] {
        [n] => [n, n],
        [rows, columns] => [rows, columns],
        _ => refuse(
            "eye",
            &[],
            TypeError::new(format!("{given:?} is not the shape of a matrix")),
        ),
    };
    let dims = lengths("eye", &[], DType::I64, &dims.into());
    let ty = Type::new(DType::I64, &dims);
    let unit = elementwise::eq(iota::iota(ty.clone(), 0), iota::iota(ty, 1));
    convert::convert(unit, DType::F64)
}

/// The coordinates of all points of a grid, given those along each axis, in arrays of the grid's shape:
/// `numpy.meshgrid`. The first two axes of the grid are swapped: they are those of `y` and `x`. For
/// the order of the arguments see [`meshgrid_ij`]. Derivative: the sum over the points that share a coordinate.
///
/// # Errors
/// If the coordinates are not vectors.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(x, y): (Var, Var)| (meshgrid([x, y]), meshgrid_ij([x, y])));
/// let ([x, y], [columns, _]) = f.call(([1.0, 2.0, 3.0], [5.0, 6.0]))?;
/// assert_eq!(x.to_vec::<f64>()?, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
/// assert_eq!(y.to_vec::<f64>()?, [5.0, 5.0, 5.0, 6.0, 6.0, 6.0]);
/// assert_eq!(columns.to_vec::<f64>()?, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn meshgrid<const N: usize>(axes: [Var; N]) -> [Var; N] {
    let mut grids = meshgrid_ij(axes);
    if N > 1 {
        for grid in &mut grids {
            *grid = layout::move_axis(*grid, 1, 0);
        }
    }
    grids
}

/// [`meshgrid`] with the axes of the grid in the order of the arguments:
/// `numpy.meshgrid(.., indexing="ij")`.
#[track_caller]
pub fn meshgrid_ij<const N: usize>(axes: [Var; N]) -> [Var; N] {
    let mut dims = Vec::with_capacity(N);
    for x in axes {
        match x.shape()[..] {
            [n] => dims.push(n),
            _ => refuse(
                "meshgrid",
                &axes,
                TypeError::new(format!("{} is not a vector", x.ty())),
            ),
        }
    }
    let mut grids = axes;
    for (i, grid) in grids.iter_mut().enumerate() {
        let dims = lengths("meshgrid", &axes, grid.dtype(), &Ints::from(&dims));
        *grid = layout::broadcast(*grid, &grid.ty().with_dims(&dims).shape, &[i]);
    }
    grids
}
