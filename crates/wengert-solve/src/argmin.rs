//! Compiled functions as the problems of [`argmin`](https://docs.rs/argmin), with exact derivatives: the feature `argmin`.
//!
//! | | a function of a vector | `argmin`'s traits |
//! |---|---|---|
//! | [`Objective`] | that returns a number | `CostFunction`, `Gradient`, `Hessian` |
//! | [`Residuals`] | that returns a vector | `Operator`, `Jacobian` |
//!
//! Each of the value and the derivatives is compiled when it is first asked for, and once for each number of unknowns. So
//! any solver of `argmin` runs on what is written for this library; for many problems at once, or to differentiate what
//! was found, use the solvers of this crate.
//!
//! Vectors are `Vec<f64>` and matrices `Vec<Vec<f64>>` unless `with` says otherwise: it takes the conversions of any
//! mathematical library, such as `nalgebra`'s, which `argmin`'s methods need where they invert a matrix.

use std::fmt;
use std::panic::Location;

use argmin::core::{CostFunction, Error, Gradient, Hessian, Jacobian, Operator};
use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, inside, refuse};

use crate::shared::scalar;

/// The conversions from and to the vectors and matrices of a mathematical library.
struct Math<P, M> {
    read: fn(&P) -> Vec<f64>,
    vector: fn(Vec<f64>) -> P,
    matrix: fn([usize; 2], Vec<f64>) -> M,
}

impl<P, M> Math<P, M> {
    fn point(&self, p: &P) -> Array {
        Array::from((self.read)(p))
    }

    fn matrix(&self, a: &Array) -> Result<M, Error> {
        let dims = [a.shape()[0], a.shape()[1]];
        Ok((self.matrix)(dims, a.to_vec()?))
    }
}

/// Rows of a matrix.
fn rows([_, columns]: [usize; 2], values: Vec<f64>) -> Vec<Vec<f64>> {
    let rows = values.chunks(columns.max(1));
    rows.map(<[f64]>::to_vec).collect()
}

/// A function to minimise, whose value is one `f64`, with its gradient and its Hessian.
///
/// ```
/// use argmin::core::{Executor, State};
/// use argmin::solver::linesearch::MoreThuenteLineSearch;
/// use argmin::solver::quasinewton::LBFGS;
/// use wengert::prelude::*;
/// use wengert_solve::argmin::Objective;
///
/// let rosenbrock = |x: Var| {
///     let (here, next) = (x.at(..-1), x.at(1..));
///     (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
/// };
/// let method = LBFGS::new(MoreThuenteLineSearch::new(), 7);
/// let found = Executor::new(Objective::new(rosenbrock), method)
///     .configure(|state| state.param(vec![-1.2, 1.0, -1.2]).max_iters(200))
///     .run()?;
/// let x = found.state().get_best_param().expect("it has run");
/// assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-6));
/// # Ok::<(), argmin::core::Error>(())
/// ```
pub struct Objective<P = Vec<f64>, M = Vec<Vec<f64>>> {
    value: Jit<Var, Var>,
    gradient: Jit<Var, Var>,
    hessian: Jit<Var, Var>,
    math: Math<P, M>,
}

impl Objective {
    /// The problem of a function of `f64[n]`, for points that are `Vec<f64>`.
    ///
    /// # Errors
    /// What `argmin` asks for is an error if the function cannot be traced, or its value is not one `f64`.
    #[track_caller]
    pub fn new(f: impl Fn(Var) -> Var + Clone + Send + Sync + 'static) -> Objective {
        Objective::with(f, Vec::clone, |v| v, rows)
    }
}

impl<P, M> Objective<P, M> {
    /// The same for other types of vectors and matrices: `read` returns the numbers of a point, `vector` makes a vector,
    /// and `matrix` one of `[rows, columns]` whose numbers are given row by row.
    ///
    /// ```
    /// use argmin::core::Executor;
    /// use argmin::solver::newton::Newton;
    /// use nalgebra::{DMatrix, DVector};
    /// use wengert::prelude::*;
    /// use wengert_solve::argmin::Objective;
    ///
    /// let f = |x: Var| (x.exp() - x * [1.0, 2.0]).sum();
    /// let problem = Objective::with(
    ///     f,
    ///     |x: &DVector<f64>| x.as_slice().to_vec(),
    ///     DVector::from_vec,
    ///     |[m, n], values| DMatrix::from_row_slice(m, n, &values),
    /// );
    /// let found = Executor::new(problem, Newton::<f64>::new())
    ///     .configure(|state| state.param(DVector::from_vec(vec![0.5, 0.5])).max_iters(8))
    ///     .run()?;
    /// let x = found.state().param.as_ref().expect("it has run");
    /// assert!(x[0].abs() < 1e-12 && (x[1] - 2f64.ln()).abs() < 1e-12);
    /// # Ok::<(), argmin::core::Error>(())
    /// ```
    #[track_caller]
    pub fn with(
        f: impl Fn(Var) -> Var + Clone + Send + Sync + 'static,
        read: fn(&P) -> Vec<f64>,
        vector: fn(Vec<f64>) -> P,
        matrix: fn([usize; 2], Vec<f64>) -> M,
    ) -> Objective<P, M> {
        let place = Location::caller();
        let value = move |x: Var| {
            asked_at(place, || {
                scalar("argmin", "the value of the function", x.dtype(), || f(x))
            })
        };
        let slope = grad(value.clone());
        Objective {
            value: jit(value),
            gradient: jit(slope.clone()),
            hessian: jit(jacfwd(slope)),
            math: Math {
                read,
                vector,
                matrix,
            },
        }
    }
}

impl<P, M> CostFunction for Objective<P, M> {
    type Param = P;
    type Output = f64;

    fn cost(&self, p: &P) -> Result<f64, Error> {
        Ok(self.value.call(self.math.point(p))?.item()?)
    }
}

impl<P, M> Gradient for Objective<P, M> {
    type Param = P;
    type Gradient = P;

    fn gradient(&self, p: &P) -> Result<P, Error> {
        let g = self.gradient.call(self.math.point(p))?;
        Ok((self.math.vector)(g.to_vec()?))
    }
}

impl<P, M> Hessian for Objective<P, M> {
    type Param = P;
    type Hessian = M;

    fn hessian(&self, p: &P) -> Result<M, Error> {
        self.math.matrix(&self.hessian.call(self.math.point(p))?)
    }
}

impl<P, M> fmt::Debug for Objective<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objective({:?})", self.value)
    }
}

/// Residuals, whose sum of squares is minimised or which are all to be zero, with their Jacobian.
///
/// ```
/// use argmin::core::Executor;
/// use argmin::solver::gaussnewton::GaussNewton;
/// use nalgebra::{DMatrix, DVector};
/// use wengert::prelude::*;
/// use wengert_solve::argmin::Residuals;
///
/// let (t, y) = (Array::from([0.0, 1.0, 2.0, 3.0]), Array::from([2.0, 1.2, 0.75, 0.45]));
/// let problem = Residuals::with(
///     move |p: Var| p.at(0) * (-p.at(1) * &t).exp() - &y,
///     |x: &DVector<f64>| x.as_slice().to_vec(),
///     DVector::from_vec,
///     |[m, n], values| DMatrix::from_row_slice(m, n, &values),
/// );
/// let found = Executor::new(problem, GaussNewton::<f64>::new())
///     .configure(|state| state.param(DVector::from_vec(vec![1.0, 1.0])).max_iters(30))
///     .run()?;
/// let p = found.state().param.as_ref().expect("it has run");
/// assert!((p[0] - 2.0).abs() < 0.02 && (p[1] - 0.5).abs() < 0.02);
/// # Ok::<(), argmin::core::Error>(())
/// ```
pub struct Residuals<P = Vec<f64>, M = Vec<Vec<f64>>> {
    value: Jit<Var, Var>,
    jacobian: Jit<Var, Var>,
    math: Math<P, M>,
}

impl Residuals {
    /// The problem of a function from `f64[n]` to `f64[m]`, for points that are `Vec<f64>`.
    ///
    /// # Errors
    /// What `argmin` asks for is an error if the function cannot be traced, or its value is not a vector of `f64`.
    #[track_caller]
    pub fn new(f: impl Fn(Var) -> Var + Clone + Send + Sync + 'static) -> Residuals {
        Residuals::with(f, Vec::clone, |v| v, rows)
    }
}

impl<P, M> Residuals<P, M> {
    /// The same for other types of vectors and matrices, as [`Objective::with`].
    #[track_caller]
    pub fn with(
        f: impl Fn(Var) -> Var + Clone + Send + Sync + 'static,
        read: fn(&P) -> Vec<f64>,
        vector: fn(Vec<f64>) -> P,
        matrix: fn([usize; 2], Vec<f64>) -> M,
    ) -> Residuals<P, M> {
        let place = Location::caller();
        let value = move |x: Var| {
            asked_at(place, || {
                let r = inside(|| f(x));
                expect_floats("argmin", "the residuals", &r);
                if r.shape().len() != 1 || r.dtype() != x.dtype() {
                    let message = format!(
                        "the residuals are {}, and must be a vector of {}",
                        r.ty(),
                        x.dtype()
                    );
                    refuse("argmin", message)
                }
                r
            })
        };
        // In the mode of fewer directions.
        let slopes = value.clone();
        let jacobian = move |x: Var| {
            let rows = slopes(x).shape()[0];
            match x.shape()[0] > 2 * rows {
                true => jacrev(slopes.clone())(x),
                false => jacfwd(slopes.clone())(x),
            }
        };
        Residuals {
            value: jit(value),
            jacobian: jit(jacobian),
            math: Math {
                read,
                vector,
                matrix,
            },
        }
    }
}

impl<P, M> Operator for Residuals<P, M> {
    type Param = P;
    type Output = P;

    fn apply(&self, p: &P) -> Result<P, Error> {
        let r = self.value.call(self.math.point(p))?;
        Ok((self.math.vector)(r.to_vec()?))
    }
}

impl<P, M> Jacobian for Residuals<P, M> {
    type Param = P;
    type Jacobian = M;

    fn jacobian(&self, p: &P) -> Result<M, Error> {
        self.math.matrix(&self.jacobian.call(self.math.point(p))?)
    }
}

impl<P, M> fmt::Debug for Residuals<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Residuals({:?})", self.value)
    }
}
