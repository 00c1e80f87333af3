//! Shapes of arrays.

use super::{all_axes, axes, axes_in_order, axis, axis_of_rank, lengths, refuse, spread};
use crate::error::{TypeError, counted};
use crate::ir::Dim;
use crate::ops::layout;
use crate::trace::span::{Axis, Ints};
use crate::trace::{IntoShape, Var};

/// # Shape
///
/// These keep the elements, of any type, and change only how they are arranged along axes. Each is linear: the
/// derivative is the same operation on the tangent, and the transpose is the operation that undoes it.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.t(), x.reshape([3, -1]), x.expand_dims([0, 2])));
/// let (turned, reshaped, expanded) = f.call([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
/// assert_eq!(turned.to_vec::<f64>()?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// assert_eq!((reshaped.shape(), expanded.shape()), (&[3, 2][..], &[1, 2, 1, 3][..]));
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// The elements in row-major order, in another shape of the same size: `numpy.reshape`. One length
    /// may be -1: it is computed from the others.
    #[track_caller]
    pub fn reshape(self, shape: impl IntoShape) -> Var {
        let mut given = shape.lengths();
        let ty = self.ty();
        if let Some(open) = given.0.iter().position(|&n| n == -1) {
            let others = given.0.iter().enumerate().filter(|(i, _)| *i != open);
            let known = others
                .map(|(_, &n)| usize::try_from(n).ok())
                .try_fold(1, |size: usize, n| size.checked_mul(n?));
            let left = known.filter(|&n| n > 0 && ty.size().is_multiple_of(n));
            match left {
                Some(n) => given.0[open] = (ty.size() / n) as i64,
                None => {
                    let message = format!("{ty} cannot take the shape {:?}", given.0);
                    let hint = match given.0.iter().filter(|&&n| n == -1).count() {
                        1 => format!(
                            "no length in the place of -1 makes {} of it",
                            counted(ty.size(), "element", "elements")
                        ),
                        _ => "one length may be left open, as -1".into(),
                    };
                    refuse("reshape", &[self], TypeError::new(message).hint(hint));
                }
            }
        }
        let dims = lengths("reshape", &[self], ty.dtype, &given);
        layout::reshape(self, &dims)
    }

    /// All elements in row-major order along one axis: `numpy.ravel`.
    #[track_caller]
    pub fn flatten(self) -> Var {
        layout::reshape(self, &[self.ty().size()])
    }

    /// [`Var::flatten`] by its name in NumPy.
    #[track_caller]
    pub fn ravel(self) -> Var {
        self.flatten()
    }

    /// The array with its axes permuted: axis `i` of the result is axis `order[i]`: `numpy.transpose`.
    #[track_caller]
    pub fn transpose(self, order: impl Into<Ints>) -> Var {
        let order = axes_in_order("transpose", self, &order.into());
        layout::transpose(self, &order)
    }

    /// The array with its axes in reverse order, the transpose of a matrix: `x.T` of NumPy.
    #[track_caller]
    pub fn t(self) -> Var {
        let order: Vec<usize> = (0..self.rank()).rev().collect();
        layout::transpose(self, &order)
    }

    /// The array with two axes swapped: `numpy.swapaxes`.
    #[doc(alias = "swapaxes")]
    #[track_caller]
    pub fn swap_axes(self, a: impl Into<Axis>, b: impl Into<Axis>) -> Var {
        let mut order = all_axes(self);
        order.swap(
            axis("swap_axes", self, a.into()),
            axis("swap_axes", self, b.into()),
        );
        layout::transpose(self, &order)
    }

    /// The array with axis `from` moved to position `to`, or several to several; the others keep their order:
    /// `numpy.moveaxis`.
    ///
    /// # Errors
    /// If the number of axes differs from the number of positions.
    #[doc(alias = "moveaxis")]
    #[track_caller]
    pub fn move_axis(self, from: impl Into<Ints>, to: impl Into<Ints>) -> Var {
        let (from, to) = (from.into(), to.into());
        if from.0.len() != to.0.len() {
            let message = format!("axes {:?} of {} as axes {:?}", from.0, self.ty(), to.0);
            refuse("move_axis", &[self], TypeError::new(message));
        }
        let mut moved = axes_in_order("move_axis", self, &from).into_iter();
        let places = axes_in_order("move_axis", self, &to);
        for given in [from, to] {
            axes("move_axis", self, given);
        }
        let mut pairs: Vec<(usize, usize)> = places.into_iter().zip(&mut moved).collect();
        let mut order = all_axes(self);
        order.retain(|a| pairs.iter().all(|(_, from)| from != a));
        pairs.sort_unstable();
        for (to, from) in pairs {
            order.insert(to, from);
        }
        layout::transpose(self, &order)
    }

    /// The array repeated along new first axes and axes of length 1, to the given lengths: `numpy.broadcast_to`.
    #[track_caller]
    pub fn broadcast_to(self, shape: impl IntoShape) -> Var {
        let dims = lengths("broadcast_to", &[self], self.dtype(), &shape.lengths());
        spread("broadcast_to", self, &dims)
    }

    /// The array with a new axis of length 1 that is axis `at` of the result, or with several:
    /// `numpy.expand_dims`.
    #[track_caller]
    pub fn expand_dims(self, at: impl Into<Ints>) -> Var {
        let at = at.into();
        let rank = self.rank() + at.0.len();
        let mut new = vec![false; rank];
        for &a in &at.0 {
            let a = axis_of_rank("expand_dims", self, Axis(a), rank);
            if std::mem::replace(&mut new[a], true) {
                let message = format!("an axis is named twice in {:?}", at.0);
                refuse("expand_dims", &[self], TypeError::new(message));
            }
        }
        let mut shape = self.ty().shape;
        let mut axes = Vec::with_capacity(shape.rank());
        for (a, new) in new.into_iter().enumerate() {
            match new {
                true => shape.0.insert(a, Dim::N(1)),
                false => axes.push(a),
            }
        }
        layout::broadcast(self, &shape, &axes)
    }

    /// The array with at least one axis: `numpy.atleast_1d`.
    #[track_caller]
    pub fn atleast_1d(self) -> Var {
        match self.rank() {
            0 => self.expand_dims(0),
            _ => self,
        }
    }

    /// The array with at least two axes; a vector becomes a row: `numpy.atleast_2d`.
    #[track_caller]
    pub fn atleast_2d(self) -> Var {
        match self.rank() {
            0 | 1 => self.atleast_1d().expand_dims(0),
            _ => self,
        }
    }

    /// The array with at least three axes; a vector of length `n` becomes `[1, n, 1]`, a matrix gets a last axis of
    /// length 1: `numpy.atleast_3d`.
    #[track_caller]
    pub fn atleast_3d(self) -> Var {
        match self.rank() {
            0..=2 => self.atleast_2d().expand_dims(2),
            _ => self,
        }
    }

    /// The array without its axes of length 1: `numpy.squeeze`.
    #[track_caller]
    pub fn squeeze(self) -> Var {
        let dims: Vec<usize> = self.shape().into_iter().filter(|&n| n != 1).collect();
        layout::reshape(self, &dims)
    }

    /// The array without the given axes, which must have length 1: `numpy.squeeze`.
    #[track_caller]
    pub fn squeeze_axis(self, which: impl Into<Ints>) -> Var {
        let gone = axes("squeeze", self, which.into());
        let mut dims = self.shape();
        for &a in gone.iter().rev() {
            if dims[a] != 1 {
                let message = format!("axis {a} of {} has not length 1", self.ty());
                refuse("squeeze", &[self], TypeError::new(message));
            }
            dims.remove(a);
        }
        layout::reshape(self, &dims)
    }
}
