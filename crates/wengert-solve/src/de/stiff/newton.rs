//! Newton's method with a matrix that is kept: for the stages and steps of implicit methods.

use wengert::prelude::*;

use super::linear::{Flat, Linear};
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

impl<Y: State> Flat<'_, Y> {
    /// What is kept before the first step.
    pub(super) fn nothing_kept(&self) -> Kept {
        let dtype = self.field.dtype;
        let (n, empty) = (self.n, vec![0]);
        let (matrix, order) = match self.linear {
            Linear::Dense => (vec![n, n], vec![n]),
            Linear::Banded { lower, upper } => (vec![lower + upper + 1, n], empty),
            Linear::Krylov { .. } => (empty.clone(), empty),
        };
        Kept {
            jacobian: zeros_of(matrix.clone(), dtype),
            factors: zeros_of(matrix, dtype),
            order: zeros_of(order, DType::I64),
            s: Var::from(0.0).to(dtype),
            ratio: Var::from(1.0).to(dtype),
            renew: Var::from(true),
        }
    }

    /// What a step keeps: a new Jacobian where one is due, and new factors where it is new or `s` differs from that of the factors by
    /// more than a part.
    pub(super) fn renewed(&self, kept: &Kept, t: Var, x: Var, s: Var, part: f64) -> Kept {
        let [t, x, s] = [t, x, s].map(stop_gradient);
        if let Linear::Krylov { .. } = self.linear {
            let ratio = ones_like(s);
            return Kept {
                s,
                ratio,
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
        let solve_linear = |apply: &dyn Fn(Var) -> Var, b: Var| self.linear.solve(apply, b);
        let (z, (ratio, count, converged, finite)) =
            custom_root_aux(equation, stop_gradient(guess), newton, solve_linear);
        let iteration = Iteration {
            converged,
            finite,
            count,
            ratio,
        };
        (z, iteration)
    }

    /// Solves the system whose matrix is kept.
    fn apply_kept(&self, kept: &Kept, t: Var, x: Var, b: Var) -> Var {
        match self.linear {
            Linear::Dense if self.n == 1 => b / kept.factors.reshape([1]),
            Linear::Dense => {
                let lu = wengert::linalg::Lu {
                    factors: kept.factors,
                    order: kept.order,
                    sign: Var::from(1.0).to(b.dtype()),
                };
                lu.solve(b)
            }
            Linear::Banded { lower, upper } => {
                wengert::linalg::solve_banded((lower, upper), kept.factors, b)
            }
            Linear::Krylov { .. } => {
                let system = self.shifted(t, x, kept.s, kept.jacobian);
                self.solve(&system, b)
            }
        }
    }
}
