//! The search: one flat loop, whose every step is one evaluation of the residuals and their Jacobian.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;

use super::triangle::{Triangle, damped};
use super::{LevenbergMarquardt, Loss, Method};
use crate::Status;
use crate::watch::{Step, Watch};

/// The code of a search that goes on: that of the limit of steps, in case nothing else ends it.
const RUNNING: i64 = Status::StepLimit.code();

/// The least and the largest damping, and the least part of a step.
const LEAST: f64 = 1e-20;
const MOST: f64 = 1e20;

/// The number of steps in a row whose change of the cost may be below its rounding errors.
const IDLE: i64 = 12;

/// The largest number of dampings that are tried for a radius.
const RADIAL: i64 = 10;

/// The part of the smallest predicted reduction so far that counts as progress.
const SHORTER: f64 = 0.7;

/// The least ratio of actual to predicted reduction.
const ACCEPTED: f64 = 1e-4;

/// Sums of squares of functions of vectors.
pub(super) struct Problem<'a> {
    pub(super) residuals: &'a dyn Fn(Var) -> Var,
    pub(super) bounds: Option<[Var; 2]>,
    pub(super) loss: Loss,
    pub(super) dtype: DType,
    pub(super) place: &'static Location<'static>,
}

/// A point, and what steps need of the residuals there.
#[derive(Tree, Clone, Copy)]
struct Point<T = Var> {
    x: T,
    cost: T,
    triangle: Triangle<T>,
    /// The lengths of the columns of the Jacobian.
    columns: T,
    /// The largest cosine between the residuals and a column.
    cosine: T,
}

/// What the curvature of the residuals needs beside a point: the Jacobian as steps take it, and the factors of its rows.
type Curved = Option<(Var, Option<Var>)>;

/// The state of a search.
#[derive(Tree, Clone)]
struct Search<T = Var> {
    here: Point<T>,
    curved: Option<(T, Option<T>)>,
    /// The scales `D`.
    scales: T,
    /// The damping, the radius, or the part of a step.
    limit: T,
    /// The factor of the damping after a step that is not accepted.
    growth: T,
    /// The number of steps in a row without a change of the cost beyond rounding.
    idle: T,
    /// The smallest predicted reduction among those steps.
    least: T,
    steps: T,
    status: T,
}

/// What the search reports beside the place.
#[derive(Tree, Clone, Copy)]
pub(super) struct Facts<T = Var> {
    pub(super) iterations: T,
    pub(super) status: T,
}

/// A step that is tried.
struct Trial {
    p: Var,
    predicted: Var,
    /// How much longer the step would be without its limit, about.
    held: Var,
    /// Whether the correction by the curvature is short enough.
    straight: Option<Var>,
}

/// What came of a trial.
struct Outcome {
    accepted: Var,
    finite: Var,
    /// Whether the change of the cost is below its rounding errors.
    tiny: Var,
    /// The actual reduction by the predicted one.
    ratio: Var,
    actual: Var,
    /// The slope of half the cost along the step.
    slope: Var,
    /// The length of the step in the scales.
    length: Var,
}

impl Problem<'_> {
    /// The distance from 1 to the next number.
    pub(super) fn eps(&self) -> f64 {
        match self.dtype {
            DType::F32 => f64::from(f32::EPSILON),
            _ => f64::EPSILON,
        }
    }

    pub(super) fn number(&self, x: f64) -> Var {
        Var::from(x).to(self.dtype)
    }

    /// Moves a point into the bounds.
    pub(super) fn inside(&self, x: Var) -> Var {
        match self.bounds {
            None => x,
            Some([low, high]) => x.clamp(low, high),
        }
    }

    /// The gradient of half the cost; at a bound that holds the point, the distance from it: zero at the solution.
    pub(super) fn slope(&self, x: Var) -> Var {
        let half = |x: Var| 0.5 * self.loss.cost((self.residuals)(x));
        let g = grad_at(x, half);
        match self.bounds {
            None => g,
            Some(_) => x - self.inside(x - g),
        }
    }

    /// Returns the value and the Jacobian of the residuals, in the mode of fewer directions.
    pub(super) fn jacobian(&self, x: Var) -> (Var, Var) {
        let f = |x: Var| (self.residuals)(x);
        let rows = f(x).shape()[0];
        match x.shape()[0] > 2 * rows {
            true => value_and_jacrev(f)(x),
            false => value_and_jacfwd(f)(x),
        }
    }

    fn point(&self, x: Var, options: &LevenbergMarquardt<impl Watch>) -> (Point, Curved) {
        let (r, j) = self.jacobian(x);
        let weighed = self.loss.weigh(r);
        let by = |y: Var, factor: Option<Var>| factor.map_or(y, |f| y * f);
        let r = by(r, weighed.residual);
        let mut j = by(j, weighed.row.map(|f| f.expand_dims(1)));
        if let Some([low, high]) = self.bounds {
            // A number that a bound holds does not move.
            let g = r.dot(j);
            let held = (x.le(low) & g.gt(0.0)) | (x.ge(high) & g.lt(0.0));
            j = held.expand_dims(0).select(zeros_like(j), j);
        }
        let columns = j.square().sum_axis(0).sqrt();
        let triangle = match options.orthogonal {
            true => Triangle::of(j, r),
            false => Triangle::quick(j, r, columns),
        };
        let apart = columns * r.square().sum().sqrt();
        let cosine = apart.gt(0.0).select(r.dot(j).abs() / apart, 0.0).amax();
        let point = Point {
            x,
            cost: weighed.cost,
            triangle,
            columns,
            cosine,
        };
        (point, options.geodesic.map(|_| (j, weighed.row)))
    }

    /// Searches from a start.
    pub(super) fn search<W: Watch>(
        &self,
        start: Var,
        options: &LevenbergMarquardt<W>,
    ) -> (Var, Facts) {
        let (here, curved) = self.point(self.inside(start), options);
        let (code, one) = (|s: Status| Var::from(s.code()), self.number(1.0));
        let mut status = self
            .usable(here)
            .select(RUNNING, code(Status::StartNotFinite));
        if let Some([low, high]) = self.bounds {
            status = low.le(high).all().select(status, code(Status::Infeasible));
        }
        let size = size(here.x, here.columns);
        let limit = match options.method {
            Method::Damped => self.number(options.damping),
            Method::LevenbergMarquardt | Method::Dogleg => {
                let first = self.number(options.radius);
                size.gt(0.0).select(first * size, first)
            }
            Method::GaussNewton => one,
        };
        let solved = here.cosine.le(options.gtol) & status.eq(RUNNING);
        let first = Search {
            here,
            curved,
            scales: here.columns.stop_gradient(),
            limit: limit.stop_gradient(),
            growth: self.number(2.0),
            idle: Var::from(0i64),
            least: self.number(f64::INFINITY),
            steps: Var::from(0i64),
            status: solved.select(code(Status::GradientConverged), status),
        };
        let last = while_loop(
            first,
            |s: Search| {
                asked_at(self.place, || {
                    s.status.eq(RUNNING) & s.steps.lt(options.max_steps)
                })
            },
            |s: Search| asked_at(self.place, || self.step(s, options)),
        );
        let facts = Facts {
            iterations: last.steps,
            status: last.status,
        };
        (last.here.x, facts)
    }

    /// Whether steps can start from a point.
    fn usable(&self, p: Point) -> Var {
        (p.cost + p.triangle.r.square().sum() + p.triangle.z.square().sum()).is_finite()
    }

    /// Tries a step.
    fn step<W: Watch>(&self, s: Search, options: &LevenbergMarquardt<W>) -> Search {
        let eps = self.eps();
        let (here, scales) = (s.here, s.scales);
        let even = scales.gt(0.0).select(scales, 1.0);
        let mut trial = match options.method {
            Method::LevenbergMarquardt => {
                let damping = radial(here.triangle, even, s.limit);
                self.damped(&s, even, damping, options)
            }
            Method::Damped => self.damped(&s, even, s.limit, options),
            Method::Dogleg => dogleg(here.triangle, even, s.limit),
            Method::GaussNewton => newton(here.triangle, even, s.limit),
        };
        // Rounding errors do not move numbers without effect, nor those that bounds hold.
        let p = here.columns.eq(0.0).select(0.0, trial.p);
        let x = self.inside(here.x + p);
        trial.p = x - here.x;
        let along = here.triangle.r.dot(trial.p);
        trial.predicted = -(2.0 * here.triangle.z + along).dot(along);
        let (there, curved) = self.point(x, options);

        let finite = self.usable(there);
        let actual = here.cost - there.cost;
        // Scales may be those of a place far off: the tests are of the columns as they are here.
        let columns = here.columns;
        let length = size(here.x, columns);
        let root = here.cost.sqrt();
        // What rounding errors of the residuals make of the cost.
        let noise = 4.0 * eps * root * (root + length);
        let tiny = trial.predicted.abs().le(noise);
        let ratio = tiny.select(1.0, actual / trial.predicted);
        let falls = tiny.select(actual.ge(-noise), ratio.ge(ACCEPTED) & actual.gt(0.0));
        let sound = trial.straight.map_or(finite, |straight| finite & straight);
        let accepted = sound & falls;

        let outcome = Outcome {
            accepted,
            finite,
            tiny,
            ratio,
            actual,
            slope: along.dot(here.triangle.z),
            length: size(trial.p, even),
        };
        let (limit, exhausted) = self.limited(&s, options.method, &outcome);
        // Steps that still shorten are on their way.
        let shorter = trial.predicted.abs().lt(SHORTER * s.least);
        // Those that are short because they are held tell nothing.
        let free = (trial.predicted.abs() * trial.held).le(noise);
        let idle = (tiny & free & !shorter).select(s.idle + 1, 0);
        let least = tiny.select(s.least.minimum(trial.predicted.abs()), f64::INFINITY);
        let moved = size(trial.p, columns) * trial.held;
        let xtol = match self.dtype {
            DType::F32 => options.xtol.max(4.0 * eps),
            _ => options.xtol,
        };
        let unseen = (2.0 * eps * (root + length)).square();
        let little = (options.ftol * here.cost).maximum(unseen);
        let small = |x: Var, than: Var| sound & x.le(than);
        let value = small(trial.predicted.abs() * trial.held, little)
            & actual.abs().le((options.ftol * here.cost).maximum(noise));
        let here = tree::map2(there, here, |there, here| accepted.select(there, here));
        let tests = [
            (here.cosine.le(options.gtol), Status::GradientConverged),
            (small(moved, xtol * length), Status::StepConverged),
            (value | idle.ge(IDLE), Status::ValueConverged),
            (exhausted & !finite, Status::NotFinite),
            (exhausted, Status::Stalled),
        ];
        let status = tests
            .into_iter()
            .rev()
            .fold(Var::from(RUNNING), |rest, (holds, status)| {
                holds.select(status.code(), rest)
            });
        let steps = s.steps + 1;
        options.watch.record(
            accepted,
            Step {
                iteration: steps,
                value: here.cost,
                step: outcome.length,
            },
        );
        Search {
            here,
            curved: tree::map2(curved, s.curved, |there, here| accepted.select(there, here)),
            scales: scales.maximum(here.columns).stop_gradient(),
            limit: limit.stop_gradient(),
            growth: accepted.select(2.0, 2.0 * s.growth),
            idle,
            least: least.stop_gradient(),
            steps,
            status,
        }
    }

    /// Returns the next limit of steps, and whether there is none left.
    fn limited(&self, s: &Search, method: Method, o: &Outcome) -> (Var, Var) {
        match method {
            Method::Damped => {
                let nielsen = (1.0 - (2.0 * o.ratio - 1.0).powi(3)).clamp(1.0 / 3.0, 2.0);
                // The closer the model, the less it needs damping; far from it only by degrees.
                let error = (o.ratio - 1.0).abs();
                let least = s.limit.gt(1e-2).select(self.number(0.1), 1e-3);
                let close = (error * (10.0 / 3.0)).maximum(least);
                let fall = error.lt(0.1).select(close, nielsen);
                let fall = o.tiny.select(0.1, fall);
                let limit = (s.limit * o.accepted.select(fall, s.growth)).maximum(LEAST);
                (limit, limit.gt(MOST))
            }
            Method::LevenbergMarquardt | Method::Dogleg => {
                // The first radius is at most the first step.
                let radius = s.steps.eq(0).select(s.limit.minimum(o.length), s.limit);
                // Where the parabola through the cost and its slope at the start of the step, and the cost at its
                // end, is least.
                let lowest = o.slope / (o.slope + 0.5 * o.actual);
                let part = o.actual.ge(0.0).select(0.5, 0.5 * lowest);
                let part = o.finite.select(part.clamp(0.1, 0.5), 0.1);
                let shorter = part * radius.minimum(10.0 * o.length);
                let whole = o.length.lt(0.9 * radius);
                let longer = (o.ratio.ge(0.75) | whole).select(2.0 * o.length, radius);
                let limit = (o.accepted & o.ratio.gt(0.25)).select(longer, shorter);
                let limit = (o.accepted & o.tiny).select(radius, limit);
                let gone = limit.le(LEAST * (1.0 + size(s.here.x, s.scales)));
                (limit, gone | !limit.is_finite())
            }
            Method::GaussNewton => {
                let limit = o.accepted.select(1.0, 0.5 * s.limit);
                (limit, limit.lt(LEAST))
            }
        }
    }

    /// The damped step, with the correction by the curvature if that is wanted.
    fn damped<W>(
        &self,
        s: &Search,
        scales: Var,
        damping: Var,
        options: &LevenbergMarquardt<W>,
    ) -> Trial {
        let t = damped(s.here.triangle, damping.sqrt() * scales);
        let v = -t.r.solve_upper(t.z);
        let held = 1.0 + damping;
        let (Some(limit), Some((j, weights))) = (options.geodesic, &s.curved) else {
            return Trial::new(v, held);
        };
        // The second derivative along v.
        let slope = |x: Var| jvp(|x: Var| (self.residuals)(x), x, v).1;
        let bend = jvp(slope, s.here.x, v).1;
        let bend = weights.map_or(bend, |w| w * bend);
        let half = t.r.t().solve_lower(bend.dot(*j));
        let a = -0.5 * t.r.solve_upper(half);
        let finite = a.is_finite().all();
        let a = finite.select(a, zeros_like(a));
        let straight = finite & (2.0 * size(a, scales)).le(limit * size(v, scales));
        Trial {
            straight: Some(straight),
            ..Trial::new(v + a, held)
        }
    }
}

impl Trial {
    fn new(p: Var, held: Var) -> Trial {
        Trial {
            p,
            predicted: held,
            held,
            straight: None,
        }
    }
}

/// The length of a vector in the scales.
fn size(x: Var, scales: Var) -> Var {
    (x * scales).square().sum().sqrt()
}

/// The damping with which a step is as long as a radius, to a tenth; the least one if the Gauss-Newton step is no longer.
///
/// The equation `|D p| = radius` is solved by Newton's method for its reciprocal, within bounds on the solution: Moré
/// (1978), section 5.
fn radial(t: Triangle, scales: Var, radius: Var) -> Var {
    let at = |damping: Var| {
        let d = damped(t, damping.sqrt() * scales);
        let p = -d.r.solve_upper(d.z);
        let length = size(p, scales);
        let bend = d.r.t().solve_lower(scales.square() * p / length);
        (
            length - radius,
            (length - radius) / (radius * bend.square().sum()),
        )
    };
    let least = LEAST * ones_like(radius);
    let (over, newton) = at(least);
    let low = newton.maximum(least);
    let high = (t.z.dot(t.r) / scales).square().sum().sqrt() / radius;
    let first = low.maximum(1e-3 * high).minimum(high);
    // The equation, the damping that was tried last, the one to try next, the bounds.
    let start = (over, least, first, low, high, Var::from(0i64));
    let far = |(over, .., tried): (Var, Var, Var, Var, Var, Var)| {
        (over.gt(0.1 * radius) | (tried.gt(0) & over.lt(-0.1 * radius))) & tried.lt(RADIAL)
    };
    let found = while_loop(start, far, |(_, _, next, low, high, tried)| {
        let between = (low * high).sqrt().maximum(1e-3 * high);
        let next = (next.gt(low) & next.lt(high)).select(next, between);
        let (over, newton) = at(next);
        let low = over.gt(0.0).select(low.maximum(next), low);
        let high = over.lt(0.0).select(high.minimum(next), high);
        let after = low.maximum(next + newton);
        (over, next, after, low, high, tried + 1)
    });
    found.1.stop_gradient()
}

/// The Gauss-Newton step; where it is not unique, a short one.
fn newton_step(t: Triangle, scales: Var) -> Var {
    let t = damped(t, LEAST.sqrt() * scales);
    -t.r.solve_upper(t.z)
}

fn newton(t: Triangle, scales: Var, part: Var) -> Trial {
    Trial::new(part * newton_step(t, scales), 1.0 / part)
}

/// The step of a length up to a radius on the way to the Gauss-Newton step.
fn dogleg(t: Triangle, scales: Var, radius: Var) -> Trial {
    // In the scales, where the trust region is a ball.
    let far = scales * newton_step(t, scales);
    let down = -t.z.dot(t.r) / scales;
    let steep = down.square().sum();
    let bend = t.r.dot(down / scales).square().sum();
    let near = bend.gt(0.0).select(steep / bend, 1.0) * down;
    let [far_length, near_length] = [far, near].map(|y| y.square().sum().sqrt());
    let way = far - near;
    // |near + s way| = radius
    let (a, b) = (way.square().sum(), near.dot(way));
    let c = (near_length.square() - radius.square()).minimum(0.0);
    let root = (b.square() - a * c).maximum(0.0).sqrt();
    let s = b.gt(0.0).select(-c / (b + root), (root - b) / a);
    let between = near + a.gt(0.0).select(s, 0.0) * way;
    let first = near_length
        .ge(radius)
        .select(radius / near_length * near, between);
    let y = far_length.le(radius).select(far, first);
    let length = y.square().sum().sqrt();
    let held = length
        .gt(0.0)
        .select((far_length / length).maximum(1.0), 1.0);
    Trial::new(y / scales, held)
}
