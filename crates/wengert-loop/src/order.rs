//! The order in which the terms of a sum are added.
//!
//! Floating-point addition is not associative, so the order is part of the semantics of a reduction: the
//! interpreter and the compiled code follow these rules, and their results have the same bits for every vector
//! width and number of threads.

use crate::scalar::{self, ScalarOp};
use crate::types::DType;

/// Number of interleaved partial sums.
pub const PARTIALS: usize = 8;

/// Number of terms from which a reduction keeps [`PARTIALS`] partial sums.
pub const SHORT: usize = 64;

/// Number of terms in a chunk; a longer reduction is split into consecutive chunks.
pub const CHUNK: usize = 65_536;

/// Minimum number of rows and of columns in a product of matrices. The sums of other products, such as those of a
/// matrix and a vector, are computed like reductions.
pub const SIDE: usize = 8;

/// Size (rows x columns x terms) from which a product of matrices is computed by a library, in its own order. The sums
/// of smaller ones are added in order.
pub const LIBRARY: usize = 32 * 32 * 32;

/// Size above which a product may use several threads.
pub const ALONE: usize = 64 * 64 * 64;

/// Returns whether the sums of a product with these rows, columns and terms have partial sums, as those of a reduction
/// of so many terms have.
pub const fn is_long(rows: usize, columns: usize, terms: usize) -> bool {
    terms >= SHORT && (rows < SIDE || columns < SIDE)
}

/// Number of lanes in a chunk of a sum over the lanes of a map.
pub const LANE_CHUNK: usize = 64;

/// Joins partial sums pairwise: `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))`.
pub fn join<T: Copy>(p: [T; PARTIALS], f: &mut impl FnMut(T, T) -> T) -> T {
    let (a, b) = (f(p[0], p[1]), f(p[2], p[3]));
    let (c, d) = (f(p[4], p[5]), f(p[6], p[7]));
    let (a, c) = (f(a, b), f(c, d));
    f(a, c)
}

/// Reduces `get(0), .., get(n - 1)` with `f`; returns `None` for no terms.
///
/// Fewer than [`SHORT`] terms are added in order. Up to [`CHUNK`] terms: partial sum `j` adds terms `j, j + 8,
/// ..` in order, starting with its first term, and the partial sums are joined pairwise. More terms are split
/// into chunks of [`CHUNK`], each reduced by these rules, and the sums of the chunks are added in order.
pub fn reduce<T: Copy>(
    n: usize,
    mut get: impl FnMut(usize) -> T,
    mut f: impl FnMut(T, T) -> T,
) -> Option<T> {
    let mut total = None;
    for start in (0..n).step_by(CHUNK) {
        let sum = chunk(start, CHUNK.min(n - start), &mut get, &mut f);
        total = Some(match total {
            None => sum,
            Some(total) => f(total, sum),
        });
    }
    total
}

fn chunk<T: Copy>(
    start: usize,
    n: usize,
    get: &mut impl FnMut(usize) -> T,
    f: &mut impl FnMut(T, T) -> T,
) -> T {
    if n < SHORT {
        let first = get(start);
        return (start + 1..start + n).fold(first, |sum, i| f(sum, get(i)));
    }
    let mut partials: [T; PARTIALS] = std::array::from_fn(|j| get(start + j));
    for i in PARTIALS..n {
        let j = i % PARTIALS;
        partials[j] = f(partials[j], get(start + i));
    }
    join(partials, f)
}

/// Computes the sum over the `n` lanes of a map, from `zero`. In each chunk of [`LANE_CHUNK`] lanes, partial
/// sum `j` adds lanes `j, j + 8, ..` to zero, and the partial sums are joined pairwise; the sums of the chunks
/// are added in order. No lanes give zero.
pub fn sum_lanes<T: Copy>(
    n: usize,
    zero: T,
    mut get: impl FnMut(usize) -> T,
    mut add: impl FnMut(T, T) -> T,
) -> T {
    let mut total = None;
    for start in (0..n).step_by(LANE_CHUNK) {
        let mut partials = [zero; PARTIALS];
        for i in 0..LANE_CHUNK.min(n - start) {
            let j = i % PARTIALS;
            partials[j] = add(partials[j], get(start + i));
        }
        let sum = join(partials, &mut add);
        total = Some(match total {
            None => sum,
            Some(total) => add(total, sum),
        });
    }
    total.unwrap_or(zero)
}

/// Computes [`sum_lanes`] on terms given by their bits.
pub fn lane_sum(dtype: DType, terms: &[u64]) -> u64 {
    let add = |a, b| scalar::apply(ScalarOp::Add, dtype, dtype, &[a, b]);
    sum_lanes(terms.len(), 0, |i| terms[i], add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n: usize) -> String {
        // Terms are numbered; a sum is represented by the number of its first term and the count of terms
        // joined.
        let sum = reduce(n, |i| (i, 1), |a: (usize, usize), b| (a.0, a.1 + b.1));
        format!("{sum:?}")
    }

    #[test]
    fn every_term_counts_once() {
        for n in [1, 2, 63, 64, 65, 100, CHUNK, CHUNK + 1, 2 * CHUNK + 70] {
            assert_eq!(text(n), format!("Some((0, {n}))"));
        }
        assert_eq!(text(0), "None");
    }

    #[test]
    fn the_order_shows_in_the_bits() {
        let xs: Vec<f64> = (0..70).map(|i| 1.0 / f64::from(i + 1)).collect();
        let sum = reduce(70, |i| xs[i], |a, b| a + b).unwrap();
        let p: Vec<f64> = (0..8)
            .map(|j| {
                xs.iter()
                    .skip(j)
                    .step_by(8)
                    .copied()
                    .reduce(|a, b| a + b)
                    .unwrap()
            })
            .collect();
        assert_eq!(
            sum,
            ((p[0] + p[1]) + (p[2] + p[3])) + ((p[4] + p[5]) + (p[6] + p[7]))
        );
        let short = reduce(63, |i| xs[i], |a, b| a + b).unwrap();
        assert_eq!(
            short,
            xs[..63].iter().copied().reduce(|a, b| a + b).unwrap()
        );
    }

    #[test]
    fn lanes_start_from_zero() {
        let negative_zero = sum_lanes(3, 0.0, |_| -0.0, |a: f64, b| a + b);
        assert!(negative_zero.is_sign_positive());
        assert_eq!(sum_lanes(200, 0, |i| i, |a, b| a + b), 199 * 100);
        assert_eq!(sum_lanes(0, 0, |i| i, |a, b| a + b), 0);
    }
}
