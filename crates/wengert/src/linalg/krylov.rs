//! Linear systems of which only products with the matrix are known.

use std::panic::Location;

use wengert_ir::ir::Type;

use crate::solver::{asked_at, inside, refuse};
use crate::tree::ravel;
use crate::{IntoTree, Var, arange, custom_linear_solve, fori, linear_transpose, while_loop};

/// When a method that only applies the matrix ends.
///
/// The methods solve `a(x) = b` for a linear function `a` of a [tree](crate::tree), and never form its matrix. They end
/// when what is left, `b - a(x)`, is at most `rtol` times as long as `b`, or at most `atol`, or after `max_steps`; the
/// last step's `x` is returned as it is. The derivative is that of the equation
/// ([`custom_linear_solve`]), and is solved for by the same method.
///
/// ```
/// use wengert::linalg::Krylov;
/// use wengert::prelude::*;
///
/// // A chain of springs.
/// let solve = |(k, b): (Var, Var)| {
///     let apply = move |x: Var| (2.0 + k) * x - x.at_set(0, 0.0).roll(-1, 0) - x.at_set(-1, 0.0).roll(1, 0);
///     Krylov::default().cg(apply, b)
/// };
/// let x = jit(solve).call((1.0, [2.0, 1.0, 2.0]))?;
/// assert!(x.all_close(&Array::from([1.0, 1.0, 1.0]), 1e-9, 1e-9));
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Krylov {
    /// The length of what is left, relative to that of `b`.
    pub rtol: f64,
    /// The length of what is left.
    pub atol: f64,
    /// The number of steps.
    pub max_steps: i64,
}

impl Default for Krylov {
    fn default() -> Krylov {
        Krylov {
            rtol: 1e-10,
            atol: 0.0,
            max_steps: 1000,
        }
    }
}

/// A linear function of vectors.
type Apply<'a> = &'a dyn Fn(Var) -> Var;

/// # Systems by products with a matrix
///
/// `krylov` is a [`Krylov`], which says when a method ends. `apply` is a linear function of a tree. Derivative: that of the
/// equation.
impl Krylov {
    /// Conjugate gradients, for a function with a symmetric, positive definite matrix: `scipy.sparse.linalg.cg`.
    ///
    /// # Errors
    /// As [`custom_linear_solve`].
    #[track_caller]
    pub fn cg<I, A>(self, apply: impl Fn(I::Tree) -> A, b: I) -> I::Tree
    where
        I: IntoTree,
        I::Tree: IntoTree<Tree = I::Tree>,
        A: IntoTree<Tree = I::Tree>,
    {
        asked_at(Location::caller(), || {
            self.solved(apply, |x| x, b, conjugate_gradients)
        })
    }

    /// [`Krylov::cg`] with a preconditioner: a function near the inverse of `apply`, symmetric and positive definite.
    ///
    /// # Errors
    /// As [`custom_linear_solve`].
    #[track_caller]
    pub fn cg_with<I, A>(
        self,
        apply: impl Fn(I::Tree) -> A,
        precondition: impl Fn(I::Tree) -> I::Tree,
        b: I,
    ) -> I::Tree
    where
        I: IntoTree,
        I::Tree: IntoTree<Tree = I::Tree>,
        A: IntoTree<Tree = I::Tree>,
    {
        asked_at(Location::caller(), || {
            self.solved(apply, precondition, b, conjugate_gradients)
        })
    }

    /// Stabilised biconjugate gradients, for a function with any regular matrix: `scipy.sparse.linalg.bicgstab`.
    ///
    /// # Errors
    /// As [`custom_linear_solve`].
    #[track_caller]
    pub fn bicgstab<I, A>(self, apply: impl Fn(I::Tree) -> A, b: I) -> I::Tree
    where
        I: IntoTree,
        I::Tree: IntoTree<Tree = I::Tree>,
        A: IntoTree<Tree = I::Tree>,
    {
        asked_at(Location::caller(), || {
            self.solved(apply, |x| x, b, stabilised)
        })
    }

    /// Generalised minimal residuals, restarted after `restart` steps, for a function with any regular matrix:
    /// `scipy.sparse.linalg.gmres`. Each step takes one product with the matrix, and the memory of one vector; up to
    /// `restart` of them are kept orthogonal (Saad and Schultz, 1986; each is orthogonalised twice).
    ///
    /// # Errors
    /// As [`custom_linear_solve`], and if `restart` is zero.
    ///
    /// ```
    /// use wengert::linalg::Krylov;
    /// use wengert::prelude::*;
    ///
    /// let f = jit(|(a, b): (Var, Var)| Krylov::default().gmres(20, move |x: Var| a.dot(x), b));
    /// let x = f.call(([[2.0, 1.0], [-1.0, 1.0]], [4.0, 1.0]))?;
    /// assert!(x.all_close(&Array::from([1.0, 2.0]), 1e-12, 1e-12));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn gmres<I, A>(self, restart: usize, apply: impl Fn(I::Tree) -> A, b: I) -> I::Tree
    where
        I: IntoTree,
        I::Tree: IntoTree<Tree = I::Tree>,
        A: IntoTree<Tree = I::Tree>,
    {
        self.gmres_with(restart, apply, |x| x, b)
    }

    /// [`Krylov::gmres`] with a preconditioner: a linear function near the inverse of `apply`. It is applied from the
    /// right, so that what is left is that of the system itself; its transpose serves the derivative.
    ///
    /// # Errors
    /// As [`Krylov::gmres`], and if the preconditioner is not linear.
    #[track_caller]
    pub fn gmres_with<I, A>(
        self,
        restart: usize,
        apply: impl Fn(I::Tree) -> A,
        precondition: impl Fn(I::Tree) -> I::Tree,
        b: I,
    ) -> I::Tree
    where
        I: IntoTree,
        I::Tree: IntoTree<Tree = I::Tree>,
        A: IntoTree<Tree = I::Tree>,
    {
        asked_at(Location::caller(), || {
            if restart == 0 {
                refuse("gmres", "it restarts after no step; 20 is a usual number");
            }
            let solve = |a: &dyn Fn(I::Tree) -> I::Tree, b: I::Tree| {
                let (b, tree) = ravel(b);
                let apply = |x: Var| ravel(a(tree(x))).0;
                let near = |x: Var| ravel(inside(|| precondition(tree(x)))).0;
                tree(minimal_residuals(self, restart, &apply, &near, b))
            };
            let solve_transposed = |a: &dyn Fn(I::Tree) -> I::Tree, b: I::Tree| {
                let (b, tree) = ravel(b);
                let apply = |x: Var| ravel(a(tree(x))).0;
                let near = |x: Var| ravel(inside(|| precondition(tree(x)))).0;
                let turned = linear_transpose(near, &b);
                tree(minimal_residuals(self, restart, &apply, &|x| turned(x), b))
            };
            custom_linear_solve(
                |x| apply(x).into_tree(),
                b.into_tree(),
                solve,
                solve_transposed,
            )
        })
    }

    fn solved<I, A>(
        self,
        apply: impl Fn(I::Tree) -> A,
        precondition: impl Fn(I::Tree) -> I::Tree,
        b: I,
        method: fn(Krylov, Apply<'_>, Apply<'_>, Var) -> Var,
    ) -> I::Tree
    where
        I: IntoTree,
        I::Tree: IntoTree<Tree = I::Tree>,
        A: IntoTree<Tree = I::Tree>,
    {
        let solve = |a: &dyn Fn(I::Tree) -> I::Tree, b: I::Tree| {
            let (b, tree) = ravel(b);
            let apply = |x: Var| ravel(a(tree(x))).0;
            let near = |x: Var| ravel(inside(|| precondition(tree(x)))).0;
            tree(method(self, &apply, &near, b))
        };
        custom_linear_solve(|x| apply(x).into_tree(), b.into_tree(), solve, solve)
    }

    /// Whether a step remains to be done.
    fn goes_on(self, left: Var, b: Var, steps: Var) -> Var {
        let limit = (b.dot(b).sqrt() * self.rtol).maximum(self.atol);
        left.dot(left).sqrt().gt(limit) & steps.lt(self.max_steps)
    }
}

fn conjugate_gradients(k: Krylov, apply: Apply<'_>, near: Apply<'_>, b: Var) -> Var {
    let first = near(b);
    let start = (b * 0.0, b, first, b.dot(first), Var::from(0i64));
    let found = while_loop(
        start,
        |(_, left, _, _, steps): (Var, Var, Var, Var, Var)| k.goes_on(left, b, steps),
        |(x, left, way, size, steps): (Var, Var, Var, Var, Var)| {
            let moved = apply(way);
            let far = size / way.dot(moved);
            let left = left - far * moved;
            let turned = near(left);
            let next = left.dot(turned);
            (
                x + far * way,
                left,
                turned + next / size * way,
                next,
                steps + 1,
            )
        },
    );
    found.0
}

fn stabilised(k: Krylov, apply: Apply<'_>, _: Apply<'_>, b: Var) -> Var {
    let (zero, one) = (b * 0.0, b.sum() * 0.0 + 1.0);
    // The solution, what is left, the way, its image, and three factors.
    let start = [zero, b, zero, zero];
    let found = while_loop(
        (start, [one, one, one], Var::from(0i64)),
        |(vectors, _, steps): ([Var; 4], [Var; 3], Var)| k.goes_on(vectors[1], b, steps),
        |([x, left, way, moved], [along, far, damp], steps): ([Var; 4], [Var; 3], Var)| {
            let next = b.dot(left);
            let way = left + next / along * (far / damp) * (way - damp * moved);
            let moved = apply(way);
            let far = next / b.dot(moved);
            let half = left - far * moved;
            let image = apply(half);
            let size = image.dot(image);
            let none = size.eq(0.0);
            let damp = none.select(0.0, image.dot(half) / none.select(1.0, size));
            let x = x + far * way + damp * half;
            (
                [x, half - damp * image, way, moved],
                [next, far, damp],
                steps + 1,
            )
        },
    );
    found.0[0]
}

fn minimal_residuals(k: Krylov, restart: usize, apply: Apply<'_>, near: Apply<'_>, b: Var) -> Var {
    let n = b.shape()[0];
    let m = restart.min(n);
    if n == 0 {
        return b;
    }
    let places = arange(m as i64 + 1);
    let start = (b * 0.0, b, Var::from(0i64));
    let found = while_loop(
        start,
        |(_, left, steps): (Var, Var, Var)| k.goes_on(left, b, steps),
        |(x, left, steps): (Var, Var, Var)| {
            let size = left.dot(left).sqrt();
            let zeros = |dims: &[usize]| Var::zeros(&Type::new(b.dtype(), dims));
            let rows = zeros(&[m + 1, n]).at_set(0, left / size);
            // Row `j` of `h` is what step `j` found along each of the directions.
            let state = (rows, zeros(&[m, m + 1]));
            let (rows, h) = fori(0..m, state, |j, (rows, h): (Var, Var)| {
                let image = apply(near(rows.at(j)));
                let first = rows.dot(image);
                let rest = image - first.dot(rows);
                let second = rows.dot(rest);
                let rest = rest - second.dot(rows);
                let length = rest.dot(rest).sqrt();
                // Nothing but rounding is left: the space is exhausted.
                let least = image.dot(image).sqrt() * (4.0 * rounding(b));
                let none = length.le(least);
                let next = none.select(0.0, rest / none.select(1.0, length));
                let along = first + second + places.eq(j + 1).select(none.select(0.0, length), 0.0);
                (rows.at_set(j + 1, next), h.at_set(j, along))
            });
            // A direction that was not needed has an equation of its own.
            let unused = h.abs().sum_axis(1).eq(0.0);
            let own = places.eq(arange(m as i64).expand_dims(1));
            let h = (own & unused.expand_dims(1)).select(1.0, h);
            let right = places.eq(0).select(size, 0.0);
            let y = unused.select(0.0, h.t().lstsq(right));
            let x = x + near(y.dot(rows.at(0..m)));
            (x, b - apply(x), steps + m as i64)
        },
    );
    found.0
}

/// The distance of 1 to the next number.
fn rounding(x: Var) -> f64 {
    match x.dtype() {
        crate::DType::F32 => f32::EPSILON.into(),
        _ => f64::EPSILON,
    }
}
