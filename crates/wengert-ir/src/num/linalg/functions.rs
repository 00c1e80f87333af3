//! Least squares, powers, chains of products, and matrices of special forms.

use std::panic::Location;

use super::{Lstsq, epsilon, for_each, inverted, matrix, square};
use crate::error::TypeError;
use crate::ir::{DType, Type};
use crate::ops::factor::{self, Triangular, unit};
use crate::ops::implicit::linear_solve;
use crate::ops::{iota, layout};
use crate::trace::array::{promoted, refuse};
use crate::trace::{Var, asked_at, keep};

const UPPER: Triangular = Triangular::upper();

/// # Least squares, powers and special matrices
///
/// The last two axes are those of the matrices; axes in front are those of a batch, and broadcast.
///
/// ```
/// use wengert::prelude::*;
///
/// // A line through three points.
/// let f = jit(|(x, y): (Var, Var)| stack_axis((ones_like(x), x), 1).lstsq(y));
/// let line = f.call(([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]))?;
/// assert!(line.all_close(&Array::from([1.0, 2.0]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The `x` with the smallest `|self x - b|`, and of these the shortest, for matrices of full rank:
    /// `numpy.linalg.lstsq`. It is computed by orthogonal factors; where the rank is lower, it is infinite or NaN, and
    /// [`Var::lstsq_svd`] helps. Derivative: that of the equations that it solves.
    ///
    /// # Errors
    /// If `self` has not as many rows as `b`.
    #[track_caller]
    pub fn lstsq(self, b: Var) -> Var {
        let (a, b, rank) = equations("lstsq", self, b);
        for_each("lstsq", &[(a, 2), (b, rank)], |x| {
            vec![super::by_columns(x[1], |b| least_squares(x[0], b))]
        })[0]
    }

    /// The same by singular values, of which those of at most `rcond` times the largest count as zero:
    /// `numpy.linalg.lstsq(a, b, rcond)`. It is right for matrices of any rank, and slower. Derivative: by that of the
    /// singular value decomposition.
    ///
    /// # Errors
    /// If `self` has not as many rows as `b`.
    #[track_caller]
    pub fn lstsq_svd(self, b: Var, rcond: f64) -> Lstsq {
        let (a, b, rank) = equations("lstsq_svd", self, b);
        let all = for_each("lstsq_svd", &[(a, 2), (b, rank)], |x| {
            let (a, b) = (x[0], x[1]);
            let (u, s, vt) = a.svd();
            let inverse = inverted(s, rcond);
            let solution = super::by_columns(b, |b| {
                let along = factor::t(u).matmul(b);
                factor::t(vt).matmul(inverse.expand_dims(-1) * along)
            });
            let residuals = (b - a.dot(solution)).square().sum_axis(0);
            let rank = inverse.gt(0.0).to(DType::I64).sum();
            vec![solution, residuals, rank, s]
        });
        Lstsq {
            x: all[0],
            residuals: all[1],
            rank: all[2],
            singular_values: all[3],
        }
    }

    /// A power of square matrices, by repeated squares; of the inverse if `n` is negative:
    /// `numpy.linalg.matrix_power`. Derivative: that of the products.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn matrix_power(self, n: i64) -> Var {
        let size = square("matrix_power", self);
        let mut base = if n < 0 { self.inv() } else { self };
        let mut left = n.unsigned_abs();
        asked_at(Location::caller(), || {
            let mut power: Option<Var> = None;
            while left > 0 {
                if left % 2 == 1 {
                    power = Some(power.map_or(base, |power| power.matmul(base)));
                }
                left /= 2;
                if left > 0 {
                    base = base.matmul(base);
                }
            }
            power.unwrap_or_else(|| unit(self, size, 0))
        })
    }
}

/// The product of several matrices, in the order of the fewest multiplications: `numpy.linalg.multi_dot`. The first may
/// be a row and the last a column. Derivative: that of the products.
///
/// # Errors
/// If there is no matrix, or neighbours do not fit.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::linalg::multi_dot;
///
/// let f = jit(|(a, x): (Var, Var)| multi_dot(&[a, a, a, x]));
/// assert_eq!(f.call(([[0.0, 1.0], [2.0, 0.0]], [1.0, 1.0]))?.to_vec::<f64>()?, [2.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn multi_dot(matrices: &[Var]) -> Var {
    let n = matrices.len();
    let all = promoted("multi_dot", matrices);
    let ends = |i: usize| i == 0 || i + 1 == n;
    for (i, x) in all.iter().enumerate() {
        let fits = x.rank() == 2 || (x.rank() == 1 && ends(i));
        if !fits {
            let message = format!("operand {i}, {}, is not a matrix", x.ty());
            refuse("multi_dot", &all, TypeError::new(message));
        }
    }
    // The lengths between the factors: factor `i` is `dims[i]` by `dims[i + 1]`.
    let mut dims: Vec<usize> = vec![];
    for (i, x) in all.iter().enumerate() {
        let shape = x.shape();
        let rows = match shape[..] {
            [n] if i == 0 && all.len() > 1 => [1, n],
            [n] => [n, 1],
            _ => [shape[0], shape[1]],
        };
        if i == 0 {
            dims.push(rows[0]);
        } else if dims[i] != rows[0] {
            let message = format!("{} and {} do not fit", all[i - 1].ty(), x.ty());
            refuse("multi_dot", &all, TypeError::new(message));
        }
        dims.push(rows[1]);
    }
    // The least numbers of multiplications, and where the outermost product stands.
    let mut cost = vec![vec![0u128; n]; n];
    let mut at = vec![vec![0usize; n]; n];
    for length in 1..n {
        for i in 0..n - length {
            let j = i + length;
            let of = |k: usize| {
                let own = dims[i] as u128 * dims[k + 1] as u128 * dims[j + 1] as u128;
                (cost[i][k] + cost[k + 1][j] + own, k)
            };
            let best = (i..j).map(of).min().expect("two factors at least");
            (cost[i][j], at[i][j]) = best;
        }
    }
    fn product(x: &[Var], at: &[Vec<usize>], i: usize, j: usize) -> Var {
        if i == j {
            return x[i];
        }
        let k = at[i][j];
        product(x, at, i, k).dot(product(x, at, k + 1, j))
    }
    asked_at(Location::caller(), || product(&all, &at, 0, n - 1))
}

/// The matrix with the given matrices along its diagonal, and zeros elsewhere: `scipy.linalg.block_diag`. A vector is a
/// row. Derivative: linear.
///
/// # Errors
/// If there is no matrix, or one has more than two axes.
#[track_caller]
pub fn block_diag(blocks: &[Var]) -> Var {
    let all = promoted("block_diag", blocks);
    for x in &all {
        if x.rank() > 2 {
            let message = format!("{} is not a matrix", x.ty());
            refuse("block_diag", &all, TypeError::new(message));
        }
    }
    asked_at(Location::caller(), || {
        let matrix = |x: &Var| match x.shape()[..] {
            [] => layout::reshape(*x, &[1, 1]),
            [n] => layout::reshape(*x, &[1, n]),
            _ => *x,
        };
        let blocks: Vec<Var> = all.iter().map(matrix).collect();
        let width: usize = blocks.iter().map(|x| x.shape()[1]).sum();
        let mut before = 0;
        let mut rows = vec![];
        for x in blocks {
            let own = x.shape()[1];
            let behind = width - before - own;
            rows.push(layout::pad(x, &[0, before], &[0, behind], &[0, 0]));
            before += own;
        }
        layout::concat(&rows, 0)
    })
}

/// The matrix with constant diagonals whose first column is `column` and whose first row, but for its first element, is
/// that of `row`: `scipy.linalg.toeplitz`. Derivative: linear.
///
/// # Errors
/// If they are not vectors, or empty.
#[track_caller]
pub fn toeplitz(column: Var, row: Var) -> Var {
    let (column, row) = vectors("toeplitz", column, row);
    asked_at(Location::caller(), || {
        let (m, n) = (column.shape()[0], row.shape()[0]);
        let above = layout::reverse(layout::slice_axis(row, 0, 1..n), &[0]);
        let all = layout::concat(&[above, column], 0);
        let ty = Type::new(DType::I64, &[m, n]);
        let place = iota::iota(ty.clone(), 0) - iota::iota(ty, 1) + (n as i64 - 1);
        all.at(place)
    })
}

/// The matrix with constant antidiagonals whose first column is `column` and whose last row, but for its first element,
/// is that of `row`: `scipy.linalg.hankel`. Derivative: linear.
///
/// # Errors
/// If they are not vectors, or empty.
#[track_caller]
pub fn hankel(column: Var, row: Var) -> Var {
    let (column, row) = vectors("hankel", column, row);
    asked_at(Location::caller(), || {
        let (m, n) = (column.shape()[0], row.shape()[0]);
        let all = layout::concat(&[column, layout::slice_axis(row, 0, 1..n)], 0);
        let ty = Type::new(DType::I64, &[m, n]);
        all.at(iota::iota(ty.clone(), 0) + iota::iota(ty, 1))
    })
}

#[track_caller]
fn vectors(op: &str, x: Var, y: Var) -> (Var, Var) {
    let both = promoted(op, &[x, y]);
    for x in &both {
        if x.rank() != 1 || x.shape()[0] == 0 {
            let message = format!("{} is not a vector of some length", x.ty());
            refuse(op, &both, TypeError::new(message));
        }
    }
    (both[0], both[1])
}

/// Returns a matrix and right-hand sides in one element type, and the rank of the latter.
#[track_caller]
fn equations(op: &str, a: Var, b: Var) -> (Var, Var, usize) {
    matrix(op, a);
    let both = promoted(op, &[a, b]);
    let (a, b) = (both[0], both[1]);
    let (m, _) = matrix(op, a);
    let rank = b.rank().min(2);
    if rank == 0 || b.shape()[b.rank() - rank] != m {
        let message = format!("{} and {} differ in the number of rows", a.ty(), b.ty());
        refuse(op, &both, TypeError::new(message))
    }
    (a, b, rank)
}

/// Solves `r + a x = b`, `aᵀ r = 0` for a tall matrix, and `x = aᵀ y`, `a x = b` for a wide one. Both are one symmetric
/// system with a tall matrix, whose derivative is that of its equation. What a solution leaves of the system is solved for
/// once more, which makes up for most rounding (Björck 1967; Higham, *Accuracy and Stability*, 2nd edition, section 20.5).
fn least_squares(a: Var, b: Var) -> Var {
    let (m, n) = (a.shape()[0], a.shape()[1]);
    let tall = if m >= n { a } else { factor::t(a) };
    let fixed = tall.stop_gradient();
    let [q, r] = factor::qr(fixed);
    let other = Var::zeros(&b.ty().with_dims(&[n, b.shape()[1]]));
    let right = if m >= n { [b, other] } else { [other, b] };
    let by_factors = |right: [Var; 2]| {
        let low = factor::triangular_solve(r, right[1], UPPER.transposed());
        let along = factor::t(q).matmul(right[0]) - low;
        let x = factor::triangular_solve(r, along, UPPER);
        [right[0] - q.matmul(along), x]
    };
    let solve = |right: &[Var]| {
        let [rest, x] = by_factors([right[0], right[1]]);
        let left = [
            right[0] - rest - fixed.matmul(x),
            right[1] - factor::t(fixed).matmul(rest),
        ];
        let [more, step] = by_factors(left);
        vec![rest + more, x + step]
    };
    let apply = |x: &[Var]| vec![x[0] + tall.matmul(x[1]), factor::t(tall).matmul(x[0])];
    let both = linear_solve(&right, apply, solve, solve);
    both[if m >= n { 1 } else { 0 }]
}

/// The largest singular value and the smallest, or their sum, of the matrices in two axes.
#[track_caller]
pub(crate) fn spectral_norm(x: Var, rows: usize, columns: usize, of: Spectral) -> Var {
    let rank = x.rank();
    let mut order: Vec<usize> = (0..rank).filter(|&a| a != rows && a != columns).collect();
    order.extend([rows, columns]);
    let s = layout::transpose(x, &order).svdvals();
    match of {
        Spectral::Sum => s.sum_axis(-1),
        Spectral::Largest => s.amax_axis(-1),
        Spectral::Smallest => s.amin_axis(-1),
    }
}

/// What a norm takes of singular values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spectral {
    Sum,
    Largest,
    Smallest,
}

impl Var {
    /// The pseudoinverse: `numpy.linalg.pinv`, with `rcond = 10 max(m, n) ε` as in JAX. Derivative: by that of the
    /// singular value decomposition, for matrices of full rank.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn pinv(self) -> Var {
        let (m, n) = matrix("pinv", self);
        self.pinv_rcond(10.0 * m.max(n) as f64 * epsilon(self))
    }

    /// The pseudoinverse, for which singular values of at most `rcond` times the largest count as zero:
    /// `numpy.linalg.pinv(a, rcond)`. Derivative: by that of the singular value decomposition.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn pinv_rcond(self, rcond: f64) -> Var {
        matrix("pinv", self);
        for_each("pinv", &[(self, 2)], |x| {
            let (u, s, vt) = x[0].svd();
            vec![factor::t(vt).matmul(inverted(s, rcond).expand_dims(-1) * factor::t(u))]
        })[0]
    }

    /// The number of singular values above `max(m, n) ε` times the largest, as `i64`: `numpy.linalg.matrix_rank`.
    /// Derivative: none.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn matrix_rank(self) -> Var {
        let (m, n) = matrix("matrix_rank", self);
        if m.min(n) == 0 {
            let batch = &self.shape()[..self.rank() - 2];
            return Var::zeros(&Type::new(DType::I64, batch));
        }
        let s = self.stop_gradient().svdvals();
        let limit = s.amax_axis(keep(-1)) * (m.max(n) as f64 * epsilon(self));
        s.gt(limit).to(DType::I64).sum_axis(-1)
    }

    /// The largest singular value divided by the smallest: `numpy.linalg.cond`. Derivative: that of the quotient.
    ///
    /// # Errors
    /// If there are fewer than two axes, or a matrix is empty.
    #[track_caller]
    pub fn cond(self) -> Var {
        matrix("cond", self);
        let s = self.svdvals();
        s.amax_axis(-1) / s.amin_axis(-1)
    }
}
