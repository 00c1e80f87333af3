//! Householder reflections, by which a matrix becomes tridiagonal or bidiagonal.

use super::rotations::Limits;
use crate::loops::Value;
use crate::loops::affine::Affine;
use crate::schedule::desk::{Carries, Desk, Matrix, place};

/// A reflection `1 - factor v vᵀ` that turns a vector into a multiple of its first axis.
pub(super) struct Reflection {
    /// The first element of `v`; the others are those of the vector.
    pub head: Value,
    /// The factor; 0 if there is nothing to reflect.
    pub factor: Value,
    /// The multiple.
    pub result: Value,
}

impl Limits {
    /// Returns the reflection of a vector with this first element and this sum of squares of the others.
    pub(super) fn reflection(&self, d: &mut Desk, first: Value, squares: Value) -> Reflection {
        let (nothing, one) = (d.number(0.0), d.number(1.0));
        let some = d.lt(self.square, squares);
        let square = d.mul(first, first);
        let sum = d.add(square, squares);
        let norm = d.sqrt(sum);
        let negative = d.lt(first, nothing);
        let minus = d.neg(norm);
        let result = d.select(negative, norm, minus);
        let head = d.sub(first, result);
        let size = d.abs(head);
        let half = d.mul(norm, size);
        let half = d.select(some, half, one);
        let factor = d.div(one, half);
        Reflection {
            head,
            factor: d.select(some, factor, nothing),
            result: d.select(some, result, first),
        }
    }
}

/// The sum of the squares of elements `low` to `high` of column `c`, or of a row of the transpose.
pub(super) fn squares(d: &mut Desk, m: &Matrix, c: &Affine, low: &Affine, high: &Affine) -> Value {
    let nothing = d.number(0.0);
    let sum = d.fold(low, high, &[nothing], &mut |d, i, sum| {
        let x = d.get(m, &[i, c]);
        let square = d.mul(x, x);
        Carries::from_slice(&[d.add(sum[0], square)])
    });
    sum[0]
}

/// Returns the first columns of a product of reflections, transposed: row `j` is column `j`. Reflection `c` is kept in
/// column `c` of `kept`, from row `c + shift` on.
pub(super) fn product(
    d: &mut Desk,
    kept: &Matrix,
    factors: &Matrix,
    count: usize,
    shift: i64,
    columns: usize,
) -> Matrix {
    let rows = kept.rows();
    let (zero, m, n) = (place(0), place(rows), place(columns));
    let turned = d.scratch(&[columns, rows]);
    // Outside of lanes what is done side by side should lie so.
    let q = match d.in_lanes() {
        true => turned.t(),
        false => d.scratch(&[rows, columns]),
    };
    d.each(&zero, &m, &mut |d, i| {
        d.beside(&zero, &n, &mut |d, j| {
            let (row, column) = (d.index(i), d.index(j));
            let same = d.eq(row, column);
            let (nothing, one) = (d.number(0.0), d.number(1.0));
            let x = d.select(same, one, nothing);
            d.set(&q, &[i, j], x);
        });
    });
    d.each_back(&zero, &place(count), &mut |d, c| {
        let factor = d.get(factors, &[c]);
        let low = c.clone().plus(shift);
        d.beside(&low, &n, &mut |d, j| {
            let nothing = d.number(0.0);
            let along = d.fold(&low, &m, &[nothing], &mut |d, i, sum| {
                let (v, x) = (d.get(kept, &[i, c]), d.get(&q, &[i, j]));
                let product = d.mul(v, x);
                Carries::from_slice(&[d.add(sum[0], product)])
            });
            let along = d.mul(along[0], factor);
            d.each(&low, &m, &mut |d, i| {
                let v = d.get(kept, &[i, c]);
                d.subtract_product(&q, i, j, v, along);
            });
        });
    });
    if !d.in_lanes() {
        d.copy(&q.t(), &turned);
    }
    turned
}
