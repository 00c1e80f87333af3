//! Eigenvalues and eigenvectors of symmetric matrices.

use std::ops::Range;

use super::{Factor, Factorisation, Vectors, square, t, tridiagonal};
use crate::error::TypeError;
use crate::ir::Type;
use crate::ir::text::{Attributes, Given};
use crate::loops::affine::Affine;
use crate::loops::kernel::Task;
use crate::loops::{ScalarOp, Value};
use crate::ops::Tangent;
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// Maximum number of rows of a matrix whose axes are rotated in pairs; larger ones become tridiagonal first.
const JACOBI: usize = 3;

/// Maximum number of sweeps over all pairs. Ten are enough for matrices of any size that is met.
const SWEEPS: i64 = 30;

/// `(a)`: the eigenvalues in ascending order, and the orthonormal eigenvectors as columns, of a symmetric matrix of
/// which only the lower triangle is read. With a NaN or an infinity in it, all results are NaN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Eigh {
    /// Whether the vectors are computed, too.
    pub vectors: Vectors,
}

/// Records the eigenvalues and the eigenvectors of the symmetric matrices in the last two axes.
#[track_caller]
pub fn eigh(a: Var) -> [Var; 2] {
    let both = Factor::Eigh(Eigh {
        vectors: Vectors(true),
    })
    .bind(&[a]);
    [both[0], both[1]]
}

/// Records the eigenvalues of the symmetric matrices in the last two axes.
#[track_caller]
pub fn eigvalsh(a: Var) -> Var {
    Factor::Eigh(Eigh {
        vectors: Vectors(false),
    })
    .bind(&[a])[0]
}

impl Eigh {
    pub(super) fn read(given: &Given) -> Option<Eigh> {
        let vectors = Vectors::read(given)?;
        Some(Eigh { vectors })
    }
}

impl Factorisation for Eigh {
    fn name(&self) -> &'static str {
        "eigh"
    }

    fn attributes(&self) -> Attributes {
        self.vectors.attributes()
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let (dims, vectors) = (inputs[0].dims(), self.vectors.0);
        (Task::Eigh { vectors }, [dims[0], dims[1]])
    }

    fn small(&self) -> usize {
        64
    }

    fn ranks(&self) -> &'static [usize] {
        &[2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let a = &inputs[0];
        let values = a.with_dims(&[square(a)?]);
        Ok(match self.vectors.0 {
            true => vec![values, a.clone()],
            false => vec![values],
        })
    }

    /// Of a tiny matrix: rotates pairs of axes, all of them in each sweep, until what is beside the diagonal is
    /// negligible. Others become [tridiagonal](tridiagonal::eigenvalues) first.
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (a, values) = (&inputs[0], &outputs[0]);
        let count = a.rows();
        if count > JACOBI {
            return tridiagonal::eigenvalues(d, a, values, outputs.get(1));
        }
        let (zero, n) = (place(0), place(count));
        let w = d.scratch(&[count, count]);
        let nothing = d.number(0.0);
        let (largest, poison) = mirrored(d, a, &w);
        // The rows of `v` are the eigenvectors.
        let v = self.vectors.0.then(|| d.unit(count));
        d.sweeps(&n, largest, &mut |d, p, q, limit| {
            let apart = d.get(&w, &[p, q]);
            let size = d.abs(apart);
            let turn = d.lt(limit, size);
            let (app, aqq) = (d.get(&w, &[p, p]), d.get(&w, &[q, q]));
            let tangent = rotation(d, app, aqq, apart);
            let tangent = d.select(turn, tangent, nothing);
            let (c, s) = cosine_and_sine(d, tangent);
            let change = d.mul(tangent, apart);
            for (low, high) in [(&zero, p), (&d.after(p), q), (&d.after(q), &n)] {
                d.beside(low, high, &mut |d, j| {
                    let (x, y) = (d.get(&w, &[p, j]), d.get(&w, &[q, j]));
                    let (x, y) = turned_by(d, c, s, x, y);
                    d.set(&w, &[p, j], x);
                    d.set(&w, &[q, j], y);
                    d.set(&w, &[j, p], x);
                    d.set(&w, &[j, q], y);
                });
            }
            let less = d.sub(app, change);
            d.set(&w, &[p, p], less);
            let more = d.add(aqq, change);
            d.set(&w, &[q, q], more);
            let left = d.select(turn, nothing, apart);
            d.set(&w, &[p, q], left);
            d.set(&w, &[q, p], left);
            if let Some(v) = &v {
                d.rotate_rows(v, p, q, &n, c, s);
            }
            turn
        });
        d.each(&zero, &n, &mut |d, i| {
            let x = d.get(&w, &[i, i]);
            let x = d.add(x, poison);
            d.set(values, &[i], x);
        });
        d.sort(values, v.as_ref(), None, false);
        if let Some(v) = &v {
            d.each(&zero, &n, &mut |d, i| {
                d.beside(&zero, &n, &mut |d, j| {
                    let x = d.get(v, &[j, i]);
                    let x = d.add(x, poison);
                    d.set(&outputs[1], &[i, j], x);
                });
            });
        }
    }

    fn with_vectors(&self) -> Option<(Factor, Range<usize>)> {
        let vectors = Vectors(true);
        (!self.vectors.0).then_some((Factor::Eigh(Eigh { vectors }), 0..1))
    }

    /// `λ' = diag P` and `V' = V (F ∘ P)` with `P = Vᵀ a' V` for the symmetric part of `a'`, and
    /// `F[i, j] = 1 / (λ[j] - λ[i])`, which is 0 for equal eigenvalues: between their vectors, which are any basis of
    /// one space, a function of the matrix does not discern.
    fn jvp(&self, _: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let Some(da) = dx[0] else {
            return vec![];
        };
        let (values, v) = (y[0], y[1]);
        let moved = ((da + t(da)) * 0.5).matmul(v);
        let dvalues = (v * moved).sum_axis(-2);
        if !self.vectors.0 {
            return vec![Some(dvalues)];
        }
        let p = t(v).matmul(moved);
        let dv = v.matmul(p * inverse_gaps(values));
        vec![Some(dvalues), Some(dv)]
    }
}

/// `1 / (x[j] - x[i])`, and 0 where the two are equal but for rounding.
#[track_caller]
pub(crate) fn inverse_gaps(x: Var) -> Var {
    let n = x.shape()[x.rank() - 1];
    let gaps = x.expand_dims(-2) - x.expand_dims(-1);
    let dtype = x.dtype();
    let epsilon = match dtype {
        crate::ir::DType::F32 => f32::EPSILON.into(),
        _ => f64::EPSILON,
    };
    if n == 0 {
        return gaps;
    }
    let largest = x.stop_gradient().abs().amax_axis(crate::trace::keep(-1));
    let limit = (largest * (4.0 * n as f64 * epsilon)).expand_dims(-1);
    let equal = gaps.abs().le(limit);
    let apart = equal.select(1.0, gaps);
    equal.select(0.0, apart.recip())
}

/// Copies the lower triangle to both sides. Returns the largest absolute value, and a number that is zero, or NaN if an
/// element is not finite.
fn mirrored(d: &mut Desk, a: &Matrix, w: &Matrix) -> (Value, Value) {
    let (zero, n) = (place(0), place(a.rows()));
    let nothing = d.number(0.0);
    let found = d.fold(&zero, &n, &[nothing, nothing], &mut |d, i, found| {
        d.fold(&zero, &d.after(i), found, &mut |d, j, found| {
            let x = d.get(a, &[i, j]);
            d.set(w, &[i, j], x);
            d.set(w, &[j, i], x);
            inspected(d, x, found)
        })
    });
    (found[0], found[1])
}

/// Adds an element to the largest absolute value, and to the number that is zero unless an element is not finite.
pub(super) fn inspected(d: &mut Desk, x: Value, found: &[Value]) -> Carries {
    let size = d.abs(x);
    let largest = d.op(ScalarOp::Max, &[found[0], size]);
    let nothing = d.number(0.0);
    let poison = d.mul(size, nothing);
    Carries::from_slice(&[largest, d.add(found[1], poison)])
}

/// The tangent of the smaller angle by which two axes are turned so that what is beside the diagonal vanishes.
pub(super) fn rotation(d: &mut Desk, app: Value, aqq: Value, apart: Value) -> Value {
    let gap = d.sub(aqq, app);
    let twice = d.add(apart, apart);
    let theta = d.div(gap, twice);
    let (one, nothing) = (d.number(1.0), d.number(0.0));
    let square = d.mul(theta, theta);
    let square = d.add(square, one);
    let root = d.sqrt(square);
    let size = d.abs(theta);
    let sum = d.add(size, root);
    let tangent = d.div(one, sum);
    let minus = d.neg(tangent);
    let negative = d.lt(theta, nothing);
    d.select(negative, minus, tangent)
}

/// The cosine and the sine of the angle of a tangent.
pub(super) fn cosine_and_sine(d: &mut Desk, tangent: Value) -> (Value, Value) {
    let one = d.number(1.0);
    let square = d.mul(tangent, tangent);
    let square = d.add(square, one);
    let root = d.sqrt(square);
    let c = d.div(one, root);
    (c, d.mul(tangent, c))
}

/// `(c x - s y, s x + c y)`.
pub(super) fn turned_by(d: &mut Desk, c: Value, s: Value, x: Value, y: Value) -> (Value, Value) {
    let (cx, sy) = (d.mul(c, x), d.mul(s, y));
    let (sx, cy) = (d.mul(s, x), d.mul(c, y));
    (d.sub(cx, sy), d.add(sx, cy))
}

/// What is done with a pair of places and the carried values.
type Visit<'a> = dyn FnMut(&mut Desk, &Affine, &Affine, &[Value]) -> Carries + 'a;

/// What turns a pair of axes if their element is larger than a limit, and says whether it did.
pub(super) type Turn<'a> = dyn FnMut(&mut Desk, &Affine, &Affine, Value) -> Value + 'a;

impl Desk<'_> {
    /// Visits all pairs of different places below `n`, the smaller first.
    pub(super) fn pairs(&mut self, n: &Affine, init: &[Value], visit: &mut Visit<'_>) -> Carries {
        self.fold(&place(0), n, init, &mut |d, p, state| {
            d.fold(&d.after(p), n, state, &mut |d, q, state| {
                visit(d, p, q, state)
            })
        })
    }

    /// Turns all pairs of axes in sweeps, until none is left whose element beside the diagonal is more than
    /// negligible beside the largest. `turn` gets the pair and that limit, and returns whether it turned the axes.
    pub(super) fn sweeps(&mut self, n: &Affine, largest: Value, turn: &mut Turn<'_>) {
        let (epsilon, share) = (self.epsilon(), self.number(0.125));
        let limit = self.mul(epsilon, share);
        let limit = self.mul(largest, limit);
        let (sweeps, go) = (self.integer(0), self.truth(true));
        self.while_(
            &[go, sweeps],
            &mut |d, state| {
                let bound = d.integer(SWEEPS);
                let more = d.lt(state[1], bound);
                d.and(state[0], more)
            },
            &mut |d, state| {
                let still = d.truth(false);
                let turned = d.pairs(n, &[still], &mut |d, p, q, turned| {
                    let this = turn(d, p, q, limit);
                    Carries::from_slice(&[d.op(ScalarOp::Or, &[turned[0], this])])
                });
                let one = d.integer(1);
                let sweeps = d.add(state[1], one);
                Carries::from_slice(&[turned[0], sweeps])
            },
        );
    }

    /// Turns two rows.
    pub(super) fn rotate_rows(
        &mut self,
        m: &Matrix,
        p: &Affine,
        q: &Affine,
        n: &Affine,
        c: Value,
        s: Value,
    ) {
        self.beside(&place(0), n, &mut |d, j| {
            let (x, y) = (d.get(m, &[p, j]), d.get(m, &[q, j]));
            let (x, y) = turned_by(d, c, s, x, y);
            d.set(m, &[p, j], x);
            d.set(m, &[q, j], y);
        });
    }

    /// Returns new memory that holds the identity.
    pub(super) fn unit(&mut self, count: usize) -> Matrix {
        let v = self.scratch(&[count, count]);
        let (zero, n) = (place(0), place(count));
        self.each(&zero, &n, &mut |d, i| {
            d.beside(&zero, &n, &mut |d, j| {
                let (row, column) = (d.index(i), d.index(j));
                let same = d.eq(row, column);
                let (nothing, one) = (d.number(0.0), d.number(1.0));
                let x = d.select(same, one, nothing);
                d.set(&v, &[i, j], x);
            });
        });
        v
    }

    /// Sorts numbers, and the rows of up to two matrices with them.
    pub(super) fn sort(
        &mut self,
        x: &Matrix,
        first: Option<&Matrix>,
        second: Option<&Matrix>,
        descending: bool,
    ) {
        let n = place(x.dims[0]);
        self.each(&place(0), &n, &mut |d, k| {
            let (best, here) = (d.get(x, &[k]), d.index(k));
            let found = d.fold(&d.after(k), &n, &[best, here], &mut |d, i, best| {
                let (x, row) = (d.get(x, &[i]), d.index(i));
                let before = match descending {
                    true => d.lt(best[0], x),
                    false => d.lt(x, best[0]),
                };
                let x = d.select(before, x, best[0]);
                Carries::from_slice(&[x, d.select(before, row, best[1])])
            });
            d.swap_elements(x, k, found[1], &n);
            for rows in [first, second].into_iter().flatten() {
                d.swap_rows(rows, k, found[1], &n, &place(rows.columns()));
            }
        });
    }
}
