//! Orthogonal factors, eigenvalues and singular values, and what is made of them.

use super::{for_each, matrix, square};
use crate::ops::factor;
use crate::trace::Var;

/// # Orthogonal factors and spectra
///
/// The last two axes are those of the matrices; axes in front are those of a batch. They take floats.
///
/// ```
/// use wengert::prelude::*;
///
/// let f = jit(|a: Var| (a.qr().1, a.eigvalsh(), a.svdvals(), a.pinv(), a.matrix_rank()));
/// let (r, eigenvalues, values, pinv, rank) = f.call([[3.0, 0.0], [0.0, -4.0]])?;
/// assert_eq!(r.to_vec::<f64>()?, [3.0, 0.0, 0.0, 4.0]);
/// assert_eq!(eigenvalues.to_vec::<f64>()?, [-4.0, 3.0]);
/// assert_eq!(values.to_vec::<f64>()?, [4.0, 3.0]);
/// assert_eq!(pinv.to_vec::<f64>()?, [1.0 / 3.0, 0.0, 0.0, -0.25]);
/// assert_eq!(rank.item::<i64>()?, 2);
/// # Ok::<(), wengert::Error>(())
/// ```
impl Var {
    /// `(Q, R)` with orthonormal columns in `Q`, upper triangular `R` whose diagonal is not negative, and
    /// `self = Q R`: `numpy.linalg.qr`, whose signs differ. For `[m, n]`, `Q` has `min(m, n)` columns. Derivative: Walter
    /// and Lehmann's rule (2012); NaN or infinite where the first `min(m, n)` columns are linearly dependent.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn qr(self) -> (Var, Var) {
        matrix("qr", self);
        let both = for_each("qr", &[(self, 2)], |x| factor::qr(x[0]).to_vec());
        (both[0], both[1])
    }

    /// The eigenvalues of symmetric matrices in ascending order, and their eigenvectors, the columns of orthogonal
    /// matrices: `numpy.linalg.eigh`. Only the lower triangle is read; the cotangent is symmetric. Derivative: Giles's
    /// rule (2008), in which eigenvectors of equal eigenvalues do not turn into one another. So the derivative of what
    /// does not depend on the choice of such vectors is right, as of a sum of a function of the eigenvalues.
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn eigh(self) -> (Var, Var) {
        square("eigh", self);
        let both = for_each("eigh", &[(self, 2)], |x| factor::eigh(x[0]).to_vec());
        (both[0], both[1])
    }

    /// The eigenvalues of symmetric matrices in ascending order: `numpy.linalg.eigvalsh`. Derivative: as of
    /// [`Var::eigh`].
    ///
    /// # Errors
    /// If the last two axes differ in length.
    #[track_caller]
    pub fn eigvalsh(self) -> Var {
        square("eigvalsh", self);
        for_each("eigvalsh", &[(self, 2)], |x| vec![factor::eigvalsh(x[0])])[0]
    }

    /// `(U, s, Vᵀ)` with orthonormal columns in `U`, orthonormal rows in `Vᵀ`, singular values from the largest to the
    /// smallest, and `self = U diag(s) Vᵀ`: `numpy.linalg.svd` with `full_matrices=False`. Derivative: Giles's rule
    /// (2008), in which vectors of equal singular values do not turn into one another.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn svd(self) -> (Var, Var, Var) {
        let (m, n) = matrix("svd", self);
        let all = for_each("svd", &[(self, 2)], |x| {
            if m >= n {
                return factor::svd(x[0]).to_vec();
            }
            let [u, s, vt] = factor::svd(factor::t(x[0]));
            vec![factor::t(vt), s, factor::t(u)]
        });
        (all[0], all[1], all[2])
    }

    /// The singular values from the largest to the smallest: `numpy.linalg.svdvals`. Derivative: `diag(Uᵀ a' V)`.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn svdvals(self) -> Var {
        let (m, n) = matrix("svdvals", self);
        for_each("svdvals", &[(self, 2)], |x| {
            let x = if m >= n { x[0] } else { factor::t(x[0]) };
            vec![factor::svdvals(x)]
        })[0]
    }
}
