//! Linear equations of matrices.

use wengert_ir::num::linalg::{for_each, matrix, square};

use crate::Var;
use crate::solver::refuse;

/// The solution `x` of `a x + x b = q`: `scipy.linalg.solve_sylvester`. It is solved as one system of as many unknowns as
/// `q` has elements, by LU factors, which suits small matrices: the time grows with the third power of that number. Where
/// `a` and `-b` have an eigenvalue in common, infinite or NaN. Derivative: that of the equation.
///
/// # Errors
/// If `a` or `b` is not square, or `q` does not fit.
///
/// ```
/// use wengert::linalg::solve_sylvester;
/// use wengert::prelude::*;
///
/// let f = jit(|(a, b, q): (Var, Var, Var)| solve_sylvester(a, b, q));
/// let x = f.call(([[1.0, 0.0], [0.0, 2.0]], [[3.0]], [[4.0], [10.0]]))?;
/// assert!(x.all_close(&Array::from([[1.0], [2.0]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn solve_sylvester(a: Var, b: Var, q: Var) -> Var {
    let (m, n) = (square("solve_sylvester", a), square("solve_sylvester", b));
    fits("solve_sylvester", q, m, n);
    for_each("solve_sylvester", &[(a, 2), (b, 2), (q, 2)], |x| {
        let (a, b, q) = (x[0], x[1], x[2]);
        let one = |n: usize| crate::eye(n).to(a.dtype());
        let whole = a.kron(one(n)) + one(m).kron(b.t());
        vec![whole.solve(q.flatten()).reshape([m as i64, n as i64])]
    })[0]
}

/// The solution `x` of `a x + x aᵀ = q`: `scipy.linalg.solve_continuous_lyapunov`. It is [`solve_sylvester`] with `aᵀ`.
/// Derivative: that of the equation.
///
/// # Errors
/// If `a` is not square, or `q` does not fit.
///
/// ```
/// use wengert::linalg::solve_continuous_lyapunov;
/// use wengert::prelude::*;
///
/// let f = jit(|(a, q): (Var, Var)| solve_continuous_lyapunov(a, q));
/// let x = f.call(([[1.0, 0.0], [0.0, 2.0]], [[2.0, 3.0], [3.0, 4.0]]))?;
/// assert!(x.all_close(&Array::from([[1.0, 1.0], [1.0, 1.0]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn solve_continuous_lyapunov(a: Var, q: Var) -> Var {
    let n = square("solve_continuous_lyapunov", a);
    fits("solve_continuous_lyapunov", q, n, n);
    solve_sylvester(a, a.swap_axes(-1, -2), q)
}

/// The solution `x` of `x = a x aᵀ + q`: `scipy.linalg.solve_discrete_lyapunov`, the covariance of a stationary linear
/// process. It is solved as one system of `n²` unknowns, by LU factors. Derivative: that of the equation.
///
/// # Errors
/// If `a` is not square, or `q` does not fit.
///
/// ```
/// use wengert::linalg::solve_discrete_lyapunov;
/// use wengert::prelude::*;
///
/// let f = jit(|(a, q): (Var, Var)| solve_discrete_lyapunov(a, q));
/// let x = f.call(([[0.5, 0.0], [0.0, 0.0]], [[3.0, 0.0], [0.0, 1.0]]))?;
/// assert!(x.all_close(&Array::from([[4.0, 0.0], [0.0, 1.0]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn solve_discrete_lyapunov(a: Var, q: Var) -> Var {
    let n = square("solve_discrete_lyapunov", a);
    fits("solve_discrete_lyapunov", q, n, n);
    for_each("solve_discrete_lyapunov", &[(a, 2), (q, 2)], |x| {
        let (a, q) = (x[0], x[1]);
        let whole = crate::eye(n * n).to(a.dtype()) - a.kron(a);
        vec![whole.solve(q.flatten()).reshape([n as i64, n as i64])]
    })[0]
}

#[track_caller]
fn fits(op: &str, q: Var, m: usize, n: usize) {
    if matrix(op, q) != (m, n) {
        refuse(op, format!("{} is not {m} by {n}", q.ty()));
    }
}
