//! Four lanes in a vector, by AVX2.

use std::arch::x86_64::*;

use wengert_loop::elementary::{Each, compute};

use super::ROW;
use super::arith::Four;

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

/// `a >> by`. The sign bit comes in as a carry does: there is no such shift of 64 bits.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn int_shr(a: __m256i, by: u32) -> __m256i {
    // SAFETY: by the caller.
    unsafe {
        let sign = _mm256_set1_epi64x((1u64 << 63 >> by).cast_signed());
        let x = _mm256_srlv_epi64(a, _mm256_set1_epi64x(by.into()));
        _mm256_sub_epi64(_mm256_xor_si256(x, sign), sign)
    }
}

/// `table[index]`, with indices that lie outside moved to its ends.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn table(table: &'static [f64], index: __m256i) -> __m256d {
    assert!(!table.is_empty(), "a table has elements");
    // SAFETY: by the caller; every index is made one of the table, which has some.
    unsafe {
        let (first, last) = (
            _mm256_set1_epi64x(0),
            _mm256_set1_epi64x(table.len() as i64 - 1),
        );
        let index = _mm256_blendv_epi8(index, last, _mm256_cmpgt_epi64(index, last));
        let index = _mm256_blendv_epi8(index, first, _mm256_cmpgt_epi64(first, index));
        _mm256_i64gather_pd::<8>(table.as_ptr(), index)
    }
}
