//! The loop of the searches for roots of several functions: one evaluation a turn, and a Jacobian for each step that
//! is taken.
//!
//! The hybrid is that of Powell, *A hybrid method for nonlinear equations* (1970), with the scaling, the radius and the
//! constants of MINPACK's `hybrj` (Moré, Garbow and Hillstrom 1980); the damping of Levenberg and Marquardt is updated
//! as by Nielsen, *Damping parameter in Marquardt's method* (1999); Broyden's update is that of 1965.

use std::panic::Location;

use wengert::linalg::Krylov;
use wengert::prelude::*;
use wengert::solver::asked_at;

use super::system::{Method, Search};
use crate::shared::{RUNNING, choose, eps, largest, length, matrix, number};
use crate::{Status, Step, Watch};

/// What a search found, as a vector.
#[derive(Tree, Clone, Copy)]
pub(super) struct Found<T = Var> {
    pub x: T,
    pub residual: T,
    pub iterations: T,
    pub evaluations: T,
    pub status: T,
}

/// The linear model of the function at a place.
#[derive(Tree, Clone)]
struct Model<T = Var> {
    /// The Jacobian, for methods that form it.
    matrix: Vec<T>,
    /// Newton's step; zero if it is not finite.
    newton: T,
    regular: T,
    /// The steepest descent of the residual in scaled unknowns, and the Jacobian times that.
    down: T,
    down_image: T,
    /// The largest lengths of the Jacobian's columns so far.
    scale: T,
    /// Whether the residual is at right angles to all columns.
    level: T,
}

#[derive(Tree, Clone)]
struct Carry<T = Var> {
    x: T,
    f: T,
    model: Model<T>,
    /// The radius of the trust region, or the part of Newton's step.
    radius: T,
    damping: T,
    growth: T,
    /// Whether steps are those of Levenberg and Marquardt.
    damped: T,
    /// Whether the Jacobian is that of this place.
    exact: T,
    status: T,
    iterations: T,
    evaluations: T,
}

/// A trial step, and what the model says of it.
#[derive(Tree, Clone, Copy)]
struct Trial<T = Var> {
    step: T,
    /// The length of the residual there, by the model.
    expected: T,
}

pub(super) fn search<W>(
    place: &'static Location<'static>,
    s: &Search<W>,
    watch: &impl Watch,
    f: &dyn Fn(Var) -> Var,
    x: Var,
) -> Found {
    let dtype = x.dtype();
    let n = x.shape()[0];
    let none = zeros_of(n, dtype);
    let forms = s.method != Method::Krylov;
    let start = Carry {
        x,
        f: none,
        model: Model {
            matrix: forms.then(|| zeros_of([n, n], dtype)).into_iter().collect(),
            newton: none,
            regular: Var::from(false),
            down: none,
            down_image: none,
            scale: none,
            level: Var::from(false),
        },
        radius: number(0.0, dtype),
        damping: number(0.0, dtype),
        growth: number(2.0, dtype),
        damped: Var::from(s.method == Method::LevenbergMarquardt),
        exact: Var::from(false),
        status: Var::from(RUNNING),
        iterations: Var::from(-1i64),
        evaluations: Var::from(0i64),
    };
    // Steps that fail are bounded by the radius, which each of them shrinks.
    let goes_on = |c: Carry| c.status.eq(RUNNING) & c.iterations.lt(s.max_steps);
    let end = while_loop(start, goes_on, |c: Carry| {
        asked_at(place, || turn(s, watch, f, c))
    });
    Found {
        x: end.x,
        residual: end.f,
        iterations: end.iterations.maximum(0),
        evaluations: end.evaluations,
        status: end.status.eq(RUNNING).select(0, end.status),
    }
}

fn turn<W>(s: &Search<W>, watch: &impl Watch, f: &dyn Fn(Var) -> Var, c: Carry) -> Carry {
    let dtype = c.x.dtype();
    let first = c.iterations.lt(0);
    let trial = propose(s.method, &c);
    let step = first.select(0.0, trial.step);
    let x = c.x + step;
    let value = f(x);
    let finite = value.is_finite().all();
    let (before, after) = (length(c.f), length(value));

    // How much of what the model promised came true.
    let actual = 1.0 - (after / before).square();
    let promised = 1.0 - (trial.expected / before).square();
    let ratio = (finite & promised.gt(0.0)).select(actual / promised, -1.0);
    let by_radius = s.method == Method::Hybrid || s.method == Method::LevenbergMarquardt;
    let good = match by_radius {
        true => ratio.ge(1e-4),
        false => finite & after.le((1.0 - 1e-4 * c.radius) * before),
    };
    let accepted = (first & finite) | (!first & good & after.lt(before));
    let taken = accepted & !first;
    let at = |new: Var, old: Var| accepted.select(new, old);
    let (x_now, f_now) = (at(x, c.x), at(value, c.f));

    let (model, exact) = modelled(
        s.method,
        f,
        &c,
        (x_now, f_now),
        (step, value),
        (first, accepted, finite),
    );
    let scale = model.scale;

    // The radius of `hybrj`, and the damping of Nielsen.
    let size = length(scale * step);
    let around = 100.0 * length(scale * x_now);
    let around = around.eq(0.0).select(100.0, around);
    let radius = match by_radius {
        true => {
            let wider = ratio.ge(0.9).select(
                2.0 * size,
                ratio.ge(0.5).select(c.radius.maximum(2.0 * size), c.radius),
            );
            let next = ratio.lt(0.1).select(0.5 * c.radius.minimum(size), wider);
            first.select(around, next)
        }
        false => {
            let one = number(1.0, dtype);
            accepted.select(one, (exact & !c.exact).select(one, 0.4 * c.radius))
        }
    };
    let shrink = (1.0 - (2.0 * ratio - 1.0).powi(3)).maximum(1.0 / 3.0);
    let damping = c.damped.select(
        ratio
            .gt(0.0)
            .select(c.damping * shrink, c.damping * c.growth),
        1e-3,
    );
    let damping = first.select(1e-3, damping);
    let growth = (c.damped & ratio.le(0.0)).select(2.0 * c.growth, 2.0);

    // What ended it.
    let precise = dtype == DType::F32;
    let ftol = if precise { s.ftol.max(1e-5) } else { s.ftol };
    let xtol = s.xtol.max(eps(dtype));
    let small = accepted & largest(f_now).le(ftol);
    let span = largest(c.x).maximum(f64::MIN_POSITIVE.sqrt());
    let moved = largest(step);
    let short = taken & moved.le(xtol * span);
    let dead =
        !first & !accepted & (moved.le(eps(dtype) * span) | c.radius.lt(1e-12) | damping.gt(1e16));
    // Levenberg and Marquardt's steps are the last resort of the hybrid.
    let resort = match s.method {
        Method::Hybrid => dead & !c.damped,
        _ => Var::from(false),
    };
    let near = model.regular & largest(model.newton).le(eps(dtype).sqrt() * largest(x_now));
    let stuck = (dead & !resort) | (accepted & model.level);
    let singular = match s.method {
        Method::Hybrid | Method::LevenbergMarquardt => Var::from(false),
        _ => accepted & !model.regular,
    };
    let status = select(
        &[
            (first & !finite, Status::StartNotFinite.code().into()),
            (small, Status::ResidualConverged.code().into()),
            (short | (stuck & near), Status::StepConverged.code().into()),
            (singular, Status::Singular.code().into()),
            (stuck & !finite, Status::NotFinite.code().into()),
            (stuck, Status::Stalled.code().into()),
        ],
        c.status,
    );
    watch.record(
        taken,
        Step {
            iteration: c.iterations + 1,
            value: after,
            step: length(step),
        },
    );
    Carry {
        x: x_now,
        f: f_now,
        model,
        radius,
        damping,
        growth,
        damped: c.damped | resort,
        exact,
        status,
        iterations: accepted.select(c.iterations + 1, c.iterations),
        evaluations: c.evaluations + 1,
    }
}

/// The next step.
fn propose(method: Method, c: &Carry) -> Trial {
    match method {
        Method::LevenbergMarquardt => damped(c),
        Method::Hybrid => {
            let c = c.clone();
            cond(c.damped, c, |c: Carry| damped(&c), |c: Carry| dogleg(&c))
        }
        _ => Trial {
            step: c.radius * c.model.newton,
            expected: (1.0 - c.radius) * length(c.f),
        },
    }
}

/// Levenberg and Marquardt's step, from the stacked system.
fn damped(c: &Carry) -> Trial {
    let m = &c.model;
    let j = m.matrix[0];
    let floor = largest(m.scale) * 1e-8;
    let scale = m.scale.maximum(floor.gt(0.0).select(floor, 1.0));
    let stacked = concat([j, (c.damping.sqrt() * scale).diag()], 0);
    let side = concat([-c.f, c.f * 0.0], 0);
    let step = stacked.lstsq(side);
    Trial {
        step,
        expected: length(c.f + j.dot(step)),
    }
}

/// The step to the edge of the trust region along the path by the steepest descent to Newton's.
fn dogleg(c: &Carry) -> Trial {
    let m = &c.model;
    let (down, newton) = (m.down, m.newton);
    let pull = length(m.scale * down);
    let most = pull.square() / m.down_image.square().sum();
    let edge = c.radius / pull;
    let whole = m.regular & length(m.scale * newton).le(c.radius);
    let steep = most.ge(edge) | !m.regular;
    // From the steepest descent's minimum towards Newton's step.
    let u = m.scale * (most * down);
    let v = m.scale * (newton - most * down);
    let (vv, uv) = (v.dot(v), u.dot(v));
    let left = (c.radius.square() - u.dot(u)).maximum(0.0);
    let root = (uv.square() + vv * left).sqrt();
    let part = uv.gt(0.0).select(left / (uv + root), (root - uv) / vv);
    let a = whole.select(0.0, steep.select(most.minimum(edge), (1.0 - part) * most));
    let b = whole.select(1.0, steep.select(0.0, part));
    let used = |p: Var, v: Var| p.ne(0.0).select(p * v, 0.0);
    Trial {
        step: used(a, down) + used(b, newton),
        expected: length(c.f + used(a, m.down_image) - b * c.f),
    }
}

/// The model after a turn, and whether its Jacobian is that of the place.
fn modelled(
    method: Method,
    f: &dyn Fn(Var) -> Var,
    c: &Carry,
    (x, value): (Var, Var),
    (step, seen): (Var, Var),
    (first, accepted, finite): (Var, Var, Var),
) -> (Model, Var) {
    let n = x.shape()[0];
    let dtype = x.dtype();
    let jacobian = |x: Var| {
        let (_, push) = linearize(|x: Var| f(x), x);
        matrix(&push, n, dtype)
    };
    let full = |j: Var, value: Var, scale: Var| {
        let columns = j.square().sum_axis(0).sqrt();
        let scale = scale.maximum(columns);
        let scale = scale.eq(0.0).select(1.0, scale);
        let pull = value.dot(j);
        let down = -pull / scale.square();
        let angle = pull.abs() / columns.eq(0.0).select(1.0, columns);
        let level = angle.amax().le(4.0 * eps(dtype) * length(value));
        let newton = -j.solve(value);
        let regular = newton.is_finite().all();
        Model {
            matrix: vec![j],
            newton: regular.select(newton, 0.0),
            regular,
            down,
            down_image: j.dot(down),
            scale,
            level,
        }
    };
    match method {
        Method::Hybrid | Method::LevenbergMarquardt | Method::Newton => {
            let model = cond(
                accepted,
                (c.model.clone(), x, value),
                |(m, x, value): (Model, Var, Var)| full(jacobian(x), value, m.scale),
                |(m, ..): (Model, Var, Var)| m,
            );
            (model, Var::from(true))
        }
        Method::Broyden => {
            // What the step saw, also where it was not taken; a Jacobian where the model misled.
            let misled = !first & !accepted & (c.radius.lt(0.2) | !finite) & !c.exact;
            let j = c.model.matrix[0];
            let exact = first | misled;
            let off = seen - c.f - j.dot(step);
            let size = step.dot(step);
            let learns = finite & size.gt(0.0);
            let way = learns.select(step / learns.select(size, 1.0), 0.0);
            let updated = j + learns.select(off, 0.0).outer(way);
            let j = cond(
                exact,
                (updated, x),
                |(_, x): (Var, Var)| jacobian(x),
                |(j, _)| j,
            );
            let model = full(j, value, c.model.scale);
            let model = Model {
                level: Var::from(false),
                ..model
            };
            (
                choose(first & !accepted, c.model.clone(), model),
                exact | (c.exact & !accepted),
            )
        }
        Method::Krylov => {
            let near = Krylov {
                rtol: 1e-6,
                ..Krylov::default()
            };
            let model = cond(
                accepted,
                (c.model.clone(), x, value),
                |(m, x, value): (Model, Var, Var)| {
                    let (_, push) = linearize(|x: Var| f(x), x);
                    let newton = -near.bicgstab(|v: Var| push(v), value);
                    let regular = newton.is_finite().all();
                    Model {
                        newton: regular.select(newton, 0.0),
                        regular,
                        ..m
                    }
                },
                |(m, ..): (Model, Var, Var)| m,
            );
            (model, Var::from(true))
        }
    }
}
