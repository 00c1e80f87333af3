//! Fits of thousands of unknowns, without a Jacobian.

use std::panic::Location;

use wengert::IntoTree;
use wengert::linalg::Krylov;
use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse};

use super::lsmr::{length, lsmr};
use super::search::Problem;
use super::space::Space;
use super::{Derivative, LevenbergMarquardt, Start, joined};
use crate::status::{Status, outcome};
use crate::watch::{Step, Watch};

/// What a fit without a Jacobian found: see [`LevenbergMarquardt::matrix_free`].
#[derive(Tree, Clone, Debug)]
pub struct Found<P, T = Var> {
    /// The unknowns.
    pub params: P,
    /// The cost that was minimised.
    pub cost: T,
    /// The length of the gradient of half the cost, in the coordinates of the search.
    pub gradient_norm: T,
    /// The number of steps that were tried.
    pub iterations: T,
    /// The number of steps of the linear solver, each of which takes a product with the Jacobian and one with its
    /// transpose.
    pub products: T,
    /// What ended the search: see [`Status`].
    pub status: T,
}

outcome!("the fit", Found<P>);

/// The state of a search.
#[derive(Tree, Clone, Copy)]
struct Search<T = Var> {
    x: T,
    cost: T,
    damping: T,
    growth: T,
    idle: T,
    steps: T,
    products: T,
    status: T,
}

const RUNNING: i64 = Status::StepLimit.code();

impl<W: Watch> LevenbergMarquardt<W> {
    /// Is [`least_squares`](LevenbergMarquardt::least_squares) for many unknowns: steps are by [LSMR], which takes products
    /// with the Jacobian and its transpose, by forward and reverse mode, and never the Jacobian itself. Its memory is that
    /// of a few vectors. A step takes at most `products` of these, and fewer far from the solution, where it need not be
    /// accurate. Steps are damped by [`Method::Damped`](super::Method::Damped), with one scale for all unknowns: unknowns
    /// of very different sizes had better be scaled, or [transformed](super::Parameters::transformed).
    ///
    /// The test of `gtol` takes the norm of the Jacobian, as LSMR estimates it, for the lengths of its columns. There is no
    /// covariance. The implicit derivative is by conjugate gradients.
    ///
    /// # Errors
    /// As [`least_squares`](super::least_squares), and if there are bounds, or `products` is not positive.
    ///
    /// [LSMR]: https://arxiv.org/abs/1006.0758
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::fit::LevenbergMarquardt;
    ///
    /// // 2,000 unknowns: a curve near given points, with small second differences.
    /// let fit = jit(|y: Var| {
    ///     let residuals = |c: Var| (c.exp() - y, 3.0 * c.diff(0).diff(0));
    ///     LevenbergMarquardt::new().matrix_free(residuals, zeros(2000), 500)
    /// });
    /// let y: Vec<f64> = (0..2000).map(|i| 2.0 + (0.01 * f64::from(i)).sin()).collect();
    /// let found = fit.call(y)?.ok()?;
    /// assert!(found.gradient_norm.item::<f64>()? < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn matrix_free<S: Start, A: IntoTree>(
        &self,
        residuals: impl Fn(S::Tree) -> A,
        start: S,
        products: i64,
    ) -> Found<S::Tree> {
        let (op, place) = ("matrix_free", Location::caller());
        asked_at(place, || {
            self.expect_valid(op);
            if products <= 0 {
                refuse(
                    op,
                    format!("a step takes {products} products, and must take some"),
                )
            }
            let space = Space::new(op, start.parameters());
            if space.bounds.is_some() {
                let hint = "transform the unknowns, or use `least_squares`";
                refuse(
                    op,
                    format!("fits without a Jacobian have no bounds; {hint}"),
                )
            }
            let of = |u: Var| {
                let value = inside(|| residuals(space.tree(u)).into_tree());
                asked_at(place, || joined(op, value, space.dtype))
            };
            let problem = Problem {
                residuals: &of,
                bounds: None,
                loss: self.loss,
                dtype: space.dtype,
                place,
            };
            let solve = |u: Var| asked_at(place, || self.search_free(&problem, u, products));
            let (u, (iterations, taken, status)) = match self.derivative {
                Derivative::Implicit => custom_root_aux(
                    |u: Var| asked_at(place, || problem.slope(u)),
                    space.start,
                    |_, u: Var| solve(u),
                    |apply, b: Var| asked_at(place, || Krylov::default().cg(apply, b)),
                ),
                Derivative::Steps => solve(space.start),
            };
            Found {
                cost: self.loss.cost(of(u)),
                gradient_norm: length(problem.slope(u)),
                iterations,
                products: taken,
                status,
                params: space.tree(u),
            }
        })
    }

    fn search_free(
        &self,
        problem: &Problem<'_>,
        start: Var,
        products: i64,
    ) -> (Var, (Var, Var, Var)) {
        let eps = problem.eps();
        let f = |x: Var| (problem.residuals)(x);
        let cost = self.loss.cost(f(start));
        let start_status = cost
            .is_finite()
            .select(RUNNING, Status::StartNotFinite.code());
        let first = Search {
            x: start,
            cost,
            damping: problem.number(self.damping),
            growth: problem.number(2.0),
            idle: Var::from(0i64),
            steps: Var::from(0i64),
            products: Var::from(0i64),
            status: start_status,
        };
        let goes_on = |s: Search| {
            asked_at(problem.place, || {
                s.status.eq(RUNNING) & s.steps.lt(self.max_steps)
            })
        };
        let step = |s: Search| {
            asked_at(problem.place, || {
                let (r, tangent) = linearize(f, s.x);
                let (_, cotangent) = vjp(f, s.x);
                let weighed = self.loss.weigh(r);
                let by = |y: Var, factor: Option<Var>| factor.map_or(y, |f| y * f);
                let r = by(r, weighed.residual);
                let push = |v: Var| by(tangent(v), weighed.row);
                let pull = |c: Var| cotangent(by(c, weighed.row));
                let g = pull(r);
                let (size, slope) = (length(r), length(g));
                // A lower bound of the Jacobian's norm.
                let scale = size.gt(0.0).select(slope / size, 1.0);
                let root = (s.damping.sqrt() * scale).stop_gradient();
                // Far from the solution the steps need not be accurate.
                let tolerance = (0.1 * scale / (1.0 + scale)).minimum(0.1) * problem.number(1e-3);
                let tolerance = tolerance.maximum(1e-12);
                let (p, norm, taken) = lsmr(&push, &pull, -r, root, tolerance, products);
                let along = push(p);
                let predicted = -(2.0 * r + along).dot(along);
                let x = s.x + p;
                let cost = self.loss.cost(f(x));
                let actual = s.cost - cost;
                let finite = cost.is_finite() & p.is_finite().all();
                let noise = 4.0 * eps * s.cost.sqrt() * (s.cost.sqrt() + scale * length(s.x));
                let tiny = predicted.abs().le(noise);
                let ratio = tiny.select(1.0, actual / predicted);
                let falls = tiny.select(actual.ge(-noise), ratio.ge(1e-4) & actual.gt(0.0));
                let accepted = finite & falls;
                let nielsen = (1.0 - (2.0 * ratio - 1.0).powi(3)).clamp(0.1, 2.0);
                let damping = (s.damping * accepted.select(nielsen, s.growth)).maximum(1e-20);
                let held = 1.0 + s.damping;
                let idle = tiny.select(s.idle + 1, 0);
                let xtol = self.xtol.max(4.0 * eps);
                let little = (self.ftol * s.cost).maximum((2.0 * eps).powi(2) * s.cost);
                let tests = [
                    (slope.le(self.gtol * norm * size), Status::GradientConverged),
                    (
                        finite & (held * length(p)).le(xtol * length(s.x)),
                        Status::StepConverged,
                    ),
                    (
                        finite & (held * predicted.abs()).le(little),
                        Status::ValueConverged,
                    ),
                    (finite & idle.ge(6), Status::ValueConverged),
                    (damping.gt(1e20) & !finite, Status::NotFinite),
                    (damping.gt(1e20), Status::Stalled),
                ];
                let status = tests
                    .into_iter()
                    .rev()
                    .fold(Var::from(RUNNING), |rest, (holds, status)| {
                        holds.select(status.code(), rest)
                    });
                let cost = accepted.select(cost, s.cost);
                let report = Step {
                    iteration: s.steps + 1,
                    value: cost,
                    step: length(p),
                };
                self.watch.record(accepted, report);
                Search {
                    x: accepted.select(x, s.x),
                    cost,
                    damping: damping.stop_gradient(),
                    growth: accepted.select(2.0, 2.0 * s.growth),
                    idle,
                    steps: s.steps + 1,
                    products: s.products + taken,
                    status,
                }
            })
        };
        let last = while_loop(first, goes_on, step);
        (last.x, (last.steps, last.products, last.status))
    }
}
