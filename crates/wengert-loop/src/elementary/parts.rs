//! Building blocks of the functions: polynomials, exact sums and products, bit tests.
use super::Arith;

/// `1.5 * 2^52`. Adding it to a float below `2^51` in magnitude rounds that float to an integer, whose two's
/// complement is then in the low bits of the sum.
pub(super) const MAGIC: f64 = 6_755_399_441_055_744.0;

/// [`MAGIC`] in `f32`.
pub(super) const MAGIC_SINGLE: f64 = 12_582_912.0;

/// Returns the [`MAGIC`] of a width.
#[inline(always)]
pub(super) fn magic<A: Arith>() -> f64 {
    if A::FRACTION == 52 {
        MAGIC
    } else {
        MAGIC_SINGLE
    }
}

/// The bits of `1.0`.
pub(super) const ONE: i64 = 0x3ff0_0000_0000_0000;

/// Returns `c[0] + c[1] x + c[2] x^2 + ...` by Horner's rule, with one operation per coefficient after the
/// first.
#[inline(always)]
pub(super) fn horner<A: Arith>(a: &mut A, x: A::F, c: &[f64]) -> A::F {
    let (last, rest) = c.split_last().expect("a polynomial has a coefficient");
    let mut sum = a.float(*last);
    for &c in rest.iter().rev() {
        let c = a.float(c);
        sum = a.fma(sum, x, c);
    }
    sum
}

/// Returns `a + b` as a rounded sum and its error (Knuth 1969, for operands in any order of magnitude).
#[inline(always)]
pub(super) fn two_sum<A: Arith>(a: &mut A, x: A::F, y: A::F) -> (A::F, A::F) {
    let sum = a.add(x, y);
    let y_seen = a.sub(sum, x);
    let x_seen = a.sub(sum, y_seen);
    let x_error = a.sub(x, x_seen);
    let y_error = a.sub(y, y_seen);
    let error = a.add(x_error, y_error);
    (sum, error)
}

/// Returns `a + b` as a rounded sum and its error, where `|a| >= |b|` or `a = 0` (Dekker 1971).
#[inline(always)]
pub(super) fn fast_two_sum<A: Arith>(a: &mut A, x: A::F, y: A::F) -> (A::F, A::F) {
    let sum = a.add(x, y);
    let rest = a.sub(x, sum);
    let error = a.add(rest, y);
    (sum, error)
}

/// Returns `a * b` as a rounded product and its error.
#[inline(always)]
pub(super) fn two_product<A: Arith>(a: &mut A, x: A::F, y: A::F) -> (A::F, A::F) {
    let product = a.mul(x, y);
    let minus = a.neg(product);
    let error = a.fma(x, y, minus);
    (product, error)
}

/// Returns `x * c` for a constant `c`.
#[inline(always)]
pub(super) fn times<A: Arith>(a: &mut A, x: A::F, c: f64) -> A::F {
    let c = a.float(c);
    a.mul(x, c)
}

/// Returns `x + c` for a constant `c`.
#[inline(always)]
pub(super) fn plus<A: Arith>(a: &mut A, x: A::F, c: f64) -> A::F {
    let c = a.float(c);
    a.add(x, c)
}

/// Returns `c - x` for a constant `c`.
#[inline(always)]
pub(super) fn from<A: Arith>(a: &mut A, c: f64, x: A::F) -> A::F {
    let c = a.float(c);
    a.sub(c, x)
}

/// Returns `x * c + y` for a constant `c`.
#[inline(always)]
pub(super) fn fma_by<A: Arith>(a: &mut A, x: A::F, c: f64, y: A::F) -> A::F {
    let c = a.float(c);
    a.fma(x, c, y)
}

/// Returns `x < c` for a constant `c`.
#[inline(always)]
pub(super) fn below<A: Arith>(a: &mut A, x: A::F, c: f64) -> A::M {
    let c = a.float(c);
    a.lt(x, c)
}

/// Returns `c < x` for a constant `c`.
#[inline(always)]
pub(super) fn above<A: Arith>(a: &mut A, x: A::F, c: f64) -> A::M {
    let c = a.float(c);
    a.lt(c, x)
}

/// Returns `x == c` for a constant `c`.
#[inline(always)]
pub(super) fn equals<A: Arith>(a: &mut A, x: A::F, c: f64) -> A::M {
    let c = a.float(c);
    a.eq(x, c)
}

/// Returns `2^n` for the integer `n` (below 1023 in magnitude) in the bits of `MAGIC + n`.
#[inline(always)]
pub(super) fn power_of_two<A: Arith>(a: &mut A, magic: A::F) -> A::F {
    let bits = a.bits(magic);
    let exponent = a.int_shl(bits, A::FRACTION);
    let one = a.int(A::pattern(1.0));
    let bits = a.int_add(exponent, one);
    a.from_bits(bits)
}

/// Returns `2^n p` for `|n| < 2000` and a normal `p`, rounded once: in two steps, so that neither factor leaves
/// the range of normal floats.
#[inline(always)]
pub(super) fn scale<A: Arith>(a: &mut A, p: A::F, n: A::F) -> A::F {
    let half = times(a, n, 0.5);
    let first = plus(a, half, magic::<A>());
    let done = plus(a, first, -magic::<A>());
    let rest = a.sub(n, done);
    let second = plus(a, rest, magic::<A>());
    let first = power_of_two(a, first);
    let second = power_of_two(a, second);
    let p = a.mul(p, first);
    a.mul(p, second)
}

/// Returns whether `|x| >= limit`, or `x` is NaN.
#[inline(always)]
pub(super) fn beyond<A: Arith>(a: &mut A, x: A::F, limit: f64) -> A::M {
    let size = a.abs(x);
    let bits = a.bits(size);
    let limit = a.int(A::pattern(limit) - 1);
    a.int_lt(limit, bits)
}

/// Returns whether `x` is not in `low..high`, both positive: by one comparison of the bits, which also holds
/// for negative numbers and NaN.
#[inline(always)]
pub(super) fn outside<A: Arith>(a: &mut A, x: A::F, low: f64, high: f64) -> A::M {
    let (low, high) = (A::pattern(low), A::pattern(high));
    let bits = a.bits(x);
    let shift = a.int(A::pattern(-0.0).wrapping_sub(low));
    let shifted = a.int_add(bits, shift);
    let last = a.int(A::pattern(-0.0).wrapping_add(high - low - 1));
    a.int_lt(last, shifted)
}

/// Returns `size` (not negative) with the sign of `sign`.
#[inline(always)]
pub(super) fn with_sign<A: Arith>(a: &mut A, size: A::F, sign: A::F) -> A::F {
    let mask = a.int(A::pattern(-0.0));
    let bits = a.bits(sign);
    let sign = a.int_and(bits, mask);
    let size = a.bits(size);
    let bits = a.int_or(size, sign);
    a.from_bits(bits)
}

/// Returns an integer shifted so that its last bit is the sign.
#[inline(always)]
pub(super) fn to_sign<A: Arith>(a: &mut A, n: A::I) -> A::I {
    let exponent = if A::FRACTION == 52 { 11 } else { 8 };
    a.int_shl(n, A::FRACTION + exponent)
}

/// Returns `x`, negated where the integer `n` of `MAGIC + n` is odd.
#[inline(always)]
pub(super) fn negate_if_odd<A: Arith>(a: &mut A, x: A::F, magic: A::F) -> A::F {
    let n = a.bits(magic);
    let flip = to_sign(a, n);
    let bits = a.bits(x);
    let bits = a.int_xor(bits, flip);
    a.from_bits(bits)
}
