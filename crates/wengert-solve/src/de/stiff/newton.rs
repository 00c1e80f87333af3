//! Newton's method with a matrix that is kept: for the stages and steps of implicit methods.

use wengert::linalg::{Krylov, Lu};
use wengert::prelude::*;

use super::linear::{Apply, Flat, Linear};
use crate::State;
use crate::shared::eps;

/// What is kept from step to step for Newton's method. Nothing of it has a derivative.
#[derive(Tree, Clone)]
pub struct Kept<T = Var> {
    /// The Jacobian, in the form of the linear algebra.
    pub(super) jacobian: T,
    /// The factors of `M - s J`, or its band.
    pub(super) factors: T,
    /// The order of the rows of the factors.
    pub(super) order: T,
    /// The number `s` of the factors.
    pub(super) s: T,
    /// The ratio of two corrections of Newton's method with these factors; 1 if none is known.
    pub(super) ratio: T,
    /// Whether the next step makes a new Jacobian.
    pub(super) renew: T,
    /// The number `s` for which the preconditioner was made, the number of steps since, and what it made.
    pub(super) near: Vec<T>,
}

/// What ended an iteration.
pub(super) struct Iteration {
    pub(super) converged: Var,
    pub(super) finite: Var,
    /// The number of evaluations.
    pub(super) count: Var,
    /// The ratio of two corrections that is now expected.
    pub(super) ratio: Var,
}

/// The limit of the last correction that is still to come, in units of the tolerance.
const KAPPA: f64 = 0.01;
/// The part of it that a system which is solved by products may leave (Hindmarsh et al., ACM Trans. Math. Softw. 31, 2005).
const INEXACT: f64 = 0.05;
/// The number of steps for which what a preconditioner made is kept, and the part by which `s` may change meanwhile.
const KEPT_STEPS: f64 = 20.0;
const KEPT_PART: f64 = 0.3;
/// The number of unknowns up to which the matrix of a derivative's system is made and factored, which then takes less than
/// some products with it; above, the factors that are kept are used with so many directions at most.
const SMALL: usize = 64;
const DIRECTIONS: usize = 30;

impl<Y: State> Flat<'_, Y> {
    /// What is kept before the first step.
    pub(super) fn nothing_kept(&self, t: Var, x: Var) -> Kept {
        let dtype = self.field.dtype;
        let (n, empty) = (self.n, vec![0]);
        let (matrix, order) = match self.linear {
            Linear::Dense => (vec![n, n], vec![n]),
            Linear::Banded { lower, upper } => (vec![lower + upper + 1, n], empty),
            Linear::Products { .. } | Linear::Residuals { .. } => (empty.clone(), empty),
        };
        Kept {
            jacobian: zeros_of(matrix.clone(), dtype),
            factors: zeros_of(matrix, dtype),
            order: zeros_of(order, DType::I64),
            s: Var::from(0.0).to(dtype),
            ratio: Var::from(1.0).to(dtype),
            renew: Var::from(true),
            near: {
                let made = self.prepared(t, x, ones_like(t));
                made.into_iter().map(zeros_like).collect()
            },
        }
    }

    /// Whether nothing is kept that a new step could make better.
    pub(super) fn is_fresh(&self, kept: &Kept) -> Var {
        match self.linear.by_products() && kept.near.is_empty() {
            true => Var::from(true),
            false => kept.renew,
        }
    }

    /// What a step keeps: a new Jacobian where one is due, and new factors where it is new or `s` differs from that of the factors by
    /// more than a part.
    pub(super) fn renewed(&self, kept: &Kept, t: Var, x: Var, s: Var, part: f64) -> Kept {
        let [t, x, s] = [t, x, s].map(stop_gradient);
        if self.linear.by_products() {
            let near = match &kept.near[..] {
                [] | [_] => vec![],
                [made_for, age, ..] => {
                    let away = (s - *made_for).abs().gt(KEPT_PART * made_for.abs());
                    let due = kept.renew | away | age.ge(KEPT_STEPS);
                    let fresh = |_: Vec<Var>| self.prepared(t, x, s);
                    let mut near = cond(due, kept.near.clone(), fresh, |old| old);
                    near[1] += 1.0;
                    near
                }
            };
            return Kept {
                s,
                ratio: ones_like(s),
                renew: Var::from(false),
                near,
                ..kept.clone()
            };
        }
        let old = kept.jacobian;
        let jacobian = cond(
            kept.renew,
            old,
            |_| stop_gradient(self.jacobian(t, x)),
            |old: Var| old,
        );
        let away = (s - kept.s).abs().gt(part * kept.s.abs());
        let due = kept.renew | away;
        let (factors, order, s) = cond(
            due,
            (kept.factors, kept.order, kept.s),
            |(_, order, _): (Var, Var, Var)| {
                let system = self.shifted(t, x, s, jacobian);
                match self.linear {
                    Linear::Dense => {
                        let lu = system.matrix.lu_factor();
                        (lu.factors, lu.order, s)
                    }
                    _ => (system.matrix, order, s),
                }
            },
            |all: (Var, Var, Var)| all,
        );
        Kept {
            jacobian,
            factors,
            order,
            s,
            ratio: due.select(ones_like(kept.ratio), kept.ratio),
            renew: Var::from(false),
            near: vec![],
        }
    }

    /// Finds, in at most so many corrections, the `z` of `M z = s f(t, base + z) + right`, from a guess, with what is kept. Its derivative is that of the equation.
    pub(super) fn increment(
        &self,
        kept: &Kept,
        (t, base, s): (Var, Var, Var),
        right: Option<Var>,
        guess: Var,
        limit: i64,
    ) -> (Var, Iteration) {
        let equation = |z: Var| {
            let left = self.massed(z) - s * self.rate(t, base + z);
            match right {
                Some(right) => left - right,
                None => left,
            }
        };
        let newton = |g: &dyn Fn(Var) -> Var, guess: Var| {
            let scale = 2.0 / (1.0 + stop_gradient(s) / kept.s);
            let tiny = 10.0 * eps(self.field.dtype);
            let zero = zeros_like(s);
            let no = Var::from(false);
            let start = (guess, zero, kept.ratio, 0i64, no, no);
            let (z, _, ratio, count, converged, _) = while_loop(
                start,
                |(_, _, _, i, converged, broken)| !converged & !broken & i.lt(limit),
                |(z, before, known, i, _, _): (Var, Var, Var, Var, Var, Var)| {
                    let dz = -scale * self.apply_kept(kept, t, base + z, g(z));
                    let next = z + dz;
                    let at = base + next;
                    let size = self.norm(dz, base, at);
                    let first = i.eq(0);
                    // The first correction is judged by what earlier ones did.
                    let seen = size / before;
                    let ratio = first.select(known, seen.maximum(0.1 * known));
                    let left = ratio / (1.0 - ratio) * size;
                    let rounding = dz.abs().le(tiny * at.abs()).all();
                    let small = ratio.lt(1.0) & left.le(KAPPA);
                    // What will not be small by the limit ends now.
                    let still = seen.powf(limit as f64 - 1.0 - i.to(size.dtype())) * size;
                    let hopeless =
                        !first & (seen.ge(1.0) | (still * seen).gt(KAPPA * (1.0 - seen)));
                    let converged = small | rounding;
                    let broken = !converged & (hopeless | !size.is_finite());
                    (next, size, ratio, i + 1, converged, broken)
                },
            );
            let finite = z.is_finite().all();
            (z, (ratio, count, converged & finite, finite))
        };
        let (z, (ratio, count, converged, finite)) = custom_root_with(
            equation,
            stop_gradient(guess),
            newton,
            |apply, b| self.by_kept(kept, false, apply, b),
            |apply, b| self.by_kept(kept, true, apply, b),
        );
        let iteration = Iteration {
            converged,
            finite,
            count,
            ratio,
        };
        (z, iteration)
    }

    /// The factors that are kept.
    fn lu(&self, kept: &Kept) -> Lu {
        Lu {
            factors: kept.factors,
            order: kept.order,
            sign: ones_like(kept.s),
        }
    }

    /// Solves the system of a derivative, or the transposed one, without a matrix of its own: products with it, and what is kept,
    /// which is near its inverse, are enough.
    fn by_kept(&self, kept: &Kept, turned: bool, apply: Apply<'_>, b: Var) -> Var {
        match self.linear {
            Linear::Dense if self.n > SMALL => {
                let lu = self.lu(kept);
                let near = |b: Var| match turned {
                    true => lu.solve_transposed(b),
                    false => lu.solve(b),
                };
                let restart = self.n.min(DIRECTIONS);
                // What rounding leaves of a stiff system may be more than this; one cycle tells no better.
                let krylov = Krylov {
                    rtol: 1e5 * eps(self.field.dtype),
                    atol: 0.0,
                    max_steps: restart as i64,
                };
                let x = krylov.gmres(restart, |v: Var| near(apply(v)), near(b));
                // A step that was rejected has none, whatever its factors are.
                b.eq(0.0).all().select(zeros_like(b), x)
            }
            Linear::Dense | Linear::Banded { .. } => self.linear.solve(apply, b),
            Linear::Products { .. } | Linear::Residuals { .. }
                if turned && !kept.near.is_empty() =>
            {
                let near = |r: Var| self.near(&kept.near, kept.s, r);
                let back = linear_transpose(near, &b);
                self.linear.iterated(apply, Some(&|c: Var| back(c)), 0.0, b)
            }
            Linear::Products { .. } | Linear::Residuals { .. } => {
                self.iterated(apply, &kept.near, kept.s, b)
            }
        }
    }

    /// Solves the system whose matrix is kept, or whose products are known, to what Newton's method needs.
    pub(super) fn apply_kept(&self, kept: &Kept, t: Var, x: Var, b: Var) -> Var {
        match self.linear {
            Linear::Dense if self.n == 1 => b / kept.factors.reshape([1]),
            Linear::Dense => self.lu(kept).solve(b),
            Linear::Banded { lower, upper } => {
                wengert::linalg::solve_banded((lower, upper), kept.factors, b)
            }
            Linear::Products { .. } | Linear::Residuals { .. } => {
                // In units of the tolerances, in which lengths are root mean squares.
                let scale = self.field.tolerance.of_vector(x);
                let units = scale * (self.n as f64).sqrt();
                let apply = |v: Var| {
                    let v = v * units;
                    let (_, dv) = jvp(|x| self.rate(t, x), x, v);
                    (self.massed(v) - kept.s * dv) / units
                };
                let near = |r: Var| self.near(&kept.near, kept.s, r * units) / units;
                let near = (!kept.near.is_empty()).then_some(&near as Apply<'_>);
                let b = b / units;
                units * self.linear.iterated(&apply, near, INEXACT * KAPPA, b)
            }
        }
    }
}
