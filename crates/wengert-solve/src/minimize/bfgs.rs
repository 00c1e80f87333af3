//! The method of Broyden, Fletcher, Goldfarb and Shanno.

use std::panic::Location;

use wengert::IntoTree;
use wengert::prelude::*;

use super::descent::{Directions, Pair, descend};
use super::{Limits, Minimum, method, minimum};
use crate::shared::{eps, length};
use crate::{State, Watch};

/// Minimisation by the method of Broyden, Fletcher, Goldfarb and Shanno, with a matrix near the inverse of the Hessian:
/// `scipy.optimize.minimize(method="BFGS")`.
///
/// Line searches meet the strong Wolfe conditions (Moré and Thuente 1994); the first matrix is scaled as equation
/// 6.20 of Nocedal and Wright, *Numerical Optimization* (2006) says, and the inverse is updated by their equation 6.17.
/// A step takes time and memory with the square of the number of unknowns; for thousands see [`Lbfgs`](super::Lbfgs).
/// A direction that fails is followed by one down the gradient, with an empty memory, before the solver gives up.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::minimize::Bfgs;
///
/// let f = |p: Var| ((p - [1.0, 2.0]).square() * [1.0, 100.0]).sum();
/// let m = jit(move |p: Var| Bfgs::new().gtol(1e-10).minimize(f, p)).call([0.0, 0.0])?.ok()?;
/// assert!(m.x.all_close(&Array::from([1.0, 2.0]), 1e-10, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bfgs<W = ()> {
    /// When it ends.
    pub limits: Limits,
    implicit: bool,
    watch: W,
}

method!(Bfgs {});

impl<W: Watch> Bfgs<W> {
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
            descend(place, &Quasi, &self.limits, &self.watch, f, x)
        })
    }
}

/// The directions of the method; the memory is the inverse matrix.
struct Quasi;

impl Directions for Quasi {
    type Memory = Var;

    fn start(&self, like: Var) -> Var {
        eye(like.shape()[0]).to(like.dtype())
    }

    fn next(&self, h: Var, p: Pair) -> (Var, Var) {
        let Pair { s, y, g, .. } = p;
        let sy = s.dot(y);
        let good = p.taken & sy.gt(eps(s.dtype()) * length(s) * length(y));
        let scale = (good & p.first).select(sy / y.dot(y), 1.0);
        let rho = good.select(1.0 / sy, 0.0);
        // The direction before was -H g, so that one product with the matrix is enough.
        let hg = scale * h.dot(g);
        let hy = p.taken.select(hg + scale * p.d, 0.0);
        let size = good.select((1.0 + rho * y.dot(hy)) * rho, 0.0);
        let (sg, yg) = (s.dot(g), hy.dot(g));
        let d = rho * (hy * sg + s * yg) - size * sg * s - hg;
        let h = scale * h + s.outer(size * s - rho * hy) - hy.outer(rho * s);
        (h, d)
    }
}
