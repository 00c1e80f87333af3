//! Diagonals and triangles of matrices.

use crate::error::TypeError;
use crate::ir::{DType, Type};
use crate::ops::{iota, layout};
use crate::trace::array::{axes_in_order, lengths, numbers, refuse};
use crate::trace::{Ints, Var};

/// # Diagonals and triangles
///
/// These take elements of any type. Each is linear: the derivative is the same operation on the tangent, and
/// elements that are left out have no influence. Diagonal 0 starts at the first row and the first column; diagonal
/// `k` lies `k` places above it, diagonal `-k` below.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|a: Var| (a.diagonal(), a.trace(), a.tril_at(-1), a.diagonal().diag()));
/// let (diagonal, trace, below, matrix) = f.call([[1.0, 2.0], [3.0, 4.0]])?;
/// assert_eq!(diagonal.to_vec::<f64>()?, [1.0, 4.0]);
/// assert_eq!(trace.item::<f64>()?, 5.0);
/// assert_eq!(below.to_vec::<f64>()?, [0.0, 0.0, 3.0, 0.0]);
/// assert_eq!(matrix.to_vec::<f64>()?, [1.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The matrix with a vector on its diagonal, or the diagonal of a matrix: `numpy.diag`.
    ///
    /// # Errors
    /// If the operand is neither a vector nor a matrix.
    #[track_caller]
    pub fn diag(self) -> Var {
        self.diag_at(0)
    }

    /// [`Var::diag`] with diagonal `k`: `numpy.diag(x, k)`.
    #[track_caller]
    pub fn diag_at(self, k: isize) -> Var {
        match self.shape()[..] {
            [n] => {
                // Element `i` is followed by the zeros up to the next element of the diagonal.
                let m = n.saturating_add(k.unsigned_abs());
                let square = Type::new(self.dtype(), &[m, m]);
                lengths("diag", &[self], self.dtype(), &square.dims().into());
                if n == 0 {
                    return Var::zeros(&square);
                }
                let first = if k < 0 {
                    k.unsigned_abs() * m
                } else {
                    k.unsigned_abs()
                };
                let behind = m * m - first - (n - 1) * (m + 1) - 1;
                let flat = layout::pad(self, &[first], &[behind], &[m]);
                layout::reshape(flat, &[m, m])
            }
            [_, _] => diagonal_of(self, k, 0, 1),
            _ => {
                let message = format!("{} is neither a vector nor a matrix", self.ty());
                let hint = "use `diagonal` for stacks of matrices";
                refuse("diag", &[self], TypeError::new(message).hint(hint))
            }
        }
    }

    /// The diagonal of the first two axes, as the last axis in their place: `numpy.diagonal`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn diagonal(self) -> Var {
        self.diagonal_at(0, [0, 1])
    }

    /// Diagonal `k` of two axes, as the last axis in their place: `numpy.diagonal(x, k, axis1, axis2)`.
    /// A diagonal beyond the matrix is empty.
    #[track_caller]
    pub fn diagonal_at(self, k: isize, axes: impl Into<Ints>) -> Var {
        let (a, b) = plane("diagonal", self, axes.into());
        diagonal_of(self, k, a, b)
    }

    /// The sum of the diagonal of the first two axes, which are removed; of numbers: `numpy.trace`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn trace(self) -> Var {
        self.trace_at(0, [0, 1])
    }

    /// The sum of diagonal `k` of two axes, which are removed: `numpy.trace(x, k, axis1, axis2)`.
    #[track_caller]
    pub fn trace_at(self, k: isize, axes: impl Into<Ints>) -> Var {
        numbers("trace", self);
        let (a, b) = plane("trace", self, axes.into());
        diagonal_of(self, k, a, b).sum_axis(-1)
    }

    /// The matrix in the last two axes with zeros above the diagonal: `numpy.tril`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(self) -> Var {
        self.tril_at(0)
    }

    /// The matrix in the last two axes with zeros above diagonal `k`: `numpy.tril(x, k)`.
    #[track_caller]
    pub fn tril_at(self, k: isize) -> Var {
        let (row, column) = places("tril", self);
        (column - k as i64)
            .le(row)
            .select(self, Var::zeros(&self.ty()))
    }

    /// The matrix in the last two axes with zeros below the diagonal: `numpy.triu`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(self) -> Var {
        self.triu_at(0)
    }

    /// The matrix in the last two axes with zeros below diagonal `k`: `numpy.triu(x, k)`.
    #[track_caller]
    pub fn triu_at(self, k: isize) -> Var {
        let (row, column) = places("triu", self);
        row.le(column - k as i64)
            .select(self, Var::zeros(&self.ty()))
    }
}

/// Resolves two axes, which must differ.
#[track_caller]
fn plane(op: &str, x: Var, given: Ints) -> (usize, usize) {
    if x.rank() < 2 {
        refuse(
            op,
            &[x],
            TypeError::new(format!("{} is not a matrix", x.ty())),
        );
    }
    match axes_in_order(op, x, &given)[..] {
        [a, b] if a != b => (a, b),
        _ => {
            let message = format!("{:?} are not two axes of {}", given.0, x.ty());
            refuse(op, &[x], TypeError::new(message))
        }
    }
}

/// Returns diagonal `k` of axes `a` and `b` as the last axis. In row-major order the elements of a diagonal are
/// equally far apart.
#[track_caller]
pub(crate) fn diagonal_of(x: Var, k: isize, a: usize, b: usize) -> Var {
    let mut order: Vec<usize> = (0..x.rank()).filter(|&i| i != a && i != b).collect();
    let rest: Vec<usize> = order.iter().map(|&i| x.shape()[i]).collect();
    let (m, n) = (x.shape()[a], x.shape()[b]);
    order.extend([a, b]);
    let (down, right) = match k < 0 {
        true => (k.unsigned_abs(), 0),
        false => (0, k.unsigned_abs()),
    };
    let count = m.saturating_sub(down).min(n.saturating_sub(right));
    if count == 0 {
        return Var::zeros(&x.ty().with_dims(&[&rest[..], &[0]].concat()));
    }
    let flat = layout::reshape(
        layout::transpose(x, &order),
        &[&rest[..], &[m * n]].concat(),
    );
    let first = down * n + right;
    let mut start = vec![0; rest.len()];
    let (mut limit, mut step) = (rest, vec![1; start.len()]);
    start.push(first);
    limit.push(first + (count - 1) * (n + 1) + 1);
    step.push(n + 1);
    layout::slice(flat, &start, &limit, &step)
}

/// Returns the row number and the column number of each element of the last two axes.
#[track_caller]
fn places(op: &str, x: Var) -> (Var, Var) {
    let ty = x.ty().with_dtype(DType::I64);
    let Some(a) = ty.rank().checked_sub(2) else {
        refuse(
            op,
            &[x],
            TypeError::new(format!("{} is not a matrix", x.ty())),
        )
    };
    (iota::iota(ty.clone(), a), iota::iota(ty, a + 1))
}
