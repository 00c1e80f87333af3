//! Systems with band matrices.

use super::{by_columns, for_each, matrix};
use crate::error::TypeError;
use crate::ops::factor::{self, Banded};
use crate::ops::layout;
use crate::trace::Var;
use crate::trace::array::{floats, promoted, refuse};

/// The solution `x` of `a x = b` for a matrix `a` with `diagonals = (lower, upper)` below and above the main one, in linear
/// time: `scipy.linalg.solve_banded`. Row `upper + i - j` of `ab` holds `a[i, j]` in column `j`; its elements outside
/// of `a` are not read. `b` is a vector, or a matrix whose columns are right-hand sides; axes in front are those of a
/// batch. Elimination with partial pivoting, as LAPACK's `gbsv`; a singular matrix gives infinities or NaN. Derivative:
/// that of the equation.
///
/// # Errors
/// If `ab` has not `lower + upper + 1` rows, or not as many columns as `b` has rows.
///
/// ```
/// use wengert::linalg::solve_banded;
/// use wengert::prelude::*;
///
/// // The matrix [[2, 1, 0], [1, 2, 1], [0, 1, 2]].
/// let solve = jit(|(ab, b): (Var, Var)| solve_banded((1, 1), ab, b));
/// let ab = [[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 0.0]];
/// let x = solve.call((ab, [4.0, 8.0, 8.0]))?;
/// assert!(x.all_close(&Array::from([1.0, 2.0, 3.0]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn solve_banded(diagonals: (usize, usize), ab: Var, b: Var) -> Var {
    let (lower, upper) = diagonals;
    matrix("solve_banded", ab);
    let both = promoted("solve_banded", &[ab, b]);
    let (ab, b) = (both[0], both[1]);
    let (rows, n) = matrix("solve_banded", ab);
    if lower.checked_add(upper).and_then(|k| k.checked_add(1)) != Some(rows) {
        let message = format!("{} does not hold {lower} + {upper} + 1 diagonals", ab.ty());
        let error = TypeError::new(message);
        let hint = "row `upper + i - j` holds the element `(i, j)` in column `j`";
        refuse("solve_banded", &both, error.hint(hint))
    }
    let rank = right_sides("solve_banded", ab, b, n);
    let band = Banded { lower, upper };
    for_each("solve_banded", &[(ab, 2), (b, rank)], |x| {
        vec![by_columns(x[1], |b| factor::solve_banded(x[0], b, band))]
    })[0]
}

/// The solution `x` of `a x = b` for a tridiagonal matrix, given its diagonal of `n` elements and the `n - 1` elements
/// below and above it: `jax.lax.linalg.tridiagonal_solve`, whose outer diagonals have one more element that is not read.
/// `b` is as in [`solve_banded`]. Elimination with partial pivoting, as LAPACK's `gtsv`. Derivative: that of the equation.
///
/// # Errors
/// If the lengths do not fit.
///
/// ```
/// use wengert::linalg::solve_tridiagonal;
/// use wengert::prelude::*;
///
/// // One step of the heat equation, backwards in time.
/// let step = jit(|(k, u): (Var, Var)| {
///     let n = u.shape()[0];
///     let side = Var::from([1.0; 3]) * -k;
///     solve_tridiagonal(side, Var::from([1.0; 4]) + 2.0 * k, side, u) * n as f64
/// });
/// let u = step.call((0.5, [0.0, 1.0, 1.0, 0.0]))?.to_vec::<f64>()?;
/// assert!((u[1] - u[2]).abs() < 1e-15 && u[0] > 0.0);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn solve_tridiagonal(lower: Var, diagonal: Var, upper: Var, b: Var) -> Var {
    let op = "solve_tridiagonal";
    let all = promoted(op, &[lower, diagonal, upper, b]);
    let vectors = &all[..3];
    floats(op, all[0]);
    if vectors.iter().any(|x| x.rank() == 0) {
        let message = "a diagonal is a vector, and a number has no axis";
        refuse(op, &all, TypeError::new(message))
    }
    let length = |x: Var| x.shape()[x.rank() - 1];
    let n = length(all[1]);
    for (x, name) in [(all[0], "lower"), (all[2], "upper")] {
        if length(x) != n.saturating_sub(1) {
            let message = format!(
                "the {name} diagonal has {} elements beside a main one of {n}",
                length(x)
            );
            let error = TypeError::new(message);
            refuse(op, &all, error.hint("it has one element less"))
        }
    }
    let rank = right_sides(op, all[1], all[3], n);
    let band = Banded { lower: 1, upper: 1 };
    let operands = [(all[0], 1), (all[1], 1), (all[2], 1), (all[3], rank)];
    for_each(op, &operands, |x| {
        if n == 0 {
            return vec![x[3]];
        }
        let row = |x: Var, low: usize, high: usize| {
            let x = layout::pad(x, &[low], &[high], &[0]);
            layout::reshape(x, &[1, n])
        };
        let ab = layout::concat(&[row(x[2], 1, 0), row(x[1], 0, 0), row(x[0], 0, 1)], 0);
        vec![by_columns(x[3], |b| factor::solve_banded(ab, b, band))]
    })[0]
}

/// Returns the rank of the right-hand sides of a system of `n` rows.
#[track_caller]
fn right_sides(op: &str, a: Var, b: Var, n: usize) -> usize {
    let rank = b.rank().min(2);
    if rank == 0 || b.shape()[b.rank() - rank] != n {
        let message = format!("{} and {} differ in the number of rows", a.ty(), b.ty());
        let error = TypeError::new(message);
        let error = match rank {
            2 => error.hint(
                "a batch of vectors is a batch of matrices of one column: `b.expand_dims(-1)`",
            ),
            _ => error,
        };
        refuse(op, &[a, b], error)
    }
    rank
}
