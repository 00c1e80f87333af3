//! The error function and its complement.
//!
//! `erfc y = e^(-y^2) P(t) / (y + j)` for `y >= 0` with `t = (y - k) / (y + k)`: the map takes
//! `0..infinity` to `-1..1`, and `P` is smooth there (the idea is that of Shepherd and Laframboise,
//! Chebyshev approximation of (1 + 2x) exp(x^2) erfc x, 1981).
use super::Double;
use super::exp::{LN2_LOW, add_exponent, reduce_fine, scale_any, small, tail};
use super::parts::{
    MAGIC, above, below, beyond, fast_two_sum, fma_by, from, horner, plus, two_product, with_sign,
};
use std::f64::consts::LOG2_E;

/// `P` for `k = 4`, `j = 1/2`: `|d| < 2^-58.8` for `1/2 <= y <= 27.3`. It is nearly constant. The first
/// coefficient is a sum of two.
const FIRST: [f64; 2] = [0.6164975593127763, -2.192_648_888_161_940_2e-17];
const REST: [f64; 21] = [
    -0.06981055842028125,
    0.00768982605130951,
    0.03404852712734524,
    -0.050519533018126526,
    0.046866417499222005,
    -0.03316518290681393,
    0.018583757767795046,
    -0.008098867018993167,
    0.0025159849996540208,
    -0.0003788867253459954,
    -9.962842156992967e-05,
    7.531125175784165e-05,
    -1.2199269764743688e-05,
    -5.612376464104121e-06,
    2.853841680385486e-06,
    1.4979369186987755e-07,
    -4.106458119959438e-07,
    3.350118837602409e-08,
    5.2372247219352506e-08,
    -6.1087024910094514e-09,
    -5.09074739453266e-09,
];

/// `V` with `1 - (x + x V(x^2)) = erfc x (1 + d)`, `|d| < 2^-59` for `|x| <= 3/4`.
const V_SMALL: [f64; 11] = [
    0.12837916709551256,
    -0.3761263890318353,
    0.11283791670945578,
    -0.026866170643208252,
    0.005223977603799584,
    -0.0008548325524966061,
    0.00012055265814906679,
    -1.4923659320425935e-05,
    1.64232326986256e-06,
    -1.588211698852118e-07,
    1.1279078959331584e-08,
];

/// `P` for `k = j = 3`, relative to `erfc 1`: `|d| < 2^-54` for `1 <= y <= 6`.
const NEAR: [f64; 13] = [
    1.0740069070883391,
    -0.8833944531703012,
    0.5902283570899364,
    -0.31046726203396724,
    0.11952776218767158,
    -0.02682720337133382,
    -0.001212092547894338,
    0.003035993963022897,
    -0.0005408362226435167,
    -0.00025733190834943784,
    0.0001414667398535249,
    6.83047443677249e-05,
    6.433774405015096e-06,
];

/// `V` with `y + y V(y^2) = erf y (1 + d)`, `|d| < 2^-55.3` for `0 <= y <= 1`.
const V: [f64; 13] = [
    0.1283791670955126,
    -0.376126389031841,
    0.11283791670971179,
    -0.02686617064813055,
    0.005223977654677336,
    -0.0008548328707015143,
    0.00012055394287928091,
    -1.4927113483853636e-05,
    1.6485272527490206e-06,
    -1.660595941900985e-07,
    1.636350292340677e-08,
    -1.788305892778228e-09,
    1.6823519570620695e-10,
];

/// Reduces `-y^2 = n ln 2 + r + c`: returns `MAGIC + n`, `n`, `r` and `c`. The square is a sum of two.
#[inline(always)]
fn reduce_square<A: Double>(a: &mut A, y: A::F) -> (A::F, A::F, A::F, A::F) {
    let minus_y = a.neg(y);
    let (square, error) = two_product(a, y, minus_y);
    let magic = a.float(MAGIC);
    let magic = fma_by(a, square, LOG2_E, magic);
    let n = plus(a, magic, -MAGIC);
    let low = fma_by(a, n, -LN2_LOW, error);
    let (r, c) = reduce_fine(a, square, n, low);
    (magic, n, r, c)
}

/// Returns the complementary error function, `1 - erf x`; error below 1.8 ulp.
#[inline(always)]
pub fn erfc<A: Double>(a: &mut A, x: A::F) -> A::F {
    let square = a.mul(x, x);
    let v = horner(a, square, &V_SMALL);
    // The difference is exact where the rest is not small.
    let near_zero = from(a, 1.0, x);
    let minus_x = a.neg(x);
    let near_zero = a.fma(minus_x, v, near_zero);

    let y = a.abs(x);
    let (magic, n, r, c) = reduce_square(a, y);
    // One division computes both 1 / (y + 1/2), which is inverse (1 - excess), and 1 / (y + 4).
    let half = a.float(0.5);
    let (d, d_low) = fast_two_sum(a, y, half);
    let four_more = plus(a, y, 4.0);
    let both = a.mul(d, four_more);
    let one = a.float(1.0);
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
    let e = a.add(e, r);
    let (w, w_low) = two_product(a, p, inverse);
    let w_low = a.fma(p_low, inverse, w_low);
    let w_low = a.fma(w, e, w_low);
    let p = a.add(w, w_low);
    let common = add_exponent(a, p, magic);
    let rare = beyond(a, x, 26.0);
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

/// Returns the error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`; error below 1.5
/// ulp. Up to 1 it uses a polynomial, then `1 - erfc x`; from 6 on it is 1.
#[inline(always)]
pub fn erf<A: Double>(a: &mut A, x: A::F) -> A::F {
    let y = a.abs(x);
    let six = a.float(6.0);
    let large = a.lt(six, y);
    let y = a.select(large, six, y);
    let z = a.mul(y, y);
    let v = horner(a, z, &V);
    let near_zero = a.fma(v, y, y);

    let (magic, _, r, _) = reduce_square(a, y);
    let e = small(a, r);
    let e = add_exponent(a, e, magic);
    let d = plus(a, y, 3.0);
    let one = a.float(1.0);
    let inverse = a.div(one, d);
    let t = fma_by(a, inverse, -6.0, one);
    let p = horner(a, t, &NEAR);
    let p = a.mul(p, inverse);
    let minus_p = a.neg(p);
    let far = a.fma(minus_p, e, one);

    let beyond_one = above(a, y, 1.0);
    let size = a.select(beyond_one, far, near_zero);
    with_sign(a, size, x)
}
