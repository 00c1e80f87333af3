//! Shapes of arrays.

use super::{all_axes, axes, axes_in_order, axis, axis_of_rank, lengths, refuse, spread};
use crate::error::TypeError;
use crate::ops::layout;
use crate::trace::Var;
use crate::trace::span::{Axis, Ints};

/// # Shape
///
/// These move or repeat elements of any type. Each is linear: the derivative is the same operation
/// on the tangent, the transpose the one that undoes it.
///
/// ```
/// use wengert_ir::ir::{DType, Type};
/// use wengert_ir::trace::{Kind, closed};
///
/// let door = closed(Kind::Door, &[Type::new(DType::F64, &[3, 4])], |x| {
///     vec![x[0].t(), x[0].reshape([2, -1]), x[0].expand_dims(0), x[0].pad(&[(1, 1), (0, 2)])]
/// });
/// let types: Vec<String> = door.func.result_types().iter().map(Type::to_string).collect();
/// assert_eq!(types, ["f64[4,3]", "f64[2,6]", "f64[1,3,4]", "f64[5,6]"]);
/// ```
impl Var {
    /// The same elements in row-major order in another shape of as many: `numpy.reshape`. One length
    /// may be -1: what is left.
    #[track_caller]
    pub fn reshape(self, dims: impl Into<Ints>) -> Var {
        let mut given = dims.into();
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
                    refuse("reshape", &[self], TypeError::new(message));
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

    /// Axes in another order: axis `i` of the result is axis `order[i]`: `numpy.transpose`.
    #[track_caller]
    pub fn transpose(self, order: impl Into<Ints>) -> Var {
        let order = axes_in_order("transpose", self, &order.into());
        layout::transpose(self, &order)
    }

    /// Axes in opposite order, the transpose of a matrix: `x.T` of NumPy.
    #[track_caller]
    pub fn t(self) -> Var {
        let order: Vec<usize> = (0..self.rank()).rev().collect();
        layout::transpose(self, &order)
    }

    /// Two axes in each other's place: `numpy.swapaxes`.
    #[track_caller]
    pub fn swap_axes(self, a: impl Into<Axis>, b: impl Into<Axis>) -> Var {
        let mut order = all_axes(self);
        order.swap(
            axis("swap_axes", self, a.into()),
            axis("swap_axes", self, b.into()),
        );
        layout::transpose(self, &order)
    }

    /// Axis `from` as axis `to`; the others keep their order: `numpy.moveaxis`.
    #[track_caller]
    pub fn move_axis(self, from: impl Into<Axis>, to: impl Into<Axis>) -> Var {
        let from = axis("move_axis", self, from.into());
        let to = axis("move_axis", self, to.into());
        layout::move_axis(self, from, to)
    }

    /// Repeated along new first axes and axes of length 1, to those lengths: `numpy.broadcast_to`.
    #[track_caller]
    pub fn broadcast_to(self, dims: impl Into<Ints>) -> Var {
        let dims = lengths("broadcast_to", &[self], self.dtype(), &dims.into());
        spread("broadcast_to", self, &dims)
    }

    /// With a new axis of length 1 that is axis `at` of the result: `numpy.expand_dims`.
    #[track_caller]
    pub fn expand_dims(self, at: impl Into<Axis>) -> Var {
        let at = axis_of_rank("expand_dims", self, at.into(), self.rank() + 1);
        layout::insert_axis(self, at, 1)
    }

    /// Without the axes of length 1: `numpy.squeeze`.
    #[track_caller]
    pub fn squeeze(self) -> Var {
        let dims: Vec<usize> = self.shape().into_iter().filter(|&n| n != 1).collect();
        layout::reshape(self, &dims)
    }

    /// Without those axes, which have length 1: `numpy.squeeze`.
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

    /// In opposite order along those axes: `numpy.flip`.
    #[track_caller]
    pub fn flip(self, which: impl Into<Ints>) -> Var {
        layout::reverse(self, &axes("flip", self, which.into()))
    }

    /// Moved by `by` places along an axis, what leaves at one end coming in at the other:
    /// `numpy.roll`.
    #[track_caller]
    pub fn roll(self, by: isize, along: impl Into<Axis>) -> Var {
        let a = axis("roll", self, along.into());
        let n = self.shape()[a];
        if n == 0 {
            return self;
        }
        let split = n - by.rem_euclid(n as isize) as usize;
        if split == n {
            return self;
        }
        let back = layout::slice_axis(self, a, split..n);
        let front = layout::slice_axis(self, a, 0..split);
        layout::concat(&[back, front], a)
    }

    /// With zeros around: `widths` says for each axis how many in front and behind: `numpy.pad`.
    #[track_caller]
    pub fn pad(self, widths: &[(usize, usize)]) -> Var {
        let (low, high): (Vec<usize>, Vec<usize>) = widths.iter().copied().unzip();
        if low.len() != self.rank() {
            let message = format!("{} pairs of widths for {}", low.len(), self.ty());
            refuse("pad", &[self], TypeError::new(message));
        }
        layout::pad(self, &low, &high, &vec![0; low.len()])
    }
}
