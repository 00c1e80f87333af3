//! What a user does with arrays: methods on `Var`, and functions that make arrays.
//!
//! Axes are counted from 0, or from the end where they are negative. A mistake in an axis, a shape
//! or an index that is known when traced is an [`Error::Type`] that names the operation, the types
//! and the caller's line.

use crate::error::{Error, TypeError, raise};
use crate::ir::{DType, Splat, Type};
use crate::ops::index::{self, Bounds};
use crate::ops::layout::{self, ascending, sized};
use crate::ops::reduce::{self, Reducer};
use crate::ops::{convert, dot, dynamic, elementwise, iota};
use crate::trace::span::{Ints, Place, Span, Spans};
use crate::trace::{Argument, IntoVar, Var, current_source, number};

/// Refuses an operation before it is recorded.
#[track_caller]
pub(crate) fn refuse(op: &str, operands: &[Var], error: TypeError) -> ! {
    raise(Error::Type {
        op: op.to_string(),
        types: operands.iter().map(|x| x.ty()).collect(),
        message: error.message,
        at: current_source(),
        hint: error.hint,
    })
}

/// The axis `a` of a value of that rank.
#[track_caller]
fn axis_of_rank(op: &str, x: Var, a: i64, rank: usize) -> usize {
    let found = match a < 0 {
        true => rank.checked_sub(a.unsigned_abs() as usize),
        false => Some(a as usize).filter(|&a| a < rank),
    };
    match found {
        Some(a) => a,
        None => {
            let message = format!("{} has no axis {a}", x.ty());
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

#[track_caller]
fn axis(op: &str, x: Var, a: i64) -> usize {
    axis_of_rank(op, x, a, x.rank())
}

/// Those axes, in the order given.
#[track_caller]
fn axes_in_order(op: &str, x: Var, given: &Ints) -> Vec<usize> {
    // A loop, since the caller's place does not pass through a closure.
    let mut axes = Vec::with_capacity(given.0.len());
    for &a in &given.0 {
        axes.push(axis(op, x, a));
    }
    axes
}

/// Those axes, ascending.
#[track_caller]
fn axes(op: &str, x: Var, given: Ints) -> Vec<usize> {
    let mut axes = axes_in_order(op, x, &given);
    axes.sort_unstable();
    if !ascending(&axes, x.rank()) {
        let message = format!("an axis of {} is named twice in {:?}", x.ty(), given.0);
        refuse(op, &[x], TypeError::new(message));
    }
    axes
}

/// All axes.
#[track_caller]
fn all_axes(x: Var) -> Vec<usize> {
    (0..x.rank()).collect()
}

/// Lengths, none of them negative.
#[track_caller]
fn lengths(op: &str, operands: &[Var], dtype: DType, given: &Ints) -> Vec<usize> {
    let dims: Option<Vec<usize>> = given.0.iter().map(|&n| usize::try_from(n).ok()).collect();
    let Some(dims) = dims else {
        let message = format!("{:?} holds a negative length", given.0);
        refuse(op, operands, TypeError::new(message));
    };
    if let Err(error) = sized(dtype, &dims) {
        refuse(op, operands, error);
    }
    dims
}

/// The values in the element type that all of them are promoted to.
#[track_caller]
fn promoted(op: &str, values: &[Var]) -> Vec<Var> {
    let mut dtype = match values.first() {
        Some(x) => x.dtype(),
        None => refuse(op, &[], TypeError::new("no operand")),
    };
    for x in values {
        dtype = match dtype.promote(x.dtype()) {
            Some(dtype) => dtype,
            None => {
                let (a, b) = (values[0].ty(), x.ty());
                let error = TypeError::new(format!("{a} and {b} have no common element type"));
                let hint = "convert one of them, as in `x.to(DType::F64)`";
                refuse(op, values, error.hint(hint))
            }
        };
    }
    let mut all = Vec::with_capacity(values.len());
    for x in values {
        all.push(convert::convert(*x, dtype));
    }
    all
}

/// What is to be written into `x`, in its element type: nothing is narrowed.
#[track_caller]
fn entry(op: &str, x: Var, value: impl IntoVar) -> Var {
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

/// `x` repeated to those lengths.
#[track_caller]
fn spread(op: &str, x: Var, dims: &[usize]) -> Var {
    let ty = x.ty();
    let to = ty.with_dims(dims);
    let Some(missing) = dims.len().checked_sub(ty.rank()) else {
        refuse(
            op,
            &[x],
            TypeError::new(format!("{ty} does not broadcast to {to}")),
        )
    };
    let fits = |(n, to): (&usize, &usize)| n == to || *n == 1;
    if !ty.dims().iter().zip(&dims[missing..]).all(fits) {
        refuse(
            op,
            &[x],
            TypeError::new(format!("{ty} does not broadcast to {to}")),
        )
    }
    layout::broadcast_to(x, dims)
}

/// # Shape
///
/// These move or repeat elements of any type. Each is linear: the derivative is the same operation
/// on the tangent, the transpose the one that undoes it.
impl Var {
    /// The same elements in row-major order in another shape of as many: `numpy.reshape`. One length
    /// may be -1: what is left.
    #[track_caller]
    pub fn reshape(self, dims: impl Into<Ints>) -> Var {
        let mut given = dims.into();
        let ty = self.ty();
        if let Some(open) = given.0.iter().position(|&n| n == -1) {
            let others = given.0.iter().enumerate().filter(|(i, _)| *i != open);
            let known = others
                .map(|(_, &n)| usize::try_from(n).ok())
                .try_fold(1, |size: usize, n| size.checked_mul(n?));
            let left = known.filter(|&n| n > 0 && ty.size() % n == 0);
            match left {
                Some(n) => given.0[open] = (ty.size() / n) as i64,
                None => {
                    let message = format!("{ty} cannot take the shape {:?}", given.0);
                    refuse("reshape", &[self], TypeError::new(message));
                }
            }
        }
        let dims = lengths("reshape", &[self], ty.dtype, &given);
        layout::reshape(self, &dims)
    }

    /// All elements in row-major order along one axis: `numpy.ravel`.
    #[track_caller]
    pub fn flatten(self) -> Var {
        layout::reshape(self, &[self.ty().size()])
    }

    /// Axes in another order: axis `i` of the result is axis `order[i]`: `numpy.transpose`.
    #[track_caller]
    pub fn transpose(self, order: impl Into<Ints>) -> Var {
        let order = axes_in_order("transpose", self, &order.into());
        layout::transpose(self, &order)
    }

    /// Axes in opposite order, the transpose of a matrix: `x.T` of NumPy.
    #[track_caller]
    pub fn t(self) -> Var {
        let order: Vec<usize> = (0..self.rank()).rev().collect();
        layout::transpose(self, &order)
    }

    /// Two axes in each other's place: `numpy.swapaxes`.
    #[track_caller]
    pub fn swap_axes(self, a: isize, b: isize) -> Var {
        let mut order = all_axes(self);
        order.swap(
            axis("swap_axes", self, a as i64),
            axis("swap_axes", self, b as i64),
        );
        layout::transpose(self, &order)
    }

    /// Axis `from` as axis `to`; the others keep their order: `numpy.moveaxis`.
    #[track_caller]
    pub fn move_axis(self, from: isize, to: isize) -> Var {
        let from = axis("move_axis", self, from as i64);
        let to = axis("move_axis", self, to as i64);
        layout::move_axis(self, from, to)
    }

    /// Repeated along new first axes and axes of length 1, to those lengths: `numpy.broadcast_to`.
    #[track_caller]
    pub fn broadcast_to(self, dims: impl Into<Ints>) -> Var {
        let dims = lengths("broadcast_to", &[self], self.dtype(), &dims.into());
        spread("broadcast_to", self, &dims)
    }

    /// With a new axis of length 1 that is axis `at` of the result: `numpy.expand_dims`.
    #[track_caller]
    pub fn expand_dims(self, at: isize) -> Var {
        let at = axis_of_rank("expand_dims", self, at as i64, self.rank() + 1);
        layout::insert_axis(self, at, 1)
    }

    /// Without the axes of length 1: `numpy.squeeze`.
    #[track_caller]
    pub fn squeeze(self) -> Var {
        let dims: Vec<usize> = self.shape().into_iter().filter(|&n| n != 1).collect();
        layout::reshape(self, &dims)
    }

    /// Without those axes, which have length 1: `numpy.squeeze`.
    #[track_caller]
    pub fn squeeze_axis(self, which: impl Into<Ints>) -> Var {
        let gone = axes("squeeze", self, which.into());
        let mut dims = self.shape();
        for &a in gone.iter().rev() {
            if dims[a] != 1 {
                let message = format!("axis {a} of {} has not length 1", self.ty());
                refuse("squeeze", &[self], TypeError::new(message));
            }
            dims.remove(a);
        }
        layout::reshape(self, &dims)
    }

    /// In opposite order along those axes: `numpy.flip`.
    #[track_caller]
    pub fn flip(self, which: impl Into<Ints>) -> Var {
        layout::reverse(self, &axes("flip", self, which.into()))
    }

    /// Moved by `by` places along an axis, what leaves at one end coming in at the other:
    /// `numpy.roll`.
    #[track_caller]
    pub fn roll(self, by: isize, along: isize) -> Var {
        let a = axis("roll", self, along as i64);
        let n = self.shape()[a];
        if n == 0 {
            return self;
        }
        let split = n - by.rem_euclid(n as isize) as usize;
        if split == n {
            return self;
        }
        let back = layout::slice_axis(self, a, split..n);
        let front = layout::slice_axis(self, a, 0..split);
        layout::concat(&[back, front], a)
    }

    /// With zeros around: `widths` says for each axis how many in front and behind: `numpy.pad`.
    #[track_caller]
    pub fn pad(self, widths: &[(usize, usize)]) -> Var {
        let (low, high): (Vec<usize>, Vec<usize>) = widths.iter().copied().unzip();
        if low.len() != self.rank() {
            let message = format!("{} pairs of widths for {}", low.len(), self.ty());
            refuse("pad", &[self], TypeError::new(message));
        }
        layout::pad(self, &low, &high, &vec![0; low.len()])
    }
}

/// # Reductions
///
/// Over all axes, or over some, which go. A sum or product of floats is taken in a fixed order (see
/// [`crate::ir::order`]); integers wrap.
impl Var {
    /// The sum of all elements, 0 of none: `numpy.sum`. Derivative: 1 to each.
    #[track_caller]
    pub fn sum(self) -> Var {
        reduce::reduce(Reducer::Sum, self, &all_axes(self))
    }

    /// The sum along those axes: `numpy.sum(x, axis)`.
    #[track_caller]
    pub fn sum_axis(self, which: impl Into<Ints>) -> Var {
        reduce::reduce(Reducer::Sum, self, &axes("sum", self, which.into()))
    }

    /// The product of all elements, 1 of none: `numpy.prod`. Derivative: to each the product of the
    /// others, right where elements are zero as well.
    #[track_caller]
    pub fn prod(self) -> Var {
        reduce::reduce(Reducer::Prod, self, &all_axes(self))
    }

    /// The product along those axes: `numpy.prod(x, axis)`.
    #[track_caller]
    pub fn prod_axis(self, which: impl Into<Ints>) -> Var {
        reduce::reduce(Reducer::Prod, self, &axes("prod", self, which.into()))
    }

    /// The mean of all elements, of floats; NaN of none: `numpy.mean`. Derivative: `1/n` to each.
    #[track_caller]
    pub fn mean(self) -> Var {
        mean_of(self, &all_axes(self))
    }

    /// The mean along those axes: `numpy.mean(x, axis)`.
    #[track_caller]
    pub fn mean_axis(self, which: impl Into<Ints>) -> Var {
        mean_of(self, &axes("mean", self, which.into()))
    }

    /// The largest element, NaN if any is NaN: `numpy.amax`. Of none it is an error. Derivative: to
    /// the largest, shared equally among equals.
    #[track_caller]
    pub fn amax(self) -> Var {
        reduce::reduce(Reducer::Max, self, &all_axes(self))
    }

    /// The largest along those axes: `numpy.amax(x, axis)`.
    #[track_caller]
    pub fn amax_axis(self, which: impl Into<Ints>) -> Var {
        reduce::reduce(Reducer::Max, self, &axes("amax", self, which.into()))
    }

    /// The smallest element, NaN if any is NaN: `numpy.amin`. Of none it is an error. Derivative: to
    /// the smallest, shared equally among equals.
    #[track_caller]
    pub fn amin(self) -> Var {
        reduce::reduce(Reducer::Min, self, &all_axes(self))
    }

    /// The smallest along those axes: `numpy.amin(x, axis)`.
    #[track_caller]
    pub fn amin_axis(self, which: impl Into<Ints>) -> Var {
        reduce::reduce(Reducer::Min, self, &axes("amin", self, which.into()))
    }

    /// Whether any element is true, of `bool`; false of none: `numpy.any`.
    #[track_caller]
    pub fn any(self) -> Var {
        reduce::reduce(Reducer::Any, self, &all_axes(self))
    }

    /// Whether any is true along those axes: `numpy.any(x, axis)`.
    #[track_caller]
    pub fn any_axis(self, which: impl Into<Ints>) -> Var {
        reduce::reduce(Reducer::Any, self, &axes("any", self, which.into()))
    }

    /// Whether all elements are true, of `bool`; true of none: `numpy.all`.
    #[track_caller]
    pub fn all(self) -> Var {
        reduce::reduce(Reducer::All, self, &all_axes(self))
    }

    /// Whether all are true along those axes: `numpy.all(x, axis)`.
    #[track_caller]
    pub fn all_axis(self, which: impl Into<Ints>) -> Var {
        reduce::reduce(Reducer::All, self, &axes("all", self, which.into()))
    }
}

#[track_caller]
fn mean_of(x: Var, axes: &[usize]) -> Var {
    let ty = x.ty();
    if !ty.is_float() {
        let error = TypeError::new(format!("{ty} is not an array of floats"));
        refuse(
            "mean",
            &[x],
            error.hint("convert it first, as in `x.to(DType::F64)`"),
        );
    }
    let dims = ty.dims();
    let n: usize = axes.iter().map(|&a| dims[a]).product();
    let sum = reduce::sum(x, axes);
    elementwise::div(sum, Var::full(&sum.ty(), n as f64))
}

/// # Products
///
/// Of numbers; element types are promoted. Each element is summed one product after the other.
/// Derivative of `a b`: `a' b + a b'`.
impl Var {
    /// The inner product of vectors, a matrix with a vector, or two matrices: `numpy.dot` for one and
    /// two axes. For more, see [`Var::matmul`].
    #[track_caller]
    pub fn dot(self, other: Var) -> Var {
        let pair = promoted("dot", &[self, other]);
        let (a, b) = (pair[0], pair[1]);
        match (a.rank(), b.rank()) {
            (1 | 2, 1 | 2) => dot::dot(a, b, &[], &[(a.rank() - 1, 0)]),
            (i, j) => {
                let message = format!("{} and {} have {i} and {j} axes", a.ty(), b.ty());
                let hint = match i.min(j) {
                    0 => "multiply by a number with `*`",
                    _ => "use `matmul` for stacks of matrices",
                };
                refuse("dot", &pair, TypeError::new(message).hint(hint))
            }
        }
    }

    /// The product of matrices, or of stacks of them along the first axes, which broadcast; a vector
    /// is a row on the left and a column on the right: `numpy.matmul`.
    #[track_caller]
    pub fn matmul(self, other: Var) -> Var {
        let pair = promoted("matmul", &[self, other]);
        let (a, b) = (pair[0], pair[1]);
        let (ra, rb) = (a.rank(), b.rank());
        if ra == 0 || rb == 0 {
            let message = format!("{} and {}: a number is not a matrix", a.ty(), b.ty());
            let hint = "multiply by a number with `*`";
            refuse("matmul", &pair, TypeError::new(message).hint(hint))
        }
        let stack = |x: Var| x.shape()[..x.rank().saturating_sub(2)].to_vec();
        let (sa, sb) = (stack(a), stack(b));
        if sa.is_empty() || sb.is_empty() {
            // One matrix for the whole stack: its axes stand apart from those of the stack.
            let along = (ra - 1, rb.saturating_sub(2));
            let product = dot::dot(a, b, &[], &[along]);
            return match sb.is_empty() || ra == 1 {
                true => product,
                false => layout::move_axis(product, 0, rb - 2),
            };
        }
        let n = sa.len().max(sb.len());
        let long = |s: &[usize], i: usize| match (i + s.len()).checked_sub(n) {
            Some(k) => s[k],
            None => 1,
        };
        let mut common = Vec::with_capacity(n);
        for i in 0..n {
            common.push(match (long(&sa, i), long(&sb, i)) {
                (x, y) if x == y || y == 1 => x,
                (1, y) => y,
                _ => {
                    let message = format!("the stacks {} and {} do not broadcast", a.ty(), b.ty());
                    refuse("matmul", &pair, TypeError::new(message))
                }
            });
        }
        let batch: Vec<(usize, usize)> = (0..n).map(|i| (i, i)).collect();
        let matrices = |x: Var| [&common, &x.shape()[x.rank() - 2..]].concat();
        let a = layout::broadcast_to(a, &matrices(a));
        let b = layout::broadcast_to(b, &matrices(b));
        dot::dot(a, b, &batch, &[(n + 1, n)])
    }

    /// The product of each element with each: the axes of `self`, then those of `other`:
    /// `numpy.multiply.outer`.
    #[track_caller]
    pub fn outer(self, other: Var) -> Var {
        let pair = promoted("outer", &[self, other]);
        dot::dot(pair[0], pair[1], &[], &[])
    }

    /// The sum of products over pairs of axes of `self` and `other`; what is left are the other axes
    /// of `self`, then those of `other`: `numpy.tensordot`.
    #[track_caller]
    pub fn tensordot(self, other: Var, pairs: &[(isize, isize)]) -> Var {
        let both = promoted("tensordot", &[self, other]);
        let (a, b) = (both[0], both[1]);
        let mut axes = Vec::with_capacity(pairs.len());
        for &(i, j) in pairs {
            axes.push((
                axis("tensordot", a, i as i64),
                axis("tensordot", b, j as i64),
            ));
        }
        dot::dot(a, b, &[], &axes)
    }
}

/// # Parts
///
/// Reading is linear, and the transpose of reading adds to zeros. A traced index that is out of range
/// reads the nearest element and writes nothing; a negative one counts from the end only where it is
/// known when traced.
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
    pub fn slice_axis(self, along: isize, part: impl Into<Span>) -> Var {
        let a = axis("slice", self, along as i64);
        part_of(self, std::iter::once((a, part.into())))
    }

    /// The elements along an axis at the indices of an integer array: its axes stand in the place of
    /// that axis: `numpy.take`.
    #[track_caller]
    pub fn take(self, idx: Var, along: isize) -> Var {
        let a = axis("take", self, along as i64);
        index::gather(self, idx, a, 0, Bounds::Clamp)
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

/// One behind the other along an axis: `numpy.concatenate`. The other axes agree; element types are
/// promoted. Derivative: the tangents, one behind the other.
#[track_caller]
pub fn concat(parts: &[Var], along: isize) -> Var {
    let parts = promoted("concat", parts);
    if parts[0].rank() == 0 {
        let error = TypeError::new(format!("{} has no axis", parts[0].ty()));
        refuse("concat", &parts, error.hint("use `stack` to make an axis"));
    }
    let a = axis("concat", parts[0], along as i64);
    layout::concat(&parts, a)
}

/// One behind the other along a new first axis: `numpy.stack`. Shapes agree; element types are
/// promoted. Derivative: the tangents, one behind the other.
#[track_caller]
pub fn stack(parts: &[Var]) -> Var {
    stack_axis(parts, 0)
}

/// One behind the other along a new axis, which is axis `along` of the result: `numpy.stack`.
#[track_caller]
pub fn stack_axis(parts: &[Var], along: isize) -> Var {
    let parts = promoted("stack", parts);
    let (first, rank) = (parts[0].ty(), parts[0].rank());
    if let Some(other) = parts.iter().find(|x| x.ty() != first) {
        let message = format!("{first} and {} have different shapes", other.ty());
        refuse("stack", &parts, TypeError::new(message));
    }
    let a = axis_of_rank("stack", parts[0], along as i64, rank + 1);
    layout::stack(&parts, a)
}

/// Zeros of those lengths, `f64`: `numpy.zeros`. A literal.
#[track_caller]
pub fn zeros(dims: impl Into<Ints>) -> Var {
    filled("zeros", Var::scalar(0.0), dims.into())
}

/// Ones of those lengths, `f64`: `numpy.ones`. A literal.
#[track_caller]
pub fn ones(dims: impl Into<Ints>) -> Var {
    filled("ones", Var::scalar(1.0), dims.into())
}

/// One value everywhere: `numpy.full`. Of the element type of the value: `f64` for Rust's floats,
/// `i64` for its integers.
#[track_caller]
pub fn full(dims: impl Into<Ints>, value: impl IntoVar) -> Var {
    let value = match value.argument() {
        Argument::Var(v) => v,
        number => {
            let dtype = match number {
                Argument::Int(_) => DType::I64,
                Argument::Bool(_) => DType::Bool,
                _ => DType::F64,
            };
            number::literal("full", number, dtype)
        }
    };
    filled("full", value, dims.into())
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

/// Zeros of the type of another value: `numpy.zeros_like`. A literal.
#[track_caller]
pub fn zeros_like(x: Var) -> Var {
    Var::zeros(&x.ty())
}

/// Ones of the type of another value: `numpy.ones_like`. A literal.
#[track_caller]
pub fn ones_like(x: Var) -> Var {
    Var::full(&x.ty(), 1.0)
}

/// `0, 1, .. n - 1`, `i64`: `numpy.arange`.
#[track_caller]
pub fn arange(n: usize) -> Var {
    let dims = lengths("arange", &[], DType::I64, &n.into());
    iota::iota(Type::new(DType::I64, &dims), 0)
}

/// The unit matrix of `n` rows, `f64`: `numpy.eye`.
#[track_caller]
pub fn eye(n: usize) -> Var {
    let dims = lengths("eye", &[], DType::I64, &[n, n].into());
    let ty = Type::new(DType::I64, &dims);
    let unit = elementwise::eq(iota::iota(ty.clone(), 0), iota::iota(ty, 1));
    convert::convert(unit, DType::F64)
}
