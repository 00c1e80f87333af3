//! Lengths of vectors, norms of matrices, distances.

use crate::error::TypeError;
use crate::num::length::Squares;
use crate::num::linalg::{Spectral, spectral_norm};
use crate::ops::reduce::{self, Reducer};
use crate::ops::rows::row;
use crate::trace::array::{Over, axes_in_order, floats, promoted, refuse};
use crate::trace::{Along, Var, keep};

/// The order of a norm: a number `p`, or one of the named norms of matrices. See [`Var::norm_ord`].
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Order {
    /// `(Σ |x|^p)^(1/p)` of a vector.
    P(f64),
    /// The root of the sum of squares: `"fro"` in NumPy.
    Frobenius,
    /// The sum of the singular values: `"nuc"` in NumPy.
    Nuclear,
}

impl Order {
    /// The sum of the absolute values; for a matrix, the largest such sum of a column.
    pub const L1: Order = Order::P(1.0);
    /// The root of the sum of squares of a vector.
    pub const L2: Order = Order::P(2.0);
    /// The largest absolute value; for a matrix, the largest sum of absolute values of a row.
    pub const INF: Order = Order::P(f64::INFINITY);
    /// The smallest absolute value; for a matrix, the smallest sum of absolute values of a row.
    pub const NEG_INF: Order = Order::P(f64::NEG_INFINITY);
}

impl From<f64> for Order {
    fn from(p: f64) -> Order {
        Order::P(p)
    }
}
impl From<i32> for Order {
    fn from(p: i32) -> Order {
        Order::P(p.into())
    }
}

/// # Norms and distances
///
/// Norms take floats. Where all elements are zero a norm has no derivative, and 0 is used.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.norm(), x / x.norm_axis(keep(-1)), x.norm_ord(1, 0), x.cdist(x)));
/// let (norm, rows, sums, apart) = f.call([[3.0, 4.0], [0.0, 0.0]])?;
/// assert_eq!(norm.item::<f64>()?, 5.0);
/// assert_eq!(rows.to_vec::<f64>()?[..2], [0.6, 0.8]);
/// assert_eq!(sums.to_vec::<f64>()?, [3.0, 4.0]);
/// assert_eq!(apart.to_vec::<f64>()?, [0.0, 5.0, 5.0, 0.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The root of the sum of all squares: `numpy.linalg.norm`. Derivative: `x / y`, 0 at 0.
    #[track_caller]
    pub fn norm(self) -> Var {
        self.norm_axis(..)
    }

    /// The root of the sum of squares along the given axes: `numpy.linalg.norm(x, axis=axis)`.
    #[track_caller]
    pub fn norm_axis(self, which: impl Into<Along>) -> Var {
        floats("norm", self);
        let over = Over::of("norm", self, which.into());
        over.kept(plain_norm(self, &over.axes))
    }

    /// The norm of the given order along one axis or two: `numpy.linalg.norm(x, ord, axis)`.
    ///
    /// Along one axis, the norm of vectors: `(Σ |x|^p)^(1/p)`, the largest and the smallest absolute value for
    /// `p = ±∞`, the number of nonzero elements for `p = 0`. Along two, the norm of matrices: the largest sum of
    /// absolute values of a column (1) or a row (∞), the smallest of these sums (-1, -∞), the largest singular value
    /// (2), the smallest (-2) or their sum ([`Order::Nuclear`]), or [`Order::Frobenius`]. Derivative: that of the formula, and 0 at 0.
    ///
    /// # Errors
    /// If matrices have no norm of this order, or more than two axes are given.
    #[track_caller]
    pub fn norm_ord(self, order: impl Into<Order>, which: impl Into<Along>) -> Var {
        floats("norm", self);
        let (order, given) = (order.into(), which.into());
        let over = Over::of("norm", self, given.clone());
        match (order, over.axes.len()) {
            (Order::Frobenius, 2) => self.norm_axis(given),
            (Order::P(p), 1) => over.kept(vector_norm(self, p, &over)),
            (Order::P(p), 2) if p.abs() == 1.0 || p.is_infinite() => {
                // The axes in the order given: rows, then columns.
                let given = given.which.map(|which| axes_in_order("norm", self, &which));
                let axes = given.unwrap_or(over.axes.clone());
                let summed = if p.abs() == 1.0 { axes[0] } else { axes[1] };
                let sums = self.abs().sum_axis(keep(summed));
                let extreme = match p > 0.0 {
                    true => sums.amax_axis(&over.axes),
                    false => sums.amin_axis(&over.axes),
                };
                over.kept(extreme)
            }
            (Order::Nuclear | Order::P(2.0 | -2.0), 2) => {
                let given = given.which.map(|which| axes_in_order("norm", self, &which));
                let axes = given.unwrap_or(over.axes.clone());
                let of = match order {
                    Order::Nuclear => Spectral::Sum,
                    Order::P(p) if p > 0.0 => Spectral::Largest,
                    _ => Spectral::Smallest,
                };
                over.kept(spectral_norm(self, axes[0], axes[1], of))
            }
            (order, n) => {
                let ty = self.ty();
                let order = match order {
                    Order::P(p) => p.to_string(),
                    Order::Frobenius => "Frobenius".into(),
                    Order::Nuclear => "nuclear".into(),
                };
                let message = format!(
                    "{ty} has no {order} norm along {}",
                    crate::error::counted(n, "axis", "axes")
                );
                let hint = match n {
                    2 => {
                        "matrices have the norms 1, -1, 2, -2, ±∞, `Order::Frobenius` and `Order::Nuclear`"
                    }
                    1 => "a vector has the norms of numbers; the plain one is `norm_axis`",
                    _ => "flatten it, or name one axis or two",
                };
                refuse("norm", &[self], TypeError::new(message).hint(hint))
            }
        }
    }

    /// The distance of each vector of `self` from each of `other`: `[m, d]` and `[n, d]` give
    /// `[m, n]`; first axes broadcast: `scipy.spatial.distance.cdist`. Derivative: the unit vector along the
    /// difference, and 0 where the distance is 0.
    ///
    /// # Errors
    /// If the vectors have different lengths, or there are fewer than two axes.
    #[track_caller]
    pub fn cdist(self, other: Var) -> Var {
        let (x, y) = points("cdist", self, other);
        let rank = x.rank().max(y.rank()) + 1;
        Squares {
            distance: &differences,
            axes: &[rank - 1],
            count: 1.0,
            root: true,
        }
        .of(&[x, y])
    }

    /// The squares of [`Var::cdist`]: `scipy.spatial.distance.cdist(.., "sqeuclidean")`. Derivative:
    /// twice the difference.
    #[track_caller]
    pub fn cdist_squared(self, other: Var) -> Var {
        let (x, y) = points("cdist", self, other);
        differences(&[x, y]).square().sum_axis(-1)
    }
}

/// Returns the norms of vectors along axes, which are removed.
#[track_caller]
fn vector_norm(x: Var, p: f64, over: &Over) -> Var {
    let size = x.abs();
    if p == 2.0 {
        return plain_norm(x, &over.axes);
    }
    if p == 1.0 {
        return reduce::sum(size, &over.axes);
    }
    if p == 0.0 {
        return reduce::sum(x.ne(0.0).to(x.dtype()), &over.axes);
    }
    if p.is_infinite() {
        return match p > 0.0 {
            true => size.amax_axis(&over.axes),
            false => size.amin_axis(&over.axes),
        };
    }
    if over.count == 0 {
        return reduce::sum(size, &over.axes);
    }
    // The largest absolute value (the smallest for a negative `p`) dominates: it is scaled to about 1 by a power of
    // two.
    let reducer = match p > 0.0 {
        true => Reducer::Max,
        false => Reducer::Min,
    };
    let most = reduce::reduce(reducer, size, &over.axes).stop_gradient();
    let n = const { row("exponent") }.apply(&[most]);
    let ldexp = |x: Var, n: Var| const { row("ldexp") }.apply(&[x, n]);
    let size = ldexp(size, -over.back(n).broadcast_to(size.shape()));
    // The power of zero has no derivative for some `p`; for a negative `p` it is infinite.
    let power = match p > 0.0 {
        true => size.eq(0.0).select(0.0, size.powf(p)),
        false => size.powf(p),
    };
    let sum = reduce::sum(power, &over.axes);
    ldexp(sum.eq(0.0).select(0.0, sum.powf(1.0 / p)), n)
}

/// Returns the root of the sum of squares along axes, which are removed.
#[track_caller]
fn plain_norm(x: Var, axes: &[usize]) -> Var {
    Squares {
        distance: &|x| x[0],
        axes,
        count: 1.0,
        root: true,
    }
    .of(&[x])
}

/// Returns the difference of each vector of the first operand from each of the second.
#[track_caller]
fn differences(x: &[Var]) -> Var {
    x[0].expand_dims(-2) - x[1].expand_dims(-3)
}

/// Checks two lists of vectors and promotes them to one element type; the vectors must have the same length.
#[track_caller]
fn points(op: &str, x: Var, y: Var) -> (Var, Var) {
    let both = promoted(op, &[x, y]);
    let (x, y) = (both[0], both[1]);
    floats(op, x);
    let (dx, dy) = (x.shape(), y.shape());
    if dx.len() < 2 || dy.len() < 2 || dx.last() != dy.last() {
        let message = format!(
            "{} and {} are not lists of vectors of one length",
            x.ty(),
            y.ty()
        );
        refuse(op, &both, TypeError::new(message));
    }
    (x, y)
}
