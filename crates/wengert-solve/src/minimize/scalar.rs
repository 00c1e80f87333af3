//! Minima of functions of a number, in an interval.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;
use wengert::{IntoTree, custom_root_aux};

use super::Minimum;
use crate::Status;
use crate::shared::{RUNNING, ends, eps, not_negative, number, scalar};

/// (3 - √5) / 2, the smaller part of the golden section.
const GOLDEN: f64 = 0.381_966_011_250_105_1;

/// The minimum of a function of a number in an interval, without derivatives.
///
/// It ends when the interval that holds the minimum is shorter than `2 (xtol + rtol |x|)`. Values tell a minimum
/// apart from its neighbours to half the digits only, so smaller tolerances than the square root of the precision
/// make no sense: the defaults are 1e-10 and 1.5e-8. The derivative is that of the equation `f'(x) = 0`, exact at `x`.
/// Where `f` has several minima, one of them is found; at an end of the interval if `f` falls towards it.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::InInterval;
///
/// let f = jit(|a: Var| InInterval::new().brent(|x: Var| (x - a).exp() - x, 0.0, 5.0));
/// let m = f.call(2.0)?.ok()?;
/// assert!((m.x.item::<f64>()? - 2.0).abs() < 1e-7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InInterval {
    /// The tolerance of the place.
    pub xtol: f64,
    /// The tolerance of the place, relative to its size.
    pub rtol: f64,
    /// The limit of steps.
    pub max_steps: i64,
}

impl Default for InInterval {
    fn default() -> InInterval {
        InInterval {
            xtol: 1e-10,
            rtol: 1.5e-8,
            max_steps: 200,
        }
    }
}

#[derive(Tree, Clone, Copy)]
struct State<T = Var> {
    low: T,
    high: T,
    /// The three best places: x, w, v.
    places: [T; 3],
    values: [T; 3],
    step: T,
    before: T,
    status: T,
    steps: T,
}

impl InInterval {
    /// The usual tolerances, and 200 steps.
    pub fn new() -> InInterval {
        InInterval::default()
    }

    /// Sets the tolerance of the place.
    pub fn xtol(mut self, xtol: f64) -> InInterval {
        self.xtol = xtol;
        self
    }

    /// Sets the tolerance relative to the place's size.
    pub fn rtol(mut self, rtol: f64) -> InInterval {
        self.rtol = rtol;
        self
    }

    /// Sets the limit of steps.
    pub fn max_steps(mut self, max_steps: i64) -> InInterval {
        self.max_steps = max_steps;
        self
    }

    /// Minimises by parabolas, and the golden section where they do not help: Brent, *Algorithms for Minimization
    /// without Derivatives*, chapter 5 (1973), as `scipy.optimize.minimize_scalar(method="bounded")`.
    ///
    /// # Errors
    /// If an end is not one float, or the value of `f` is not one of the same type.
    #[track_caller]
    pub fn brent<A, B>(&self, f: impl Fn(Var) -> Var, a: A, b: B) -> Minimum<Var>
    where
        A: IntoTree<Tree = Var>,
        B: IntoTree<Tree = Var>,
    {
        self.minimum(Location::caller(), &f, a.into_tree(), b.into_tree(), true)
    }

    /// Minimises by the golden section alone (Kiefer 1953): `scipy.optimize.golden` in an interval.
    ///
    /// # Errors
    /// If an end is not one float, or the value of `f` is not one of the same type.
    #[track_caller]
    pub fn golden<A, B>(&self, f: impl Fn(Var) -> Var, a: A, b: B) -> Minimum<Var>
    where
        A: IntoTree<Tree = Var>,
        B: IntoTree<Tree = Var>,
    {
        self.minimum(Location::caller(), &f, a.into_tree(), b.into_tree(), false)
    }

    fn minimum(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> Var,
        a: Var,
        b: Var,
        parabolas: bool,
    ) -> Minimum<Var> {
        asked_at(place, || {
            not_negative("minimize", &[("xtol", self.xtol), ("rtol", self.rtol)]);
            not_negative("minimize", &[("max_steps", self.max_steps as f64)]);
            let (a, b) = ends("minimize", a, b);
            let f = |x: Var| {
                asked_at(place, || {
                    scalar("minimize", "the value of the function", a.dtype(), || f(x))
                })
            };
            let (x, end) = custom_root_aux(
                |x: Var| grad(f)(x),
                a,
                |_, a| {
                    let end = asked_at(place, || self.search(place, &f, a, b, parabolas));
                    (end.places[0], end)
                },
                |h, b| b / h(ones_like(b)),
            );
            Minimum {
                x,
                value: f(x),
                gradient: number(f64::NAN, a.dtype()),
                iterations: end.steps,
                evaluations: end.steps + 1,
                status: end.status,
            }
        })
    }

    fn search(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> Var,
        a: Var,
        b: Var,
        parabolas: bool,
    ) -> State {
        let (low, high) = (a.minimum(b), a.maximum(b));
        let x = low + GOLDEN * (high - low);
        let value = f(x);
        let zero = number(0.0, a.dtype());
        let valid = value.is_finite() & low.is_finite() & high.is_finite();
        let start = State {
            low,
            high,
            places: [x; 3],
            values: [value; 3],
            step: zero,
            before: zero,
            status: valid.select(RUNNING, Status::StartNotFinite.code()),
            steps: Var::from(0i64),
        };
        let goes_on = |s: State| s.status.eq(RUNNING) & s.steps.lt(self.max_steps);
        let end = while_loop(start, goes_on, |s: State| {
            asked_at(place, || self.turn(f, s, parabolas))
        });
        State {
            status: end.status.eq(RUNNING).select(0, end.status),
            ..end
        }
    }

    fn turn(&self, f: &dyn Fn(Var) -> Var, s: State, parabolas: bool) -> State {
        let State { low, high, .. } = s;
        let ([x, w, v], [fx, fw, fv]) = (s.places, s.values);
        let rtol = self.rtol.max(eps(x.dtype()).sqrt());
        let tolerance = self.xtol + rtol * x.abs();
        let middle = low + 0.5 * (high - low);

        // The golden section of the longer part, or the minimum of a parabola.
        let part = x.lt(middle).select(high - x, low - x);
        let golden = (GOLDEN * part, part);
        let (step, before) = if parabolas {
            let r = (x - w) * (fx - fv);
            let q = (x - v) * (fx - fw);
            let p = (x - v) * q - (x - w) * r;
            let q = 2.0 * (q - r);
            let way = -p / q;
            let there = x + way;
            let good = s.before.abs().gt(tolerance)
                & way.is_finite()
                & way.abs().lt(0.5 * s.before.abs())
                & there.gt(low)
                & there.lt(high);
            let near = (there - low).lt(2.0 * tolerance) | (high - there).lt(2.0 * tolerance);
            let way = near.select(tolerance.copysign(middle - x), way);
            (good.select(way, golden.0), good.select(s.step, golden.1))
        } else {
            golden
        };
        let far = step.abs().ge(tolerance);
        let u = x + far.select(step, tolerance.copysign(step));
        let fu = f(u);
        // A value that is not finite is a wall.
        let fu = fu.is_nan().select(f64::INFINITY, fu);

        let better = fu.le(fx);
        let above = u.ge(x);
        let inner = better.select(x, u);
        // The inner place becomes the end on its side of the better one.
        let becomes_low = better.eq(above);
        let low = becomes_low.select(inner, low);
        let high = becomes_low.select(high, inner);
        let second = !better & (fu.le(fw) | w.eq(x));
        let third = !better & !second & (fu.le(fv) | v.eq(x) | v.eq(w));
        let order = |x: Var, w: Var, v: Var, u: Var| {
            [
                better.select(u, x),
                better.select(x, second.select(u, w)),
                (better | second).select(w, third.select(u, v)),
            ]
        };
        let places = order(x, w, v, u);
        let best = places[0];
        let tolerance = self.xtol + rtol * best.abs();
        let middle = low + 0.5 * (high - low);
        let done = (best - middle)
            .abs()
            .le(2.0 * tolerance - 0.5 * (high - low));
        State {
            low,
            high,
            places,
            values: order(fx, fw, fv, fu),
            step,
            before,
            status: done.select(Status::IntervalConverged.code(), RUNNING),
            steps: s.steps + 1,
        }
    }
}

/// Minimises a function of a number between `a` and `b` by Brent's method: [`InInterval::brent`].
///
/// # Errors
/// If an end is not one float, or the value of `f` is not one of the same type.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize;
///
/// // The angle of the farthest throw from a height h.
/// let angle = |h: Var| {
///     let reach = move |t: Var| t.cos() * (t.sin() + (t.sin().square() + 2.0 * h).sqrt());
///     minimize::brent(move |t| -reach(t), 0.0, 1.5).x
/// };
/// let t = jit(vmap(angle)).call([0.0, 1.0])?;
/// assert!((t.get::<f64>([0])? - std::f64::consts::FRAC_PI_4).abs() < 1e-7);
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn brent<A, B>(f: impl Fn(Var) -> Var, a: A, b: B) -> Minimum<Var>
where
    A: IntoTree<Tree = Var>,
    B: IntoTree<Tree = Var>,
{
    InInterval::new().brent(f, a, b)
}

/// Minimises a function of a number between `a` and `b` by the golden section: [`InInterval::golden`].
///
/// # Errors
/// If an end is not one float, or the value of `f` is not one of the same type.
#[track_caller]
pub fn golden<A, B>(f: impl Fn(Var) -> Var, a: A, b: B) -> Minimum<Var>
where
    A: IntoTree<Tree = Var>,
    B: IntoTree<Tree = Var>,
{
    InInterval::new().golden(f, a, b)
}
