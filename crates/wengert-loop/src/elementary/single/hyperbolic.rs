//! `sinh`, `cosh`, `tanh`, and the derivative of the last.
use super::Single;
use super::exp::{self, LIMIT, LN2_LOW, Parts, SATURATED};
use super::parts::{
    MAGIC_SINGLE as MAGIC, above, below, beyond, fast_two_sum, fma_by, from, horner, plus, times,
    with_sign,
};
use std::f64::consts::LOG2_E;

/// `C` with `1 + z C(z) = cosh(sqrt z) (1 + d)`, `|d| < 2^-33.2` for `z <= (ln 2 / 2)^2`.
const C: [f64; 3] = [0.5, 0.041_666_456, 0.001_393_575_6];

/// `S` with `r + r^3 S(r^2) = sinh r (1 + d)`, `|d| < 2^-34.1` for `|r| <= ln 2 / 2`.
const S: [f64; 3] = [0.166_666_67, 0.008_333_191, 0.000_199_593_3];

/// `T` with `x + x^3 T(x^2) = tanh x (1 + d)`, `|d| < 2^-32.9` for `|x| <= 0.6`.
const T: [f64; 6] = [
    -0.333_333_3,
    0.133_332_28,
    -0.053_949_706,
    0.021_717_62,
    -0.008_221_261,
    0.002_185_028,
];

/// The addition theorems applied to `x = n ln 2 + r + c`: `sinh x = a cosh r + b sinh r` and `cosh x = b cosh r + a
/// sinh r` with `a = sinh(n ln 2)`, `b = cosh(n ln 2)`. There is no division.
struct Angle<F> {
    r: F,
    /// What `r` has lost.
    c: F,
    /// `a` and `b`, and what they have lost.
    a: [F; 2],
    b: [F; 2],
    /// `cosh r - 1`
    cosh: F,
    /// `sinh r - r`
    sinh: F,
}

/// Splits a positive `x` below `LIMIT`.
#[inline(always)]
fn angle<A: Single>(a: &mut A, x: A::F) -> Angle<A::F> {
    let magic = a.float(MAGIC);
    let magic = fma_by(a, x, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let low = times(a, n, -LN2_LOW);
    let (r, c) = exp::reduce_fine(a, x, n, low);
    let n = a.bits(magic);
    let n = a.int_shl(n, 23);
    let half = a.int(HALF);
    let up = a.int_add(half, n);
    let up = a.from_bits(up);
    let down = a.int_sub(half, n);
    let down = a.from_bits(down);
    let z = a.mul(r, r);
    let cosh = horner(a, z, &C);
    let cosh = a.mul(cosh, z);
    let s = horner(a, z, &S);
    let s = a.mul(s, z);
    let sinh = a.mul(s, r);
    let (sum, sum_low) = fast_two_sum(a, up, down);
    let down = a.neg(down);
    let (difference, difference_low) = fast_two_sum(a, up, down);
    Angle {
        r,
        c,
        a: [difference, difference_low],
        b: [sum, sum_low],
        cosh,
        sinh,
    }
}

/// Returns `p cosh(r + c) + q sinh(r + c)`, the large terms as a sum of two.
#[inline(always)]
fn combined<A: Single>(
    a: &mut A,
    [p, p_low]: [A::F; 2],
    [q, _]: [A::F; 2],
    angle: &Angle<A::F>,
) -> A::F {
    let high = a.fma(q, angle.r, p);
    let low = a.sub(p, high);
    let low = a.fma(q, angle.r, low);
    let low = a.add(low, p_low);
    let low = a.fma(q, angle.c, low);
    let low = a.fma(q, angle.sinh, low);
    let low = a.fma(p, angle.cosh, low);
    a.add(high, low)
}

/// The bits of `1/2`.
const HALF: i64 = 0x3f00_0000;

/// Returns `e^x / 2` for any positive `x`, without intermediate overflow.
#[inline(always)]
fn half_exp<A: Single>(a: &mut A, x: A::F) -> A::F {
    let (_, n, r) = exp::reduce(a, x);
    let p = exp::small(a, r);
    let n = plus(a, n, -1.0);
    exp::scale_any(a, p, n, x)
}

/// Returns the hyperbolic sine.
#[inline(always)]
pub fn sinh<A: Single>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let angle = angle(a, size);
    let y = combined(a, angle.a, angle.b, &angle);
    let rare = beyond(a, x, LIMIT);
    let y = a.rare(rare, y, |a| half_exp(a, size));
    with_sign(a, y, x)
}

/// Returns the hyperbolic cosine.
#[inline(always)]
pub fn cosh<A: Single>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let angle = angle(a, size);
    let common = combined(a, angle.b, angle.a, &angle);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| half_exp(a, size))
}

/// Returns the hyperbolic tangent: up to 0.6 by a polynomial, from there as `1 - q` with `q = 2 / (e^(2 x) + 1)`. The
/// denominator is a sum of two, and the residual of `q` is subtracted, too. From 10 on the result is 1.
#[inline(always)]
pub fn tanh<A: Single>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let z = a.mul(x, x);
    let t = horner(a, z, &T);
    let v = a.mul(t, z);
    let near = a.fma(v, size, size);

    let large = above(a, size, 10.0);
    let most = a.float(10.0);
    let size = a.select(large, most, size);
    let twice = a.add(size, size);
    let Parts { s, r, t } = exp::parts(a, twice);
    let w = a.mul(s, r);
    // e^(2 x) + 1 = d + d_low
    let plus_one = plus(a, s, 1.0);
    let (d, d_low) = fast_two_sum(a, plus_one, w);
    let d_low = a.fma(s, t, d_low);
    let (d, d_low) = fast_two_sum(a, d, d_low);
    let one = a.float(1.0);
    let inverse = a.div(one, d);
    let q = a.add(inverse, inverse);
    let minus_q = a.neg(q);
    let two = a.float(2.0);
    let left = a.fma(minus_q, d, two);
    let left = a.fma(minus_q, d_low, left);
    let (high, low) = fast_two_sum(a, one, minus_q);
    let minus = a.neg(left);
    let low = a.fma(minus, inverse, low);
    let far = a.add(high, low);
    let small = below(a, size, 0.6);
    let y = a.select(small, near, far);
    with_sign(a, y, x)
}

/// Returns the derivative of [`tanh`] at `x`, given `y = tanh(x)`: `(1 - y) (1 + y)`, and where the first factor has
/// lost digits, `1 / cosh^2 x` computed from `e^(-2|x|)`.
#[inline(always)]
pub fn tanh_slope<A: Single>(a: &mut A, x: A::F, y: A::F) -> A::F {
    let below = from(a, 1.0, y);
    let above_minus_one = plus(a, y, 1.0);
    let common = a.mul(below, above_minus_one);
    let rare = beyond(a, y, SATURATED);
    a.rare(rare, common, |a| {
        let size = a.abs(x);
        let minus = times(a, size, -2.0);
        let quarter = exp::bell(a, minus);
        times(a, quarter, 4.0)
    })
}
