//! The minimum of Rosenbrock's function, by gradient descent and by Newton's method, each a loop of unknown
//! length inside one compiled function.
//!
//! `cargo run --release --example rosenbrock`

use wengert::Result;
use wengert::prelude::*;

/// A curved valley; the minimum, 0, is at (1, 1).
fn rosenbrock(p: Var) -> Var {
    let (x, y) = (p.at(0), p.at(1));
    (1.0 - x).square() + 100.0 * (y - x.square()).square()
}

fn norm(v: Var) -> Var {
    v.dot(v).sqrt()
}

/// Repeats `p - step(p)` until a step is short, and counts the steps.
fn descend(start: Var, step: impl Fn(Var) -> Var) -> (Var, Var) {
    let (p, _, n) = while_loop(
        (start, f64::INFINITY, 0i64),
        |(_, moved, n)| moved.gt(1e-10) & n.lt(100_000),
        |(p, _, n)| {
            let d = step(p);
            (p - d, norm(d), n + 1)
        },
    );
    (p, n)
}

fn gradient_descent(start: Var) -> (Var, Var) {
    descend(start, |p| 1e-3 * grad_at(p, rosenbrock))
}

fn newton(start: Var) -> (Var, Var) {
    descend(start, |p| {
        solve(hessian(rosenbrock)(p), grad_at(p, rosenbrock))
    })
}

/// Solves two equations by Cramer's rule.
fn solve(a: Var, b: Var) -> Var {
    let det = |p: [Var; 2], q: [Var; 2]| p[0] * q[1] - p[1] * q[0];
    let [u, v, b] = [a.at(0), a.at(1), b].map(|row| [row.at(0), row.at(1)]);
    stack([det(b, [u[1], v[1]]), det([u[0], v[0]], b)]) / det(u, v)
}

fn main() -> Result<()> {
    let start = [-1.2, 1.0];
    let methods = [
        ("gradient descent", jit(gradient_descent)),
        ("Newton's method", jit(newton)),
    ];
    for (name, method) in methods {
        let (p, n) = method.call(start)?;
        println!("{name}: {p} after {n} steps");
        let off = p
            .to_vec::<f64>()?
            .iter()
            .fold(0.0, |m: f64, x| m.max((x - 1.0).abs()));
        assert!(off < 1e-6, "the minimum is at (1, 1)");
    }
    Ok(())
}
