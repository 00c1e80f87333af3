//! Orthogonal and triangular factors.

use super::{Factor, Factorisation, t, triangular_solve};
use crate::error::TypeError;
use crate::ir::Type;
use crate::loops::Value;
use crate::loops::affine::Affine;
use crate::loops::kernel::Task;
use crate::ops::factor::triangular::upper;
use crate::ops::{Tangent, layout};
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// `(a)`: `Q` with orthonormal columns and the upper triangular `R` with `a = Q R`, where the diagonal of `R` is not
/// negative. `Q` has as many columns as `a` has rows or columns, whichever is fewer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Qr;

/// Records the factors of the matrices in the last two axes.
#[track_caller]
pub fn qr(a: Var) -> [Var; 2] {
    let both = Factor::Qr(Qr).bind(&[a]);
    [both[0], both[1]]
}

impl Factorisation for Qr {
    fn name(&self) -> &'static str {
        "qr"
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[0].dims();
        (Task::Qr, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let a = &inputs[0];
        let (m, n) = (a.dims()[0], a.dims()[1]);
        let k = m.min(n);
        Ok(vec![a.with_dims(&[m, k]), a.with_dims(&[k, n])])
    }

    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (a, [q, r]) = (&inputs[0], outputs) else {
            unreachable!("two results");
        };
        let w = d.scratch(&[a.rows(), a.columns()]);
        d.copy(a, &w);
        let signs = orthogonalise(d, &w, q);
        let (rows, columns) = (place(r.rows()), place(r.columns()));
        d.each(&place(0), &rows, &mut |d, i| {
            let sign = d.get(&signs, &[i]);
            d.beside(&place(0), &columns, &mut |d, j| {
                let x = d.get(&w, &[i, j]);
                let x = d.mul(x, sign);
                let (row, column) = (d.index(i), d.index(j));
                let below = d.lt(column, row);
                let nothing = d.number(0.0);
                let x = d.select(below, nothing, x);
                d.set(r, &[i, j], x);
            });
        });
    }

    /// Of square and tall matrices: `Q' = Q (Ω - F) + a' R⁻¹` and `R' = (F - Ω) R`, with `F = Qᵀ a' R⁻¹` and the
    /// antisymmetric `Ω` whose lower triangle is that of `F`; see Walter and Lehmann, *Algorithmic differentiation of
    /// linear algebra functions* (2012). The columns of a wide matrix behind the square are `Q` times those of `R`.
    fn jvp(&self, _: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let Some(da) = dx[0] else {
            return vec![None, None];
        };
        let (q, r) = (y[0], y[1]);
        let last = r.rank() - 1;
        let (k, n) = (r.shape()[last - 1], r.shape()[last]);
        let first = |x: Var| layout::slice_axis(x, last, 0..k);
        let rest = |x: Var| layout::slice_axis(x, last, k..n);
        let square = first(r);
        let right = t(triangular_solve(square, t(first(da)), upper().transposed()));
        let f = t(q).matmul(right);
        let low = f.tril_at(-1);
        let turn = low - t(low);
        let dq = q.matmul(turn - f) + right;
        let mut dr = (f - turn).triu().matmul(square);
        if n > k {
            let behind = t(dq).matmul(q.matmul(rest(r))) + t(q).matmul(rest(da));
            dr = layout::concat(&[dr, behind], last);
        }
        vec![Some(dq), Some(dr)]
    }
}

/// Reflects the columns of a matrix, one after the other, until it is upper triangular, and writes the product of the
/// reflections to `q`, with the signs that make the diagonal of the triangle positive. Returns the signs by which the
/// rows of the triangle have yet to be multiplied; what is below the diagonal is left over.
pub(super) fn orthogonalise(d: &mut Desk, w: &Matrix, q: &Matrix) -> Matrix {
    let (zero, m, n) = (place(0), place(w.rows()), place(w.columns()));
    let count = w.rows().min(w.columns());
    let k = place(count);
    // The first elements of the reflecting vectors, and the factors of the reflections.
    let [heads, factors, signs] = [0; 3].map(|_| d.scratch(&[count]));
    d.each(&zero, &k, &mut |d, c| {
        let nothing = d.number(0.0);
        let squares = d.fold(c, &m, &[nothing], &mut |d, i, sum| {
            let x = d.get(w, &[i, c]);
            let square = d.mul(x, x);
            Carries::from_slice(&[d.add(sum[0], square)])
        });
        let norm = d.sqrt(squares[0]);
        let x = d.get(w, &[c, c]);
        let negative = d.lt(x, nothing);
        let minus = d.neg(norm);
        let diagonal = d.select(negative, norm, minus);
        let head = d.sub(x, diagonal);
        let size = d.abs(head);
        let half = d.mul(norm, size);
        let none = d.eq(half, nothing);
        let one = d.number(1.0);
        let factor = d.div(one, half);
        let factor = d.select(none, nothing, factor);
        let down = d.lt(diagonal, nothing);
        let minus = d.neg(one);
        let sign = d.select(down, minus, one);
        d.set(&heads, &[c], head);
        d.set(&factors, &[c], factor);
        d.set(&signs, &[c], sign);
        let kept = d.select(none, x, diagonal);
        d.set(w, &[c, c], kept);
        let next = d.after(c);
        d.beside(&next, &n, &mut |d, j| reflect(d, w, c, head, factor, w, j));
    });
    d.each(&zero, &m, &mut |d, i| {
        d.beside(&zero, &k, &mut |d, j| {
            let (row, column) = (d.index(i), d.index(j));
            let same = d.eq(row, column);
            let (nothing, one) = (d.number(0.0), d.number(1.0));
            let x = d.select(same, one, nothing);
            d.set(q, &[i, j], x);
        });
    });
    d.each_back(&zero, &k, &mut |d, c| {
        let head = d.get(&heads, &[c]);
        let factor = d.get(&factors, &[c]);
        d.beside(c, &k, &mut |d, j| reflect(d, w, c, head, factor, q, j));
    });
    d.each(&zero, &m, &mut |d, i| {
        d.beside(&zero, &k, &mut |d, j| {
            let sign = d.get(&signs, &[j]);
            d.scaled(q, i, j, sign);
        });
    });
    signs
}

/// Reflects column `j` of a matrix by the vector that column `c` of `w` holds below its head.
fn reflect(
    d: &mut Desk,
    w: &Matrix,
    c: &Affine,
    head: Value,
    factor: Value,
    of: &Matrix,
    j: &Affine,
) {
    let (next, m) = (d.after(c), place(w.rows()));
    let x = d.get(of, &[c, j]);
    let first = d.mul(head, x);
    let along = d.fold(&next, &m, &[first], &mut |d, i, sum| {
        let v = d.get(w, &[i, c]);
        let x = d.get(of, &[i, j]);
        let product = d.mul(v, x);
        Carries::from_slice(&[d.add(sum[0], product)])
    });
    let along = d.mul(along[0], factor);
    d.subtract_product(of, c, j, head, along);
    d.each(&next, &m, &mut |d, i| {
        let v = d.get(w, &[i, c]);
        d.subtract_product(of, i, j, v, along);
    });
}
