//! `asin`, `acos`, `atan` and `atan2`.
use super::Single;
use super::parts::{above, below, equals, fast_two_sum, fma_by, horner, outside, plus, with_sign};
use std::f64::consts::{FRAC_PI_2, PI};

/// `pi/2 - FRAC_PI_2` in `f32`.
const FRAC_PI_2_LOW: f64 = -4.371_139e-8;
/// `pi - PI` in `f32`.
const PI_LOW: f64 = 2.0 * FRAC_PI_2_LOW;

/// `S` with `r + r^3 S(r^2) = asin r (1 + d)`, `|d| < 2^-27.5` for `|r| <= 1/2`.
const S: [f64; 5] = [
    0.166_667_52,
    0.074_953_124,
    0.045_468_82,
    0.024_185_693,
    0.042_158_257,
];

/// `T` with `t + t^3 T(t^2) = atan t (1 + d)`, `|d| < 2^-28.1` for `|t| <= 1`.
const T: [f64; 9] = [
    -0.333_333,
    0.199_985_3,
    -0.142_640_43,
    0.109_511_87,
    -0.084_004_35,
    0.057_899_218,
    -0.031_108_305,
    0.010_869_157,
    -0.001_781_305_3,
];

/// The function of a small `r` is `r + r z p`, with `z = r^2`.
struct Series<F> {
    p: F,
    z: F,
}

/// Returns `base + low + (r + r z p)`, where `base` is zero or the large part: all but the last sum are exact or small.
#[inline(always)]
fn assemble<A: Single>(
    a: &mut A,
    base: A::F,
    low: A::F,
    r: A::F,
    Series { p, z }: Series<A::F>,
) -> A::F {
    let (high, error) = fast_two_sum(a, base, r);
    let cube = a.mul(z, r);
    let rest = a.fma(p, cube, low);
    let rest = a.add(rest, error);
    a.add(high, rest)
}

/// The reduction of `asin` and `acos`: `r = |x|` where `small`, that is up to `1/2`, and beyond that twice
/// `sqrt((1 - |x|) / 2)`, a sum of two, so that there `asin |x| = pi/2 - asin r`. The argument of the square root
/// is exact.
struct HalfArc<F, M> {
    small: M,
    twice_root: F,
    /// What the root has lost, twice; 0 where `small`.
    low: F,
    series: Series<F>,
}

#[inline(always)]
fn half_arc<A: Single>(a: &mut A, x: A::F) -> HalfArc<A::F, A::M> {
    let size = a.abs(x);
    let half = a.float(0.5);
    let small = a.le(size, half);
    let square = a.mul(x, x);
    let rest = fma_by(a, size, -0.5, half);
    let z = a.select(small, square, rest);
    let root = a.sqrt(rest);
    let twice_root = a.add(root, root);
    let minus = a.neg(root);
    let lost = a.fma(minus, root, rest);
    // The root of 0 is exact.
    let divisor = plus(a, root, 1e-30);
    let lost = a.div(lost, divisor);
    let zero = a.float(0.0);
    let low = a.select(small, zero, lost);
    let p = horner(a, z, &S);
    HalfArc {
        small,
        twice_root,
        low,
        series: Series { p, z },
    }
}

/// Returns the inverse sine, NaN outside `-1..=1`.
#[inline(always)]
pub fn asin<A: Single>(a: &mut A, x: A::F) -> A::F {
    let HalfArc {
        small,
        twice_root,
        low,
        series,
    } = half_arc(a, x);
    let size = a.abs(x);
    let minus = a.neg(twice_root);
    let r = a.select(small, size, minus);
    let base = unless(a, small, FRAC_PI_2);
    let base_low = unless(a, small, FRAC_PI_2_LOW);
    let low = a.sub(base_low, low);
    let y = assemble(a, base, low, r, series);
    with_sign(a, y, x)
}

/// Returns the inverse cosine, NaN outside `-1..=1`.
///
/// Up to `1/2` in size it is `pi/2 - asin x`; beyond, with `w = asin r`, it is `w` for positive `x` and `pi - w` for
/// negative.
#[inline(always)]
pub fn acos<A: Single>(a: &mut A, x: A::F) -> A::F {
    let HalfArc {
        small,
        twice_root,
        low,
        series,
    } = half_arc(a, x);
    let signed = with_sign(a, twice_root, x);
    let minus = a.neg(x);
    let r = a.select(small, minus, signed);
    let positive = above(a, x, 0.0);
    let half_pi = a.float(FRAC_PI_2);
    let base = unless(a, positive, PI);
    let base = a.select(small, half_pi, base);
    let half_pi_low = a.float(FRAC_PI_2_LOW);
    let base_low = unless(a, positive, PI_LOW);
    let base_low = a.select(small, half_pi_low, base_low);
    let minus_low = a.neg(low);
    let low = a.select(positive, low, minus_low);
    let low = a.add(base_low, low);
    assemble(a, base, low, r, series)
}

/// Returns `c` where `m` does not hold, else 0.
#[inline(always)]
fn unless<A: Single>(a: &mut A, m: A::M, c: f64) -> A::F {
    let zero = a.float(0.0);
    let c = a.float(c);
    a.select(m, zero, c)
}

/// Returns the series of `atan t` for `|t| <= 1`, and what `low` adds to it.
#[inline(always)]
fn arc<A: Single>(a: &mut A, t: A::F, low: A::F) -> (Series<A::F>, A::F) {
    let z = a.mul(t, t);
    let p = horner(a, z, &T);
    // The derivative is 1 / (1 + z), within a tenth.
    let one = a.float(1.0);
    let slope = fma_by(a, z, -0.5, one);
    let more = a.mul(low, slope);
    // What the cube of t has lost.
    let minus = a.neg(z);
    let square_low = a.fma(t, t, minus);
    let cube = a.mul(z, t);
    let minus = a.neg(cube);
    let cube_low = a.fma(z, t, minus);
    let cube_low = a.fma(square_low, t, cube_low);
    let more = a.fma(p, cube_low, more);
    (Series { p, z }, more)
}

/// Returns the inverse tangent. Beyond 1 it is `pi/2 + atan(-1 / x)`, the quotient being a sum of two.
#[inline(always)]
pub fn atan<A: Single>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let one = a.float(1.0);
    let minus = a.float(-1.0);
    let small = a.le(size, one);
    // From here on the quotient does not matter, and must not underflow.
    let most = a.float(1e30);
    let large = a.lt(most, size);
    let bounded = a.select(large, most, size);
    let denominator = a.select(small, one, bounded);
    let inverse = a.div(minus, denominator);
    let t = a.select(small, size, inverse);
    let left = a.fma(inverse, denominator, one);
    let low = a.mul(left, inverse);
    let (series, low) = arc(a, t, low);
    let base = unless(a, small, FRAC_PI_2);
    let base_low = unless(a, small, FRAC_PI_2_LOW);
    let low = a.add(base_low, low);
    let y = assemble(a, base, low, t, series);
    with_sign(a, y, x)
}

/// Returns the angle of the point `(x, y)`, in `-pi..=pi`. Signs of zero distinguish quadrants, as in C99 (F.9.1.4).
///
/// For `y >= 0` it is `atan(y / x)`, plus `pi` where `x` is negative; where the quotient exceeds 1 in magnitude it is
/// `pi/2 + atan(-x / y)`. What the quotient loses is a second float.
#[inline(always)]
pub fn atan2<A: Single>(a: &mut A, y: A::F, x: A::F) -> A::F {
    let x_size = a.abs(x);
    let y_size = a.abs(y);
    let steep = a.lt(x_size, y_size);
    let minus_x = a.neg(x);
    let numerator = a.select(steep, minus_x, y_size);
    let denominator = a.select(steep, y_size, x);
    let one = a.float(1.0);
    let inverse = a.div(one, denominator);
    let t = a.mul(numerator, inverse);
    let minus_t = a.neg(t);
    let left = a.fma(minus_t, denominator, numerator);
    let low = a.mul(left, inverse);
    let common = quadrant(a, t, low, steep, y, x);
    let largest = a.abs(denominator);
    let smallest = a.abs(numerator);
    let far = outside(a, largest, 1e-37, 1e37);
    let tiny = outside(a, smallest, 1e-30, f64::INFINITY);
    let flat = is_tiny(a, t);
    let rare = a.or(far, tiny);
    let rare = a.or(rare, flat);
    a.rare(rare, common, |a| {
        // 0 / 0 counts as 0, infinity / infinity as 1 with the sign of x.
        let quotient = a.div(numerator, denominator);
        let both = a.eq(x_size, y_size);
        let none = equals(a, largest, 0.0);
        let same = unless(a, none, 1.0);
        let same = with_sign(a, same, x);
        let t = a.select(both, same, quotient);
        // What the quotient has lost, from operands scaled by a power of two, where it is a float.
        let huge = above(a, largest, 1.0);
        let (down, up) = (a.float(2f64.powi(-60)), a.float(2f64.powi(60)));
        let factor = a.select(huge, down, up);
        let (n, d) = (a.mul(numerator, factor), a.mul(denominator, factor));
        let minus_t = a.neg(t);
        let left = a.fma(minus_t, d, n);
        let low = a.div(left, d);
        let lost = is_tiny(a, t);
        let exact = a.or(lost, both);
        let zero = a.float(0.0);
        let unbounded = equals(a, largest, f64::INFINITY);
        let exact = a.or(exact, unbounded);
        let low = a.select(exact, zero, low);
        quadrant(a, t, low, steep, y, x)
    })
}

/// Returns whether a quotient is so small that what it has lost may not be a float.
#[inline(always)]
fn is_tiny<A: Single>(a: &mut A, t: A::F) -> A::M {
    let size = a.abs(t);
    below(a, size, 1e-30)
}

/// Returns the angle of the point `(x, y)` from the tangent `t + low` of its angle to the nearer axis.
#[inline(always)]
fn quadrant<A: Single>(a: &mut A, t: A::F, low: A::F, steep: A::M, y: A::F, x: A::F) -> A::F {
    let (series, more) = arc(a, t, low);
    let bits = a.bits(x);
    let zero = a.int(0);
    let left = a.int_lt(bits, zero);
    let right = a.not(left);
    let half_pi = a.float(FRAC_PI_2);
    let base = unless(a, right, PI);
    let base = a.select(steep, half_pi, base);
    let half_pi_low = a.float(FRAC_PI_2_LOW);
    let base_low = unless(a, right, PI_LOW);
    let base_low = a.select(steep, half_pi_low, base_low);
    let low = a.add(base_low, more);
    let angle = assemble(a, base, low, t, series);
    with_sign(a, angle, y)
}
