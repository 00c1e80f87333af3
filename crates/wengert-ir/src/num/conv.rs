//! Convolutions with channels, and windows.

mod transposed;

use std::panic::Location;

use crate::error::{TypeError, counted};
use crate::num::Overlap;
use crate::ops::conv::{self, Axis};
use crate::ops::{elementwise, layout};
use crate::trace::array::{floats, numbers, promoted, refuse};
use crate::trace::{Ints, Var, Widths, asked_at};

/// Which zeros are put around an input.
#[derive(Clone, PartialEq, Debug, Default)]
enum Around {
    #[default]
    None,
    /// So many that the result has the length of the input, divided by the stride and rounded up.
    Same,
    /// So many before and after each axis; a negative number cuts off.
    By(Vec<(i64, i64)>),
}

/// A convolution with channels, as in neural networks: `jax.lax.conv_general_dilated`.
///
/// The input is `[examples, channels, ..]`, the kernel `[kernels, channels, ..]` and the result
/// `[examples, kernels, ..]`, with any number of axes along which the kernel moves. It is not reversed. Without more the
/// stride is 1 and no zeros are added.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::Conv;
///
/// // The difference of neighbours, of one channel.
/// let f = jit(|(x, w): (Var, Var)| (Conv::new().of(x, w), Conv::new().same().stride(2).of(x, w)));
/// let (all, every_other) = f.call(([[[1.0, 3.0, 6.0, 10.0]]], [[[-1.0, 1.0]]]))?;
/// assert_eq!(all.to_vec::<f64>()?, [2.0, 3.0, 4.0]);
/// assert_eq!(every_other.to_vec::<f64>()?, [2.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Conv {
    stride: Option<Ints>,
    around: Around,
    spread: Option<Ints>,
    dilation: Option<Ints>,
    groups: Option<usize>,
}

/// # Convolutions with channels
///
/// `conv` is a [`Conv`] with the parameters.
impl Conv {
    /// A convolution with stride 1 that adds no zeros.
    pub fn new() -> Conv {
        Conv::default()
    }

    /// The kernel moves by so many elements, along all axes or along each.
    pub fn stride(self, stride: impl Into<Ints>) -> Conv {
        let stride = Some(stride.into());
        Conv { stride, ..self }
    }

    /// So many zeros before and after the input, along all axes or along each.
    pub fn pad(self, widths: impl Into<Widths>) -> Conv {
        let widths = widths.into().0.into_iter();
        let around = Around::By(widths.map(|(a, b)| (a as i64, b as i64)).collect());
        Conv { around, ..self }
    }

    /// As many zeros around the input as give the result the input's lengths, divided by the stride and rounded up.
    pub fn same(self) -> Conv {
        let around = Around::Same;
        Conv { around, ..self }
    }

    /// The elements of the kernel meet elements of the input that are so far apart: `rhs_dilation`.
    pub fn dilation(self, dilation: impl Into<Ints>) -> Conv {
        let dilation = Some(dilation.into());
        Conv { dilation, ..self }
    }

    /// The elements of the input are so far apart, with zeros between them: `lhs_dilation`.
    pub fn input_dilation(self, spread: impl Into<Ints>) -> Conv {
        let spread = Some(spread.into());
        Conv { spread, ..self }
    }

    /// The channels are in so many groups, each with kernels of its own: `feature_group_count`.
    pub fn groups(self, groups: usize) -> Conv {
        let groups = Some(groups);
        Conv { groups, ..self }
    }

    /// The convolution of an input with a kernel: `jax.lax.conv_general_dilated`. Derivative: the convolution of the
    /// tangent of either with the other.
    ///
    /// # Errors
    /// If the numbers of axes, channels or groups do not fit, a stride or a dilation is not positive, or a kernel has no
    /// elements.
    #[track_caller]
    pub fn of(&self, x: Var, w: Var) -> Var {
        let (x, w, axes) = self.checked("conv", x, w);
        let groups = self.groups.unwrap_or(1);
        asked_at(Location::caller(), || self.grouped(x, w, &axes, groups))
    }

    fn grouped(&self, x: Var, w: Var, axes: &[Axis], groups: usize) -> Var {
        // `[n, g c, ..]` to `[g, n, c, ..]`, and `[g o, c, ..]` to `[g, o, c, ..]`.
        let parts = |x: Var, at: usize| {
            let mut dims = x.shape();
            let each = dims[at].checked_div(groups).unwrap_or(0);
            dims.splice(at..=at, [groups, each]);
            layout::move_axis(layout::reshape(x, &dims), at, 0)
        };
        let y = layout::move_axis(conv::conv(parts(x, 1), parts(w, 0), axes), 0, 1);
        let mut dims = y.shape();
        let each = dims.remove(2);
        dims[1] *= each;
        layout::reshape(y, &dims)
    }

    /// The operands with one element type, and what happens along each axis.
    #[track_caller]
    fn checked(&self, op: &str, x: Var, w: Var) -> (Var, Var, Vec<Axis>) {
        let both = promoted(op, &[x, w]);
        let (x, w) = (both[0], both[1]);
        numbers(op, x);
        let (dx, dw) = (x.shape(), w.shape());
        if dx.len() < 2 || dx.len() != dw.len() {
            let message = format!(
                "{} and {} are not an input and a kernel with channels and the same axes",
                x.ty(),
                w.ty()
            );
            refuse(op, &both, TypeError::new(message));
        }
        let groups = self.groups.unwrap_or(1);
        if groups == 0 || dx[1] != groups * dw[1] || dw[0] % groups != 0 {
            let groups = counted(groups, "group", "groups");
            let message = format!(
                "{} channels and {} kernels of {} channels do not make {groups}",
                dx[1], dw[0], dw[1]
            );
            refuse(op, &both, TypeError::new(message));
        }
        let rank = dx.len() - 2;
        let stride = each(op, "stride", &both, &self.stride, rank);
        let spread = each(op, "dilation of the input", &both, &self.spread, rank);
        let dilation = each(op, "dilation", &both, &self.dilation, rank);
        let widths = match &self.around {
            Around::None | Around::Same => vec![(0, 0); rank],
            Around::By(one) if one.len() == 1 => vec![one[0]; rank],
            Around::By(all) if all.len() == rank => all.clone(),
            Around::By(all) => {
                let message = format!("the padding {all:?} for {}", counted(rank, "axis", "axes"));
                refuse(op, &both, TypeError::new(message));
            }
        };
        let mut axes = Vec::with_capacity(rank);
        for i in 0..rank {
            let (n, k) = (dx[2 + i], dw[2 + i]);
            if k == 0 {
                let message = format!("{} has no element", w.ty());
                refuse(op, &both, TypeError::new(message));
            }
            let mut axis = Axis {
                stride: stride[i],
                pad: widths[i],
                spread: spread[i],
                dilation: dilation[i],
            };
            if self.around == Around::Same {
                axis.pad = same(&axis, n, k);
            }
            axes.push(axis);
        }
        (x, w, axes)
    }
}

/// The zeros that keep the length of the input, divided by the stride and rounded up.
fn same(axis: &Axis, n: usize, k: usize) -> (i64, i64) {
    let n = n.saturating_sub(1) * axis.spread + usize::from(n > 0);
    let reach = (k - 1) * axis.dilation + 1;
    let places = n.div_ceil(axis.stride);
    let need = (places.saturating_sub(1) * axis.stride + reach).saturating_sub(n);
    ((need / 2) as i64, (need - need / 2) as i64)
}

/// A positive number for each axis: the one that is given for all, or each.
#[track_caller]
fn each(op: &str, what: &str, operands: &[Var], given: &Option<Ints>, rank: usize) -> Vec<usize> {
    let Some(given) = given else {
        return vec![1; rank];
    };
    let positive: Option<Vec<usize>> = (given.0.iter())
        .map(|&n| usize::try_from(n).ok().filter(|n| *n > 0))
        .collect();
    match positive {
        Some(all) if all.len() == rank => all,
        Some(one) if one.len() == 1 => vec![one[0]; rank],
        _ => {
            let message = format!(
                "the {what} {:?} for {}",
                given.0,
                counted(rank, "axis", "axes")
            );
            refuse(op, operands, TypeError::new(message))
        }
    }
}

/// Windows that move along the last axes of an array, and what is computed of each: pooling.
///
/// ```
/// use wengert::prelude::*;
/// use wengert::Window;
///
/// let f = jit(|x: Var| (Window::new(2).max(x), Window::new(2).stride(2).mean(x)));
/// let (largest, means) = f.call([1.0, 3.0, 2.0, 6.0])?;
/// assert_eq!(largest.to_vec::<f64>()?, [3.0, 3.0, 6.0]);
/// assert_eq!(means.to_vec::<f64>()?, [2.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    size: Ints,
    stride: Option<Ints>,
    dilation: Option<Ints>,
    around: Around,
}

/// # Windows
///
/// `window` is a [`Window`] with the parameters.
impl Window {
    /// Windows of these lengths along as many last axes, which move by one element.
    pub fn new(size: impl Into<Ints>) -> Window {
        Window {
            size: size.into(),
            stride: None,
            dilation: None,
            around: Around::None,
        }
    }

    /// Windows move by so many elements, along all axes or along each.
    pub fn stride(self, stride: impl Into<Ints>) -> Window {
        let stride = Some(stride.into());
        Window { stride, ..self }
    }

    /// The elements of a window are so far apart, along all axes or along each.
    pub fn dilation(self, dilation: impl Into<Ints>) -> Window {
        let dilation = Some(dilation.into());
        Window { dilation, ..self }
    }

    /// So many elements are added before and after, along all axes or along each: zeros, or for extremes what is beyond
    /// any number.
    pub fn pad(self, widths: impl Into<Widths>) -> Window {
        let widths = widths.into().0.into_iter();
        let around = Around::By(widths.map(|(a, b)| (a as i64, b as i64)).collect());
        Window { around, ..self }
    }

    /// As many elements are added as give the result the lengths of the array, divided by the stride and rounded up.
    pub fn same(self) -> Window {
        let around = Around::Same;
        Window { around, ..self }
    }

    /// The largest element of each window, NaN if there is one: `jax.lax.reduce_window(x, -inf, lax.max, ..)`.
    /// Derivative: to the largest, and to the first of equal ones.
    ///
    /// # Errors
    /// If the windows do not fit, or have no element.
    #[track_caller]
    pub fn max(&self, x: Var) -> Var {
        floats("max", x);
        self.reduced("max", x, f64::NEG_INFINITY, |a, b| {
            (a.ge(b) | a.is_nan()).select(a, b)
        })
    }

    /// The smallest element of each window, NaN if there is one: `jax.lax.reduce_window(x, inf, lax.min, ..)`.
    /// Derivative: to the smallest, and to the first of equal ones.
    ///
    /// # Errors
    /// As [`Window::max`].
    #[track_caller]
    pub fn min(&self, x: Var) -> Var {
        floats("min", x);
        self.reduced("min", x, f64::INFINITY, |a, b| {
            (a.le(b) | a.is_nan()).select(a, b)
        })
    }

    /// The sum of each window: `jax.lax.reduce_window(x, 0, lax.add, ..)`. Derivative: the sums of the tangent.
    ///
    /// # Errors
    /// As [`Window::max`].
    #[track_caller]
    pub fn sum(&self, x: Var) -> Var {
        numbers("sum", x);
        self.reduced("sum", x, 0.0, elementwise::add)
    }

    /// The mean of each window, where added zeros count: `torch.nn.functional.avg_pool2d`. Derivative: the means of the
    /// tangent.
    ///
    /// # Errors
    /// As [`Window::max`].
    #[track_caller]
    pub fn mean(&self, x: Var) -> Var {
        floats("mean", x);
        let count: f64 = self.size.0.iter().map(|n| *n as f64).product();
        self.reduced("mean", x, 0.0, elementwise::add) / count
    }

    #[track_caller]
    fn reduced(&self, op: &str, x: Var, none: f64, join: fn(Var, Var) -> Var) -> Var {
        let rank = self.size.0.len();
        let dims = x.shape();
        if rank > dims.len() {
            let rank = counted(rank, "axis", "axes");
            let message = format!("windows along {rank} of {}", x.ty());
            refuse(op, &[x], TypeError::new(message));
        }
        let first = dims.len() - rank;
        let size = each(op, "lengths", &[x], &Some(self.size.clone()), rank);
        let stride = each(op, "stride", &[x], &self.stride, rank);
        let dilation = each(op, "dilation", &[x], &self.dilation, rank);
        let widths = match &self.around {
            Around::None | Around::Same => vec![(0, 0); rank],
            Around::By(one) if one.len() == 1 => vec![one[0]; rank],
            Around::By(all) if all.len() == rank => all.clone(),
            Around::By(all) => {
                let message = format!("the padding {all:?} for {}", counted(rank, "axis", "axes"));
                refuse(op, &[x], TypeError::new(message));
            }
        };
        let axes = (0..rank).map(|i| {
            let mut axis = Axis {
                stride: stride[i],
                pad: widths[i],
                spread: 1,
                dilation: dilation[i],
            };
            if self.around == Around::Same {
                axis.pad = same(&axis, dims[first + i], size[i]);
            }
            axis
        });
        let axes: Vec<Axis> = axes.collect();
        asked_at(Location::caller(), || {
            // The last axis first, so that the first of equal elements comes first in rows, too.
            (0..rank)
                .rev()
                .fold(x, |x, i| along(x, first + i, &axes[i], size[i], none, join))
        })
    }
}

/// Windows along one axis. Of long ones, windows of twice the length are made of two, again and again.
fn along(x: Var, at: usize, axis: &Axis, size: usize, none: f64, join: fn(Var, Var) -> Var) -> Var {
    let dims = x.shape();
    let places = axis.places(dims[at], size);
    if places == 0 {
        let mut dims = dims;
        dims[at] = 0;
        return Var::zeros(&x.ty().with_dims(&dims));
    }
    let x = filled(x, at, (axis.pad.0 as usize, axis.pad.1 as usize), none);
    let n = x.shape()[at];
    let apart = axis.dilation;
    // Of each position from which `length` elements fit, what they join to.
    let (mut whole, mut length) = (x, 1);
    let mut done: Option<(Var, usize)> = None;
    let mut rest = size;
    loop {
        if rest & 1 == 1 {
            done = Some(match done {
                None => (whole, length),
                // What is done comes before it.
                Some((before, m)) => {
                    let count = n - (m + length - 1) * apart;
                    let a = layout::slice_axis(before, at, 0..count);
                    let b = layout::slice_axis(whole, at, m * apart..m * apart + count);
                    (join(a, b), m + length)
                }
            });
        }
        rest >>= 1;
        if rest == 0 {
            break;
        }
        let count = n - (2 * length - 1) * apart;
        let a = layout::slice_axis(whole, at, 0..count);
        let b = layout::slice_axis(whole, at, length * apart..length * apart + count);
        (whole, length) = (join(a, b), 2 * length);
    }
    let all = done.expect("a window has an element").0;
    let mut limit = all.shape();
    let (start, mut step) = (vec![0; limit.len()], vec![1; limit.len()]);
    limit[at] = (places - 1) * axis.stride + 1;
    step[at] = axis.stride;
    layout::slice(all, &start, &limit, &step)
}

/// Puts a number before and after an array.
fn filled(x: Var, at: usize, (low, high): (usize, usize), number: f64) -> Var {
    let part = |n: usize| {
        let mut dims = x.shape();
        dims[at] = n;
        Var::full(&x.ty().with_dims(&dims), number)
    };
    if low == 0 && high == 0 {
        return x;
    }
    let parts: Vec<Var> = match (low, high) {
        (0, n) => vec![x, part(n)],
        (n, 0) => vec![part(n), x],
        (m, n) => vec![part(m), x, part(n)],
    };
    layout::concat(&parts, at)
}

/// # Convolutions of matrices
///
/// These take numbers; element types are promoted.
impl Var {
    /// The cross-correlation of two matrices, `Σ x[i + k] w[k]`: `scipy.signal.correlate2d` with zeros around.
    /// Derivative: as [`Var::convolve2d`].
    ///
    /// # Errors
    /// As [`Var::convolve2d`].
    #[track_caller]
    pub fn correlate2d(self, other: Var, part: Overlap) -> Var {
        matrices("correlate2d", self, other);
        planes("correlate2d", self, other, part, |k| k / 2)
    }

    /// The convolution of two matrices: `scipy.signal.convolve2d` with zeros around.
    /// [`Overlap::Same`] is the middle as large as `self`. Derivative: the convolution of the
    /// tangent of either with the other.
    ///
    /// # Errors
    /// If an operand is not a matrix or has no element, or for [`Overlap::Valid`] if neither lies
    /// inside the other.
    #[track_caller]
    pub fn convolve2d(self, other: Var, part: Overlap) -> Var {
        matrices("convolve2d", self, other);
        planes(
            "convolve2d",
            self,
            layout::reverse(other, &[0, 1]),
            part,
            |k| (k - 1) / 2,
        )
    }
}

#[track_caller]
fn matrices(op: &str, x: Var, w: Var) {
    let whole = |x: Var| x.rank() == 2 && !x.shape().contains(&0);
    if !whole(x) || !whole(w) {
        let message = format!("{} and {} are not matrices with elements", x.ty(), w.ty());
        refuse(op, &[x, w], TypeError::new(message));
    }
}

/// The correlation of two matrices. `middle` is the first place, of all, of the part that is as large as the first one.
#[track_caller]
fn planes(op: &str, x: Var, w: Var, part: Overlap, middle: fn(i64) -> i64) -> Var {
    let both = promoted(op, &[x, w]);
    numbers(op, both[0]);
    let (mut x, mut w) = (both[0], both[1]);
    let inside = |a: Var, b: Var| a.shape().iter().zip(b.shape()).all(|(n, m)| *n >= m);
    let turned = part == Overlap::Valid && !inside(x, w);
    if turned {
        if !inside(w, x) {
            let message = "neither matrix lies inside the other";
            refuse(op, &both, TypeError::new(message));
        }
        // The sum is the same with the smaller one moving, and its places in the other order.
        (x, w) = (layout::reverse(w, &[0, 1]), layout::reverse(x, &[0, 1]));
    }
    asked_at(Location::caller(), || {
        let axes: Vec<Axis> = (0..2)
            .map(|i| {
                let k = w.shape()[i] as i64;
                // The full correlation starts with the last element of the kernel.
                let pad = match part {
                    Overlap::Full => (k - 1, k - 1),
                    Overlap::Same => (k - 1 - middle(k), middle(k)),
                    Overlap::Valid => (0, 0),
                };
                Axis {
                    stride: 1,
                    pad,
                    spread: 1,
                    dilation: 1,
                }
            })
            .collect();
        let front = |x: Var| layout::reshape(x, &[&[1, 1, 1], &x.shape()[..]].concat());
        let y = conv::conv(front(x), front(w), &axes);
        layout::reshape(y, &y.shape()[3..])
    })
}
