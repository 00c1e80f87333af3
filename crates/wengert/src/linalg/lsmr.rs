//! Least squares by products with a matrix and its transpose.

use std::panic::Location;

use crate::solver::{asked_at, inside, same_trees};
use crate::tree::ravel;
use crate::{IntoTree, Tree, Var, custom_linear_solve, linear_transpose, while_loop};

/// Least squares of which only a linear function is known: `scipy.sparse.linalg.lsmr`.
///
/// [`Lsmr::solve`] finds the `x` with the smallest `|a(x) - b|² + damp² |x|²`, and of these the shortest, for a linear
/// function `a` between [trees](crate::tree). Each step takes a product with `a` and one with its transpose, which is made of
/// it. It ends as SciPy's does: when `|a(x) - b|` is at most `atol |a| |x| + btol |b|`, when the gradient is at most `atol`
/// times the product of `|a|` and what is left, when the condition is estimated above `conlim`, or after `max_steps`.
///
/// The steps are those of Fong and Saunders, *LSMR: an iterative algorithm for sparse least-squares problems* (2011). The
/// derivative is that of the equations `r + a(x) = b`, `aᵀ(r) = damp² x`.
///
/// ```
/// use wengert::linalg::Lsmr;
/// use wengert::prelude::*;
///
/// // A line through three points, without the matrix.
/// let fit = jit(|(t, y): (Var, Var)| {
///     let line = move |(a, b): (Var, Var)| a + b * t;
///     Lsmr::default().solve(line, y, (y.sum() * 0.0, y.sum() * 0.0))
/// });
/// let (a, b) = fit.call(([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]))?;
/// assert!((a.item::<f64>()? - 1.0).abs() < 1e-5 && (b.item::<f64>()? - 2.0).abs() < 1e-5);
/// # Ok::<(), wengert::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lsmr {
    /// What `x` is damped with.
    pub damp: f64,
    /// The relative error of the function.
    pub atol: f64,
    /// The relative error of `b`.
    pub btol: f64,
    /// The condition at which it ends; 0 for none.
    pub conlim: f64,
    /// The number of steps.
    pub max_steps: i64,
}

impl Default for Lsmr {
    fn default() -> Lsmr {
        Lsmr {
            damp: 0.0,
            atol: 1e-6,
            btol: 1e-6,
            conlim: 1e8,
            max_steps: 1000,
        }
    }
}

/// A linear function of vectors.
type Apply<'a> = &'a dyn Fn(Var) -> Var;

/// # Least squares by products with a matrix
///
/// `lsmr` is an [`Lsmr`], which says when it ends and what it is damped with.
impl Lsmr {
    /// The solution, a tree like `like`, of which only the types matter: `scipy.sparse.linalg.lsmr`. Derivative: that of
    /// the equations that it solves.
    ///
    /// # Errors
    /// If `apply` is not linear, its value is not a tree like `b`, or elements are not floats of one type.
    #[track_caller]
    pub fn solve<I, X, A>(self, apply: impl Fn(X::Tree) -> A, b: I, like: X) -> X::Tree
    where
        I: IntoTree,
        X: IntoTree,
        X::Tree: Tree<Leaf = Var>,
        A: IntoTree<Tree = I::Tree>,
    {
        asked_at(Location::caller(), || {
            let b = b.into_tree();
            let (zero, tree) = ravel(like.into_tree());
            let zero = zero.stop_gradient() * 0.0;
            let value = inside(|| apply(tree(zero)).into_tree());
            same_trees("lsmr", ["b", "the value of the function"], &b, &value);
            let (b, _) = ravel(b);
            let apply = |x: Var| ravel(inside(|| apply(tree(x)).into_tree())).0;
            let back = linear_transpose(apply, &zero);
            let square = self.damp * self.damp;
            let system = |(r, x): (Var, Var)| (r + apply(x), back(r) - x * square);
            let solve = |_: &dyn Fn((Var, Var)) -> (Var, Var), (f, g): (Var, Var)| {
                let x = self.least(&apply, &|r| back(r), f);
                // The part of a right-hand side that only derivatives have.
                let other = self.normal(&apply, &|r| back(r), g);
                let x = x - other;
                (f - apply(x), x)
            };
            let (_, x) = custom_linear_solve(system, (b, zero), solve, solve);
            tree(x)
        })
    }

    /// Solves the normal equations, by conjugate gradients.
    fn normal(self, apply: Apply<'_>, back: Apply<'_>, g: Var) -> Var {
        let size = g.dot(g);
        let least = size * self.atol.max(1e-15).powi(2);
        let found = while_loop(
            (g * 0.0, g, g, size, Var::from(0i64)),
            |(_, _, _, left, steps): (Var, Var, Var, Var, Var)| {
                left.gt(least) & steps.lt(self.max_steps)
            },
            |(x, left, way, size, steps): (Var, Var, Var, Var, Var)| {
                let image = apply(way);
                let bent = image.dot(image) + way.dot(way) * (self.damp * self.damp);
                let far = size / bent;
                let left = left - far * (back(image) + way * (self.damp * self.damp));
                let next = left.dot(left);
                (
                    x + far * way,
                    left,
                    left + next / size * way,
                    next,
                    steps + 1,
                )
            },
        );
        found.0
    }

    /// The steps of LSMR, in the notation of its authors.
    fn least(self, apply: Apply<'_>, back: Apply<'_>, b: Var) -> Var {
        let (u, beta) = unit(b);
        let (v, alpha) = unit(back(u));
        let (one, zero) = (beta * 0.0 + 1.0, beta * 0.0);
        let start = State {
            u,
            v,
            h: v,
            hbar: v * 0.0,
            x: v * 0.0,
            alpha,
            alphabar: alpha,
            rho: one,
            rhobar: one,
            cbar: one,
            sbar: zero,
            zeta: zero,
            zetabar: alpha * beta,
            betadd: beta,
            betad: zero,
            rhodold: one,
            tautilde: zero,
            thetatilde: zero,
            d: zero,
            size: alpha * alpha,
            most: zero,
            least: one * f64::MAX.min(1e30),
            go: (alpha * beta).gt(0.0),
            steps: Var::from(0i64),
        };
        while_loop(
            start,
            |s: State| s.go & s.steps.lt(self.max_steps),
            |s: State| self.step(apply, back, beta, s),
        )
        .x
    }

    fn step(self, apply: Apply<'_>, back: Apply<'_>, normb: Var, s: State) -> State {
        let (u, beta) = unit(apply(s.v) - s.alpha * s.u);
        let (v, alpha) = unit(back(u) - beta * s.v);
        let damp = s.alphabar * 0.0 + self.damp;
        let (chat, shat, alphahat) = orthogonal(s.alphabar, damp);
        let (c, sine, rho) = orthogonal(alphahat, beta);
        let thetanew = sine * alpha;
        let alphabar = c * alpha;
        let thetabar = s.sbar * rho;
        let rhotemp = s.cbar * rho;
        let (cbar, sbar, rhobar) = orthogonal(rhotemp, thetanew);
        let zeta = cbar * s.zetabar;
        let zetabar = -sbar * s.zetabar;
        let hbar = s.h - s.hbar * (thetabar * rho / (s.rho * s.rhobar));
        let x = s.x + (zeta / (rho * rhobar)) * hbar;
        let h = v - s.h * (thetanew / rho);
        // What is left.
        let betaacute = chat * s.betadd;
        let betacheck = -shat * s.betadd;
        let betahat = c * betaacute;
        let betadd = -sine * betaacute;
        let (ctilde, stilde, rhotilde) = orthogonal(s.rhodold, thetabar);
        let thetatilde = stilde * rhobar;
        let rhodold = ctilde * rhobar;
        let betad = -stilde * s.betad + ctilde * betahat;
        let tautilde = (s.zeta - s.thetatilde * s.tautilde) / rhotilde;
        let taud = (zeta - thetatilde * tautilde) / rhodold;
        let d = s.d + betacheck * betacheck;
        let normr = (d + (betad - taud).square() + betadd * betadd).sqrt();
        // The sizes and the condition of the function.
        let size = s.size + beta * beta;
        let norma = size.sqrt();
        let most = s.most.maximum(s.rhobar);
        let least = s.steps.gt(0).select(s.least.minimum(s.rhobar), s.least);
        let cond = most.maximum(rhotemp) / least.minimum(rhotemp);
        let (normar, normx) = (zetabar.abs(), x.dot(x).sqrt());
        let both = norma * normr;
        let test1 = normr / normb;
        let test2 = both
            .gt(0.0)
            .select(normar / both.gt(0.0).select(both, 1.0), 0.0);
        let test3 = 1.0 / cond;
        let t1 = test1 / (1.0 + norma * normx / normb);
        let rtol = self.btol + self.atol * norma * normx / normb;
        let limit = if self.conlim > 0.0 {
            1.0 / self.conlim
        } else {
            0.0
        };
        let go = test1.gt(rtol) & test2.gt(self.atol) & test3.gt(limit);
        // No more digits are to be had.
        let go = go & (1.0 + test3).gt(1.0) & (1.0 + test2).gt(1.0) & (1.0 + t1).gt(1.0);
        State {
            u,
            v,
            h,
            hbar,
            x,
            alpha,
            alphabar,
            rho,
            rhobar,
            cbar,
            sbar,
            zeta,
            zetabar,
            betadd,
            betad,
            rhodold,
            tautilde,
            thetatilde,
            d,
            size: size + alpha * alpha,
            most,
            least,
            go,
            steps: s.steps + 1,
        }
    }
}

/// What the steps carry.
#[derive(Tree, Clone, Copy)]
struct State<T = Var> {
    u: T,
    v: T,
    h: T,
    hbar: T,
    x: T,
    alpha: T,
    alphabar: T,
    rho: T,
    rhobar: T,
    cbar: T,
    sbar: T,
    zeta: T,
    zetabar: T,
    betadd: T,
    betad: T,
    rhodold: T,
    tautilde: T,
    thetatilde: T,
    d: T,
    size: T,
    most: T,
    least: T,
    go: T,
    steps: T,
}

/// A vector of the length 1, or zero, and its length before.
fn unit(x: Var) -> (Var, Var) {
    let length = x.dot(x).sqrt();
    let none = length.eq(0.0);
    (x / none.select(1.0, length), length)
}

/// The rotation that turns `(a, b)` to `(r, 0)`: its cosine and sine, and `r`.
fn orthogonal(a: Var, b: Var) -> (Var, Var, Var) {
    let r = a.hypot(b);
    let none = r.eq(0.0);
    let by = none.select(1.0, r);
    (none.select(1.0, a / by), b / by, r)
}
