//! Systems with bands, by scans.

use wengert::prelude::*;
use wengert::solver::asked_at;

/// The line of the user that asks for a curve.
pub(super) type Asked = &'static std::panic::Location<'static>;

/// Solves tridiagonal systems by elimination without exchange of rows: `low[i] x[i-1] + middle[i] x[i] +
/// high[i] x[i+1] = right[i]`. The right sides are columns, `[n, m]`.
pub(super) fn tridiagonal(place: Asked, low: Var, middle: Var, high: Var, right: Var) -> Var {
    let m = right.shape()[1];
    let dtype = right.dtype();
    let number = || zeros_of((), dtype);
    let rows = (low.to(dtype), middle.to(dtype), high.to(dtype), right);
    let start = (number(), zeros_of(m, dtype));
    let (_, (highs, rights)) = scan(
        start,
        rows,
        |(h, r): (Var, Var), (low, middle, high, right)| {
            asked_at(place, || {
                let pivot = middle - low * h;
                let next = (high / pivot, (right - low * r) / pivot);
                (next, next)
            })
        },
    );
    let (_, x) = scan_reverse(
        zeros_of(m, dtype),
        (highs, rights),
        |x: Var, (h, r): (Var, Var)| {
            asked_at(place, || {
                let x = r - h * x;
                (x, x)
            })
        },
    );
    x
}

/// The factors of a symmetric, positive definite matrix with `w` bands beside the diagonal: `L D Lᵀ`.
pub(super) struct Factors {
    /// `D`, `[n]`.
    pub pivots: Var,
    /// `L[i, i - j]` in column `j - 1`, `[n, w]`.
    pub lower: Var,
}

/// Factors a matrix of which `bands[i, j]` is the element `[i, i - j]`, `[n, w + 1]`.
pub(super) fn factors(place: Asked, bands: Var) -> Factors {
    let w = bands.shape()[1] - 1;
    let dtype = bands.dtype();
    // The last rows, the nearest first: the pivot and the row of L.
    let before = (
        vec![full((), 1.0).to(dtype); w],
        vec![vec![zeros_of((), dtype); w]; w],
    );
    let (_, (pivots, lower)) = scan(
        before,
        bands,
        |(d, l): (Vec<Var>, Vec<Vec<Var>>), row: Var| {
            asked_at(place, || {
                // `m[j - 1]` is L[i, i - j] · D[i - j].
                let mut m = vec![zeros_of((), dtype); w];
                let mut own = m.clone();
                let mut pivot = row.at(0);
                for j in (1..=w).rev() {
                    let known = (j + 1..=w).map(|k| m[k - 1] * l[j - 1][k - j - 1]);
                    m[j - 1] = known.fold(row.at(j), |v, x| v - x);
                    own[j - 1] = m[j - 1] / d[j - 1];
                    pivot -= m[j - 1] * own[j - 1];
                }
                let ds = [&[pivot], &d[..w.saturating_sub(1)]].concat();
                let mut ls = vec![own.clone()];
                ls.extend_from_slice(&l[..w.saturating_sub(1)]);
                ((ds, ls), (pivot, stack(own)))
            })
        },
    );
    Factors { pivots, lower }
}

impl Factors {
    /// Solves the system for a vector.
    pub fn solve(&self, place: Asked, right: Var) -> Var {
        let (n, w) = (self.lower.shape()[0], self.lower.shape()[1]);
        let dtype = right.dtype();
        let none = || vec![zeros_of((), dtype); w];
        let next = |x: Var, before: Vec<Var>| [&[x], &before[..w.saturating_sub(1)]].concat();
        let forward = |z: Vec<Var>, (row, r): (Var, Var)| {
            asked_at(place, || {
                let r = (0..w).fold(r, |r, j| r - row.at(j) * z[j]);
                (next(r, z), r)
            })
        };
        let (_, z) = scan(none(), (self.lower, right), forward);
        // Row `i` of the transposed factor: L[i + j, i].
        let columns = (1..=w).map(|j| {
            let part = self
                .lower
                .slice_axis(0, j.min(n)..n)
                .slice_axis(1, j - 1..j);
            part.pad([(0, j.min(n)), (0, 0)])
        });
        let upper = concat(columns.collect::<Vec<Var>>(), 1);
        let backward = |x: Vec<Var>, (row, z): (Var, Var)| {
            asked_at(place, || {
                let z = (0..w).fold(z, |z, j| z - row.at(j) * x[j]);
                (next(z, x), z)
            })
        };
        scan_reverse(none(), (upper, z / self.pivots), backward).1
    }
}
