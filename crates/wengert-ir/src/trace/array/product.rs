//! Products of arrays.

use super::{axis, promoted, refuse, value};
use crate::error::TypeError;
use crate::ops::{dot, layout};
use crate::trace::{Axis, IntoVar, Pairs, Var};

/// # Products
///
/// These take numbers; element types are promoted. The other operand may be an array of Rust's numbers, as in
/// `x.dot([0.5, 0.25])`. The products of each element are summed as by [`Var::sum`]; those of two matrices,
/// with at least 8 rows and columns, in order. Large products of matrices are computed by a library.
/// Derivative of `a b`: `a' b + a b'`. For products without a method of their own, see
/// [`einsum`](crate::num::einsum).
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|(a, v): (Var, Var)| (a.dot(v), a.matmul(a.t()), v.outer(v)));
/// let (applied, product, outer) = f.call(([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]))?;
/// assert_eq!(applied.to_vec::<f64>()?, [21.0, 43.0]);
/// assert_eq!(product.to_vec::<f64>()?, [5.0, 11.0, 11.0, 25.0]);
/// assert_eq!(outer.to_vec::<f64>()?, [1.0, 10.0, 10.0, 100.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The inner product of vectors, a matrix with a vector, or two matrices: `numpy.dot` for one and
    /// two axes. For more axes, see [`Var::matmul`].
    #[track_caller]
    pub fn dot(self, other: impl IntoVar) -> Var {
        let pair = promoted("dot", &[self, value("dot", self, other)]);
        let (a, b) = (pair[0], pair[1]);
        match (a.rank(), b.rank()) {
            (1 | 2, 1 | 2) => dot::dot(a, b, &[], &[(a.rank() - 1, 0)]),
            (i, j) => {
                let message = format!(
                    "{} has {}, and {} has {j}",
                    a.ty(),
                    crate::error::counted(i, "axis", "axes"),
                    b.ty()
                );
                let hint = match i.min(j) {
                    0 => "multiply by a number with `*`",
                    _ => "use `matmul` for stacks of matrices",
                };
                refuse("dot", &pair, TypeError::new(message).hint(hint))
            }
        }
    }

    /// The product of matrices, or of stacks of matrices along the first axes, which broadcast; a vector
    /// is a row on the left and a column on the right: `numpy.matmul`.
    #[track_caller]
    pub fn matmul(self, other: impl IntoVar) -> Var {
        let pair = promoted("matmul", &[self, value("matmul", self, other)]);
        let (a, b) = (pair[0], pair[1]);
        let (ra, rb) = (a.rank(), b.rank());
        if ra == 0 || rb == 0 {
            let message = format!("{} and {}: a number is not a matrix", a.ty(), b.ty());
            let hint = "multiply by a number with `*`";
            refuse("matmul", &pair, TypeError::new(message).hint(hint))
        }
        one_length("matmul", a, b, &[(ra - 1, rb.saturating_sub(2))]);
        let stack = |x: Var| x.shape()[..x.rank().saturating_sub(2)].to_vec();
        let (sa, sb) = (stack(a), stack(b));
        if sa.is_empty() || sb.is_empty() {
            // If one operand has no axes for a stack, its matrix is multiplied with the whole stack.
            let along = (ra - 1, rb.saturating_sub(2));
            let product = dot::dot(a, b, &[], &[along]);
            return match sb.is_empty() || ra == 1 {
                true => product,
                false => layout::move_axis(product, 0, rb - 2),
            };
        }
        let n = sa.len().max(sb.len());
        let long = |s: &[usize], i: usize| match (i + s.len()).checked_sub(n) {
            Some(k) => s[k],
            None => 1,
        };
        let mut common = Vec::with_capacity(n);
        for i in 0..n {
            common.push(match (long(&sa, i), long(&sb, i)) {
                (x, y) if x == y || y == 1 => x,
                (1, y) => y,
                _ => {
                    let message = format!("the stacks {} and {} do not broadcast", a.ty(), b.ty());
                    refuse("matmul", &pair, TypeError::new(message))
                }
            });
        }
        let batch: Vec<(usize, usize)> = (0..n).map(|i| (i, i)).collect();
        let matrices = |x: Var| [&common, &x.shape()[x.rank() - 2..]].concat();
        let a = layout::broadcast_to(a, &matrices(a));
        let b = layout::broadcast_to(b, &matrices(b));
        dot::dot(a, b, &batch, &[(n + 1, n)])
    }

    /// The product of each element with each: the axes of `self`, then those of `other`:
    /// `numpy.multiply.outer`.
    #[track_caller]
    pub fn outer(self, other: impl IntoVar) -> Var {
        let pair = promoted("outer", &[self, value("outer", self, other)]);
        dot::dot(pair[0], pair[1], &[], &[])
    }

    /// The sum of products over pairs of axes of `self` and `other`; the result has the other axes
    /// of `self`, then those of `other`: `numpy.tensordot`. The pairs are a list, or a number that pairs the
    /// last axes of `self` with as many first axes of `other`.
    #[track_caller]
    pub fn tensordot(self, other: impl IntoVar, pairs: impl Into<Pairs>) -> Var {
        let both = promoted("tensordot", &[self, value("tensordot", self, other)]);
        let (a, b) = (both[0], both[1]);
        let mut axes = vec![];
        match pairs.into() {
            Pairs::List(pairs) => {
                for (i, j) in pairs {
                    axes.push((axis("tensordot", a, i), axis("tensordot", b, j)));
                }
            }
            Pairs::Neighbours(n) if n <= a.rank().min(b.rank()) => {
                axes.extend((0..n).map(|i| (a.rank() - n + i, i)));
            }
            Pairs::Neighbours(n) => {
                let message = format!(
                    "{} and {} have not {} each to pair",
                    a.ty(),
                    b.ty(),
                    crate::error::counted(n, "axis", "axes")
                );
                refuse("tensordot", &both, TypeError::new(message))
            }
        }
        one_length("tensordot", a, b, &axes);
        dot::dot(a, b, &[], &axes)
    }

    /// The sum of products along the last axes; the result has the other axes of `self`, then those
    /// of `other`: `numpy.inner`. If an operand is a scalar it is the product.
    #[track_caller]
    pub fn inner(self, other: impl IntoVar) -> Var {
        let both = promoted("inner", &[self, value("inner", self, other)]);
        let (a, b) = (both[0], both[1]);
        match (a.rank(), b.rank()) {
            (0, _) | (_, 0) => a * b,
            (i, j) => {
                one_length("inner", a, b, &[(i - 1, j - 1)]);
                dot::dot(a, b, &[], &[(i - 1, j - 1)])
            }
        }
    }

    /// The Kronecker product: each element of `self` replaced by its product with `other`. Missing
    /// first axes have length 1: `numpy.kron`.
    #[track_caller]
    pub fn kron(self, other: impl IntoVar) -> Var {
        let both = promoted("kron", &[self, value("kron", self, other)]);
        let rank = both[0].rank().max(both[1].rank());
        // Each axis is paired with an axis of length 1, in which the other operand has its own.
        let apart = |x: Var, first: bool| -> Vec<usize> {
            let missing = vec![1; rank - x.rank()];
            let dims = missing.into_iter().chain(x.shape());
            dims.flat_map(|n| if first { [n, 1] } else { [1, n] })
                .collect()
        };
        let (da, db) = (apart(both[0], true), apart(both[1], false));
        let product = layout::reshape(both[0], &da) * layout::reshape(both[1], &db);
        let dims: Vec<usize> = product.shape().chunks(2).map(|n| n[0] * n[1]).collect();
        layout::reshape(product, &dims)
    }

    /// The cross product of vectors of length 3 along the last axis; the other axes broadcast. For vectors
    /// of length 2 it is the third component, a number: `numpy.cross`.
    ///
    /// # Errors
    /// If the vectors have another length.
    #[track_caller]
    pub fn cross(self, other: impl IntoVar) -> Var {
        self.cross_axis(other, -1)
    }

    /// [`Var::cross`] of vectors along another axis: `numpy.cross(a, b, axis)`.
    #[track_caller]
    pub fn cross_axis(self, other: impl IntoVar, along: impl Into<Axis>) -> Var {
        let along = along.into();
        let both = promoted("cross", &[self, value("cross", self, other)]);
        let (i, j) = (axis("cross", both[0], along), axis("cross", both[1], along));
        let (a, b) = (both[0], both[1]);
        match (a.shape()[i], b.shape()[j]) {
            (2, 2) => {
                let ([a0, a1], [b0, b1]) = (components(a, i), components(b, j));
                a0 * b1 - a1 * b0
            }
            (3, 3) => {
                let (a1, a2) = (a.roll(-1, i), a.roll(-2, i));
                let (b1, b2) = (b.roll(-1, j), b.roll(-2, j));
                a1 * b2 - a2 * b1
            }
            _ => {
                let message = format!("{} and {} are not vectors of 3, or of 2", a.ty(), b.ty());
                refuse("cross", &both, TypeError::new(message))
            }
        }
    }
}

/// Returns the two components of vectors along an axis, which is removed.
#[track_caller]
fn components(x: Var, axis: usize) -> [Var; 2] {
    let x = layout::move_axis(x, axis, 0);
    [layout::row(x, 0), layout::row(x, 1)]
}

/// Refuses pairs of axes that differ in length.
#[track_caller]
fn one_length(op: &str, a: Var, b: Var, pairs: &[(usize, usize)]) {
    for &(i, j) in pairs {
        if a.shape()[i] != b.shape()[j] {
            let (a_type, b_type) = (a.ty(), b.ty());
            let message = format!("{a_type} and {b_type} differ in length along axes {i} and {j}");
            refuse(op, &[a, b], TypeError::new(message));
        }
    }
}
