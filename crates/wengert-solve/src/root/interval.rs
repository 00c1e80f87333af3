//! Roots of functions of a number, in an interval.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::asked_at;
use wengert::{IntoTree, custom_root_aux};

use super::methods::{self, Place, Proposal};
use crate::Status;
use crate::shared::{RUNNING, choose, ends, eps, not_negative, number, scalar};
use crate::status::outcome;

/// A root: the unknowns, what is left there, and how it was found.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Root<P, T = Var> {
    /// The unknowns. Their derivative is by the implicit function theorem: `J dx = -df`.
    pub x: P,
    /// The largest element of the function there, in size; it has no derivative.
    pub residual: T,
    /// The number of steps.
    pub iterations: T,
    /// The number of evaluations of the function.
    pub evaluations: T,
    /// What ended the solver: a code of [`Status`].
    pub status: T,
}

outcome!("root", Root<P>);

/// An interval in which a function changes its sign.
#[derive(Tree, Clone, Copy, Debug)]
pub struct Bracket<T = Var> {
    /// One end.
    pub a: T,
    /// The other end.
    pub b: T,
    /// The number of evaluations.
    pub evaluations: T,
    /// [`Status::IntervalConverged`] if it is one, and else [`Status::NoBracket`] or [`Status::NotFinite`].
    pub status: T,
}

outcome!("root::expand", Bracket);

/// How the next place in an interval is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The middle.
    Bisection,
    /// Brent's method of 1973: inverse quadratic interpolation or a secant, if it is fast enough.
    Brent,
    /// Chandrupatla's method of 1997: inverse quadratic interpolation where it can be trusted, and else the middle.
    Chandrupatla,
    /// Interpolate, truncate and project, by Oliveira and Takahashi (2021): never more evaluations than the middle takes
    /// plus one.
    Itp,
    /// Newton's method, and the middle where a step would leave the interval or is too slow.
    Newton,
    /// Halley's method, with the second derivative, and the middle where a step would leave the interval or is too slow.
    Halley,
}

/// The root of a function of a number that changes its sign in an interval.
///
/// It ends when the interval is shorter than `2 (xtol + rtol |x|)`, or when the function is zero. Each element of
/// a batch takes its own steps. A pole at which the sign
/// changes looks like a root; the result's `residual` tells.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root::{InInterval, Rule};
///
/// let f = jit(|a: Var| InInterval::new(Rule::Itp).xtol(1e-10).solve(|x: Var| x.exp() - a, 0.0, 2.0));
/// let r = f.call(3.0)?.ok()?;
/// assert!((r.x.item::<f64>()? - 3f64.ln()).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InInterval {
    /// How the next place is chosen.
    pub rule: Rule,
    /// The tolerance of the root.
    pub xtol: f64,
    /// The tolerance of the root, relative to its size.
    pub rtol: f64,
    /// The limit of steps.
    pub max_steps: i64,
}

impl InInterval {
    /// A method with tolerances of 1e-14 and four units in the last place, and 200 steps.
    pub fn new(rule: Rule) -> InInterval {
        InInterval {
            rule,
            xtol: 1e-14,
            rtol: 4.0 * f64::EPSILON,
            max_steps: 200,
        }
    }

    /// Sets the tolerance of the root.
    pub fn xtol(mut self, xtol: f64) -> InInterval {
        self.xtol = xtol;
        self
    }

    /// Sets the tolerance relative to the root's size.
    pub fn rtol(mut self, rtol: f64) -> InInterval {
        self.rtol = rtol;
        self
    }

    /// Sets the limit of steps.
    pub fn max_steps(mut self, max_steps: i64) -> InInterval {
        self.max_steps = max_steps;
        self
    }

    /// Finds a root between `a` and `b`.
    ///
    /// # Errors
    /// If an end is not one float, or the value of `f` is not one of the same type.
    #[track_caller]
    pub fn solve<A, B>(&self, f: impl Fn(Var) -> Var, a: A, b: B) -> Root<Var>
    where
        A: IntoTree<Tree = Var>,
        B: IntoTree<Tree = Var>,
    {
        let place = Location::caller();
        asked_at(place, || {
            not_negative("root", &[("xtol", self.xtol), ("rtol", self.rtol)]);
            not_negative("root", &[("max_steps", self.max_steps as f64)]);
            let (a, b) = ends("root", a.into_tree(), b.into_tree());
            let f = |x: Var| {
                asked_at(place, || {
                    scalar("root", "the value of the function", a.dtype(), || f(x))
                })
            };
            let (x, (residual, iterations, evaluations, status)) = custom_root_aux(
                f,
                a,
                |f, a| asked_at(place, || self.found(place, f, a, b)),
                |slope, b| b / slope(ones_like(b)),
            );
            Root {
                x,
                residual,
                iterations,
                evaluations,
                status,
            }
        })
    }

    fn found(
        &self,
        place: &'static Location<'static>,
        f: &dyn Fn(Var) -> Var,
        a: Var,
        b: Var,
    ) -> (Var, (Var, Var, Var, Var)) {
        let dtype = a.dtype();
        let rtol = self.rtol.max(2.0 * eps(dtype));
        let look = |x: Var| methods::look(self.rule, f, x);
        let (at_a, at_b) = (look(a), look(b));
        let (fa, fb) = (at_a.value, at_b.value);
        let finite = fa.is_finite() & fb.is_finite() & a.is_finite() & b.is_finite();
        let zero = fa.eq(0.0) | fb.eq(0.0);
        let apart = (fa.lt(0.0) & fb.gt(0.0)) | (fa.gt(0.0) & fb.lt(0.0));
        let status = select(
            &[
                (!finite, Status::StartNotFinite.code().into()),
                (zero, Status::ResidualConverged.code().into()),
                (!apart, Status::NoBracket.code().into()),
            ],
            RUNNING,
        );
        let tolerance = |x: Var| self.xtol + rtol * x.abs();
        let state = Proposal::start(self.rule, at_a, at_b, tolerance);
        let start = (state, status, Var::from(0i64));
        let (end, status, steps) = while_loop(
            start,
            |(_, status, steps): (Proposal, Var, Var)| {
                status.eq(RUNNING) & steps.lt(self.max_steps)
            },
            |(p, _, steps): (Proposal, Var, Var)| {
                asked_at(place, || {
                    let x = p.next(self.rule, tolerance(p.best().x), steps);
                    let seen = look(x);
                    let p = p.take(self.rule, seen);
                    let best = p.best();
                    let short = p.width().le(2.0 * tolerance(best.x));
                    let status = select(
                        &[
                            (!seen.value.is_finite(), Status::NotFinite.code().into()),
                            (seen.value.eq(0.0), Status::ResidualConverged.code().into()),
                            (short, Status::IntervalConverged.code().into()),
                        ],
                        RUNNING,
                    );
                    (p, status, steps + 1)
                })
            },
        );
        let best = end.best();
        let status = status.eq(RUNNING).select(0, status);
        (best.x, (best.value.abs(), steps, steps + 2, status))
    }
}

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident = $rule:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If an end is not one float, or the value of `f` is not one of the same type.
        #[track_caller]
        pub fn $name<A, B>(f: impl Fn(Var) -> Var, a: A, b: B) -> Root<Var>
        where
            A: IntoTree<Tree = Var>,
            B: IntoTree<Tree = Var>,
        {
            InInterval::new(Rule::$rule).solve(f, a, b)
        }
    )*};
}

named! {
    /// Finds a root between `a` and `b` by bisection: `scipy.optimize.bisect`.
    bisect = Bisection;
    /// Finds a root between `a` and `b` by Brent's method, *Algorithms for Minimization without Derivatives*, chapter 4
    /// (1973): `scipy.optimize.brentq`.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::root;
    ///
    /// // Kepler's equation for a million planets would be this, too.
    /// let anomaly = |(m, e): (Var, Var)| root::brent(|x| x - e * x.sin() - m, m - e, m + e);
    /// let r = jit(vmap(anomaly)).call(([1.0, 2.0], [0.5, 0.9]))?.ok()?;
    /// let x = r.x.get::<f64>([1])?;
    /// assert!((x - 0.9 * x.sin() - 2.0).abs() < 1e-14);
    ///
    /// // dx/dm = 1 / (1 - e cos x).
    /// let slope = jit(grad(move |m: Var| anomaly((m, 0.9.into())).x)).call(2.0)?.item::<f64>()?;
    /// assert!((slope - 1.0 / (1.0 - 0.9 * x.cos())).abs() < 1e-12);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    brent = Brent;
    /// Finds a root between `a` and `b` by Chandrupatla's method, *A new hybrid quadratic/bisection algorithm for finding
    /// the zero of a nonlinear function without using derivatives* (1997): `scipy.optimize.elementwise.find_root`.
    chandrupatla = Chandrupatla;
    /// Finds a root between `a` and `b` by the method ITP of Oliveira and Takahashi, *An enhancement of the bisection
    /// method average performance preserving minmax optimality* (2021).
    itp = Itp;
    /// Finds a root between `a` and `b` by Newton's method, kept in the interval.
    newton_in = Newton;
    /// Finds a root between `a` and `b` by Halley's method, kept in the interval: `scipy.optimize.root_scalar` with
    /// `fprime2`, safeguarded.
    halley_in = Halley;
}

/// Widens an interval from `a` to `b` until `f` changes its sign in it, by steps that double, beyond the end with the
/// smaller value: `scipy.optimize.elementwise.bracket_root`. It has no derivative; after 60 steps it is no
/// [`Bracket`] ([`Status::NoBracket`]).
///
/// # Errors
/// If an end is not one float, or the value of `f` is not one of the same type.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::root;
///
/// let log = |a: Var| {
///     let f = move |x: Var| x.exp() - a;
///     let near = root::expand(f, 0.0, 0.1);
///     root::chandrupatla(f, near.a, near.b)
/// };
/// let r = jit(vmap(log)).call([0.01, 1.0, 1e6])?.ok()?;
/// assert!(r.x.all_close(&Array::from([0.01f64.ln(), 0.0, 1e6f64.ln()]), 1e-14, 1e-14));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn expand<A, B>(f: impl Fn(Var) -> Var, a: A, b: B) -> Bracket
where
    A: IntoTree<Tree = Var>,
    B: IntoTree<Tree = Var>,
{
    let place = Location::caller();
    asked_at(place, || {
        let op = "root::expand";
        let (a, b) = ends(op, a.into_tree(), b.into_tree());
        let (a, b) = (a.stop_gradient(), b.stop_gradient());
        let f = |x: Var| {
            let y = asked_at(place, || {
                scalar(op, "the value of the function", a.dtype(), || f(x))
            });
            y.stop_gradient()
        };
        let point = |x: Var| Place::new(x, f(x));
        let apart = |p: Place, q: Place| p.value.sign().ne(q.value.sign());
        let start = (point(a), point(b), Var::from(2i64));
        let goes_on = |(p, q, n): (Place, Place, Var)| {
            let finite = p.value.is_finite() & q.value.is_finite();
            !apart(p, q) & finite & n.lt(62)
        };
        let (p, q, evaluations) = while_loop(start, goes_on, |(p, q, n): (Place, Place, Var)| {
            asked_at(place, || {
                // Beyond the end where the function is nearer to zero; its other end is the new inner one.
                let beyond_p = p.value.abs().lt(q.value.abs());
                let (near, other) = (choose(beyond_p, p, q), choose(beyond_p, q, p));
                let step = (near.x - other.x) * 2.0;
                let step = step.eq(0.0).select(number(1e-3, a.dtype()), step);
                let far = point(near.x + step);
                (near, far, n + 1)
            })
        });
        let finite = p.value.is_finite() & q.value.is_finite();
        let status = select(
            &[
                (!finite, Status::NotFinite.code().into()),
                (apart(p, q), Status::IntervalConverged.code().into()),
            ],
            Status::NoBracket.code(),
        );
        Bracket {
            a: p.x,
            b: q.x,
            evaluations,
            status,
        }
    })
}
