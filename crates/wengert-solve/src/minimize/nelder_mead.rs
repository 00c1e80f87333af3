//! The method of Nelder and Mead.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::asked_at;

use super::{Found, Minimum, minimum};
use crate::shared::{RUNNING, eps, not_negative, number};
use crate::{State, Status};

/// Minimisation without derivatives, by the simplex of Nelder and Mead (1965) with the factors of Gao and Han, *Implementing
/// the Nelder-Mead simplex algorithm with adaptive parameters* (2012): `scipy.optimize.minimize(method="Nelder-Mead")`. For
/// a few unknowns, and functions with noise or kinks. One evaluation a turn.
///
/// It ends when all corners are within `xtol` of the best one, and their values within `ftol`
/// ([`StepConverged`](crate::Status::StepConverged)): both relative, or absolute below 1.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::NelderMead;
///
/// let f = |(x, y): (Var, Var)| (x - 1.0).abs() + (y + 2.0).abs() + 0.5 * (x - y - 3.0).abs();
/// let m = jit(move |x: Var| NelderMead::new().minimize(f, (x, 0.0))).call(0.0)?.ok()?;
/// assert!((m.x.0.item::<f64>()? - 1.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NelderMead {
    /// The tolerance of the unknowns.
    pub xtol: f64,
    /// The tolerance of the value.
    pub ftol: f64,
    /// The limit of evaluations.
    pub max_steps: i64,
    /// The size of the first simplex, relative to each unknown, or absolute where that is zero.
    pub size: f64,
}

impl Default for NelderMead {
    fn default() -> NelderMead {
        NelderMead {
            xtol: 1e-8,
            ftol: 1e-10,
            max_steps: 20_000,
            size: 0.1,
        }
    }
}

/// What the place that was evaluated is.
const FIRST: i64 = 0;
const REFLECTED: i64 = 1;
const EXPANDED: i64 = 2;
const CONTRACTED: i64 = 3;
const SHRUNK: i64 = 4;

#[derive(Tree, Clone)]
struct Carry<T = Var> {
    corners: T,
    values: T,
    /// The place to evaluate next, what it is, and the number of a corner.
    next: T,
    stage: T,
    corner: T,
    reflected: T,
    reflected_value: T,
    status: T,
    evaluations: T,
    steps: T,
}

impl NelderMead {
    /// Tolerances of 1e-8 and 1e-10, and 20,000 evaluations.
    pub fn new() -> NelderMead {
        NelderMead::default()
    }

    /// Sets the tolerance of the unknowns.
    pub fn xtol(mut self, xtol: f64) -> NelderMead {
        self.xtol = xtol;
        self
    }

    /// Sets the tolerance of the value.
    pub fn ftol(mut self, ftol: f64) -> NelderMead {
        self.ftol = ftol;
        self
    }

    /// Sets the limit of evaluations.
    pub fn max_steps(mut self, max_steps: i64) -> NelderMead {
        self.max_steps = max_steps;
        self
    }

    /// Sets the size of the first simplex.
    pub fn size(mut self, size: f64) -> NelderMead {
        self.size = size;
        self
    }

    /// Minimises `f` from a start.
    ///
    /// # Errors
    /// As [`minimize`](super::minimize()).
    #[track_caller]
    pub fn minimize<I>(&self, f: impl Fn(I::Tree) -> Var, start: I) -> Minimum<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
    {
        let place = Location::caller();
        asked_at(place, || {
            not_negative("minimize", &[("xtol", self.xtol), ("ftol", self.ftol)]);
            not_negative("minimize", &[("max_steps", self.max_steps as f64)]);
        });
        minimum(place, "minimize", true, &f, start, |f, x| {
            self.search(place, &|x| f(x).0, x)
        })
    }

    fn search(&self, place: &'static Location<'static>, f: &dyn Fn(Var) -> Var, x: Var) -> Found {
        let (n, dtype) = (x.shape()[0], x.dtype());
        let start = Carry {
            corners: x.expand_dims(0) + zeros_of([n + 1, n], dtype),
            values: zeros_of(n + 1, dtype) + f64::INFINITY,
            next: x,
            stage: Var::from(FIRST),
            corner: Var::from(0i64),
            reflected: x,
            reflected_value: number(0.0, dtype),
            status: Var::from(RUNNING),
            evaluations: Var::from(0i64),
            steps: Var::from(0i64),
        };
        let goes_on = |c: Carry| c.status.eq(RUNNING) & c.evaluations.lt(self.max_steps);
        let end = while_loop(start, goes_on, |c: Carry| {
            asked_at(place, || self.turn(f, x, c))
        });
        let best = end.values.argmin();
        Found {
            x: end.corners.at(best),
            value: end.values.at(best),
            gradient: full(n, f64::NAN).to(dtype),
            iterations: end.steps,
            evaluations: end.evaluations,
            status: end.status.eq(RUNNING).select(0, end.status),
        }
    }

    fn turn(&self, f: &dyn Fn(Var) -> Var, x0: Var, c: Carry) -> Carry {
        let (n, dtype) = (c.next.shape()[0], c.next.dtype());
        let ways = n as f64;
        let (expand, contract, shrink) = (1.0 + 2.0 / ways, 0.75 - 0.5 / ways, 1.0 - 1.0 / ways);
        // In one dimension the factors of Nelder and Mead, since shrinking to a point is none.
        let (contract, shrink) = if n == 1 {
            (0.5, 0.5)
        } else {
            (contract, shrink)
        };
        let raw = f(c.next);
        let value = raw.is_nan().select(f64::INFINITY, raw);
        let is = |stage: i64| c.stage.eq(stage);
        let (first, reflected, expanded, contracted) =
            (is(FIRST), is(REFLECTED), is(EXPANDED), is(CONTRACTED));
        let fills = first | is(SHRUNK);

        let places = iota(n + 1, DType::I64);
        let worst = c.values.argmax();
        let worst_value = c.values.at(worst);
        let best_value = c.values.amin();
        let others = places.eq(worst).select(f64::NEG_INFINITY, c.values);
        let second = others.amax();

        // Where the place goes.
        let keeps_reflected = reflected & value.ge(best_value) & value.lt(second);
        let to_expand = reflected & value.lt(best_value);
        let to_contract = reflected & value.ge(second);
        let takes_expanded = expanded & value.lt(c.reflected_value);
        let takes_contracted = contracted & value.le(c.reflected_value.minimum(worst_value));
        let to_shrink = contracted & !takes_contracted;
        let put_here = keeps_reflected | takes_expanded | takes_contracted;
        let put_before = expanded & !takes_expanded;
        let slot = fills.select(c.corner, worst);
        let puts = fills | put_here | put_before;
        let row = places.eq(slot) & puts;
        let new = put_before.select(c.reflected, c.next);
        let new_value = put_before.select(c.reflected_value, value);
        let corners = row.expand_dims(1).select(new.expand_dims(0), c.corners);
        let values = row.select(new_value, c.values);

        // Shrinking moves all corners to the best, and evaluates them one by one.
        let centre = corners.at(values.argmin());
        let corners = to_shrink.select(centre + shrink * (corners - centre), corners);
        let corner = to_shrink.select(0, fills.select(c.corner + 1, 0));
        let filling = to_shrink | (fills & corner.le(n as i64));

        // The next place: a corner, or through the middle of all but the worst.
        let worst = values.argmax();
        let away = corners.at(worst);
        let middle = (corners.sum_axis(0) - away) / ways;
        let reflect = middle + (middle - away);
        let outside = value.lt(worst_value);
        let ahead = |by: f64| middle + by * (c.next - middle);
        let contracting = outside.select(ahead(contract), middle + contract * (away - middle));
        let unit = places.at(..n).eq(corner - 1);
        let grown = x0.eq(0.0).select(self.size, x0 * self.size);
        let starting = x0 + unit.select(grown, 0.0);
        let filled = first.select(starting, corners.at(corner.minimum(n as i64)));
        let next = select(
            &[
                (filling, filled),
                (to_expand, ahead(expand)),
                (to_contract, contracting),
            ],
            reflect,
        );
        let stage = select(
            &[
                (to_shrink, Var::from(SHRUNK)),
                (filling, c.stage),
                (to_expand, Var::from(EXPANDED)),
                (to_contract, Var::from(CONTRACTED)),
            ],
            REFLECTED,
        );

        let whole = !filling & stage.eq(REFLECTED);
        let best = values.argmin();
        let (b, bv) = (corners.at(best), values.at(best));
        let xtol = self.xtol.max(4.0 * eps(dtype));
        let ftol = self.ftol.max(4.0 * eps(dtype));
        let near = (corners - b).abs().le(xtol * b.abs().maximum(1.0)).all();
        let alike = (values - bv).abs().le(ftol * bv.abs().maximum(1.0)).all();
        let bad = first & c.corner.eq(0) & !value.is_finite();
        let status = select(
            &[
                (bad, Status::StartNotFinite.code().into()),
                (whole & near & alike, Status::StepConverged.code().into()),
            ],
            RUNNING,
        );
        Carry {
            corners,
            values,
            next,
            stage,
            corner,
            reflected: reflected.select(c.next, c.reflected),
            reflected_value: reflected.select(value, c.reflected_value),
            status,
            evaluations: c.evaluations + 1,
            steps: whole.select(c.steps + 1, c.steps),
        }
    }
}
