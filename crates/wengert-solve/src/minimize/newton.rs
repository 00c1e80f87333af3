//! Newton's methods, with second derivatives.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::asked_at;

use super::{Found, Limits, Minimum, method, minimum};
use crate::shared::{RUNNING, eps, is_flat, largest, length, matrix, number};
use crate::{State, Status, Step, Watch};

/// Minimisation by Newton's method, with the exact Hessian.
///
/// - The dense form takes the eigenvalues of the Hessian, and steps by their sizes in a trust region, and so away from
///   saddle points: Dauphin and others, *Identifying and attacking the saddle point problem* (2014).
/// - The truncated form ([`Newton::truncated`]) only applies the Hessian to vectors, and solves for its step by conjugate
///   gradients within a trust region: Steihaug, *The conjugate gradient method and trust regions in large scale optimization*
///   (1983), as `scipy.optimize.minimize(method="trust-ncg")`. For thousands of unknowns.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::Newton;
///
/// let f = |x: Var| (100.0 * (x.at(1..) - x.at(..-1).square()).square() + (1.0 - x.at(..-1)).square()).sum();
/// let m = jit(move |x: Var| Newton::new().minimize(f, x)).call(vec![0.9; 10])?.ok()?;
/// assert!(m.x.all_close(&Array::from(vec![1.0; 10]), 1e-9, 0.0));
/// let m = jit(move |x: Var| Newton::new().truncated(true).minimize(f, x)).call(vec![0.9; 500])?.ok()?;
/// assert!(m.x.all_close(&Array::from(vec![1.0; 500]), 1e-6, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Newton<W = ()> {
    /// When it ends.
    pub limits: Limits,
    truncated: bool,
    implicit: bool,
    watch: W,
}

method!(Newton { truncated: false });

impl<W: Watch> Newton<W> {
    /// Whether the step is solved for without the matrix.
    pub fn truncated(mut self, truncated: bool) -> Self {
        self.truncated = truncated;
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
        minimum(place, "minimize", self.implicit, &f, start, |f, x| {
            self.search(place, f, x)
        })
    }

    fn search(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> (Var, Var),
        x: Var,
    ) -> Found {
        let (n, dtype) = (x.shape()[0], x.dtype());
        let zero = number(0.0, dtype);
        let none = zeros_of(n, dtype);
        let dense = !self.truncated;
        let start = Carry {
            x,
            g: none,
            value: zero,
            axes: dense.then(|| zeros_of([n, n], dtype)).into_iter().collect(),
            sizes: dense.then_some(none).into_iter().collect(),
            radius: zero,
            flat: Var::from(0i64),
            status: Var::from(RUNNING),
            iterations: Var::from(-1i64),
            evaluations: Var::from(0i64),
        };
        let limits = self.limits.at_least(dtype);
        let goes_on = |c: Carry| c.status.eq(RUNNING) & c.iterations.lt(limits.max_steps);
        let end = while_loop(start, goes_on, |c: Carry| {
            asked_at(place, || self.turn(&limits, f, c))
        });
        Found {
            x: end.x,
            value: end.value,
            gradient: end.g,
            iterations: end.iterations.maximum(0),
            evaluations: end.evaluations,
            status: end.status.eq(RUNNING).select(0, end.status),
        }
    }

    fn turn(&self, limits: &Limits, f: &dyn Fn(Var) -> (Var, Var), c: Carry) -> Carry {
        let (n, dtype) = (c.x.shape()[0], c.x.dtype());
        let first = c.iterations.lt(0);
        let slope = |x: Var| f(x).1;
        let (step, promised) = match self.truncated {
            false => damped(&c),
            true => truncated(&c, &slope),
        };
        let step = first.select(0.0, step);
        let x = c.x + step;
        let (value, g) = f(x);
        let finite = value.is_finite() & g.is_finite().all();
        let actual = c.value - value;
        let ratio = finite.select(actual / promised, -1.0);
        // Where values differ by rounding alone, gradients decide.
        let slack = 8.0 * eps(dtype) * c.value.abs();
        let level = actual.abs().le(slack) & length(g).lt(length(c.g));
        let good = finite & ((actual.gt(0.0) & ratio.ge(1e-4)) | level);
        let accepted = (first & finite) | (!first & good);
        let taken = accepted & !first;
        let at = |new: Var, old: Var| accepted.select(new, old);
        let (x_now, g_now) = (at(x, c.x), at(g, c.g));

        let (axes, sizes) = match self.truncated {
            true => (vec![], vec![]),
            false => cond(
                accepted,
                (c.axes.clone(), c.sizes.clone(), x),
                |(.., x): (Vec<Var>, Vec<Var>, Var)| {
                    let (_, push) = linearize(slope, x);
                    let (sizes, axes) = matrix(&push, n, dtype).eigh();
                    (vec![axes], vec![sizes])
                },
                |(axes, sizes, _)| (axes, sizes),
            ),
        };
        let size = length(step);
        let edge = size.ge(0.9 * c.radius);
        let wider = (ratio.gt(0.75) & edge).select(2.0 * c.radius, c.radius);
        let next = (ratio.lt(0.25) & !level).select(0.25 * size, wider);
        let radius = first.select(length(x_now).maximum(1.0), next);

        let small = is_flat(g_now, x_now, value, limits.gtol);
        let still = taken
            & actual
                .abs()
                .le(limits.ftol * value.abs().maximum(c.value.abs()));
        let flat = taken.select(still.select(c.flat + 1, 0), c.flat);
        let short = taken & largest(step).le(limits.xtol * largest(c.x));
        let stuck =
            !first & !accepted & largest(step).le(eps(dtype) * largest(c.x).maximum(1e-100));
        let certain = promised.le(100.0 * limits.ftol * c.value.abs());
        let status = select(
            &[
                (first & !finite, Status::StartNotFinite.code().into()),
                (accepted & small, Status::GradientConverged.code().into()),
                (flat.ge(3), Status::ValueConverged.code().into()),
                (short, Status::StepConverged.code().into()),
                (
                    !first & !accepted & finite & certain,
                    Status::ValueConverged.code().into(),
                ),
                (stuck & !finite, Status::NotFinite.code().into()),
                (stuck, Status::Stalled.code().into()),
            ],
            c.status,
        );
        self.watch.record(
            taken,
            Step {
                iteration: c.iterations + 1,
                value,
                step: size,
            },
        );
        Carry {
            x: x_now,
            g: g_now,
            value: at(value, c.value),
            axes,
            sizes,
            radius,
            flat,
            status,
            iterations: accepted.select(c.iterations + 1, c.iterations),
            evaluations: c.evaluations + 1,
        }
    }
}

#[derive(Tree, Clone)]
struct Carry<T = Var> {
    x: T,
    g: T,
    value: T,
    /// The eigenvectors of the Hessian and its eigenvalues, for the dense form.
    axes: Vec<T>,
    sizes: Vec<T>,
    radius: T,
    flat: T,
    status: T,
    iterations: T,
    evaluations: T,
}

/// The step by the sizes of the eigenvalues, no longer than the radius, and what it promises.
fn damped(c: &Carry) -> (Var, Var) {
    let (v, w) = (c.axes[0], c.sizes[0]);
    let floor = (largest(w) * eps(w.dtype())).maximum(f64::from(f32::MIN_POSITIVE));
    let by = w.abs().maximum(floor);
    let along = v.t().dot(c.g);
    // Newton's method for the reciprocal of the length, which the damping leads to that of the radius from below: Moré and
    // Sorensen, *Computing a trust region step* (1983).
    let damping = fori(0..12, along.at(0) * 0.0, |_, damping: Var| {
        let part = along / (by + damping);
        let (size, slope) = (part.dot(part), (part * part / (by + damping)).sum());
        let more = size / slope * (size.sqrt() - c.radius) / c.radius;
        damping + more.is_finite().select(more, 0.0).maximum(0.0)
    });
    let part = -along / (by + damping);
    let promised = -(along.dot(part) + 0.5 * (w * part).dot(part));
    (v.dot(part), promised)
}

/// The step by conjugate gradients in a trust region, and what it promises.
fn truncated(c: &Carry, slope: &dyn Fn(Var) -> Var) -> (Var, Var) {
    let (_, push) = linearize(|x: Var| slope(x), c.x);
    let (g, radius) = (c.g, c.radius);
    let size = length(g);
    let tolerance = size * size.sqrt().minimum(0.5);
    let limit = 2 * g.shape()[0] as i64;
    let none = g * 0.0;
    let start = (none, g, -g, none, size.eq(0.0), Var::from(0i64));
    type Inner = (Var, Var, Var, Var, Var, Var);
    let (p, _, _, hp, ..) = while_loop(
        start,
        |(.., done, k): Inner| !done & k.lt(limit),
        |(p, r, d, hp, _, k): Inner| {
            let hd = push(d);
            let (dd, rr) = (d.dot(d), r.dot(r));
            let curve = d.dot(hd);
            let far = rr / curve;
            let inside = curve.gt(0.0) & length(p + far * d).lt(radius);
            // Beyond the edge, or downhill for ever: to the edge.
            let pd = p.dot(d);
            let left = (radius * radius - p.dot(p)).maximum(0.0);
            let root = (pd * pd + dd * left).sqrt();
            let edge = pd.gt(0.0).select(left / (pd + root), (root - pd) / dd);
            let t = inside.select(far, edge);
            let next = r + t * hd;
            let done = !inside | length(next).le(tolerance) | !t.is_finite();
            let turned = next.dot(next) / rr * d - next;
            (p + t * d, next, turned, hp + t * hd, done, k + 1)
        },
    );
    (p, -(g.dot(p) + 0.5 * p.dot(hp)))
}
