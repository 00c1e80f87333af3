//! Stochastic differential equations: `dy = f(t, y) dt + g(t, y) dW`.
//!
//! [`Sde`] holds the drift `f` and the diffusion `g`, in Itô's or Stratonovich's sense; a [`Scheme`] solves it by
//! fixed steps ([`Scheme::steps`]), or by adaptive ones on a Brownian tree ([`Scheme::adaptive`]). The same key gives
//! the same path.
//!
//! ```
//! use wengert::prelude::*;
//! use wengert_solve::de::sde::{Diagonal, Scheme, Sde};
//!
//! // Ten thousand paths of an Ornstein-Uhlenbeck process.
//! let end = |key: Key| {
//!     let process = Sde::ito(|_t, x: Var| -x, Diagonal(|_t, x: Var| full_like(x, 0.5)));
//!     Scheme::EulerMaruyama.steps(100).solve(&process, 2.0, 0.0, 1.0, key).y
//! };
//! let ends = jit(move |key: Key| vmap(end)(key.split_into(10_000)));
//! let ends = ends.call(Key::from_seed(0))?.to_vec::<f64>()?;
//! let mean = ends.iter().sum::<f64>() / 1e4;
//! assert!((mean - 2.0 * (-1f64).exp()).abs() < 0.02);
//! # Ok::<(), wengert::Error>(())
//! ```
//!
//! # Derivatives
//! Values have derivatives in both modes, in what the closures capture and in the start, along the path of that
//! key: through the steps as they were taken. Fixed steps have them in `t0` and `t1`, too. Adaptive steps do not: the
//! times are constants there.

mod adaptive;
mod brownian;
mod diffusion;
mod fixed;
mod jumps;
mod scheme;

pub use adaptive::AdaptiveSteps;
pub use brownian::{Brownian, Increment};
pub use diffusion::{Diagonal, Diffusion, General, Scalar};
pub use fixed::FixedSteps;
pub use jumps::{JumpPath, JumpSteps, Jumps};
pub use scheme::Scheme;

use std::panic::Location;

use wengert::prelude::*;
use wengert::solver::{inside, refuse, same_trees};
use wengert::{DType, IntoTree};

use crate::shared::{ends, number, vector};
use crate::status::outcome;
use crate::{State, Status};

/// What a solver returns: the solution at the end, or stacked at given times.
#[derive(Tree, Clone, Debug)]
pub struct Path<P, T = Var> {
    /// The time, or the times.
    pub t: T,
    /// The state there; stacked for several times. Where the solver failed before a time, the state is NaN there.
    pub y: P,
    /// The number of steps, `i64`.
    pub steps: T,
    /// The number of steps that were rejected, `i64`.
    pub rejected: T,
    /// What ended it: a code of [`Status`].
    pub status: T,
}

outcome!("sde", Path<P>);

/// In whose sense an equation, or what a scheme converges to, is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Calculus {
    Ito,
    Stratonovich,
}

/// A stochastic differential equation.
///
/// The drift is `f(t, y)`, a tree like the state; the diffusion is [`Diagonal`], [`Scalar`] or [`General`]. The time
/// has the state's element type, which is one for all leaves, and runs forward: an end before the start has NaN and
/// [`Status::NotFinite`].
///
/// Every scheme solves equations in either sense: if its own is the other, the drift is corrected by
/// `½ Σⱼ (∂gⱼ/∂y) gⱼ`, whose derivatives are taken by [`jvp`].
#[derive(Clone, Copy, Debug)]
pub struct Sde<F, G> {
    drift: F,
    diffusion: G,
    calculus: Calculus,
}

impl<F, G> Sde<F, G> {
    /// An equation in Itô's sense: the diffusion is taken at the beginning of each step.
    pub fn ito(drift: F, diffusion: G) -> Sde<F, G> {
        let calculus = Calculus::Ito;
        Sde {
            drift,
            diffusion,
            calculus,
        }
    }

    /// An equation in Stratonovich's sense: the diffusion is taken at the middle; the ordinary chain rule holds.
    pub fn stratonovich(drift: F, diffusion: G) -> Sde<F, G> {
        let calculus = Calculus::Stratonovich;
        Sde {
            drift,
            diffusion,
            calculus,
        }
    }
}

type Place = &'static Location<'static>;

/// An equation beside what its solver knows.
struct Problem<'a, F, G> {
    op: &'static str,
    sde: &'a Sde<F, G>,
    /// The sense in which the scheme wants it.
    wanted: Calculus,
}

impl<F, G> Problem<'_, F, G> {
    /// The drift, in the scheme's sense.
    fn drift<Y, A>(&self, t: Var, y: &Y) -> Y
    where
        Y: State,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y) -> A,
        G: Diffusion<Y>,
    {
        let rate = inside(|| (self.sde.drift)(t, y.clone()).into_tree());
        same_trees(self.op, ["the state", "the drift"], y, &rate);
        let factor = match (self.sde.calculus, self.wanted) {
            (Calculus::Ito, Calculus::Stratonovich) => -0.5,
            (Calculus::Stratonovich, Calculus::Ito) => 0.5,
            _ => return rate,
        };
        let bend = self.sde.diffusion.bend(self.op, t, y);
        tree::map2(rate, bend, |f, b| f + factor * b)
    }

    /// The diffusion times a vector of noise.
    fn noise<Y: State>(&self, t: Var, y: &Y, dw: Var) -> Y
    where
        G: Diffusion<Y>,
    {
        self.sde.diffusion.apply(self.op, t, y, dw)
    }
}

/// The start of a problem: the state, its type, the times, and the number of components of the noise.
struct Start<Y> {
    y: Y,
    t0: Var,
    t1: Var,
    dtype: DType,
    noise: usize,
}

impl<Y: State> Start<Y> {
    #[track_caller]
    fn new<F, G, I>(op: &str, sde: &Sde<F, G>, y0: I, t0: Var, t1: Var) -> Start<Y>
    where
        I: IntoTree<Tree = Y>,
        G: Diffusion<Y>,
    {
        let y0 = y0.into_tree();
        let (x, back) = vector(op, y0);
        let y = back(x);
        let dtype = x.dtype();
        let (t0, t1) = ends(op, t0, t1);
        let time = |t: Var| {
            let fits = t.dtype() == dtype || t.as_literal().is_some();
            if !fits {
                let message = format!("the times are {}, and the state is of {dtype}", t.ty());
                refuse(op, message);
            }
            t.to(dtype)
        };
        let noise = sde.diffusion.components(&y);
        if noise == 0 {
            refuse(op, "the noise has no components");
        }
        Start {
            t0: time(t0),
            t1: time(t1),
            y,
            dtype,
            noise,
        }
    }
}

/// Whether all numbers of a state are finite.
fn finite<Y: State>(y: &Y) -> Var {
    let all = tree::leaves(y).into_iter().map(|v| v.is_finite().all());
    all.reduce(|a, b| a & b).unwrap_or(Var::from(true))
}

/// `y + c k`, leaf by leaf.
fn plus<Y: State>(y: Y, c: impl Into<Var>, k: &Y) -> Y {
    let c: Var = c.into();
    tree::map2(y, k.clone(), |y, k| y + c.to(k.dtype()) * k)
}

/// The code of a reason.
fn code(status: Status) -> Var {
    Var::scalar(status.code())
}

/// The code of an integration that did not stop on its way: finite at the start, and at the end.
fn ended<Y: State>(start: &Y, end: &Y) -> Var {
    let late = finite(end).select(code(Status::Finished), code(Status::NotFinite));
    finite(start).select(late, code(Status::StartNotFinite))
}

/// Times at which a solution is wanted, a vector of the state's type.
#[track_caller]
fn times(op: &str, at: Var, dtype: DType) -> Var {
    let ty = at.ty();
    let known = at.as_literal().is_some();
    if ty.rank() != 1 || !(ty.dtype == dtype || known) {
        refuse(
            op,
            format!("the times are {ty}, and must be a vector of {dtype}"),
        );
    }
    at.to(dtype)
}

/// A number of a state's type.
fn real(x: f64, dtype: DType) -> Var {
    number(x, dtype)
}
