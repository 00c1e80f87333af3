//! What solvers share: functions of trees as functions of vectors, dense matrices of linear functions, numbers.

use wengert::prelude::*;
use wengert::solver::{expect_floats, inside, refuse};
use wengert::tree::ravel;
use wengert::{DType, Var};

use crate::State;

/// The code of a solver that has not ended.
pub(crate) const RUNNING: i64 = 1000;

/// The largest number of unknowns for which derivatives are solved for by a dense matrix.
pub(crate) const DENSE: usize = 256;

/// The distance from 1 to the next number.
pub(crate) fn eps(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    }
}

/// A number of an element type.
pub(crate) fn number(x: f64, dtype: DType) -> Var {
    Var::from(x).to(dtype)
}

/// Requires options that bound something, such as tolerances and limits of steps, to be numbers that are not negative.
///
/// # Errors
/// If one is not.
#[track_caller]
pub(crate) fn not_negative(op: &str, options: &[(&str, f64)]) {
    for (name, x) in options {
        if x.is_nan() || *x < 0.0 {
            refuse(op, format!("{name} is {x}, and must not be negative"))
        }
    }
}

/// Requires options that are lengths, if they are given, to be numbers other than zero.
///
/// # Errors
/// If one is not.
#[track_caller]
pub(crate) fn not_zero(op: &str, options: &[(&str, Option<f64>)]) {
    for (name, x) in options {
        if let Some(x) = x
            && (x.is_nan() || *x == 0.0)
        {
            refuse(
                op,
                format!("{name} is {x}, and must be a number other than zero"),
            )
        }
    }
}

/// The tree `a` where `condition` holds, and else `b`.
pub(crate) fn choose<X: State>(condition: Var, a: X, b: X) -> X {
    tree::map2(a, b, |a, b| condition.select(a, b))
}

/// The largest size of the elements.
pub(crate) fn largest(x: Var) -> Var {
    x.abs().amax()
}

/// The length of a vector.
pub(crate) fn length(x: Var) -> Var {
    x.dot(x).sqrt()
}

/// Whether a gradient is zero to a tolerance: none of its elements is larger than that, nor, where the value is large, than
/// what would change the value by that part of it when the unknown changes by its own size, or by 1.
pub(crate) fn is_flat(g: Var, x: Var, value: Var, tolerance: f64) -> Var {
    let relative = value.abs() / x.abs().maximum(1.0);
    g.abs().le(tolerance * relative.maximum(1.0)).all()
}

/// Converts a start to a vector, and returns it with what converts vectors to such trees.
///
/// # Errors
/// If it has leaves that are no floats, leaves of two types, or no numbers at all.
#[track_caller]
pub(crate) fn vector<X: State>(op: &str, start: X) -> (Var, impl Fn(Var) -> X + Clone) {
    expect_floats(op, "the start", &start);
    let types: Vec<DType> = tree::leaves(&start).iter().map(|v| v.dtype()).collect();
    if let Some(other) = types.iter().find(|t| **t != types[0]) {
        let message = format!(
            "the unknowns have one element type, and the start has {} and {other}",
            types[0]
        );
        refuse(op, message);
    }
    let (x, tree) = ravel(start);
    if x.shape()[0] == 0 {
        refuse(op, "the start has no numbers");
    }
    (x, tree)
}

/// Calls a user's function whose value is a number of the unknowns' element type.
///
/// # Errors
/// If it is not.
#[track_caller]
pub(crate) fn scalar(op: &str, what: &str, dtype: DType, f: impl FnOnce() -> Var) -> Var {
    let y = inside(f);
    let ty = y.ty();
    if ty.rank() != 0 || ty.dtype != dtype {
        refuse(op, format!("{what} is {ty}, and must be one {dtype}"));
    }
    y
}

/// The matrix of a linear function of vectors of a length.
pub(crate) fn matrix(apply: &dyn Fn(Var) -> Var, n: usize, dtype: DType) -> Var {
    vmap(|e: Var| apply(e))(eye(n).to(dtype)).t()
}

/// Solves a linear system of vectors whose function is symmetric: by factors of its matrix if that is small, and
/// else by conjugate gradients.
pub(crate) fn solve_symmetric(apply: &dyn Fn(Var) -> Var, b: Var) -> Var {
    let n = b.shape()[0];
    match n {
        1 => b / apply(ones_like(b)),
        2..=DENSE => matrix(apply, n, b.dtype()).solve(b),
        _ => wengert::linalg::Krylov::default().cg(apply, b),
    }
}

/// The ends of an interval of numbers, of one type.
///
/// # Errors
/// If they are not numbers, not floats, or of two types.
#[track_caller]
pub(crate) fn ends(op: &str, a: Var, b: Var) -> (Var, Var) {
    expect_floats(op, "the interval", &(a, b));
    let (ty, other) = (a.ty(), b.ty());
    if ty.rank() != 0 || other.rank() != 0 {
        let message = format!(
            "the ends of the interval are {ty} and {other}, and must be numbers; use vmap for many"
        );
        refuse(op, message);
    }
    // A number written in the program takes the type of the other end.
    let joint = match (a.as_literal(), b.as_literal()) {
        (Some(_), None) => b.dtype(),
        _ => a.dtype(),
    };
    let fits = |v: Var| v.dtype() == joint || v.as_literal().is_some();
    if !fits(a) || !fits(b) {
        let message =
            format!("the ends of the interval are {ty} and {other}, and must be of one type");
        refuse(op, message);
    }
    (a.to(joint), b.to(joint))
}
