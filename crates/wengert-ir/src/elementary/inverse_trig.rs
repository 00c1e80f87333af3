//! `asin`, `acos`, `atan` and `atan2`.
use super::Arith;
use super::huge::FRAC_PI_2_LOW;
use super::parts::{equals, fma_by, from, horner, outside, plus, with_sign};
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
    -0.042_865_247_107_063_86,
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

/// `asin |x|` up to `1/2`, and beyond that `asin sqrt((1 - |x|) / 2)`, so that there
/// `asin |x| = pi/2 - 2 w`. The argument of the square root is exact. Also gives where `|x| <= 1/2`.
#[inline(always)]
fn half_arc<A: Arith>(a: &mut A, x: A::F) -> (A::F, A::M) {
    let size = a.abs(x);
    let half = a.float(0.5);
    let small = a.le(size, half);
    let square = a.mul(x, x);
    let rest = fma_by(a, size, -0.5, half);
    let z = a.select(small, square, rest);
    let root = a.sqrt(rest);
    let r = a.select(small, size, root);
    let s = horner(a, z, &S);
    let v = a.mul(s, z);
    let w = a.fma(v, r, r);
    (w, small)
}

/// The inverse sine, NaN outside `-1..=1`; error below 1.5 ulp.
#[inline]
pub fn asin<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let (w, small) = half_arc(a, x);
    let low = a.float(-FRAC_PI_2_LOW);
    let large = fma_by(a, w, 2.0, low);
    let large = from(a, FRAC_PI_2, large);
    let y = a.select(small, w, large);
    with_sign(a, y, x)
}

/// The inverse cosine, NaN outside `-1..=1`; error below 1.5 ulp.
///
/// It is `base - scale w`, with `w` signed: `pi/2 - w` up to `1/2` in size, then `2 w` above and
/// `pi + 2 w` below.
#[inline]
pub fn acos<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let (w, small) = half_arc(a, x);
    let w = with_sign(a, w, x);
    let twice = a.add(w, w);
    let minus = a.neg(w);
    let change = a.select(small, minus, twice);
    let zero = a.float(0.0);
    let positive = a.lt(zero, x);
    let half_pi = a.float(FRAC_PI_2);
    let half_pi_low = a.float(FRAC_PI_2_LOW);
    let pi = a.float(PI);
    let pi_low = a.float(PI_LOW);
    let base = a.select(positive, zero, pi);
    let base = a.select(small, half_pi, base);
    let low = a.select(positive, zero, pi_low);
    let low = a.select(small, half_pi_low, low);
    let change = a.add(change, low);
    a.add(base, change)
}

/// `atan t` for `0 <= t <= 1`.
#[inline(always)]
fn arc<A: Arith>(a: &mut A, t: A::F) -> A::F {
    let z = a.mul(t, t);
    let p = horner(a, z, &T);
    let v = a.mul(p, z);
    a.fma(v, t, t)
}

/// `base + low - arc` where `m` holds, else `arc`.
#[inline(always)]
fn turn<A: Arith>(a: &mut A, m: A::M, arc: A::F, base: f64, low: f64) -> A::F {
    let turned = plus(a, arc, -low);
    let turned = from(a, base, turned);
    a.select(m, turned, arc)
}

/// The inverse tangent; error below 1.5 ulp. Beyond 1 it is `pi/2 - atan(1 / x)`.
#[inline]
pub fn atan<A: Arith>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let one = a.float(1.0);
    let large = a.lt(one, size);
    let numerator = a.select(large, one, size);
    let denominator = a.select(large, size, one);
    let t = a.div(numerator, denominator);
    let y = arc(a, t);
    let y = turn(a, large, y, FRAC_PI_2, FRAC_PI_2_LOW);
    with_sign(a, y, x)
}

/// The angle of the point `(x, y)`, in `-pi..=pi`; error below 2 ulp. Signs of zero tell quadrants,
/// as in C99 (F.9.1.4).
#[inline]
pub fn atan2<A: Arith>(a: &mut A, y: A::F, x: A::F) -> A::F {
    let x_size = a.abs(x);
    let y_size = a.abs(y);
    let steep = a.lt(x_size, y_size);
    let numerator = a.select(steep, x_size, y_size);
    let denominator = a.select(steep, y_size, x_size);
    let t = a.div(numerator, denominator);
    let common = quadrant(a, t, steep, y, x);
    let rare = outside(a, denominator, f64::from_bits(1), f64::INFINITY);
    a.rare(rare, common, |a| {
        // 0 / 0 counts as 0, infinity / infinity as 1.
        let zero = a.float(0.0);
        let one = a.float(1.0);
        let both = a.eq(numerator, denominator);
        let none = equals(a, denominator, 0.0);
        let same = a.select(none, zero, one);
        let t = a.select(both, same, t);
        quadrant(a, t, steep, y, x)
    })
}

/// The angle of the point `(x, y)` from the tangent `t` of its angle to the nearer axis.
#[inline(always)]
fn quadrant<A: Arith>(a: &mut A, t: A::F, steep: A::M, y: A::F, x: A::F) -> A::F {
    let angle = arc(a, t);
    let angle = turn(a, steep, angle, FRAC_PI_2, FRAC_PI_2_LOW);
    let x = a.bits(x);
    let zero = a.int(0);
    let left = a.int_lt(x, zero);
    let angle = turn(a, left, angle, PI, PI_LOW);
    with_sign(a, angle, y)
}
