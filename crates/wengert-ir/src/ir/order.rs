//! The order in which sums and products are taken.
//!
//! Floating-point addition is not associative, so the order is part of what a program means: the
//! interpreter and compiled code follow these rules at any vector width and on any number of threads,
//! and give the same bits.
//!
//! **A reduction** of `n` elements, in row-major order over the reduced axes:
//! - below [`SHORT`] elements: one after the other, from the first;
//! - else [`PARTIALS`] interleaved partial results: partial `j` takes the elements `j`, `j + 8`, .. in
//!   order, from element `j` itself; they are joined as [`join`] says;
//! - above [`CHUNK`] elements: consecutive chunks of that many, each by these rules (the last one by
//!   the rule for its own length), and the results of the chunks one after the other.
//!
//! **The sum over the lanes of a map**: consecutive chunks of [`LANE_CHUNK`] lanes; within a chunk
//! [`PARTIALS`] partial sums that start from zero, partial `lane mod 8` adding its lanes in order,
//! joined as [`join`] says; the sums of the chunks one after the other, from the first chunk's.

/// Interleaved partial results: enough to fill vector registers and to hide the latency of an add.
pub const PARTIALS: usize = 8;

/// Fewer elements than this are taken one after the other.
pub const SHORT: usize = 64;

/// More elements than this are split, so that threads can share them.
pub const CHUNK: usize = 65_536;

/// Lanes of a map that are summed together.
pub const LANE_CHUNK: usize = 64;

/// Joins partial results pairwise: `((p0+p1) + (p2+p3)) + ((p4+p5) + (p6+p7))`.
pub fn join<T>(p: [T; PARTIALS], mut op: impl FnMut(T, T) -> T) -> T {
    let [p0, p1, p2, p3, p4, p5, p6, p7] = p;
    let (a, b) = (op(p0, p1), op(p2, p3));
    let (c, d) = (op(p4, p5), op(p6, p7));
    let (low, high) = (op(a, b), op(c, d));
    op(low, high)
}

/// The reduction of the elements `get(0)`, .. `get(n - 1)`; `None` where there is none.
pub fn reduce<T>(
    n: usize,
    mut get: impl FnMut(usize) -> T,
    mut op: impl FnMut(T, T) -> T,
) -> Option<T> {
    let mut total = None;
    for start in (0..n).step_by(CHUNK) {
        let chunk = reduce_chunk(start..n.min(start + CHUNK), &mut get, &mut op);
        total = Some(match total {
            None => chunk,
            Some(sum) => op(sum, chunk),
        });
    }
    total
}

fn reduce_chunk<T>(
    mut range: std::ops::Range<usize>,
    get: &mut impl FnMut(usize) -> T,
    op: &mut impl FnMut(T, T) -> T,
) -> T {
    if range.len() < SHORT {
        let first = get(range.next().expect("chunks are not empty"));
        return range.fold(first, |sum, i| op(sum, get(i)));
    }
    let partial = |j: usize| {
        let mut own = (range.start + j..range.end).step_by(PARTIALS);
        let first = get(own.next().expect("a long chunk has every partial"));
        own.fold(first, |sum, i| op(sum, get(i)))
    };
    let partials = std::array::from_fn(partial);
    join(partials, op)
}

/// The sum over `n` lanes of `get(0)`, .. `get(n - 1)`; `zero` where there is none.
pub fn sum_lanes<T: Clone>(
    n: usize,
    zero: T,
    mut get: impl FnMut(usize) -> T,
    mut add: impl FnMut(T, T) -> T,
) -> T {
    let mut total = None;
    for start in (0..n).step_by(LANE_CHUNK) {
        let end = n.min(start + LANE_CHUNK);
        let partial = |j: usize| {
            let own = (start + j..end).step_by(PARTIALS);
            own.fold(zero.clone(), |sum, i| add(sum, get(i)))
        };
        let partials = std::array::from_fn(partial);
        let chunk = join(partials, &mut add);
        total = Some(match total {
            None => chunk,
            Some(sum) => add(sum, chunk),
        });
    }
    total.unwrap_or(zero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(n: usize) -> String {
        let paren = |a: String, b: String| format!("({a}+{b})");
        reduce(n, |i| i.to_string(), paren).unwrap_or_default()
    }

    #[test]
    fn short_reductions_go_one_after_the_other() {
        assert_eq!(show(0), "");
        assert_eq!(show(1), "0");
        assert_eq!(show(4), "(((0+1)+2)+3)");
    }

    #[test]
    fn long_ones_interleave_eight_partials() {
        let chain = |j: usize, n: usize| {
            let own = (j + 8..n).step_by(8);
            own.fold(j.to_string(), |s, i| format!("({s}+{i})"))
        };
        for n in [64, 67] {
            let p: Vec<String> = (0..8).map(|j| chain(j, n)).collect();
            let want = format!(
                "((({}+{})+({}+{}))+(({}+{})+({}+{})))",
                p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
            );
            assert_eq!(show(n), want);
        }
        assert!(show(63).starts_with("((((((((((("));
    }

    #[test]
    fn very_long_ones_go_by_chunks() {
        let n = 2 * CHUNK + 3;
        let spans = reduce(n, |i| vec![i], |a, b| [a, b].concat()).expect("not empty");
        assert_eq!(spans.len(), n);
        // The last chunk has three elements and is taken one after the other.
        assert_eq!(spans[n - 3..], [n - 3, n - 2, n - 1]);
        assert_eq!(spans[..3], [0, 8, 16]);
        assert_eq!(spans[CHUNK..CHUNK + 2], [CHUNK, CHUNK + 8]);
    }

    #[test]
    fn lanes_start_from_zero() {
        let paren = |a: String, b: String| format!("({a}+{b})");
        let lanes = |n| sum_lanes(n, "z".to_string(), |i| i.to_string(), paren);
        assert_eq!(lanes(0), "z");
        assert_eq!(lanes(2), "((((z+0)+(z+1))+(z+z))+((z+z)+(z+z)))");
        let long = sum_lanes(65, 0.0, |i| i as f64, |a, b| a + b);
        assert_eq!(long, (0..65).sum::<usize>() as f64);
        assert!(
            lanes(65).ends_with("+((((z+64)+z)+(z+z))+((z+z)+(z+z))))"),
            "{}",
            lanes(65)
        );
    }
}
