//! Convolutions by Fourier transforms.

use std::panic::Location;

use wengert_ir::num::Overlap;
use wengert_ir::ops::layout;
use wengert_ir::trace::{Along, Argument, Var, aligned, asked_at};

use super::Transform;
use crate::complex::{floats, refuse};

/// Returns the next length, from `n` on, of which transforms are fast: an even product of 2, 3, 5 and 7.
///
/// ```
/// assert_eq!(wengert::fft::next_fast_len(1021), 1024);
/// ```
pub fn next_fast_len(n: usize) -> usize {
    let smooth = |mut m: usize| {
        for p in [2usize, 3, 5, 7] {
            while m.is_multiple_of(p) {
                m /= p;
            }
        }
        m == 1
    };
    if n <= 2 {
        return n.max(1);
    }
    let even = n.next_multiple_of(2);
    (even..).step_by(2).find(|m| smooth(*m)).unwrap_or(n)
}

/// The convolution of two arrays along all axes, by Fourier transforms: `scipy.signal.fftconvolve`.
/// [`Overlap::Same`] is the middle as long as the first array. Derivative: the convolution of the tangent of either
/// with the other.
///
/// # Errors
/// If the arrays have different numbers of axes or an axis of length 0, or for [`Overlap::Valid`] if neither lies inside
/// the other.
///
/// ```
/// use wengert::Overlap;
/// use wengert::fft::{fftconvolve, oaconvolve};
/// use wengert::prelude::*;
///
/// let f = jit(|(x, y): (Var, Var)| (fftconvolve(x, y, Overlap::Full), oaconvolve(x, y, Overlap::Full)));
/// let (whole, blocks) = f.call(([1.0, 2.0, 3.0], [1.0, 1.0]))?;
/// let wanted = Array::from([1.0, 3.0, 5.0, 3.0]);
/// assert!(whole.all_close(&wanted, 1e-14, 0.0) && blocks.all_close(&wanted, 1e-14, 0.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fftconvolve(x: Var, y: Var, part: Overlap) -> Var {
    convolved("fftconvolve", x, y, part, (..).into(), whole)
}

/// [`fftconvolve`] along some axes; the others broadcast: `scipy.signal.fftconvolve(x, y, mode, axes)`. Derivative: as
/// [`fftconvolve`].
///
/// # Errors
/// As [`fftconvolve`].
#[track_caller]
pub fn fftconvolve_axes(x: Var, y: Var, part: Overlap, which: impl Into<Along>) -> Var {
    convolved("fftconvolve", x, y, part, which.into(), whole)
}

/// The same by transforms of blocks of the longer array, which is faster if the other is much shorter:
/// `scipy.signal.oaconvolve`. Derivative: as [`fftconvolve`].
///
/// # Errors
/// As [`fftconvolve`].
#[track_caller]
pub fn oaconvolve(x: Var, y: Var, part: Overlap) -> Var {
    convolved("oaconvolve", x, y, part, (..).into(), in_blocks)
}

/// The full convolution along axes.
type Full = fn(Var, Var, &[usize]) -> Var;

#[track_caller]
fn convolved(op: &str, x: Var, y: Var, part: Overlap, which: Along, full: Full) -> Var {
    let (dx, dy) = (x.shape(), y.shape());
    if dx.len() != dy.len() {
        let message = format!("{} and {} have different numbers of axes", x.ty(), y.ty());
        refuse(op, &[x, y], message);
    }
    let scalars = [
        Var::zeros(&x.ty().with_dims(&[])),
        Var::zeros(&y.ty().with_dims(&[])),
    ];
    let common = aligned(op, None, &scalars.map(Argument::Var))[0].ty().dtype;
    let (x, y) = (x.to(common), y.to(common));
    floats(op, x);
    let rank = dx.len() as i64;
    let given: Vec<i64> = match which.axes() {
        None => (0..rank).collect(),
        Some(axes) => axes.to_vec(),
    };
    let mut axes = Vec::with_capacity(given.len());
    for a in given {
        let at = if a < 0 { a + rank } else { a };
        if !(0..rank).contains(&at) || axes.contains(&(at as usize)) {
            refuse(
                op,
                &[x, y],
                format!("{} has no axis {a}, or it is named twice", x.ty()),
            );
        }
        axes.push(at as usize);
    }
    for (a, (&n, &m)) in dx.iter().zip(&dy).enumerate() {
        if !axes.contains(&a) {
            if n != m && n != 1 && m != 1 {
                refuse(op, &[x, y], format!("axis {a} has the lengths {n} and {m}"));
            }
        } else if n == 0 || m == 0 {
            refuse(op, &[x, y], format!("no element along axis {a}"));
        }
    }
    let inside = |a: &[usize], b: &[usize]| axes.iter().all(|&i| a[i] >= b[i]);
    if part == Overlap::Valid && !inside(&dx, &dy) && !inside(&dy, &dx) {
        refuse(op, &[x, y], "neither array lies inside the other".into());
    }
    asked_at(Location::caller(), || {
        if axes.is_empty() {
            return x * y;
        }
        axes.iter().fold(full(x, y, &axes), |z, &a| {
            let (n, m) = (dx[a], dy[a]);
            let (first, length) = match part {
                Overlap::Same => ((m - 1) / 2, n),
                Overlap::Valid => (n.min(m) - 1, n.abs_diff(m) + 1),
                _ => (0, n + m - 1),
            };
            layout::slice_axis(z, a, first..first + length)
        })
    })
}

fn whole(x: Var, y: Var, axes: &[usize]) -> Var {
    let (dx, dy) = (x.shape(), y.shape());
    let lengths: Vec<usize> = axes.iter().map(|&a| dx[a] + dy[a] - 1).collect();
    let fast: Vec<usize> = lengths.iter().map(|n| next_fast_len(*n)).collect();
    let plan = Transform::new().axes(axes).n(fast);
    let all = plan.irfft(plan.rfft(x) * plan.rfft(y));
    let parts = axes.iter().zip(lengths);
    parts.fold(all, |z, (&a, n)| layout::slice_axis(z, a, 0..n))
}

/// Blocks of the longer array along the axis on which they pay most.
fn in_blocks(x: Var, y: Var, axes: &[usize]) -> Var {
    let (dx, dy) = (x.shape(), y.shape());
    let ratio = |a: usize| dx[a].max(dy[a]) as f64 / dx[a].min(dy[a]) as f64;
    let best = axes
        .iter()
        .copied()
        .max_by(|&a, &b| ratio(a).total_cmp(&ratio(b)));
    let axis = best.expect("an axis");
    let (long, short) = if dx[axis] < dy[axis] { (y, x) } else { (x, y) };
    let (n, m) = (long.shape()[axis], short.shape()[axis]);
    // A block of a few times the shorter length, less what runs over into the next one.
    let size = next_fast_len((8 * m).max(64));
    let step = size + 1 - m;
    if 2 * step >= n {
        return whole(x, y, axes);
    }
    let blocks = n.div_ceil(step);
    let mut high = vec![0; dx.len()];
    high[axis] = blocks * step - n;
    let none = vec![0; dx.len()];
    let long = layout::pad(long, &none, &high, &none);
    let apart = |x: Var, a: usize, b: usize| {
        let mut dims = x.shape();
        dims.splice(axis..=axis, [a, b]);
        layout::reshape(x, &dims)
    };
    let long = apart(long, blocks, step);
    let short = apart(short, 1, m);
    let axes: Vec<usize> = axes
        .iter()
        .map(|&a| if a >= axis { a + 1 } else { a })
        .collect();
    let all = whole(long, short, &axes);
    // What runs over is as long as a block at most: it is added to the next one.
    let here = layout::slice_axis(all, axis + 1, 0..step);
    let over = layout::slice_axis(all, axis + 1, step..step + m - 1);
    let mut none = vec![0; all.rank()];
    let (mut low, mut high) = (none.clone(), none.clone());
    (high[axis], low[axis]) = (1, 1);
    let here = layout::pad(here, &none, &high, &none);
    let mut rest = none.clone();
    rest[axis + 1] = step + 1 - m;
    let over = layout::pad(over, &low, &rest, &none);
    none.clear();
    let sum = here + over;
    let mut dims = sum.shape();
    dims.splice(axis..axis + 2, [(blocks + 1) * step]);
    layout::slice_axis(layout::reshape(sum, &dims), axis, 0..n + m - 1)
}
