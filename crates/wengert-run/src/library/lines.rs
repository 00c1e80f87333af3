//! Products of a matrix and a few vectors with AVX-512, where the terms of a sum are adjacent. The matrix is read by whole
//! lines of the cache, wherever it begins, since a vector that lies in two lines takes two reads.

use std::arch::x86_64::*;
use std::ops::Range;

use wengert_loop::order::{self, CHUNK, PARTIALS, SHORT};

use super::tiles;
use super::vectors::FewVectors;

/// Elements of a line.
const LINE: usize = 8;

/// Computes the sums of some rows.
///
/// # Safety
/// As for [`super::vectors::compute`]; the processor has AVX-512.
pub(super) unsafe fn by_avx512(p: &FewVectors<f64>, rows: Range<usize>) {
    // SAFETY: guaranteed by the caller.
    unsafe {
        match p.lies_along() && (1..=CHUNK).contains(&p.terms) {
            true => along(p, rows),
            false => tiles::vectors_by_avx512::<__m512d, __m512d, 1>(p, rows),
        }
    }
}

/// # Safety
/// As for [`by_avx512`]; terms are adjacent.
#[target_feature(enable = "avx512f")]
unsafe fn along(p: &FewVectors<f64>, rows: Range<usize>) {
    let mut row = rows.start;
    while row < rows.end {
        let some = match rows.end - row {
            left if left >= PARTIALS || p.terms < SHORT => left.min(PARTIALS),
            left if left >= 4 => 4,
            _ => 1,
        };
        for v in 0..p.vectors {
            // SAFETY: guaranteed by the caller; the rows exist.
            unsafe {
                match some {
                    _ if p.terms < SHORT => short(p, row..row + some, v),
                    1 => long::<1>(p, row, v),
                    4 => long::<4>(p, row, v),
                    _ => long::<PARTIALS>(p, row, v),
                }
            }
        }
        row += some;
    }
}

/// Computes sums in the order of long reductions.
///
/// # Safety
/// As for [`along`]; the rows exist.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn long<const ROWS: usize>(p: &FewVectors<f64>, row: usize, v: usize) {
    let by_row = p.matrix_strides.0;
    let mut left = p.matrix.wrapping_add(row * by_row);
    let mut right = p.vector.wrapping_add(v * p.vector_strides.0);
    // The terms before the first whole line, if lines begin at the same terms of all rows.
    let first = match by_row % LINE {
        0 => left.addr().wrapping_neg() / size_of::<f64>() % LINE,
        _ => 0,
    };
    let lines = (p.terms - first) / LINE;
    let mut sums = [_mm512_set1_pd(-0.0); ROWS];
    // SAFETY: guaranteed by the caller; masked elements are not read.
    unsafe {
        if first > 0 {
            let mask = 0xff << (LINE - first);
            let back = LINE - first;
            some(
                &mut sums,
                left.wrapping_sub(back),
                by_row,
                right.wrapping_sub(back),
                mask,
            );
            (left, right) = (left.add(first), right.add(first));
        }
        for _ in 0..lines {
            let y = _mm512_loadu_pd(right);
            for (r, sum) in sums.iter_mut().enumerate() {
                let x = _mm512_loadu_pd(left.wrapping_add(r * by_row));
                *sum = _mm512_add_pd(*sum, _mm512_mul_pd(x, y));
            }
            (left, right) = (left.wrapping_add(LINE), right.wrapping_add(LINE));
        }
        let rest = (p.terms - first) % LINE;
        if rest > 0 {
            some(&mut sums, left, by_row, right, (1 << rest) - 1);
        }
        if first > 0 {
            // Partial sum `j` is in lane `j - first`.
            let lanes = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
            let lanes = _mm512_sub_epi64(lanes, _mm512_set1_epi64(first as i64));
            for sum in &mut sums {
                *sum = _mm512_permutexvar_pd(lanes, *sum);
            }
        }
        let (by_sum, by_vector) = p.sums_strides;
        let to = p.sums.add(row * by_sum + v * by_vector);
        if ROWS == PARTIALS && by_sum == 1 {
            let mut all = [sums[0]; PARTIALS];
            all[..ROWS].copy_from_slice(&sums);
            return _mm512_storeu_pd(to, joined(&all));
        }
        for (r, sum) in sums.iter().enumerate() {
            let mut partials = [0.0; PARTIALS];
            _mm512_storeu_pd(partials.as_mut_ptr(), *sum);
            *to.add(r * by_sum) = order::join(partials, &mut |x, y| x + y);
        }
    }
}

/// Adds the products of some terms.
///
/// # Safety
/// As for [`along`]; the rows and the masked terms exist.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn some<const ROWS: usize>(
    sums: &mut [__m512d; ROWS],
    left: *const f64,
    by_row: usize,
    right: *const f64,
    mask: u8,
) {
    // SAFETY: guaranteed by the caller.
    unsafe {
        let y = _mm512_maskz_loadu_pd(mask, right);
        for (r, sum) in sums.iter_mut().enumerate() {
            let x = _mm512_maskz_loadu_pd(mask, left.wrapping_add(r * by_row));
            *sum = _mm512_mask_add_pd(*sum, mask, *sum, _mm512_mul_pd(x, y));
        }
    }
}

/// Joins the partial sums of each of eight sums pairwise, as [`order::join`] does, and returns the sums in order.
#[inline]
#[target_feature(enable = "avx512f")]
fn joined(sums: &[__m512d; PARTIALS]) -> __m512d {
    let [a, b, c, d, e, f, g, h] = *sums;
    let low = pairs(neighbours(a, b), neighbours(c, d));
    let high = pairs(neighbours(e, f), neighbours(g, h));
    pairs(low, high)
}

/// Adds neighbouring elements: `[x0+x1, y0+y1, x2+x3, y2+y3, ..]`.
#[inline]
#[target_feature(enable = "avx512f")]
fn neighbours(x: __m512d, y: __m512d) -> __m512d {
    _mm512_add_pd(_mm512_unpacklo_pd(x, y), _mm512_unpackhi_pd(x, y))
}

/// Adds neighbouring pairs of elements: `[x0+x2, x1+x3, x4+x6, x5+x7, y0+y2, ..]`.
#[inline]
#[target_feature(enable = "avx512f")]
fn pairs(x: __m512d, y: __m512d) -> __m512d {
    _mm512_add_pd(even(x, y), odd(x, y))
}

/// The even pairs of elements of two vectors.
#[inline]
#[target_feature(enable = "avx512f")]
fn even(x: __m512d, y: __m512d) -> __m512d {
    _mm512_shuffle_f64x2::<0b10_00_10_00>(x, y)
}

/// The odd pairs of elements of two vectors.
#[inline]
#[target_feature(enable = "avx512f")]
fn odd(x: __m512d, y: __m512d) -> __m512d {
    _mm512_shuffle_f64x2::<0b11_01_11_01>(x, y)
}

/// Computes short sums, which are in order: one row in each lane. Blocks of the matrix are transposed in registers.
///
/// # Safety
/// As for [`along`]; there are one to eight rows.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn short(p: &FewVectors<f64>, rows: Range<usize>, v: usize) {
    let by_row = p.matrix_strides.0;
    let right = p.vector.wrapping_add(v * p.vector_strides.0);
    let mut sums = _mm512_set1_pd(-0.0);
    // SAFETY: guaranteed by the caller; masked elements are not read or written.
    unsafe {
        for k in (0..p.terms).step_by(LINE) {
            let terms = LINE.min(p.terms - k);
            let mask = (0xff_u16 >> (LINE - terms)) as u8;
            let mut block = [_mm512_setzero_pd(); PARTIALS];
            for (r, x) in block.iter_mut().enumerate() {
                let row = (rows.start + r).min(rows.end - 1);
                *x = _mm512_maskz_loadu_pd(mask, p.matrix.wrapping_add(row * by_row + k));
            }
            let block = transposed(&block);
            for (j, &x) in block[..terms].iter().enumerate() {
                let y = _mm512_set1_pd(*right.add(k + j));
                sums = _mm512_add_pd(sums, _mm512_mul_pd(x, y));
            }
        }
        let (by_sum, by_vector) = p.sums_strides;
        let to = p.sums.add(rows.start * by_sum + v * by_vector);
        if by_sum == 1 {
            let mask = (0xff_u16 >> (LINE - rows.len())) as u8;
            return _mm512_mask_storeu_pd(to, mask, sums);
        }
        let mut each = [0.0; PARTIALS];
        _mm512_storeu_pd(each.as_mut_ptr(), sums);
        for (r, sum) in each[..rows.len()].iter().enumerate() {
            *to.add(r * by_sum) = *sum;
        }
    }
}

/// Transposes a block.
#[inline]
#[target_feature(enable = "avx512f")]
fn transposed(rows: &[__m512d; 8]) -> [__m512d; 8] {
    let [a, b, c, d, e, f, g, h] = *rows;
    let [c0, c2, c4, c6] = columns([
        _mm512_unpacklo_pd(a, b),
        _mm512_unpacklo_pd(c, d),
        _mm512_unpacklo_pd(e, f),
        _mm512_unpacklo_pd(g, h),
    ]);
    let [c1, c3, c5, c7] = columns([
        _mm512_unpackhi_pd(a, b),
        _mm512_unpackhi_pd(c, d),
        _mm512_unpackhi_pd(e, f),
        _mm512_unpackhi_pd(g, h),
    ]);
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// Transposes a block of pairs of elements.
#[inline]
#[target_feature(enable = "avx512f")]
fn columns([a, b, c, d]: [__m512d; 4]) -> [__m512d; 4] {
    let (low, high) = ((even(a, b), odd(a, b)), (even(c, d), odd(c, d)));
    [
        even(low.0, high.0),
        even(low.1, high.1),
        odd(low.0, high.0),
        odd(low.1, high.1),
    ]
}
