//! Arithmetic on vectors of 256 bits, with AVX2, and of 512, with AVX-512, with the differences side by side: on `f64`
//! in four and eight lanes, on `f32` in eight and sixteen.

use std::arch::x86_64::*;

use wengert_loop::elementary::{Arith, Plain, PlainSingle};

use super::{avx2, avx512};

/// Rounding to the nearest integer, ties to even, without raising a flag.
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// Implements [`Arith`] on numbers of a type for two vector widths: of each operation below, the first expression is for
/// the first width.
macro_rules! arithmetic {
    (
        numbers: $number:ident, $plain:ident
        $(#[$doc4:meta])* $four:ident { F: $f4:ty, I: $i4:ty, M: $m4:ty }
        $(#[$doc8:meta])* $eight:ident { F: $f8:ty, I: $i8:ty, M: $m8:ty }
        any($p:ident) { $any4:expr, $any8:expr }
        $( $op:ident($($x:ident: $t:ty),*) -> $out:ty { $by4:expr, $by8:expr } )*
    ) => {
        arithmetic! {
            @ $number, $plain, $(#[$doc4])* $four { $f4, $i4, $m4 } any($p) { $any4 } $( $op($($x: $t),*) -> $out { $by4 } )*
        }
        arithmetic! {
            @ $number, $plain, $(#[$doc8])* $eight { $f8, $i8, $m8 } any($p) { $any8 } $( $op($($x: $t),*) -> $out { $by8 } )*
        }
    };
    (
        @ $number:ident, $plain:ident, $(#[$doc:meta])* $lanes:ident { $f:ty, $i:ty, $m:ty }
        any($p:ident) { $any:expr }
        $( $op:ident($($x:ident: $t:ty),*) -> $out:ty { $by:expr } )*
    ) => {
        $(#[$doc])*
        pub(super) struct $lanes;

        #[allow(unused_unsafe)]
        const _: () = {
            type F = $f;
            type I = $i;
            type M = $m;

            impl $lanes {
                /// Returns whether a truth value holds in some lane.
                #[inline(always)]
                fn any($p: M) -> bool {
                    // SAFETY: the processor has the vectors.
                    unsafe { $any }
                }
            }

            impl Arith for $lanes {
                type Number = $number;
                type F = F;
                type I = I;
                type M = M;

                const FRACTION: u32 = $plain::FRACTION;

                #[inline(always)]
                fn pattern(x: f64) -> i64 {
                    $plain::pattern(x)
                }

                $(
                    #[inline(always)]
                    fn $op(&mut self, $($x: $t),*) -> $out {
                        // SAFETY: the processor has the vectors.
                        unsafe { $by }
                    }
                )*

                #[inline(always)]
                fn rare(&mut self, m: M, common: F, rare: impl FnOnce(&mut Self) -> F) -> F {
                    if !Self::any(m) {
                        return common;
                    }
                    let rare = rare(self);
                    self.select(m, rare, common)
                }

                #[inline(always)]
                fn repeat<const N: usize>(
                    &mut self,
                    mut state: [F; N],
                    goes_on: impl Fn(&mut Self, [F; N]) -> M,
                    body: impl Fn(&mut Self, [F; N]) -> [F; N],
                ) -> [F; N] {
                    loop {
                        let live = goes_on(self, state);
                        if !Self::any(live) {
                            return state;
                        }
                        let next = body(self, state);
                        for (x, new) in state.iter_mut().zip(next) {
                            *x = self.select(live, new, *x);
                        }
                    }
                }
            }
        };
    };
}

arithmetic! {
    numbers: f64, Plain
    /// Arithmetic on four lanes. Its only user has AVX2 and FMA, and everything is inlined there.
    Four { F: __m256d, I: __m256i, M: __m256d }
    /// Arithmetic on eight lanes. Its only user has AVX-512, and everything is inlined there.
    Eight { F: __m512d, I: __m512i, M: __mmask8 }

    any(m) { _mm256_movemask_pd(m) != 0, m != 0 }
    float(x: f64) -> F { _mm256_set1_pd(x), _mm512_set1_pd(x) }
    int(x: i64) -> I { _mm256_set1_epi64x(x), _mm512_set1_epi64(x) }
    add(a: F, b: F) -> F { _mm256_add_pd(a, b), _mm512_add_pd(a, b) }
    sub(a: F, b: F) -> F { _mm256_sub_pd(a, b), _mm512_sub_pd(a, b) }
    mul(a: F, b: F) -> F { _mm256_mul_pd(a, b), _mm512_mul_pd(a, b) }
    div(a: F, b: F) -> F { _mm256_div_pd(a, b), _mm512_div_pd(a, b) }
    fma(a: F, b: F, c: F) -> F { _mm256_fmadd_pd(a, b, c), _mm512_fmadd_pd(a, b, c) }
    neg(a: F) -> F {
        _mm256_xor_pd(a, _mm256_set1_pd(-0.0)),
        _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(a), _mm512_set1_epi64(i64::MIN)))
    }
    abs(a: F) -> F {
        _mm256_andnot_pd(_mm256_set1_pd(-0.0), a),
        _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(a), _mm512_set1_epi64(i64::MAX)))
    }
    sqrt(a: F) -> F { _mm256_sqrt_pd(a), _mm512_sqrt_pd(a) }
    round(a: F) -> F { _mm256_round_pd::<NEAREST>(a), _mm512_roundscale_pd::<NEAREST>(a) }

    lt(a: F, b: F) -> M { _mm256_cmp_pd::<_CMP_LT_OQ>(a, b), _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b) }
    le(a: F, b: F) -> M { _mm256_cmp_pd::<_CMP_LE_OQ>(a, b), _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b) }
    eq(a: F, b: F) -> M { _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b), _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b) }
    select(m: M, a: F, b: F) -> F { _mm256_blendv_pd(b, a, m), _mm512_mask_blend_pd(m, b, a) }
    select_int(m: M, a: I, b: I) -> I {
        _mm256_blendv_epi8(b, a, _mm256_castpd_si256(m)),
        _mm512_mask_blend_epi64(m, b, a)
    }
    and(a: M, b: M) -> M { _mm256_and_pd(a, b), a & b }
    or(a: M, b: M) -> M { _mm256_or_pd(a, b), a | b }
    not(a: M) -> M { _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(-1))), !a }

    bits(a: F) -> I { _mm256_castpd_si256(a), _mm512_castpd_si512(a) }
    from_bits(a: I) -> F { _mm256_castsi256_pd(a), _mm512_castsi512_pd(a) }
    int_add(a: I, b: I) -> I { _mm256_add_epi64(a, b), _mm512_add_epi64(a, b) }
    int_sub(a: I, b: I) -> I { _mm256_sub_epi64(a, b), _mm512_sub_epi64(a, b) }
    int_and(a: I, b: I) -> I { _mm256_and_si256(a, b), _mm512_and_si512(a, b) }
    int_or(a: I, b: I) -> I { _mm256_or_si256(a, b), _mm512_or_si512(a, b) }
    int_xor(a: I, b: I) -> I { _mm256_xor_si256(a, b), _mm512_xor_si512(a, b) }
    int_shl(a: I, by: u32) -> I {
        _mm256_sllv_epi64(a, _mm256_set1_epi64x(by.into())),
        _mm512_sllv_epi64(a, _mm512_set1_epi64(by.into()))
    }
    int_shr(a: I, by: u32) -> I { avx2::int_shr(a, by), _mm512_srav_epi64(a, _mm512_set1_epi64(by.into())) }
    int_ushr(a: I, by: u32) -> I {
        _mm256_srlv_epi64(a, _mm256_set1_epi64x(by.into())),
        _mm512_srlv_epi64(a, _mm512_set1_epi64(by.into()))
    }
    int_lt(a: I, b: I) -> M { _mm256_castsi256_pd(_mm256_cmpgt_epi64(b, a)), _mm512_cmplt_epi64_mask(a, b) }
    int_eq(a: I, b: I) -> M { _mm256_castsi256_pd(_mm256_cmpeq_epi64(a, b)), _mm512_cmpeq_epi64_mask(a, b) }

    table(table: &'static [f64], index: I) -> F { avx2::table(table, index), avx512::table(table, index) }
}

arithmetic! {
    numbers: f32, PlainSingle
    /// Arithmetic on eight lanes of `f32`. Its only user has AVX2 and FMA, and everything is inlined there.
    EightSingle { F: __m256, I: __m256i, M: __m256 }
    /// Arithmetic on sixteen lanes. Its only user has AVX-512, and everything is inlined there.
    Sixteen { F: __m512, I: __m512i, M: __mmask16 }

    any(m) { _mm256_movemask_ps(m) != 0, m != 0 }
    float(x: f64) -> F { _mm256_set1_ps(x as f32), _mm512_set1_ps(x as f32) }
    int(x: i64) -> I { _mm256_set1_epi32(x as i32), _mm512_set1_epi32(x as i32) }
    add(a: F, b: F) -> F { _mm256_add_ps(a, b), _mm512_add_ps(a, b) }
    sub(a: F, b: F) -> F { _mm256_sub_ps(a, b), _mm512_sub_ps(a, b) }
    mul(a: F, b: F) -> F { _mm256_mul_ps(a, b), _mm512_mul_ps(a, b) }
    div(a: F, b: F) -> F { _mm256_div_ps(a, b), _mm512_div_ps(a, b) }
    fma(a: F, b: F, c: F) -> F { _mm256_fmadd_ps(a, b, c), _mm512_fmadd_ps(a, b, c) }
    neg(a: F) -> F {
        _mm256_xor_ps(a, _mm256_set1_ps(-0.0)),
        _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(i32::MIN)))
    }
    abs(a: F) -> F {
        _mm256_andnot_ps(_mm256_set1_ps(-0.0), a),
        _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(i32::MAX)))
    }
    sqrt(a: F) -> F { _mm256_sqrt_ps(a), _mm512_sqrt_ps(a) }
    round(a: F) -> F { _mm256_round_ps::<NEAREST>(a), _mm512_roundscale_ps::<NEAREST>(a) }

    lt(a: F, b: F) -> M { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
    le(a: F, b: F) -> M { _mm256_cmp_ps::<_CMP_LE_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b) }
    eq(a: F, b: F) -> M { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
    select(m: M, a: F, b: F) -> F { _mm256_blendv_ps(b, a, m), _mm512_mask_blend_ps(m, b, a) }
    select_int(m: M, a: I, b: I) -> I {
        _mm256_blendv_epi8(b, a, _mm256_castps_si256(m)),
        _mm512_mask_blend_epi32(m, b, a)
    }
    and(a: M, b: M) -> M { _mm256_and_ps(a, b), a & b }
    or(a: M, b: M) -> M { _mm256_or_ps(a, b), a | b }
    not(a: M) -> M { _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))), !a }

    bits(a: F) -> I { _mm256_castps_si256(a), _mm512_castps_si512(a) }
    from_bits(a: I) -> F { _mm256_castsi256_ps(a), _mm512_castsi512_ps(a) }
    int_add(a: I, b: I) -> I { _mm256_add_epi32(a, b), _mm512_add_epi32(a, b) }
    int_sub(a: I, b: I) -> I { _mm256_sub_epi32(a, b), _mm512_sub_epi32(a, b) }
    int_and(a: I, b: I) -> I { _mm256_and_si256(a, b), _mm512_and_si512(a, b) }
    int_or(a: I, b: I) -> I { _mm256_or_si256(a, b), _mm512_or_si512(a, b) }
    int_xor(a: I, b: I) -> I { _mm256_xor_si256(a, b), _mm512_xor_si512(a, b) }
    int_shl(a: I, by: u32) -> I {
        _mm256_sllv_epi32(a, _mm256_set1_epi32(by.cast_signed())),
        _mm512_sllv_epi32(a, _mm512_set1_epi32(by.cast_signed()))
    }
    int_shr(a: I, by: u32) -> I {
        _mm256_srav_epi32(a, _mm256_set1_epi32(by.cast_signed())),
        _mm512_srav_epi32(a, _mm512_set1_epi32(by.cast_signed()))
    }
    int_ushr(a: I, by: u32) -> I {
        _mm256_srlv_epi32(a, _mm256_set1_epi32(by.cast_signed())),
        _mm512_srlv_epi32(a, _mm512_set1_epi32(by.cast_signed()))
    }
    int_lt(a: I, b: I) -> M { _mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a)), _mm512_cmplt_epi32_mask(a, b) }
    int_eq(a: I, b: I) -> M { _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)), _mm512_cmpeq_epi32_mask(a, b) }

    table(table: &'static [f32], index: I) -> F {
        avx2::single_table(table, index), avx512::single_table(table, index)
    }
}
