//! Index expressions: reading and writing parts of arrays.

use super::part::{check_indices, entry, span_of};
use super::{refuse, spread};
use crate::error::{TypeError, counted};
use crate::ir::{DType, Type};
use crate::ops::index::{self, Access, Bounds, clamped};
use crate::ops::layout::{self, known, row_major};
use crate::ops::{convert, dynamic, elementwise};
use crate::trace::span::{Part, Parts};
use crate::trace::{Argument, IntoVar, Var, is_weak};

/// # Index expressions
///
/// What NumPy writes between brackets: a part for each of the first axes, and all of the others. Parts are
/// Rust's ranges, integers, `Var`s of integers, and the other forms of [`s!`](crate::s); several parts
/// are written as a tuple, or as `s![..]`.
///
/// A negative place that is known while tracing counts from the end, and a known place that does not exist is an
/// error. A traced index out of range reads the nearest element and writes
/// nothing. Several arrays of indices are used together and broadcast. Their axes stand at the position of the first
/// array, unless a range or a new axis stands between the arrays; then they stand in front, as in NumPy.
/// Indices without an axis, traced or not, do not count for this.
///
/// Reading is linear, and the transpose of reading adds to zeros. Writing gives a new array. A value
/// that is written broadcasts to the shape of what would be read at the same place. If there are several values for
/// one place, sums, products and extremes take all of them, one after the other, and `at_set` takes the last.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(x, i): (Var, Var)| (x.at(-1), x.at((i, 0)), x.at(s![.., 1..;-1]), x.at_set((0, 1), 9.0)));
/// let (last, element, turned, set) = f.call(([[1.0, 2.0], [3.0, 4.0]], 1i64))?;
/// assert_eq!(last.to_vec::<f64>()?, [3.0, 4.0]);
/// assert_eq!(element.item::<f64>()?, 3.0);
/// assert_eq!(turned.to_vec::<f64>()?, [2.0, 1.0, 4.0, 3.0]);
/// assert_eq!(set.to_vec::<f64>()?, [1.0, 9.0, 3.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The part that an index expression selects: `numpy.ndarray.__getitem__`. Derivative: the same part of the
    /// tangent.
    #[track_caller]
    pub fn at(self, parts: impl Into<Parts>) -> Var {
        Selection::new("at", self, parts.into()).read()
    }

    /// The part that ranges select, like [`Var::at`]: `x.slice(1..)`, `x.slice((.., 0..3))`. Derivative: the same part
    /// of the tangent.
    #[track_caller]
    pub fn slice(self, parts: impl Into<Parts>) -> Var {
        Selection::new("slice", self, parts.into()).read()
    }

    /// `self` with a part set to a value: `jax.numpy.ndarray.at[i].set(value)`. Derivative: 1 to what remains.
    #[track_caller]
    pub fn at_set(self, parts: impl Into<Parts>, value: impl IntoVar) -> Var {
        let selection = Selection::new("at_set", self, parts.into());
        selection.write(Access::Set, value)
    }

    /// `self` with a value added to a part: `jax.numpy.ndarray.at[i].add(value)`. Derivative: 1 to both.
    #[track_caller]
    pub fn at_add(self, parts: impl Into<Parts>, value: impl IntoVar) -> Var {
        let selection = Selection::new("at_add", self, parts.into());
        selection.write(Access::Add, value)
    }

    /// `self` with a part multiplied by a value: `jax.numpy.ndarray.at[i].multiply(value)`. Derivative: that of the
    /// product, correct even if factors are zero.
    #[track_caller]
    pub fn at_mul(self, parts: impl Into<Parts>, value: impl IntoVar) -> Var {
        let selection = Selection::new("at_mul", self, parts.into());
        selection.write(Access::Mul, value)
    }

    /// `self` with a part replaced by the smaller of it and a value, NaN if either is NaN:
    /// `jax.numpy.ndarray.at[i].min(value)`. Derivative: to the smaller, shared equally among equals.
    #[track_caller]
    pub fn at_min(self, parts: impl Into<Parts>, value: impl IntoVar) -> Var {
        let selection = Selection::new("at_min", self, parts.into());
        selection.write(Access::Min, value)
    }

    /// `self` with a part replaced by the larger of it and a value, NaN if either is NaN:
    /// `jax.numpy.ndarray.at[i].max(value)`. Derivative: to the larger, shared equally among equals.
    #[track_caller]
    pub fn at_max(self, parts: impl Into<Parts>, value: impl IntoVar) -> Var {
        let selection = Selection::new("at_max", self, parts.into());
        selection.write(Access::Max, value)
    }
}

/// An index expression resolved for an array: a window that is known, and traced indices along some of the
/// axes of that window.
#[derive(Clone)]
struct Selection {
    op: &'static str,
    x: Var,
    /// The window along each axis of the array: its lowest place, the place after its highest, and
    /// the step.
    start: Vec<usize>,
    limit: Vec<usize>,
    step: Vec<usize>,
    /// The axes along which the window is read from the highest place down.
    down: Vec<usize>,
    /// The lengths of the window, without the axes that are at one known place.
    left: Vec<usize>,
    /// The traced indices with their axes among `left`; several have the same shape.
    traced: Vec<(usize, Var)>,
    /// The number of axes without indices that come before the axes of the indices.
    group: usize,
    /// The shape of the selected part.
    dims: Vec<usize>,
}

impl Selection {
    #[track_caller]
    fn new(op: &'static str, x: Var, parts: Parts) -> Selection {
        let ty = x.ty();
        let lengths = match known(&ty) {
            Ok(dims) => dims,
            Err(error) => refuse(op, &[x], error),
        };
        let parts = complete(op, x, parts.0);
        let mut selection = Selection {
            op,
            x,
            start: vec![0; lengths.len()],
            limit: lengths.clone(),
            step: vec![1; lengths.len()],
            down: vec![],
            left: vec![],
            traced: vec![],
            group: 0,
            dims: vec![],
        };
        // Besides the shape, collect where in it each array of indices stands.
        let mut stands = vec![];
        let mut a = 0;
        for part in parts {
            match part {
                Part::NewAxis => {
                    selection.dims.push(1);
                    continue;
                }
                Part::Ellipsis => unreachable!("replaced by what it stands for"),
                Part::Span(span) => {
                    let places = span_of(op, x, a, lengths[a], span);
                    (selection.start[a], selection.limit[a]) = (places.start, places.limit);
                    selection.step[a] = places.step;
                    if places.down {
                        selection.down.push(a);
                    }
                    let n = (places.limit - places.start).div_ceil(places.step);
                    selection.left.push(n);
                    selection.dims.push(n);
                }
                Part::At(i) => {
                    let i = place(op, x, a, lengths[a], i);
                    (selection.start[a], selection.limit[a]) = (i, i + 1);
                }
                Part::Traced(i) => {
                    check_indices(op, x, i);
                    if i.rank() > 0 {
                        stands.push(selection.dims.len());
                    }
                    selection.traced.push((selection.left.len(), i));
                    selection.left.push(lengths[a]);
                }
            }
            a += 1;
        }
        let together = stands.windows(2).all(|w| w[0] == w[1]);
        selection.align(together);
        if let Some(&first) = stands.first() {
            let first = if together { first } else { 0 };
            let own = selection.traced[0].1.shape();
            selection.dims.splice(first..first, own);
        }
        selection
    }

    /// Brings several arrays of indices to the same shape. If they stand `together`, their axes go to the position of
    /// the first array.
    #[track_caller]
    fn align(&mut self, together: bool) {
        let indexed: Vec<usize> = self.traced.iter().map(|t| t.0).collect();
        let free_before = |axis: usize| (0..axis).filter(|a| !indexed.contains(a)).count();
        let array = self.traced.iter().find(|t| t.1.rank() > 0);
        self.group = match array.or(self.traced.first()) {
            Some(&(first, _)) if together => free_before(first),
            _ => 0,
        };
        let mut indices: Vec<Var> = self.traced.iter().map(|t| t.1).collect();
        if indices.len() > 1 {
            let mut dims: Vec<usize> = vec![];
            for i in &indices {
                dims = match broadcast(&dims, &i.shape()) {
                    Some(dims) => dims,
                    None => {
                        let types: Vec<String> =
                            indices.iter().map(|i| i.ty().to_string()).collect();
                        let message = format!("the indices {} do not broadcast", types.join(", "));
                        refuse(self.op, &[self.x], TypeError::new(message))
                    }
                };
            }
            for i in &mut indices {
                *i = layout::broadcast_to(signed(*i), &dims);
            }
        }
        for (t, i) in self.traced.iter_mut().zip(indices) {
            t.1 = i;
        }
    }

    /// Returns whether all indices are scalars.
    fn is_one_place(&self) -> bool {
        self.traced.iter().all(|(_, i)| i.rank() == 0)
    }

    /// Refuses to read along an axis that has no element.
    #[track_caller]
    fn check_lengths(&self) {
        let empty = self.traced.iter().find(|(axis, _)| self.left[*axis] == 0);
        if let Some((axis, i)) = empty
            && !i.shape().contains(&0)
        {
            let part = self.x.ty().with_dims(&self.left);
            let message = format!("{part} has no element along axis {axis}");
            refuse(self.op, &[self.x], TypeError::new(message));
        }
    }

    /// Returns the window, without the axes that are at one known place.
    #[track_caller]
    fn window(&self) -> Var {
        let window = layout::slice(self.x, &self.start, &self.limit, &self.step);
        layout::reshape(layout::reverse(window, &self.down), &self.left)
    }

    #[track_caller]
    fn read(&self) -> Var {
        self.check_lengths();
        let window = self.window();
        let found = match &self.traced[..] {
            [] => window,
            [(axis, i)] => index::gather(window, *i, *axis, 0, Bounds::Clamp),
            _ if self.is_one_place() => {
                let mut start = vec![Var::scalar(0i64); self.left.len()];
                let mut sizes = self.left.clone();
                for &(axis, i) in &self.traced {
                    start[axis] = i;
                    sizes[axis] = 1;
                }
                dynamic::slice(window, &start, &sizes)
            }
            _ => {
                let i = self.one_index(Bounds::Clamp);
                index::gather(self.merged(window), i, self.group, 0, Bounds::Clamp)
            }
        };
        layout::reshape(found, &self.dims)
    }

    #[track_caller]
    fn write(&self, access: Access, value: impl IntoVar) -> Var {
        let value = value.argument();
        if let Argument::Var(v) = value
            && v.dtype() == DType::F32
            && self.x.dtype() == DType::F64
            && is_weak(self.x)
            && !is_weak(v)
        {
            // A weak array takes the element type of the value that is written into it.
            let x = convert::convert(self.x, DType::F32);
            return Selection { x, ..self.clone() }.write(access, value);
        }
        let x = self.x;
        if access != Access::Set && x.dtype() == DType::Bool {
            let error = TypeError::new(format!("{} is not an array of numbers", x.ty()));
            let hint = "use `at_set`, or convert it, as in `x.to(DType::I64)`";
            refuse(self.op, &[x], error.hint(hint));
        }
        let value = spread(self.op, entry(self.op, x, value), &self.dims);
        if self.traced.is_empty() {
            return self.write_window(access, value);
        }
        let all: Vec<usize> = x.shape();
        let whole = self.left == all && self.down.is_empty();
        let window = if whole { x } else { self.window() };
        let written = match &self.traced[..] {
            [(axis, i)] => {
                let u = layout::reshape(value, &self.updates(&self.left, *axis, 1));
                index::scatter(access, window, *i, u, *axis, 0, Bounds::Drop)
            }
            _ => {
                let merged = self.merged(window);
                let at = self.group;
                let u = layout::reshape(value, &self.updates(&merged.shape(), at, 1));
                let i = self.one_index(Bounds::Drop);
                let merged = index::scatter(access, merged, i, u, at, 0, Bounds::Drop);
                self.unmerged(merged)
            }
        };
        match whole {
            true => written,
            false => {
                let window = layout::reshape(written, &self.window_dims());
                self.put(layout::reverse(window, &self.down))
            }
        }
    }

    /// Returns the shape of the updates if the indices replace `n` axes at `axis`.
    fn updates(&self, dims: &[usize], axis: usize, n: usize) -> Vec<usize> {
        let own = self.traced[0].1.shape();
        [&dims[..axis], &own, &dims[axis + n..]].concat()
    }

    /// Writes to a window whose place is known.
    #[track_caller]
    fn write_window(&self, access: Access, value: Var) -> Var {
        let dims = self.window_dims();
        let new = layout::reverse(layout::reshape(value, &dims), &self.down);
        if access == Access::Set {
            return self.put(new);
        }
        let at_one: Vec<usize> = (0..dims.len())
            .filter(|&a| dims[a] != self.x.shape()[a])
            .collect();
        if let (Access::Add, [axis]) = (access, &at_one[..])
            && dims[*axis] == 1
        {
            // A dynamic update is linear in both operands and masks nothing.
            let i = Var::scalar(self.start[*axis] as i64);
            let row: Vec<usize> = (dims.iter().enumerate())
                .filter(|(a, _)| a != axis)
                .map(|(_, &n)| n)
                .collect();
            let u = layout::reshape(new, &row);
            return index::scatter_add(self.x, i, u, *axis, 0, Bounds::Drop);
        }
        let old = layout::slice(self.x, &self.start, &self.limit, &self.step);
        self.put(match access {
            Access::Add => elementwise::add(old, new),
            Access::Mul => elementwise::mul(old, new),
            Access::Min => elementwise::min(old, new),
            Access::Max => elementwise::max(old, new),
            Access::Set | Access::Gather => unreachable!("not joined"),
        })
    }

    /// Returns the lengths of the window along all axes.
    fn window_dims(&self) -> Vec<usize> {
        let steps = self.start.iter().zip(&self.limit).zip(&self.step);
        steps
            .map(|((start, limit), step)| (limit - start).div_ceil(*step))
            .collect()
    }

    /// Replaces the window, given from the lowest place up, in the array.
    #[track_caller]
    fn put(&self, window: Var) -> Var {
        let (x, dims) = (self.x, window.shape());
        if dims == x.shape() {
            return window;
        }
        if dims.contains(&0) {
            return x;
        }
        if self.step.iter().all(|&s| s == 1) {
            let start: Vec<Var> = (self.start.iter().map(|&i| Var::scalar(i as i64))).collect();
            return dynamic::update(x, window, &start);
        }
        let interior: Vec<usize> = self.step.iter().map(|s| s - 1).collect();
        let ends = self.start.iter().zip(&dims).zip(&self.step);
        let ends = ends.map(|((start, n), step)| start + (n - 1) * step + 1);
        let high: Vec<usize> = x.shape().iter().zip(ends).map(|(n, end)| n - end).collect();
        let wide = |v: Var| layout::pad(v, &self.start, &high, &interior);
        let inside = wide(Var::full(&Type::new(DType::Bool, &dims), 1.0));
        elementwise::select(inside, wide(window), x)
    }

    /// Returns the window with the indexed axes merged into one, in the position of the indices.
    #[track_caller]
    fn merged(&self, window: Var) -> Var {
        let order = self.order();
        let moved = layout::transpose(window, &order);
        let mut dims = moved.shape();
        let n = dims
            .drain(self.group..self.group + self.traced.len())
            .product();
        dims.insert(self.group, n);
        layout::reshape(moved, &dims)
    }

    #[track_caller]
    fn unmerged(&self, merged: Var) -> Var {
        let order = self.order();
        let dims: Vec<usize> = order.iter().map(|&a| self.left[a]).collect();
        let mut back = vec![0; order.len()];
        for (i, &a) in order.iter().enumerate() {
            back[a] = i;
        }
        layout::transpose(layout::reshape(merged, &dims), &back)
    }

    /// Returns the order of the window's axes in which the indexed axes are adjacent, in the position of the indices.
    fn order(&self) -> Vec<usize> {
        let indexed: Vec<usize> = self.traced.iter().map(|t| t.0).collect();
        let others = (0..self.left.len()).filter(|a| !indexed.contains(a));
        let mut order: Vec<usize> = others.collect();
        order.splice(self.group..self.group, indexed);
        order
    }

    /// Merges indices along several axes into one index along the merged axis. Each is clamped, or with
    /// [`Bounds::Drop`] the index is -1 if any of them is out of range.
    #[track_caller]
    fn one_index(&self, bounds: Bounds) -> Var {
        let lengths: Vec<usize> = self.traced.iter().map(|t| self.left[t.0]).collect();
        let ty = self.traced[0].1.ty();
        let mut total = Var::zeros(&ty);
        let mut inside: Option<Var> = None;
        for ((&(_, i), n), stride) in (self.traced.iter().zip(&lengths)).zip(row_major(&lengths)) {
            let place = match bounds {
                Bounds::Clamp => clamped(i, n.saturating_sub(1)),
                Bounds::Drop => {
                    let last = Var::full(&ty, *n as f64);
                    let low = elementwise::le(Var::zeros(&ty), i);
                    let here = elementwise::and(low, elementwise::lt(i, last));
                    inside = Some(inside.map_or(here, |all| elementwise::and(all, here)));
                    i
                }
            };
            let stride = Var::full(&ty, stride as f64);
            total = elementwise::add(total, elementwise::mul(place, stride));
        }
        match inside {
            Some(inside) => elementwise::select(inside, total, Var::full(&ty, -1.0)),
            None => total,
        }
    }
}

/// Converts indices to `i64`; larger numbers become the largest `i64`.
#[track_caller]
fn signed(i: Var) -> Var {
    let i = match i.dtype() {
        DType::U64 => clamped(i, i64::MAX as usize),
        _ => i,
    };
    convert::convert(i, DType::I64)
}

/// Returns a part for every axis besides the new axes: replaces the ellipsis, or appends parts for the missing axes.
#[track_caller]
fn complete(op: &str, x: Var, parts: Vec<Part>) -> Vec<Part> {
    let (ty, rank) = (x.ty(), x.rank());
    let own = |p: &&Part| !matches!(p, Part::NewAxis | Part::Ellipsis);
    let given = parts.iter().filter(own).count();
    let Some(missing) = rank.checked_sub(given) else {
        let message = match rank {
            0 => format!("{ty} has no axis"),
            _ => format!(
                "{} for the {} of {ty}",
                counted(given, "index", "indices"),
                counted(rank, "axis", "axes")
            ),
        };
        refuse(op, &[x], TypeError::new(message))
    };
    let open = |p: &Part| matches!(p, Part::Ellipsis);
    let all = Part::of(..);
    match parts.iter().filter(|p| open(p)).count() {
        0 => {
            let mut parts = parts;
            parts.extend(vec![all; missing]);
            parts
        }
        1 => {
            let at = parts.iter().position(open).expect("counted");
            let mut parts = parts;
            parts.splice(at..at + 1, vec![all; missing]);
            parts
        }
        n => {
            let message = format!("{n} times `...` among the parts of {ty}");
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

/// Resolves a place that is known while tracing.
#[track_caller]
fn place(op: &str, x: Var, a: usize, n: usize, i: i64) -> usize {
    let found = match i < 0 {
        true => n.checked_sub(i.unsigned_abs() as usize),
        false => Some(i as usize).filter(|&i| i < n),
    };
    match found {
        Some(i) => i,
        None => {
            let message = format!("{} has no place {i} along axis {a}", x.ty());
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

/// Returns the lengths that two shapes broadcast to.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut dims = long.to_vec();
    let offset = long.len() - short.len();
    for (n, &other) in dims[offset..].iter_mut().zip(short) {
        *n = match (*n, other) {
            (a, b) if a == b => a,
            (1, n) | (n, 1) => n,
            _ => return None,
        };
    }
    Some(dims)
}
