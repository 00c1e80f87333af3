//! Sums of arrays that are zero but for parts of them. The cotangents of slices are such arrays, so that the cotangent
//! of an array that is read part by part is put together from its parts and never added up at full length.

use std::ops::Range;

use super::{Layout, concat, pad};
use crate::ir::Dim;
use crate::ops::elementwise::{self, Elementwise};
use crate::ops::rows::row;
use crate::ops::{Op, cotangent};
use crate::trace::{Var, definition};

/// Most parts of a concatenation that a sum makes: it is recorded anew for each part that is added.
const PARTS: usize = 128;

/// Size up to which an array is put together of any parts. A larger one is put together of small parts alone: a few large
/// ones are padded and added where they are read, and then never stored.
const SMALL: usize = 64;

/// Whether a part may be added to another one, or only take the place of zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Onto {
    Anything,
    Zeros,
}

/// Returns `x + y` as a concatenation of their parts, if both are zeros but for parts along one axis.
pub fn sum_of_parts(x: Var, y: Var) -> Option<Var> {
    merged(x, y, Onto::Anything)
        .or_else(|| merged(y, x, Onto::Anything))
        .or_else(|| joined(x, y))
        .or_else(|| joined(y, x))
}

/// `(d + x) + y = d + (x + y)`, where `x` is zero wherever `y` is not: no element has more than one sum.
fn joined(sum: Var, y: Var) -> Option<Var> {
    const ADD: Elementwise = row("add");
    let (op, inputs) = definition(sum)?;
    if op != Op::Elementwise(ADD) {
        return None;
    }
    let [d, x] = inputs[..] else { return None };
    Some(elementwise::add(d, merged(x, y, Onto::Zeros)?))
}

/// Puts `y`, a padded array, into the parts of `x`.
fn merged(x: Var, y: Var, onto: Onto) -> Option<Var> {
    let padded = Padded::of(y)?;
    let size = y.ty().size();
    if size > SMALL && padded.x.ty().size() * 8 > size {
        return None;
    }
    let axes = 0..padded.low.len();
    axes.filter(|&a| padded.is_window(a))
        .find_map(|axis| padded.placed_in(parts(x, axis)?, axis, onto))
}

/// The parts of an array along an axis, if it is a concatenation along it, or zeros before and after an array.
fn parts(x: Var, axis: usize) -> Option<Vec<Var>> {
    if let Some(padded) = Padded::of(x) {
        return (padded.is_window(axis)).then(|| {
            let inner = padded.without(axis);
            let (low, high) = (padded.low[axis], padded.high[axis]);
            let around = |n| (n > 0).then(|| zeros(inner, axis, n));
            let all = [around(low), Some(inner), around(high)];
            all.into_iter().flatten().collect()
        });
    }
    match definition(x)? {
        (Op::Layout(Layout::Concat { axis: along }), parts) if along == axis => Some(parts),
        _ => None,
    }
}

/// Zeros like `x`, but of length `n` along an axis.
fn zeros(x: Var, axis: usize, n: usize) -> Var {
    let mut ty = x.ty();
    ty.shape.0[axis] = Dim::N(n);
    Var::zeros(&ty)
}

/// An array that an operation pads with zeros.
pub struct Padded {
    /// The array.
    pub x: Var,
    /// The number of zeros before it, for each axis.
    pub low: Vec<usize>,
    /// The number of zeros behind it.
    pub high: Vec<usize>,
    /// The number of zeros between its elements.
    pub interior: Vec<usize>,
}

impl Padded {
    /// Returns what `y` pads, if it is defined so.
    pub fn of(y: Var) -> Option<Padded> {
        match definition(y)? {
            (
                Op::Layout(Layout::Pad {
                    low,
                    high,
                    interior,
                }),
                inputs,
            ) => Some(Padded {
                x: inputs[0],
                low,
                high,
                interior,
            }),
            _ => None,
        }
    }

    /// Returns whether there are zeros before or after the array along an axis, and none in it.
    fn is_window(&self, axis: usize) -> bool {
        self.interior[axis] == 0 && self.low[axis] + self.high[axis] > 0
    }

    /// The array, padded along all axes but this one.
    fn without(&self, axis: usize) -> Var {
        let but = |of: &[usize]| {
            let mut of = of.to_vec();
            of[axis] = 0;
            of
        };
        pad(self.x, &but(&self.low), &but(&self.high), &self.interior)
    }

    /// The places of the array along an axis.
    fn range(&self, axis: usize) -> Range<usize> {
        let low = self.low[axis];
        low..low + self.x.ty().dims()[axis]
    }

    /// Puts the array into the part of a concatenation that has its places.
    fn placed_in(&self, mut parts: Vec<Var>, axis: usize, onto: Onto) -> Option<Var> {
        let range = self.range(axis);
        let mut first = 0;
        let (i, place) = parts.iter().enumerate().find_map(|(i, part)| {
            let place = first..first + part.ty().dims()[axis];
            first = place.end;
            (place.start <= range.start && range.end <= place.end).then_some((i, place))
        })?;
        let (before, behind) = (range.start - place.start, place.end - range.end);
        let part = parts[i];
        if part.as_literal().is_some_and(|l| l.bits == 0) {
            let inner = self.without(axis);
            let around = |n| (n > 0).then(|| zeros(inner, axis, n));
            let new = [around(before), Some(inner), around(behind)];
            parts.splice(i..=i, new.into_iter().flatten());
        } else if onto == Onto::Anything {
            let around = |n| {
                let mut all = vec![0; self.low.len()];
                all[axis] = n;
                all
            };
            let none = around(0);
            let inner = pad(self.without(axis), &around(before), &around(behind), &none);
            parts[i] = cotangent::sum(part, inner);
        } else {
            return None;
        }
        (parts.len() <= PARTS).then(|| concat(&parts, axis))
    }
}
