//! Singular values and vectors.

use std::ops::Range;

use super::eigh::{cosine_and_sine, inspected, inverse_gaps, rotation};
use super::qr::orthogonalise;
use super::{Factor, Factorisation, Vectors, bidiagonal, t};
use crate::error::TypeError;
use crate::ir::Type;
use crate::ir::text::{Attributes, Given};
use crate::loops::ScalarOp;
use crate::loops::kernel::Task;
use crate::ops::Tangent;
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// Maximum number of columns of a matrix of which pairs are turned; others become bidiagonal first.
const JACOBI: usize = 5;

/// Maximum number of sweeps over all pairs of columns.
const SWEEPS: i64 = 40;

/// `(a)`: `U` with orthonormal columns, the singular values from the largest to the smallest, and the orthogonal `Vᵀ`
/// with `a = U diag(s) Vᵀ`, of a matrix that has at least as many rows as columns. With a NaN or an infinity in it,
/// all results are NaN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Svd {
    /// Whether the singular vectors are computed, too.
    pub vectors: Vectors,
}

/// Records the singular vectors and values of the matrices in the last two axes, which are not wide.
#[track_caller]
pub fn svd(a: Var) -> [Var; 3] {
    let all = Factor::Svd(Svd {
        vectors: Vectors(true),
    })
    .bind(&[a]);
    [all[0], all[1], all[2]]
}

/// Records the singular values of the matrices in the last two axes, which are not wide.
#[track_caller]
pub fn svdvals(a: Var) -> Var {
    Factor::Svd(Svd {
        vectors: Vectors(false),
    })
    .bind(&[a])[0]
}

impl Svd {
    pub(super) fn read(given: &Given) -> Option<Svd> {
        let vectors = Vectors::read(given)?;
        Some(Svd { vectors })
    }
}

impl Factorisation for Svd {
    fn name(&self) -> &'static str {
        "svd"
    }

    fn attributes(&self) -> Attributes {
        self.vectors.attributes()
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let (dims, vectors) = (inputs[0].dims(), self.vectors.0);
        (Task::Svd { vectors }, [dims[0], dims[1]])
    }

    fn small(&self) -> usize {
        64
    }

    fn ranks(&self) -> &'static [usize] {
        &[2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let a = &inputs[0];
        let (m, n) = (a.dims()[0], a.dims()[1]);
        if m < n {
            return Err(TypeError::new(format!("{a} has more columns than rows")));
        }
        let values = a.with_dims(&[n]);
        Ok(match self.vectors.0 {
            true => vec![a.clone(), values, a.with_dims(&[n, n])],
            false => vec![values],
        })
    }

    /// Of few columns: turns pairs of them, all in each sweep, until they are orthogonal: Hestenes' method. The singular
    /// values are their lengths; the triangle of their orthogonal factors is diagonal, so that `U` is orthogonal also
    /// where singular values are zero. Other matrices become [bidiagonal](bidiagonal::singular_values) first.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let a = &inputs[0];
        let (rows, columns) = (a.rows(), a.columns());
        let (zero, m, n) = (place(0), place(rows), place(columns));
        let values = &outputs[if self.vectors.0 { 1 } else { 0 }];
        if columns > JACOBI {
            let vectors = self.vectors.0.then(|| [&outputs[0], &outputs[2]]);
            return bidiagonal::singular_values(d, a, values, vectors);
        }
        // The rows of `w` are the columns of the matrix, scaled so that squares neither overflow nor vanish.
        let w = d.scratch(&[columns, rows]);
        let nothing = d.number(0.0);
        let found = d.fold(&zero, &m, &[nothing, nothing], &mut |d, i, found| {
            d.fold(&zero, &n, found, &mut |d, j, found| {
                let x = d.get(a, &[i, j]);
                inspected(d, x, found)
            })
        });
        let (largest, poison) = (found[0], found[1]);
        let tiniest = d.tiniest();
        let small = d.lt(largest, tiniest);
        let one = d.number(1.0);
        let size = d.select(small, one, largest);
        let scale = d.div(one, size);
        d.each(&zero, &n, &mut |d, j| {
            d.beside(&zero, &m, &mut |d, i| {
                let x = d.get(a, &[i, j]);
                let x = d.mul(x, scale);
                d.set(&w, &[j, i], x);
            });
        });
        let v = self.vectors.0.then(|| d.unit(columns));
        let limit = d.epsilon();
        let (sweeps, go) = (d.integer(0), d.truth(true));
        d.while_(
            &[go, sweeps],
            &mut |d, state| {
                let bound = d.integer(SWEEPS);
                let more = d.lt(state[1], bound);
                d.and(state[0], more)
            },
            &mut |d, state| {
                let still = d.truth(false);
                let turned = d.pairs(&n, &[still], &mut |d, p, q, turned| {
                    let init = [nothing; 3];
                    let sums = d.fold(&zero, &m, &init, &mut |d, i, sums| {
                        let (x, y) = (d.get(&w, &[p, i]), d.get(&w, &[q, i]));
                        let (xx, yy, xy) = (d.mul(x, x), d.mul(y, y), d.mul(x, y));
                        Carries::from_slice(&[
                            d.add(sums[0], xx),
                            d.add(sums[1], yy),
                            d.add(sums[2], xy),
                        ])
                    });
                    let (xx, yy, xy) = (sums[0], sums[1], sums[2]);
                    let (size, along) = (d.mul(xx, yy), d.abs(xy));
                    let size = d.sqrt(size);
                    let least = d.mul(limit, size);
                    let turn = d.lt(least, along);
                    let tangent = rotation(d, xx, yy, xy);
                    let tangent = d.select(turn, tangent, nothing);
                    let (c, s) = cosine_and_sine(d, tangent);
                    d.rotate_rows(&w, p, q, &m, c, s);
                    if let Some(v) = &v {
                        d.rotate_rows(v, p, q, &n, c, s);
                    }
                    Carries::from_slice(&[d.op(ScalarOp::Or, &[turned[0], turn])])
                });
                let one = d.integer(1);
                let sweeps = d.add(state[1], one);
                Carries::from_slice(&[turned[0], sweeps])
            },
        );
        d.each(&zero, &n, &mut |d, j| {
            let sum = d.fold(&zero, &m, &[nothing], &mut |d, i, sum| {
                let x = d.get(&w, &[j, i]);
                let square = d.mul(x, x);
                Carries::from_slice(&[d.add(sum[0], square)])
            });
            let length = d.sqrt(sum[0]);
            let length = d.mul(length, size);
            let length = d.add(length, poison);
            d.set(values, &[j], length);
        });
        let Some(v) = v else {
            return d.sort(values, None, None, true);
        };
        d.sort(values, Some(&w), Some(&v), true);
        let (u, vt) = (&outputs[0], &outputs[2]);
        // The triangle is diagonal but for rounding, and its diagonal is positive.
        orthogonalise(d, &w.t(), u);
        for (from, to) in [(u, u), (&v, vt)] {
            let (rows, columns) = (place(to.rows()), place(to.columns()));
            d.each(&zero, &rows, &mut |d, i| {
                d.beside(&zero, &columns, &mut |d, j| {
                    let x = d.get(from, &[i, j]);
                    let x = d.add(x, poison);
                    d.set(to, &[i, j], x);
                });
            });
        }
    }

    fn with_vectors(&self) -> Option<(Factor, Range<usize>)> {
        let vectors = Vectors(true);
        (!self.vectors.0).then_some((Factor::Svd(Svd { vectors }), 1..2))
    }

    /// With `P = Uᵀ a' V`: `s' = diag P`, `U' = U (X + Y) / 2 + (1 - U Uᵀ) a' V S⁻¹` and `V' = V (X - Y) / 2`, where
    /// `X[i, j] = (P + Pᵀ)[i, j] / (s[j] - s[i])` and `Y[i, j] = (P - Pᵀ)[i, j] / (s[i] + s[j])`. The reciprocal of the
    /// difference of equal values is 0, and so is that of zeros.
    fn jvp(&self, _: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let Some(da) = dx[0] else {
            return vec![];
        };
        let (u, s, vt) = (y[0], y[1], y[2]);
        let moved = da.matmul(t(vt));
        let dvalues = (u * moved).sum_axis(-2);
        if !self.vectors.0 {
            return vec![Some(dvalues)];
        }
        let p = t(u).matmul(moved);
        let inverse = |x: Var| {
            let zero = x.eq(0.0);
            zero.select(0.0, zero.select(1.0, x).recip())
        };
        let sums = inverse(s.expand_dims(-2) + s.expand_dims(-1));
        let x = (p + t(p)) * inverse_gaps(s) * 0.5;
        let y = (p - t(p)) * sums * 0.5;
        let mut du = u.matmul(x + y);
        if u.shape()[u.rank() - 2] > u.shape()[u.rank() - 1] {
            let out = moved - u.matmul(p);
            du += out * inverse(s).expand_dims(-2);
        }
        let dvt = t(x - y).matmul(vt);
        vec![Some(du), Some(dvalues), Some(dvt)]
    }
}
