//! Fixed points, by Anderson's acceleration.

use std::panic::Location;

use wengert::linalg::Krylov;
use wengert::prelude::*;
use wengert::solver::{asked_at, inside, same_trees};
use wengert::{IntoTree, custom_root_aux};

use super::Root;
use super::trust::Found;
use crate::shared::{DENSE, RUNNING, choose, eps, largest, matrix, not_negative, number, vector};
use crate::{State, Status};

/// The search for a fixed point `x = g(x)` by iteration, accelerated by the last few steps: Anderson, *Iterative procedures
/// for nonlinear integral equations* (1965), in the form of Walker and Ni (2011).
///
/// It ends when no element of `g(x) - x` is larger than `tolerance` times the largest of `x`, or than `tolerance` itself
/// if that is less than 1. Where a step makes what is left ten times as large, the memory is emptied.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root::Anderson;
///
/// let f = jit(|a: Var| Anderson::new().window(3).fixed_point(|x: Var| (a * x).cos(), 0.5));
/// let r = f.call(1.0)?.ok()?;
/// let x = r.x.item::<f64>()?;
/// assert!((x.cos() - x).abs() < 1e-12);
/// assert!(r.evaluations.item::<i64>()? < 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Anderson {
    /// How many steps are remembered; none is the plain iteration.
    pub window: usize,
    /// The tolerance.
    pub tolerance: f64,
    /// The limit of steps.
    pub max_steps: i64,
    implicit: bool,
}

impl Default for Anderson {
    fn default() -> Anderson {
        Anderson {
            window: 5,
            tolerance: 1e-12,
            max_steps: 1000,
            implicit: true,
        }
    }
}

#[derive(Tree, Clone)]
struct Carry<T = Var> {
    x: T,
    left: T,
    /// The last differences of what was left, and of the values of the function, in rows.
    lefts: T,
    values: T,
    next: T,
    best: T,
    rows: T,
    status: T,
    evaluations: T,
}

impl Anderson {
    /// Five steps, a tolerance of 1e-12, and 1,000 steps at most.
    pub fn new() -> Anderson {
        Anderson::default()
    }

    /// Sets how many steps are remembered.
    pub fn window(mut self, window: usize) -> Anderson {
        self.window = window;
        self
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Anderson {
        self.tolerance = tolerance;
        self
    }

    /// Sets the limit of steps.
    pub fn max_steps(mut self, max_steps: i64) -> Anderson {
        self.max_steps = max_steps;
        self
    }

    /// Whether derivatives are by the implicit function theorem (the default), or through the iterations.
    pub fn implicit(mut self, implicit: bool) -> Anderson {
        self.implicit = implicit;
        self
    }

    /// Searches for a fixed point from a start.
    ///
    /// # Errors
    /// If the start has leaves that are no floats, or of two types, or the function's value is another tree.
    #[track_caller]
    pub fn fixed_point<I, Y>(&self, g: impl Fn(I::Tree) -> Y, start: I) -> Root<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        Y: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        let op = "fixed_point";
        asked_at(place, || {
            not_negative(op, &[("tolerance", self.tolerance)]);
            not_negative(op, &[("max_steps", self.max_steps as f64)]);
            let start = start.into_tree();
            let (x, tree) = vector(op, start.clone());
            let n = x.shape()[0];
            let dtype = x.dtype();
            let left = |x: Var| {
                asked_at(place, || {
                    let y = inside(|| g(tree(x)).into_tree());
                    let whats = ["the start", "the value of the function"];
                    same_trees(op, whats, &start, &y);
                    tree::ravel(y).0 - x
                })
            };
            let found =
                |f: &dyn Fn(Var) -> Var, x: Var| asked_at(place, || self.search(place, f, x));
            let (x, facts) = match self.implicit {
                true => custom_root_aux(
                    left,
                    x,
                    |f, x| {
                        let found = found(f, x);
                        (found.x, found)
                    },
                    |j, b| {
                        asked_at(place, || match n {
                            1 => b / j(ones_like(b)),
                            2..=DENSE => matrix(j, n, dtype).solve(b),
                            _ => Krylov::default().bicgstab(j, b),
                        })
                    },
                ),
                false => {
                    let found = found(&left, x);
                    (found.x, found)
                }
            };
            Root {
                x: tree(x),
                residual: facts.residual.stop_gradient().abs().amax(),
                iterations: facts.iterations,
                evaluations: facts.evaluations,
                status: facts.status,
            }
        })
    }

    fn search(&self, place: &'static Location<'static>, f: &dyn Fn(Var) -> Var, x: Var) -> Found {
        let dtype = x.dtype();
        let n = x.shape()[0];
        let m = self.window.clamp(1, n);
        let none = zeros_of(n, dtype);
        let start = Carry {
            x,
            left: none,
            lefts: zeros_of([m, n], dtype),
            values: zeros_of([m, n], dtype),
            next: x,
            best: number(f64::INFINITY, dtype),
            rows: Var::from(0i64),
            status: Var::from(RUNNING),
            evaluations: Var::from(0i64),
        };
        let goes_on = |c: Carry| c.status.eq(RUNNING) & c.evaluations.le(self.max_steps);
        let end = while_loop(start, goes_on, |c: Carry| {
            asked_at(place, || self.turn(f, c))
        });
        Found {
            x: end.x,
            residual: end.left,
            iterations: (end.evaluations - 1).maximum(0),
            evaluations: end.evaluations,
            status: end.status.eq(RUNNING).select(0, end.status),
        }
    }

    fn turn(&self, f: &dyn Fn(Var) -> Var, c: Carry) -> Carry {
        let (x, dtype) = (c.next, c.x.dtype());
        let m = c.lefts.shape()[0];
        let left = f(x);
        let finite = left.is_finite().all();
        let first = c.evaluations.eq(0);
        // A place without a value is followed by the plain step instead.
        let plain = c.rows.eq(0);
        let size = largest(left);
        let close = size.le(self.tolerance.max(2.0 * eps(dtype)) * largest(x).maximum(1.0));
        let status = select(
            &[
                (first & !finite, Status::StartNotFinite.code().into()),
                (!finite & plain, Status::NotFinite.code().into()),
                (close, Status::ResidualConverged.code().into()),
            ],
            RUNNING,
        );
        // The new differences take the place of the oldest.
        let grown = size.gt(10.0 * c.best) | !finite;
        let rows = (first | grown).select(0, c.rows + 1);
        let slot = iota(m, DType::I64).eq((rows - 1).rem(m as i64)) & rows.gt(0);
        let put = |table: Var, row: Var| {
            let kept = grown.select(0.0, table);
            slot.expand_dims(1).select(row.expand_dims(0), kept)
        };
        let lefts = put(c.lefts, left - c.left);
        let values = put(c.values, left + x - (c.left + c.x));
        let used = iota(m, DType::I64).lt(rows).select(1.0, 0.0).to(dtype);

        // The combination of the differences that leaves least; a small ridge keeps it regular.
        let gram = lefts.dot(lefts.t());
        let ridge =
            1e3 * eps(dtype) * gram.diagonal() + (1.0 - used) + f64::from(f32::MIN_POSITIVE);
        let weights = (gram + ridge.diag()).solve(lefts.dot(left));
        let weights = weights.is_finite().all().select(weights * used, 0.0);
        let next = match self.window {
            0 => x + left,
            _ => x + left - weights.dot(values),
        };
        let next = next.is_finite().all().select(next, x + left);
        let next = finite.select(next, c.x + c.left);
        let at = |new: Var, old: Var| choose(finite, new, old);
        Carry {
            x: at(x, c.x),
            left: at(left, c.left),
            lefts,
            values,
            next,
            best: at(c.best.minimum(size), c.best),
            rows,
            status,
            evaluations: c.evaluations + 1,
        }
    }
}

/// Searches for the fixed point `x = g(x)` from a start: [`Anderson`] with its defaults. The derivative in what `g`
/// captures is that of the equation.
///
/// # Errors
/// If the start has leaves that are no floats, or of two types, or the function's value is another tree.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root;
///
/// let f = jit(|a: Var| root::fixed_point(|(x, y): (Var, Var)| ((a * y).cos(), (a * x).sin()), (0.5, 0.5)));
/// let r = f.call(0.9)?.ok()?;
/// let (x, y) = (r.x.0.item::<f64>()?, r.x.1.item::<f64>()?);
/// assert!(((0.9 * y).cos() - x).abs() < 1e-12 && ((0.9 * x).sin() - y).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn fixed_point<I, Y>(g: impl Fn(I::Tree) -> Y, start: I) -> Root<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
    Y: IntoTree<Tree = I::Tree>,
{
    Anderson::new().fixed_point(g, start)
}
