//! The determinant by expansion along the first row, where each minor is computed once.

use wengert::prelude::*;

/// Computes the determinant of a square matrix.
pub fn determinant(a: Var) -> Var {
    let n = a.shape()[0];
    // The minors of the last rows, in the order of the sets of their columns as numbers.
    let mut minors = ones(1);
    for size in 1..=n {
        let smaller = sets(n, size - 1);
        let (mut columns, mut rests, mut signs) = (vec![], vec![], vec![]);
        for set in sets(n, size) {
            let members = (0..n).filter(|j| set >> j & 1 == 1);
            for (k, j) in members.enumerate() {
                columns.push(j as i64);
                let rest = smaller.binary_search(&(set & !(1 << j)));
                rests.push(rest.expect("a smaller set") as i64);
                signs.push(if k % 2 == 0 { 1.0 } else { -1.0 });
            }
        }
        let row = a.at(n - size);
        let of = |numbers: Vec<i64>| Var::from(Array::from(numbers));
        let terms = Var::from(Array::from(signs)) * row.at(of(columns)) * minors.at(of(rests));
        minors = terms.reshape([-1, size as i64]).sum_axis(1);
    }
    minors.at(0)
}

/// Returns the sets of so many of `n` columns, as numbers whose bits they are, in order.
fn sets(n: usize, size: usize) -> Vec<usize> {
    (0..1 << n)
        .filter(|set: &usize| set.count_ones() as usize == size)
        .collect()
}
