//! `asin`, `acos`, `atan` and `atan2`.
use super::Double;
use super::huge::FRAC_PI_2_LOW;
use super::parts::{above, equals, fast_two_sum, fma_by, horner, outside, with_sign};
use std::f64::consts::{FRAC_PI_2, PI};

/// `pi - PI`
const PI_LOW: f64 = 2.0 * FRAC_PI_2_LOW;

/// `S` with `r + r^3 S(r^2) = asin r (1 + d)`, `|d| < 2^-59` for `|r| <= 1/2`.
const S: [f64; 13] = [
    0.166_666_666_666_667_63,
    0.074_999_999_999_701_29,
    0.044_642_857_175_256_57,
    0.030_381_942_676_505_957,
    0.022_372_215_885_507_772,
    0.017_351_595_401_749_492,
    0.013_981_028_227_018_752,
    0.011_397_118_969_479_763,
    0.010_790_962_084_444_064,
    0.003_663_027_243_607_744_8,
    0.021_821_035_575_804_11,
    -0.021_172_211_465_972_996,
    0.032_745_155_656_603_464,
];

/// `T` with `t + t^3 T(t^2) = atan t (1 + d)`, `|d| < 2^-58.5` for `|t| <= 1`.
const T: [f64; 21] = [
    -0.333_333_333_333_332_87,
    0.199_999_999_999_906_2,
    -0.142_857_142_850_443_99,
    0.111_111_110_866_203_58,
    -0.090_909_085_494_679_65,
    0.076_922_997_300_312_92,
    -0.066_665_838_386_857_29,
    0.058_817_168_893_054_69,
    -0.052_594_387_559_414_15,
    0.047_449_555_277_258_63,
    -0.042_865_247_107_063_76,
    0.038_214_598_922_060_62,
    -0.032_796_916_463_939_8,
    0.026_173_564_111_346_758,
    -0.018_645_675_172_566_132,
    0.011_351_585_815_528_493,
    -0.005_639_406_873_358_932_5,
    0.002_167_003_378_183_700_3,
    -0.000_598_854_762_850_748,
    0.000_105_271_722_230_249_63,
    -8.804_884_130_210_769e-6,
];

/// Returns `base + low + (r + v r)`, where `base` is zero or the large part: all but the last sum are exact or
/// small.
#[inline(always)]
fn assemble<A: Double>(a: &mut A, base: A::F, low: A::F, r: A::F, v: A::F) -> A::F {
    let (high, error) = fast_two_sum(a, base, r);
    let rest = a.fma(v, r, low);
    let rest = a.add(rest, error);
    a.add(high, rest)
}

/// The reduction of `asin` and `acos`: `r = |x|` where `small`, that is up to `1/2`, and beyond that
/// twice `sqrt((1 - |x|) / 2)`, so that there `asin |x| = pi/2 - (r + v r)`. The argument of the
/// square root is exact.
struct HalfArc<F, M> {
    small: M,
    twice_root: F,
    v: F,
}

#[inline(always)]
fn half_arc<A: Double>(a: &mut A, x: A::F) -> HalfArc<A::F, A::M> {
    let size = a.abs(x);
    let half = a.float(0.5);
    let small = a.le(size, half);
    let square = a.mul(x, x);
    let rest = fma_by(a, size, -0.5, half);
    let z = a.select(small, square, rest);
    let root = a.sqrt(rest);
    let twice_root = a.add(root, root);
    let s = horner(a, z, &S);
    let v = a.mul(s, z);
    HalfArc {
        small,
        twice_root,
        v,
    }
}

/// Returns the inverse sine, NaN outside `-1..=1`; error below 1.5 ulp.
#[inline(always)]
pub fn asin<A: Double>(a: &mut A, x: A::F) -> A::F {
    let HalfArc {
        small,
        twice_root,
        v,
    } = half_arc(a, x);
    let size = a.abs(x);
    let minus = a.neg(twice_root);
    let r = a.select(small, size, minus);
    let base = unless(a, small, FRAC_PI_2);
    let low = unless(a, small, FRAC_PI_2_LOW);
    let y = assemble(a, base, low, r, v);
    with_sign(a, y, x)
}

/// Returns the inverse cosine, NaN outside `-1..=1`; error below 1.5 ulp.
///
/// Up to `1/2` in size it is `pi/2 - asin x`; beyond, with `w = r + v r`, it is `w` for positive `x`
/// and `pi - w` for negative.
#[inline(always)]
pub fn acos<A: Double>(a: &mut A, x: A::F) -> A::F {
    let HalfArc {
        small,
        twice_root,
        v,
    } = half_arc(a, x);
    let signed = with_sign(a, twice_root, x);
    let minus = a.neg(x);
    let r = a.select(small, minus, signed);
    let positive = above(a, x, 0.0);
    let half_pi = a.float(FRAC_PI_2);
    let base = unless(a, positive, PI);
    let base = a.select(small, half_pi, base);
    let half_pi_low = a.float(FRAC_PI_2_LOW);
    let low = unless(a, positive, PI_LOW);
    let low = a.select(small, half_pi_low, low);
    assemble(a, base, low, r, v)
}

/// Returns `c` where `m` does not hold, else 0.
#[inline(always)]
fn unless<A: Double>(a: &mut A, m: A::M, c: f64) -> A::F {
    let zero = a.float(0.0);
    let c = a.float(c);
    a.select(m, zero, c)
}

/// Returns `v` with `atan t = t + v t`, for `|t| <= 1`.
#[inline(always)]
fn arc<A: Double>(a: &mut A, t: A::F) -> A::F {
    let z = a.mul(t, t);
    let p = horner(a, z, &T);
    a.mul(p, z)
}

/// Returns the inverse tangent; error below 1.5 ulp. Beyond 1 it is `pi/2 + atan(-1 / x)`.
#[inline(always)]
pub fn atan<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let one = a.float(1.0);
    let minus = a.float(-1.0);
    let small = a.le(size, one);
    let numerator = a.select(small, size, minus);
    let denominator = a.select(small, one, size);
    let t = a.div(numerator, denominator);
    let v = arc(a, t);
    let base = unless(a, small, FRAC_PI_2);
    let low = unless(a, small, FRAC_PI_2_LOW);
    let y = assemble(a, base, low, t, v);
    with_sign(a, y, x)
}

/// Returns the angle of the point `(x, y)`, in `-pi..=pi`; error below 1.6 ulp. Signs of zero distinguish
/// quadrants, as in C99 (F.9.1.4).
///
/// For `y >= 0` it is `atan(y / x)`, plus `pi` where `x` is negative; where the quotient exceeds 1 in magnitude
/// it is `pi/2 + atan(-x / y)`.
#[inline(always)]
pub fn atan2<A: Double>(a: &mut A, y: A::F, x: A::F) -> A::F {
    let x_size = a.abs(x);
    let y_size = a.abs(y);
    let steep = a.lt(x_size, y_size);
    let minus_x = a.neg(x);
    let numerator = a.select(steep, minus_x, y_size);
    let denominator = a.select(steep, y_size, x);
    let t = a.div(numerator, denominator);
    let common = quadrant(a, t, steep, y, x);
    let largest = a.abs(denominator);
    let rare = outside(a, largest, f64::from_bits(1), f64::INFINITY);
    a.rare(rare, common, |a| {
        // 0 / 0 counts as 0, infinity / infinity as 1 with the sign of x.
        let both = a.eq(x_size, y_size);
        let none = equals(a, largest, 0.0);
        let same = unless(a, none, 1.0);
        let same = with_sign(a, same, x);
        let t = a.select(both, same, t);
        quadrant(a, t, steep, y, x)
    })
}

/// Returns the angle of the point `(x, y)` from the tangent `t` of its angle to the nearer axis.
#[inline(always)]
fn quadrant<A: Double>(a: &mut A, t: A::F, steep: A::M, y: A::F, x: A::F) -> A::F {
    let v = arc(a, t);
    let bits = a.bits(x);
    let zero = a.int(0);
    let left = a.int_lt(bits, zero);
    let right = a.not(left);
    let half_pi = a.float(FRAC_PI_2);
    let base = unless(a, right, PI);
    let base = a.select(steep, half_pi, base);
    let half_pi_low = a.float(FRAC_PI_2_LOW);
    let low = unless(a, right, PI_LOW);
    let low = a.select(steep, half_pi_low, low);
    let angle = assemble(a, base, low, t, v);
    with_sign(a, angle, y)
}
