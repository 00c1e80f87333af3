//! Fits: nonlinear least squares, and what they say about the unknowns.
//!
//! [`least_squares`] finds the unknowns of the smallest sum of squares of residuals, and [`curve_fit`] those of a model
//! beside data. Both are the methods of [`LevenbergMarquardt`], which holds options, with their defaults. The unknowns
//! are any tree; [`Parameters`] keeps some of them fixed, within bounds, or searches them on another scale. A [`Fit`] has
//! the unknowns, their covariance and standard errors, and outside of a trace intervals, criteria, and a table.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::fit::curve_fit;
//!
//! #[derive(Tree, Clone, Copy)]
//! struct Decay<T = Var> {
//!     height: T,
//!     rate: T,
//! }
//!
//! let fit = jit(|(t, y): (Var, Var)| {
//!     let start = Decay { height: 1.0, rate: 1.0 };
//!     curve_fit(|t: Var, p: Decay| p.height * (-p.rate * t).exp(), t, y, start)
//! });
//! let found = fit.call(([0.0, 1.0, 2.0, 3.0, 4.0], [2.51, 1.22, 0.58, 0.33, 0.14]))?.ok()?;
//! assert!((found.params.rate.item::<f64>()? - 0.72).abs() < 0.01);
//! let (low, high) = found.confidence_intervals(0.95)?;
//! assert!(low.rate.item::<f64>()? > 0.65 && high.rate.item::<f64>()? < 0.80);
//! println!("{found}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Many fits at once are a [`vmap`] of one: each ends when it has converged, by its own status.

mod loss;
mod lsmr;
mod matrix_free;
mod multistart;
mod options;
mod profile;
mod read;
mod search;
mod separable;
mod space;
mod student;
mod triangle;

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse, same_trees};
use wengert::{IntoTree, Tree};

pub use loss::Loss;
pub use matrix_free::Found;
pub use multistart::{Minimum, multistart};
pub use options::{Derivative, LevenbergMarquardt, Method};
pub use profile::{Profile, profile};
pub use read::Prediction;
pub use separable::separable;
pub use space::{Bijection, Parameters, Start, Transform};
pub use student::{student_t, student_t_quantile};

use search::{Facts, Problem};
use space::Space;
use triangle::Triangle;

use crate::State;
use crate::shared::not_negative;
use crate::status::outcome;
use crate::watch::Watch;

/// What a fit found.
///
/// The derivative of the unknowns is that of the solution; cost, covariance and errors are computed from it, so that
/// they have derivatives as well. Counts and status have none.
#[derive(Tree, Clone, Debug)]
pub struct Fit<P, T = Var> {
    /// The unknowns.
    pub params: P,
    /// The standard errors of the unknowns: the roots of the covariance's diagonal. Those of fixed ones are zero.
    pub errors: P,
    /// The cost that was minimised: the sum of squares, or of the losses.
    pub cost: T,
    /// The sum of the squares of the residuals.
    pub rss: T,
    /// The covariance of all numbers of the unknowns, `f[n,n]` in the order of [`tree::ravel`]: the inverse of `Jᵀ J`, by
    /// orthogonal factors of the Jacobian at the solution, times the variance of the residuals, `cost / dof`, unless
    /// [`absolute_sigma`](LevenbergMarquardt::absolute_sigma) is set. Rows and columns of fixed unknowns are zero. If
    /// the data do not determine all unknowns, so that an element is not finite, all are infinite, as SciPy's are. Bounds
    /// and bijections do not change it; with a robust loss the residuals and the Jacobian are those that steps take.
    pub covariance: T,
    /// The largest element of the gradient of half the cost, in size; in the coordinates of the search, and without those
    /// elements that bounds hold.
    pub gradient_norm: T,
    /// The number of residuals, an `i64`.
    pub count: T,
    /// The degrees of freedom, an `i64`: residuals less free unknowns.
    pub dof: T,
    /// The number of steps that were tried.
    pub iterations: T,
    /// The number of evaluations of the residuals with their Jacobian.
    pub evaluations: T,
    /// What ended the search: see [`Status`](crate::Status).
    pub status: T,
}

outcome!("the fit", Fit<P>);

/// Finds the unknowns with the smallest sum of squares of the residuals, with the defaults of [`LevenbergMarquardt`].
///
/// The residuals are a function of the unknowns, a tree of floats, and are a tree of floats of the same element type;
/// data are captured. `start` is a tree of numbers or [`Parameters`].
///
/// # Errors
/// If the start has leaves that are no floats, or floats of two types; if the residuals are none, or of another type.
///
/// # Derivative
/// By the implicit function theorem: see [`Derivative`]. The start has none, except for numbers that are fixed.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::least_squares;
///
/// // Rosenbrock's function as a sum of squares, and where its minimum goes with its parameter.
/// let minimum = |a: Var| {
///     let residuals = |[x, y]: [Var; 2]| (10.0 * (y - x * x), a - x);
///     least_squares(residuals, [-1.2, 1.0])
/// };
/// let found = jit(minimum).call(1.0)?.ok()?;
/// assert_eq!(found.params.map(|x| x.item::<f64>().unwrap()), [1.0, 1.0]);
/// let slope = jit(grad(move |a: Var| minimum(a).params[1])).call(1.0)?;
/// assert!((slope.item::<f64>()? - 2.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn least_squares<S: Start, A: IntoTree>(
    residuals: impl Fn(S::Tree) -> A,
    start: S,
) -> Fit<S::Tree> {
    LevenbergMarquardt::new().least_squares(residuals, start)
}

/// Fits a model to data: finds the unknowns of the smallest sum of squares of `model(x, unknowns) - y`, with the defaults
/// of [`LevenbergMarquardt`]. `x` and `y` are trees, and the model gives a tree like `y`.
///
/// # Errors
/// As [`least_squares`], and if the model's values are not a tree like `y`.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::fit::curve_fit;
///
/// // Ten thousand such fits would be `jit(vmap(..))`.
/// let line = jit(|(x, y): (Var, Var)| curve_fit(|x: Var, (a, b): (Var, Var)| a * x + b, x, y, (0.0, 0.0)));
/// let fit = line.call(([0.0, 1.0, 2.0, 3.0], [1.0, 2.9, 5.1, 7.0]))?.ok()?;
/// assert!((fit.params.0.item::<f64>()? - 2.02).abs() < 1e-12);
/// assert!((fit.errors.0.item::<f64>()? - 0.042426406871).abs() < 1e-11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn curve_fit<X, Y, S, A>(
    model: impl Fn(X::Tree, S::Tree) -> A,
    x: X,
    y: Y,
    start: S,
) -> Fit<S::Tree>
where
    X: IntoTree<Tree: State>,
    Y: IntoTree<Tree: State>,
    S: Start,
    A: IntoTree<Tree = Y::Tree>,
{
    LevenbergMarquardt::new().curve_fit(model, x, y, start)
}

impl<W: Watch> LevenbergMarquardt<W> {
    /// Is [`least_squares`] with these options.
    ///
    /// # Errors
    /// As [`least_squares`].
    #[track_caller]
    pub fn least_squares<S: Start, A: IntoTree>(
        &self,
        residuals: impl Fn(S::Tree) -> A,
        start: S,
    ) -> Fit<S::Tree> {
        let place = Location::caller();
        asked_at(place, || {
            let residuals = |p: S::Tree| inside(|| residuals(p).into_tree());
            self.fit("least_squares", place, &residuals, start.parameters())
        })
    }

    /// Is [`curve_fit`] with these options.
    ///
    /// # Errors
    /// As [`curve_fit`].
    #[track_caller]
    pub fn curve_fit<X, Y, S, A>(
        &self,
        model: impl Fn(X::Tree, S::Tree) -> A,
        x: X,
        y: Y,
        start: S,
    ) -> Fit<S::Tree>
    where
        X: IntoTree<Tree: State>,
        Y: IntoTree<Tree: State>,
        S: Start,
        A: IntoTree<Tree = Y::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let (x, y) = (x.into_tree(), y.into_tree());
            let residuals = |p: S::Tree| {
                let value = inside(|| model(x.clone(), p).into_tree());
                same_trees("curve_fit", ["y", "the model"], &y, &value);
                tree::map2(value, y.clone(), |f, y| f - y)
            };
            self.fit("curve_fit", place, &residuals, start.parameters())
        })
    }

    /// Fits a model to data of which the standard deviations are known, up to a common factor unless
    /// [`absolute_sigma`](LevenbergMarquardt::absolute_sigma) is set: finds the unknowns of the smallest sum of squares
    /// of `(model(x, unknowns) - y) / sigma`. `sigma` is a tree like `y`, of which each leaf is a number or an array of
    /// the leaf's shape.
    ///
    /// # Errors
    /// As [`curve_fit`], and if `sigma` does not fit `y`.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::fit::LevenbergMarquardt;
    ///
    /// // The mean of three readings, weighed by their precisions.
    /// let options = LevenbergMarquardt::new().absolute_sigma(true);
    /// let mean = jit(move |(y, sigma): (Var, Var)| {
    ///     options.curve_fit_sigma(|(), m: Var| m * ones(3), (), y, sigma, 0.0)
    /// });
    /// let fit = mean.call(([1.0, 2.0, 4.0], [0.1, 0.2, 0.2]))?.ok()?;
    /// assert!((fit.params.item::<f64>()? - 250.0 / 150.0).abs() < 1e-12);
    /// assert!((fit.errors.item::<f64>()? - 1.0 / 150f64.sqrt()).abs() < 1e-15);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn curve_fit_sigma<X, Y, G, S, A>(
        &self,
        model: impl Fn(X::Tree, S::Tree) -> A,
        x: X,
        y: Y,
        sigma: G,
        start: S,
    ) -> Fit<S::Tree>
    where
        X: IntoTree<Tree: State>,
        Y: IntoTree<Tree: State>,
        G: IntoTree<Tree = Y::Tree>,
        S: Start,
        A: IntoTree<Tree = Y::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let (x, y, sigma) = (x.into_tree(), y.into_tree(), sigma.into_tree());
            expect_sigma(&y, &sigma);
            let residuals = |p: S::Tree| {
                let value = inside(|| model(x.clone(), p).into_tree());
                same_trees("curve_fit", ["y", "the model"], &y, &value);
                tree::map3(value, y.clone(), sigma.clone(), |f, y, s| (f - y) / s)
            };
            self.fit("curve_fit", place, &residuals, start.parameters())
        })
    }

    /// Fits on behalf of an operation.
    #[track_caller]
    fn fit<P: State, Y: Tree<Leaf = Var>>(
        &self,
        op: &'static str,
        place: &'static Location<'static>,
        residuals: &dyn Fn(P) -> Y,
        start: Parameters<P>,
    ) -> Fit<P> {
        self.expect_valid(op);
        let space = Space::new(op, start);
        let at = |p: P| asked_at(place, || joined(op, residuals(p), space.dtype));
        let of = |u: Var| at(space.tree(u));
        let problem = Problem {
            residuals: &of,
            bounds: space.bounds,
            loss: self.loss,
            dtype: space.dtype,
            place,
        };
        let (u, facts) = match self.derivative {
            Derivative::Implicit => custom_root_aux(
                |u: Var| asked_at(place, || problem.slope(u)),
                space.start,
                |_, u: Var| asked_at(place, || problem.search(u, self)),
                |apply, b: Var| asked_at(place, || dense(apply, b)),
            ),
            Derivative::Steps => problem.search(space.start, self),
        };
        self.summary(&space, &problem, &at, u, facts)
    }

    /// Computes from the solution what is known about it.
    fn summary<P: State>(
        &self,
        space: &Space,
        problem: &Problem<'_>,
        at: &dyn Fn(P) -> Var,
        u: Var,
        facts: Facts,
    ) -> Fit<P> {
        let params = space.tree::<P>(u);
        let plain = |x: Var| at(space.plain(x));
        let own = Problem {
            residuals: &plain,
            bounds: None,
            ..*problem
        };
        let (r, j) = own.jacobian(space.numbers(&params));
        let weighed = self.loss.weigh(r);
        let by = |y: Var, factor: Option<Var>| factor.map_or(y, |f| y * f);
        let scaled = by(r, weighed.residual);
        let j = by(j, weighed.row.map(|f| f.expand_dims(1)));
        let (m, n) = (r.shape()[0] as i64, space.free as i64);
        let dof = m - n;
        let variance = match (self.absolute_sigma, dof > 0) {
            (true, _) => 1.0.into(),
            (false, true) => weighed.cost / dof as f64,
            (false, false) => Var::from(f64::INFINITY),
        };
        let covariance = covariance(j, scaled, variance.to(space.dtype));
        let errors = covariance.diagonal().sqrt();
        Fit {
            errors: space.spread(errors),
            cost: weighed.cost,
            rss: r.square().sum(),
            covariance: among_all(covariance, &space.order()),
            gradient_norm: problem.slope(u).abs().amax(),
            count: Var::from(m),
            dof: Var::from(dof),
            iterations: facts.iterations,
            evaluations: facts.iterations + 1,
            status: facts.status,
            params,
        }
    }

    /// Requires options that make sense.
    #[track_caller]
    fn expect_valid(&self, op: &str) {
        not_negative(
            op,
            &[
                ("ftol", self.ftol),
                ("xtol", self.xtol),
                ("gtol", self.gtol),
                ("max_steps", self.max_steps as f64),
            ],
        );
        let positive = |name: &str, x: f64| {
            if !(x > 0.0 && x.is_finite()) {
                refuse(
                    op,
                    format!("{name} is {x}, and must be positive and finite"),
                )
            }
        };
        positive("damping", self.damping);
        positive("radius", self.radius);
        if let Some(width) = self.loss.width() {
            positive("the width of the loss", width);
        }
    }
}

/// Joins residuals to a vector.
#[track_caller]
fn joined<Y: Tree<Leaf = Var>>(op: &str, residuals: Y, dtype: DType) -> Var {
    let (leaves, def) = tree::flatten(residuals);
    let mut parts = vec![];
    for (leaf, path) in leaves.iter().zip(def.paths()) {
        let ty = leaf.ty();
        if ty.dtype != dtype {
            let hint = match ty.is_float() {
                true => "convert the data or the start",
                false => "convert it, as in `x.to(DType::F64)`",
            };
            refuse(
                op,
                format!("the residual{path} is {ty}, and the unknowns are {dtype}; {hint}"),
            )
        }
        parts.push(leaf.reshape([ty.size()]));
    }
    let all = match parts.is_empty() {
        true => zeros_of([0], dtype),
        false => concat(parts, 0),
    };
    if all.shape()[0] == 0 {
        refuse(op, "there are no residuals")
    }
    all
}

/// Requires standard deviations to fit the data.
#[track_caller]
fn expect_sigma<Y: State>(y: &Y, sigma: &Y) {
    if let Some(difference) = tree::def(y).difference(&tree::def(sigma)) {
        refuse("curve_fit", format!("y and sigma differ: {difference}"))
    }
    let leaves = tree::leaves(y).into_iter().zip(tree::leaves(sigma));
    for ((y, sigma), path) in leaves.zip(tree::paths(y)) {
        let (y, sigma) = (y.ty(), sigma.ty());
        if sigma.rank() != 0 && sigma.dims() != y.dims() {
            refuse(
                "curve_fit",
                format!("y{path} is {y}, and sigma{path} is {sigma}"),
            )
        }
    }
}

/// Solves the linear system of the derivative by its matrix.
fn dense(apply: &dyn Fn(Var) -> Var, b: Var) -> Var {
    let n = b.shape()[0];
    if n == 1 {
        return b / apply(ones_like(b));
    }
    let rows = vmap(|e: Var| apply(e))(eye(n).to(b.dtype()));
    rows.t().solve(b)
}

/// The inverse of `Jᵀ J` times a variance.
fn covariance(j: Var, r: Var, variance: Var) -> Var {
    let n = j.shape()[1];
    let lengths = j.square().sum_axis(0).sqrt();
    let even = lengths.gt(0.0).select(lengths, 1.0);
    let upper = Triangle::of(j / even.expand_dims(0), r).r;
    let half = upper.solve_upper(eye(n).to(j.dtype())) / even.expand_dims(1);
    let all = variance * half.dot(half.t());
    all.is_finite().all().select(all, f64::INFINITY)
}

/// Places the covariance of the free unknowns among zeros for all others.
fn among_all(covariance: Var, order: &[Option<usize>]) -> Var {
    if order.iter().all(Option::is_some) {
        return covariance;
    }
    let none = zeros_like(covariance.at(0));
    let row = |i: &Option<usize>| i.map_or(none, |i| covariance.at(i));
    let rows = stack(order.iter().map(row).collect::<Vec<_>>());
    let none = zeros_like(rows.t().at(0));
    let column = |i: &Option<usize>| i.map_or(none, |i| rows.t().at(i));
    stack(order.iter().map(column).collect::<Vec<_>>()).t()
}
