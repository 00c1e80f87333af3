//! Ranges of integration, of which an end may be infinite.

use wengert::prelude::*;
use wengert::solver::mul_or_zero;

/// The variable `t` in which intervals are divided: that of the integral, `x`, if both ends are finite.
///
/// Otherwise `x = e + t / q`, `dx = r / q² dt`: for one infinite end `q = 1 - |t|` and `e` is the finite end,
/// `t = 0`; for two `q = 1 - t²`, `r = 1 + t²`, `e = 0`. The infinite ends are `t = ±1`.
#[derive(Clone, Copy)]
pub(super) struct Range {
    /// The ends as `t`.
    pub ends: [Var; 2],
    /// `e`, and the factors of `t` and `t²` in `q` and of `t²` in `r`; `None` if both ends are known to be
    /// finite.
    map: Option<[Var; 3]>,
}

/// Returns whether a number is a literal, and finite.
fn known_finite(x: Var) -> bool {
    x.as_literal().is_some_and(|x| match x.ty().dtype {
        DType::F32 => f32::from_bits(x.bits as u32).is_finite(),
        _ => f64::from_bits(x.bits).is_finite(),
    })
}

impl Range {
    pub fn new(a: Var, b: Var) -> Range {
        if known_finite(a) && known_finite(b) {
            return Range {
                ends: [a, b],
                map: None,
            };
        }
        let infinite = |x: Var| x.abs().eq(f64::INFINITY);
        let (ia, ib) = (infinite(a), infinite(b));
        let (any, both) = (ia | ib, ia & ib);
        // Two equal infinities are an empty range, at either end of the line.
        let end = ia.select(ib.select(0.0, b), ib.select(a, 0.0));
        let up = a.eq(f64::INFINITY) | b.eq(f64::INFINITY);
        let slope = (any & !both).select(up.select(1.0, -1.0), 0.0);
        let place = |x: Var, i: Var| any.select(i.select(x.sign(), 0.0), x);
        Range {
            ends: [place(a, ia), place(b, ib)],
            map: Some([end, slope, both.select(1.0, 0.0)].map(|x| x.to(a.dtype()))),
        }
    }

    /// Returns the `x` of a `t`, and `dx/dt`; `None` is 1.
    pub fn point(&self, t: Var) -> (Var, Option<Var>) {
        let Some([end, slope, square]) = self.map else {
            return (t, None);
        };
        // Where `t` is rounded to an infinite end, x is large and finite.
        let least = match t.dtype() {
            DType::F32 => 1e-15,
            _ => 1e-150,
        };
        let q = (1.0 - slope * t - square * t * t).maximum(least);
        let r = 1.0 + square * t * t;
        (end + t / q, Some(r / (q * q)))
    }
}

/// Returns what an end adds to the derivatives of the values, which are those of the integral from where the end
/// is to where it moves: zeros, whose first derivative by the end is the integrand, and whose second one is its
/// derivative. It is the rule of the midpoint on that empty range.
///
/// Where the integrand, or its derivative by a parameter, is infinite or NaN at the end, parameters do not see it.
pub(super) fn moved_end(x: Var, at: impl Fn(Var) -> Vec<Var>) -> Vec<Var> {
    let finite = x.is_finite();
    let x = finite.select(x, zeros_like(x));
    let fixed = stop_gradient(x);
    let moved = x - fixed;
    let values = at(fixed + 0.5 * moved).into_iter();
    values
        .map(|g| mul_or_zero(moved.to(g.dtype()).broadcast_to(g.shape()), g))
        .collect()
}
