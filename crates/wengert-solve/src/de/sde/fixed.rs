//! Steps of equal length.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;
use wengert::solver::{asked_at, refuse};

use super::brownian::{Increment, normal};
use super::diffusion::Diffusion;
use super::jumps::JumpSteps;
use super::scheme::Scheme;
use super::{Path, Place, Sde, Start, ended, times};
use crate::State;

/// A scheme with steps of equal length: see [`Scheme::steps`].
///
/// The noise is drawn step by step, and nothing of it is stored: a step costs the scheme and its draws.
#[derive(Clone, Copy, Debug)]
pub struct FixedSteps {
    scheme: Scheme,
    steps: usize,
}

impl FixedSteps {
    pub(super) fn new(scheme: Scheme, steps: usize) -> FixedSteps {
        FixedSteps { scheme, steps }
    }

    /// A solver for equations with [`Jumps`](super::Jumps).
    pub fn jumps(self) -> JumpSteps {
        JumpSteps::new(self.scheme, self.steps)
    }

    /// Solves an equation from `y0` at `t0` to `t1`, along the path of a key, and returns the state at `t1`.
    ///
    /// # Errors
    /// If drift or diffusion are not like the state, the state is not of floats of one type, there are no steps, or the
    /// scheme is not for such noise. A status says where a state is not finite.
    #[track_caller]
    pub fn solve<I, A, F, G>(
        &self,
        sde: &Sde<F, G>,
        y0: I,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        key: Key,
    ) -> Path<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        F: Fn(Var, I::Tree) -> A,
        G: Diffusion<I::Tree>,
    {
        let place = Location::caller();
        let (t0, t1) = (t0.into(), t1.into());
        asked_at(place, || {
            let start = Start::new(OP, sde, y0, t0, t1);
            let draws = self.draws(&[], &start, key);
            let y = self.span(place, sde, start.y.clone(), [start.t0, start.t1], draws);
            Path {
                t: start.t1,
                status: ended(&start.y, &y),
                y,
                steps: Var::scalar(self.steps as i64),
                rejected: Var::scalar(0i64),
            }
        })
    }

    /// Solves an equation from `y0` at `t0`, and returns the states at the times `at`, a vector that does not fall:
    /// each is reached by that number of steps from the one before, the first from `t0`. Where a time equals the one
    /// before, the state does, too.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::{Diagonal, Scheme, Sde};
    ///
    /// let f = jit(|key: Key| {
    ///     let sde = Sde::ito(|_t, x: Var| -x, Diagonal(|_t, x: Var| 0.1 * x));
    ///     Scheme::Milstein.steps(8).sample(&sde, 1.0, 0.0, linspace(0.0, 1.0, 11), key)
    /// });
    /// let path = f.call(Key::from_seed(0))?.ok()?;
    /// assert_eq!(path.y.shape(), [11]);
    /// assert_eq!(path.y.to_vec::<f64>()?[0], 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`FixedSteps::solve`], and if the times are not a vector of floats.
    #[track_caller]
    pub fn sample<I, A, F, G>(
        &self,
        sde: &Sde<F, G>,
        y0: I,
        t0: impl Into<Var>,
        at: impl Into<Var>,
        key: Key,
    ) -> Path<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        F: Fn(Var, I::Tree) -> A,
        G: Diffusion<I::Tree>,
    {
        let place = Location::caller();
        let (t0, at) = (t0.into(), at.into());
        asked_at(place, || {
            let start = Start::new(OP, sde, y0, t0, t0);
            let at = times(OP, at, start.dtype);
            let n = at.shape()[0];
            let draws = self.draws(&[n], &start, key);
            let ((_, last), all) = scan(
                (start.t0, start.y.clone()),
                (at, draws),
                |(t, y): (Var, I::Tree), (next, draws): (Var, Var)| {
                    let y = asked_at(place, || self.span(place, sde, y, [t, next], draws));
                    ((next, y.clone()), y)
                },
            );
            Path {
                t: at,
                status: ended(&start.y, &last),
                y: all,
                steps: Var::scalar((n * self.steps) as i64),
                rejected: Var::scalar(0i64),
            }
        })
    }

    /// The normal numbers of all steps, rows of a row for the increment and, if the scheme wants it, one for the area.
    fn draws<Y>(&self, spans: &[usize], start: &Start<Y>, key: Key) -> Var {
        if self.steps == 0 {
            refuse(OP, "no step leads to the end");
        }
        let rows = 1 + usize::from(self.scheme.uses_area());
        let shape = [spans, &[self.steps, rows, start.noise]].concat();
        normal(key, &shape, start.dtype)
    }

    /// Solves over one span of time, with the normal numbers of its steps.
    #[track_caller]
    fn span<Y, A, F, G>(&self, place: Place, sde: &Sde<F, G>, y: Y, [t0, t1]: [Var; 2], z: Var) -> Y
    where
        Y: State,
        A: IntoTree<Tree = Y>,
        F: Fn(Var, Y) -> A,
        G: Diffusion<Y>,
    {
        let h = (t1 - t0) / self.steps as f64;
        let root = h.sqrt();
        let p = self.scheme.problem(OP, sde, t0, &y);
        let step = |y: Y, (z, i): (Var, Var)| {
            asked_at(place, || {
                let w = root * z.at(0);
                let area = match self.scheme.uses_area() {
                    true => root * (1.0 / 12f64.sqrt()) * z.at(1),
                    false => zeros_like(w),
                };
                let t = t0 + i.to(h.dtype()) * h;
                (
                    self.scheme.advance(&p, t, h, y, Increment { w, h: area }),
                    (),
                )
            })
        };
        scan(y, (z, 0..self.steps), step).0
    }
}

impl Scheme {
    /// Solves an equation from `y0` at `t0` to `t1` in equal steps along a path whose increments are given, a row for
    /// each step, as by [`Increment::draw`] or [`Brownian::increments`](super::Brownian::increments): so that solutions
    /// with different steps are of the same path.
    ///
    /// ```
    /// use wengert::prelude::*;
    /// use wengert_solve::de::sde::{Diagonal, Increment, Scheme, Sde};
    ///
    /// // The distance between 64 and 32 steps, and between 32 and 16, of the same path.
    /// let f = jit(|key: Key| {
    ///     let sde = Sde::ito(|_t, x: Var| x, Diagonal(|_t, x: Var| 0.5 * x));
    ///     let end = |rows| Scheme::Sri1.along(&sde, 1.0, 0.0, 1.0, rows).y;
    ///     let fine = Increment::draw(key, 64, 1.0 / 64.0, 1);
    ///     let (a, b, c) = (end(fine), end(fine.halved()), end(fine.halved().halved()));
    ///     ((a - b).abs(), (b - c).abs())
    /// });
    /// let (near, far) = f.call(Key::from_seed(0))?;
    /// assert!(near.item::<f64>()? < far.item::<f64>()?);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`FixedSteps::solve`], and if the rows are not vectors with a number for each component of the noise.
    #[track_caller]
    pub fn along<I, A, F, G>(
        self,
        sde: &Sde<F, G>,
        y0: I,
        t0: impl Into<Var>,
        t1: impl Into<Var>,
        rows: Increment,
    ) -> Path<I::Tree>
    where
        I: IntoTree,
        I::Tree: State,
        A: IntoTree<Tree = I::Tree>,
        F: Fn(Var, I::Tree) -> A,
        G: Diffusion<I::Tree>,
    {
        let place = Location::caller();
        let (t0, t1) = (t0.into(), t1.into());
        asked_at(place, || {
            let start = Start::new(OP, sde, y0, t0, t1);
            let (w, h) = (rows.w.ty(), rows.h.ty());
            let dims = w.dims();
            if dims.len() != 2 || dims[1] != start.noise || w != h || w.dtype != start.dtype {
                let message = format!(
                    "the increments are {w} and {h}, and must be rows of {} of {}",
                    start.noise, start.dtype
                );
                refuse(OP, message);
            }
            let n = dims[0];
            if n == 0 {
                refuse(OP, "no step leads to the end");
            }
            let dt = (start.t1 - start.t0) / n as f64;
            let p = self.problem(OP, sde, start.t0, &start.y);
            let step = |y: I::Tree, (row, i): (Increment, Var)| {
                asked_at(place, || {
                    let t = start.t0 + i.to(start.dtype) * dt;
                    (self.advance(&p, t, dt, y, row), ())
                })
            };
            let y = scan(start.y.clone(), (rows, 0..n), step).0;
            Path {
                t: start.t1,
                status: ended(&start.y, &y),
                y,
                steps: Var::scalar(n as i64),
                rejected: Var::scalar(0i64),
            }
        })
    }
}

const OP: &str = "sde";
