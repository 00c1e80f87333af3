//! In what order the terms of a sum are added.
//!
//! Floats do not add associatively, so the order is part of the meaning of a reduction: the
//! interpreter and the compiled code follow these rules, and their results agree to the bit whatever
//! the width of a vector and the number of threads.

use crate::scalar::{self, ScalarOp};
use crate::types::DType;

/// Partial sums that are kept side by side.
pub const PARTIALS: usize = 8;

/// From so many terms on, a reduction keeps [`PARTIALS`] partial sums.
pub const SHORT: usize = 64;

/// A reduction of more terms is cut into consecutive chunks of so many.
pub const CHUNK: usize = 65_536;

/// From so many terms on, the sums of a product of which one side has few rows or columns are taken as
/// those of a reduction are. Shorter ones, and those of matrices, are taken one term after the other: of
/// matrices so long a product is a library's, whose order is its own.
pub const LONG: usize = 512;

/// A product of matrices has at least so many rows and columns.
pub const SIDE: usize = 8;

/// From so many terms on, a product of matrices is a library's, which adds them in an order of its own.
pub const LIBRARY: usize = 32 * 32 * 32;

/// A product of more terms may use several threads.
pub const ALONE: usize = 64 * 64 * 64;

/// Whether each sum of a product is taken as that of a reduction: by its rows, columns and terms.
pub const fn is_long(rows: usize, columns: usize, terms: usize) -> bool {
    terms >= LONG && (rows < SIDE || columns < SIDE)
}

/// A sum over the lanes of a map is cut into consecutive chunks of so many lanes.
pub const LANE_CHUNK: usize = 64;

/// Joins partial sums pairwise: `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))`.
pub fn join<T: Copy>(p: [T; PARTIALS], f: &mut impl FnMut(T, T) -> T) -> T {
    let (a, b) = (f(p[0], p[1]), f(p[2], p[3]));
    let (c, d) = (f(p[4], p[5]), f(p[6], p[7]));
    let (a, c) = (f(a, b), f(c, d));
    f(a, c)
}

/// The reduction of `get(0), .., get(n - 1)` with `f`; `None` of nothing.
///
/// Fewer than [`SHORT`] terms: one after the other, from the first. Up to [`CHUNK`] terms: partial
/// sum `j` adds terms `j, j + 8, ..` in order, from the first of them, and the partial sums are
/// joined pairwise. More: chunks of [`CHUNK`] terms, each by these rules, and their sums one after
/// the other.
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

/// The sum over the `n` lanes of a map, from `zero`: chunks of [`LANE_CHUNK`] lanes; in each,
/// partial sum `j` adds lanes `j, j + 8, ..` to zero, and the partial sums are joined pairwise; the
/// chunks' sums are added one after the other, from the first. Zero of no lanes.
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

/// [`sum_lanes`] of terms given by their bits.
pub fn lane_sum(dtype: DType, terms: &[u64]) -> u64 {
    let add = |a, b| scalar::apply(ScalarOp::Add, dtype, dtype, &[a, b]);
    sum_lanes(terms.len(), 0, |i| terms[i], add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(n: usize) -> String {
        // Terms are numbered; a sum is the number of its first term and how many were joined.
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
