//! The arithmetic in which the elementary functions are written, and its plain implementation.

/// Arithmetic on floats of one width, on their bits, and on truth values.
///
/// Each elementary function is written once against this trait, in one width: see [`Double`] and [`Single`]. With
/// [`Plain`] or [`PlainSingle`] it computes; with a recorder it leaves a trace of the same operations. Every operation is exact or rounded once, to nearest with ties to
/// even, so all implementations give the same bits. Only the payload and the sign of a NaN are unspecified.
pub trait Arith {
    /// A number of the machine of this width: `f64` or `f32`.
    type Number: Copy + 'static;
    /// A float of this width.
    type F: Copy;
    /// The bits of a float, or an integer of as many bits derived from them.
    type I: Copy;
    /// A truth value, one per lane.
    type M: Copy;

    /// The number of bits of a float's fraction.
    const FRACTION: u32;

    /// Returns the bits of a float of this width, with zeros above them.
    fn pattern(x: f64) -> i64;
    /// Returns a constant float, rounded to the width.
    fn float(&mut self, x: f64) -> Self::F;
    /// Returns a constant integer; only the bits of the width count.
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
    /// Returns `a << by`, with `by` below the width; bits shifted out are lost.
    fn int_shl(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Returns `a >> by`, with `by` below the width, shifting in copies of the sign bit.
    fn int_shr(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Returns `a >> by`, with `by` below the width, shifting in zeros.
    fn int_ushr(&mut self, a: Self::I, by: u32) -> Self::I;
    /// Returns `a < b`, both signed.
    fn int_lt(&mut self, a: Self::I, b: Self::I) -> Self::M;
    /// Returns `a == b`
    fn int_eq(&mut self, a: Self::I, b: Self::I) -> Self::M;

    /// Returns `table[index]`. In a lane where the index is outside the table, the result is arbitrary (never a
    /// fault) and must not be used.
    fn table(&mut self, table: &'static [Self::Number], index: Self::I) -> Self::F;

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

/// Arithmetic on `f64`, in which every function is defined.
pub trait Double: Arith<Number = f64> {}
impl<A: Arith<Number = f64>> Double for A {}

/// Arithmetic on `f32`, in which the functions of `single/` are defined.
pub trait Single: Arith<Number = f32> {}
impl<A: Arith<Number = f32>> Single for A {}

/// Implements the arithmetic of the machine for a width.
macro_rules! plain {
    ($(#[$doc:meta])* $plain:ident: $float:ident, $int:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $plain;

impl Arith for $plain {
    type Number = $float;
    type F = $float;
    type I = $int;
    type M = bool;

    const FRACTION: u32 = $float::MANTISSA_DIGITS - 1;

    #[inline(always)]
    fn pattern(x: f64) -> i64 {
        #[allow(clippy::unnecessary_cast)]
        i64::from_ne_bytes(u64::from((x as $float).to_bits()).to_ne_bytes())
    }
    #[inline(always)]
    fn float(&mut self, x: f64) -> $float {
        x as $float
    }
    #[inline(always)]
    fn int(&mut self, x: i64) -> $int {
        x as $int
    }
    #[inline(always)]
    fn add(&mut self, a: $float, b: $float) -> $float {
        a + b
    }
    #[inline(always)]
    fn sub(&mut self, a: $float, b: $float) -> $float {
        a - b
    }
    #[inline(always)]
    fn mul(&mut self, a: $float, b: $float) -> $float {
        a * b
    }
    #[inline(always)]
    fn div(&mut self, a: $float, b: $float) -> $float {
        a / b
    }
    #[inline(always)]
    fn fma(&mut self, a: $float, b: $float, c: $float) -> $float {
        a.mul_add(b, c)
    }
    #[inline(always)]
    fn neg(&mut self, a: $float) -> $float {
        -a
    }
    #[inline(always)]
    fn abs(&mut self, a: $float) -> $float {
        a.abs()
    }
    #[inline(always)]
    fn sqrt(&mut self, a: $float) -> $float {
        a.sqrt()
    }
    #[inline(always)]
    fn round(&mut self, a: $float) -> $float {
        a.round_ties_even()
    }
    #[inline(always)]
    fn lt(&mut self, a: $float, b: $float) -> bool {
        a < b
    }
    #[inline(always)]
    fn le(&mut self, a: $float, b: $float) -> bool {
        a <= b
    }
    #[inline(always)]
    fn eq(&mut self, a: $float, b: $float) -> bool {
        a == b
    }
    #[inline(always)]
    fn select(&mut self, m: bool, a: $float, b: $float) -> $float {
        if m { a } else { b }
    }
    #[inline(always)]
    fn select_int(&mut self, m: bool, a: $int, b: $int) -> $int {
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
    fn bits(&mut self, a: $float) -> $int {
        a.to_bits().cast_signed()
    }
    #[inline(always)]
    fn from_bits(&mut self, a: $int) -> $float {
        $float::from_bits(a.cast_unsigned())
    }
    #[inline(always)]
    fn int_add(&mut self, a: $int, b: $int) -> $int {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn int_sub(&mut self, a: $int, b: $int) -> $int {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn int_and(&mut self, a: $int, b: $int) -> $int {
        a & b
    }
    #[inline(always)]
    fn int_or(&mut self, a: $int, b: $int) -> $int {
        a | b
    }
    #[inline(always)]
    fn int_xor(&mut self, a: $int, b: $int) -> $int {
        a ^ b
    }
    #[inline(always)]
    fn int_shl(&mut self, a: $int, by: u32) -> $int {
        a << by
    }
    #[inline(always)]
    fn int_shr(&mut self, a: $int, by: u32) -> $int {
        a >> by
    }
    #[inline(always)]
    fn int_ushr(&mut self, a: $int, by: u32) -> $int {
        (a.cast_unsigned() >> by).cast_signed()
    }
    #[inline(always)]
    fn int_lt(&mut self, a: $int, b: $int) -> bool {
        a < b
    }
    #[inline(always)]
    fn int_eq(&mut self, a: $int, b: $int) -> bool {
        a == b
    }
    #[inline(always)]
    fn table(&mut self, table: &'static [$float], index: $int) -> $float {
        usize::try_from(index)
            .ok()
            .and_then(|i| table.get(i))
            .copied()
            .unwrap_or($float::NAN)
    }
    #[inline(always)]
    fn rare(&mut self, m: bool, common: $float, rare: impl FnOnce(&mut Self) -> $float) -> $float {
        if m { rare(self) } else { common }
    }
    #[inline(always)]
    fn repeat<const N: usize>(
        &mut self,
        mut state: [$float; N],
        goes_on: impl Fn(&mut Self, [$float; N]) -> bool,
        body: impl Fn(&mut Self, [$float; N]) -> [$float; N],
    ) -> [$float; N] {
        while goes_on(self, state) {
            state = body(self, state);
        }
        state
    }
}    };
}

plain! {
    /// The arithmetic of the machine on `f64`: bits are `i64`, truth values are `bool`.
    Plain: f64, i64
}
plain! {
    /// The arithmetic of the machine on `f32`: bits are `i32`, truth values are `bool`.
    PlainSingle: f32, i32
}
