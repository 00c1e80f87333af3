//! Cholesky and LU factors, and the systems that they solve.

use super::{Cho, Lu, by_columns, for_each, matrix, square};
use crate::error::TypeError;
use crate::ops::factor::{self, Triangular, permuted, unit};
use crate::ops::implicit::linear_solve;
use crate::trace::Var;
use crate::trace::array::{promoted, refuse};

pub(super) const LOWER: Triangular = Triangular::lower();
const UPPER: Triangular = Triangular::upper();

/// # Linear systems
///
/// The last two axes are those of the matrices; axes in front are those of a batch, and broadcast. They take floats.
/// Up to a size a matrix is worked on by loops, in a batch one matrix in each lane of a vector, and larger ones by a
/// library; the size alone decides.
///
/// A singular matrix gives infinities or NaN, and never an error.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(a, b): (Var, Var)| (a.solve(b), a.inv(), a.det(), a.slogdet(), a.cholesky()));
/// let (x, inverse, det, (sign, log), l) = f.call(([[4.0, 2.0], [2.0, 5.0]], [2.0, 5.0]))?;
/// assert_eq!(x.to_vec::<f64>()?, [0.0, 1.0]);
/// assert_eq!(inverse.to_vec::<f64>()?, [0.3125, -0.125, -0.125, 0.25]);
/// assert_eq!((det.item::<f64>()?, sign.item::<f64>()?), (16.0, 1.0));
/// assert_eq!(log.item::<f64>()?, 16f64.ln());
/// assert_eq!(l.to_vec::<f64>()?, [2.0, 0.0, 1.0, 2.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The lower triangular `L` with `L Lᵀ = self`: `numpy.linalg.cholesky`. Only the lower triangle is read. Where
    /// the matrix is not positive definite, all of `L` is NaN. Derivative: Murray's rule (2016) for the symmetric part
    /// of the tangent, so that the cotangent is symmetric.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn cholesky(self) -> Var {
        square("cholesky", self);
        for_each("cholesky", &[(self, 2)], |x| vec![factor::cholesky(x[0])])[0]
    }

    /// The Cholesky factor, to solve many systems with: `scipy.linalg.cho_factor`. Derivative: as of
    /// [`Var::cholesky`].
    ///
    /// # Errors
    /// As [`Var::cholesky`].
    #[track_caller]
    pub fn cho_factor(self) -> Cho {
        let factor = self.cholesky();
        Cho { factor }
    }

    /// The LU factors with partial pivoting: `scipy.linalg.lu_factor`. Derivative: de Hoog's rule (2011).
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn lu_factor(self) -> Lu {
        matrix("lu_factor", self);
        let all = for_each("lu_factor", &[(self, 2)], |x| factor::lu(x[0]).to_vec());
        Lu {
            factors: all[0],
            order: all[1],
            sign: all[2],
        }
    }

    /// The solution `x` of `self x = b`: `numpy.linalg.solve`. `b` is a vector, or a matrix whose columns are
    /// right-hand sides. Derivative: that of the equation.
    ///
    /// # Errors
    /// If `self` is not square or has not as many rows as `b`.
    #[track_caller]
    pub fn solve(self, b: Var) -> Var {
        let (a, b, ranks) = system("solve", self, b);
        for_each("solve", &[(a, 2), (b, ranks)], |x| {
            vec![by_columns(x[1], |b| solution(x[0], b))]
        })[0]
    }

    /// The solution `x` of `self x = b` for a lower triangular matrix: `scipy.linalg.solve_triangular` with
    /// `lower=True`. What is above the diagonal is not read. Derivative: that of the equation.
    ///
    /// # Errors
    /// As [`Var::solve`].
    #[track_caller]
    pub fn solve_lower(self, b: Var) -> Var {
        triangular("solve_lower", self, b, LOWER)
    }

    /// The solution `x` of `self x = b` for an upper triangular matrix: `scipy.linalg.solve_triangular`. What is below
    /// the diagonal is not read. Derivative: that of the equation.
    ///
    /// # Errors
    /// As [`Var::solve`].
    #[track_caller]
    pub fn solve_upper(self, b: Var) -> Var {
        triangular("solve_upper", self, b, UPPER)
    }

    /// The solution of any triangular system: `scipy.linalg.solve_triangular` with `lower`, `trans` and
    /// `unit_diagonal`.
    ///
    /// # Errors
    /// As [`Var::solve`].
    #[track_caller]
    pub fn solve_triangular(self, b: Var, form: Triangular) -> Var {
        triangular("solve_triangular", self, b, form)
    }

    /// The inverse of square matrices: `numpy.linalg.inv`. To solve a system, [`Var::solve`] is quicker and more
    /// accurate. Derivative: `-x a' x`.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn inv(self) -> Var {
        let n = square("inv", self);
        for_each("inv", &[(self, 2)], |x| {
            vec![solution(x[0], unit(x[0], n, 0))]
        })[0]
    }

    /// The determinant of square matrices: `numpy.linalg.det`. Derivative: the sum of cofactors and tangents, of
    /// matrices of up to three rows also where they are singular; of larger ones, `y tr(a⁻¹ a')`.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn det(self) -> Var {
        let n = square("det", self);
        for_each("det", &[(self, 2)], |x| vec![determinant(x[0], n)])[0]
    }

    /// The sign of the determinant, and the logarithm of its absolute value: `numpy.linalg.slogdet`. A singular matrix
    /// has sign 0 and logarithm -∞. Derivative of the logarithm: `tr(a⁻¹ a')`.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn slogdet(self) -> (Var, Var) {
        square("slogdet", self);
        let both = for_each("slogdet", &[(self, 2)], |x| {
            let [factors, _, sign] = factor::lu(x[0]);
            let pivots = factors.diagonal();
            let sign = sign * pivots.sign().prod();
            vec![sign.stop_gradient(), pivots.abs().ln().sum()]
        });
        (both[0], both[1])
    }
}

/// Returns a matrix and the right-hand sides of a system with it, in one element type, and the rank of the right-hand
/// sides: a vector if they have fewer axes than the matrix, as in NumPy.
#[track_caller]
pub(super) fn system(op: &str, a: Var, b: Var) -> (Var, Var, usize) {
    square(op, a);
    let both = promoted(op, &[a, b]);
    let (a, b) = (both[0], both[1]);
    let n = square(op, a);
    let rank = b.rank().min(2);
    let rows = match rank {
        0 => None,
        1 => Some(b.shape()[0]),
        _ => Some(b.shape()[b.rank() - 2]),
    };
    if rows != Some(n) {
        let message = format!("{} and {} differ in the number of rows", a.ty(), b.ty());
        let error = TypeError::new(message);
        let error = match rank {
            2 => error.hint(
                "a batch of vectors is a batch of matrices of one column: `b.expand_dims(-1)`",
            ),
            _ => error,
        };
        refuse(op, &both, error)
    }
    (a, b, rank)
}

#[track_caller]
fn triangular(op: &str, a: Var, b: Var, form: Triangular) -> Var {
    let (a, b, rank) = system(op, a, b);
    for_each(op, &[(a, 2), (b, rank)], |x| {
        vec![by_columns(x[1], |b| {
            factor::triangular_solve(x[0], b, form)
        })]
    })[0]
}

/// Returns the solution of a system, whose derivative is that of the equation.
fn solution(a: Var, b: Var) -> Var {
    let [factors, order, _] = factor::lu(a.stop_gradient());
    linear_solve(
        &[b],
        |x| vec![a.matmul(x[0])],
        |b| vec![by_factors(factors, order, b[0])],
        |c| vec![by_factors_transposed(factors, order, c[0])],
    )[0]
}

pub(super) fn by_factors(factors: Var, order: Var, b: Var) -> Var {
    let b = permuted(b, order);
    let half = factor::triangular_solve(factors, b, LOWER.unit());
    factor::triangular_solve(factors, half, UPPER)
}

pub(super) fn by_factors_transposed(factors: Var, order: Var, c: Var) -> Var {
    let half = factor::triangular_solve(factors, c, UPPER.transposed());
    let moved = factor::triangular_solve(factors, half, LOWER.unit().transposed());
    Var::zeros(&moved.ty()).at_set(order, moved)
}

fn determinant(a: Var, n: usize) -> Var {
    let at = |i: usize, j: usize| a.at((i, j));
    match n {
        0 => Var::full(&a.ty().with_dims(&[]), 1.0),
        1 => at(0, 0),
        2 => at(0, 0) * at(1, 1) - at(0, 1) * at(1, 0),
        3 => {
            let minor = |i: usize, j: usize| at(1, i) * at(2, j) - at(1, j) * at(2, i);
            at(0, 0) * minor(1, 2) - at(0, 1) * minor(0, 2) + at(0, 2) * minor(0, 1)
        }
        _ => {
            let [factors, _, sign] = factor::lu(a);
            sign.stop_gradient() * factors.diagonal().prod()
        }
    }
}
