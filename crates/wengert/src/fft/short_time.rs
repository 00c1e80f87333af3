//! Short-time Fourier transforms.

use std::f64::consts::PI;
use std::panic::Location;

use wengert_ir::ops::layout;
use wengert_ir::trace::{Var, asked_at};

use super::Transform;
use crate::complex::{Complex, floats, refuse};

/// Fourier transforms of overlapping parts of a signal, each multiplied by a window: what `scipy.signal.stft` and
/// `scipy.signal.istft` compute, with their conventions. Parts overlap by half unless [`ShortTime::overlap`] says
/// otherwise.
///
/// ```
/// use wengert::fft::ShortTime;
/// use wengert::prelude::*;
///
/// let parts = ShortTime::hann(8);
/// let back = {
///     let parts = parts.clone();
///     jit(move |x: Var| parts.istft(parts.stft(x)))
/// };
/// let x: Vec<f64> = (0..32).map(|i| (0.3 * i as f64).sin()).collect();
/// let y = back.call(&x[..])?.to_vec::<f64>()?;
/// assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-12));
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ShortTime {
    window: Vec<f64>,
    overlap: usize,
    n: usize,
    padded: bool,
}

/// # Short-time transforms
///
/// `s` is a [`ShortTime`].
impl ShortTime {
    /// Parts as long as this window.
    pub fn new(window: impl Into<Vec<f64>>) -> ShortTime {
        let window = window.into();
        let n = window.len();
        ShortTime {
            window,
            overlap: n / 2,
            n,
            padded: true,
        }
    }

    /// Parts of this length, with Hann's window, `sin²(πj/n)`.
    pub fn hann(n: usize) -> ShortTime {
        let window = (0..n).map(|j| (PI * j as f64 / n as f64).sin().powi(2));
        ShortTime::new(window.collect::<Vec<f64>>())
    }

    /// Parts that have this number of elements in common with the next one.
    pub fn overlap(self, overlap: usize) -> ShortTime {
        ShortTime { overlap, ..self }
    }

    /// Transforms of length `n`, for which parts are padded with zeros.
    pub fn n(self, n: usize) -> ShortTime {
        ShortTime { n, ..self }
    }

    /// Parts of the signal as it is. Otherwise half a window of zeros is put before and after it, and as many zeros at
    /// the end as fill the last part.
    pub fn unpadded(self) -> ShortTime {
        let padded = false;
        ShortTime { padded, ..self }
    }

    /// The number of elements from one part to the next; what is wrong with the parameters is refused.
    #[track_caller]
    fn step(&self, op: &str, operands: &[Var]) -> usize {
        let length = self.window.len();
        if length == 0 {
            refuse(op, operands, "a window of no element".into());
        }
        if self.overlap >= length {
            let message = format!("parts of {length} elements overlap by {}", self.overlap);
            refuse(op, operands, message);
        }
        if self.n < length {
            let message = format!(
                "transforms of length {} of parts of length {length}",
                self.n
            );
            refuse(op, operands, message);
        }
        length - self.overlap
    }

    /// The transforms of the parts of a real signal along its last axis, scaled by the sum of the window:
    /// `scipy.signal.stft`. The result has the axes of frequencies and of parts in its place. Derivative: the
    /// transforms of the tangent.
    ///
    /// # Errors
    /// If there is no axis, or the signal is shorter than a part.
    #[track_caller]
    pub fn stft(&self, x: Var) -> Complex {
        floats("stft", x);
        let step = self.step("stft", &[x]);
        let length = self.window.len();
        let (rank, dims) = (x.rank(), x.shape());
        if rank == 0 {
            refuse("stft", &[x], format!("{} has no axis", x.ty()));
        }
        let n = dims[rank - 1] + if self.padded { 2 * (length / 2) } else { 0 };
        if n < length {
            let message = format!("{n} elements have no part of length {length}");
            refuse("stft", &[x], message);
        }
        asked_at(Location::caller(), || {
            let mut x = x;
            if self.padded {
                let none = vec![0; rank];
                let (mut low, mut high) = (none.clone(), none.clone());
                low[rank - 1] = length / 2;
                high[rank - 1] = length / 2 + (n - length).next_multiple_of(step) - (n - length);
                x = layout::pad(x, &low, &high, &none);
            }
            let parts = self.parts(x, step);
            let sum: f64 = self.window.iter().sum();
            let window: Vec<f64> = self.window.iter().map(|w| w / sum).collect();
            let z = Transform::new().n(self.n).rfft(parts * window);
            z.map(|x| layout::move_axis(x, rank, rank - 1))
        })
    }

    /// The parts of a signal, one after the other along a new axis before its last. They are put together from blocks
    /// as long as a step.
    fn parts(&self, x: Var, step: usize) -> Var {
        let length = self.window.len();
        let rank = x.rank();
        let n = x.shape()[rank - 1];
        let count = (n - length) / step + 1;
        let pieces = length.div_ceil(step);
        let need = (count + pieces - 1) * step;
        let none = vec![0; rank];
        let mut high = none.clone();
        high[rank - 1] = need.saturating_sub(n);
        let x = layout::slice_axis(layout::pad(x, &none, &high, &none), rank - 1, 0..need);
        let mut dims = x.shape();
        dims.splice(rank - 1.., [count + pieces - 1, step]);
        let blocks = layout::reshape(x, &dims);
        let shifted: Vec<Var> = (0..pieces)
            .map(|j| layout::slice_axis(blocks, rank - 1, j..j + count))
            .collect();
        let whole = layout::concat(&shifted, rank);
        layout::slice_axis(whole, rank, 0..length)
    }

    /// The signal of which these are the transforms of the parts, where the squares of the windows are not all zero:
    /// `scipy.signal.istft`. Derivative: the signal of the tangents.
    ///
    /// # Errors
    /// If there are no two axes, or the number of frequencies is not that of the parts.
    #[track_caller]
    pub fn istft(&self, z: impl Into<Complex>) -> Var {
        let z = z.into().float_parts("istft");
        let step = self.step("istft", &[z.re]);
        let (rank, dims) = (z.re.rank(), z.re.shape());
        if rank < 2 || dims[rank - 2] != self.n / 2 + 1 || dims[rank - 1] == 0 {
            let message = format!(
                "the last axes of {} are not {} frequencies and one part or more",
                z.re.ty(),
                self.n / 2 + 1
            );
            refuse("istft", &[z.re], message);
        }
        asked_at(Location::caller(), || {
            let length = self.window.len();
            let count = dims[rank - 1];
            let z = z.map(|x| layout::move_axis(x, rank - 1, rank - 2));
            let parts = Transform::new().n(self.n).irfft(z);
            let parts = layout::slice_axis(parts, rank - 1, 0..length);
            let sum: f64 = self.window.iter().sum();
            let window: Vec<f64> = self.window.iter().map(|w| w * sum).collect();
            let total = added(parts * window, step);
            let n = length + (count - 1) * step;
            let mut squares = vec![0.0; n];
            for first in (0..count).map(|k| k * step) {
                for (s, w) in squares[first..].iter_mut().zip(&self.window) {
                    *s += w * w;
                }
            }
            let by: Vec<f64> = squares
                .iter()
                .map(|&s| if s > 1e-10 { 1.0 / s } else { 1.0 })
                .collect();
            let signal = layout::slice_axis(total, rank - 2, 0..n) * by;
            match self.padded {
                true => layout::slice_axis(signal, rank - 2, length / 2..n - length / 2),
                false => signal,
            }
        })
    }
}

/// The sum of parts, each `step` elements after the one before: the transpose of [`ShortTime::parts`].
fn added(parts: Var, step: usize) -> Var {
    let rank = parts.rank();
    let dims = parts.shape();
    let (count, length) = (dims[rank - 2], dims[rank - 1]);
    let pieces = length.div_ceil(step);
    let none = vec![0; rank];
    let mut high = none.clone();
    high[rank - 1] = pieces * step - length;
    let parts = layout::pad(parts, &none, &high, &none);
    let placed = (0..pieces).map(|j| {
        let piece = layout::slice_axis(parts, rank - 1, j * step..(j + 1) * step);
        let (mut low, mut high) = (none.clone(), none.clone());
        (low[rank - 2], high[rank - 2]) = (j, pieces - 1 - j);
        layout::pad(piece, &low, &high, &none)
    });
    let sum = placed.reduce(|a, b| a + b).expect("a piece");
    let mut dims = dims;
    dims.splice(rank - 2.., [(count + pieces - 1) * step]);
    layout::reshape(sum, &dims)
}
