//! `cbrt`, the cube root.
use super::Single;
use super::log::{MIN_NORMAL, SUBNORMAL_SCALE, Split, split};
use super::parts::{
    MAGIC_SINGLE as MAGIC, above, below, fma_by, horner, outside, plus, times, two_product,
    with_sign,
};

/// `W` with `W(f) = (1 + f)^(-1/3) (1 + d)`, `|d| < 2^-17.3` for `sqrt(1/2) <= 1 + f < sqrt(2)`.
const W: [f64; 6] = [
    1.000_003_8,
    -0.333_261_07,
    0.221_609_22,
    -0.175_831_33,
    0.160_371_21,
    -0.107_913_1,
];

/// `2^(1/3)` and `2^(-1/3)`.
const CBRT_2: f64 = 1.259_921_1;
const CBRT_HALF: f64 = 0.793_700_5;

/// Returns the cube root of a positive normal number, times `2^shift`.
///
/// `x = 2^(3 q) z` with `z = 2^j m` and `j` in `-1..=1`. With an inverse cube root `w` of `z` to 17 bits, `y = z w^2` is
/// corrected by `(z - y^3) w^2 / 3`. No division.
#[inline(always)]
fn of_normal<A: Single>(a: &mut A, x: A::F, shift: i64) -> A::F {
    let Split { minus_k, m, .. } = split(a, x);
    let magic = a.float(MAGIC);
    let magic = fma_by(a, minus_k, -1.0 / 3.0, magic);
    let q = plus(a, magic, -MAGIC);
    let minus_j = fma_by(a, q, 3.0, minus_k);
    let f = plus(a, m, -1.0);
    let w = horner(a, f, &W);
    let up = above(a, minus_j, 0.5);
    let down = below(a, minus_j, -0.5);
    let one = a.float(1.0);
    let double = a.float(2.0);
    let half = a.float(0.5);
    let factor = a.select(down, double, one);
    let factor = a.select(up, half, factor);
    let cbrt_2 = a.float(CBRT_2);
    let cbrt_half = a.float(CBRT_HALF);
    let root = a.select(down, cbrt_half, one);
    let root = a.select(up, cbrt_2, root);
    let z = a.mul(m, factor);
    let w = a.mul(w, root);

    let square = a.mul(w, w);
    let y = a.mul(z, square);
    let (y2, y2_low) = two_product(a, y, y);
    let minus_y = a.neg(y);
    let left = a.fma(minus_y, y2, z);
    let left = a.fma(minus_y, y2_low, left);
    let slope = times(a, square, 1.0 / 3.0);
    let y = a.fma(left, slope, y);

    let n = a.bits(magic);
    let n = a.int_shl(n, 23);
    let y = a.bits(y);
    let y = a.int_add(y, n);
    let y = if shift == 0 {
        y
    } else {
        let shift = a.int(shift << 23);
        a.int_add(y, shift)
    };
    a.from_bits(y)
}

/// Returns the cube root.
#[inline(always)]
pub fn cbrt<A: Single>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let common = of_normal(a, size, 0);
    let rare = outside(a, size, MIN_NORMAL, f64::INFINITY);
    let y = a.rare(rare, common, |a| {
        // A subnormal is scaled by 2^24, and its root by 2^-8. Zero, infinity and NaN are returned unchanged.
        let scaled = times(a, size, SUBNORMAL_SCALE);
        let root = of_normal(a, scaled, -8);
        let inner = outside(a, size, f64::from(f32::from_bits(1)), f64::INFINITY);
        a.select(inner, size, root)
    });
    with_sign(a, y, x)
}
