//! The frequencies of transforms, and their order.

use wengert_ir::trace::{Along, Var};

use crate::complex::refuse;

/// The frequencies of the numbers of `fft` of `n` samples at the distance `d`: `numpy.fft.fftfreq`.
/// Derivative: none.
///
/// # Errors
/// If there is no sample.
///
/// ```
/// use wengert::fft::{fftfreq, fftshift, ifftshift, rfftfreq};
/// use wengert::prelude::*;
///
/// let f = jit(|()| {
///     let all = fftfreq(4, 0.5);
///     (all, rfftfreq(4, 0.5), fftshift(all, 0), ifftshift(fftshift(all, 0), 0))
/// });
/// let (all, half, middle, again) = f.call(())?;
/// assert_eq!(all.to_vec::<f64>()?, [0.0, 0.5, -1.0, -0.5]);
/// assert_eq!(half.to_vec::<f64>()?, [0.0, 0.5, 1.0]);
/// assert_eq!(middle.to_vec::<f64>()?, [-1.0, -0.5, 0.0, 0.5]);
/// assert_eq!(again, all);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fftfreq(n: usize, d: f64) -> Var {
    samples("fftfreq", n);
    let half = n.div_ceil(2) as i64;
    let all = (0..half).chain(-((n / 2) as i64)..0);
    let apart = n as f64 * d;
    Var::from(all.map(|k| k as f64 / apart).collect::<Vec<f64>>())
}

/// The frequencies of the numbers of `rfft` of `n` samples at the distance `d`: `numpy.fft.rfftfreq`.
/// Derivative: none.
///
/// # Errors
/// If there is no sample.
#[track_caller]
pub fn rfftfreq(n: usize, d: f64) -> Var {
    samples("rfftfreq", n);
    let apart = n as f64 * d;
    Var::from((0..=n / 2).map(|k| k as f64 / apart).collect::<Vec<f64>>())
}

#[track_caller]
fn samples(op: &str, n: usize) {
    if n == 0 {
        refuse(op, &[], "no sample".into());
    }
}

/// Moves the number of frequency 0 to the middle of each of the axes: `numpy.fft.fftshift`. Of complex numbers,
/// `z.map(|x| fftshift(x, -1))`. Derivative: the tangent, moved.
#[track_caller]
pub fn fftshift(x: Var, which: impl Into<Along>) -> Var {
    moved("fftshift", x, which.into(), |n| n / 2)
}

/// The inverse of [`fftshift`]: `numpy.fft.ifftshift`. Derivative: the tangent, moved.
#[track_caller]
pub fn ifftshift(x: Var, which: impl Into<Along>) -> Var {
    moved("ifftshift", x, which.into(), |n| n.div_ceil(2))
}

#[track_caller]
fn moved(op: &str, x: Var, which: Along, by: fn(usize) -> usize) -> Var {
    let dims = x.shape();
    let axes: Vec<i64> = match which.axes() {
        None => (0..dims.len() as i64).collect(),
        Some(axes) => axes.to_vec(),
    };
    let mut shifts = Vec::with_capacity(axes.len());
    for &a in &axes {
        let at = if a < 0 { a + dims.len() as i64 } else { a };
        match usize::try_from(at).ok().and_then(|a| dims.get(a)) {
            Some(&n) => shifts.push(by(n) as i64),
            None => refuse(op, &[x], format!("{} has no axis {a}", x.ty())),
        }
    }
    x.roll(shifts, axes)
}
