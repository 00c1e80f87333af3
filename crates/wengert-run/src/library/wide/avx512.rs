//! Eight lanes of `f64` per vector, or sixteen of `f32`, with AVX-512.

use std::arch::x86_64::*;

use wengert_loop::elementary::{Each, compute, compute_single};

use super::arith::{Eight, Sixteen};
use super::{ROW, SINGLE, WHOLE};

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
/// The processor has AVX-512. There is memory for the result and the arguments, aligned to 16 bytes.
#[target_feature(enable = "avx512f")]
unsafe extern "C" fn apply<const F: usize>(at: *mut u8, how: u64) {
    let mut n = 0;
    let result = compute::<F, _>(&mut Eight, || {
        n += 1;
        // SAFETY: guaranteed by the caller.
        unsafe { read(at.add(n * ROW), how) }
    });
    // SAFETY: guaranteed by the caller.
    unsafe {
        match how & SINGLE != 0 {
            true => _mm256_storeu_ps(at.cast(), _mm512_cvtpd_ps(result)),
            false => _mm512_storeu_pd(at.cast(), result),
        }
    }
}

/// AVX-512, for sixteen lanes of functions that are defined in `f32` arithmetic.
pub(super) struct Avx512Single;

impl Each for Avx512Single {
    type Made = usize;

    fn make<const F: usize>() -> usize {
        apply_single::<F> as *const () as usize
    }
}

/// Computes a function of `f32` in sixteen lanes; see [`Wide`](super::Wide).
///
/// # Safety
/// The processor has AVX-512. There is memory for the result and the arguments.
#[target_feature(enable = "avx512f")]
unsafe extern "C" fn apply_single<const F: usize>(at: *mut u8, _how: u64) {
    let mut n = 0;
    let result = compute_single::<F, _>(&mut Sixteen, || {
        n += 1;
        // SAFETY: guaranteed by the caller.
        unsafe { _mm512_loadu_ps(at.add(n * ROW).cast()) }
    });
    // SAFETY: guaranteed by the caller.
    unsafe { _mm512_storeu_ps(at.cast(), result) }
}

/// Reads eight lanes as they were written, whole or in pieces: a processor cannot forward one load from several pending
/// stores.
///
/// # Safety
/// The processor has AVX-512; a row can be read, aligned to 16 bytes.
#[inline(always)]
unsafe fn read(at: *const u8, how: u64) -> __m512d {
    // SAFETY: guaranteed by the caller. Volatile, so that the reads are not merged.
    unsafe {
        match (how & SINGLE != 0, how & WHOLE != 0) {
            (false, true) => _mm512_loadu_pd(at.cast()),
            (true, true) => _mm512_cvtps_pd(_mm256_loadu_ps(at.cast())),
            (true, false) => {
                let at: *const __m128 = at.cast();
                let (low, high) = (at.read_volatile(), at.add(1).read_volatile());
                _mm512_cvtps_pd(_mm256_set_m128(high, low))
            }
            (false, false) => {
                let at: *const __m128d = at.cast();
                let low = _mm256_set_m128d(at.add(1).read_volatile(), at.read_volatile());
                let high = _mm256_set_m128d(at.add(3).read_volatile(), at.add(2).read_volatile());
                _mm512_insertf64x4::<1>(_mm512_castpd256_pd512(low), high)
            }
        }
    }
}

/// Returns `table[index]`, with indices clamped to the table.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
pub(super) unsafe fn table(table: &'static [f64], index: __m512i) -> __m512d {
    assert!(!table.is_empty(), "a table has elements");
    let last = table.len() as i64 - 1;
    // SAFETY: guaranteed by the caller; every index is clamped to the table, which is not empty.
    unsafe {
        let index = _mm512_min_epi64(index, _mm512_set1_epi64(last));
        let index = _mm512_max_epi64(index, _mm512_setzero_si512());
        _mm512_i64gather_pd::<8>(index, table.as_ptr())
    }
}

/// Returns `table[index]` of `f32`, with indices clamped to the table.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
pub(super) unsafe fn single_table(table: &'static [f32], index: __m512i) -> __m512 {
    assert!(!table.is_empty(), "a table has elements");
    let last = table.len() as i32 - 1;
    // SAFETY: guaranteed by the caller; every index is clamped to the table, which is not empty.
    unsafe {
        let index = _mm512_min_epi32(index, _mm512_set1_epi32(last));
        let index = _mm512_max_epi32(index, _mm512_setzero_si512());
        _mm512_i32gather_ps::<4>(index, table.as_ptr())
    }
}
