//! The linear systems of implicit methods.

use wengert::linalg::{Krylov, solve_banded};
use wengert::prelude::*;
use wengert::solver::refuse;
use wengert::tree::ravel;

use crate::State;
use crate::de::method::Field;
use crate::shared::matrix;

/// How an implicit method solves its systems with the matrix `M - s J`, where `M` is the diagonal of masses and `J` the
/// Jacobian of the right-hand side.
///
/// ```
/// use wengert::prelude::*;
/// use wengert_solve::de::{Linear, Ode, Rodas5P};
///
/// // The heat equation on a rod of 50 points whose ends are cold.
/// let rod = |k: Var| {
///     let f = move |_, u: Var| {
///         let left = concat([zeros([1]), u.slice_axis(0, ..-1)], 0);
///         let right = concat([u.slice_axis(0, 1..), zeros([1])], 0);
///         k * 51.0 * 51.0 * (left - 2.0 * u + right)
///     };
///     let ode = Ode::new(Rodas5P::new().linear(Linear::Banded { lower: 1, upper: 1 }));
///     ode.solve(f, ones([50]), 0.0, 0.1)
/// };
/// let s = jit(rod).call(1.0)?.ok()?;
/// assert!((s.y.to_vec::<f64>()?[25] - 0.474).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Linear {
    /// The whole Jacobian, by a tangent for each number of the state, and LU factors with partial pivoting.
    #[default]
    Dense,
    /// A Jacobian whose elements `(i, j)` are zero but for `j - upper <= i <= j + lower`, in the order of the state's numbers: it takes
    /// `lower + upper + 1` tangents whatever the number of equations is (Curtis, Powell, Reid, J. Inst. Math. Appl. 13,
    /// 1974), and elimination in linear time. Elements elsewhere are taken for zero, and add to those inside.
    Banded {
        /// The number of diagonals below the main one.
        lower: usize,
        /// The number of diagonals above the main one.
        upper: usize,
    },
    /// No Jacobian, but its products with vectors, which are tangents of the right-hand side: stabilised biconjugate gradients
    /// ([`Krylov::bicgstab_with`]), with memory of a few vectors. A
    /// [preconditioner](crate::de::Ode::preconditioner) makes them fewer.
    Products {
        /// The length of the residual, relative to the right-hand side of a system. Newton's method is content where the root mean
        /// square of the residual, in units of the tolerances of the state, is a twentieth of what it leaves itself (Hindmarsh et
        /// al., ACM Trans. Math. Softw. 31, 2005).
        rtol: f64,
        /// The limit of steps, each of which takes two products.
        max_steps: i64,
    },
    /// The same by generalised minimal residuals ([`Krylov::gmres_with`]), which know the residual after every product, and keep
    /// as many vectors as they make products, up to `restart`.
    Residuals {
        /// The number of vectors that are kept.
        restart: usize,
        /// As that of [`Products`](Linear::Products).
        rtol: f64,
        /// The limit of products.
        max_steps: i64,
    },
}

impl Linear {
    /// Products with vectors, for systems that are solved to 1e-8.
    pub const fn products() -> Linear {
        Linear::Products {
            rtol: 1e-8,
            max_steps: 500,
        }
    }

    /// Generalised minimal residuals with 20 vectors, for systems that are solved to 1e-8.
    pub const fn residuals() -> Linear {
        Linear::Residuals {
            restart: 20,
            rtol: 1e-8,
            max_steps: 500,
        }
    }

    /// Whether it makes no matrix.
    pub(super) fn by_products(self) -> bool {
        matches!(self, Linear::Products { .. } | Linear::Residuals { .. })
    }

    /// Solves a system of which products with the matrix are known.
    pub(super) fn solve(self, apply: Apply<'_>, b: Var) -> Var {
        let n = b.shape()[0];
        match self {
            Linear::Dense if n == 1 => b / apply(ones_like(b)),
            Linear::Dense => matrix(apply, n, b.dtype()).solve(b),
            Linear::Banded { lower, upper } => {
                // As wide on both sides: the transposed system has the bands exchanged.
                let side = lower.max(upper);
                let band = band(apply, n, (side, side), b.dtype());
                solve_banded((side, side), band, b)
            }
            Linear::Products { .. } | Linear::Residuals { .. } => {
                self.iterated(apply, None, 0.0, b)
            }
        }
    }

    /// Solves a system by products, with what is near the solution of one, until the residual is small in proportion or in itself.
    pub(super) fn iterated(
        self,
        apply: Apply<'_>,
        near: Option<Apply<'_>>,
        atol: f64,
        b: Var,
    ) -> Var {
        let krylov = |rtol, max_steps| Krylov {
            rtol,
            atol,
            max_steps,
        };
        match (self, near) {
            (Linear::Products { rtol, max_steps }, None) => {
                krylov(rtol, max_steps).bicgstab(apply, b)
            }
            (Linear::Products { rtol, max_steps }, Some(near)) => {
                krylov(rtol, max_steps).bicgstab_with(apply, near, b)
            }
            (
                Linear::Residuals {
                    restart,
                    rtol,
                    max_steps,
                },
                near,
            ) => {
                let krylov = krylov(rtol, max_steps);
                match near {
                    None => krylov.gmres(restart, apply, b),
                    Some(near) => krylov.gmres_with(restart, apply, near, b),
                }
            }
            (Linear::Dense | Linear::Banded { .. }, _) => unreachable!("these have a matrix"),
        }
    }
}

/// A linear function of vectors.
pub(super) type Apply<'a> = &'a dyn Fn(Var) -> Var;

/// The diagonals of the matrix of a linear function, as [`solve_banded`] takes them.
fn band(apply: Apply<'_>, n: usize, (lower, upper): (usize, usize), dtype: DType) -> Var {
    let width = lower + upper + 1;
    // A column's product has nothing in the rows of another column that is `width` columns apart.
    let colour = arange(n).rem(width as i64);
    let seeds = colour.expand_dims(0).eq(arange(width).expand_dims(1));
    let products = vmap(|v: Var| apply(v))(seeds.to(dtype));
    let row = band_rows(n, width, upper);
    let inside = row.ge(0) & row.lt(n as i64);
    let place = colour.expand_dims(0) * n as i64 + row.clamp(0, n as i64 - 1);
    let elements = products.ravel().take(place.ravel(), 0);
    let elements = elements.reshape([width, n]);
    inside.select(elements, zeros_like(elements))
}

/// The equation of a state that is seen as one vector.
pub(super) struct Flat<'a, Y> {
    pub(super) field: &'a Field<'a, Y>,
    tree: Box<dyn Fn(Var) -> Y + 'a>,
    pub(super) linear: Linear,
    pub(super) n: usize,
    /// The masses, if there are any.
    pub(super) mass: Option<Var>,
}

impl<'a, Y: State + 'a> Flat<'a, Y> {
    /// The equation, and the state as a vector.
    pub(super) fn new(field: &'a Field<'a, Y>, linear: Linear, y: &Y) -> (Flat<'a, Y>, Var) {
        let (x, tree) = ravel(y.clone());
        let n = x.shape()[0];
        if let Linear::Banded { lower, upper } = linear
            && (lower >= n || upper >= n)
        {
            let message = format!(
                "a band of {lower} diagonals below and {upper} above the main one is wider than the matrix of {n} equations; use Linear::Dense"
            );
            refuse("ode", message);
        }
        if let Linear::Residuals { restart: 0, .. } = linear {
            refuse(
                "ode",
                "Linear::Residuals keeps no vector; 30 is a usual number",
            );
        }
        let flat = Flat {
            field,
            tree: Box::new(tree),
            linear,
            n,
            mass: field.mass,
        };
        (flat, x)
    }

    pub(super) fn tree(&self, x: Var) -> Y {
        (self.tree)(x)
    }

    pub(super) fn vector(&self, y: &Y) -> Var {
        ravel(y.clone()).0
    }

    /// The derivative of the state by time, where it is known: the rate over the mass, and 0 where there is none.
    pub(super) fn slope(&self, t: Var, x: Var) -> Var {
        self.field.over_mass(self.rate(t, x))
    }

    pub(super) fn rate(&self, t: Var, x: Var) -> Var {
        ravel(self.field.rate(t, &self.tree(x))).0
    }

    /// The explicit part of the rate, which is there.
    pub(super) fn explicit_rate(&self, t: Var, x: Var) -> Var {
        match self.field.explicit_rate(t, &self.tree(x)) {
            Some(k) => ravel(k).0,
            None => zeros_like(x),
        }
    }

    /// The derivative of the rate by time; `None` if it is zero for all states.
    pub(super) fn rate_by_time(&self, t: Var, x: Var) -> Option<Var> {
        let (_, by_time) = jvp(|t| self.rate(t, x), t, ones_like(t));
        let is_zero = by_time.as_literal().is_some();
        (!is_zero).then_some(by_time)
    }

    pub(super) fn norm(&self, error: Var, from: Var, to: Var) -> Var {
        let [error, from, to] = [error, from, to].map(|x| self.tree(x));
        self.field.norm(&error, &from, &to)
    }

    /// A vector times the masses.
    pub(super) fn massed(&self, x: Var) -> Var {
        match self.mass {
            Some(mass) => mass * x,
            None => x,
        }
    }

    /// The Jacobian in the form of the linear algebra: a matrix, rows of diagonals, or nothing.
    pub(super) fn jacobian(&self, t: Var, x: Var) -> Var {
        match self.linear {
            Linear::Dense => jacfwd(|x| self.rate(t, x))(x),
            Linear::Banded { lower, upper } => {
                let tangent = |v: Var| jvp(|x| self.rate(t, x), x, v).1;
                band(&tangent, self.n, (lower, upper), x.dtype())
            }
            Linear::Products { .. } | Linear::Residuals { .. } => zeros_of([0], x.dtype()),
        }
    }

    /// The system with `M - s J` at a state.
    pub(super) fn shifted(&self, t: Var, x: Var, s: Var, jacobian: Var) -> System {
        let p = self.mass.unwrap_or_else(|| ones_of([self.n], s.dtype()));
        let near = self.prepared(t, x, s);
        System {
            near,
            ..self.system(t, x, p, s, jacobian)
        }
    }

    /// What a preconditioner makes at a state, preceded by `s` and a zero; nothing if there is none.
    pub(super) fn prepared(&self, t: Var, x: Var, s: Var) -> Vec<Var> {
        let Some(near) = self.field.near else {
            return vec![];
        };
        let [t, x, s] = [t, x, s].map(stop_gradient);
        let made = near.prepare(t, self.tree(x), s);
        let made = made.into_iter().map(stop_gradient);
        [s, zeros_like(s)].into_iter().chain(made).collect()
    }

    /// What a preconditioner makes of a residual, with what it made before.
    pub(super) fn near(&self, made: &[Var], s: Var, r: Var) -> Var {
        match self.field.near {
            Some(near) if !made.is_empty() => {
                let z = near.solve(&made[2..], stop_gradient(s), self.tree(r));
                self.vector(&z)
            }
            _ => r,
        }
    }

    /// Solves a system by products, with the preconditioner if there is one.
    pub(super) fn iterated(&self, apply: Apply<'_>, made: &[Var], s: Var, b: Var) -> Var {
        let near = |r: Var| self.near(made, s, r);
        let near = (!made.is_empty()).then_some(&near as Apply<'_>);
        self.linear.iterated(apply, near, 0.0, b)
    }

    /// The system with the matrix `diag(p) - diag(q) J` at a state, where `q` may be one number.
    pub(super) fn system(&self, t: Var, x: Var, p: Var, q: Var, jacobian: Var) -> System {
        let matrix = match self.linear {
            Linear::Dense => {
                let rows = if q.ty().rank() == 0 {
                    q
                } else {
                    q.expand_dims(1)
                };
                eye(self.n).to(p.dtype()) * p - rows * jacobian
            }
            Linear::Banded { lower, upper } => {
                let width = lower + upper + 1;
                let main = arange(width).expand_dims(1).eq(upper as i64);
                let rows = match q.ty().rank() {
                    0 => q,
                    _ => {
                        let row = band_rows(self.n, width, upper).clamp(0, self.n as i64 - 1);
                        q.take(row.ravel(), 0).reshape([width, self.n])
                    }
                };
                main.select(p, number_like(p, 0.0)) - rows * jacobian
            }
            Linear::Products { .. } | Linear::Residuals { .. } => jacobian,
        };
        System {
            t,
            x,
            p,
            q,
            matrix,
            near: vec![],
        }
    }

    /// Solves a system. The derivative is that of the equation, with the same factors.
    pub(super) fn solve(&self, system: &System, b: Var) -> Var {
        let &System {
            t,
            x,
            p,
            q,
            matrix,
            ref near,
        } = system;
        match self.linear {
            Linear::Dense if self.n == 1 => b / matrix.reshape([1]),
            Linear::Dense => matrix.solve(b),
            Linear::Banded { lower, upper } => solve_banded((lower, upper), matrix, b),
            Linear::Products { .. } | Linear::Residuals { .. } => {
                let apply = |v: Var| p * v - q * jvp(|x| self.rate(t, x), x, v).1;
                self.iterated(&apply, near, q, b)
            }
        }
    }
}

/// The matrix `diag(p) - diag(q) J` of a state, in the form of the linear algebra.
pub(super) struct System {
    t: Var,
    x: Var,
    p: Var,
    q: Var,
    pub(super) matrix: Var,
    /// What the preconditioner made.
    near: Vec<Var>,
}

/// The row of each element of a band that is stored by diagonals; outside of the matrix for those that are not in it.
fn band_rows(n: usize, width: usize, upper: usize) -> Var {
    arange(n).expand_dims(0) + arange(width).expand_dims(1) - upper as i64
}

/// A number of the element type of another.
fn number_like(x: Var, value: f64) -> Var {
    Var::from(value).to(x.dtype())
}
