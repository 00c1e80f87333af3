//! The order in which the terms of a sum are added.
//!
//! Floating-point addition is not associative, so the order is part of the semantics of a reduction: the
//! interpreter and the compiled code follow these rules, and their results have the same bits for every vector
//! width and number of threads.

use smallvec::SmallVec;

use crate::scalar::{self, ScalarOp};
use crate::types::DType;

/// Number of interleaved partial sums.
pub const PARTIALS: usize = 8;

/// Number of terms from which a reduction keeps [`PARTIALS`] partial sums.
pub const SHORT: usize = 64;

/// Number of terms in a chunk; a longer reduction is split into consecutive chunks, whose results are joined in a
/// [`Tree`].
pub const CHUNK: usize = 4096;

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

/// A pairwise reduction of any number of terms. The first is joined with the second, the third with the fourth, and
/// so on; then neighbours among the results, until one is left. Where the number of terms in such a row is odd, the
/// last one goes on to the next row as it is. So each run of `2^k` terms that begins at a multiple of `2^k` is a subtree,
/// and the error grows with the logarithm of the number of terms.
#[derive(Clone, Debug)]
pub struct Tree<T> {
    /// The results of complete subtrees, from left to right: one of `2^k` terms for each bit `k` of `terms` that is set.
    subtrees: SmallVec<[T; 16]>,
    terms: usize,
}

impl<T: Copy> Tree<T> {
    /// A reduction of no terms.
    pub fn new() -> Tree<T> {
        Tree {
            subtrees: SmallVec::new(),
            terms: 0,
        }
    }

    /// Adds a term on the right.
    pub fn push(&mut self, term: T, mut f: impl FnMut(T, T) -> T) {
        let mut sum = term;
        for _ in 0..self.terms.trailing_ones() {
            let left = self.subtrees.pop().expect("one for each bit");
            sum = f(left, sum);
        }
        self.subtrees.push(sum);
        self.terms += 1;
    }

    /// The result; `None` if there are no terms.
    pub fn total(mut self, mut f: impl FnMut(T, T) -> T) -> Option<T> {
        let mut total = self.subtrees.pop()?;
        while let Some(left) = self.subtrees.pop() {
            total = f(left, total);
        }
        Some(total)
    }
}

impl<T: Copy> Default for Tree<T> {
    fn default() -> Tree<T> {
        Tree::new()
    }
}

/// Reduces `get(0), .., get(n - 1)` with `f`; returns `None` for no terms.
///
/// Fewer than [`SHORT`] terms are added in order. Up to [`CHUNK`] terms: partial sum `j` adds terms `j, j + 8,
/// ..` in order, starting with its first term, and the partial sums are joined pairwise. More terms are split
/// into chunks of [`CHUNK`], each reduced by these rules, and the sums of the chunks are joined in a [`Tree`].
pub fn reduce<T: Copy>(
    n: usize,
    mut get: impl FnMut(usize) -> T,
    mut f: impl FnMut(T, T) -> T,
) -> Option<T> {
    let mut tree = Tree::new();
    for start in (0..n).step_by(CHUNK) {
        let sum = chunk(start, CHUNK.min(n - start), &mut get, &mut f);
        tree.push(sum, &mut f);
    }
    tree.total(f)
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
/// are joined in a [`Tree`]. No lanes give zero.
pub fn sum_lanes<T: Copy>(
    n: usize,
    zero: T,
    mut get: impl FnMut(usize) -> T,
    mut add: impl FnMut(T, T) -> T,
) -> T {
    let mut tree = Tree::new();
    for start in (0..n).step_by(LANE_CHUNK) {
        let mut partials = [zero; PARTIALS];
        for i in 0..LANE_CHUNK.min(n - start) {
            let j = i % PARTIALS;
            partials[j] = add(partials[j], get(start + i));
        }
        tree.push(join(partials, &mut add), &mut add);
    }
    tree.total(add).unwrap_or(zero)
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

    /// A tree as it is written with parentheses.
    fn written(n: usize) -> String {
        let terms: Vec<String> = (0..n).map(|i| i.to_string()).collect();
        let mut texts = terms.clone();
        let mut tree = Tree::new();
        let mut join = |a: usize, b: usize| {
            texts.push(format!("({} {})", texts[a], texts[b]));
            texts.len() - 1
        };
        for i in 0..n {
            tree.push(i, &mut join);
        }
        let total = tree.total(join);
        total.map_or_else(String::new, |i| texts[i].clone())
    }

    #[test]
    fn a_tree_joins_neighbours() {
        let all: Vec<String> = (0..8).map(written).collect();
        let expected = [
            "",
            "0",
            "(0 1)",
            "((0 1) 2)",
            "((0 1) (2 3))",
            "(((0 1) (2 3)) 4)",
            "(((0 1) (2 3)) (4 5))",
            "(((0 1) (2 3)) ((4 5) 6))",
        ];
        assert_eq!(all, expected);
        // Row by row, it is the same.
        for n in 1..70 {
            let mut row: Vec<String> = (0..n).map(|i: usize| i.to_string()).collect();
            while row.len() > 1 {
                let pair = |p: &[String]| match p {
                    [a, b] => format!("({a} {b})"),
                    one => one[0].clone(),
                };
                row = row.chunks(2).map(pair).collect();
            }
            assert_eq!(written(n), row[0], "{n}");
        }
    }

    /// Equal numbers are the worst case: all additions of one size round in the same direction.
    #[test]
    fn long_sums_are_accurate() {
        let n = 1_000_000;
        let add = |a: f32, b: f32| a + b;
        for x in [0.1, 0.3, 0.7, 1.1] {
            let exact = f64::from(x) * n as f64;
            let error = |sum: Option<f32>| (f64::from(sum.unwrap()) - exact).abs() / exact;
            // The same terms in chunks of `size`, added one after the other.
            let one_by_one = |size: usize, sum: &dyn Fn(usize) -> f32| {
                let chunks = (0..n).step_by(size).map(|start| sum(size.min(n - start)));
                chunks.reduce(add)
            };
            let whole = error(reduce(n, |_| x, add));
            let serial = one_by_one(16 * CHUNK, &|n| chunk(0, n, &mut |_| x, &mut { add }));
            assert!(whole < error(serial) / 8.0, "{x}: {whole:e}");
            let lanes = error(Some(sum_lanes(n, 0.0, |_| x, add)));
            let serial = one_by_one(LANE_CHUNK, &|n| sum_lanes(n, 0.0, |_| x, add));
            assert!(lanes < error(serial) / 64.0, "{x}: {lanes:e}");
            assert!(whole < 1e-5 && lanes < 1e-6, "{x}: {whole:e}, {lanes:e}");
        }
    }

    #[test]
    fn lanes_start_from_zero() {
        let negative_zero = sum_lanes(3, 0.0, |_| -0.0, |a: f64, b| a + b);
        assert!(negative_zero.is_sign_positive());
        assert_eq!(sum_lanes(200, 0, |i| i, |a, b| a + b), 199 * 100);
        assert_eq!(sum_lanes(0, 0, |i| i, |a, b| a + b), 0);
    }
}
