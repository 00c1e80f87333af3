//! Least squares of linear functions, without their matrices.

use wengert::prelude::*;

/// Solves `min |A x - b|² + damping² |x|²` by LSMR: Fong and Saunders, *LSMR: an iterative algorithm for sparse
/// least-squares problems* (2011). `push` is `A`, and `pull` its transpose. It ends when the gradient is smaller by
/// `tolerance`, or after `limit` steps; returns `x`, the paper's estimate of the norm of `A`, and the number of steps.
pub(super) fn lsmr(
    push: &dyn Fn(Var) -> Var,
    pull: &dyn Fn(Var) -> Var,
    b: Var,
    damping: Var,
    tolerance: Var,
    limit: i64,
) -> (Var, Var, Var) {
    let beta = length(b);
    let u = b / nonzero(beta);
    let v = pull(u);
    let alpha = length(v);
    let v = v / nonzero(alpha);
    let one = ones_like(beta);
    let zero = zeros_like(beta);
    let first = Bidiagonal {
        x: zeros_like(v),
        u,
        v,
        h: v,
        h_bar: zeros_like(v),
        alpha,
        alpha_bar: alpha,
        zeta_bar: alpha * beta,
        rho: one,
        rho_bar: one,
        c_bar: one,
        s_bar: zero,
        squares: alpha.square(),
        steps: Var::from(0i64),
    };
    let enough = tolerance * (alpha * beta);
    let goes_on = |s: Bidiagonal| s.zeta_bar.abs().gt(enough) & s.steps.lt(limit);
    let last = while_loop(first, goes_on, |s: Bidiagonal| {
        let u = push(s.v) - s.alpha * s.u;
        let beta = length(u);
        let u = u / nonzero(beta);
        let v = pull(u) - beta * s.v;
        let alpha = length(v);
        let v = v / nonzero(alpha);
        let (_, _, alpha_hat) = rotation(s.alpha_bar, damping);
        let (c, sine, rho) = rotation(alpha_hat, beta);
        let theta = sine * alpha;
        let theta_bar = s.s_bar * rho;
        let (c_bar, s_bar, rho_bar) = rotation(s.c_bar * rho, theta);
        let zeta = c_bar * s.zeta_bar;
        let h_bar = s.h - s.h_bar * (theta_bar * rho / (s.rho * s.rho_bar));
        Bidiagonal {
            x: s.x + zeta / (nonzero(rho) * nonzero(rho_bar)) * h_bar,
            u,
            v,
            h: v - s.h * (theta / nonzero(rho)),
            h_bar,
            alpha,
            alpha_bar: c * alpha,
            zeta_bar: -s_bar * s.zeta_bar,
            rho: nonzero(rho),
            rho_bar: nonzero(rho_bar),
            c_bar,
            s_bar,
            squares: s.squares + beta.square() + alpha.square(),
            steps: s.steps + 1,
        }
    });
    (last.x, last.squares.sqrt(), last.steps)
}

/// The state of the bidiagonalisation and of the two factorisations, by the names of the paper.
#[derive(Tree, Clone, Copy)]
struct Bidiagonal<T = Var> {
    x: T,
    u: T,
    v: T,
    h: T,
    h_bar: T,
    alpha: T,
    alpha_bar: T,
    zeta_bar: T,
    rho: T,
    rho_bar: T,
    c_bar: T,
    s_bar: T,
    /// The sum of the squares of all `alpha` and `beta`.
    squares: T,
    steps: T,
}

pub(super) fn length(x: Var) -> Var {
    x.square().sum().sqrt()
}

fn nonzero(x: Var) -> Var {
    x.ne(0.0).select(x, 1.0)
}

/// The rotation of `(a, b)` to `(r, 0)`: its cosine, sine, and `r`.
fn rotation(a: Var, b: Var) -> (Var, Var, Var) {
    let r = a.hypot(b);
    let by = nonzero(r);
    (r.ne(0.0).select(a / by, 1.0), b / by, r)
}
