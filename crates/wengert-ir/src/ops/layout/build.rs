//! Functions that record layout operations. Each returns its operand where there is nothing to do.

use std::ops::Range;

use crate::error::TypeError;
use crate::ir::{Dim, Shape, Type};
use crate::ops::Op;
use crate::ops::layout::Layout;
use crate::trace::{Var, bind1, definition, refuse};

/// Repeats a value along new axes and axes of length 1: axis `i` becomes axis `axes[i]` of `shape`.
#[track_caller]
pub fn broadcast(x: Var, shape: &Shape, axes: &[usize]) -> Var {
    if x.ty().shape == *shape && axes.iter().copied().eq(0..shape.rank()) {
        return x;
    }
    let (shape, axes) = (shape.clone(), axes.to_vec());
    bind1(Op::Layout(Layout::Broadcast { shape, axes }), &[x])
}

/// Inserts an axis of length `n` in front of axis `at`, along which the value is repeated.
#[track_caller]
pub fn insert_axis(x: Var, at: usize, n: usize) -> Var {
    let ty = x.ty();
    if at > ty.rank() {
        refuse("insert_axis", &[x], no_axis(&ty, at));
    }
    let axes: Vec<usize> = (0..=ty.rank()).filter(|&a| a != at).collect();
    broadcast(x, &ty.with_axis(at, Dim::N(n)).shape, &axes)
}

/// Repeats a value to the given lengths; axes are matched from the last, as in NumPy.
#[track_caller]
pub fn broadcast_to(x: Var, dims: &[usize]) -> Var {
    let ty = x.ty();
    let to = Type::new(ty.dtype, dims);
    let fits = ty.rank() <= dims.len()
        && ty
            .shape
            .0
            .iter()
            .rev()
            .zip(to.shape.0.iter().rev())
            .all(|(a, b)| a == b || *a == Dim::N(1));
    if !fits {
        refuse(
            "broadcast_to",
            &[x],
            TypeError::new(format!("{ty} does not broadcast to {to}")),
        );
    }
    let axes: Vec<usize> = (dims.len() - ty.rank()..dims.len()).collect();
    broadcast(x, &to.shape, &axes)
}

/// Arranges the elements in another shape of the same size, in row-major order.
#[track_caller]
pub fn reshape(x: Var, dims: &[usize]) -> Var {
    if x.ty().shape == Shape::new(dims) {
        return x;
    }
    let dims = dims.to_vec();
    bind1(Op::Layout(Layout::Reshape { dims }), &[x])
}

/// Permutes axes: axis `i` of the result is axis `axes[i]` of `x`.
#[track_caller]
pub fn transpose(x: Var, axes: &[usize]) -> Var {
    if axes.iter().copied().eq(0..x.rank()) {
        return x;
    }
    let axes = axes.to_vec();
    bind1(Op::Layout(Layout::Transpose { axes }), &[x])
}

/// Moves axis `from` to position `to`; the others keep their order.
#[track_caller]
pub fn move_axis(x: Var, from: usize, to: usize) -> Var {
    let ty = x.ty();
    if let Some(&axis) = [from, to].iter().find(|a| **a >= ty.rank()) {
        refuse("move_axis", &[x], no_axis(&ty, axis));
    }
    let mut axes: Vec<usize> = (0..ty.rank()).filter(|&a| a != from).collect();
    axes.insert(to, from);
    transpose(x, &axes)
}

/// Takes the elements `start`, `start + step`, .. below `limit` along each axis.
#[track_caller]
pub fn slice(x: Var, start: &[usize], limit: &[usize], step: &[usize]) -> Var {
    let all = |v: &[usize], n| v.iter().all(|&i| i == n);
    if all(start, 0) && all(step, 1) && x.ty().shape == Shape::new(limit) {
        return x;
    }
    if let Some((part, axis, before)) = part_of_concat(x, start, limit) {
        let [mut start, mut limit] = [start, limit].map(<[usize]>::to_vec);
        start[axis] -= before;
        limit[axis] -= before;
        return slice(part, &start, &limit, step);
    }
    let (start, limit, step) = (start.to_vec(), limit.to_vec(), step.to_vec());
    bind1(Op::Layout(Layout::Slice { start, limit, step }), &[x])
}

/// If a slice lies within one operand of a concatenation, returns that operand, the axis, and the length in front of
/// the operand. Then the other operands are not read and have no derivative.
fn part_of_concat(x: Var, start: &[usize], limit: &[usize]) -> Option<(Var, usize, usize)> {
    let (Op::Layout(Layout::Concat { axis }), parts) = definition(x)? else {
        return None;
    };
    let (first, end) = (*start.get(axis)?, *limit.get(axis)?);
    let mut before = 0;
    for part in parts {
        let Dim::N(n) = part.ty().shape.0[axis] else {
            return None;
        };
        if before <= first && first < end && end <= before + n {
            return Some((part, axis, before));
        }
        before += n;
    }
    None
}

/// Takes the part `range` of one axis, and all of the others.
#[track_caller]
pub fn slice_axis(x: Var, axis: usize, range: Range<usize>) -> Var {
    let ty = x.ty();
    if axis >= ty.rank() {
        refuse("slice", &[x], no_axis(&ty, axis));
    }
    let mut start = vec![0; ty.rank()];
    let mut limit = ty.dims();
    start[axis] = range.start;
    limit[axis] = range.end;
    slice(x, &start, &limit, &vec![1; ty.rank()])
}

/// Takes row `i` along the first axis and removes that axis.
#[track_caller]
pub fn row(x: Var, i: usize) -> Var {
    let row = slice_axis(x, 0, i..i + 1);
    reshape(row, &row.shape()[1..])
}

/// Puts zeros before, after, and between the elements along each axis.
#[track_caller]
pub fn pad(x: Var, low: &[usize], high: &[usize], interior: &[usize]) -> Var {
    if [low, high, interior]
        .iter()
        .all(|v| v.iter().all(|&n| n == 0))
    {
        return x;
    }
    let [low, high, interior] = [low, high, interior].map(<[usize]>::to_vec);
    let op = Layout::Pad {
        low,
        high,
        interior,
    };
    if let Some(zero) = x.as_literal().filter(|l| l.bits == 0)
        && let Ok(types) = crate::ops::Primitive::types(&op, &[zero.ty().clone()])
    {
        return Var::zeros(&types[0]);
    }
    bind1(Op::Layout(op), &[x])
}

/// Concatenates values along an axis.
#[track_caller]
pub fn concat(parts: &[Var], axis: usize) -> Var {
    match parts {
        [one] if axis < one.rank() => *one,
        _ => bind1(Op::Layout(Layout::Concat { axis }), parts),
    }
}

/// Stacks values along a new axis in front of axis `axis`.
#[track_caller]
pub fn stack(parts: &[Var], axis: usize) -> Var {
    // A loop and not a closure, which would lose the caller's line.
    let mut rows = Vec::with_capacity(parts.len());
    for x in parts {
        rows.push(insert_axis(*x, axis, 1));
    }
    concat(&rows, axis)
}

/// Reverses the order of the elements along the given axes, which ascend.
#[track_caller]
pub fn reverse(x: Var, axes: &[usize]) -> Var {
    if axes.is_empty() {
        return x;
    }
    let axes = axes.to_vec();
    bind1(Op::Layout(Layout::Reverse { axes }), &[x])
}

fn no_axis(ty: &Type, axis: usize) -> TypeError {
    TypeError::new(format!("{ty} has no axis {axis}"))
}
