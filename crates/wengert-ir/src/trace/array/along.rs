//! Reading and writing along an axis at arrays of indices.

use super::part::{check_indices, entry};
use super::{axis, refuse, spread};
use crate::error::TypeError;
use crate::ir::DType;
use crate::ops::index::{self, Access, Bounds};
use crate::ops::iota::iota;
use crate::ops::layout::{self, known};
use crate::ops::{convert, elementwise};
use crate::trace::span::Axis;
use crate::trace::{IntoVar, Var};

/// # Arrays of indices along an axis
///
/// Indices are integers of any type. An index out of range reads the nearest element and writes nothing;
/// negative indices do not count from the end. For indices along several axes see [`Var::at`].
///
/// ```
/// use wengert::prelude::*;
///
/// let rows = jit(|(x, i): (Var, Var)| x.take(i, 0));
/// assert_eq!(rows.call(([1.0, 2.0, 3.0], [2i64, 0]))?.to_vec::<f64>()?, [3.0, 1.0]);
///
/// let f = jit(|(x, i): (Var, Var)| (x.take_along_axis(i, 1), x.put_along_axis(i, 0.0, 1), i.one_hot(2)));
/// let (taken, put, hot) = f.call(([[1.0, 2.0], [3.0, 4.0]], [[1i64], [0]]))?;
/// assert_eq!(taken.to_vec::<f64>()?, [2.0, 3.0]);
/// assert_eq!(put.to_vec::<f64>()?, [1.0, 0.0, 0.0, 4.0]);
/// assert_eq!(hot.to_vec::<f64>()?, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The elements along an axis at the indices of an integer array, whose axes replace that axis: `numpy.take`.
    /// Derivative: the tangent's elements at the same indices.
    #[track_caller]
    pub fn take(self, idx: Var, along: impl Into<Axis>) -> Var {
        let a = axis("take", self, along.into());
        check_indices("take", self, idx);
        expect_elements("take", self, idx, a);
        index::gather(self, idx, a, 0, Bounds::Clamp)
    }

    /// The elements along an axis at indices that may differ from line to line: `idx` has as many axes as
    /// `self`, with the same lengths (or 1) except along this axis: `numpy.take_along_axis`. It takes what
    /// [`Var::argsort`] returns.
    #[track_caller]
    pub fn take_along_axis(self, idx: Var, along: impl Into<Axis>) -> Var {
        let a = axis("take_along_axis", self, along.into());
        let idx = beside("take_along_axis", self, idx, a);
        expect_elements("take_along_axis", self, idx, a);
        index::take_along(self, idx, a)
    }

    /// `self` with values, which broadcast to the shape of the indices, written to places along an axis
    /// that may differ from line to line: `numpy.put_along_axis`, without changing `self`. Of several
    /// values for one place the last remains. Derivative: 1 to what remains.
    #[track_caller]
    pub fn put_along_axis(self, idx: Var, values: impl IntoVar, along: impl Into<Axis>) -> Var {
        written(
            Access::Set,
            "put_along_axis",
            self,
            idx,
            values,
            along.into(),
        )
    }

    /// `self` with values, which broadcast to the shape of the indices, added at places along an axis
    /// that may differ from line to line, one after the other. Derivative: 1 to both.
    #[track_caller]
    pub fn add_along_axis(self, idx: Var, values: impl IntoVar, along: impl Into<Axis>) -> Var {
        written(
            Access::Add,
            "add_along_axis",
            self,
            idx,
            values,
            along.into(),
        )
    }

    /// The one-hot encoding of indices: along a new last axis of `n` elements, 1 at the index and 0 elsewhere; all 0
    /// for an index out of range: `jax.nn.one_hot`. The result is of `f64`. Derivative: none.
    #[track_caller]
    pub fn one_hot(self, n: usize) -> Var {
        let ty = self.ty();
        let dims = match known(&ty) {
            Ok(dims) if ty.dtype.is_int() => [&dims[..], &[n]].concat(),
            Ok(_) => {
                let error = TypeError::new(format!("{ty} is not an array of indices"));
                let hint = "convert it, as in `i.to(DType::I64)`";
                refuse("one_hot", &[self], error.hint(hint))
            }
            Err(error) => refuse("one_hot", &[self], error),
        };
        let wide = match layout::sized(DType::I64, &dims) {
            Ok(ty) => ty,
            Err(error) => refuse("one_hot", &[self], error),
        };
        let places = layout::insert_axis(convert::convert(self, DType::I64), dims.len() - 1, n);
        let hot = elementwise::eq(places, iota(wide, dims.len() - 1));
        convert::convert(hot, DType::F64)
    }
}

/// Refuses to read along an axis that has no element.
#[track_caller]
fn expect_elements(op: &str, x: Var, idx: Var, a: usize) {
    let ty = x.ty();
    let empty = known(&ty).is_ok_and(|dims| dims[a] == 0);
    if empty && !idx.shape().contains(&0) {
        let message = format!("{ty} has no element along axis {a}");
        refuse(op, &[x, idx], TypeError::new(message));
    }
}

/// Broadcasts indices to the lengths of `x` along all axes but `a`.
#[track_caller]
fn beside(op: &str, x: Var, idx: Var, a: usize) -> Var {
    check_indices(op, x, idx);
    let (tx, ti) = (x.ty(), idx.ty());
    let mut dims = match known(&tx) {
        Ok(dims) => dims,
        Err(error) => refuse(op, &[x, idx], error),
    };
    let found = ti.dims();
    let fits = |(i, (n, len)): (usize, (&usize, &usize))| i == a || n == len || *n == 1;
    if found.len() != dims.len() || !found.iter().zip(&dims).enumerate().all(fits) {
        let message = format!("indices {ti} do not go along axis {a} of {tx}");
        refuse(op, &[x, idx], TypeError::new(message));
    }
    dims[a] = found[a];
    layout::broadcast_to(idx, &dims)
}

#[track_caller]
fn written(access: Access, op: &str, x: Var, idx: Var, values: impl IntoVar, along: Axis) -> Var {
    let a = axis(op, x, along);
    let idx = beside(op, x, idx, a);
    let values = spread(op, entry(op, x, values), &idx.shape());
    let last = x.rank() - 1;
    let [x, idx, values] = [x, idx, values].map(|v| layout::move_axis(v, a, last));
    let y = index::scatter(access, x, idx, values, last, last, Bounds::Drop);
    layout::move_axis(y, last, a)
}
