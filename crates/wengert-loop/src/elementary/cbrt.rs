//! `cbrt`, the cube root.
use super::Double;
use super::log::{SUBNORMAL_SCALE, Split, split};
use super::parts::{
    MAGIC, above, below, fma_by, horner, outside, plus, times, two_product, with_sign,
};

/// `W` with `W(f) = (1 + f)^(-1/3) (1 + d)`, `|d| < 2^-17.4` for `sqrt(1/2) <= 1 + f < sqrt(2)`.
const W: [f64; 6] = [
    1.0000038475967148,
    -0.3332609805684259,
    0.22160512109154884,
    -0.17581853797472585,
    0.16041709579752833,
    -0.10806412019452218,
];

/// `2^(1/3)` and `2^(-1/3)`.
const CBRT_2: f64 = 1.2599210498948732;
const CBRT_HALF: f64 = 0.7937005259840998;

/// Returns the cube root of a positive normal number, times `2^shift`.
///
/// `x = 2^(3 q) z` with `z = 2^j m` and `j` in `-1..=1`. An inverse cube root `w` of `z` to 17 bits is improved
/// by `1 + e/3 + 2 e^2/9`, `e = 1 - z w^3`, to 50; then `y = z w^2` is corrected by `(z - y^3) w^2 / 3`. No
/// division.
#[inline(always)]
fn of_normal<A: Double>(a: &mut A, x: A::F, shift: i64) -> A::F {
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
    let z_square = a.mul(z, square);
    let minus = a.neg(z_square);
    let e = a.fma(minus, w, one);
    let third = a.float(1.0 / 3.0);
    let series = fma_by(a, e, 2.0 / 9.0, third);
    let step = a.mul(series, e);
    let w = a.fma(w, step, w);

    let square = a.mul(w, w);
    let y = a.mul(z, square);
    let (y2, y2_low) = two_product(a, y, y);
    let minus_y = a.neg(y);
    let left = a.fma(minus_y, y2, z);
    let left = a.fma(minus_y, y2_low, left);
    let slope = times(a, square, 1.0 / 3.0);
    let y = a.fma(left, slope, y);

    let n = a.bits(magic);
    let n = a.int_shl(n, 52);
    let y = a.bits(y);
    let y = a.int_add(y, n);
    let y = if shift == 0 {
        y
    } else {
        let shift = a.int(shift << 52);
        a.int_add(y, shift)
    };
    a.from_bits(y)
}

/// Returns the cube root; error below 0.6 ulp.
#[inline(always)]
pub fn cbrt<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let common = of_normal(a, size, 0);
    let rare = outside(a, size, f64::MIN_POSITIVE, f64::INFINITY);
    let y = a.rare(rare, common, |a| {
        // A subnormal is scaled by 2^54, and its root by 2^-18. Zero, infinity and NaN are returned unchanged.
        let scaled = times(a, size, SUBNORMAL_SCALE);
        let root = of_normal(a, scaled, -18);
        let inner = outside(a, size, f64::from_bits(1), f64::INFINITY);
        a.select(inner, size, root)
    });
    with_sign(a, y, x)
}
