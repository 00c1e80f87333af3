//! Methods of limited memory: L-BFGS, and nonlinear conjugate gradients.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;

use super::descent::{Directions, Pair, descend};
use super::line_search::Wolfe;
use super::{Limits, Minimum, method, minimum};
use crate::shared::{eps, length, number};
use crate::{State, Watch};

/// Minimisation by the method of limited memory of Nocedal, *Updating quasi-Newton matrices with limited storage* (1980):
/// the last steps stand for the inverse of the Hessian, as in `scipy.optimize.minimize(method="L-BFGS-B")` without bounds.
/// A step takes time and memory in proportion to the number of unknowns.
///
/// The line search and the tests of convergence are those of [`Bfgs`](super::Bfgs).
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::Lbfgs;
///
/// let f = |x: Var| ((x - 1.0).square() + (x - 1.0).powi(4)).sum() + (x.at(1..) - x.at(..-1)).square().sum();
/// let m = jit(move |x: Var| Lbfgs::new().memory(8).minimize(f, x)).call(vec![0.5; 1000])?.ok()?;
/// assert!(m.x.all_close(&Array::from(vec![1.0; 1000]), 1e-7, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lbfgs<W = ()> {
    /// When it ends.
    pub limits: Limits,
    /// How many steps are remembered.
    pub memory: usize,
    implicit: bool,
    watch: W,
}

method!(Lbfgs { memory: 10 });

impl<W: Watch> Lbfgs<W> {
    /// Sets how many steps are remembered.
    pub fn memory(mut self, memory: usize) -> Self {
        self.memory = memory.max(1);
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
        let method = Recent(self.memory.max(1));
        minimum(place, "minimize", self.implicit, &f, start, |f, x| {
            descend(place, &method, &self.limits, &self.watch, f, x)
        })
    }
}

/// The directions of L-BFGS.
pub(super) struct Recent(pub usize);

/// The last steps, in rows of a ring, and the scale of the first matrix.
#[derive(Tree, Clone)]
pub(super) struct Ring<T = Var> {
    s: T,
    y: T,
    /// 1 / (s · y), and 0 for a row without a step.
    rho: T,
    scale: T,
    /// The number of steps that were put in.
    count: T,
}

impl Directions for Recent {
    type Memory = Ring;

    fn start(&self, like: Var) -> Ring {
        let (n, dtype) = (like.shape()[0], like.dtype());
        Ring {
            s: zeros_of([self.0, n], dtype),
            y: zeros_of([self.0, n], dtype),
            rho: zeros_of(self.0, dtype),
            scale: number(1.0, dtype),
            count: Var::from(0i64),
        }
    }

    fn next(&self, m: Ring, p: Pair) -> (Ring, Var) {
        let ring = m.push(p.taken, p.s, p.y);
        let d = -ring.product(p.g);
        (ring, d)
    }
}

impl Ring {
    /// The inverse matrix times a vector, by the recursion of two loops. Rows without a step change nothing.
    pub(super) fn product(&self, g: Var) -> Var {
        let size = self.rho.shape()[0] as i64;
        let row = |back: Var| (self.count + 2 * size - 1 - back).rem(size);
        let start = (g, zeros_like(self.rho));
        let (q, parts) = fori(0..size, start, |k, (q, parts): (Var, Var)| {
            let i = row(k);
            let part = self.rho.at(i) * self.s.at(i).dot(q);
            (q - part * self.y.at(i), parts.at_set(i, part))
        });
        fori(0..size, self.scale * q, |k, r: Var| {
            let i = row(-k + (size - 1));
            let part = self.rho.at(i) * self.y.at(i).dot(r);
            r + (parts.at(i) - part) * self.s.at(i)
        })
    }

    /// The same steps, restricted to the unknowns for which `free` is 1 and not 0.
    pub(super) fn within(&self, free: Var) -> Ring {
        let (s, y) = (self.s * free, self.y * free);
        let sy = (s * y).sum_axis(1);
        let sizes = (s.square().sum_axis(1) * y.square().sum_axis(1)).sqrt();
        let good = sy.gt(eps(s.dtype()) * sizes);
        Ring {
            s,
            y,
            rho: good.select(1.0 / good.select(sy, 1.0), 0.0),
            ..self.clone()
        }
    }

    /// Takes in a step.
    pub(super) fn push(self, good: Var, s: Var, y: Var) -> Ring {
        let size = self.rho.shape()[0] as i64;
        let sy = s.dot(y);
        let good = good & sy.gt(eps(s.dtype()) * length(s) * length(y));
        let slot = self.count.rem(size);
        let put = |rows: Var, row: Var| rows.at_set(slot, good.select(row, rows.at(slot)));
        Ring {
            s: put(self.s, s),
            y: put(self.y, y),
            rho: put(self.rho, 1.0 / sy),
            scale: good.select(sy / y.dot(y), self.scale),
            count: good.select(self.count + 1, self.count),
        }
    }
}

/// Minimisation by nonlinear conjugate gradients, with the direction of Hager and Zhang (2005), which always descends:
/// `scipy.optimize.minimize(method="CG")`. It remembers one direction, and so takes the least memory of all methods.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::ConjugateGradients;
///
/// let f = |x: Var| ((x - 1.0).square() * arange(1..101).to(DType::F64)).sum() + x.at(0).powi(4);
/// let m = jit(move |x: Var| ConjugateGradients::new().minimize(f, x)).call(vec![0.0; 100])?.ok()?;
/// assert!(m.gradient.item::<f64>()? < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConjugateGradients<W = ()> {
    /// When it ends.
    pub limits: Limits,
    implicit: bool,
    watch: W,
}

method!(ConjugateGradients {});

impl<W: Watch> ConjugateGradients<W> {
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
            descend(place, &Conjugate, &self.limits, &self.watch, f, x)
        })
    }
}

struct Conjugate;

impl Directions for Conjugate {
    type Memory = ();

    fn start(&self, _: Var) {}

    fn next(&self, (): (), p: Pair) -> ((), Var) {
        let Pair { y, g, d, .. } = p;
        let dy = d.dot(y);
        let good = p.taken & dy.gt(0.0);
        let safe = good.select(dy, 1.0);
        let beta = (y - 2.0 * d * (y.dot(y) / safe)).dot(g) / safe;
        // The lower bound that makes it converge.
        let before = g - y;
        let floor = -1.0 / (length(d) * length(before).minimum(0.01));
        let beta = good.select(beta.maximum(floor), 0.0);
        let next = beta * d - g;
        // Of the length at which the curvature of the last step has its minimum, so that a trial of 1 is near it.
        let curve = p.s.dot(y) / p.s.dot(p.s);
        let scale = -next.dot(g) / (curve * next.dot(next));
        let known = good & scale.is_finite() & scale.gt(0.0);
        ((), known.select(scale, 1.0) * next)
    }

    fn wolfe(&self) -> Wolfe {
        Wolfe {
            decrease: 1e-4,
            curvature: 0.1,
        }
    }
}
