//! Linear algebra: factorisations, systems, and what is made of them.
//!
//! The last two axes are those of the matrices; axes in front are those of a batch, and broadcast.

mod banded;
pub mod complex;
mod functions;
mod solve;
mod spectral;

use std::panic::Location;

use crate::error::TypeError;
use crate::ir::DType;
use crate::ops::{factor, layout, map};
use crate::trace::array::{floats, refuse};
use crate::trace::{Var, asked_at, keep};

pub use crate::ops::factor::Triangular;
pub use banded::{solve_banded, solve_tridiagonal};
pub(crate) use functions::{Spectral, spectral_norm};
pub use functions::{block_diag, hankel, multi_dot, toeplitz};
use solve::{LOWER, by_factors, by_factors_transposed, system};

/// The LU factors of square matrices, with which many systems are solved: `scipy.linalg.lu_factor`.
#[derive(Clone, Copy, Debug)]
pub struct Lu {
    /// `L` below the diagonal, whose ones are not stored, and `U` from the diagonal on.
    pub factors: Var,
    /// The order of the rows: row `i` of `L U` is row `order[i]` of the matrix.
    pub order: Var,
    /// The sign of the order: 1 or -1.
    pub sign: Var,
}

/// The Cholesky factor of symmetric matrices, with which many systems are solved: `scipy.linalg.cho_factor`.
#[derive(Clone, Copy, Debug)]
pub struct Cho {
    /// The lower triangular factor.
    pub factor: Var,
}

/// What [`Var::lstsq_svd`] finds.
#[derive(Clone, Copy, Debug)]
pub struct Lstsq {
    /// The solutions.
    pub x: Var,
    /// The sums of the squares of what each solution leaves.
    pub residuals: Var,
    /// The rank, as `i64`.
    pub rank: Var,
    /// The singular values.
    pub singular_values: Var,
}

impl Lu {
    /// The solution of a system with the factored matrix: `scipy.linalg.lu_solve`.
    ///
    /// # Errors
    /// If the factored matrix is not square or has not as many rows as `b`.
    #[track_caller]
    pub fn solve(self, b: Var) -> Var {
        let (a, b, rank) = system("lu_solve", self.factors, b);
        for_each("lu_solve", &[(a, 2), (self.order, 1), (b, rank)], |x| {
            vec![by_columns(x[2], |b| by_factors(x[0], x[1], b))]
        })[0]
    }

    /// The solution of a system with the transpose of the factored matrix: `scipy.linalg.lu_solve` with `trans=1`.
    ///
    /// # Errors
    /// As [`Lu::solve`].
    #[track_caller]
    pub fn solve_transposed(self, b: Var) -> Var {
        let (a, b, rank) = system("lu_solve", self.factors, b);
        for_each("lu_solve", &[(a, 2), (self.order, 1), (b, rank)], |x| {
            vec![by_columns(x[2], |b| by_factors_transposed(x[0], x[1], b))]
        })[0]
    }
}

impl Cho {
    /// The solution of a system with the factored matrix: `scipy.linalg.cho_solve`.
    ///
    /// # Errors
    /// If the factored matrix has not as many rows as `b`.
    #[track_caller]
    pub fn solve(self, b: Var) -> Var {
        let (l, b, rank) = system("cho_solve", self.factor, b);
        for_each("cho_solve", &[(l, 2), (b, rank)], |x| {
            vec![by_columns(x[1], |b| {
                let half = factor::triangular_solve(x[0], b, LOWER);
                factor::triangular_solve(x[0], half, LOWER.transposed())
            })]
        })[0]
    }

    /// The logarithm of the determinant of the factored matrix.
    #[track_caller]
    pub fn logdet(self) -> Var {
        let logs = self.factor.diagonal_at(0, [-2, -1]).ln();
        logs.sum_axis(-1) * 2.0
    }
}

/// Returns the lengths of the last two axes of floats.
///
/// # Errors
/// If there are fewer than two axes.
#[track_caller]
pub fn matrix(op: &str, x: Var) -> (usize, usize) {
    floats(op, x);
    match x.shape()[..] {
        [.., m, n] => (m, n),
        _ => {
            let error = TypeError::new(format!("{} is not a matrix", x.ty()));
            refuse(
                op,
                &[x],
                error.hint("a matrix has two axes, as of `x.expand_dims(-1)`"),
            )
        }
    }
}

/// Returns the number of rows of square matrices of floats.
///
/// # Errors
/// If the last two axes differ in length.
#[track_caller]
pub fn square(op: &str, x: Var) -> usize {
    match matrix(op, x) {
        (m, n) if m == n => n,
        _ => {
            let message = format!("{} is not a square matrix", x.ty());
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

/// Calls a function of matrices and vectors, given with their ranks, for each element of their batch: the axes in front,
/// which broadcast. An operand without such axes is shared by the whole batch. All that is recorded is attributed to
/// the place where the operation was called.
///
/// # Errors
/// If the axes in front do not broadcast.
#[track_caller]
pub fn for_each(op: &str, x: &[(Var, usize)], f: impl Fn(&[Var]) -> Vec<Var>) -> Vec<Var> {
    let fronts: Vec<Vec<usize>> = (x.iter())
        .map(|(x, rank)| x.shape()[..x.rank() - rank].to_vec())
        .collect();
    let Some(batch) = broadcast(&fronts) else {
        let all: Vec<Var> = x.iter().map(|x| x.0).collect();
        let message = format!("batches of shapes {fronts:?} do not broadcast");
        refuse(op, &all, TypeError::new(message))
    };
    let extent: usize = batch.iter().product();
    asked_at(Location::caller(), || {
        let plain: Vec<Var> = x.iter().map(|x| x.0).collect();
        if batch.is_empty() {
            return f(&plain);
        }
        let mapped: Vec<bool> = fronts.iter().map(|front| !front.is_empty()).collect();
        let rows: Vec<Var> = (x.iter().zip(&mapped))
            .filter(|(_, mapped)| **mapped)
            .map(|(&(x, rank), _)| {
                let own = x.shape()[x.rank() - rank..].to_vec();
                let all = layout::broadcast_to(x, &[&batch[..], &own].concat());
                layout::reshape(all, &[&[extent], &own[..]].concat())
            })
            .collect();
        let results = map::map(&rows, extent, |rows| {
            let mut rows = rows.iter();
            let each = plain.iter().zip(&mapped);
            let own: Vec<Var> = each
                .map(|(&x, mapped)| match mapped {
                    true => *rows.next().expect("a row for each"),
                    false => x,
                })
                .collect();
            f(&own)
        });
        let whole = |y: Var| layout::reshape(y, &[&batch[..], &y.shape()[1..]].concat());
        results.into_iter().map(whole).collect()
    })
}

/// Returns the lengths to which all of these broadcast.
fn broadcast(all: &[Vec<usize>]) -> Option<Vec<usize>> {
    let rank = all.iter().map(Vec::len).max().unwrap_or(0);
    let mut dims = vec![1; rank];
    for own in all {
        for (to, &n) in dims[rank - own.len()..].iter_mut().zip(own) {
            match (*to, n) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *to = b,
                _ => return None,
            }
        }
    }
    Some(dims)
}

/// Calls a function of a matrix with a vector as one column.
fn by_columns(b: Var, f: impl FnOnce(Var) -> Var) -> Var {
    match b.rank() {
        1 => f(b.expand_dims(1)).squeeze_axis(1),
        _ => f(b),
    }
}

/// The distance of 1 to the next number of an element type.
fn epsilon(x: Var) -> f64 {
    match x.dtype() {
        DType::F32 => f32::EPSILON.into(),
        _ => f64::EPSILON,
    }
}

/// The reciprocals of singular values, and zeros for those that count as zero.
fn inverted(s: Var, rcond: f64) -> Var {
    if s.shape().contains(&0) {
        return s;
    }
    let limit = s.stop_gradient().amax_axis(keep(-1)) * rcond;
    let zero = s.le(limit);
    zero.select(0.0, zero.select(1.0, s).recip())
}
