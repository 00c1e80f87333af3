//! The error function and its complement.
//!
//! `erfc y = e^(-y^2) P(t) / (y + j)` for `y >= 0` with `t = (y - k) / (y + k)` (the idea is that of Shepherd and
//! Laframboise, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x, 1981).
use super::Single;
use super::exp::{LN2_LOW, add_exponent, reduce, reduce_fine, scale_any, small, tail};
use super::parts::{
    MAGIC_SINGLE as MAGIC, above, below, beyond, fast_two_sum, fma_by, from, horner, plus,
    two_product, two_sum, with_sign,
};
use std::f64::consts::LOG2_E;

/// `P` for `k = 4`, `j = 1/2`: `|d| < 2^-29` for `1/2 <= y <= 10.1`. The first coefficient is a sum of two.
const FIRST: [f64; 2] = [0.616_497_6, -1.692_394_8e-8];
const REST: [f64; 10] = [
    -0.069_810_54,
    0.007_689_817_3,
    0.034_047_414,
    -0.050_519_794,
    0.046_884_634,
    -0.033_150_602,
    0.018_471_625,
    -0.008_245_422_5,
    0.002_732_281_6,
    4.827_680_5e-5,
];

/// `V` with `1 - (x + x V(x^2)) = erfc x (1 + d)`, `|d| < 2^-29.6` for `|x| <= 3/4`.
const V_SMALL: [f64; 6] = [
    0.128_379_15,
    -0.376_125_72,
    0.112_829_4,
    -0.026_817_556,
    0.005_084_798_7,
    -0.000_656_219_2,
];

/// `P` for `k = j = 3`: within `2^-32` of 1 after the exponential, for `1 <= y <= 4`.
const NEAR: [f64; 6] = [
    1.074_013_6,
    -0.883_246_8,
    0.591_474_35,
    -0.305_279_37,
    0.130_636_65,
    -0.016_128_793,
];

/// `V` with `y + y V(y^2) = erf y (1 + d)`, `|d| < 2^-29.3` for `0 <= y <= 1`.
const V: [f64; 7] = [
    0.128_379_17,
    -0.376_126_26,
    0.112_835_79,
    -0.026_853_347,
    0.005_187_162,
    -0.000_799_785_37,
    7.806_909e-5,
];

/// Reduces `-y^2 = n ln 2 + r + c`: returns `MAGIC + n`, `n`, `r` and `c`. The square is a sum of two.
#[inline(always)]
fn reduce_square<A: Single>(a: &mut A, y: A::F) -> (A::F, A::F, A::F, A::F) {
    let minus_y = a.neg(y);
    let (square, error) = two_product(a, y, minus_y);
    let magic = a.float(MAGIC);
    let magic = fma_by(a, square, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let low = fma_by(a, n, -LN2_LOW, error);
    let (r, c) = reduce_fine(a, square, n, low);
    (magic, n, r, c)
}

/// Returns the complementary error function, `1 - erf x`.
#[inline(always)]
pub fn erfc<A: Single>(a: &mut A, x: A::F) -> A::F {
    let square = a.mul(x, x);
    let v = horner(a, square, &V_SMALL);
    let one = a.float(1.0);
    let minus_x = a.neg(x);
    let (high, low) = fast_two_sum(a, one, minus_x);
    let low = a.fma(minus_x, v, low);
    let near_zero = a.add(high, low);

    let y = a.abs(x);
    let (magic, n, r, c) = reduce_square(a, y);
    // One division computes both 1 / (y + 1/2), which is inverse (1 - excess), and 1 / (y + 4).
    let half = a.float(0.5);
    let (d, d_low) = fast_two_sum(a, y, half);
    let four_more = plus(a, y, 4.0);
    let both = a.mul(d, four_more);
    let both = a.div(one, both);
    let inverse = a.mul(both, four_more);
    let minus_one = a.float(-1.0);
    let excess = a.fma(inverse, d, minus_one);
    let excess = a.fma(inverse, d_low, excess);
    // The other quotient is corrected by its residual; t = 1 - 8 / (y + 4).
    let other = a.mul(both, d);
    let minus_other = a.neg(other);
    let left = a.fma(minus_other, four_more, one);
    let other = a.fma(other, left, other);
    let t = fma_by(a, other, -8.0, one);
    let q = horner(a, t, &REST);
    let first = a.float(FIRST[0]);
    let p = a.fma(q, t, first);
    let p_low = a.sub(first, p);
    let p_low = a.fma(q, t, p_low);
    let p_low = plus(a, p_low, FIRST[1]);
    // A relative error is added to the exponent.
    let c = a.sub(c, excess);
    let e = tail(a, r, c);
    let (w, w_low) = two_product(a, p, inverse);
    let w_low = a.fma(p_low, inverse, w_low);
    let w_low = a.fma(w_low, r, w_low);
    let w_low = a.fma(w, e, w_low);
    let high = a.fma(w, r, w);
    let low = a.sub(w, high);
    let low = a.fma(w, r, low);
    let low = a.add(low, w_low);
    let p = a.add(high, low);
    let common = add_exponent(a, p, magic);
    let rare = beyond(a, x, 9.0);
    let size = a.rare(rare, common, |a| {
        let minus = a.neg(y);
        let square = a.mul(minus, y);
        scale_any(a, p, n, square)
    });
    let reflected = from(a, 2.0, size);
    let negative = below(a, x, 0.0);
    let far = a.select(negative, reflected, size);
    let small = below(a, y, 0.75);
    a.select(small, near_zero, far)
}

/// Returns the error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`. Up to 1 it uses a
/// polynomial, then `1 - erfc x`; from 4 on it is 1.
#[inline(always)]
pub fn erf<A: Single>(a: &mut A, x: A::F) -> A::F {
    let y = a.abs(x);
    let four = a.float(4.0);
    let large = a.lt(four, y);
    let y = a.select(large, four, y);
    let z = a.mul(y, y);
    let v = horner(a, z, &V);
    let near_zero = a.fma(v, y, y);

    let minus = a.neg(z);
    let (magic, _, r) = reduce(a, minus);
    let e = small(a, r);
    let e = add_exponent(a, e, magic);
    // e^-y^2 from that of the rounded square.
    let lost = a.fma(y, y, minus);
    let lost = a.neg(lost);
    let e = a.fma(e, lost, e);
    let one = a.float(1.0);
    let three = a.float(3.0);
    let (d, d_low) = two_sum(a, three, y);
    let inverse = a.div(one, d);
    let t = plus(a, y, -3.0);
    let t = a.mul(t, inverse);
    let p = horner(a, t, &NEAR);
    // The quotient is corrected by its residual.
    let q = a.mul(p, inverse);
    let minus_q = a.neg(q);
    let left = a.fma(minus_q, d, p);
    let left = a.fma(minus_q, d_low, left);
    let p = a.fma(left, inverse, q);
    let minus_p = a.neg(p);
    let far = a.fma(minus_p, e, one);

    let beyond = above(a, y, 1.0);
    let size = a.select(beyond, far, near_zero);
    with_sign(a, size, x)
}
