//! Derivatives of periodic functions by Fourier transforms.

use std::f64::consts::TAU;
use std::panic::Location;

use wengert::fft::{Transform, rfftfreq};
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};
use wengert::{Axis, IntoTree};

use super::{Along, checked, length};

/// A periodic axis of some length, whose points divide it evenly: derivatives by the Fourier transform.
///
/// The derivative is that of the trigonometric polynomial through the points: the error of a smooth function falls faster than any
/// power of the spacing, and for waves that the points resolve there is none but rounding. The wave with two points a period,
/// which an even number of points cannot tell from its mirror image, has no derivative of odd order (Trefethen, Spectral Methods
/// in MATLAB, ch. 3).
///
/// ```
/// use std::f64::consts::TAU;
///
/// use wengert::prelude::*;
/// use wengert_solve::de::Fourier;
///
/// let x: Vec<f64> = (0..32).map(|i| i as f64 / 32.0).collect();
/// let f = jit(|x: Var| Fourier::new(1.0).first((TAU * x).sin().exp(), 0));
/// for (slope, x) in f.call(&x)?.to_vec::<f64>()?.iter().zip(&x) {
///     let want = TAU * (TAU * x).cos() * (TAU * x).sin().exp();
///     assert!((slope - want).abs() < 1e-12);
/// }
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fourier {
    length: Var,
    dealiased: bool,
}

impl Fourier {
    /// An axis of a length.
    pub fn new(length: impl IntoTree<Tree = Var>) -> Fourier {
        Fourier {
            length: length.into_tree(),
            dealiased: false,
        }
    }

    /// Leaves out the highest third of waves (Orszag's 2/3 rule): of a product of two functions that have none of them, what is left
    /// is exact, since the waves that the points cannot tell from others are among those left out.
    pub fn dealiased(mut self) -> Fourier {
        self.dealiased = true;
        self
    }

    /// The first derivative along an axis.
    ///
    /// # Errors
    /// If the array is not of floats, or has no such axis or no points along it; if the length is not a number.
    #[track_caller]
    pub fn first(&self, u: Var, axis: impl Into<Axis>) -> Var {
        self.derivative(1, u, axis)
    }

    /// The second derivative along an axis.
    ///
    /// # Errors
    /// As those of [`first`](Fourier::first).
    #[track_caller]
    pub fn second(&self, u: Var, axis: impl Into<Axis>) -> Var {
        self.derivative(2, u, axis)
    }

    /// The derivative of any order along an axis; of order 0, the function itself, without the waves that are left out if it is
    /// [`dealiased`](Fourier::dealiased).
    ///
    /// # Errors
    /// As those of [`first`](Fourier::first).
    #[track_caller]
    pub fn derivative(&self, order: u32, u: Var, axis: impl Into<Axis>) -> Var {
        let (place, axis) = (Location::caller(), axis.into());
        asked_at(place, || {
            let a = checked(u, axis);
            let n = u.shape()[a];
            if n == 0 {
                refuse("grid", format!("axis {a} of {} has no points", u.ty()));
            }
            let length = length("length", self.length, u.dtype());
            let transform = Transform::new().axis(a as i64);
            let waves = transform.clone().rfft(u);
            // Angular frequencies of waves 0 to n/2, along the axis.
            let mut shape = vec![1; u.rank()];
            shape[a] = n / 2 + 1;
            let number = rfftfreq(n, 1.0 / n as f64).to(u.dtype()).reshape(shape);
            let highest = match (self.dealiased, order % 2) {
                (true, _) => (n - 1) / 3,
                (false, 1) => (n - 1) / 2,
                (false, _) => n / 2,
            };
            let k = number * (TAU / length);
            // i^order: every second derivative changes the sign.
            let sign = if (order / 2).is_multiple_of(2) {
                1.0
            } else {
                -1.0
            };
            let power = i32::try_from(order).unwrap_or(i32::MAX);
            let kept = number.le(highest as f64 + 0.5);
            let factor = kept.select(sign * k.powi(power), zeros_like(k));
            let waves = waves.map(|part| part * factor);
            let waves = match order % 2 {
                1 => waves.times_i(),
                _ => waves,
            };
            transform.n(n as i64).irfft(waves)
        })
    }
}

impl Along for Fourier {
    #[track_caller]
    fn first(&self, u: Var, axis: Axis) -> Var {
        Fourier::first(self, u, axis)
    }

    #[track_caller]
    fn second(&self, u: Var, axis: Axis) -> Var {
        Fourier::second(self, u, axis)
    }
}
