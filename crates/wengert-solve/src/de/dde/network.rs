//! Networks with a delay for each pair of nodes.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, inside, refuse, same_trees};

use crate::shared::{ends, vector};
use crate::status::outcome;
use crate::{State, Status};

/// What [`Network`] returns.
#[derive(Tree, Clone, Debug)]
pub struct NetworkPath<Y, R, T = Var> {
    /// The end of the span.
    pub t: T,
    /// The state there.
    pub y: Y,
    /// What was recorded, stacked.
    pub rows: R,
    /// The number of steps, `i64`.
    pub steps: T,
    /// What ended it: a code of [`Status`]; [`Status::Infeasible`] says that a delay was negative or above the longest.
    pub status: T,
}

outcome!("network", NetworkPath<Y, R>);

/// Nodes that act on each other after delays, in steps of one length, with or without noise.
///
/// A node sends a number, or several: `sent(y)` is a vector with one for each node, or a tree of such vectors. The right-hand
/// side is `f(t, y, past)`, where `past[i, j]` is what node `j` sent `delays[i, j]` steps before `t`: a matrix, or the tree of
/// them. What it makes of that is free: a linear coupling is
/// `(w * past).sum_axis(1)`, and Kuramoto's `(w * (past - y.expand_dims(1)).sin()).sum_axis(1)`. What was sent is kept in a ring of
/// as many rows as the longest delay has steps, and each evaluation reads it by one gather.
///
/// Steps are Euler's, or Heun's ([`Network::heun`], the default), of order 2 without noise; with noise they are
/// Euler-Maruyama's, for Itô's sense, and Heun's, for Stratonovich's. For noise that does not depend on the state, the
/// senses are one. There is an independent noise for each number of the state.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::Network;
///
/// // Two oscillators that pull at each other's phase of 10 steps ago.
/// let f = jit(|w: Var| {
///     let delays = Var::from([[0i64, 10], [10, 0]]);
///     let rate = move |_t: Var, phase: Var, past: Var| {
///         1.0 + w * (past - phase.expand_dims(1)).sin().sum_axis(1)
///     };
///     let network = Network::new(delays, 10).record(500, |_t: Var, y: Var| (y.at(0) - y.at(1)).cos());
///     network.solve(rate, |y: Var| y, Var::from([0.0, 2.0]), 0.0, 50.0, 5000)
/// });
/// let path = f.call(0.5)?.ok()?;
/// assert_eq!(path.rows.shape(), [10]);
/// assert!(path.rows.to_vec::<f64>()?[9] > 0.999);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Derivatives
/// Through the steps, in all that closures capture, as weights, and in the start; not in the delays, which are whole
/// numbers.
#[derive(Clone, Copy, Debug)]
pub struct Network<R = ()> {
    delays: Var,
    longest: usize,
    euler: bool,
    every: usize,
    record: R,
}

/// What a network records: nothing, `()`, or a closure.
pub trait Record<Y: State> {
    /// The row.
    type Row: State;

    /// The row at a time.
    #[doc(hidden)]
    fn row(&self, t: Var, y: Y) -> Self::Row;
}

impl<Y: State> Record<Y> for () {
    type Row = ();

    fn row(&self, _: Var, _: Y) {}
}

/// A closure that records a row.
#[derive(Clone, Copy, Debug)]
pub struct Rows<F>(F);

impl<Y: State, A: IntoTree, F: Fn(Var, Y) -> A> Record<Y> for Rows<F>
where
    A::Tree: State,
{
    type Row = A::Tree;

    fn row(&self, t: Var, y: Y) -> A::Tree {
        inside(|| (self.0)(t, y).into_tree())
    }
}

/// A diffusion, and the key of its path.
type Noise<'a, Y> = (&'a dyn Fn(Var, Y) -> Y, Key);

impl Network {
    /// A network with delays, whole numbers of steps `[n, n]` from 0 to `longest`.
    pub fn new(delays: impl Into<Var>, longest: usize) -> Network {
        Network {
            delays: delays.into(),
            longest,
            euler: false,
            every: 0,
            record: (),
        }
    }
}

impl<R> Network<R> {
    /// Takes Euler's steps, or Euler-Maruyama's.
    pub fn euler(self) -> Self {
        Network {
            euler: true,
            ..self
        }
    }

    /// Takes Heun's steps.
    pub fn heun(self) -> Self {
        Network {
            euler: false,
            ..self
        }
    }

    /// Records a row `f(t, y)`, a tree, after each `every` steps; what is left over of the steps comes first.
    pub fn record<F>(self, every: usize, f: F) -> Network<Rows<F>> {
        Network {
            delays: self.delays,
            longest: self.longest,
            euler: self.euler,
            every,
            record: Rows(f),
        }
    }

    /// Solves `y' = f(t, y, past)` from `y0`, which is the state at all times up to `t0`, to `t1`, in a number of steps.
    ///
    /// # Errors
    /// If the rate is not a tree like the state, what is sent are not vectors of the state's type with a number for each
    /// node, the delays are not whole numbers `[n, n]`, or there are no steps.
    #[track_caller]
    pub fn solve<I, A, F, S, P>(
        &self,
        f: F,
        sent: S,
        y0: I,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        steps: usize,
    ) -> NetworkPath<I::Tree, R::Row>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        P: IntoTree,
        P::Tree: State,
        F: Fn(Var, I::Tree, P::Tree) -> A,
        S: Fn(I::Tree) -> P,
        R: Record<I::Tree>,
    {
        let place = Location::caller();
        let span = (t0.into(), t1.into());
        asked_at(place, || {
            let rate = |t: Var, y: I::Tree, past: P::Tree| f(t, y, past).into_tree();
            self.run(
                place,
                &rate,
                &|y| sent(y).into_tree(),
                None,
                y0.into_tree(),
                span,
                steps,
            )
        })
    }

    /// Solves `dy = f(t, y, past) dt + g(t, y) dW` along the path of a key, where `g` is a tree like the state.
    ///
    /// # Errors
    /// As [`Network::solve`], and if the diffusion is not a tree like the state.
    #[track_caller]
    #[expect(
        clippy::too_many_arguments,
        reason = "an equation, a start, a span and its noise"
    )]
    pub fn solve_noisy<I, A, B, F, G, S, P>(
        &self,
        f: F,
        g: G,
        sent: S,
        y0: I,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        steps: usize,
        key: Key,
    ) -> NetworkPath<I::Tree, R::Row>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        B: IntoTree<Tree = I::Tree>,
        P: IntoTree,
        P::Tree: State,
        F: Fn(Var, I::Tree, P::Tree) -> A,
        G: Fn(Var, I::Tree) -> B,
        S: Fn(I::Tree) -> P,
        R: Record<I::Tree>,
    {
        let place = Location::caller();
        let span = (t0.into(), t1.into());
        asked_at(place, || {
            let rate = |t: Var, y: I::Tree, past: P::Tree| f(t, y, past).into_tree();
            let noise = |t: Var, y: I::Tree| g(t, y).into_tree();
            let noise = Some((&noise as &dyn Fn(Var, I::Tree) -> I::Tree, key));
            self.run(
                place,
                &rate,
                &|y| sent(y).into_tree(),
                noise,
                y0.into_tree(),
                span,
                steps,
            )
        })
    }

    #[track_caller]
    #[expect(clippy::too_many_arguments, reason = "the parts of a problem")]
    fn run<Y: State, P: State>(
        &self,
        place: &'static Location<'static>,
        rate: &dyn Fn(Var, Y, P) -> Y,
        sent: &dyn Fn(Y) -> P,
        noise: Option<Noise<'_, Y>>,
        y0: Y,
        (t0, t1): (Var, Var),
        steps: usize,
    ) -> NetworkPath<Y, R::Row>
    where
        R: Record<Y>,
    {
        let (x, back) = vector(OP, y0);
        let (y0, dtype, m) = (back(x), x.dtype(), x.shape()[0]);
        let (t0, t1) = ends(OP, t0, t1);
        let time = |t: Var| {
            if !(t.dtype() == dtype || t.as_literal().is_some()) {
                refuse(
                    OP,
                    format!("the times are {}, and the state is of {dtype}", t.ty()),
                );
            }
            t.to(dtype)
        };
        let (t0, t1) = (time(t0), time(t1));
        let sends = |y: &Y| {
            let all = inside(|| sent(y.clone()));
            let bad = |s: &Var| s.rank() != 1 || s.dtype() != dtype;
            if let Some(s) = tree::leaves(&all).iter().find(|s| bad(s)) {
                let message = format!(
                    "what is sent is {}, and must be a vector of {dtype}",
                    s.ty()
                );
                refuse(OP, message);
            }
            all
        };
        let first = sends(&y0);
        let lengths: Vec<usize> = tree::leaves(&first).iter().map(|s| s.shape()[0]).collect();
        let n = match lengths.first() {
            Some(&n) if lengths.iter().all(|m| *m == n) => n,
            _ => refuse(
                OP,
                format!("what is sent are vectors of one length, not of {lengths:?}"),
            ),
        };
        let ty = self.delays.ty();
        if !ty.dtype.is_int() || ty.dims() != [n, n] {
            let message = format!("the delays are {ty}, and must be whole numbers [{n},{n}]");
            refuse(OP, message);
        }
        if steps == 0 {
            refuse(OP, "no step leads to the end");
        }
        let every = match self.every {
            0 => steps,
            k => k.min(steps),
        };
        // The ring has its rows twice, so that no place has to be wrapped around.
        let rows = self.longest + 1;
        let delays = self.delays.to(DType::I64);
        let fits = (delays.ge(0) & delays.le(self.longest as i64)).all();
        let offsets = arange(n) - delays.clamp(0, self.longest as i64) * n as i64;
        let ring = tree::map(first, |s| s.broadcast_to([2 * rows, n]));
        let keep = |ring: P, place: Var, s: P| {
            let set = |ring: Var, s: Var| ring.at_set(place, s).at_set(place + rows as i64, s);
            tree::map2(ring, s, set)
        };
        let read = |ring: &P, place: Var| {
            let places = offsets + (place + rows as i64) * n as i64;
            tree::map(ring.clone(), |ring| {
                ring.reshape([2 * rows * n]).take(places, 0)
            })
        };

        let (noise, key) = match noise {
            Some((g, key)) => (Some(g), Some(key)),
            None => (None, None),
        };
        let h = (t1 - t0) / steps as f64;
        let root = h.sqrt();
        let like = |what: &str, y: &Y, k: Y| {
            same_trees(OP, ["the state", what], y, &k);
            k
        };
        let step = |(y, ring): (Y, P), i: Var, z: Option<Var>| {
            let t = t0 + i.to(dtype) * h;
            let place = i.rem(rows as i64);
            let ring = keep(ring, place, sends(&y));
            let f =
                |t: Var, y: &Y, past: P| like("its rate", y, inside(|| rate(t, y.clone(), past)));
            let g = |t: Var, y: &Y| {
                let g = noise.expect("there is noise");
                like("the diffusion", y, inside(|| g(t, y.clone())))
            };
            let dw = z.map(|z| back(root * z));
            let add = |a: Y, b: Y| tree::map2(a, b, |a, b| a + b);
            let times = |a: Y, b: Y| tree::map2(a, b, |a, b| a * b);
            let euler = |k: Y, g: Option<Y>| {
                let next = tree::map2(y.clone(), k, |y, k| y + h * k);
                match (g, &dw) {
                    (Some(g), Some(dw)) => add(next, times(g, dw.clone())),
                    _ => next,
                }
            };
            let k = f(t, &y, read(&ring, place));
            let g1 = dw.as_ref().map(|_| g(t, &y));
            let ahead = euler(k.clone(), g1.clone());
            if self.euler {
                return (ahead, ring);
            }
            let place = (i + 1).rem(rows as i64);
            let ring = keep(ring, place, sends(&ahead));
            let k2 = f(t + h, &ahead, read(&ring, place));
            let g2 = dw.as_ref().map(|_| g(t + h, &ahead));
            let mean = |a: Y, b: Y| tree::map2(a, b, |a, b| 0.5 * (a + b));
            (
                euler(mean(k, k2), g1.zip(g2).map(|(a, b)| mean(a, b))),
                ring,
            )
        };

        // What is left over of the steps, then rows of them.
        let (left, count) = (steps % every, steps / every);
        let [first_key, key] = match key {
            Some(key) => key.split_n().map(Some),
            None => [None, None],
        };
        let numbers = |key: Option<Key>, dims: &[usize]| {
            key.map(|key| key.normal(ShapeDtype::new([dims, &[m]].concat(), dtype)))
        };
        let several = |state: (Y, P), from: Var, n: usize, z: Option<Var>| {
            let one = |state: (Y, P), (z, i): (Option<Var>, Var)| {
                asked_at(place, || (step(state, from + i, z), ()))
            };
            scan(state, (z, 0..n), one).0
        };
        let start = (y0.clone(), ring);
        let start = match left {
            0 => start,
            n => several(start, Var::scalar(0i64), n, numbers(first_key, &[n])),
        };
        let z = numbers(key, &[count, every]);
        let ((y, _), rows) = scan(start, (z, 0..count), |state, (z, i): (Option<Var>, Var)| {
            asked_at(place, || {
                let from = i * every as i64 + left as i64;
                let state = several(state, from, every, z);
                let t = t0 + (from + every as i64).to(dtype) * h;
                let row = self.record.row(t, state.0.clone());
                (state, row)
            })
        });
        let finite = |y: &Y| {
            let all = tree::leaves(y).into_iter().map(|v| v.is_finite().all());
            all.fold(Var::from(true), |a, b| a & b)
        };
        let code = |s: Status| Var::scalar(s.code());
        let done = finite(&y).select(code(Status::Finished), code(Status::NotFinite));
        let done = finite(&y0).select(done, code(Status::StartNotFinite));
        NetworkPath {
            t: t1,
            status: fits.select(done, code(Status::Infeasible)),
            y,
            rows,
            steps: Var::scalar(steps as i64),
        }
    }
}

const OP: &str = "network";
