//! The Cholesky factor of a symmetric, positive definite matrix.

use super::{Factor, Factorisation, square, t, triangular_solve};
use crate::error::TypeError;
use crate::ir::Type;
use crate::loops::kernel::Task;
use crate::ops::Tangent;
use crate::ops::factor::triangular::lower;
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// `(a)`: the lower triangular `L` with `L Lᵀ = a`, where only the lower triangle of `a` is read; NaN in all places if
/// `a` is not positive definite.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cholesky;

/// Records the Cholesky factor of the matrices in the last two axes.
#[track_caller]
pub fn cholesky(a: Var) -> Var {
    Factor::Cholesky(Cholesky).bind(&[a])[0]
}

impl Factorisation for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[0].dims();
        (Task::Cholesky, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        square(&inputs[0])?;
        Ok(inputs.to_vec())
    }

    /// Subtracts one outer product after the other. The rows of the scratch are the columns of the factor, so that
    /// they can be walked side by side.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (a, l) = (&inputs[0], &outputs[0]);
        let rows = a.rows();
        let (zero, n) = (place(0), place(rows));
        let w = d.scratch(&[rows, rows]);
        let nothing = d.number(0.0);
        d.each(&zero, &n, &mut |d, j| {
            d.beside(&zero, j, &mut |d, i| d.set(&w, &[j, i], nothing));
            d.beside(j, &n, &mut |d, i| {
                let x = d.get(a, &[i, j]);
                d.set(&w, &[j, i], x);
            });
        });
        let fine = d.truth(true);
        let fine = d.fold(&zero, &n, &[fine], &mut |d, k, fine| {
            let next = d.after(k);
            let pivot = d.get(&w, &[k, k]);
            let nothing = d.number(0.0);
            let positive = d.lt(nothing, pivot);
            let infinity = d.number(f64::INFINITY);
            let finite = d.lt(pivot, infinity);
            let positive = d.and(positive, finite);
            let fine = d.and(fine[0], positive);
            let root = d.sqrt(pivot);
            d.set(&w, &[k, k], root);
            let one = d.number(1.0);
            let scale = d.div(one, root);
            d.beside(&next, &n, &mut |d, i| {
                let x = d.get(&w, &[k, i]);
                let x = d.mul(x, scale);
                d.set(&w, &[k, i], x);
            });
            if d.in_lanes() {
                d.each(&next, &n, &mut |d, j| {
                    let factor = d.get(&w, &[k, j]);
                    d.each(j, &n, &mut |d, i| {
                        let x = d.get(&w, &[k, i]);
                        d.subtract_product(&w, j, i, factor, x);
                    });
                });
            } else {
                d.beside(&next, &n, &mut |d, i| {
                    let factor = d.get(&w, &[k, i]);
                    d.each(&next, &n, &mut |d, j| {
                        let x = d.get(&w, &[k, j]);
                        d.subtract_product(&w, j, i, factor, x);
                    });
                });
            }
            Carries::from_slice(&[fine])
        });
        let nan = d.number(f64::NAN);
        d.each(&zero, &n, &mut |d, i| {
            d.beside(&zero, &n, &mut |d, j| {
                let (row, column) = (d.index(i), d.index(j));
                let above = d.lt(row, column);
                let x = d.get(&w, &[j, i]);
                let nothing = d.number(0.0);
                let x = d.select(above, nothing, x);
                let x = d.select(fine[0], x, nan);
                d.set(l, &[i, j], x);
            });
        });
    }

    /// `L Φ(L⁻¹ a' L⁻ᵀ)`, where `Φ` takes the lower triangle and half of the diagonal, for the symmetric part of `a'`;
    /// see Murray, *Differentiation of the Cholesky decomposition* (2016).
    fn jvp(&self, _: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let l = y[0];
        let tangent = dx[0].map(|da| {
            let da = (da + t(da)) * 0.5;
            let half = triangular_solve(l, da, lower());
            let whole = triangular_solve(l, t(half), lower());
            l.matmul(halved(whole))
        });
        vec![tangent]
    }
}

/// The lower triangle with half of the diagonal.
#[track_caller]
pub(crate) fn halved(x: Var) -> Var {
    (x.tril() + x.tril_at(-1)) * 0.5
}
