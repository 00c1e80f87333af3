//! The array operations that users call: methods of `Var`, and functions that create arrays.
//!
//! Axes are counted from 0, or from the end if they are negative. A wrong axis, shape
//! or index that is known while tracing is an [`Error::Type`] that names the operation, the types
//! and the caller's line.

use crate::error::{TypeError, raise};
use crate::ir::DType;
use crate::ops::convert;
use crate::ops::layout::{self, ascending, sized};
use crate::trace::span::{Along, Axis, Ints};
use crate::trace::{Argument, IntoVar, Var, current_source, is_weak, number};

mod along;
mod at;
mod cumulative;
mod make;
mod order;
mod part;
mod product;
mod reduce;
mod shape;

pub use make::{
    IntoVars, arange, concat, eye, full, full_like, geomspace, linspace, logspace, meshgrid,
    meshgrid_ij, ones, ones_like, ones_of, stack, stack_axis, zeros, zeros_like, zeros_of,
};

pub(crate) use part::entry;

/// Raises a type error for an operation before it is recorded.
#[track_caller]
pub(crate) fn refuse(op: &str, operands: &[Var], error: TypeError) -> ! {
    raise(error.error(
        op,
        operands.iter().map(|x| x.ty()).collect(),
        current_source(),
    ))
}

/// Resolves an axis of a value of rank `rank`.
#[track_caller]
pub(crate) fn axis_of_rank(op: &str, x: Var, a: Axis, rank: usize) -> usize {
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
pub(crate) fn axis(op: &str, x: Var, a: Axis) -> usize {
    axis_of_rank(op, x, a, x.rank())
}

/// Resolves axes, in the order given.
#[track_caller]
pub(crate) fn axes_in_order(op: &str, x: Var, given: &Ints) -> Vec<usize> {
    // A loop and not a closure, which would lose the caller's line.
    let mut axes = Vec::with_capacity(given.0.len());
    for &a in &given.0 {
        axes.push(axis(op, x, Axis(a)));
    }
    axes
}

/// Resolves axes and sorts them.
#[track_caller]
pub(crate) fn axes(op: &str, x: Var, given: Ints) -> Vec<usize> {
    let mut axes = axes_in_order(op, x, &given);
    axes.sort_unstable();
    if !ascending(&axes, x.rank()) {
        let message = format!("an axis of {} is named twice in {:?}", x.ty(), given.0);
        refuse(op, &[x], TypeError::new(message));
    }
    axes
}

/// The axes of a reduction.
pub(crate) struct Over {
    /// The reduced axes, ascending.
    pub axes: Vec<usize>,
    /// The lengths of all axes, 1 for the reduced ones.
    pub ones: Vec<usize>,
    /// The number of elements that are reduced to one.
    pub count: usize,
    keep: bool,
}

impl Over {
    #[track_caller]
    pub fn of(op: &str, x: Var, given: Along) -> Over {
        let axes = match given.which {
            None => all_axes(x),
            Some(which) => axes(op, x, which),
        };
        let mut ones = x.shape();
        let mut count = 1;
        for &a in &axes {
            count *= std::mem::replace(&mut ones[a], 1);
        }
        Over {
            axes,
            ones,
            count,
            keep: given.keep,
        }
    }

    /// Refuses a reduction over no elements.
    #[track_caller]
    pub fn expect_elements(&self, op: &str, x: Var) {
        if self.count == 0 {
            let message = format!("{} has no element along {:?}", x.ty(), self.axes);
            refuse(op, &[x], TypeError::new(message));
        }
    }

    /// Restores the reduced axes of a result if they are to be kept.
    #[track_caller]
    pub fn kept(&self, y: Var) -> Var {
        match self.keep {
            true => self.back(y),
            false => y,
        }
    }

    /// Restores the reduced axes of several results along a new first axis, if they are to be kept.
    #[track_caller]
    pub fn kept_rows(&self, y: Var) -> Var {
        match self.keep {
            true => layout::reshape(y, &[&y.shape()[..1], &self.ones].concat()),
            false => y,
        }
    }

    /// Restores the reduced axes of a result with length 1, so that it broadcasts with the operand.
    #[track_caller]
    pub fn back(&self, y: Var) -> Var {
        layout::reshape(y, &self.ones)
    }
}

/// Refuses element types other than floats.
#[track_caller]
pub(crate) fn floats(op: &str, x: Var) {
    let ty = x.ty();
    if !ty.is_float() {
        let error = TypeError::new(format!("{ty} is not an array of floats"));
        let hint = "convert it first, as in `x.to(DType::F64)`";
        refuse(op, &[x], error.hint(hint));
    }
}

/// Refuses truth values.
#[track_caller]
pub(crate) fn numbers(op: &str, x: Var) {
    if x.dtype() == DType::Bool {
        let error = TypeError::new(format!("{} is not an array of numbers", x.ty()));
        let hint = "convert it first, as in `x.to(DType::I64)`";
        refuse(op, &[x], error.hint(hint));
    }
}

/// Returns all axes.
#[track_caller]
pub(crate) fn all_axes(x: Var) -> Vec<usize> {
    (0..x.rank()).collect()
}

/// Checks that integers are not negative.
#[track_caller]
pub(crate) fn counts(op: &str, operands: &[Var], given: &Ints) -> Vec<usize> {
    let counts: Option<Vec<usize>> = given.0.iter().map(|&n| usize::try_from(n).ok()).collect();
    match counts {
        Some(counts) => counts,
        None => {
            let message = format!("{:?} holds a negative length", given.0);
            refuse(op, operands, TypeError::new(message))
        }
    }
}

/// Returns the lengths of an array, which must be addressable.
#[track_caller]
pub(crate) fn lengths(op: &str, operands: &[Var], dtype: DType, given: &Ints) -> Vec<usize> {
    let dims = counts(op, operands, given);
    if let Err(error) = sized(dtype, &dims) {
        refuse(op, operands, error);
    }
    dims
}

/// Returns the other operand of an operation on `x` as a value; a number takes the element type of `x`.
#[track_caller]
pub(crate) fn value(op: &str, x: Var, other: impl IntoVar) -> Var {
    match other.argument() {
        Argument::Var(v) => v,
        number => number::literal(op, number, x.dtype()),
    }
}

/// Converts values to the element type that all of them promote to.
#[track_caller]
pub(crate) fn promoted(op: &str, values: &[Var]) -> Vec<Var> {
    if values.is_empty() {
        refuse(op, &[], TypeError::new("no operand"));
    }
    let mut types = Vec::with_capacity(values.len());
    for x in values {
        types.push((x.ty(), is_weak(*x)));
    }
    let dtype = match number::common_of(types.iter().map(|(ty, weak)| (ty, *weak))) {
        Ok(dtype) => dtype,
        Err(error) => refuse(op, values, error),
    };
    let mut all = Vec::with_capacity(values.len());
    for x in values {
        all.push(convert::convert(*x, dtype));
    }
    all
}

/// Repeats `x` to the given lengths.
#[track_caller]
pub(crate) fn spread(op: &str, x: Var, dims: &[usize]) -> Var {
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
