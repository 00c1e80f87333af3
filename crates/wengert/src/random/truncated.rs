//! Normal numbers in an interval, accurate wherever it lies.

use std::f64::consts::FRAC_1_SQRT_2;
use std::panic::Location;

use wengert_ir::ir::DType;
use wengert_ir::ops::custom_rule::custom_jvp;
use wengert_ir::trace::{IntoVar, Var, asked_at};

use super::Key;
use super::shape::{Draws, FLOATS, asked, parameter};
use super::valid::where_valid;

impl Key {
    /// Draws standard normal numbers conditioned on `low..=high`: the quantile of a number that increases with
    /// the result of [`Key::uniform`] for the same key.
    ///
    /// The ends may be infinite, far out in one tail, or as close to each other as floats are; if they are
    /// equal, that is the draw. The result is NaN where `low` is larger than `high`, an end is NaN, or both are
    /// infinite on one side. The derivatives of the draw `x` in its ends are `(1 - u) e^((x² - low²)/2)` and `u
    /// e^((x² - high²)/2)`, where `u` is the probability below `x`.
    ///
    /// # Errors
    /// If a parameter does not broadcast to the shape.
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// // So far out, the excess over `low` is nearly exponential with rate `low`.
    /// let f = jit(|key: Key| key.truncated_normal(1000.0, f64::INFINITY, [10_000]).mean());
    /// let mean = f.call(Key::from_seed(0))?.item::<f64>()?;
    /// assert!((mean - 1000.001).abs() < 1e-4);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn truncated_normal(self, low: impl IntoVar, high: impl IntoVar, shape: impl Draws) -> Var {
        asked_at(Location::caller(), || {
            let op = "truncated_normal";
            let ty = asked(op, shape, FLOATS);
            let low = parameter(op, low, &ty);
            let high = parameter(op, high, &ty);
            let some = low.lt(f64::INFINITY).and(high.gt(f64::NEG_INFINITY));
            let valid = low.le(high).and(some);
            let (low, high) = (where_valid(low, valid), where_valid(high, valid));
            let u = self.opened(op, &ty);
            // Mirrors the interval so that more of it, or all, is above 0.
            let upper = (low + high).gt(0.0);
            let near = upper.select(low, -high).to(DType::F64);
            let far = upper.select(high, -low).to(DType::F64);
            let t = upper.select(u, 1.0 - u).to(DType::F64);
            let deep = Reach::of(ty.dtype).deep(near);
            let s = offset(t, near, far, ty.dtype, 2);
            let x = (deep.select(near, 0.0) + s).to(ty.dtype);
            let x = upper.select(x, -x);
            let x = x.lt(low).select(low, x);
            x.gt(high).select(high, x)
        })
    }
}

/// Limits of the accuracy of the normal quantile.
#[derive(Clone, Copy)]
struct Reach {
    /// The near end from which probabilities are too small.
    deep: f64,
    /// The width below which the probabilities of the two ends are too close.
    narrow: f64,
}

impl Reach {
    fn of(dtype: DType) -> Reach {
        match dtype {
            DType::F32 => Reach {
                deep: 10.0,
                narrow: 1e-2,
            },
            _ => Reach {
                deep: 30.0,
                narrow: 1e-5,
            },
        }
    }

    #[track_caller]
    fn deep(self, near: Var) -> Var {
        near.ge(self.deep)
    }
}

/// Returns the distance of the draw from 0, or from the near end where that is deep in the tail. `near <= far`
/// and `near + far >= 0`; `t` is the probability on the side of the near end. All are `f64`.
///
/// Its derivatives are expressed through the offset itself up to order `orders`; higher ones are those of the
/// formulas.
#[track_caller]
fn offset(t: Var, near: Var, far: Var, dtype: DType, orders: usize) -> Var {
    let found = custom_jvp(
        &[t, near, far],
        |x| vec![quantile(x[0], x[1], x[2], dtype)],
        |x, dx| {
            let (t, near, far) = (x[0], x[1], x[2]);
            let s = match orders {
                0 => quantile(t, near, far, dtype),
                n => offset(t, near, far, dtype, n - 1),
            };
            let deep = Reach::of(dtype).deep(near);
            // An infinite end contributes nothing; infinities are kept out of the arithmetic.
            let open = |end: Var| end.abs().eq(f64::INFINITY);
            let (no_near, no_far) = (open(near), open(far));
            // Half of the square of the draw minus that of an end.
            let from = |end: Var, none: Var| {
                let end = none.select(s, end);
                0.5 * (s - end) * (s + end)
            };
            let low = deep.select(near, 0.0);
            let high = deep.and(!no_far).select(far, low);
            let in_tail = s * (low + 0.5 * s);
            let across = (high - low) * (0.5 * high + 0.5 * low);
            let to_near = deep.select(in_tail, from(near, no_near)).exp();
            let to_far = deep.select(in_tail - across, from(far, no_far)).exp();
            let by_near = no_near.select(0.0, (1.0 - t) * to_near);
            let by_far = no_far.select(0.0, t * to_far);
            let own = deep.select(1.0, Var::scalar(0.0));
            (vec![s], vec![dx[1] * (by_near - own) + dx[2] * by_far])
        },
    );
    found[0]
}

/// Computes the offset by the quantile, by a series where the ends are close to each other, by the Mills ratio
/// where they are deep in the tail.
#[track_caller]
fn quantile(t: Var, near: Var, far: Var, dtype: DType) -> Var {
    let reach = Reach::of(dtype);
    let (deep, width) = (reach.deep(near), far - near);
    let narrow = width.lt(reach.narrow);
    let middle = {
        let [t, near, far] = [t, near, far].map(|x| x.to(dtype));
        // In the lower half, where probabilities are small and exact.
        let (a, b) = (-far, -near);
        let below = |x: Var| 0.5 * (-FRAC_1_SQRT_2 * x).erfc();
        let (start, end) = (below(a), below(b));
        let p = (1.0 - t).mul_add(end - start, start);
        let z = p.lt(0.5).select(-p, 1.0 - p).normal_tail();
        -z.maximum(a).minimum(b)
    };
    // A method that is not used gets harmless inputs.
    let close = {
        let (near, width) = (narrow.select(near, 0.0), narrow.select(width, 0.0));
        near + between_close_ends(t, near, width)
    };
    let x = narrow.select(close, middle.to(DType::F64));
    let tail = in_tail(
        t,
        deep.select(near, reach.deep),
        deep.select(far, reach.deep),
    );
    deep.select(tail, x)
}

/// Returns the distance of the draw from the near end `n`, if the far one is close: where `∫ e^(-n s - s²/2)
/// ds`, as a series in `s`, is the share `t` of its value for the whole width.
#[track_caller]
fn between_close_ends(t: Var, n: Var, width: Var) -> Var {
    let square = n * n;
    // Hermite polynomials of `n`.
    let terms = [
        -n / 2.0,
        (square - 1.0) / 6.0,
        n * (3.0 - square) / 24.0,
        (square * (square - 6.0) + 3.0) / 120.0,
    ];
    let inside = |s: Var| {
        let sum = terms.iter().rev();
        s * s.mul_add(sum.fold(Var::scalar(0.0), |sum, &c| sum.mul_add(s, c)), 1.0)
    };
    let want = t * inside(width);
    let mut s = t * width;
    for _ in 0..2 {
        s = s - (inside(s) - want) * (s * (n + 0.5 * s)).exp();
    }
    s.maximum(0.0).minimum(width)
}

/// Returns the distance of the draw from the near end `n >= 10` (for `f64`, 30): over a distance `s` the
/// logarithm of the upper tail probability falls by `n s + s²/2 - log(m(n + s) / m(n))`, where `m(x) = S(x) /
/// x` is the Mills ratio, the tail probability above `x` divided by the density at `x`.
#[track_caller]
fn in_tail(t: Var, n: Var, far: Var) -> Var {
    let at_end = sum_of_mills(n);
    let falls = |s: Var, by_half: Var, end: Var| {
        let ratio = (sum_of_mills(end) - at_end) / at_end;
        s * by_half + (s / n).log1p() - ratio.log1p()
    };
    let open = far.eq(f64::INFINITY);
    let end = open.select(n, far);
    let all = falls(end - n, 0.5 * n + 0.5 * end, end);
    let fall = -(t * open.select(-1.0, (-all).expm1())).log1p();
    let mut s = 2.0 * (fall / n) / (1.0 + (1.0 + 2.0 * fall / n / n).sqrt());
    for _ in 0..2 {
        let off = falls(s, n + 0.5 * s, n + s) - fall;
        s = s - off * sum_of_mills(n + s) / (n + s);
    }
    s.maximum(0.0).minimum(far - n)
}

/// Returns `x m(x)` for the Mills ratio `m`: `1 - 1/x² + 3/x⁴ - 15/x⁶ ..` (DLMF 7.12.1).
#[track_caller]
fn sum_of_mills(x: Var) -> Var {
    let r = x.recip();
    let y = r * r;
    let odd = [1.0f64, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0];
    let terms = odd.iter().rev();
    terms.fold(Var::full(&y.ty(), 1.0), |sum, &k| {
        (-k * y).mul_add(sum, 1.0)
    })
}
