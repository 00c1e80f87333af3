//! Discrete Fourier transforms.

use std::panic::Location;

use wengert_ir::ops::{fft as record, layout};
use wengert_ir::trace::{Axis, Ints, Var, asked_at};

use crate::complex::{Complex, floats, refuse};

/// Which of a transform and its inverse is scaled: the parameter `norm` of `numpy.fft`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Norm {
    /// The inverse, by `1/n`.
    #[default]
    Backward,
    /// Both, by `1/√n`, so that each keeps the sum of squares.
    Ortho,
    /// The transform, by `1/n`.
    Forward,
}

impl Norm {
    /// Returns the factor of a transform of `n` numbers, or of its inverse.
    pub(super) fn factor(self, n: f64, inverse: bool) -> f64 {
        match (self, inverse) {
            (Norm::Ortho, _) => 1.0 / n.sqrt(),
            (Norm::Backward, true) | (Norm::Forward, false) => 1.0 / n,
            _ => 1.0,
        }
    }

    fn swapped(self) -> Norm {
        match self {
            Norm::Backward => Norm::Forward,
            Norm::Ortho => Norm::Ortho,
            Norm::Forward => Norm::Backward,
        }
    }
}

/// A Fourier transform with parameters: along the last axis, of its length and scaled as [`Norm::Backward`] says,
/// unless they are given.
///
/// ```
/// use wengert::fft::Transform;
/// use wengert::prelude::*;
///
/// // Along the first axis, and along both.
/// let f = jit(|x: Var| (Transform::new().axis(0).rfft(x), Transform::new().axes([0, 1]).fft(x)));
/// let (columns, both) = f.call([[1.0, 2.0], [3.0, 4.0]])?;
/// assert_eq!(columns.re.to_vec::<f64>()?, [4.0, 6.0, -2.0, -2.0]);
/// assert_eq!(both.re.to_vec::<f64>()?, [10.0, -2.0, -4.0, 0.0]);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Transform {
    axes: Option<Ints>,
    n: Option<Ints>,
    norm: Norm,
    /// The last axes that are transformed unless they are named: one, two, or all.
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
enum Last {
    #[default]
    One,
    Two,
    All,
}

/// The axes of a transform, and the lengths that are asked for.
struct Along {
    axes: Vec<usize>,
    n: Vec<Option<usize>>,
}

impl Transform {
    /// The transform along the last axis.
    pub fn new() -> Transform {
        Transform::default()
    }

    /// Along this axis.
    pub fn axis(self, axis: impl Into<Axis>) -> Transform {
        self.axes(Ints::from(axis.into()))
    }

    /// Along these axes. Of a real transform, the last one named is halved.
    pub fn axes(self, axes: impl Into<Ints>) -> Transform {
        let axes = Some(axes.into());
        Transform { axes, ..self }
    }

    /// Of this length, or of these along the axes: numbers beyond it are left out, and missing ones are 0.
    pub fn n(self, n: impl Into<Ints>) -> Transform {
        let n = Some(n.into());
        Transform { n, ..self }
    }

    /// Scaled like this.
    pub fn norm(self, norm: Norm) -> Transform {
        Transform { norm, ..self }
    }

    /// The name of a function, which says which axes it transforms along.
    fn name(&self, op: &str) -> String {
        match self.last {
            Last::One => op.into(),
            Last::Two => format!("{op}2"),
            Last::All => format!("{op}n"),
        }
    }

    fn over(last: Last) -> Transform {
        let default = Transform::default();
        Transform { last, ..default }
    }

    /// The transform: see [`fft`].
    ///
    /// # Errors
    /// If there is no such axis, an axis is named twice, or there is no number to transform.
    #[track_caller]
    pub fn fft(&self, z: impl Into<Complex>) -> Complex {
        self.complex("fft", z.into(), false)
    }

    /// The inverse transform: see [`ifft`].
    ///
    /// # Errors
    /// As [`Transform::fft`].
    #[track_caller]
    pub fn ifft(&self, z: impl Into<Complex>) -> Complex {
        self.complex("ifft", z.into(), true)
    }

    /// The transform of real numbers: see [`rfft`].
    ///
    /// # Errors
    /// As [`Transform::fft`].
    #[track_caller]
    pub fn rfft(&self, x: Var) -> Complex {
        let op = &self.name("rfft");
        floats(op, x);
        let along = self.along(op, x);
        let (x, counts) = fitted(op, &along, &[x], &along.n);
        asked_at(Location::caller(), || {
            let (&last, others) = along.axes.split_last().expect("an axis");
            let (re, im) = record::to_half(to_end(x[0], last));
            let half = Complex { re, im }.map(|x| from_end(x, last));
            let whole = others.iter().fold(half, |z, &a| line(z, a, false));
            scaled(whole, self.norm.factor(product(&counts), false))
        })
    }

    /// The inverse of the transform of real numbers: see [`irfft`]. The length of the halved axis is `2 (m - 1)` unless
    /// it is given.
    ///
    /// # Errors
    /// As [`Transform::fft`].
    #[track_caller]
    pub fn irfft(&self, z: impl Into<Complex>) -> Var {
        self.of_half("irfft", z.into())
    }

    /// The transform of numbers with a real transform: see [`hfft`].
    ///
    /// # Errors
    /// As [`Transform::fft`].
    #[track_caller]
    pub fn hfft(&self, z: impl Into<Complex>) -> Var {
        let norm = self.norm.swapped();
        let plan = Transform {
            norm,
            ..self.clone()
        };
        plan.of_half("hfft", z.into().conj())
    }

    /// The inverse of [`Transform::hfft`]: see [`ihfft`].
    ///
    /// # Errors
    /// As [`Transform::fft`].
    #[track_caller]
    pub fn ihfft(&self, x: Var) -> Complex {
        let norm = self.norm.swapped();
        let plan = Transform {
            norm,
            ..self.clone()
        };
        floats("ihfft", x);
        plan.rfft(x).conj()
    }

    #[track_caller]
    fn complex(&self, op: &str, z: Complex, inverse: bool) -> Complex {
        let op = &self.name(op);
        let z = z.float_parts(op);
        let along = self.along(op, z.re);
        let (parts, counts) = fitted(op, &along, &[z.re, z.im], &along.n);
        asked_at(Location::caller(), || {
            let (re, im) = (parts[0], parts[1]);
            let (&last, others) = along.axes.split_last().expect("an axis");
            let first = match is_zero(im) {
                true => line_of_real(re, last, inverse),
                false => line(Complex { re, im }, last, inverse),
            };
            let lines = others.iter().rev();
            let whole = lines.fold(first, |z, &a| line(z, a, inverse));
            scaled(whole, self.norm.factor(product(&counts), inverse))
        })
    }

    #[track_caller]
    fn of_half(&self, op: &str, z: Complex) -> Var {
        let op = &self.name(op);
        let z = z.float_parts(op);
        let along = self.along(op, z.re);
        let last = *along.axes.last().expect("an axis");
        let m = z.re.shape()[last];
        let n = (along.n[along.n.len() - 1]).unwrap_or((2 * m).saturating_sub(2));
        let mut read = along.n.clone();
        *read.last_mut().expect("an axis") = Some(n / 2 + 1);
        if n == 0 || m == 0 {
            refuse(
                op,
                &[z.re],
                format!("no number to transform along axis {last}"),
            );
        }
        let (parts, mut counts) = fitted(op, &along, &[z.re, z.im], &read);
        *counts.last_mut().expect("an axis") = n;
        asked_at(Location::caller(), || {
            let (re, im) = (parts[0], parts[1]);
            let others = along.axes.iter().rev().skip(1);
            let z = others.fold(Complex { re, im }, |z, &a| line(z, a, true));
            let z = z.map(|x| to_end(x, last));
            let x = from_end(record::from_half(z.re, z.im, n), last);
            scaled_real(x, self.norm.factor(product(&counts), true))
        })
    }

    /// The axes, from those of the array, and the lengths that are asked for.
    #[track_caller]
    fn along(&self, op: &str, x: Var) -> Along {
        let rank = x.rank();
        let given = match (&self.axes, self.last) {
            (Some(axes), _) => axes.0.clone(),
            (None, Last::One) => vec![-1],
            (None, Last::Two) => vec![-2, -1],
            (None, Last::All) => (0..rank as i64).collect(),
        };
        let mut axes = Vec::with_capacity(given.len());
        for &a in &given {
            let at = if a < 0 { a + rank as i64 } else { a };
            if !(0..rank as i64).contains(&at) {
                refuse(op, &[x], format!("{} has no axis {a}", x.ty()));
            }
            if axes.contains(&(at as usize)) {
                refuse(op, &[x], format!("an axis is named twice in {given:?}"));
            }
            axes.push(at as usize);
        }
        if axes.is_empty() {
            refuse(op, &[x], "no axis to transform along".into());
        }
        let n = match &self.n {
            None => vec![None; axes.len()],
            Some(n) if n.0.len() != axes.len() => {
                let message = format!("the lengths {:?} for the axes {given:?}", n.0);
                refuse(op, &[x], message)
            }
            Some(n) => {
                if let Some(short) = n.0.iter().find(|n| **n < 1) {
                    refuse(op, &[x], format!("a transform of length {short}"));
                }
                n.0.iter().map(|n| Some(*n as usize)).collect()
            }
        };
        Along { axes, n }
    }
}

/// Cuts or pads arrays to the lengths along the axes. Returns them and the lengths.
#[track_caller]
fn fitted(op: &str, along: &Along, x: &[Var], n: &[Option<usize>]) -> (Vec<Var>, Vec<usize>) {
    let mut dims = x[0].shape();
    let mut counts = Vec::with_capacity(n.len());
    for (&a, n) in along.axes.iter().zip(n) {
        let n = n.unwrap_or(dims[a]);
        if n == 0 {
            refuse(op, x, format!("no number to transform along axis {a}"));
        }
        dims[a] = n;
        counts.push(n);
    }
    let ty = x[0].ty().with_dims(&dims);
    if ty.check_size().is_err() {
        refuse(op, x, format!("{ty} is larger than memory can be"));
    }
    let at = Location::caller();
    let fit = |x: &Var| {
        along.axes.iter().fold(*x, |x, &a| {
            let have = x.shape()[a];
            match dims[a] {
                n if n < have => layout::slice_axis(x, a, 0..n),
                n if n > have => {
                    let none = vec![0; dims.len()];
                    let mut high = none.clone();
                    high[a] = n - have;
                    layout::pad(x, &none, &high, &none)
                }
                _ => x,
            }
        })
    };
    (asked_at(at, || x.iter().map(fit).collect()), counts)
}

fn product(counts: &[usize]) -> f64 {
    counts.iter().map(|n| *n as f64).product()
}

pub(super) fn to_end(x: Var, axis: usize) -> Var {
    layout::move_axis(x, axis, x.rank() - 1)
}

pub(super) fn from_end(x: Var, axis: usize) -> Var {
    layout::move_axis(x, x.rank() - 1, axis)
}

/// The transform along one axis, not scaled.
fn line(z: Complex, axis: usize, inverse: bool) -> Complex {
    let z = z.map(|x| to_end(x, axis));
    let (re, im) = match inverse {
        false => record::forward(z.re, z.im),
        true => record::backward(z.re, z.im),
    };
    Complex { re, im }.map(|x| from_end(x, axis))
}

fn is_zero(x: Var) -> bool {
    (x.as_literal()).is_some_and(|splat| splat.bits == 0)
}

/// The transform of real numbers, of which the second half is the conjugate of the first, backwards.
fn line_of_real(x: Var, axis: usize, inverse: bool) -> Complex {
    let n = x.shape()[axis];
    let (re, im) = record::to_half(to_end(x, axis));
    let last = re.rank() - 1;
    let rest = |x: Var| {
        let rest = layout::slice_axis(x, last, 1..n.div_ceil(2).max(1));
        layout::reverse(rest, &[last])
    };
    let whole = |first: Var, rest: Var| match rest.shape()[last] {
        0 => first,
        _ => layout::concat(&[first, rest], last),
    };
    let im = if inverse { -im } else { im };
    let z = Complex {
        re: whole(re, rest(re)),
        im: whole(im, -rest(im)),
    };
    z.map(|x| from_end(x, axis))
}

fn scaled_real(x: Var, factor: f64) -> Var {
    match factor {
        1.0 => x,
        _ => x * factor,
    }
}

fn scaled(z: Complex, factor: f64) -> Complex {
    z.map(|x| scaled_real(x, factor))
}

/// The discrete Fourier transform along the last axis, `Σ z_j exp(-2πi jk/n)`: `numpy.fft.fft`. Derivative: the
/// transform of the tangent.
///
/// # Errors
/// If there is no axis, or no number along it.
#[track_caller]
pub fn fft(z: impl Into<Complex>) -> Complex {
    Transform::new().fft(z)
}

/// The inverse of [`fft`]: `numpy.fft.ifft`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn ifft(z: impl Into<Complex>) -> Complex {
    Transform::new().ifft(z)
}

/// The first `n/2 + 1` numbers of the transform of real numbers, of which the others are the conjugates:
/// `numpy.fft.rfft`. Derivative: the transform of the tangent.
///
/// # Errors
/// As [`fft`].
///
/// ```
/// use wengert::fft::{hfft, ihfft, irfft, rfft};
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (irfft(rfft(x)), hfft(ihfft(x)), rfft(x).re));
/// let x = Array::from([1.0, 2.0, 4.0, 0.0]);
/// let (back, again, numbers) = f.call(&x)?;
/// assert!(back.all_close(&x, 1e-14, 1e-14) && again.all_close(&x, 1e-14, 1e-14));
/// assert_eq!((numbers.shape(), numbers.get::<f64>([0])?), (&[3][..], 7.0));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn rfft(x: Var) -> Complex {
    Transform::new().rfft(x)
}

/// The inverse of [`rfft`] for an even length, `2 (m - 1)`: `numpy.fft.irfft`. For an odd length name it:
/// `Transform::new().n(7).irfft(z)`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn irfft(z: impl Into<Complex>) -> Var {
    Transform::new().irfft(z)
}

/// The transform, which is real, of `2 (m - 1)` numbers of which these are the first `m` and the others their
/// conjugates: `numpy.fft.hfft`. Derivative: the transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn hfft(z: impl Into<Complex>) -> Var {
    Transform::new().hfft(z)
}

/// The inverse of [`hfft`]: `numpy.fft.ihfft`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn ihfft(x: Var) -> Complex {
    Transform::new().ihfft(x)
}

/// The transform along the last two axes: `numpy.fft.fft2`. Derivative: the transform of the tangent.
///
/// # Errors
/// As [`fft`].
///
/// ```
/// use wengert::fft::{fft2, fftn, ifft2, ifftn, irfft2, irfftn, rfft2, rfftn};
/// use wengert::prelude::*;
///
/// let f = jit(|x: Var| (ifft2(fft2(x)).re, irfft2(rfft2(x)), ifftn(fftn(x)).re, irfftn(rfftn(x))));
/// let x = Array::from([[1.0, 2.0], [4.0, 0.0]]);
/// let (a, b, c, d) = f.call(&x)?;
/// for back in [a, b, c, d] {
///     assert!(back.all_close(&x, 1e-14, 1e-14));
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn fft2(z: impl Into<Complex>) -> Complex {
    Transform::over(Last::Two).fft(z)
}

/// The inverse of [`fft2`]: `numpy.fft.ifft2`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn ifft2(z: impl Into<Complex>) -> Complex {
    Transform::over(Last::Two).ifft(z)
}

/// The transform of real numbers along the last two axes, of which the last is halved: `numpy.fft.rfft2`. Derivative:
/// the transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn rfft2(x: Var) -> Complex {
    Transform::over(Last::Two).rfft(x)
}

/// The inverse of [`rfft2`] for an even length of the last axis: `numpy.fft.irfft2`. Derivative: the inverse transform
/// of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn irfft2(z: impl Into<Complex>) -> Var {
    Transform::over(Last::Two).irfft(z)
}

/// The transform along all axes: `numpy.fft.fftn`. Derivative: the transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn fftn(z: impl Into<Complex>) -> Complex {
    Transform::over(Last::All).fft(z)
}

/// The inverse of [`fftn`]: `numpy.fft.ifftn`. Derivative: the inverse transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn ifftn(z: impl Into<Complex>) -> Complex {
    Transform::over(Last::All).ifft(z)
}

/// The transform of real numbers along all axes, of which the last is halved: `numpy.fft.rfftn`. Derivative: the
/// transform of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn rfftn(x: Var) -> Complex {
    Transform::over(Last::All).rfft(x)
}

/// The inverse of [`rfftn`] for an even length of the last axis: `numpy.fft.irfftn`. Derivative: the inverse transform
/// of the tangent.
///
/// # Errors
/// As [`fft`].
#[track_caller]
pub fn irfftn(z: impl Into<Complex>) -> Var {
    Transform::over(Last::All).irfft(z)
}
