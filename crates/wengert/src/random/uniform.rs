//! Random bits and uniform numbers.

use std::panic::Location;

use wengert_ir::ir::{DType, Type};
use wengert_ir::trace::{IntoVar, Var, asked_at};

use super::Key;
use super::shape::{Draws, FLOATS, asked, parameter};
use super::valid::where_valid;

impl Key {
    /// Draws random bits: `u64`, or `u32` on request. They are the words of ChaCha with eight rounds, equal to
    /// those of [`rand_chacha`](https://docs.rs/rand_chacha) for the same key. They have no derivative.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|key: Key| {
    ///     let [a, b, c, d, e] = key.split_n();
    ///     let n = [10_000];
    ///     let signs = c.rademacher(n).to(DType::F64);
    ///     let coins = d.bernoulli(0.25, n).to(DType::F64);
    ///     (a.bits(n), b.uniform_open(n), signs.mean(), coins.mean(), e.uniform_in(-1.0, 3.0, n).mean())
    /// });
    /// let (bits, open, signs, coins, mean) = f.call(Key::from_seed(0))?;
    /// assert_eq!(bits.dtype(), DType::U64);
    /// assert!(open.iter::<f64>()?.all(|x| x > 0.0 && x < 1.0));
    /// assert!(signs.item::<f64>()?.abs() < 0.05 && (coins.item::<f64>()? - 0.25).abs() < 0.03);
    /// assert!((mean.item::<f64>()? - 1.0).abs() < 0.05);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn bits(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("bits", shape, &[DType::U64, DType::U32]);
            self.draws("bits", ty)
        })
    }

    /// Draws uniform numbers in `0..1`, excluding 1: multiples of 2^-53 (`f32`: of 2^-24).
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // π by throwing darts: nothing is stored.
    /// let pi = jit(|key: Key| {
    ///     let (a, b) = key.split();
    ///     let (x, y) = (a.uniform([100_000]), b.uniform([100_000]));
    ///     4.0 * (x * x + y * y).lt(1.0).to(DType::F64).mean()
    /// });
    /// assert!((pi.call(Key::from_seed(0))?.item::<f64>()? - 3.14).abs() < 0.02);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn uniform(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("uniform", shape, FLOATS);
            self.units("uniform", &ty)
        })
    }

    /// Draws uniform numbers in `0..1`, excluding 0 and 1: odd multiples of 2^-53 (`f32`: of 2^-24).
    #[track_caller]
    pub fn uniform_open(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("uniform_open", shape, FLOATS);
            self.opened("uniform_open", &ty)
        })
    }

    /// Draws uniform numbers in `low..high`, computed as `low + u (high - low)` from [`Key::uniform`]; rounding
    /// may give `high` itself. The result is NaN where an end is infinite. The derivatives are those of the
    /// formula.
    ///
    /// # Errors
    /// If a parameter does not broadcast to the shape.
    #[track_caller]
    pub fn uniform_in(self, low: impl IntoVar, high: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("uniform_in", shape, FLOATS);
            let low = parameter("uniform_in", low, &ty);
            let high = parameter("uniform_in", high, &ty);
            let (low, high) = (finite(low), finite(high));
            let u = self.units("uniform_in", &ty);
            let span = high - low;
            // The distance between two finite floats may overflow.
            let half = u.mul_add(0.5 * high - 0.5 * low, 0.5 * low);
            span.is_finite().select(u.mul_add(span, low), 2.0 * half)
        })
    }

    /// Draws -1 and 1 with equal probability.
    #[track_caller]
    pub fn rademacher(self, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("rademacher", shape, FLOATS);
            let bits = self.words("rademacher", &ty);
            1.0 - 2.0 * counted(bits, 1)
        })
    }

    /// Draws `true` with probability `p`: never for `p <= 0` or NaN, always for `p >= 1`. It has no derivative.
    ///
    /// # Errors
    /// If `p` does not broadcast to the shape.
    #[track_caller]
    pub fn bernoulli(self, p: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let ty = asked("bernoulli", shape, &[DType::Bool]).with_dtype(DType::F64);
            let p = parameter("bernoulli", p, &ty);
            self.units("bernoulli", &ty).lt(p)
        })
    }

    /// Draws bits as wide as the floats of `ty`.
    #[track_caller]
    pub(super) fn words(self, op: &str, ty: &Type) -> Var {
        self.draws(op, ty.with_dtype(bits_for(ty.dtype)))
    }

    /// Draws numbers in `0..1`, excluding 1.
    #[track_caller]
    pub(super) fn units(self, op: &str, ty: &Type) -> Var {
        let bits = self.words(op, ty);
        match ty.dtype {
            DType::F64 => counted(bits, 53) * 2f64.powi(-53),
            _ => counted(bits, 24) * 2f64.powi(-24),
        }
    }

    /// Draws numbers in `0..1`, excluding 0 and 1.
    #[track_caller]
    pub(super) fn opened(self, op: &str, ty: &Type) -> Var {
        opened(self.words(op, ty))
    }

    /// Draws the signed distance of a uniform number `u` in `0..1` from the nearer end: `-u` in the lower half
    /// and `1 - u` in the upper one. It is never 0, and near 0 resolved as finely as floats.
    #[track_caller]
    pub(super) fn tails(self, op: &str, ty: &Type) -> Var {
        tails(self.words(op, ty))
    }

    /// Draws `1 - u` for uniform numbers `u`, excluding 0 and 1, resolved near 0 as finely as floats.
    #[track_caller]
    pub(super) fn probabilities(self, op: &str, ty: &Type) -> Var {
        let bits = self.words(op, ty);
        let most = if ty.dtype == DType::F64 { 53 } else { 24 };
        let unit = 2f64.powi(1 - 8 * ty.dtype.bytes() as i32);
        let float = signed(!bits >> 1).to(ty.dtype);
        ((float + 0.5) * unit).minimum(1.0 - 2f64.powi(-most))
    }
}

/// Returns `x`, or NaN where it is not finite.
#[track_caller]
pub(super) fn finite(x: Var) -> Var {
    where_valid(x, x.is_finite())
}

/// Returns the type of bits as wide as floats of a type.
pub(super) fn bits_for(float: DType) -> DType {
    match float {
        DType::F32 => DType::U32,
        _ => DType::U64,
    }
}

/// Reinterprets bits as signed integers.
#[track_caller]
fn signed(bits: Var) -> Var {
    bits.to(match bits.dtype() {
        DType::U32 => DType::I32,
        _ => DType::I64,
    })
}

/// Converts the upper `n` bits to a float that is an integer, as wide as the bits.
#[track_caller]
pub(super) fn counted(bits: Var, n: i32) -> Var {
    let width = 8 * bits.dtype().bytes() as i32;
    // Where the sign bit is free, the machine converts signed integers faster.
    let float = if width == 64 { DType::F64 } else { DType::F32 };
    signed(bits >> (width - n)).to(float)
}

/// See [`Key::opened`].
#[track_caller]
pub(super) fn opened(bits: Var) -> Var {
    let used = if bits.dtype() == DType::U64 { 52 } else { 23 };
    (counted(bits, used) + 0.5) * 2f64.powi(-used)
}

/// See [`Key::tails`].
#[track_caller]
pub(super) fn tails(bits: Var) -> Var {
    let width = 8 * bits.dtype().bytes() as i32;
    let float = if width == 64 { DType::F64 } else { DType::F32 };
    (signed(bits).to(float) + 0.5) * -(2f64.powi(-width))
}
