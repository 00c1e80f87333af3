//! The arithmetic in which the elementary functions are written, and its plain implementation.

/// Arithmetic on 64-bit floats, on their bits, and on truth values.
///
/// Each elementary function is written once against this trait. With [`Plain`] it computes; with a recorder it
/// leaves a trace of the same operations. Every operation is exact or rounded once, to nearest with ties to
/// even, so all implementations give the same bits. Only the payload and the sign of a NaN are unspecified.
pub trait Arith {
    /// An `f64`.
    type F: Copy;
    /// An `i64`: the bits of a float, or an integer derived from them.
    type I: Copy;
    /// A truth value, one per lane.
    type M: Copy;

    /// Returns a constant float.
    fn float(&mut self, x: f64) -> Self::F;
    /// Returns a constant integer.
    fn int(&mut self, x: i64) -> Self::I;

    /// Returns `a + b`
    fn add(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// Returns `a - b`
    fn sub(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// Returns `a * b`
    fn mul(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// Returns `a / b`
    fn div(&mut self, a: Self::F, b: Self::F) -> Self::F;
    /// Returns `a * b + c`, rounded once.
    fn fma(&mut self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// Returns `a` with its sign bit flipped.
    fn neg(&mut self, a: Self::F) -> Self::F;
    /// Returns `a` with its sign bit cleared.
    fn abs(&mut self, a: Self::F) -> Self::F;
    /// Returns the square root; NaN below zero, `-0` at `-0`.
    fn sqrt(&mut self, a: Self::F) -> Self::F;
    /// Returns the nearest integer, ties to even.
    fn round(&mut self, a: Self::F) -> Self::F;

    /// Returns `a < b`, false on NaN.
    fn lt(&mut self, a: Self::F, b: Self::F) -> Self::M;
    /// Returns `a <= b`, false on NaN.
    fn le(&mut self, a: Self::F, b: Self::F) -> Self::M;
    /// Returns `a == b`, false on NaN.
    fn eq(&mut self, a: Self::F, b: Self::F) -> Self::M;
    /// Returns `a` where `m` holds, else `b`.
    fn select(&mut self, m: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// Returns `a` where `m` holds, else `b`.
    fn select_int(&mut self, m: Self::M, a: Self::I, b: Self::I) -> Self::I;
    /// Returns whether both hold.
    fn and(&mut self, a: Self::M, b: Self::M) -> Self::M;
    /// Returns whether at least one holds.
    fn or(&mut self, a: Self::M, b: Self::M) -> Self::M;
    /// Returns whether it does not hold.
    fn not(&mut self, a: Self::M) -> Self::M;

    /// Returns the IEEE 754 bits of a float.
    fn bits(&mut self, a: Self::F) -> Self::I;
    /// Returns the float with these bits.
    #[allow(clippy::wrong_self_convention)]
    fn from_bits(&mut self, a: Self::I) -> Self::F;
    /// Returns `a + b`, wrapping.
    fn int_add(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Returns `a - b`, wrapping.
    fn int_sub(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Returns the bitwise and.
    fn int_and(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Returns the bitwise or.
    fn int_or(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Returns the bitwise exclusive or.
    fn int_xor(&mut self, a: Self::I, b: Self::I) -> Self::I;
    /// Returns `a << by`, with `by < 64`; bits shifted out are lost.
    fn int_shl(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Returns `a >> by`, with `by < 64`, shifting in copies of the sign bit.
    fn int_shr(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Returns `a >> by`, with `by < 64`, shifting in zeros.
    fn int_ushr(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Returns `a < b`, both signed.
    fn int_lt(&mut self, a: Self::I, b: Self::I) -> Self::M;
    /// Returns `a == b`
    fn int_eq(&mut self, a: Self::I, b: Self::I) -> Self::M;

    /// Returns `table[index]`. In a lane where the index is outside the table, the result is arbitrary (never a
    /// fault) and must not be used.
    fn table(&mut self, table: &'static [f64], index: Self::I) -> Self::F;

    /// Returns `common` where `m` does not hold, and the result of `rare` where it does.
    ///
    /// A recorder may emit `rare` behind a test whether any lane needs it. The other lanes may run it as well;
    /// their results are dropped.
    fn rare(
        &mut self,
        m: Self::M,
        common: Self::F,
        rare: impl FnOnce(&mut Self) -> Self::F,
    ) -> Self::F;

    /// Applies `body` to the state while `goes_on` holds, for each lane separately.
    ///
    /// It must terminate from every state, including one with NaN: a lane whose result is not used may start
    /// from anything.
    fn repeat<const N: usize>(
        &mut self,
        state: [Self::F; N],
        goes_on: impl Fn(&mut Self, [Self::F; N]) -> Self::M,
        body: impl Fn(&mut Self, [Self::F; N]) -> [Self::F; N],
    ) -> [Self::F; N];
}

/// The arithmetic of the machine: floats are `f64`, bits are `i64`, truth values are `bool`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Arith for Plain {
    type F = f64;
    type I = i64;
    type M = bool;

    #[inline(always)]
    fn float(&mut self, x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn int(&mut self, x: i64) -> i64 {
        x
    }
    #[inline(always)]
    fn add(&mut self, a: f64, b: f64) -> f64 {
        a + b
    }
    #[inline(always)]
    fn sub(&mut self, a: f64, b: f64) -> f64 {
        a - b
    }
    #[inline(always)]
    fn mul(&mut self, a: f64, b: f64) -> f64 {
        a * b
    }
    #[inline(always)]
    fn div(&mut self, a: f64, b: f64) -> f64 {
        a / b
    }
    #[inline(always)]
    fn fma(&mut self, a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }
    #[inline(always)]
    fn neg(&mut self, a: f64) -> f64 {
        -a
    }
    #[inline(always)]
    fn abs(&mut self, a: f64) -> f64 {
        a.abs()
    }
    #[inline(always)]
    fn sqrt(&mut self, a: f64) -> f64 {
        a.sqrt()
    }
    #[inline(always)]
    fn round(&mut self, a: f64) -> f64 {
        a.round_ties_even()
    }
    #[inline(always)]
    fn lt(&mut self, a: f64, b: f64) -> bool {
        a < b
    }
    #[inline(always)]
    fn le(&mut self, a: f64, b: f64) -> bool {
        a <= b
    }
    #[inline(always)]
    fn eq(&mut self, a: f64, b: f64) -> bool {
        a == b
    }
    #[inline(always)]
    fn select(&mut self, m: bool, a: f64, b: f64) -> f64 {
        if m { a } else { b }
    }
    #[inline(always)]
    fn select_int(&mut self, m: bool, a: i64, b: i64) -> i64 {
        if m { a } else { b }
    }
    #[inline(always)]
    fn and(&mut self, a: bool, b: bool) -> bool {
        a & b
    }
    #[inline(always)]
    fn or(&mut self, a: bool, b: bool) -> bool {
        a | b
    }
    #[inline(always)]
    fn not(&mut self, a: bool) -> bool {
        !a
    }
    #[inline(always)]
    fn bits(&mut self, a: f64) -> i64 {
        a.to_bits().cast_signed()
    }
    #[inline(always)]
    fn from_bits(&mut self, a: i64) -> f64 {
        f64::from_bits(a.cast_unsigned())
    }
    #[inline(always)]
    fn int_add(&mut self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn int_sub(&mut self, a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn int_and(&mut self, a: i64, b: i64) -> i64 {
        a & b
    }
    #[inline(always)]
    fn int_or(&mut self, a: i64, b: i64) -> i64 {
        a | b
    }
    #[inline(always)]
    fn int_xor(&mut self, a: i64, b: i64) -> i64 {
        a ^ b
    }
    #[inline(always)]
    fn int_shl(&mut self, a: i64, by: u32) -> i64 {
        a << by
    }
    #[inline(always)]
    fn int_shr(&mut self, a: i64, by: u32) -> i64 {
        a >> by
    }
    #[inline(always)]
    fn int_ushr(&mut self, a: i64, by: u32) -> i64 {
        (a.cast_unsigned() >> by).cast_signed()
    }
    #[inline(always)]
    fn int_lt(&mut self, a: i64, b: i64) -> bool {
        a < b
    }
    #[inline(always)]
    fn int_eq(&mut self, a: i64, b: i64) -> bool {
        a == b
    }
    #[inline(always)]
    fn table(&mut self, table: &'static [f64], index: i64) -> f64 {
        usize::try_from(index)
            .ok()
            .and_then(|i| table.get(i))
            .copied()
            .unwrap_or(f64::NAN)
    }
    #[inline(always)]
    fn rare(&mut self, m: bool, common: f64, rare: impl FnOnce(&mut Self) -> f64) -> f64 {
        if m { rare(self) } else { common }
    }
    #[inline(always)]
    fn repeat<const N: usize>(
        &mut self,
        mut state: [f64; N],
        goes_on: impl Fn(&mut Self, [f64; N]) -> bool,
        body: impl Fn(&mut Self, [f64; N]) -> [f64; N],
    ) -> [f64; N] {
        while goes_on(self, state) {
            state = body(self, state);
        }
        state
    }
}
