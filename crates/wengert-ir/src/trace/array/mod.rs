//! What a user does with arrays: methods on `Var`, and functions that make arrays.
//!
//! Axes are counted from 0, or from the end where they are negative. A mistake in an axis, a shape
//! or an index that is known when traced is an [`Error::Type`] that names the operation, the types
//! and the caller's line.

use crate::error::{Error, TypeError, raise};
use crate::ir::DType;
use crate::ops::convert;
use crate::ops::layout::{self, ascending, sized};
use crate::trace::span::{Axis, Ints};
use crate::trace::{Var, current_source, number};

mod along;
mod at;
mod cumulative;
mod make;
mod order;
mod part;
mod product;
mod reduce;
mod shape;

pub use make::{arange, concat, eye, full, ones, ones_like, stack, stack_axis, zeros, zeros_like};

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
fn axis_of_rank(op: &str, x: Var, a: Axis, rank: usize) -> usize {
    let Axis(a) = a;
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
fn axis(op: &str, x: Var, a: Axis) -> usize {
    axis_of_rank(op, x, a, x.rank())
}

/// Those axes, in the order given.
#[track_caller]
fn axes_in_order(op: &str, x: Var, given: &Ints) -> Vec<usize> {
    // A loop, since the caller's place does not pass through a closure.
    let mut axes = Vec::with_capacity(given.0.len());
    for &a in &given.0 {
        axes.push(axis(op, x, Axis(a)));
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
                let error = number::no_common_type(&values[0].ty(), &x.ty());
                refuse(op, values, error)
            }
        };
    }
    let mut all = Vec::with_capacity(values.len());
    for x in values {
        all.push(convert::convert(*x, dtype));
    }
    all
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
