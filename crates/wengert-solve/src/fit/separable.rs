//! Models that are linear in some of their unknowns.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse};

use super::search::Problem;
use super::space::Space;
use super::{Fit, LevenbergMarquardt, Start};
use crate::watch::Watch;

/// Fits `basis(p) c` to `y`: a model that is linear in the unknowns `c`, one for each column of the matrix that `basis`
/// gives, `f[m,k]`, and not in `p`. The search is over `p` alone, since the best `c` follow from it by linear least
/// squares: variable projection, Golub and Pereyra (1973). No start is needed for them, and the search takes fewer steps.
///
/// What is found is a fit of both, `(p, c)`.
///
/// # Errors
/// As [`least_squares`](super::least_squares); if the basis is not a matrix with a row for each number of `y`, a vector.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::separable;
///
/// // Two decays and a floor: five unknowns, of which two are searched.
/// let fit = jit(|(t, y): (Var, Var)| {
///     let basis = |[a, b]: [Var; 2]| stack_axis(((-a * t).exp(), (-b * t).exp(), ones_like(t)), 1);
///     separable(basis, y, [0.5, 4.0])
/// });
/// let t: Vec<f64> = (0..40).map(|i| 0.1 * f64::from(i)).collect();
/// let y: Vec<f64> = t.iter().map(|t| 2.0 * (-t).exp() + 3.0 * (-3.0 * t).exp() + 0.5).collect();
/// let found = fit.call((t, y))?.ok()?;
/// let ([a, _], c) = &found.params;
/// assert!((a.item::<f64>()? - 1.0).abs() < 1e-9);
/// assert!(c.all_close(&Array::from([2.0, 3.0, 0.5]), 1e-9, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn separable<S: Start>(
    basis: impl Fn(S::Tree) -> Var,
    y: Var,
    start: S,
) -> Fit<(S::Tree, Var)> {
    LevenbergMarquardt::new().separable(basis, y, start)
}

impl<W: Watch> LevenbergMarquardt<W> {
    /// Is [`separable`] with these options. The linear unknowns have no bounds.
    ///
    /// # Errors
    /// As [`separable`].
    #[track_caller]
    pub fn separable<S: Start>(
        &self,
        basis: impl Fn(S::Tree) -> Var,
        y: Var,
        start: S,
    ) -> Fit<(S::Tree, Var)> {
        let (op, place) = ("separable", Location::caller());
        asked_at(place, || {
            self.expect_valid(op);
            let start = start.parameters();
            let space = Space::new(op, start.clone());
            let matrix = |p: S::Tree| {
                let (a, y) = (inside(|| basis(p)), y.ty());
                let ty = a.ty();
                let fits = y.rank() == 1 && ty.rank() == 2 && ty.dims()[0] == y.dims()[0];
                if !fits || ty.dims()[1] == 0 || ty.dtype != y.dtype {
                    let message = format!(
                        "the basis is {ty}, and y is {y}; a basis has a row for each number of the vector y, and a \
                         column for each linear unknown"
                    );
                    refuse(op, message)
                }
                if ty.dtype != space.dtype {
                    let message =
                        format!("the basis is {ty}, and the unknowns are {}", space.dtype);
                    refuse(op, message)
                }
                a
            };
            let projected = |u: Var| {
                asked_at(place, || {
                    let a = matrix(space.tree(u));
                    a.dot(a.lstsq(y)) - y
                })
            };
            let problem = Problem {
                residuals: &projected,
                bounds: space.bounds,
                loss: self.loss,
                dtype: space.dtype,
                place,
            };
            let (u, facts) = problem.search(space.start, self);
            let p = space.tree::<S::Tree>(u.stop_gradient());
            let c = matrix(p.clone()).lstsq(y).stop_gradient();
            let both = start.with_linear(p, c);
            let residuals = |(p, c): (S::Tree, Var)| matrix(p).dot(c) - y;
            let fit = self.quiet().fit(op, place, &residuals, both);
            Fit {
                iterations: fit.iterations + facts.iterations,
                evaluations: fit.evaluations + facts.iterations + 1,
                ..fit
            }
        })
    }
}
