//! Products of arrays.

use super::{axis, promoted, refuse};
use crate::error::TypeError;
use crate::ops::{dot, layout};
use crate::trace::Var;

/// # Products
///
/// Of numbers; element types are promoted. Each element is summed one product after the other.
/// Derivative of `a b`: `a' b + a b'`.
///
/// ```
/// use wengert_ir::ir::{DType, Type};
/// use wengert_ir::trace::{Kind, closed};
///
/// let params = [Type::new(DType::F64, &[3, 4]), Type::new(DType::F64, &[4])];
/// let door = closed(Kind::Door, &params, |x| {
///     let stack = x[0].broadcast_to([2, 3, 4]);
///     vec![x[0].dot(x[1]), x[0].dot(x[0].t()), stack.matmul(x[0].t()), x[1].outer(x[1])]
/// });
/// let types: Vec<String> = door.func.result_types().iter().map(Type::to_string).collect();
/// assert_eq!(types, ["f64[3]", "f64[3,3]", "f64[2,3,3]", "f64[4,4]"]);
/// ```
impl Var {
    /// The inner product of vectors, a matrix with a vector, or two matrices: `numpy.dot` for one and
    /// two axes. For more, see [`Var::matmul`].
    #[track_caller]
    pub fn dot(self, other: Var) -> Var {
        let pair = promoted("dot", &[self, other]);
        let (a, b) = (pair[0], pair[1]);
        match (a.rank(), b.rank()) {
            (1 | 2, 1 | 2) => dot::dot(a, b, &[], &[(a.rank() - 1, 0)]),
            (i, j) => {
                let message = format!("{} and {} have {i} and {j} axes", a.ty(), b.ty());
                let hint = match i.min(j) {
                    0 => "multiply by a number with `*`",
                    _ => "use `matmul` for stacks of matrices",
                };
                refuse("dot", &pair, TypeError::new(message).hint(hint))
            }
        }
    }

    /// The product of matrices, or of stacks of them along the first axes, which broadcast; a vector
    /// is a row on the left and a column on the right: `numpy.matmul`.
    #[track_caller]
    pub fn matmul(self, other: Var) -> Var {
        let pair = promoted("matmul", &[self, other]);
        let (a, b) = (pair[0], pair[1]);
        let (ra, rb) = (a.rank(), b.rank());
        if ra == 0 || rb == 0 {
            let message = format!("{} and {}: a number is not a matrix", a.ty(), b.ty());
            let hint = "multiply by a number with `*`";
            refuse("matmul", &pair, TypeError::new(message).hint(hint))
        }
        let stack = |x: Var| x.shape()[..x.rank().saturating_sub(2)].to_vec();
        let (sa, sb) = (stack(a), stack(b));
        if sa.is_empty() || sb.is_empty() {
            // One matrix for the whole stack: its axes stand apart from those of the stack.
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
    pub fn outer(self, other: Var) -> Var {
        let pair = promoted("outer", &[self, other]);
        dot::dot(pair[0], pair[1], &[], &[])
    }

    /// The sum of products over pairs of axes of `self` and `other`; what is left are the other axes
    /// of `self`, then those of `other`: `numpy.tensordot`.
    #[track_caller]
    pub fn tensordot(self, other: Var, pairs: &[(isize, isize)]) -> Var {
        let both = promoted("tensordot", &[self, other]);
        let (a, b) = (both[0], both[1]);
        let mut axes = Vec::with_capacity(pairs.len());
        for &(i, j) in pairs {
            axes.push((
                axis("tensordot", a, i.into()),
                axis("tensordot", b, j.into()),
            ));
        }
        dot::dot(a, b, &[], &axes)
    }
}
