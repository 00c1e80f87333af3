//! Four lanes in a vector, by AVX2.

use std::arch::x86_64::*;

use wengert_loop::elementary::{Arith, Each, compute};

use super::ROW;

/// To the nearest integer, ties to even, without a flag.
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// AVX2 with FMA.
pub(super) struct Avx2;

impl Each for Avx2 {
    type Made = usize;

    fn make<const F: usize>() -> usize {
        apply::<F> as *const () as usize
    }
}

/// Computes a function in eight lanes, four by four; see [`Wide`](super::Wide).
///
/// # Safety
/// The processor has AVX2 and FMA. There is memory for the result and the arguments, on a
/// multiple of 16 bytes.
#[target_feature(enable = "avx2,fma")]
unsafe extern "C" fn apply<const F: usize>(at: *mut u8, single: u64) {
    let single = single != 0;
    let half = if single { 16 } else { 32 };
    for at in [at, at.wrapping_add(half)] {
        let mut n = 0;
        let result = compute::<F, _>(&mut Four, || {
            n += 1;
            // SAFETY: by the caller.
            unsafe { read(at.add(n * ROW), single) }
        });
        // SAFETY: by the caller.
        unsafe {
            match single {
                true => _mm_storeu_ps(at.cast(), _mm256_cvtpd_ps(result)),
                false => _mm256_storeu_pd(at.cast(), result),
            }
        }
    }
}

/// Four lanes, piece by piece as they were written: a processor does not look for a whole in
/// several stores that are still on their way.
///
/// # Safety
/// The processor has AVX2; there is half a row, on a multiple of 16 bytes.
#[inline(always)]
unsafe fn read(at: *const u8, single: bool) -> __m256d {
    // SAFETY: by the caller. Volatile, or they become one read again.
    unsafe {
        if single {
            return _mm256_cvtps_pd(at.cast::<__m128>().read_volatile());
        }
        let at: *const __m128d = at.cast();
        _mm256_set_m128d(at.add(1).read_volatile(), at.read_volatile())
    }
}

/// Arithmetic of four lanes. Whoever uses it has AVX2 and FMA, and all of it is inlined there.
struct Four;

impl Arith for Four {
    type F = __m256d;
    type I = __m256i;
    type M = __m256d;

    #[inline(always)]
    fn float(&mut self, x: f64) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_set1_pd(x) }
    }

    #[inline(always)]
    fn int(&mut self, x: i64) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_set1_epi64x(x) }
    }

    #[inline(always)]
    fn add(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_add_pd(a, b) }
    }

    #[inline(always)]
    fn sub(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_sub_pd(a, b) }
    }

    #[inline(always)]
    fn mul(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_mul_pd(a, b) }
    }

    #[inline(always)]
    fn div(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_div_pd(a, b) }
    }

    #[inline(always)]
    fn fma(&mut self, a: __m256d, b: __m256d, c: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_fmadd_pd(a, b, c) }
    }

    #[inline(always)]
    fn neg(&mut self, a: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_xor_pd(a, _mm256_set1_pd(-0.0)) }
    }

    #[inline(always)]
    fn abs(&mut self, a: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), a) }
    }

    #[inline(always)]
    fn sqrt(&mut self, a: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_sqrt_pd(a) }
    }

    #[inline(always)]
    fn round(&mut self, a: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_round_pd::<NEAREST>(a) }
    }

    #[inline(always)]
    fn lt(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(a, b) }
    }

    #[inline(always)]
    fn le(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_cmp_pd::<_CMP_LE_OQ>(a, b) }
    }

    #[inline(always)]
    fn eq(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b) }
    }

    #[inline(always)]
    fn select(&mut self, m: __m256d, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_blendv_pd(b, a, m) }
    }

    #[inline(always)]
    fn select_int(&mut self, m: __m256d, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_blendv_epi8(b, a, _mm256_castpd_si256(m)) }
    }

    #[inline(always)]
    fn and(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_and_pd(a, b) }
    }

    #[inline(always)]
    fn or(&mut self, a: __m256d, b: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_or_pd(a, b) }
    }

    #[inline(always)]
    fn not(&mut self, a: __m256d) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(-1))) }
    }

    #[inline(always)]
    fn bits(&mut self, a: __m256d) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_castpd_si256(a) }
    }

    #[inline(always)]
    fn from_bits(&mut self, a: __m256i) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_castsi256_pd(a) }
    }

    #[inline(always)]
    fn int_add(&mut self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_add_epi64(a, b) }
    }

    #[inline(always)]
    fn int_sub(&mut self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_sub_epi64(a, b) }
    }

    #[inline(always)]
    fn int_and(&mut self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_and_si256(a, b) }
    }

    #[inline(always)]
    fn int_or(&mut self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_or_si256(a, b) }
    }

    #[inline(always)]
    fn int_xor(&mut self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_xor_si256(a, b) }
    }

    #[inline(always)]
    fn int_shl(&mut self, a: __m256i, by: u32) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_sllv_epi64(a, _mm256_set1_epi64x(by.into())) }
    }

    #[inline(always)]
    fn int_ushr(&mut self, a: __m256i, by: u32) -> __m256i {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_srlv_epi64(a, _mm256_set1_epi64x(by.into())) }
    }

    #[inline(always)]
    fn int_lt(&mut self, a: __m256i, b: __m256i) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_castsi256_pd(_mm256_cmpgt_epi64(b, a)) }
    }

    #[inline(always)]
    fn int_eq(&mut self, a: __m256i, b: __m256i) -> __m256d {
        // SAFETY: the processor has AVX2 and FMA.
        unsafe { _mm256_castsi256_pd(_mm256_cmpeq_epi64(a, b)) }
    }

    /// The sign bit comes in as a carry does: there is no such shift of 64 bits.
    #[inline(always)]
    fn int_shr(&mut self, a: __m256i, by: u32) -> __m256i {
        let sign = self.int((1u64 << 63 >> by).cast_signed());
        let x = self.int_ushr(a, by);
        let x = self.int_xor(x, sign);
        self.int_sub(x, sign)
    }

    #[inline(always)]
    fn table(&mut self, table: &'static [f64], index: __m256i) -> __m256d {
        assert!(!table.is_empty(), "a table has elements");
        let (first, last) = (self.int(0), self.int(table.len() as i64 - 1));
        let behind = self.int_lt(last, index);
        let index = self.select_int(behind, last, index);
        let before = self.int_lt(index, first);
        let index = self.select_int(before, first, index);
        // SAFETY: the processor has AVX2; every index is one of the table now, which has some.
        unsafe { _mm256_i64gather_pd::<8>(table.as_ptr(), index) }
    }

    #[inline(always)]
    fn rare(
        &mut self,
        m: __m256d,
        common: __m256d,
        rare: impl FnOnce(&mut Self) -> __m256d,
    ) -> __m256d {
        // SAFETY: the processor has AVX2.
        if unsafe { _mm256_movemask_pd(m) } == 0 {
            return common;
        }
        let rare = rare(self);
        self.select(m, rare, common)
    }

    #[inline(always)]
    fn repeat<const N: usize>(
        &mut self,
        mut state: [__m256d; N],
        goes_on: impl Fn(&mut Self, [__m256d; N]) -> __m256d,
        body: impl Fn(&mut Self, [__m256d; N]) -> [__m256d; N],
    ) -> [__m256d; N] {
        loop {
            let live = goes_on(self, state);
            // SAFETY: the processor has AVX2.
            if unsafe { _mm256_movemask_pd(live) } == 0 {
                return state;
            }
            let next = body(self, state);
            for (x, new) in state.iter_mut().zip(next) {
                *x = self.select(live, new, *x);
            }
        }
    }
}
