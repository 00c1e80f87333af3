//! Four lanes of `f64` per vector, or eight of `f32`, with AVX2.

use std::arch::x86_64::*;

use wengert_loop::elementary::{Each, compute, compute_single};

use super::arith::{EightSingle, Four};
use super::{ROW, SINGLE, WHOLE};

/// AVX2 with FMA.
pub(super) struct Avx2;

impl Each for Avx2 {
    type Made = usize;

    fn make<const F: usize>() -> usize {
        apply::<F> as *const () as usize
    }
}

/// Computes a function in eight lanes, four at a time; see [`Wide`](super::Wide).
///
/// # Safety
/// The processor has AVX2 and FMA. There is memory for the result and the arguments, aligned to 16 bytes.
#[target_feature(enable = "avx2,fma")]
unsafe extern "C" fn apply<const F: usize>(at: *mut u8, how: u64) {
    let single = how & SINGLE != 0;
    let half = if single { 16 } else { 32 };
    for at in [at, at.wrapping_add(half)] {
        let mut n = 0;
        let result = compute::<F, _>(&mut Four, || {
            n += 1;
            // SAFETY: guaranteed by the caller.
            unsafe { read(at.add(n * ROW), single) }
        });
        // SAFETY: guaranteed by the caller.
        unsafe {
            match single {
                true => _mm_storeu_ps(at.cast(), _mm256_cvtpd_ps(result)),
                false => _mm256_storeu_pd(at.cast(), result),
            }
        }
    }
}

/// AVX2 with FMA, for functions that are defined in `f32` arithmetic.
pub(super) struct Avx2Single;

impl Each for Avx2Single {
    type Made = usize;

    fn make<const F: usize>() -> usize {
        apply_single::<F> as *const () as usize
    }
}

/// Computes a function of `f32` in eight lanes; see [`Wide`](super::Wide).
///
/// # Safety
/// The processor has AVX2 and FMA. There is memory for the result and the arguments, aligned to 16 bytes.
#[target_feature(enable = "avx2,fma")]
unsafe extern "C" fn apply_single<const F: usize>(at: *mut u8, how: u64) {
    let mut n = 0;
    let result = compute_single::<F, _>(&mut EightSingle, || {
        n += 1;
        // SAFETY: guaranteed by the caller.
        unsafe { read_single(at.add(n * ROW), how) }
    });
    // SAFETY: guaranteed by the caller.
    unsafe { _mm256_storeu_ps(at.cast(), result) }
}

/// Reads eight lanes of `f32` as they were written, whole or in pieces.
///
/// # Safety
/// The processor has AVX2; half a row can be read, aligned to 16 bytes.
#[inline(always)]
unsafe fn read_single(at: *const u8, how: u64) -> __m256 {
    // SAFETY: guaranteed by the caller. Volatile, so that the reads are not merged.
    unsafe {
        if how & WHOLE != 0 {
            return _mm256_loadu_ps(at.cast());
        }
        let at: *const __m128 = at.cast();
        _mm256_set_m128(at.add(1).read_volatile(), at.read_volatile())
    }
}

/// Reads four lanes in the pieces in which they were written: a processor cannot forward one load from several
/// pending stores.
///
/// # Safety
/// The processor has AVX2; half a row can be read, aligned to 16 bytes.
#[inline(always)]
unsafe fn read(at: *const u8, single: bool) -> __m256d {
    // SAFETY: guaranteed by the caller. Volatile, so that the reads are not merged.
    unsafe {
        if single {
            return _mm256_cvtps_pd(at.cast::<__m128>().read_volatile());
        }
        let at: *const __m128d = at.cast();
        _mm256_set_m128d(at.add(1).read_volatile(), at.read_volatile())
    }
}

/// Computes `a >> by`. The sign bit is shifted in by a correction, because AVX2 has no arithmetic shift of 64
/// bits.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn int_shr(a: __m256i, by: u32) -> __m256i {
    // SAFETY: guaranteed by the caller.
    unsafe {
        let sign = _mm256_set1_epi64x((1u64 << 63 >> by).cast_signed());
        let x = _mm256_srlv_epi64(a, _mm256_set1_epi64x(by.into()));
        _mm256_sub_epi64(_mm256_xor_si256(x, sign), sign)
    }
}

/// Returns `table[index]`, with indices clamped to the table.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn table(table: &'static [f64], index: __m256i) -> __m256d {
    assert!(!table.is_empty(), "a table has elements");
    // SAFETY: guaranteed by the caller; every index is clamped to the table, which is not empty.
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

/// Returns `table[index]` of `f32`, with indices clamped to the table.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
pub(super) unsafe fn single_table(table: &'static [f32], index: __m256i) -> __m256 {
    assert!(!table.is_empty(), "a table has elements");
    // SAFETY: guaranteed by the caller; every index is clamped to the table, which is not empty.
    unsafe {
        let last = _mm256_set1_epi32(table.len() as i32 - 1);
        let index = _mm256_min_epi32(index, last);
        let index = _mm256_max_epi32(index, _mm256_setzero_si256());
        _mm256_i32gather_ps::<4>(table.as_ptr(), index)
    }
}
