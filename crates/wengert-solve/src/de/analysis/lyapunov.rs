//! Lyapunov exponents.

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};
use wengert::{IntoTree, Var};

use super::of_vectors;
use crate::de::{Atol, Method, Ode};
use crate::shared::{RUNNING, number, vector};
use crate::status::outcome;
use crate::{State, Status, Watch};

/// The Lyapunov exponents of an orbit.
#[derive(Tree, Clone, Debug)]
pub struct Exponents<Y, T = Var> {
    /// The exponents, the largest first as far as the orbit is long enough to part them: per unit of time of a flow, per
    /// iteration of a map.
    pub exponents: T,
    /// The dimension of Kaplan and Yorke: how many of the largest exponents have a sum that is not negative, and the part of the next
    /// one that makes it zero. If the sum of all that were computed is positive, their number.
    pub dimension: T,
    /// The state at the end.
    pub y: Y,
    /// What ended it: a code of [`Status`].
    pub status: T,
}

outcome!("lyapunov", Exponents<Y>);

/// The Lyapunov exponents of maps and flows: the mean growth of small distances along an orbit.
///
/// Tangents are carried along the orbit, and made orthonormal after each interval by a QR decomposition; the exponents are the mean
/// logarithms of the triangles' diagonals (Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15, 1980; Shimada, Nagashima, Prog.
/// Theor. Phys. 61, 1979). Statistical errors fall with the square root of the length, or faster where the orbit is regular.
///
/// Values are those of the numbers computed, and so are derivatives: along a chaotic orbit these grow as the exponents say.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::Lyapunov;
///
/// // Hénon's map: 0.419 and -1.623, whose sum is ln 0.3 at any point.
/// let exponents = |a: Var| {
///     let map = move |[x, y]: [Var; 2]| [1.0 - a * x * x + y, 0.3 * x];
///     Lyapunov::new(20_000).transient(100).map(map, [0.1, 0.1])
/// };
/// let e = jit(exponents).call(1.4)?.ok()?;
/// let [largest, smallest] = [e.exponents.get::<f64>(0)?, e.exponents.get::<f64>(1)?];
/// assert!((largest - 0.419).abs() < 0.01);
/// assert!((largest + smallest - 0.3f64.ln()).abs() < 1e-9);
/// assert!((e.dimension.item::<f64>()? - 1.258).abs() < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lyapunov {
    /// The number of intervals that count.
    pub intervals: usize,
    /// The number of intervals before, which do not.
    pub transient: usize,
    /// The number of exponents; `None` is all.
    pub exponents: Option<usize>,
}

impl Lyapunov {
    /// All exponents, over so many intervals, or iterations of a map.
    pub fn new(intervals: usize) -> Lyapunov {
        Lyapunov {
            intervals,
            transient: 0,
            exponents: None,
        }
    }

    /// Sets how many intervals come before those that count.
    pub fn transient(mut self, intervals: usize) -> Lyapunov {
        self.transient = intervals;
        self
    }

    /// Sets how many exponents are computed: the largest ones.
    pub fn exponents(mut self, n: usize) -> Lyapunov {
        self.exponents = Some(n);
        self
    }

    /// The exponents of a map, from a start.
    ///
    /// # Errors
    /// If the start has leaves that are no floats, or of two types; if the value of `f` differs from it in structure, shapes or
    /// dtypes; if more exponents are asked for than there are numbers, or none; if there are no intervals.
    #[track_caller]
    pub fn map<I, A>(&self, f: impl Fn(I::Tree) -> A, start: I) -> Exponents<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let (x0, tree) = vector("lyapunov", start.into_tree());
            let f = |_: Var, y: I::Tree| f(y).into_tree();
            let f = of_vectors("lyapunov", place, f, tree.clone());
            let step = |_: Var, x: Var, q: Var| {
                let (next, df) = linearize(|x: Var| f(Var::from(0i64), x), x);
                (next, vmap(df)(q), Var::from(Status::Finished.code()))
            };
            self.follow(place, x0, number(1.0, x0.dtype()), step, tree)
        })
    }

    /// The exponents of a flow `y' = f(t, y)`, from a start at `t = 0`: over intervals of a length, which should be short enough that
    /// tangents do not become parallel in one, say of a few units of the largest exponent's inverse. The orbit and its tangents are
    /// integrated together, and `ode`'s tolerances hold for both; `atol` must be one number.
    ///
    /// # Errors
    /// As those of [`map`](Lyapunov::map), and of [`Ode::solve`].
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::{Lyapunov, Ode, Tsit5};
    ///
    /// // The damped oscillator x'' + x' + x = 0 forgets at the rate 1/2 in both directions.
    /// let f = |_: Var, [x, v]: [Var; 2]| [v, -x - v];
    /// let exponents = move |x: Var| {
    ///     Lyapunov::new(400).flow(&Ode::new(Tsit5), f, [x, 0.0.into()], 1.0)
    /// };
    /// let e = jit(exponents).call(1.0)?.ok()?.exponents.to_vec::<f64>()?;
    /// assert!((e[0] + 0.5).abs() < 2e-3 && (e[1] + 0.5).abs() < 2e-3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn flow<I, A, M: Method, W: Watch>(
        &self,
        ode: &Ode<M, W>,
        f: impl Fn(Var, I::Tree) -> A,
        start: I,
        interval: impl IntoTree<Tree = Var>,
    ) -> Exponents<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
    {
        let place = Location::caller();
        asked_at(place, || {
            let (x0, tree) = vector("lyapunov", start.into_tree());
            let interval = interval.into_tree();
            if interval.ty().rank() != 0 {
                let ty = interval.ty();
                let message = format!("the interval is {ty}, and must be a number");
                refuse("lyapunov", message);
            }
            let interval = interval.to(x0.dtype());
            if let Atol::Each(_) | Atol::Traced(_) = ode.atol {
                refuse(
                    "lyapunov",
                    "`atol` must be one number, for the state and its tangents",
                );
            }
            let f = |t: Var, y: I::Tree| f(t, y).into_tree();
            let f = of_vectors("lyapunov", place, f, tree.clone());
            let both = |t: Var, (x, q): (Var, Var)| {
                asked_at(place, || {
                    let (k, df) = linearize(|x: Var| f(t, x), x);
                    (k, vmap(df)(q))
                })
            };
            let step = |i: Var, x: Var, q: Var| {
                let t0 = i.to(x.dtype()) * interval;
                let t1 = (i + 1).to(x.dtype()) * interval;
                let s = ode.solve(both, (x, q), t0, t1);
                (s.y.0, s.y.1, s.status)
            };
            self.follow(place, x0, interval, step, tree)
        })
    }

    /// Follows an orbit and its tangents, by steps that return both and a status.
    fn follow<Y: State>(
        &self,
        place: &'static Location<'static>,
        x0: Var,
        interval: Var,
        step: impl Fn(Var, Var, Var) -> (Var, Var, Var),
        tree: impl Fn(Var) -> Y,
    ) -> Exponents<Y> {
        let (n, dtype) = (x0.shape()[0], x0.dtype());
        let k = self.exponents.unwrap_or(n);
        if k == 0 || k > n {
            let message = format!("{k} exponents of {n} numbers");
            refuse("lyapunov", message);
        }
        if self.intervals == 0 {
            refuse("lyapunov", "there are no intervals");
        }
        let (all, before) = (self.transient + self.intervals, self.transient as i64);
        let q0 = eye((k, n)).to(dtype);
        let start = (
            x0,
            q0,
            zeros_of(k, dtype),
            Var::from(0i64),
            Var::from(RUNNING),
        );
        let (x, _, sum, _, status) = while_loop(
            start,
            |(_, _, _, _, status)| status.eq(RUNNING),
            |(x, q, sum, i, _): (Var, Var, Var, Var, Var)| {
                asked_at(place, || {
                    let (next, grown, status) = step(i, x, q);
                    let (q, r) = grown.t().qr();
                    let growth = r.diagonal().abs().ln();
                    let sum = sum + i.ge(before).select(growth, zeros_like(growth));
                    let finite = next.is_finite().all() & grown.is_finite().all();
                    let done = (i + 1)
                        .ge(all as i64)
                        .select(Status::Finished.code(), RUNNING);
                    let status = wengert::select(
                        &[
                            (status.le(0), status),
                            (!finite, Var::from(Status::NotFinite.code())),
                        ],
                        done,
                    );
                    (next, q.t(), sum, i + 1, status)
                })
            },
        );
        let exponents = sum / (interval * self.intervals as f64);
        Exponents {
            exponents,
            dimension: dimension(exponents),
            y: tree(x),
            status,
        }
    }
}

/// The dimension of Kaplan and Yorke, by exponents that descend.
fn dimension(exponents: Var) -> Var {
    let k = exponents.shape()[0];
    let sums = exponents.cumsum(0);
    let whole = sums.ge(0.0).to(DType::I64).cumprod(0).sum();
    let count = whole.to(exponents.dtype());
    let before = (whole - 1).maximum(0);
    let rest = sums.at(before) / exponents.at(whole.minimum(k as i64 - 1)).abs();
    let between = whole.gt(0) & whole.lt(k as i64);
    count + between.select(rest, zeros_like(count))
}
