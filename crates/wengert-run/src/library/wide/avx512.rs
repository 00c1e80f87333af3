//! Eight lanes in a vector, by AVX-512.

use std::arch::x86_64::*;

use wengert_loop::elementary::{Arith, Each, compute};

use super::ROW;

/// To the nearest integer, ties to even, without a flag.
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// AVX-512.
pub(super) struct Avx512;

impl Each for Avx512 {
    type Made = usize;

    fn make<const F: usize>() -> usize {
        apply::<F> as *const () as usize
    }
}

/// Computes a function in eight lanes; see [`Wide`](super::Wide).
///
/// # Safety
/// The processor has AVX-512. There is memory for the result and the arguments, on a multiple
/// of 16 bytes.
#[target_feature(enable = "avx512f")]
unsafe extern "C" fn apply<const F: usize>(at: *mut u8, single: u64) {
    let single = single != 0;
    let mut n = 0;
    let result = compute::<F, _>(&mut Eight, || {
        n += 1;
        // SAFETY: by the caller.
        unsafe { read(at.add(n * ROW), single) }
    });
    // SAFETY: by the caller.
    unsafe {
        match single {
            true => _mm256_storeu_ps(at.cast(), _mm512_cvtpd_ps(result)),
            false => _mm512_storeu_pd(at.cast(), result),
        }
    }
}

/// Eight lanes, piece by piece as they were written: a processor does not look for a whole in
/// several stores that are still on their way.
///
/// # Safety
/// The processor has AVX-512; there is a row, on a multiple of 16 bytes.
#[inline(always)]
unsafe fn read(at: *const u8, single: bool) -> __m512d {
    // SAFETY: by the caller. Volatile, or they become one read again.
    unsafe {
        if single {
            let at: *const __m128 = at.cast();
            let (low, high) = (at.read_volatile(), at.add(1).read_volatile());
            return _mm512_cvtps_pd(_mm256_set_m128(high, low));
        }
        let at: *const __m128d = at.cast();
        let low = _mm256_set_m128d(at.add(1).read_volatile(), at.read_volatile());
        let high = _mm256_set_m128d(at.add(3).read_volatile(), at.add(2).read_volatile());
        _mm512_insertf64x4::<1>(_mm512_castpd256_pd512(low), high)
    }
}

/// Arithmetic of eight lanes. Whoever uses it has AVX-512, and all of it is inlined there.
struct Eight;

impl Arith for Eight {
    type F = __m512d;
    type I = __m512i;
    type M = __mmask8;

    #[inline(always)]
    fn float(&mut self, x: f64) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_set1_pd(x) }
    }

    #[inline(always)]
    fn int(&mut self, x: i64) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_set1_epi64(x) }
    }

    #[inline(always)]
    fn add(&mut self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_add_pd(a, b) }
    }

    #[inline(always)]
    fn sub(&mut self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_sub_pd(a, b) }
    }

    #[inline(always)]
    fn mul(&mut self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_mul_pd(a, b) }
    }

    #[inline(always)]
    fn div(&mut self, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_div_pd(a, b) }
    }

    #[inline(always)]
    fn fma(&mut self, a: __m512d, b: __m512d, c: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_fmadd_pd(a, b, c) }
    }

    #[inline(always)]
    fn neg(&mut self, a: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe {
            _mm512_castsi512_pd(_mm512_xor_si512(
                _mm512_castpd_si512(a),
                _mm512_set1_epi64(i64::MIN),
            ))
        }
    }

    #[inline(always)]
    fn abs(&mut self, a: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe {
            _mm512_castsi512_pd(_mm512_and_si512(
                _mm512_castpd_si512(a),
                _mm512_set1_epi64(i64::MAX),
            ))
        }
    }

    #[inline(always)]
    fn sqrt(&mut self, a: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_sqrt_pd(a) }
    }

    #[inline(always)]
    fn round(&mut self, a: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_roundscale_pd::<NEAREST>(a) }
    }

    #[inline(always)]
    fn lt(&mut self, a: __m512d, b: __m512d) -> __mmask8 {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b) }
    }

    #[inline(always)]
    fn le(&mut self, a: __m512d, b: __m512d) -> __mmask8 {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b) }
    }

    #[inline(always)]
    fn eq(&mut self, a: __m512d, b: __m512d) -> __mmask8 {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b) }
    }

    #[inline(always)]
    fn select(&mut self, m: __mmask8, a: __m512d, b: __m512d) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_mask_blend_pd(m, b, a) }
    }

    #[inline(always)]
    fn select_int(&mut self, m: __mmask8, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_mask_blend_epi64(m, b, a) }
    }

    #[inline(always)]
    fn bits(&mut self, a: __m512d) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_castpd_si512(a) }
    }

    #[inline(always)]
    fn from_bits(&mut self, a: __m512i) -> __m512d {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_castsi512_pd(a) }
    }

    #[inline(always)]
    fn int_add(&mut self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_add_epi64(a, b) }
    }

    #[inline(always)]
    fn int_sub(&mut self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_sub_epi64(a, b) }
    }

    #[inline(always)]
    fn int_and(&mut self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_and_si512(a, b) }
    }

    #[inline(always)]
    fn int_or(&mut self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_or_si512(a, b) }
    }

    #[inline(always)]
    fn int_xor(&mut self, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_xor_si512(a, b) }
    }

    #[inline(always)]
    fn int_shl(&mut self, a: __m512i, by: u32) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_sllv_epi64(a, _mm512_set1_epi64(by.into())) }
    }

    #[inline(always)]
    fn int_shr(&mut self, a: __m512i, by: u32) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_srav_epi64(a, _mm512_set1_epi64(by.into())) }
    }

    #[inline(always)]
    fn int_ushr(&mut self, a: __m512i, by: u32) -> __m512i {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_srlv_epi64(a, _mm512_set1_epi64(by.into())) }
    }

    #[inline(always)]
    fn int_lt(&mut self, a: __m512i, b: __m512i) -> __mmask8 {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_cmplt_epi64_mask(a, b) }
    }

    #[inline(always)]
    fn int_eq(&mut self, a: __m512i, b: __m512i) -> __mmask8 {
        // SAFETY: the processor has AVX-512.
        unsafe { _mm512_cmpeq_epi64_mask(a, b) }
    }

    #[inline(always)]
    fn and(&mut self, a: __mmask8, b: __mmask8) -> __mmask8 {
        a & b
    }
    #[inline(always)]
    fn or(&mut self, a: __mmask8, b: __mmask8) -> __mmask8 {
        a | b
    }
    #[inline(always)]
    fn not(&mut self, a: __mmask8) -> __mmask8 {
        !a
    }

    #[inline(always)]
    fn table(&mut self, table: &'static [f64], index: __m512i) -> __m512d {
        assert!(!table.is_empty(), "a table has elements");
        let last = table.len() as i64 - 1;
        // SAFETY: the processor has AVX-512; every index is made one of the table, which has some.
        unsafe {
            let index = _mm512_min_epi64(index, _mm512_set1_epi64(last));
            let index = _mm512_max_epi64(index, _mm512_setzero_si512());
            _mm512_i64gather_pd::<8>(index, table.as_ptr())
        }
    }

    #[inline(always)]
    fn rare(
        &mut self,
        m: __mmask8,
        common: __m512d,
        rare: impl FnOnce(&mut Self) -> __m512d,
    ) -> __m512d {
        if m == 0 {
            return common;
        }
        let rare = rare(self);
        self.select(m, rare, common)
    }

    #[inline(always)]
    fn repeat<const N: usize>(
        &mut self,
        mut state: [__m512d; N],
        goes_on: impl Fn(&mut Self, [__m512d; N]) -> __mmask8,
        body: impl Fn(&mut Self, [__m512d; N]) -> [__m512d; N],
    ) -> [__m512d; N] {
        loop {
            let live = goes_on(self, state);
            if live == 0 {
                return state;
            }
            let next = body(self, state);
            for (x, new) in state.iter_mut().zip(next) {
                *x = self.select(live, new, *x);
            }
        }
    }
}
