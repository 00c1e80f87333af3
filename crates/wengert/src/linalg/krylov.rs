//! Linear systems of which only products with the matrix are known.

use std::panic::Location;

use wengert_ir::ir::Type;

use crate::solver::{asked_at, inside, refuse};
use crate::tree::ravel;
use crate::{IntoTree, Var, arange, custom_linear_solve, linear_transpose, while_loop};

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

    /// [`Krylov::bicgstab`] with a preconditioner: a linear function near the inverse of `apply`. It is applied from the
    /// right, so that what is left is that of the system itself; its transpose serves the derivative.
    ///
    /// # Errors
    /// As [`custom_linear_solve`], and if the preconditioner is not linear.
    ///
    /// ```
    /// use wengert::linalg::Krylov;
    /// use wengert::prelude::*;
    ///
    /// // Springs of very different strengths, by the strengths alone.
    /// let f = jit(|(k, b): (Var, Var)| {
    ///     let apply = move |x: Var| k * x - x.roll(1, 0);
    ///     Krylov::default().bicgstab_with(apply, move |r| r / k, b)
    /// });
    /// let x = f.call(([1e6, 10.0, 1e3], [999_999.0, 9.0, 999.0]))?;
    /// assert!(x.all_close(&Array::from([1.0, 1.0, 1.0]), 1e-9, 1e-9));
    /// # Ok::<(), wengert::Error>(())
    /// ```
    #[track_caller]
    pub fn bicgstab_with<I, A>(
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
            let method =
                |apply: Apply<'_>, near: Apply<'_>, b: Var| stabilised(self, apply, near, b);
            turned(apply, precondition, b, &method)
        })
    }

    /// Generalised minimal residuals, restarted after `restart` steps, for a function with any regular matrix:
    /// `scipy.sparse.linalg.gmres`. Each step takes one product with the matrix, and the memory of one vector; up to
    /// `restart` of them are kept orthogonal (Saad and Schultz, 1986; each is orthogonalised twice). What is left is known after
    /// every step, and ends it.
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
            let method = |apply: Apply<'_>, near: Apply<'_>, b: Var| {
                minimal_residuals(self, restart, apply, near, b)
            };
            turned(apply, precondition, b, &method)
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

    /// The length of what may be left.
    fn limit(self, b: Var) -> Var {
        (b.dot(b).sqrt() * self.rtol).maximum(self.atol)
    }

    /// Whether a step remains to be done.
    fn goes_on(self, left: Var, b: Var, steps: Var) -> Var {
        left.dot(left).sqrt().gt(self.limit(b)) & steps.lt(self.max_steps)
    }
}

/// Solves a system by a method with a preconditioner, and the transposed one with its transpose.
#[track_caller]
fn turned<I, A>(
    apply: impl Fn(I::Tree) -> A,
    precondition: impl Fn(I::Tree) -> I::Tree,
    b: I,
    method: &dyn Fn(Apply<'_>, Apply<'_>, Var) -> Var,
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
        tree(method(&apply, &near, b))
    };
    let solve_transposed = |a: &dyn Fn(I::Tree) -> I::Tree, b: I::Tree| {
        let (b, tree) = ravel(b);
        let apply = |x: Var| ravel(a(tree(x))).0;
        let near = |x: Var| ravel(inside(|| precondition(tree(x)))).0;
        let back = linear_transpose(near, &b);
        tree(method(&apply, &|x| back(x), b))
    };
    custom_linear_solve(
        |x| apply(x).into_tree(),
        b.into_tree(),
        solve,
        solve_transposed,
    )
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

fn stabilised(k: Krylov, apply: Apply<'_>, near: Apply<'_>, b: Var) -> Var {
    let (zero, one) = (b * 0.0, b.sum() * 0.0 + 1.0);
    // The solution, what is left, the way, its image, and three factors.
    let start = [zero, b, zero, zero];
    let found = while_loop(
        (start, [one, one, one], Var::from(0i64)),
        |(vectors, _, steps): ([Var; 4], [Var; 3], Var)| k.goes_on(vectors[1], b, steps),
        |([x, left, way, moved], [along, far, damp], steps): ([Var; 4], [Var; 3], Var)| {
            let next = b.dot(left);
            let way = left + next / along * (far / damp) * (way - damp * moved);
            let turned = near(way);
            let moved = apply(turned);
            let far = next / b.dot(moved);
            let half = left - far * moved;
            let rest = near(half);
            let image = apply(rest);
            let size = image.dot(image);
            let none = size.eq(0.0);
            let damp = none.select(0.0, image.dot(half) / none.select(1.0, size));
            let x = x + far * turned + damp * rest;
            (
                [x, half - damp * image, way, moved],
                [next, far, damp],
                steps + 1,
            )
        },
    );
    found.0[0]
}

/// A cycle ends where what is left is small enough, which the rotations that make the system of its directions triangular tell
/// without another product (Saad and Schultz, SIAM J. Sci. Stat. Comput. 7, 1986). Their product is kept as a matrix.
fn minimal_residuals(k: Krylov, restart: usize, apply: Apply<'_>, near: Apply<'_>, b: Var) -> Var {
    let n = b.shape()[0];
    let m = restart.min(n);
    if n == 0 {
        return b;
    }
    let limit = k.limit(b);
    let places = arange(m as i64 + 1);
    let start = (b * 0.0, b, Var::from(0i64));
    let found = while_loop(
        start,
        |(_, left, steps): (Var, Var, Var)| k.goes_on(left, b, steps),
        |(x, left, steps): (Var, Var, Var)| {
            let size = left.dot(left).sqrt();
            let zeros = |dims: &[usize]| Var::zeros(&Type::new(b.dtype(), dims));
            let one = size * 0.0 + 1.0;
            let turns = places.expand_dims(1).eq(places).select(one, 0.0);
            // The directions, the columns of the triangle as rows, the rotations, and the number of directions.
            let state = (
                zeros(&[m + 1, n]).at_set(0, left / size),
                zeros(&[m, m]),
                turns,
                size,
                Var::from(0i64),
            );
            let (rows, triangle, turns, _, used) = while_loop(
                state,
                |(_, _, _, rest, j): (Var, Var, Var, Var, Var)| {
                    rest.gt(limit) & j.lt(m as i64) & (steps + j).lt(k.max_steps)
                },
                |(rows, triangle, turns, _, j): (Var, Var, Var, Var, Var)| {
                    let image = apply(near(rows.at(j)));
                    // Twice along each direction: what rounding leaves of the first time would spoil the system.
                    let (rest, along, _) = while_loop(
                        (image, zeros(&[m + 1]), Var::from(0i64)),
                        |(_, _, i): (Var, Var, Var)| i.lt(2 * (j + 1)),
                        |(rest, along, i): (Var, Var, Var)| {
                            let direction = i.gt(j).select(i - (j + 1), i);
                            let row = rows.at(direction);
                            let part = row.dot(rest);
                            (rest - part * row, along.at_add(direction, part), i + 1)
                        },
                    );
                    let length = rest.dot(rest).sqrt();
                    // Nothing but rounding is left: the space is exhausted.
                    let least = image.dot(image).sqrt() * (4.0 * rounding(b));
                    let none = length.le(least);
                    let next = none.select(0.0, rest / none.select(1.0, length));
                    let below = none.select(0.0, length);
                    // The column by the rotations so far, and one that makes what is below the diagonal zero.
                    let column = turns.dot(along);
                    let (upper, lower) = (turns.at(j), turns.at(j + 1));
                    let diagonal = column.at(j);
                    let long = (diagonal * diagonal + below * below).sqrt();
                    let flat = long.eq(0.0);
                    let by = flat.select(1.0, long);
                    let (c, s) = (flat.select(1.0, diagonal / by), below / by);
                    let turns = turns
                        .at_set(j, c * upper + s * lower)
                        .at_set(j + 1, c * lower - s * upper);
                    let column = places.slice_axis(0, 0..m as i64).eq(j).select(
                        long,
                        places
                            .slice_axis(0, 0..m as i64)
                            .lt(j)
                            .select(column.slice_axis(0, 0..m as i64), 0.0),
                    );
                    let rest = (turns.at(j + 1).at(0) * size).abs();
                    (
                        rows.at_set(j + 1, next),
                        triangle.at_set(j, column),
                        turns,
                        rest,
                        j + 1,
                    )
                },
            );
            // A direction that was not needed has an equation of its own.
            let unused = triangle.diagonal().eq(0.0);
            let own = places
                .slice_axis(0, 0..m as i64)
                .eq(arange(m as i64).expand_dims(1));
            let triangle = (own & unused.expand_dims(1)).select(1.0, triangle);
            let right = turns.at((0..m as i64, 0)) * size;
            let y = triangle.t().solve_upper(unused.select(0.0, right));
            let x = x + near(y.dot(rows.at(0..m)));
            (x, b - apply(x), steps + used)
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
