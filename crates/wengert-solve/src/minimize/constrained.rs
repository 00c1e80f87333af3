//! Minima under equations and inequalities.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, expect_floats, inside, refuse};
use wengert::tree::ravel;
use wengert::{IntoTree, custom_root_aux};

use super::descent::descend;
use super::lbfgs::Recent;
use super::{Found, Limits};
use crate::shared::{RUNNING, largest, matrix, not_negative, number, scalar, vector};
use crate::status::outcome;
use crate::{State, Status};

/// A minimum under constraints.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Constrained<P, T = Var> {
    /// The unknowns, differentiated through the conditions of Karush, Kuhn and Tucker.
    pub x: P,
    /// The value there, with its derivative.
    pub value: T,
    /// The multipliers of the equations: by how much the value falls if an equation's side grows, in first order.
    pub equalities: T,
    /// The multipliers of the inequalities, which are not negative; zero where one has room.
    pub inequalities: T,
    /// The largest violation of a constraint, without a derivative.
    pub violation: T,
    /// The number of rounds, each of which minimises with other multipliers.
    pub iterations: T,
    /// The number of evaluations of the function and the constraints.
    pub evaluations: T,
    /// What ended the solver: a code of [`Status`].
    pub status: T,
}

outcome!("minimize", Constrained<P>);

/// Minimisation under equations `h(x) = 0` and inequalities `g(x) ≥ 0`, by the augmented Lagrangian of Hestenes (1969), Powell
/// (1969) and Rockafellar (1974), as Nocedal and Wright, *Numerical Optimization*, chapter 17 (2006) describe it; each round
/// is minimised by [`Lbfgs`](super::Lbfgs). As `scipy.optimize.minimize(method="SLSQP")`, from any start.
///
/// It ends when no constraint is violated by more than `tolerance` and no round changes the multipliers' conditions
/// ([`ResidualConverged`](Status::ResidualConverged)). If the penalty's limit leaves a violation, the status is
/// [`Infeasible`](Status::Infeasible). The derivative is that of the conditions of Karush, Kuhn and Tucker with the
/// inequalities that hold as equations, in what `f`, `h` and `g` capture; it needs independent constraints.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::AugmentedLagrangian;
///
/// // The rectangle of the largest area in a circle of radius r, no wider than 1: sides by half.
/// let solve = |r: Var| {
///     AugmentedLagrangian::new().minimize(
///         |(x, y): (Var, Var)| -4.0 * x * y,
///         (0.5, 0.5),
///         move |(x, y): (Var, Var)| x * x + y * y - r * r,
///         |(x, _): (Var, Var)| 0.5 - x,
///     )
/// };
/// let m = jit(solve).call(1.0)?.ok()?;
/// assert!((m.x.0.item::<f64>()? - 0.5).abs() < 1e-7);
/// assert!((m.x.1.item::<f64>()? - 0.75f64.sqrt()).abs() < 1e-7);
/// // dy/dr = r / y.
/// let slope = jit(grad(move |r: Var| solve(r).x.1)).call(1.0)?.item::<f64>()?;
/// assert!((slope - 1.0 / 0.75f64.sqrt()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AugmentedLagrangian {
    /// The largest violation of a constraint, and the tolerance of the gradient of the Lagrangian.
    pub tolerance: f64,
    /// The limit of rounds.
    pub max_rounds: i64,
    /// The limit of steps of a round.
    pub max_steps: i64,
    /// The first penalty.
    pub penalty: f64,
}

impl Default for AugmentedLagrangian {
    fn default() -> AugmentedLagrangian {
        AugmentedLagrangian {
            tolerance: 1e-8,
            max_rounds: 60,
            max_steps: 1000,
            penalty: 10.0,
        }
    }
}

#[derive(Tree, Clone)]
struct Carry<T = Var> {
    x: T,
    equalities: T,
    inequalities: T,
    penalty: T,
    violation: T,
    status: T,
    rounds: T,
    evaluations: T,
}

impl AugmentedLagrangian {
    /// A tolerance of 1e-8, and 60 rounds of 1,000 steps at most.
    pub fn new() -> AugmentedLagrangian {
        AugmentedLagrangian::default()
    }

    /// Sets the tolerance.
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the limit of rounds.
    pub fn max_rounds(mut self, max_rounds: i64) -> Self {
        self.max_rounds = max_rounds;
        self
    }

    /// Sets the limit of a round's steps.
    pub fn max_steps(mut self, max_steps: i64) -> Self {
        self.max_steps = max_steps;
        self
    }

    /// Sets the first penalty.
    pub fn penalty(mut self, penalty: f64) -> Self {
        self.penalty = penalty;
        self
    }

    /// Minimises `f` from a start, where `equal` is zero and `positive` not negative: functions with trees of floats, or
    /// `()` where there are none.
    ///
    /// # Errors
    /// As [`minimize`](super::minimize()), and if a constraint is not of floats of the unknowns' type.
    #[track_caller]
    pub fn minimize<I, H, G>(
        &self,
        f: impl Fn(I::Tree) -> Var,
        start: I,
        equal: impl Fn(I::Tree) -> H,
        positive: impl Fn(I::Tree) -> G,
    ) -> Constrained<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        H: IntoTree,
        G: IntoTree,
    {
        let (place, op) = (Location::caller(), "minimize");
        asked_at(place, || {
            not_negative(op, &[("tolerance", self.tolerance)]);
            not_negative(op, &[("max_steps", self.max_steps as f64)]);
            let (x, tree) = vector(op, start.into_tree());
            let (n, dtype) = (x.shape()[0], x.dtype());
            let value = |x: Var| {
                asked_at(place, || {
                    scalar(op, "the value of the function", dtype, || f(tree(x)))
                })
            };
            let checked = |what: &str, y: Var| {
                if y.dtype() != dtype {
                    let message = format!("the unknowns are {dtype}, and {what} are {}", y.dtype());
                    refuse(op, message);
                }
                y
            };
            let equal = |x: Var| {
                asked_at(place, || {
                    let y = inside(|| equal(tree(x)).into_tree());
                    expect_floats(op, "the equations", &y);
                    let y = ravel(y).0;
                    if y.shape()[0] == 0 {
                        zeros_of(0, dtype)
                    } else {
                        checked("the equations", y)
                    }
                })
            };
            let positive = |x: Var| {
                asked_at(place, || {
                    let y = inside(|| positive(tree(x)).into_tree());
                    expect_floats(op, "the inequalities", &y);
                    let y = ravel(y).0;
                    if y.shape()[0] == 0 {
                        zeros_of(0, dtype)
                    } else {
                        checked("the inequalities", y)
                    }
                })
            };
            let p = equal(x).shape()[0];
            let q = positive(x).shape()[0];
            // The conditions, of unknowns and multipliers; an inequality holds as an equation where its multiplier is
            // larger than its room.
            let conditions = |z: Var| {
                let (x, a, b) = parts(z, n, p);
                let (h, pull_h) = vjp(equal, x);
                let (g, pull_g) = vjp(positive, x);
                let slope = grad(value)(x) - pull_h(a) - pull_g(b);
                let held = b.gt(g);
                concat([slope, h, held.select(g, b)], 0)
            };
            let start = concat([x, zeros_of(p + q, dtype)], 0);
            let (z, facts) = custom_root_aux(
                conditions,
                start,
                |_, z| {
                    let (x, ..) = parts(z, n, p);
                    let end = asked_at(place, || {
                        self.rounds(place, &value, &equal, &positive, (p, q), x)
                    });
                    let z = concat([end.x, end.equalities, end.inequalities], 0);
                    (z, (end.violation, end.rounds, end.evaluations, end.status))
                },
                |j, b| asked_at(place, || matrix(j, n + p + q, dtype).solve(b)),
            );
            let (x, equalities, inequalities) = parts(z, n, p);
            let (violation, iterations, evaluations, status) = facts;
            Constrained {
                value: value(x),
                x: tree(x),
                equalities,
                inequalities,
                violation,
                iterations,
                evaluations,
                status,
            }
        })
    }

    fn rounds(
        &self,
        place: &'static Location<'static>,
        value: &dyn Fn(Var) -> Var,
        equal: &dyn Fn(Var) -> Var,
        positive: &dyn Fn(Var) -> Var,
        (p, q): (usize, usize),
        x: Var,
    ) -> Carry {
        let dtype = x.dtype();
        let largest_of = |v: Var, n: usize| {
            if n == 0 {
                number(0.0, dtype)
            } else {
                largest(v)
            }
        };
        let start = Carry {
            x,
            equalities: zeros_of(p, dtype),
            inequalities: zeros_of(q, dtype),
            penalty: number(self.penalty, dtype),
            violation: number(f64::INFINITY, dtype),
            status: Var::from(RUNNING),
            rounds: Var::from(0i64),
            evaluations: Var::from(0i64),
        };
        let floor = if dtype == DType::F32 { 1e-4 } else { 0.0 };
        let tolerance = self.tolerance.max(floor);
        let limits = Limits {
            gtol: 0.1 * tolerance,
            max_steps: self.max_steps,
            ..Limits::default()
        };
        let goes_on = |c: Carry| c.status.eq(RUNNING) & c.rounds.lt(self.max_rounds);
        let end = while_loop(start, goes_on, |c: Carry| {
            asked_at(place, || {
                let (a, b, m) = (c.equalities, c.inequalities, c.penalty);
                // Powell's, Hestenes' and Rockafellar's function.
                let augmented = |x: Var| {
                    let (h, g) = (equal(x), positive(x));
                    let pulled = (b - m * g).maximum(0.0);
                    value(x) - a.dot(h)
                        + 0.5 * m * h.dot(h)
                        + (pulled.square() - b.square()).sum() / (2.0 * m)
                };
                let both = |x: Var| value_and_grad(augmented)(x);
                let found: Found = descend(place, &Recent(20), &limits, &(), &both, c.x);
                let (h, g) = (equal(found.x), positive(found.x));
                let equalities = a - m * h;
                let inequalities = (b - m * g).maximum(0.0);
                // A multiplier without its inequality, or an inequality without room, would show here.
                let slack = g.minimum(b / m);
                let violation = largest_of(h, p).maximum(largest_of(slack, q));
                let finite = found.value.is_finite() & violation.is_finite();
                let met = violation.le(tolerance) & found.status.gt(0);
                let slow = violation.gt(0.25 * c.violation);
                let penalty = (slow & violation.gt(tolerance)).select(10.0 * m, m);
                let fails = found.status.le(Status::NotFinite.code())
                    & found.status.ne(Status::Stalled.code());
                let status = select(
                    &[
                        (!finite, Status::NotFinite.code().into()),
                        (fails, found.status),
                        (met, Status::ResidualConverged.code().into()),
                        (penalty.gt(1e12), Status::Infeasible.code().into()),
                    ],
                    RUNNING,
                );
                let at = |new: Var, old: Var| finite.select(new, old);
                Carry {
                    x: at(found.x, c.x),
                    equalities: at(equalities, a),
                    inequalities: at(inequalities, b),
                    penalty,
                    violation,
                    status,
                    rounds: c.rounds + 1,
                    evaluations: c.evaluations + found.evaluations + 1,
                }
            })
        });
        let unmet = end.violation.gt(tolerance.sqrt());
        let limit = unmet.select(Status::Infeasible.code(), Status::StepLimit.code());
        Carry {
            status: end.status.eq(RUNNING).select(limit, end.status),
            ..end
        }
    }
}

/// Unknowns, and both kinds of multipliers.
fn parts(z: Var, n: usize, p: usize) -> (Var, Var, Var) {
    let all = z.shape()[0];
    let part = |a: usize, b: usize| z.slice_axis(0, a..b);
    (part(0, n), part(n, n + p), part(n + p, all))
}
