//! Rearranging arrays: flipping, rolling, repeating, padding, splitting.

use std::panic::Location;

use crate::error::{TypeError, counted};
use crate::ir::{DType, Type};
use crate::ops::{elementwise, index, iota, layout};
use crate::trace::array::{Over, axes_in_order, axis, counts, entry, lengths, refuse, spread};
use crate::trace::{Along, Axis, IntoVar, Ints, Var, Widths, asked_at};

/// What to put around an array that is padded: see [`Var::pad_by`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Padding {
    /// The first or the last element: `a a | a b c | c c`; `mode="edge"` of NumPy.
    Edge,
    /// The array mirrored at its end elements: `c b | a b c | b a`; `mode="reflect"`.
    Reflect,
    /// The array mirrored at its ends: `b a | a b c | c b`; `mode="symmetric"`.
    Symmetric,
    /// The array repeated: `b c | a b c | a b`; `mode="wrap"`.
    Wrap,
}

/// # Arranging
///
/// These move and repeat elements of any type. Each is linear: the derivative is the same operation on
/// the tangent, and the cotangents of repeated elements are summed.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (x.flip(..), x.roll(1, 0), x.repeat(2, 0), x.tile([2]), x.pad(&[(1, 2)])));
/// let (flipped, rolled, repeated, tiled, padded) = f.call([1.0, 2.0])?;
/// assert_eq!(flipped.to_vec::<f64>()?, [2.0, 1.0]);
/// assert_eq!(rolled.to_vec::<f64>()?, [2.0, 1.0]);
/// assert_eq!(repeated.to_vec::<f64>()?, [1.0, 1.0, 2.0, 2.0]);
/// assert_eq!(tiled.to_vec::<f64>()?, [1.0, 2.0, 1.0, 2.0]);
/// assert_eq!(padded.to_vec::<f64>()?, [0.0, 1.0, 2.0, 0.0, 0.0]);
///
/// let turned = jit(|x: Var| x.rot90(1)).call([[1.0, 2.0, 3.0]])?;
/// assert_eq!((turned.shape(), turned.to_vec::<f64>()?), (&[3, 1][..], vec![3.0, 2.0, 1.0]));
/// let halves = jit(|x: Var| x.split(2, 0)).call([1.0, 2.0, 3.0, 4.0])?;
/// assert_eq!(halves[1].to_vec::<f64>()?, [3.0, 4.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// Reverses the order of the elements along the given axes, or along all with `..`: `numpy.flip`.
    #[track_caller]
    pub fn flip(self, which: impl Into<Along>) -> Var {
        layout::reverse(self, &Over::of("flip", self, which.into()).axes)
    }

    /// Shifts the elements by `by` places along an axis, or by several along several; elements that leave at one
    /// end come in at the other: `numpy.roll`.
    ///
    /// # Errors
    /// If the number of shifts differs from the number of axes.
    #[track_caller]
    pub fn roll(self, by: impl Into<Ints>, along: impl Into<Ints>) -> Var {
        let (by, along) = (by.into(), along.into());
        let axes = axes_in_order("roll", self, &along);
        if by.0.len() != axes.len() {
            let (n, m) = (by.0.len(), axes.len());
            refuse(
                "roll",
                &[self],
                TypeError::new(format!(
                    "{} for {}",
                    counted(n, "shift", "shifts"),
                    counted(m, "axis", "axes")
                )),
            );
        }
        let mut rolled = self;
        for (by, a) in by.0.into_iter().zip(axes) {
            let n = self.shape()[a];
            let split = match n {
                0 => 0,
                _ => (n as i64 - by.rem_euclid(n as i64)) as usize % n,
            };
            if split > 0 {
                let back = layout::slice_axis(rolled, a, split..n);
                let front = layout::slice_axis(rolled, a, 0..split);
                rolled = layout::concat(&[back, front], a);
            }
        }
        rolled
    }

    /// Rotates by `quarters` right angles in the plane of the first two axes, from the first towards
    /// the second: `numpy.rot90`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn rot90(self, quarters: i32) -> Var {
        if self.rank() < 2 {
            refuse(
                "rot90",
                &[self],
                TypeError::new(format!("{} is not a matrix", self.ty())),
            );
        }
        match quarters.rem_euclid(4) {
            0 => self,
            1 => self.flip(1).swap_axes(0, 1),
            2 => self.flip([0, 1]),
            _ => self.swap_axes(0, 1).flip(1),
        }
    }

    /// Repeats each element `n` times along an axis: `numpy.repeat`.
    #[track_caller]
    pub fn repeat(self, n: usize, along: impl Into<Axis>) -> Var {
        let a = axis("repeat", self, along.into());
        let mut dims = self.shape();
        dims[a] = dims[a].saturating_mul(n);
        let dims = lengths("repeat", &[self], self.dtype(), &dims.into());
        layout::reshape(layout::insert_axis(self, a + 1, n), &dims)
    }

    /// Repeats the whole array the given number of times along each axis, where missing first axes are added:
    /// `numpy.tile`.
    #[track_caller]
    pub fn tile(self, times: impl Into<Ints>) -> Var {
        let times = counts("tile", &[self], &times.into());
        let rank = times.len().max(self.rank());
        let dims = [&vec![1; rank - self.rank()], &self.shape()[..]].concat();
        let times = [&vec![1; rank - times.len()], &times[..]].concat();
        let product = |(n, t): (&usize, &usize)| n.saturating_mul(*t);
        let tiled: Vec<usize> = dims.iter().zip(&times).map(product).collect();
        let tiled = lengths("tile", &[self], self.dtype(), &tiled.into());
        // Each axis is placed after a new one that is repeated.
        let both = dims.iter().zip(&times).flat_map(|(n, t)| [*t, *n]);
        let apart: Vec<usize> = dims.iter().flat_map(|n| [1, *n]).collect();
        let x = layout::reshape(self, &apart);
        layout::reshape(layout::broadcast_to(x, &both.collect::<Vec<_>>()), &tiled)
    }

    /// Pads with zeros: `widths` gives the numbers before and after for each axis: `numpy.pad`.
    #[track_caller]
    pub fn pad(self, widths: impl Into<Widths>) -> Var {
        padded("pad", self, &widths.into().0)
    }

    /// Pads with a number: `numpy.pad(.., constant_values=value)`. Nothing is narrowed. Derivative:
    /// also to the number, the sum of the padding.
    #[track_caller]
    pub fn pad_with(self, widths: impl Into<Widths>, value: impl IntoVar) -> Var {
        let Widths(widths) = &widths.into();
        let value = entry("pad", self, value);
        let x = padded("pad", self, widths);
        let inside = Var::full(&self.ty().with_dtype(DType::Bool), 1.0);
        let inside = padded("pad", inside, widths);
        let value = spread("pad", value, &x.shape());
        elementwise::select(inside, x, value)
    }

    /// Pads with the array's own elements by one of the rules of [`Padding`]: `numpy.pad(.., mode)`.
    ///
    /// # Errors
    /// If an axis without elements is padded, since there is nothing to repeat.
    #[track_caller]
    pub fn pad_by(self, widths: impl Into<Widths>, rule: Padding) -> Var {
        let Widths(widths) = &widths.into();
        let ty = padded_type("pad", self, widths);
        asked_at(Location::caller(), || {
            let mut x = self;
            for (a, &(low, high)) in widths.iter().enumerate() {
                if low > 0 || high > 0 {
                    let n = self.shape()[a];
                    if n == 0 {
                        let message = format!("{} has no element along axis {a}", self.ty());
                        refuse("pad", &[self], TypeError::new(message));
                    }
                    let places = Type::new(DType::I64, &[ty.dims()[a]]);
                    let places = rule.source(iota::iota(places, 0) - low, n as i64);
                    x = index::gather(x, places, a, 0, index::Bounds::Clamp);
                }
            }
            x
        })
    }

    /// Splits into `parts` equal parts along an axis: `numpy.split`.
    ///
    /// # Errors
    /// If the length is not a multiple of `parts`: see [`Var::array_split`]. If there are more than 1,048,576
    /// parts: each is a value of the trace.
    #[track_caller]
    pub fn split(self, parts: usize, along: impl Into<Axis>) -> Vec<Var> {
        let a = axis("split", self, along.into());
        let n = self.shape()[a];
        refuse_many("split", self, parts);
        if parts == 0 || !n.is_multiple_of(parts) {
            let message = format!("{} has no {parts} equal parts along axis {a}", self.ty());
            let hint = "use `array_split` for parts that differ in length";
            refuse("split", &[self], TypeError::new(message).hint(hint));
        }
        pieces(self, a, (0..=parts).map(|i| i * (n / parts)))
    }

    /// Splits along an axis into the parts that begin at the given places, preceded by the part before the first
    /// place: `numpy.split` with a list.
    ///
    /// # Errors
    /// If the places do not ascend, or lie beyond the end.
    #[track_caller]
    pub fn split_at(self, places: &[usize], along: impl Into<Axis>) -> Vec<Var> {
        let a = axis("split", self, along.into());
        let n = self.shape()[a];
        if !places.is_sorted() || places.last().is_some_and(|&last| last > n) {
            let message = format!(
                "{places:?} are not ascending places along axis {a} of {}",
                self.ty()
            );
            refuse("split", &[self], TypeError::new(message));
        }
        pieces(
            self,
            a,
            [0].into_iter().chain(places.iter().copied()).chain([n]),
        )
    }

    /// Splits into `parts` parts along an axis; the first ones are longer by one if the length is not a multiple of
    /// `parts`: `numpy.array_split`.
    ///
    /// # Errors
    /// If there is no part, or there are more than 1,048,576: each is a value of the trace.
    #[track_caller]
    pub fn array_split(self, parts: usize, along: impl Into<Axis>) -> Vec<Var> {
        let a = axis("array_split", self, along.into());
        let n = self.shape()[a];
        if parts == 0 {
            refuse(
                "array_split",
                &[self],
                TypeError::new(format!("{} in no parts", self.ty())),
            );
        }
        refuse_many("array_split", self, parts);
        pieces(
            self,
            a,
            (0..=parts).map(|i| i * (n / parts) + i.min(n % parts)),
        )
    }
}

impl Padding {
    /// Returns which of `n` elements stands at a place, counted from the first element.
    fn source(self, place: Var, n: i64) -> Var {
        // `%` has the sign of the dividend.
        let modulo = |place: Var, n: i64| (place % n + n) % n;
        match self {
            Padding::Edge => place.maximum(0).minimum(n - 1),
            Padding::Wrap => modulo(place, n),
            Padding::Reflect => {
                let period = (2 * (n - 1)).max(1);
                let place = modulo(place, period);
                place.minimum(Var::scalar(period) - place)
            }
            Padding::Symmetric => {
                let place = modulo(place, 2 * n);
                place.minimum(Var::scalar(2 * n - 1) - place)
            }
        }
    }
}

/// Returns the type of an array with the given numbers of elements added before and after along each axis.
#[track_caller]
fn padded_type(op: &str, x: Var, widths: &[(usize, usize)]) -> Type {
    let ty = x.ty();
    if widths.len() != ty.rank() {
        let message = format!(
            "{} for the {} of {ty}",
            counted(widths.len(), "pair of widths", "pairs of widths"),
            counted(ty.rank(), "axis", "axes")
        );
        refuse(op, &[x], TypeError::new(message));
    }
    let long =
        |(n, (low, high)): (usize, &(usize, usize))| n.saturating_add(*low).saturating_add(*high);
    let dims: Vec<usize> = ty.dims().into_iter().zip(widths).map(long).collect();
    ty.with_dims(&lengths(op, &[x], ty.dtype, &dims.into()))
}

#[track_caller]
fn padded(op: &str, x: Var, widths: &[(usize, usize)]) -> Var {
    padded_type(op, x, widths);
    let (low, high): (Vec<usize>, Vec<usize>) = widths.iter().copied().unzip();
    layout::pad(x, &low, &high, &vec![0; low.len()])
}

/// The maximum number of parts: each is a `Var` of the caller's, even if it has no element.
const PARTS: usize = 1 << 20;

#[track_caller]
fn refuse_many(op: &str, x: Var, parts: usize) {
    if parts > PARTS {
        let message = format!("{} in {parts} parts, and at most {PARTS} are given", x.ty());
        let hint = "use `scan` or `vmap` for a part after the other of a long array";
        refuse(op, &[x], TypeError::new(message).hint(hint));
    }
}

/// Returns the slices between neighbouring places along an axis.
#[track_caller]
fn pieces(x: Var, a: usize, places: impl Iterator<Item = usize>) -> Vec<Var> {
    let places: Vec<usize> = places.collect();
    let mut parts = Vec::with_capacity(places.len());
    for ends in places.windows(2) {
        parts.push(layout::slice_axis(x, a, ends[0]..ends[1]));
    }
    parts
}
