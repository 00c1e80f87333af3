//! Eigenvalues and eigenvectors of any square matrices.

mod francis;
mod givens;
mod steps;

use std::ops::Range;

use super::complex::{Parts, each, matmul, mul, same_parts, solve_complex, tangents};
use super::{Factor, Factorisation, Vectors, diagonal, square};
use crate::error::TypeError;
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{DType, Type};
use crate::loops::kernel::Task;
use crate::ops::{Tangent, index};
use crate::schedule::desk::{Desk, Matrix};
use crate::trace::{Var, keep};

/// `(a)` or `(a, a')`: the eigenvalues in the order of their real and then their imaginary parts, and the eigenvectors as
/// columns, both in two parts. A vector has the length 1, and its largest element, the first of equal ones, is real and
/// positive. With a NaN or an infinity in the matrix, all results are NaN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Eig {
    /// Whether the matrix has an imaginary part.
    pub complex: bool,
    /// Whether the eigenvectors are computed, too.
    pub vectors: Vectors,
}

/// Records the eigenvalues and the eigenvectors of the matrices in the last two axes, given in one part or in two.
#[track_caller]
pub fn eig(a: &[Var]) -> [Parts; 2] {
    let all = with(a, true).bind(a);
    [[all[0], all[1]], [all[2], all[3]]]
}

/// Records the eigenvalues of the matrices in the last two axes, given in one part or in two.
#[track_caller]
pub fn eigvals(a: &[Var]) -> Parts {
    let both = with(a, false).bind(a);
    [both[0], both[1]]
}

fn with(a: &[Var], vectors: bool) -> Factor {
    let complex = a.len() == 2;
    let vectors = Vectors(vectors);
    Factor::Eig(Eig { complex, vectors })
}

impl Eig {
    pub(super) fn read(given: &Given) -> Option<Eig> {
        Some(Eig {
            complex: given.boolean("complex")?,
            vectors: Vectors::read(given)?,
        })
    }
}

impl Factorisation for Eig {
    fn name(&self) -> &'static str {
        "eig"
    }

    fn attributes(&self) -> Attributes {
        let mut all = vec![("complex", Attribute::Bool(self.complex))];
        all.extend(self.vectors.attributes());
        all
    }

    fn library(&self, inputs: &[Type]) -> (Task, [usize; 2]) {
        let dims = inputs[0].dims();
        let (complex, vectors) = (self.complex, self.vectors.0);
        (Task::Eig { complex, vectors }, [dims[0], dims[1]])
    }

    fn ranks(&self) -> &'static [usize] {
        match self.complex {
            true => &[2, 2],
            false => &[2],
        }
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let a = &inputs[0];
        if let Some(other) = inputs.get(1) {
            same_parts(a, other)?;
        }
        let values = a.with_dims(&[square(a)?]);
        Ok(match self.vectors.0 {
            true => vec![values.clone(), values, a.clone(), a.clone()],
            false => vec![values.clone(), values],
        })
    }

    fn steps(&self, d: &mut Desk, inputs: &[Matrix], outputs: &[Matrix]) {
        steps::eig(d, *self, inputs, outputs);
    }

    fn with_vectors(&self) -> Option<(Factor, Range<usize>)> {
        let vectors = Vectors(true);
        (!self.vectors.0).then_some((Factor::Eig(Eig { vectors, ..*self }), 0..2))
    }

    /// `λ' = diag P` and `V' = V (F ∘ P)` with `P = V⁻¹ a' V` and `F[i, j] = 1 / (λ[j] - λ[i])`, which is 0 for equal
    /// eigenvalues; each column of `V'` less the multiple of its vector that would change its length or its phase.
    fn jvp(&self, x: &[Var], y: &[Var], dx: &[Tangent]) -> Vec<Tangent> {
        let da = match self.complex {
            true => tangents(dx, x[0]),
            false => dx[0].map(|da| [da, Var::zeros(&da.ty())]),
        };
        let Some(da) = da else {
            return vec![];
        };
        let (values, v) = ([y[0], y[1]], [y[2], y[3]]);
        let p = solve_complex(v, matmul(da, v), false);
        let dvalues = each(p, diagonal).map(Some);
        if !self.vectors.0 || y[0].shape().contains(&0) {
            return match self.vectors.0 {
                true => [dvalues, v.map(Some)].concat(),
                false => dvalues.to_vec(),
            };
        }
        let w = matmul(v, mul(p, inverse_gaps(values)));
        // The real part of `vᴴ w`, which changes the length.
        let along = (v[0] * w[0] + v[1] * w[1]).sum_axis(keep(-2));
        // The imaginary part of the change of the largest element, which is real.
        let rank = v[0].rank();
        let size = (v[0] * v[0]).stop_gradient();
        let real = v[1].stop_gradient().eq(0.0);
        let largest = real.select(size, -1.0).argmax_axis(-2).expand_dims(-2);
        let at = |x: Var| index::take_along(x, largest, rank - 2);
        let across = at(w[1]) / at(v[0]);
        let dv = mul(v, [along, across]);
        [dvalues, [Some(w[0] - dv[0]), Some(w[1] - dv[1])]].concat()
    }
}

/// `1 / (x[j] - x[i])`, and 0 where the two are equal but for rounding.
#[track_caller]
fn inverse_gaps(x: Parts) -> Parts {
    let n = x[0].shape()[x[0].rank() - 1];
    let [re, im] = each(x, |x| x.expand_dims(-2) - x.expand_dims(-1));
    let epsilon = match re.dtype() {
        DType::F32 => f32::EPSILON.into(),
        _ => f64::EPSILON,
    };
    let size = |re: Var, im: Var| re.stop_gradient().abs() + im.stop_gradient().abs();
    let largest = size(x[0], x[1]).amax_axis(keep(-1));
    let limit = (largest * (4.0 * n as f64 * epsilon)).expand_dims(-1);
    let equal = size(re, im).le(limit);
    // The reciprocal by Smith's rule.
    let tall = re.stop_gradient().abs().lt(im.stop_gradient().abs());
    let large = equal.select(1.0, tall.select(im, re));
    let small = equal.select(0.0, tall.select(re, im));
    let ratio = small / large;
    let first = (large + small * ratio).recip();
    let second = ratio * first;
    [
        equal.select(0.0, tall.select(second, first)),
        equal.select(0.0, -tall.select(first, second)),
    ]
}
