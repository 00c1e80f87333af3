//! Minima within bounds.

use std::panic::Location;

use wengert::linalg::Krylov;
use wengert::prelude::*;
use wengert::solver::{asked_at, same_trees};
use wengert::{IntoTree, custom_root_aux};

use super::descent::Directions;
use super::lbfgs::{Recent, Ring};
use super::{Found, Limits, Minimum, method};
use crate::shared::{
    DENSE, RUNNING, choose, eps, is_flat, largest, length, matrix, number, scalar, vector,
};
use crate::{State, Status, Step, Watch};

/// Minimisation within bounds, by a projected method of limited memory: as `scipy.optimize.minimize(method="L-BFGS-B")`.
///
/// Unknowns at a bound that the function falls towards stay there; the others move by L-BFGS, and what would leave the
/// bounds is put on them: the two-metric projection of Bertsekas, *Projected Newton methods for optimization problems with
/// simple constraints* (1982). [`LbfgsB`](super::LbfgsB) takes them from a model instead. The gradient that `gtol` tests is that of the
/// unknowns that are not held so, and the minimum is differentiated through the equation
/// `x = clip(x - ∇f(x), low, high)`, in what `f` and the bounds capture.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::Bounded;
///
/// let f = |p: Var| ((p - [1.0, -2.0]).square()).sum();
/// let m = jit(move |p: Var| Bounded::new().minimize(f, p, zeros(2), full(2, f64::INFINITY))).call([3.0, 3.0])?.ok()?;
/// assert!(m.x.all_close(&Array::from([1.0, 0.0]), 1e-8, 1e-8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bounded<W = ()> {
    /// When it ends.
    pub limits: Limits,
    /// How many steps are remembered.
    pub memory: usize,
    implicit: bool,
    watch: W,
}

method!(Bounded { memory: 10 });

#[derive(Tree, Clone)]
struct Carry<T = Var> {
    x: T,
    g: T,
    value: T,
    d: T,
    t: T,
    ring: Ring<T>,
    /// Whether the direction is that of the gradient.
    plain: T,
    /// What the last direction of the method promised to lower the value by.
    promise: T,
    flat: T,
    status: T,
    iterations: T,
    evaluations: T,
}

impl<W: Watch> Bounded<W> {
    /// Sets how many steps are remembered.
    pub fn memory(mut self, memory: usize) -> Self {
        self.memory = memory.max(1);
        self
    }

    /// Minimises `f` from a start, between `low` and `high`: trees as the start, with infinities where there is no bound. A
    /// start outside is moved to the bounds.
    ///
    /// # Errors
    /// As [`minimize`](super::minimize()), and if the bounds are other trees than the start.
    #[track_caller]
    pub fn minimize<I, L, H>(
        &self,
        f: impl Fn(I::Tree) -> Var,
        start: I,
        low: L,
        high: H,
    ) -> Minimum<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        L: IntoTree<Tree = I::Tree>,
        H: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        within(
            place,
            self.implicit,
            &f,
            start,
            (low, high),
            |f, x, bounds| self.search(place, f, bounds, x),
        )
    }

    fn search(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> (Var, Var),
        (low, high): (Var, Var),
        x: Var,
    ) -> Found {
        let dtype = x.dtype();
        let zero = number(0.0, dtype);
        let none = zeros_of(x.shape()[0], dtype);
        let start = Carry {
            x,
            g: none,
            value: zero,
            d: none,
            t: zero,
            ring: Recent(self.memory).start(x),
            plain: Var::from(true),
            promise: zero + f64::MAX.sqrt(),
            flat: Var::from(0i64),
            status: Var::from(RUNNING),
            iterations: Var::from(-1i64),
            evaluations: Var::from(0i64),
        };
        let limits = self.limits.at_least(dtype);
        let goes_on = |c: Carry| c.status.eq(RUNNING) & c.iterations.lt(limits.max_steps);
        let end = while_loop(start, goes_on, |c: Carry| {
            asked_at(place, || self.turn(&limits, f, (low, high), c))
        });
        Found {
            x: end.x,
            value: end.value,
            gradient: reduced(end.x, end.g, low, high),
            iterations: end.iterations.maximum(0),
            evaluations: end.evaluations,
            status: end.status.eq(RUNNING).select(0, end.status),
        }
    }

    fn turn(
        &self,
        limits: &Limits,
        f: &dyn Fn(Var) -> (Var, Var),
        (low, high): (Var, Var),
        c: Carry,
    ) -> Carry {
        let dtype = c.x.dtype();
        let clip = |x: Var| x.maximum(low).minimum(high);
        let first = c.iterations.lt(0);
        let x = clip(c.x + c.t * c.d);
        let (value, g) = f(x);
        let finite = value.is_finite() & g.is_finite().all();
        let step = x - c.x;
        let promised = c.g.dot(step);
        let slack = 8.0 * eps(dtype) * c.value.abs();
        let left = |x: Var, g: Var| largest(reduced(x, g, low, high));
        let lower = value.le(c.value + 1e-4 * promised);
        let level = value.le(c.value + slack) & left(x, g).lt(left(c.x, c.g));
        let accepted = finite & (first | lower | level) & (first | step.ne(0.0).any());
        let taken = accepted & !first;
        let at = |new: Var, old: Var| accepted.select(new, old);
        let (x_now, g_now) = (at(x, c.x), at(g, c.g));

        // Shorter, by the parabola through what was seen.
        let parabola = -0.5 * c.t * promised / (value - c.value - promised);
        let shorter =
            (finite & parabola.is_finite()).select(parabola.clip(0.1 * c.t, 0.5 * c.t), 0.2 * c.t);
        let gone = (c.t * largest(c.d)).le(eps(dtype) * largest(c.x).maximum(1e-100));
        let failed = !first & !accepted & gone;

        let s = taken.select(step, 0.0);
        let y = taken.select(g - c.g, 0.0);
        let ring = c.ring.push(taken, s, y);
        let size = largest(c.x).maximum(1.0) * eps(dtype);
        let fixed =
            (x_now.le(low + size) & g_now.gt(0.0)) | (x_now.ge(high - size) & g_now.lt(0.0));
        let free = fixed.select(0.0, 1.0).to(dtype);
        let down = -g_now * free;
        let d = -ring.within(free).product(g_now * free) * free;
        let good = d.is_finite().all() & d.dot(g_now).lt(0.0);
        let plain = failed | !good | first;
        let d = plain.select(down, d);
        let ring = choose(failed, Recent(self.memory).start(c.x), ring);
        let one = number(1.0, dtype);
        let start = plain.select(
            one.minimum(1.0 / (length(down) + f64::from(f32::MIN_POSITIVE))),
            one,
        );
        let renews = accepted | failed;

        let small = is_flat(reduced(x_now, g_now, low, high), x_now, value, limits.gtol);
        let change = (c.value - value).abs();
        let still = taken & change.le(limits.ftol * value.abs().maximum(c.value.abs()));
        let flat = taken.select(still.select(c.flat + 1, 0), c.flat);
        let short = taken & largest(step).le(limits.xtol * largest(c.x));
        let stuck = failed & c.plain;
        let hope = (renews & !plain).select(0.5 * d.dot(g_now).abs(), c.promise);
        let certain = c.promise.le(100.0 * limits.ftol * c.value.abs());
        let status = select(
            &[
                (first & !finite, Status::StartNotFinite.code().into()),
                (accepted & small, Status::GradientConverged.code().into()),
                (flat.ge(3), Status::ValueConverged.code().into()),
                (short, Status::StepConverged.code().into()),
                (stuck & certain, Status::ValueConverged.code().into()),
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
                step: length(step),
            },
        );
        Carry {
            x: x_now,
            g: g_now,
            value: at(value, c.value),
            d: renews.select(d, c.d),
            t: renews.select(start, shorter),
            ring,
            plain: renews.select(plain, c.plain),
            promise: hope,
            flat,
            status,
            iterations: accepted.select(c.iterations + 1, c.iterations),
            evaluations: c.evaluations + 1,
        }
    }
}

/// The gradient of the unknowns that are not held at a bound that the function falls towards.
pub(super) fn reduced(x: Var, g: Var, low: Var, high: Var) -> Var {
    let held = (x.le(low) & g.gt(0.0)) | (x.ge(high) & g.lt(0.0));
    held.select(0.0, g)
}

/// Runs a method on a function of vectors within bounds, and gives what it found its derivative and its tree.
pub(super) fn within<I, L, H>(
    place: &'static Location<'static>,
    implicit: bool,
    f: &dyn Fn(I::Tree) -> Var,
    start: I,
    (low, high): (L, H),
    method: impl Fn(&dyn Fn(Var) -> (Var, Var), Var, (Var, Var)) -> Found,
) -> Minimum<I::Tree>
where
    I: IntoTree,
    I::Tree: State,
    L: IntoTree<Tree = I::Tree>,
    H: IntoTree<Tree = I::Tree>,
{
    let op = "minimize";
    asked_at(place, || {
        let (start, low, high) = (start.into_tree(), low.into_tree(), high.into_tree());
        same_trees(op, ["the start", "the lower bound"], &start, &low);
        same_trees(op, ["the start", "the upper bound"], &start, &high);
        let (x, tree) = vector(op, start);
        let (low, high) = (tree::ravel(low).0, tree::ravel(high).0);
        let (n, dtype) = (x.shape()[0], x.dtype());
        let value = |x: Var| {
            asked_at(place, || {
                scalar(op, "the value of the function", dtype, || f(tree(x)))
            })
        };
        let both = |x: Var| value_and_grad(value)(x);
        let clip = |x: Var| x.maximum(low).minimum(high);
        let search = |x: Var| asked_at(place, || method(&both, clip(x), (low, high)));
        let (x, facts) = match implicit {
            true => custom_root_aux(
                |x: Var| x - clip(x - grad(value)(x)),
                x,
                |_, x| {
                    let found = search(x);
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
                let found = search(x);
                (found.x, found)
            }
        };
        Minimum {
            value: value(x),
            x: tree(x),
            gradient: facts.gradient.stop_gradient().abs().amax(),
            iterations: facts.iterations,
            evaluations: facts.evaluations,
            status: facts.status,
        }
    })
}
