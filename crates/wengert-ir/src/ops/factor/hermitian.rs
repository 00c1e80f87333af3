//! Eigenvalues and eigenvectors of Hermitian matrices.

use std::ops::Range;

use super::complex::{Complex, Parts, adjoint, each, matmul, same_parts, tangents};
use super::eigh::{cosine_and_sine, inspected, inverse_gaps, rotation};
use super::{Factor, Factorisation, Vectors, square, t};
use crate::error::TypeError;
use crate::ir::Type;
use crate::ir::text::{Attributes, Given};
use crate::loops::Value;
use crate::loops::affine::Affine;
use crate::loops::kernel::Task;
use crate::ops::Tangent;
use crate::schedule::desk::{Carries, Desk, Matrix, place};
use crate::trace::Var;

/// `(a, a')`: the eigenvalues in ascending order, and the orthonormal eigenvectors as columns, in two parts, of the
/// Hermitian matrix `a + i a'`, of which only the lower triangle is read and the diagonal taken for real. With a NaN or
/// an infinity in it, all results are NaN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Hermitian {
    /// Whether the eigenvectors are computed, too.
    pub vectors: Vectors,
}

/// Records the eigenvalues, and the parts of the eigenvectors if they are wanted, of Hermitian matrices.
#[track_caller]
pub fn hermitian(a: Parts, vectors: bool) -> Vec<Var> {
    let vectors = Vectors(vectors);
    Factor::Hermitian(Hermitian { vectors }).bind(&a)
}

impl Hermitian {
    pub(super) fn read(given: &Given) -> Option<Hermitian> {
        let vectors = Vectors::read(given)?;
        Some(Hermitian { vectors })
    }
}

impl Factorisation for Hermitian {
    fn name(&self) -> &'static str {
        "eigh_hermitian"
    }

    fn attributes(&self) -> Attributes {
        self.vectors.attributes()
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let (dims, vectors) = (inputs[0].dims(), self.vectors.0);
        (Task::Hermitian { vectors }, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        &[2, 2]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let a = &inputs[0];
        same_parts(a, &inputs[1])?;
        let values = a.with_dims(&[square(a)?]);
        Ok(match self.vectors.0 {
            true => vec![values, a.clone(), a.clone()],
            false => vec![values],
        })
    }

    /// Jacobi's rotations of pairs of axes, of which the second is first turned so that the element beside the diagonal
    /// is real (Golub and Van Loan, *Matrix Computations*, 8.5).
    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        let (a, values) = ([inputs[0].clone(), inputs[1].clone()], &outputs[0]);
        let count = a[0].rows();
        let (zero, n) = (place(0), place(count));
        let w = d.scratch_complex(&[count, count]);
        let (nothing, one) = (d.number(0.0), d.number(1.0));
        let (largest, poison) = reflected(d, &a, &w);
        // The rows of `v` are the eigenvectors.
        let v = self.vectors.0.then(|| {
            let v = [d.unit(count), d.scratch(&[count, count])];
            d.each(&zero, &n, &mut |d, i| {
                d.beside(&zero, &n, &mut |d, j| d.set(&v[1], &[i, j], nothing));
            });
            v
        });
        d.sweeps(&n, largest, &mut |d, p, q, limit| {
            let apart = d.get_complex(&w, &[p, q]);
            let size = d.abs_complex(apart);
            let turn = d.lt(limit, size);
            let by = d.select(turn, size, one);
            // The factor that makes the element real.
            let (re, im) = (d.div(apart.re, by), d.div(apart.im, by));
            let im = d.neg(im);
            let phase = Complex {
                re: d.select(turn, re, one),
                im: d.select(turn, im, nothing),
            };
            let back = d.conj(phase);
            let (app, aqq) = (d.get(&w[0], &[p, p]), d.get(&w[0], &[q, q]));
            let tangent = rotation(d, app, aqq, size);
            let tangent = d.select(turn, tangent, nothing);
            let (c, s) = cosine_and_sine(d, tangent);
            let change = d.mul(tangent, size);
            for (low, high) in [(&zero, p), (&d.after(p), q), (&d.after(q), &n)] {
                d.beside(low, high, &mut |d, j| {
                    let (x, y) = (d.get_complex(&w, &[p, j]), d.get_complex(&w, &[q, j]));
                    let y = d.mul_complex(back, y);
                    let (x, y) = turned_by(d, c, s, x, y);
                    d.set_complex(&w, &[p, j], x);
                    d.set_complex(&w, &[q, j], y);
                    let (x, y) = (d.conj(x), d.conj(y));
                    d.set_complex(&w, &[j, p], x);
                    d.set_complex(&w, &[j, q], y);
                });
            }
            let less = d.sub(app, change);
            d.set(&w[0], &[p, p], less);
            let more = d.add(aqq, change);
            d.set(&w[0], &[q, q], more);
            let left = Complex {
                re: d.select(turn, nothing, apart.re),
                im: d.select(turn, nothing, apart.im),
            };
            d.set_complex(&w, &[p, q], left);
            let left = d.conj(left);
            d.set_complex(&w, &[q, p], left);
            if let Some(v) = &v {
                d.beside(&zero, &n, &mut |d, j| {
                    let (x, y) = (d.get_complex(v, &[p, j]), d.get_complex(v, &[q, j]));
                    let y = d.mul_complex(phase, y);
                    let (x, y) = turned_by(d, c, s, x, y);
                    d.set_complex(v, &[p, j], x);
                    d.set_complex(v, &[q, j], y);
                });
            }
            turn
        });
        d.each(&zero, &n, &mut |d, i| {
            let x = d.get(&w[0], &[i, i]);
            let x = d.add(x, poison);
            d.set(values, &[i], x);
        });
        let parts = v.as_ref().map(|v| (&v[0], &v[1]));
        d.sort(values, parts.map(|v| v.0), parts.map(|v| v.1), false);
        if let Some(v) = &v {
            for (part, out) in v.iter().zip(&outputs[1..]) {
                d.each(&zero, &n, &mut |d, i| {
                    d.beside(&zero, &n, &mut |d, j| {
                        let x = d.get(part, &[j, i]);
                        let x = d.add(x, poison);
                        d.set(out, &[i, j], x);
                    });
                });
            }
        }
    }

    fn with_vectors(&self) -> Option<(Factor, Range<usize>)> {
        let vectors = Vectors(true);
        (!self.vectors.0).then_some((Factor::Hermitian(Hermitian { vectors }), 0..1))
    }

    /// As of symmetric matrices, with the adjoint in place of the transpose.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let Some(da) = tangents(dx, x[0]) else {
            return vec![];
        };
        let (values, v) = (y[0], [y[1], y[2]]);
        let even = [(da[0] + t(da[0])) * 0.5, (da[1] - t(da[1])) * 0.5];
        let p = matmul(matmul(adjoint(v), even), v);
        let dvalues = super::diagonal(p[0]);
        if !self.vectors.0 {
            return vec![Some(dvalues)];
        }
        let gaps = inverse_gaps(values);
        let dv = matmul(v, each(p, |x| x * gaps));
        vec![Some(dvalues), Some(dv[0]), Some(dv[1])]
    }
}

/// `(c x - s y, s x + c y)`.
fn turned_by(d: &mut Desk, c: Value, s: Value, x: Complex, y: Complex) -> (Complex, Complex) {
    let (cx, sy) = (d.scale_complex(x, c), d.scale_complex(y, s));
    let (sx, cy) = (d.scale_complex(x, s), d.scale_complex(y, c));
    (d.sub_complex(cx, sy), d.add_complex(sx, cy))
}

/// Copies the lower triangle to both sides. Returns the largest absolute value of a part, and a number that is zero, or
/// NaN if an element is not finite.
fn reflected(d: &mut Desk, a: &Parts<Matrix>, w: &Parts<Matrix>) -> (Value, Value) {
    let (zero, n) = (place(0), place(a[0].rows()));
    let nothing = d.number(0.0);
    let found = d.fold(&zero, &n, &[nothing, nothing], &mut |d, i, found| {
        let found = d.fold(&zero, i, found, &mut |d, j, found| {
            let z = d.get_complex(a, &[i, j]);
            d.set_complex(w, &[i, j], z);
            let back = d.conj(z);
            d.set_complex(w, &[j, i], back);
            let found = inspected(d, z.re, found);
            inspected(d, z.im, &found)
        });
        own_diagonal(d, a, w, i, &found)
    });
    (found[0], found[1])
}

fn own_diagonal(
    d: &mut Desk,
    a: &Parts<Matrix>,
    w: &Parts<Matrix>,
    i: &Affine,
    found: &[Value],
) -> Carries {
    let x = d.get(&a[0], &[i, i]);
    let nothing = d.number(0.0);
    d.set(&w[0], &[i, i], x);
    d.set(&w[1], &[i, i], nothing);
    inspected(d, x, found)
}
