//! The triangle of a Jacobian: what steps need of it.

use wengert::prelude::*;

/// Elements of a matrix that is factored at once; taller ones are factored block by block.
const BLOCK: usize = 1000;

/// The least distance of a column from the span of those before it, relative to its length, for which the normal
/// equations keep half of the digits.
const APART: f64 = 1e-4;

/// The upper triangular `R` of `J = Q R`, and `Qᵀ r`.
#[derive(Tree, Clone, Copy)]
pub(super) struct Triangle<T = Var> {
    pub(super) r: T,
    pub(super) z: T,
}

impl Triangle {
    /// Returns the triangle of a Jacobian and residuals, by orthogonal factors.
    pub(super) fn of(j: Var, r: Var) -> Triangle {
        let n = j.shape()[1];
        let both = concat([j, r.expand_dims(1)], 1);
        let r = upper(both, n);
        Triangle {
            r: r.slice((0..n, 0..n)),
            z: r.slice((0..n, n..n + 1)).reshape([n]),
        }
    }

    /// Returns the same where the columns, whose lengths are given, are far enough apart for the normal equations, to
    /// half of the digits; elsewhere by orthogonal factors.
    pub(super) fn quick(j: Var, r: Var, lengths: Var) -> Triangle {
        let lengths = lengths.ne(0.0).select(lengths, 1.0);
        let a = j.t().dot(j) / lengths.expand_dims(1) / lengths.expand_dims(0);
        // A column of zeros has a row of its own in the triangle.
        let empty = a.diagonal().eq(0.0);
        let low = (a + empty.select(ones_like(lengths), 0.0).diag()).cholesky();
        let apart = low.diagonal().amin().gt(APART);
        let z = low.solve_lower(r.dot(j) / lengths);
        let r_of = low.t() * lengths.expand_dims(0) * empty.select(zeros_like(lengths), 1.0);
        let quick = Triangle { r: r_of, z };
        cond(
            apart,
            quick,
            |quick: Triangle| quick,
            move |_| Triangle::of(j, r),
        )
    }
}

/// Returns the first `n` rows of the triangular factor of a matrix of more than `n` columns; rows that it lacks are
/// zero.
fn upper(a: Var, n: usize) -> Var {
    let [m, k] = [a.shape()[0], a.shape()[1]];
    let rows = (BLOCK / k).saturating_sub(k);
    let r = if m * k <= BLOCK || rows < k {
        a.qr().1
    } else {
        // Blocks of rows below the triangle of those above.
        let blocks = m.div_ceil(rows);
        let padded = a.pad([(0, blocks * rows - m), (0, 0)]);
        let start = zeros_of([k, k], a.dtype());
        let step = |r: Var, block: Var| (concat([r, block], 0).qr().1, ());
        scan(start, padded.reshape([blocks, rows, k]), step).0
    };
    let has = r.shape()[0];
    if has < n {
        r.pad([(0, n - has), (0, 0)])
    } else {
        r.slice_axis(0, 0..n)
    }
}

/// Returns the triangle and the right-hand side of a step, of `[R; √λ D] p = -[z; 0]`.
pub(super) fn damped(t: Triangle, diagonal: Var) -> Triangle {
    let n = t.r.shape()[0];
    Triangle::of(
        concat([t.r, diagonal.diag()], 0),
        concat([t.z, zeros_of([n], t.z.dtype())], 0),
    )
}
