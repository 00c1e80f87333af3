//! Eigenvalues of any square matrices.

use wengert_ir::num::linalg::complex as parts;

use crate::Var;
use crate::complex::Complex;
use crate::complex::linalg::joined;

/// The eigenvalues of square matrices, and their eigenvectors as columns: `numpy.linalg.eig`. The eigenvalues are in the
/// order of their real and then their imaginary parts. A vector has the length 1, and its largest element is real and
/// positive. The vector of a real eigenvalue is real, and those of a pair are conjugate. [`Complex::eig`] is for complex
/// matrices. Derivative: `diag(v⁻¹ a' v)` to the values, and to the vectors Giles's rule (2008), in which those of equal
/// eigenvalues do not turn into one another, under the same scale; infinite where the matrix has fewer vectors than rows.
///
/// The steps are Francis's with two shifts up to 32 rows, and a library's above; they have a fixed bound, and a matrix
/// with which they do not end, or that is not finite, gives NaN.
///
/// # Errors
/// If the last two axes differ in length.
///
/// ```
/// use wengert::linalg::eig;
/// use wengert::prelude::*;
///
/// // A quarter turn, and its eigenvalues ±i.
/// let (values, vectors) = jit(|a: Var| eig(a)).call([[0.0, -1.0], [1.0, 0.0]])?;
/// assert!(values.im.all_close(&Array::from([-1.0, 1.0]), 1e-14, 1e-14));
/// let half = 0.5f64.sqrt();
/// assert!((vectors.re.get::<f64>([0, 1])?.hypot(vectors.im.get::<f64>([0, 1])?) - half).abs() < 1e-14);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn eig(a: Var) -> (Complex, Complex) {
    let [values, vectors] = parts::eig("eig", &[a]);
    (joined(values), joined(vectors))
}

/// The eigenvalues of square matrices in the order of their real and then their imaginary parts, as [`eig`]:
/// `numpy.linalg.eigvals`. Derivative: as there.
///
/// # Errors
/// If the last two axes differ in length.
///
/// ```
/// use wengert::linalg::eigvals;
/// use wengert::prelude::*;
///
/// // The roots of x² - 3 x + 2, of which the matrix is the companion.
/// let roots = jit(|a: Var| eigvals(a)).call([[3.0, -2.0], [1.0, 0.0]])?;
/// assert!(roots.re.all_close(&Array::from([1.0, 2.0]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn eigvals(a: Var) -> Complex {
    joined(parts::eigvals("eigvals", &[a]))
}
