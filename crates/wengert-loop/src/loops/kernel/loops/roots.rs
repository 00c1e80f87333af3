//! Roots of unity.

use std::f64::consts::TAU;

use super::{Part, Site};
use crate::elementary::{Elementary, eval};
use crate::loops::Value;
use crate::loops::affine::Affine;
use crate::types::DType;

/// The largest order of which all roots are in a table. Of larger ones, products of two from smaller tables are.
const WHOLE: usize = 4096;

/// The part of `2 pi` behind its 53 bits.
const TAU_REST: f64 = 2.449_293_598_294_706_4e-16;

/// Returns the cosine and the sine of `k / n` turns, with an error below one unit in the last place.
pub(crate) fn turn(k: u64, n: u64) -> (f64, f64) {
    let (mut k, mut n) = (k % n, n);
    // An eighth of a turn is enough.
    let below = 2 * k > n;
    if below {
        k = n - k;
    }
    let left = 4 * k > n;
    if left {
        (k, n) = (n - 2 * k, 2 * n);
    }
    let steep = 8 * k > n;
    if steep {
        (k, n) = (n - 4 * k, 4 * n);
    }
    let (top, bottom) = (k as f64, n as f64);
    let part = top / bottom;
    let rest = part.mul_add(-bottom, top) / bottom;
    let x = TAU * part;
    let more = TAU.mul_add(part, -x) + (TAU_REST * part + TAU * rest);
    let (s, c) = (eval(Elementary::Sin, &[x]), eval(Elementary::Cos, &[x]));
    let (mut s, mut c) = (more.mul_add(c, s), (-more).mul_add(s, c));
    if steep {
        (s, c) = (c, s);
    }
    if left {
        c = -c;
    }
    (c, if below { -s } else { s })
}

/// The numbers `exp(-2 pi i k / order)`.
pub(super) struct Roots {
    order: usize,
    fine: [Part; 2],
    /// The number of roots in the fine table as a power of two, and the roots that are so many apart.
    coarse: Option<(u32, [Part; 2])>,
}

fn tables(s: &mut Site<'_>, dtype: DType, all: impl Iterator<Item = (f64, f64)>) -> [Part; 2] {
    let bits = |x: f64| match dtype {
        DType::F32 => u64::from((x as f32).to_bits()),
        _ => x.to_bits(),
    };
    let (re, im) = all.map(|(c, s)| (bits(c), bits(-s))).unzip();
    [s.table(dtype, re), s.table(dtype, im)]
}

impl Roots {
    pub fn new(s: &mut Site<'_>, dtype: DType, order: usize) -> Roots {
        let n = order as u64;
        if order <= WHOLE {
            let fine = tables(s, dtype, (0..n).map(|k| turn(k, n)));
            return Roots {
                order,
                fine,
                coarse: None,
            };
        }
        let power = order.ilog2().div_ceil(2);
        let coarse = tables(s, dtype, (0..=n >> power).map(|k| turn(k << power, n)));
        // Less 1, so that their product with a root is small beside it: cos x - 1 = -2 sin(x/2)^2.
        let less_one = |k: u64| {
            let half = turn(k, 2 * n).1;
            (-2.0 * half * half, turn(k, n).1)
        };
        let fine = tables(s, dtype, (0..1 << power).map(less_one));
        Roots {
            order,
            fine,
            coarse: Some((power, coarse)),
        }
    }

    /// Returns root number `factor * at`, whose number is below the order, of the roots of an order that divides this
    /// one into `order / n`.
    pub fn at(&self, s: &mut Site<'_>, n: usize, at: &Affine, factor: usize) -> (Value, Value) {
        let scale = factor * (self.order / n);
        let at = s.b.scale(at, scale as i64);
        match &self.coarse {
            None => (s.get(&self.fine[0], &at), s.get(&self.fine[1], &at)),
            Some((power, coarse)) => {
                let (high, low) = s.b.div_rem(&at, 1 << power);
                let a = (s.get(&coarse[0], &high), s.get(&coarse[1], &high));
                let b = (s.get(&self.fine[0], &low), s.get(&self.fine[1], &low));
                let less = times(s, a, b);
                plus(s, a, less)
            }
        }
    }
}

/// Returns `a b`.
pub(super) fn times(s: &mut Site<'_>, a: (Value, Value), b: (Value, Value)) -> (Value, Value) {
    let (x, y) = (s.b.mul(a.0, b.0), s.b.mul(a.1, b.1));
    let (u, v) = (s.b.mul(a.0, b.1), s.b.mul(a.1, b.0));
    (s.b.sub(x, y), s.b.add(u, v))
}

/// Returns `a + b`.
pub(super) fn plus(s: &mut Site<'_>, a: (Value, Value), b: (Value, Value)) -> (Value, Value) {
    (s.b.add(a.0, b.0), s.b.add(a.1, b.1))
}

/// Returns `a - b`.
pub(super) fn minus(s: &mut Site<'_>, a: (Value, Value), b: (Value, Value)) -> (Value, Value) {
    (s.b.sub(a.0, b.0), s.b.sub(a.1, b.1))
}
