//! Windows of arrays, and the values that are written into arrays.

use super::{axis, lengths, refuse};
use crate::error::{TypeError, counted};
use crate::ir::DType;
use crate::ops::layout::known;
use crate::ops::{convert, dynamic, index, layout};
use crate::trace::span::{Axis, Span, StridedRange};
use crate::trace::{Argument, IntoShape, IntoVar, Var, is_weak, number};

/// # Windows
///
/// Reading is linear, and the transpose of reading adds to zeros. A traced start is clamped so that
/// the window lies inside.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(x, i): (Var, Var)| (x.slice_axis(0, Span::from(..).by(2)), x.dynamic_slice(&[i], [2])));
/// let (every_second, window) = f.call(([1.0, 2.0, 3.0, 4.0], 1i64))?;
/// assert_eq!(every_second.to_vec::<f64>()?, [1.0, 3.0]);
/// assert_eq!(window.to_vec::<f64>()?, [2.0, 3.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// A part of one axis, `x.slice_axis(-1, 1..)` or `x.slice_axis(0, Span::from(..).by(-2))`:
    /// `jax.lax.slice_in_dim`. Derivative: the same part of the tangent.
    #[track_caller]
    pub fn slice_axis(self, along: impl Into<Axis>, part: impl Into<Span>) -> Var {
        let a = axis("slice", self, along.into());
        let dims = match known(&self.ty()) {
            Ok(dims) => dims,
            Err(error) => refuse("slice", &[self], error),
        };
        let places = span_of("slice", self, a, dims[a], part.into());
        let (mut start, mut limit, mut step) = (vec![0; dims.len()], dims, vec![1; self.rank()]);
        (start[a], limit[a], step[a]) = (places.start, places.limit, places.step);
        let part = layout::slice(self, &start, &limit, &step);
        match places.down {
            true => layout::reverse(part, &[a]),
            false => part,
        }
    }

    /// The window of lengths `sizes` that starts at traced indices, one for each axis, clamped to lie inside:
    /// `jax.lax.dynamic_slice`. Derivative: the same window of the tangent.
    #[track_caller]
    pub fn dynamic_slice(self, start: &[Var], sizes: impl IntoShape) -> Var {
        let sizes = lengths("dynamic_slice", &[self], self.dtype(), &sizes.lengths());
        dynamic::slice(self, start, &sizes)
    }

    /// `self` with the window that starts at traced indices, one for each axis, replaced by `window`;
    /// clamped to lie inside: `jax.lax.dynamic_update_slice`. Derivative: 1 to what remains.
    #[track_caller]
    pub fn dynamic_update(self, window: Var, start: &[Var]) -> Var {
        let window = entry("dynamic_update", self, window);
        dynamic::update(self, window, start)
    }
}

/// Returns the places of a part of an axis of `n` elements.
#[track_caller]
pub(super) fn span_of(op: &str, x: Var, a: usize, n: usize, span: Span) -> StridedRange {
    match span.of(n) {
        Some(places) => places,
        None => {
            let message = format!("{span} is not a part of axis {a} of {}", x.ty());
            let hint = match span.step {
                0 => "a step is not 0".to_string(),
                step => format!(
                    "{}the axis has {}",
                    if step < 0 {
                        "a negative step leads down, and "
                    } else {
                        ""
                    },
                    counted(n, "element", "elements")
                ),
            };
            refuse(op, &[x], TypeError::new(message).hint(hint))
        }
    }
}

/// Checks that `i` is an array of indices.
#[track_caller]
pub(super) fn check_indices(op: &str, x: Var, i: Var) {
    let ty = i.ty();
    if let Err(error) = known(&ty) {
        refuse(op, &[x, i], error);
    }
    if let Some(error) = index::not_indices(&ty) {
        refuse(op, &[x, i], error);
    }
}

/// Converts a value that is written into `x` to its element type; nothing is narrowed.
#[track_caller]
pub(crate) fn entry(op: &str, x: Var, value: impl IntoVar) -> Var {
    let ty = x.ty();
    let value = value.argument();
    let (fits, given) = match value {
        Argument::Var(v) => {
            let weak = v.dtype() == DType::F64 && ty.is_float() && is_weak(v);
            if weak || ty.dtype.promote(v.dtype()) == Some(ty.dtype) {
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
