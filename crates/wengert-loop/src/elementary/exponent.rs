//! Composing and decomposing floats.
use super::Double;
use super::parts::{MAGIC, above, below, equals, plus, power_of_two, times};

/// Returns `2^n` for the integer nearest to `n`, clamped to -1022..=1023.
#[inline(always)]
fn normal_power<A: Double>(a: &mut A, n: A::F) -> A::F {
    let magic = plus(a, n, MAGIC);
    power_of_two(a, magic)
}

/// Returns `2^n x` for the integer nearest to `n`, rounded once.
#[inline(always)]
pub fn ldexp<A: Double>(a: &mut A, x: A::F, n: A::F) -> A::F {
    let n = a.round(n);
    let (zero, up, down) = (a.float(0.0), a.float(1023.0), a.float(-969.0));
    let (mut x, mut n) = (x, n);
    // The steps down stay so far above the last step that what they may lose is lost there anyway.
    for _ in 0..2 {
        let high = above(a, n, 1023.0);
        let low = below(a, n, -1022.0);
        let step = a.select(high, up, zero);
        let step = a.select(low, down, step);
        let by = normal_power(a, step);
        x = a.mul(x, by);
        n = a.sub(n, step);
    }
    let high = above(a, n, 1023.0);
    let n = a.select(high, up, n);
    let least = a.float(-1022.0);
    let low = a.lt(n, least);
    let n = a.select(low, least, n);
    let by = normal_power(a, n);
    let y = a.mul(x, by);
    // A power that is NaN cannot be built from bits.
    let known = a.eq(n, n);
    let nan = a.float(f64::NAN);
    a.select(known, y, nan)
}

/// Returns the `n` with `|x| = m 2^n` and `1/2 <= m < 1`; 0 for zeros, infinities and NaN.
#[inline(always)]
pub fn exponent<A: Double>(a: &mut A, x: A::F) -> A::F {
    let size = a.abs(x);
    let small = below(a, size, f64::MIN_POSITIVE);
    let scaled = times(a, size, 2f64.powi(54));
    let size_normal = a.select(small, scaled, size);
    let bits = a.bits(size_normal);
    let biased = a.int_ushr(bits, 52);
    let magic = a.int(MAGIC.to_bits().cast_signed());
    let number = a.int_add(biased, magic);
    let number = a.from_bits(number);
    let n = plus(a, number, -MAGIC);
    let n = plus(a, n, -1022.0);
    let lower = plus(a, n, -54.0);
    let n = a.select(small, lower, n);
    let zero = a.float(0.0);
    let none = equals(a, size, 0.0);
    let n = a.select(none, zero, n);
    let finite = below(a, size, f64::INFINITY);
    a.select(finite, n, zero)
}
