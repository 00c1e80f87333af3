//! Parts of arrays.

use super::{axis, lengths, refuse, spread};
use crate::error::TypeError;
use crate::ir::DType;
use crate::ops::index::{self, Bounds};
use crate::ops::{convert, dynamic, layout};
use crate::trace::span::{Axis, Ints, Place, Span, Spans};
use crate::trace::{Argument, IntoVar, Var, number};

/// # Parts
///
/// Reading is linear, and the transpose of reading adds to zeros. A traced index that is out of range
/// reads the nearest element and writes nothing; a negative one counts from the end only where it is
/// known when traced.
///
/// ```
/// use wengert_ir::ir::{DType, Type};
/// use wengert_ir::trace::{Kind, Span, closed};
///
/// let params = [Type::new(DType::F64, &[3, 4]), Type::new(DType::I64, &[])];
/// let door = closed(Kind::Door, &params, |x| {
///     let (x, i) = (x[0], x[1]);
///     vec![
///         x.at(-1) + x.at(i),
///         x.slice((1.., ..-1)),
///         x.slice_axis(1, Span::from(..).by(2)),
///         x.at_set(0, 1.0).at_add(i, x.at(2)),
///         x.dynamic_slice(&[i, i], [2, 2]),
///     ]
/// });
/// let types: Vec<String> = door.func.result_types().iter().map(Type::to_string).collect();
/// assert_eq!(types, ["f64[4]", "f64[2,3]", "f64[3,2]", "f64[3,4]", "f64[2,2]"]);
/// ```
impl Var {
    /// Row `i` along the first axis, without that axis: `x[i]` of NumPy.
    #[track_caller]
    pub fn at(self, i: impl Into<Place>) -> Var {
        let i = i.into();
        match (known_place("at", self, i), i) {
            (Some(i), _) => layout::row(self, i),
            (None, Place::Traced(i)) => index::gather(self, i, 0, 0, Bounds::Clamp),
            (None, Place::Static(_)) => unreachable!("known or refused"),
        }
    }

    /// `self` with row `i` (or the rows at an array of indices) replaced by `value`, which broadcasts:
    /// `x.at[i].set(value)` of JAX. Of several values for one row the last stays. Derivative: 1 to
    /// what stays.
    #[track_caller]
    pub fn at_set(self, i: impl Into<Place>, value: impl IntoVar) -> Var {
        let (i, u) = written("at_set", self, i.into(), value);
        index::scatter_set(self, i, u, 0, 0, Bounds::Drop)
    }

    /// `self` with `value`, which broadcasts, added to row `i` (or to the rows at an array of indices,
    /// one after the other): `x.at[i].add(value)` of JAX. Derivative: 1 to both.
    #[track_caller]
    pub fn at_add(self, i: impl Into<Place>, value: impl IntoVar) -> Var {
        let (i, u) = written("at_add", self, i.into(), value);
        index::scatter_add(self, i, u, 0, 0, Bounds::Drop)
    }

    /// Parts of the first axes, all of the others: `x[1..3, ..]` of NumPy. `x.slice(1..)`,
    /// `x.slice((.., 0..3))`, `x.slice([1..3, 0..2])`. A part that is not one is an error.
    #[track_caller]
    pub fn slice(self, parts: impl Into<Spans>) -> Var {
        let parts = parts.into().0;
        if parts.len() > self.rank() {
            let message = format!("{} parts of {}", parts.len(), self.ty());
            refuse("slice", &[self], TypeError::new(message));
        }
        part_of(self, parts.into_iter().enumerate())
    }

    /// A part of one axis: `x.slice_axis(-1, 1..)`, `x.slice_axis(0, Span::from(..).by(2))`.
    #[track_caller]
    pub fn slice_axis(self, along: impl Into<Axis>, part: impl Into<Span>) -> Var {
        let a = axis("slice", self, along.into());
        part_of(self, std::iter::once((a, part.into())))
    }

    /// The window of lengths `sizes` that starts at traced indices, one an axis, moved to lie inside:
    /// `jax.lax.dynamic_slice`.
    #[track_caller]
    pub fn dynamic_slice(self, start: &[Var], sizes: impl Into<Ints>) -> Var {
        let sizes = lengths("dynamic_slice", &[self], self.dtype(), &sizes.into());
        dynamic::slice(self, start, &sizes)
    }

    /// `self` with `window` in the place of the window that starts at traced indices, one an axis,
    /// moved to lie inside: `jax.lax.dynamic_update_slice`. Derivative: 1 to what stays.
    #[track_caller]
    pub fn dynamic_update(self, window: Var, start: &[Var]) -> Var {
        let window = entry("dynamic_update", self, window);
        dynamic::update(self, window, start)
    }
}

/// The row that is known when traced; `None` for one that is not.
#[track_caller]
fn known_place(op: &str, x: Var, i: Place) -> Option<usize> {
    let ty = x.ty();
    if ty.rank() == 0 {
        refuse(op, &[x], TypeError::new(format!("{ty} has no axis")));
    }
    let n = ty.dims()[0];
    let Place::Static(i) = i else { return None };
    let found = match i < 0 {
        true => n.checked_sub(i.unsigned_abs() as usize),
        false => Some(i as usize).filter(|&i| i < n),
    };
    if found.is_none() {
        refuse(op, &[x], TypeError::new(format!("{ty} has no row {i}")));
    }
    found
}

/// The indices to write at, and the updates in their shape.
#[track_caller]
fn written(op: &str, x: Var, i: Place, value: impl IntoVar) -> (Var, Var) {
    let value = entry(op, x, value);
    let i = match (known_place(op, x, i), i) {
        (Some(i), _) => Var::scalar(i as i64),
        (None, Place::Traced(i)) => i,
        (None, Place::Static(_)) => unreachable!("known or refused"),
    };
    let dims = [&i.shape()[..], &x.shape()[1..]].concat();
    (i, spread(op, value, &dims))
}

#[track_caller]
fn part_of(x: Var, parts: impl Iterator<Item = (usize, Span)>) -> Var {
    let ty = x.ty();
    let mut limit = ty.dims();
    let mut start = vec![0; limit.len()];
    let mut step = vec![1; limit.len()];
    for (a, span) in parts {
        let Some(part) = span.of(limit[a]) else {
            let message = format!("{span} is not a part of axis {a} of {ty}");
            refuse("slice", &[x], TypeError::new(message));
        };
        (start[a], limit[a], step[a]) = (part.start, part.end, span.step);
    }
    layout::slice(x, &start, &limit, &step)
}

/// What is to be written into `x`, in its element type: nothing is narrowed.
#[track_caller]
pub(crate) fn entry(op: &str, x: Var, value: impl IntoVar) -> Var {
    let ty = x.ty();
    let value = value.argument();
    let (fits, given) = match value {
        Argument::Var(v) => {
            if ty.dtype.promote(v.dtype()) == Some(ty.dtype) {
                return convert::convert(v, ty.dtype);
            }
            (false, v.ty().to_string())
        }
        Argument::Float(x) => (ty.is_float(), format!("the float {x:?}")),
        Argument::Int(n) => (ty.dtype != DType::Bool, n.to_string()),
        Argument::Bool(b) => (true, b.to_string()),
    };
    if !fits {
        let error = TypeError::new(format!("{given} does not go into {ty}"));
        refuse(
            op,
            &[x],
            error.hint("convert one of them, as in `x.to(DType::F64)`"),
        );
    }
    number::literal(op, value, ty.dtype)
}
