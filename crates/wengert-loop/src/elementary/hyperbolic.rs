//! `sinh`, `cosh`, `tanh`, and the derivative of the last.
use super::Double;
use super::exp::{self, LIMIT, Parts, SATURATED};
use super::parts::{ONE, above, beyond, from, horner, plus, times, with_sign};

/// `C` with `1 + z C(z) = cosh(sqrt z) (1 + d)`, `|d| < 2^-57.9` for `z <= (ln 2 / 2)^2`.
const C: [f64; 5] = [
    0.500_000_000_000_001_3,
    0.041_666_666_666_510_43,
    0.001_388_888_894_837_211_7,
    2.480_148_848_504_803e-5,
    2.763_181_893_797_135_6e-7,
];

/// `S` with `r + r^3 S(r^2) = sinh r (1 + d)`, `|d| < 2^-61.6` for `|r| <= ln 2 / 2`.
const S: [f64; 5] = [
    0.166_666_666_666_666_77,
    0.008_333_333_333_321_38,
    0.000_198_412_698_868_451_8,
    2.755_724_341_279_135_3e-6,
    2.510_933_746_448_899e-8,
];

/// The addition theorems applied to `x = n ln 2 + r`: `sinh x = a cosh r + b sinh r` and `cosh x = b cosh r + a
/// sinh r` with `a = sinh(n ln 2)`, `b = cosh(n ln 2)`, exact for small `n`. At most half of a term cancels,
/// and there is no division.
struct Angle<F> {
    r: F,
    /// `-a`, which is `+0` where `n = 0`.
    minus_a: F,
    b: F,
    /// `cosh r - 1`
    cosh: F,
    /// `sinh r - r`
    sinh: F,
}

#[inline(always)]
fn angle<A: Double>(a: &mut A, x: A::F) -> Angle<A::F> {
    let (magic, _, r) = exp::reduce(a, x);
    let n = a.bits(magic);
    let n = a.int_shl(n, 52);
    let half = a.int(ONE - (1 << 52));
    let up = a.int_add(half, n);
    let up = a.from_bits(up);
    let down = a.int_sub(half, n);
    let down = a.from_bits(down);
    let minus_a = a.sub(down, up);
    let b = a.add(down, up);
    let z = a.mul(r, r);
    let c = horner(a, z, &C);
    let cosh = a.mul(c, z);
    let s = horner(a, z, &S);
    let s = a.mul(s, z);
    let sinh = a.mul(s, r);
    Angle {
        r,
        minus_a,
        b,
        cosh,
        sinh,
    }
}

/// Returns the hyperbolic sine; error below 2 ulp.
#[inline(always)]
pub fn sinh<A: Double>(a: &mut A, x: A::F) -> A::F {
    let Angle {
        r,
        minus_a,
        b,
        cosh,
        sinh,
    } = angle(a, x);
    // -0 plus this -0 is -0, and +0 plus -0 is +0.
    let sinh_n = a.neg(minus_a);
    let high = a.fma(b, r, sinh_n);
    let low = a.mul(b, sinh);
    let low = a.fma(sinh_n, cosh, low);
    let common = a.add(high, low);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| {
        let size = a.abs(x);
        let y = exp::half_exp(a, size);
        with_sign(a, y, x)
    })
}

/// Returns the hyperbolic cosine; error below 1.5 ulp.
#[inline(always)]
pub fn cosh<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let Angle {
        r,
        minus_a,
        b,
        cosh,
        sinh,
    } = angle(a, size);
    let sinh_n = a.neg(minus_a);
    let high = a.fma(sinh_n, r, b);
    let low = a.mul(sinh_n, sinh);
    let low = a.fma(b, cosh, low);
    let common = a.add(high, low);
    let rare = beyond(a, x, LIMIT);
    a.rare(rare, common, |a| exp::half_exp(a, size))
}

/// Returns the hyperbolic tangent; error below 1.1 ulp up to 18, and below 1.9 from there.
///
/// With `E = e^(2|x|) - 1` it is `E / (E + 2)`. Numerator and denominator are sums of two, and the quotient is
/// corrected by its residual. From 20 on the result is 1.
#[inline(always)]
pub fn tanh<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let large = above(a, size, 20.0);
    let most = a.float(20.0);
    let size = a.select(large, most, size);
    let twice = a.add(size, size);
    let Parts { s, r, t } = exp::parts(a, twice);
    let w = a.mul(s, r);
    // E = e + e_low
    let minus = plus(a, s, -1.0);
    let e = a.add(minus, w);
    let e_low = a.sub(minus, e);
    let e_low = a.add(e_low, w);
    let e_low = a.fma(s, t, e_low);
    // E + 2 = d + d_low
    let plus_one = plus(a, s, 1.0);
    let d = a.add(plus_one, w);
    let d_low = a.sub(plus_one, d);
    let d_low = a.add(d_low, w);
    let d_low = a.fma(s, t, d_low);
    let numerator = a.add(e, e_low);
    let denominator = a.add(d, d_low);
    let one = a.float(1.0);
    let inverse = a.div(one, denominator);
    let q = a.mul(numerator, inverse);
    let minus_q = a.neg(q);
    let left = a.fma(minus_q, d, e);
    let left = a.add(left, e_low);
    let left = a.fma(minus_q, d_low, left);
    let y = a.fma(left, inverse, q);
    with_sign(a, y, x)
}

/// Returns the derivative of [`tanh`] at `x`, given `y = tanh(x)`: `(1 - y) (1 + y)`, and where the first
/// factor has lost digits, `1 / cosh^2 x` computed from `e^(-2|x|)`. Error below 64 ulp, mostly 4; from an
/// `f32` `y` a few ulp of `f32`.
#[inline(always)]
pub fn tanh_slope<A: Double>(a: &mut A, x: A::F, y: A::F) -> A::F {
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
