//! Minima within bounds by L-BFGS-B.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;

use super::bounded::{reduced, within};
use super::descent::{Directions, Pair, descend};
use super::{Limits, Minimum, method};
use crate::shared::{eps, length, number};
use crate::{State, Watch};

/// Minimisation within bounds by L-BFGS-B: `scipy.optimize.minimize(method="L-BFGS-B")`.
///
/// Byrd, Lu, Nocedal and Zhu, *A limited memory algorithm for bound constrained optimization* (1995): the quadratic model of
/// the last steps is first minimised along the path down the gradient that bends at the bounds (the generalised Cauchy
/// point), which says the bounds that hold, and then over the unknowns that are free, whose result is projected onto the
/// bounds as Morales and Nocedal (2011) do. A line search meets the strong Wolfe conditions up to the bounds.
///
/// Compared with [`Bounded`](super::Bounded), which bounds hold is not guessed from the gradient but follows from the model, and
/// the line search meets the stronger conditions. On the problems of the tests it takes about as many evaluations; a step costs
/// more, since it solves a system of twice as many numbers as steps are remembered, whose rounding errors cost it some
/// badly scaled problems that [`Bounded`](super::Bounded) solves. The
/// gradient that `gtol` tests is that of the unknowns that no bound holds, and the minimum is differentiated through the
/// equation `x = clip(x - ∇f(x), low, high)`, in what `f` and the bounds capture.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::LbfgsB;
///
/// let f = |p: Var| ((p - [1.0, -2.0]).square()).sum();
/// let m = jit(move |p: Var| LbfgsB::new().minimize(f, p, zeros(2), full(2, f64::INFINITY))).call([3.0, 3.0])?.ok()?;
/// assert!(m.x.all_close(&Array::from([1.0, 0.0]), 1e-8, 1e-8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LbfgsB<W = ()> {
    /// When it ends.
    pub limits: Limits,
    /// How many steps are remembered.
    pub memory: usize,
    implicit: bool,
    watch: W,
}

method!(LbfgsB { memory: 10 });

impl<W: Watch> LbfgsB<W> {
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
            |f, x, (low, high)| {
                let method = Within {
                    memory: self.memory,
                    low,
                    high,
                };
                descend(place, &method, &self.limits, &self.watch, f, x)
            },
        )
    }
}

/// The directions of the method between bounds.
struct Within {
    memory: usize,
    low: Var,
    high: Var,
}

/// The last steps in rows of a ring, each divided by the square root of `s · y`, and their products.
#[derive(Tree, Clone)]
struct Pairs<T = Var> {
    s: T,
    y: T,
    /// `s · y` and `s · s` of each two.
    sy: T,
    ss: T,
    /// The scale of the first matrix.
    theta: T,
    /// The number of steps that were put in.
    count: T,
}

/// The matrix `theta I - W M Wᵀ` near the Hessian.
struct Model {
    theta: Var,
    /// Rows for the unknowns.
    w: Var,
    m: Var,
}

impl Directions for Within {
    type Memory = Pairs;

    fn start(&self, like: Var) -> Pairs {
        let (n, m, dtype) = (like.shape()[0], self.memory, like.dtype());
        Pairs {
            s: zeros_of([m, n], dtype),
            y: zeros_of([m, n], dtype),
            sy: zeros_of([m, m], dtype),
            ss: zeros_of([m, m], dtype),
            theta: number(1.0, dtype),
            count: Var::from(0i64),
        }
    }

    fn next(&self, memory: Pairs, pair: Pair) -> (Pairs, Var) {
        let pairs = memory.push(pair.taken, pair.s, pair.y);
        let model = pairs.model();
        let d = self.target(&model, pair.x, pair.g) - pair.x;
        (pairs, d)
    }

    fn along(&self, x: Var, t: Var, d: Var) -> Var {
        // Rounding errors do not keep an unknown from its bound.
        let y = x + t * d;
        let near = 2.0 * eps(x.dtype()) * x.abs();
        let y = y.le(self.low + near).select(self.low, y);
        y.ge(self.high - near).select(self.high, y)
    }

    fn most(&self, x: Var, d: Var) -> Option<Var> {
        let room = d.gt(0.0).select(self.high, self.low) - x;
        let part = d.ne(0.0).select(room / d, f64::INFINITY);
        Some(part.amin().maximum(1.0))
    }

    fn left(&self, x: Var, g: Var) -> Var {
        reduced(x, g, self.low, self.high)
    }

    fn down(&self, x: Var, g: Var) -> Var {
        self.clip(x - g) - x
    }
}

impl Within {
    fn clip(&self, x: Var) -> Var {
        x.maximum(self.low).minimum(self.high)
    }

    /// The minimum of the model over the unknowns that are free at its generalised Cauchy point, projected.
    fn target(&self, b: &Model, x: Var, g: Var) -> Var {
        let (cauchy, free, c) = self.cauchy(b, x, g);
        let theta = b.theta;
        let r = free.select(g + theta * (cauchy - x) - b.w.dot(b.m.dot(c)), 0.0);
        let w = free.expand_dims(1).select(b.w, zeros_like(b.w));
        let size = b.m.shape()[0];
        let n = eye(size).to(x.dtype()) - b.m.dot(w.t().dot(w)) / theta;
        let v = n.solve(b.m.dot(w.t().dot(r)));
        let du = -r / theta - w.dot(v) / (theta * theta);
        let du = du.is_finite().all().select(du, 0.0);
        let projected = self.clip(cauchy + du);
        let descends = (projected - x).dot(g).lt(0.0);
        // As far along it as the bounds allow.
        let room = du.gt(0.0).select(self.high, self.low) - cauchy;
        let part = du.ne(0.0).select(room / du, f64::INFINITY).amin();
        let shortened = self.clip(cauchy + part.clip(0.0, 1.0) * du);
        descends.select(projected, shortened)
    }

    /// The first minimum of the model along the projected path down the gradient; which unknowns are free there, and the
    /// step to it times `W`.
    fn cauchy(&self, b: &Model, x: Var, g: Var) -> (Var, Var, Var) {
        let (n, dtype, theta) = (x.shape()[0], x.dtype(), b.theta);
        // When each unknown comes to its bound.
        let room = x - g.lt(0.0).select(self.high, self.low);
        let until = g.ne(0.0).select(room / g, f64::INFINITY).maximum(0.0);
        let d = until.gt(0.0).select(-g, 0.0);
        let order = until.argsort(0);
        let p = b.w.t().dot(d);
        let slope = -d.dot(d);
        let curve = -theta * slope - p.dot(b.m.dot(p));
        let least = eps(dtype) * curve.abs();
        let none = zeros_like(p);
        let start = (
            until.le(0.0).to(DType::I64).sum(),
            number(0.0, dtype),
            (p, none),
            (slope, curve),
        );
        type Path = (Var, Var, (Var, Var), (Var, Var));
        let ahead = |slope: Var, curve: Var| {
            let ahead = -slope / curve.maximum(least);
            ahead.gt(0.0).select(ahead, 0.0)
        };
        let bends = |(k, now, _, (slope, curve)): Path| {
            let at = until.at(order.at(k.minimum(n as i64 - 1)));
            k.lt(n as i64) & at.is_finite() & (at - now).le(ahead(slope, curve)) & slope.lt(0.0)
        };
        let (_, now, (p, c), (slope, curve)) = while_loop(start, bends, |path: Path| {
            let (k, now, (p, c), (slope, curve)) = path;
            let i = order.at(k);
            let (at, gi, w) = (until.at(i), g.at(i), b.w.at(i));
            let step = at - now;
            let c = c + step * p;
            let mw = b.m.dot(w);
            let slope = slope + step * curve + gi * gi - theta * gi * gi * at - gi * mw.dot(c);
            let curve = curve - theta * gi * gi - 2.0 * gi * mw.dot(p) - gi * gi * mw.dot(w);
            (k + 1, at, (p + gi * w, c), (slope, curve))
        });
        let rest = ahead(slope, curve);
        let now = now + rest;
        let held = until.le(now);
        let there = g.lt(0.0).select(self.high, self.low);
        let moving = self.clip(x + now * d);
        let place = d.eq(0.0).select(x, held.select(there, moving));
        (place, !held, c + rest * p)
    }
}

impl Pairs {
    /// Takes in a step.
    fn push(self, good: Var, s: Var, y: Var) -> Pairs {
        let size = self.sy.shape()[0] as i64;
        let sy = s.dot(y);
        let good = good & sy.gt(eps(s.dtype()) * length(s) * length(y));
        let scale = good.select(1.0 / sy, 0.0).sqrt();
        let (s, y) = (scale * s, scale * y);
        let slot = self.count.rem(size);
        let put = |rows: Var, row: Var| rows.at_set(slot, good.select(row, rows.at(slot)));
        let (all_s, all_y) = (put(self.s, s), put(self.y, y));
        // The products of the new step with all of them, itself included.
        let row = |rows: Var, row: Var, column: Var| {
            let rows = put(rows, row);
            let columns = rows.t();
            columns
                .at_set(slot, good.select(column, columns.at(slot)))
                .t()
        };
        let theta = y.dot(y);
        Pairs {
            sy: row(self.sy, all_y.dot(s), all_s.dot(y)),
            ss: row(self.ss, all_s.dot(s), all_s.dot(s)),
            s: all_s,
            y: all_y,
            theta: good.select(theta, self.theta),
            count: good.select(self.count + 1, self.count),
        }
    }

    /// The compact form of the matrix (equations 3.2 to 3.4 of the paper).
    fn model(&self) -> Model {
        let (size, dtype) = (self.sy.shape()[0], self.sy.dtype());
        let place = iota(size, DType::I64);
        // Slots in the order of their age; those without a step are rows of the unit matrix.
        let age = (place + (size as i64) - self.count.rem(size as i64)).rem(size as i64);
        let empty = place.ge(self.count).select(1.0, 0.0).to(dtype);
        let later = age.expand_dims(1).gt(age);
        let lower = later.select(self.sy, zeros_like(self.sy));
        let unit = eye(size).to(dtype);
        let squares = self.theta * self.ss + unit * empty;
        let above = concat([-unit, lower.t()], 1);
        let below = concat([lower, squares], 1);
        let middle = concat([above, below], 0);
        Model {
            theta: self.theta,
            w: concat([self.y, self.theta * self.s], 0).t(),
            m: middle.solve(eye(2 * size).to(dtype)),
        }
    }
}
