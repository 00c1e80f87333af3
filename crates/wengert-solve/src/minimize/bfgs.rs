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

/// The directions of the method.
struct Quasi;

/// The matrix near the inverse of the Hessian. A step reads its memory twice and writes it once, and nothing else is as large.
#[derive(Tree, Clone)]
struct Inverse<T = Var> {
    matrix: T,
    /// Whether it is the unit matrix, whatever its memory holds: so a new beginning takes no pass over the memory.
    unit: T,
}

impl Directions for Quasi {
    type Memory = Inverse;

    fn start(&self, like: Var) -> Inverse {
        let n = like.shape()[0];
        Inverse {
            matrix: zeros_of([n, n], like.dtype()),
            unit: Var::from(true),
        }
    }

    fn forget(&self, when: Var, memory: Inverse, _: Var) -> Inverse {
        Inverse {
            unit: when | memory.unit,
            ..memory
        }
    }

    fn next(&self, h: Inverse, pair: Pair) -> (Inverse, Var) {
        let Pair { s, y, g, .. } = pair;
        let sy = s.dot(y);
        let good = pair.taken & sy.gt(eps(s.dtype()) * length(s) * length(y));
        let scale = (good & pair.first).select(sy / y.dot(y), 1.0);
        let rho = good.select(1.0 / sy, 0.0);
        // The direction before was -H g, so that one product with the matrix is enough.
        let hg = scale * h.unit.select(g, h.matrix.dot(g));
        let hy = pair.taken.select(hg + scale * pair.d, 0.0);
        let size = good.select((1.0 + rho * y.dot(hy)) * rho, 0.0);
        let (sg, yg) = (s.dot(g), hy.dot(g));
        let d = rho * (hy * sg + s * yg) - size * sg * s - hg;
        // Products of columns and rows, which are added where they are made; outer products would be stored.
        let column = |v: Var| v.expand_dims(1);
        let before = h.unit.select(eye(g.shape()[0]).to(g.dtype()), h.matrix);
        let matrix = scale * before + column(s) * (size * s - rho * hy) - column(hy) * (rho * s);
        let h = Inverse {
            matrix,
            unit: Var::from(false),
        };
        (h, d)
    }
}
