//! Cosine and sine transforms of real numbers, of types 1 to 4.

use std::f64::consts::{PI, SQRT_2};
use std::panic::Location;

use wengert_ir::ops::{fft as record, layout};
use wengert_ir::trace::{Axis, Var, asked_at};

use super::Norm;
use super::transform::{from_end, to_end};
use crate::complex::{floats, refuse};

/// The cosine transform of a type, 1 to 4, along the last axis: `scipy.fft.dct`. Type 2, the usual one, is
/// `2 Σ x_j cos(πk(2j + 1)/2n)`. Derivative: the transform of the tangent.
///
/// # Errors
/// If there is no axis or too few numbers along it (type 1 needs two), or for another type.
///
/// ```
/// use wengert::fft::{Norm, dct, dst, idct, idst};
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| {
///     let there = (dct(x, 2, Norm::Backward), dst(x, 2, Norm::Backward));
///     (there.0, idct(there.0, 2, Norm::Backward), idst(there.1, 2, Norm::Backward))
/// });
/// let x = Array::from([1.0, 2.0, 4.0]);
/// let (cosines, one, two) = f.call(&x)?;
/// assert!((cosines.get::<f64>([0])? - 14.0).abs() < 1e-14);
/// assert!(one.all_close(&x, 1e-14, 0.0) && two.all_close(&x, 1e-14, 0.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn dct(x: Var, kind: u8, norm: Norm) -> Var {
    dct_axis(x, kind, norm, -1)
}

/// [`dct`] along an axis: `scipy.fft.dct(x, type, axis=axis)`. Derivative: the transform of the tangent.
///
/// # Errors
/// As [`dct`], or if there is no such axis.
#[track_caller]
pub fn dct_axis(x: Var, kind: u8, norm: Norm, axis: impl Into<Axis>) -> Var {
    transform("dct", x, kind, norm, axis.into(), false)
}

/// The inverse of [`dct`]: `scipy.fft.idct`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`dct`].
#[track_caller]
pub fn idct(x: Var, kind: u8, norm: Norm) -> Var {
    idct_axis(x, kind, norm, -1)
}

/// The inverse of [`dct_axis`]: `scipy.fft.idct(x, type, axis=axis)`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`dct_axis`].
#[track_caller]
pub fn idct_axis(x: Var, kind: u8, norm: Norm, axis: impl Into<Axis>) -> Var {
    transform("idct", x, kind, norm, axis.into(), true)
}

/// The sine transform of a type, 1 to 4, along the last axis: `scipy.fft.dst`. Derivative: the transform of the
/// tangent.
///
/// # Errors
/// If there is no axis or no number along it, or for another type.
#[track_caller]
pub fn dst(x: Var, kind: u8, norm: Norm) -> Var {
    dst_axis(x, kind, norm, -1)
}

/// [`dst`] along an axis: `scipy.fft.dst(x, type, axis=axis)`. Derivative: the transform of the tangent.
///
/// # Errors
/// As [`dst`], or if there is no such axis.
#[track_caller]
pub fn dst_axis(x: Var, kind: u8, norm: Norm, axis: impl Into<Axis>) -> Var {
    transform("dst", x, kind, norm, axis.into(), false)
}

/// The inverse of [`dst`]: `scipy.fft.idst`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`dst`].
#[track_caller]
pub fn idst(x: Var, kind: u8, norm: Norm) -> Var {
    idst_axis(x, kind, norm, -1)
}

/// The inverse of [`dst_axis`]: `scipy.fft.idst(x, type, axis=axis)`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`dst_axis`].
#[track_caller]
pub fn idst_axis(x: Var, kind: u8, norm: Norm, axis: impl Into<Axis>) -> Var {
    transform("idst", x, kind, norm, axis.into(), true)
}

#[track_caller]
fn transform(op: &str, x: Var, kind: u8, norm: Norm, axis: Axis, inverse: bool) -> Var {
    floats(op, x);
    let Axis(a) = axis;
    let rank = x.rank() as i64;
    let at = if a < 0 { a + rank } else { a };
    if !(0..rank).contains(&at) {
        refuse(op, &[x], format!("{} has no axis {a}", x.ty()));
    }
    let n = x.shape()[at as usize];
    let cosines = op.ends_with("dct");
    let least = if cosines && kind == 1 { 2 } else { 1 };
    if n < least {
        let message = format!("type {kind} needs {least} numbers or more, and there are {n}");
        refuse(op, &[x], message);
    }
    // The inverse of a type is another type, but for its scale.
    let kind = match (kind, inverse) {
        (1 | 4, _) | (2 | 3, false) => kind,
        (2, true) => 3,
        (3, true) => 2,
        _ => refuse(op, &[x], format!("there is no type {kind}, only 1 to 4")),
    };
    let count = 2.0
        * match (kind, cosines) {
            (1, true) => n as f64 - 1.0,
            (1, false) => n as f64 + 1.0,
            _ => n as f64,
        };
    asked_at(Location::caller(), || {
        let x = to_end(x, at as usize);
        let ortho = norm == Norm::Ortho;
        let x = if ortho { before(x, kind, cosines) } else { x };
        let y = match (kind, cosines) {
            (1, true) => dct_1(x),
            (2, true) => dct_2(x),
            (3, true) => dct_3(x),
            (4, true) => type_4(x).0,
            (1, false) => dst_1(x),
            (2, false) => reversed(dct_2(alternated(x))),
            (3, false) => alternated(dct_3(reversed(x))),
            _ => type_4(x).1,
        };
        let y = if ortho { after(y, kind, cosines) } else { y };
        let factor = norm.factor(count, inverse);
        let y = if factor == 1.0 { y } else { y * factor };
        from_end(y, at as usize)
    })
}

/// Multiplies elements by number along the last axis.
fn times(x: Var, factor: impl Fn(usize) -> f64) -> Var {
    let n = length(x);
    x * (0..n).map(factor).collect::<Vec<f64>>()
}

/// What makes a transform orthogonal, but for a factor: some numbers are scaled before it.
fn before(x: Var, kind: u8, cosines: bool) -> Var {
    let last = length(x) - 1;
    match (kind, cosines) {
        (1, true) => times(x, |j| if j == 0 || j == last { SQRT_2 } else { 1.0 }),
        (3, true) => times(x, |j| if j == 0 { SQRT_2 } else { 1.0 }),
        (3, false) => times(x, |j| if j == last { SQRT_2 } else { 1.0 }),
        _ => x,
    }
}

/// And some after it.
fn after(y: Var, kind: u8, cosines: bool) -> Var {
    let (last, half) = (length(y) - 1, 1.0 / SQRT_2);
    match (kind, cosines) {
        (1, true) => times(y, |k| if k == 0 || k == last { half } else { 1.0 }),
        (2, true) => times(y, |k| if k == 0 { half } else { 1.0 }),
        (2, false) => times(y, |k| if k == last { half } else { 1.0 }),
        _ => y,
    }
}

fn length(x: Var) -> usize {
    *x.shape().last().expect("an axis")
}

fn part(x: Var, from: usize, to: usize) -> Var {
    layout::slice_axis(x, x.rank() - 1, from..to)
}

fn reversed(x: Var) -> Var {
    layout::reverse(x, &[x.rank() - 1])
}

/// The numbers of even places, or of odd ones.
fn every_other(x: Var, first: usize) -> Var {
    let (rank, dims) = (x.rank(), x.shape());
    let (mut start, mut step) = (vec![0; rank], vec![1; rank]);
    (start[rank - 1], step[rank - 1]) = (first.min(dims[rank - 1]), 2);
    layout::slice(x, &start, &dims, &step)
}

fn joined(parts: &[Var]) -> Var {
    let full: Vec<Var> = parts.iter().copied().filter(|x| length(*x) > 0).collect();
    layout::concat(&full, full[0].rank() - 1)
}

/// The numbers with alternating signs.
fn alternated(x: Var) -> Var {
    times(x, |j| if j % 2 == 0 { 1.0 } else { -1.0 })
}

/// The transform of the numbers continued evenly at both ends.
fn dct_1(x: Var) -> Var {
    let n = length(x);
    let all = joined(&[x, reversed(part(x, 1, n - 1))]);
    record::to_half(all).0
}

/// The transform of the numbers continued oddly at both ends, around zeros.
fn dst_1(x: Var) -> Var {
    let n = length(x);
    let mut dims = x.shape();
    *dims.last_mut().expect("an axis") = 1;
    let zero = Var::zeros(&x.ty().with_dims(&dims));
    let all = joined(&[zero, x, zero, -reversed(x)]);
    -part(record::to_half(all).1, 1, n + 1)
}

/// The angles by which the numbers of a half are turned.
fn angle(n: usize) -> impl Fn(usize) -> f64 {
    move |k| PI * k as f64 / (2 * n) as f64
}

/// A real transform of the even places followed by the odd ones backwards (Makhoul 1980).
fn dct_2(x: Var) -> Var {
    let n = length(x);
    let order = joined(&[every_other(x, 0), reversed(every_other(x, 1))]);
    let (re, im) = record::to_half(order);
    let cos = |x| times(x, |k| 2.0 * angle(n)(k).cos());
    let sin = |x| times(x, |k| 2.0 * angle(n)(k).sin());
    let low = cos(re) + sin(im);
    let high = sin(re) - cos(im);
    // Number k of the high half belongs at the place n - k.
    joined(&[low, reversed(part(high, 1, n.div_ceil(2)))])
}

/// The inverse of [`dct_2`], times `2n`.
fn dct_3(x: Var) -> Var {
    let n = length(x);
    let half = n / 2 + 1;
    // Number k beside number n - k, which is zero for k = 0.
    let mut dims = x.shape();
    *dims.last_mut().expect("an axis") = 1;
    let zero = Var::zeros(&x.ty().with_dims(&dims));
    let (low, high) = (part(x, 0, half), reversed(part(x, n + 1 - half, n)));
    let high = joined(&[zero, high]);
    let cos = |x| times(x, |k| angle(n)(k).cos());
    let sin = |x| times(x, |k| angle(n)(k).sin());
    let (re, im) = (cos(low) + sin(high), sin(low) - cos(high));
    let order = record::from_half(re, im, n);
    let (even, odd) = (
        part(order, 0, n.div_ceil(2)),
        reversed(part(order, n.div_ceil(2), n)),
    );
    interleaved(even, odd)
}

/// The numbers of two lists in turns, of which the first may have one more.
fn interleaved(even: Var, odd: Var) -> Var {
    let (rank, n) = (even.rank(), length(even) + length(odd));
    let placed = |x: Var, low: usize| {
        let m = length(x);
        let none = vec![0; rank];
        let (mut before, mut after, mut between) = (none.clone(), none.clone(), none);
        before[rank - 1] = low;
        between[rank - 1] = 1;
        let taken = low + (2 * m).saturating_sub(1);
        after[rank - 1] = n - taken;
        layout::pad(x, &before, &after, &between)
    };
    match length(odd) {
        0 => even,
        _ => placed(even, 0) + placed(odd, 1),
    }
}

/// The cosine and the sine transform of type 4, from a transform of twice the length.
fn type_4(x: Var) -> (Var, Var) {
    let n = length(x);
    let rank = x.rank();
    let turn = |j: usize| PI * j as f64 / (2 * n) as f64;
    let none = vec![0; rank];
    let mut high = none.clone();
    high[rank - 1] = n;
    let padded = |x: Var| layout::pad(x, &none, &high, &none);
    let re = padded(times(x, |j| turn(j).cos()));
    let im = padded(times(x, |j| -turn(j).sin()));
    let (re, im) = record::forward(re, im);
    let (re, im) = (part(re, 0, n), part(im, 0, n));
    let turn = |k: usize| PI * (2 * k + 1) as f64 / (4 * n) as f64;
    let cos = |x| times(x, |k| 2.0 * turn(k).cos());
    let sin = |x| times(x, |k| 2.0 * turn(k).sin());
    (cos(re) + sin(im), sin(re) - cos(im))
}
