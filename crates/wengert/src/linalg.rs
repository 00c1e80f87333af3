//! Linear algebra: what is not a method of [`Var`], the types of factors, and the exponential of matrices.
//!
//! Factorisations and systems are methods: [`Var::solve`], [`Var::cholesky`], [`Var::qr`], [`Var::eigh`],
//! [`Var::svd`], and those made of them.

mod spectral;

use std::panic::Location;

pub use spectral::{funm_symmetric, spectral_sum};
pub use wengert_ir::num::linalg::{
    Cho, Lstsq, Lu, Triangular, block_diag, hankel, multi_dot, toeplitz,
};

use crate::solver::{asked_at, inside, refuse};
use crate::tree::ravel;
use crate::{DType, IntoTree, Var, custom_linear_solve, eye, fori, vmap, while_loop};

/// The largest 1-norm for which the approximation is as accurate as `f64` (Higham 2005).
const NEAR: f64 = 5.371_920_351_148_152;

/// The coefficients of the numerator of the approximation of degree 13.
const NUMERATOR: [f64; 14] = [
    64_764_752_532_480_000.0,
    32_382_376_266_240_000.0,
    7_771_770_303_897_600.0,
    1_187_353_796_428_800.0,
    129_060_195_264_000.0,
    10_559_470_521_600.0,
    670_442_572_800.0,
    33_522_128_640.0,
    1_323_241_920.0,
    40_840_800.0,
    960_960.0,
    16_380.0,
    182.0,
    1.0,
];

/// The exponential of square matrices in the last two axes: `scipy.linalg.expm`. Padé's approximation of a part of the
/// matrix is squared as often as its norm requires: Higham, *The scaling and squaring method for the matrix exponential
/// revisited* (2005). Derivative: that of the approximation and the squares.
///
/// # Errors
/// If the last two axes differ in length, or the elements are no floats.
///
/// ```
/// use wengert::linalg::expm;
/// use wengert::prelude::*;
///
/// let f = jit(|a: Var| expm(a));
/// let turn = f.call([[0.0, -1.0], [1.0, 0.0]])?;
/// let (c, s) = (1f64.cos(), 1f64.sin());
/// assert!(turn.all_close(&Array::from([[c, -s], [s, c]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn expm(a: Var) -> Var {
    let ty = a.ty();
    let dims = a.shape();
    if !ty.is_float() {
        refuse(
            "expm",
            format!("{ty} is not an array of floats; convert it first, as in `x.to(DType::F64)`"),
        );
    }
    let [batch @ .., m, n] = &dims[..] else {
        refuse("expm", format!("{ty} is not a matrix"));
    };
    if m != n {
        refuse("expm", format!("{ty} is not a square matrix"));
    }
    if dims.contains(&0) {
        return a;
    }
    let place = Location::caller();
    asked_at(place, || match batch {
        [] => of_one(a, place),
        _ => {
            let count: usize = batch.iter().product();
            let all = a.reshape([count, *m, *m].map(|n| n as i64));
            let each = vmap(move |a: Var| asked_at(place, || of_one(a, place)))(all);
            let dims: Vec<i64> = dims.iter().map(|&n| n as i64).collect();
            each.reshape(dims)
        }
    })
}

fn of_one(a: Var, place: &'static Location<'static>) -> Var {
    let n = a.shape()[0];
    let norm = a.stop_gradient().abs().sum_axis(0).amax();
    let squares = (norm / NEAR).log2().ceil().clip(0.0, 1100.0);
    let x = a * (-squares).exp2();
    let one = eye(n).to(a.dtype());
    let x2 = x.matmul(x);
    let x4 = x2.matmul(x2);
    let x6 = x4.matmul(x2);
    // The powers of one parity, from `first` on: the upper three have the factor x⁶.
    let part = |first: usize| {
        let b = |k: usize| NUMERATOR[first + 2 * k];
        let high = x6 * b(6) + x4 * b(5) + x2 * b(4);
        x6.matmul(high) + x6 * b(3) + x4 * b(2) + x2 * b(1) + one * b(0)
    };
    let (odd, even) = (x.matmul(part(1)), part(0));
    let near = (even - odd).solve(even + odd);
    fori(..squares.to(DType::I64), near, |_, y: Var| {
        asked_at(place, || y.matmul(y))
    })
}

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
