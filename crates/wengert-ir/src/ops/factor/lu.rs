//! Triangular factors with partial pivoting.

use super::{Factor, Factorisation, permutation, t, triangular_solve};
use crate::error::TypeError;
use crate::ir::{DType, Type};
use crate::loops::kernel::Task;
use crate::ops::factor::triangular::{lower, upper};
use crate::ops::iota::iota;
use crate::ops::{Tangent, convert, elementwise, index, layout};
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// `(a)`: the factors `L` and `U` in one matrix, the permutation `p` with `a[p] = L U`, and its sign. `L` has ones on
/// its diagonal, which are not stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lu;

/// Records the factors, the permutation and its sign, of the matrices in the last two axes.
#[track_caller]
pub fn lu(a: Var) -> [Var; 3] {
    let all = Factor::Lu(Lu).bind(&[a]);
    [all[0], all[1], all[2]]
}

impl Factorisation for Lu {
    fn name(&self) -> &'static str {
        "lu"
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[0].dims();
        (Task::Lu, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let a = &inputs[0];
        Ok(vec![
            a.clone(),
            permutation(a.dims()[0]),
            Type::scalar(a.dtype),
        ])
    }

    /// Eliminates one column after the other. The pivot is the largest element that is left in the column, the first of
    /// equals.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (a, [w, order, sign]) = (&inputs[0], outputs) else {
            unreachable!("three results");
        };
        let (rows, columns) = (a.rows(), a.columns());
        let (zero, m, n) = (place(0), place(rows), place(columns));
        d.copy(a, w);
        d.each(&zero, &m, &mut |d, i| {
            let row = d.index(i);
            d.set(order, &[i], row);
        });
        let even = d.number(1.0);
        let end = place(rows.min(columns));
        let signs = d.fold(&zero, &end, &[even], &mut |d, k, signs| {
            let next = d.after(k);
            let first = d.get(w, &[k, k]);
            let (first, here) = (d.abs(first), d.index(k));
            let found = d.fold(&next, &m, &[first, here], &mut |d, i, best| {
                let x = d.get(w, &[i, k]);
                let (x, row) = (d.abs(x), d.index(i));
                let more = d.lt(best[0], x);
                let x = d.select(more, x, best[0]);
                let row = d.select(more, row, best[1]);
                Carries::from_slice(&[x, row])
            });
            let pivot_row = found[1];
            d.swap_rows(w, k, pivot_row, &m, &n);
            d.swap_elements(order, k, pivot_row, &m);
            let pivot = d.get(w, &[k, k]);
            let (nothing, one) = (d.number(0.0), d.number(1.0));
            let zero = d.eq(pivot, nothing);
            let scale = d.div(one, pivot);
            let scale = d.select(zero, one, scale);
            if d.in_lanes() {
                d.each(&next, &m, &mut |d, i| {
                    let factor = d.scaled(w, i, k, scale);
                    d.each(&next, &n, &mut |d, j| {
                        let x = d.get(w, &[k, j]);
                        d.subtract_product(w, i, j, factor, x);
                    });
                });
            } else {
                d.each(&next, &m, &mut |d, i| {
                    d.scaled(w, i, k, scale);
                });
                d.beside(&next, &n, &mut |d, j| {
                    let x = d.get(w, &[k, j]);
                    d.each(&next, &m, &mut |d, i| {
                        let factor = d.get(w, &[i, k]);
                        d.subtract_product(w, i, j, factor, x);
                    });
                });
            }
            let same = d.eq(pivot_row, here);
            let turned = d.neg(signs[0]);
            let sign = d.select(same, signs[0], turned);
            Carries::from_slice(&[sign])
        });
        d.set(sign, &[], signs[0]);
    }

    fn is_smooth(&self, result: usize) -> bool {
        result == 0
    }

    /// `L tril(F, -1) + triu(F) U` with `F = L⁻¹ a'[p] U⁻¹`, where `L` and `U` are filled up to square matrices; see
    /// de Hoog, Anderssen and Lukas, *Differentiation of matrix functionals using triangular factorization* (2011).
    fn jvp(&self, _: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let tangent = dx[0].map(|da| {
            let (lu, order) = (y[0], y[1]);
            let da = permuted(da, order);
            let dims = lu.shape();
            let (m, n) = (dims[dims.len() - 2], dims[dims.len() - 1]);
            let k = m.min(n);
            let rank = dims.len();
            let below = layout::slice_axis(lu, rank - 1, 0..k).tril_at(-1);
            let above = layout::slice_axis(lu, rank - 2, 0..k).triu();
            let l = widened(below, m, m) + unit(lu, m, 0);
            let u = widened(above, n, n) + unit(lu, n, k);
            let f = triangular_solve(l, da, lower().unit());
            let f = t(triangular_solve(u, t(f), upper().transposed()));
            l.matmul(f.tril_at(-1)) + f.triu().matmul(u)
        });
        vec![tangent]
    }
}

/// The matrix with zero rows and columns behind it.
#[track_caller]
fn widened(x: Var, rows: usize, columns: usize) -> Var {
    let dims = x.shape();
    let rank = dims.len();
    let zeros = vec![0; rank];
    let mut behind = zeros.clone();
    behind[rank - 2] = rows - dims[rank - 2];
    behind[rank - 1] = columns - dims[rank - 1];
    layout::pad(x, &zeros, &behind, &zeros)
}

/// The `n` by `n` matrix with ones on its diagonal from place `first` on, in the type of `x`.
#[track_caller]
pub(crate) fn unit(x: Var, n: usize, first: usize) -> Var {
    let ty = Type::new(DType::I64, &[n, n]);
    let (row, column) = (iota(ty.clone(), 0), iota(ty.clone(), 1));
    let same = elementwise::eq(row, column);
    let late = elementwise::le(Var::full(&ty, first as f64), row);
    let one = convert::convert(elementwise::and(same, late), x.dtype());
    let dims = x.shape();
    layout::broadcast_to(one, &[&dims[..dims.len() - 2], &[n, n]].concat())
}

/// The rows of matrices in the given orders.
#[track_caller]
pub(crate) fn permuted(x: Var, order: Var) -> Var {
    let rank = x.rank();
    let places = layout::broadcast_to(order.expand_dims(-1), &x.shape());
    index::take_along(x, places, rank - 2)
}
