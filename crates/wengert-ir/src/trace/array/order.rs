//! Order among elements: positions of extremes, sorting, and searching sorted arrays.

use super::{Over, axis, promoted, refuse};
use crate::error::TypeError;
use crate::ir::DType;
use crate::ops::index::{self, Bounds};
use crate::ops::iota::iota;
use crate::ops::layout::{self, known};
use crate::ops::reduce::{Reducer, reduce};
use crate::ops::sort::sort;
use crate::ops::top_k::top_k;
use crate::ops::{convert, elementwise, map, scan};
use crate::trace::Var;
use crate::trace::span::{Along, Axis};

/// # Order
///
/// All operations use the same order: NaN counts as larger than all numbers, and zeros of both signs as
/// equal. So NaN comes last, or first in descending order. Sorting is stable: equal elements
/// keep their order. Places are `i64`; they have no derivative.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.sort(0), x.argsort_descending(0), x.top_k(2), x.argmax()));
/// let (sorted, down, (largest, places), most) = f.call([2.0, 9.0, 4.0])?;
/// assert_eq!(sorted.to_vec::<f64>()?, [2.0, 4.0, 9.0]);
/// assert_eq!(down.to_vec::<i64>()?, [1, 2, 0]);
/// assert_eq!(largest.to_vec::<f64>()?, [9.0, 4.0]);
/// assert_eq!(places.to_vec::<i64>()?, [1, 2]);
/// assert_eq!(most.item::<i64>()?, 1);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The place of the largest element in row-major order, the first of equals; that of the first NaN if
    /// there is one: `numpy.argmax`. An empty array is an error. Derivative: none.
    #[track_caller]
    pub fn argmax(self) -> Var {
        place_of(Reducer::Max, "argmax", self.flatten(), 0)
    }

    /// The places of the largest elements along one axis: `numpy.argmax(x, axis)`. `..` is as [`Var::argmax`].
    ///
    /// # Errors
    /// If there is no element, or several but not all axes are given.
    #[track_caller]
    pub fn argmax_axis(self, which: impl Into<Along>) -> Var {
        extreme(Reducer::Max, "argmax", self, which.into())
    }

    /// The place of the smallest element in row-major order, the first of equals; that of the first NaN if
    /// there is one: `numpy.argmin`. An empty array is an error. Derivative: none.
    #[track_caller]
    pub fn argmin(self) -> Var {
        place_of(Reducer::Min, "argmin", self.flatten(), 0)
    }

    /// The places of the smallest elements along one axis: `numpy.argmin(x, axis)`. `..` is as [`Var::argmin`].
    ///
    /// # Errors
    /// If there is no element, or several but not all axes are given.
    #[track_caller]
    pub fn argmin_axis(self, which: impl Into<Along>) -> Var {
        extreme(Reducer::Min, "argmin", self, which.into())
    }

    /// The elements along an axis in ascending order: `numpy.sort`. Derivative: the tangents, permuted like the
    /// elements.
    #[track_caller]
    pub fn sort(self, along: impl Into<Axis>) -> Var {
        let a = axis("sort", self, along.into());
        sort(&[self], a, false)[0]
    }

    /// The elements along an axis in descending order: `jax.numpy.sort(x, descending=True)`.
    #[track_caller]
    pub fn sort_descending(self, along: impl Into<Axis>) -> Var {
        let a = axis("sort", self, along.into());
        sort(&[self], a, true)[0]
    }

    /// The elements along an axis in ascending order, and those of other arrays of the same shape
    /// in the same order: `jax.lax.sort` of several operands with one key. Derivative: the tangents of
    /// each, permuted alike.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(time, value): (Var, Var)| time.sort_with(&[value], 0));
    /// let sorted = f.call(([3.0, 1.0, 2.0], [30.0, 10.0, 20.0]))?;
    /// assert_eq!(sorted[0].to_vec::<f64>()?, [1.0, 2.0, 3.0]);
    /// assert_eq!(sorted[1].to_vec::<f64>()?, [10.0, 20.0, 30.0]);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn sort_with(self, others: &[Var], along: impl Into<Axis>) -> Vec<Var> {
        let a = axis("sort", self, along.into());
        sort(&[&[self], others].concat(), a, false)
    }

    /// The places along an axis from which [`Var::sort`] takes its elements: `numpy.argsort` with
    /// `stable=True`. Derivative: none.
    #[track_caller]
    pub fn argsort(self, along: impl Into<Axis>) -> Var {
        let a = axis("argsort", self, along.into());
        order_of(self, a, false)[1]
    }

    /// The places along an axis from which [`Var::sort_descending`] takes its elements.
    #[track_caller]
    pub fn argsort_descending(self, along: impl Into<Axis>) -> Var {
        let a = axis("argsort", self, along.into());
        order_of(self, a, true)[1]
    }

    /// The `k` largest elements along the last axis, in descending order, and their places:
    /// `jax.lax.top_k`. Derivative: for the elements, the tangents at these places.
    #[track_caller]
    pub fn top_k(self, k: usize) -> (Var, Var) {
        let ty = self.ty();
        let last = axis("top_k", self, Axis(-1));
        if ty.shape.known().is_none_or(|dims| k > dims[last]) {
            let message = format!(
                "{ty} has fewer than {} along axis {last}",
                crate::error::counted(k, "element", "elements")
            );
            refuse("top_k", &[self], TypeError::new(message));
        }
        top_k(self, k)
    }

    /// The places at which the elements of `values` would be inserted into this sorted vector to keep it sorted,
    /// before equal elements: `numpy.searchsorted`. The result has the shape of `values`; element types are promoted.
    /// Derivative: none.
    #[track_caller]
    pub fn searchsorted(self, values: Var) -> Var {
        search(self, values, false)
    }

    /// [`Var::searchsorted`] with places after equal elements: `numpy.searchsorted(a, v, side="right")`.
    #[track_caller]
    pub fn searchsorted_right(self, values: Var) -> Var {
        search(self, values, true)
    }
}

/// Returns the first place of the extreme, along the one axis or in row-major order.
#[track_caller]
fn extreme(reducer: Reducer, op: &str, x: Var, along: Along) -> Var {
    let over = Over::of(op, x, along);
    match over.axes[..] {
        [a] => over.kept(place_of(reducer, op, x, a)),
        _ if over.axes.len() == x.rank() => over.kept(place_of(reducer, op, x.flatten(), 0)),
        _ => {
            let message = format!("axes {:?} of {}: one axis, or all", over.axes, x.ty());
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

/// Returns the first place of the extreme along an axis: the smallest number of all its places.
#[track_caller]
fn place_of(reducer: Reducer, op: &str, x: Var, a: usize) -> Var {
    let ty = x.ty();
    let dims = match known(&ty) {
        Ok(dims) => dims,
        Err(error) => refuse(op, &[x], error),
    };
    if dims[a] == 0 {
        let message = format!("{ty} has no element along axis {a}");
        refuse(op, &[x], TypeError::new(message));
    }
    let x = match ty.dtype {
        DType::Bool => convert::convert(x, DType::U8),
        _ => x.stop_gradient(),
    };
    let extreme = reduce(reducer, x, &[a]);
    let others: Vec<usize> = (0..dims.len()).filter(|&other| other != a).collect();
    let spread = layout::broadcast(extreme, &ty.shape, &others);
    let chosen = elementwise::or(elementwise::eq(x, spread), elementwise::ne(x, x));
    // Narrower integers are compared faster.
    let short = i32::try_from(dims[a]).is_ok();
    let places = ty.with_dtype(if short { DType::I32 } else { DType::I64 });
    let none = Var::full(&places, dims[a] as f64);
    let place = elementwise::select(chosen, iota(places, a), none);
    convert::convert(reduce(Reducer::Min, place, &[a]), DType::I64)
}

/// Sorts the elements; returns them and their places.
#[track_caller]
fn order_of(x: Var, a: usize, descending: bool) -> Vec<Var> {
    let ty = x.ty();
    if let Err(error) = known(&ty) {
        refuse("sort", &[x], error);
    }
    sort(&[x, iota(ty.with_dtype(DType::I64), a)], a, descending)
}

/// Returns whether one element comes before another in ascending order.
#[track_caller]
fn below(a: Var, b: Var) -> Var {
    let less = elementwise::lt(a, b);
    match a.ty().is_float() {
        true => elementwise::or(less, elementwise::and(elementwise::eq(a, a), b.is_nan())),
        false => less,
    }
}

#[track_caller]
fn search(sorted: Var, values: Var, right: bool) -> Var {
    let pair = promoted("searchsorted", &[sorted, values]);
    let (sorted, values) = (pair[0].stop_gradient(), pair[1].stop_gradient());
    let ty = sorted.ty();
    let n = match (known(&ty), known(&values.ty())) {
        (Ok(dims), Ok(_)) if dims.len() == 1 => dims[0],
        (Ok(_), Ok(_)) => {
            let error = TypeError::new(format!("{ty} is not a vector"));
            let hint = "use `vmap` for a stack of them";
            refuse("searchsorted", &pair, error.hint(hint))
        }
        (Err(error), _) | (_, Err(error)) => refuse("searchsorted", &pair, error),
    };
    let dims = values.shape();
    if dims.is_empty() {
        return place_for(sorted, n, values, right);
    }
    let flat = values.flatten();
    let size = flat.shape()[0];
    let places = map::map(&[flat], size, |v| vec![place_for(sorted, n, v[0], right)]);
    layout::reshape(places[0], &dims)
}

/// Returns the number of elements that come before a value: each bit of that number is tried in turn, from the
/// highest.
#[track_caller]
fn place_for(sorted: Var, n: usize, value: Var, right: bool) -> Var {
    let zero = Var::scalar(0i64);
    if n == 0 {
        return zero;
    }
    let bits = usize::BITS - n.leading_zeros();
    let highest = Var::scalar(1i64 << (bits - 1));
    let found = scan::scan(&[zero, highest], &[], bits as usize, false, |carry, _| {
        let (place, bit) = (carry[0], carry[1]);
        let next = place + bit;
        let last = index::gather(sorted, next - 1, 0, 0, Bounds::Clamp);
        let fits = match right {
            false => below(last, value),
            true => !below(value, last),
        };
        let place = (fits & next.le(n)).select(next, place);
        (vec![place, bit >> 1], vec![])
    });
    found[0]
}
