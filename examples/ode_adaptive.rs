//! The dependence of an oscillator's final state on its stiffness: van der Pol's equation, solved with adaptive
//! steps and differentiated in reverse mode through the loop that chooses them, for a whole batch at once. Each
//! element of the batch takes as many steps as it needs.
//!
//! `cargo run --release --example ode_adaptive`

use wengert::Result;
use wengert::prelude::*;

/// x'' = μ (1 - x²) x' - x
fn van_der_pol(mu: Var, [x, v]: [Var; 2]) -> [Var; 2] {
    [v, mu * (1.0 - x.square()) * v - x]
}

/// Takes a step of the Bogacki-Shampine method, of third order, and estimates its error.
fn step(f: impl Fn([Var; 2]) -> [Var; 2], s: [Var; 2], h: Var) -> ([Var; 2], Var) {
    let at = |k: &dyn Fn(usize) -> Var| [0, 1].map(|i| s[i] + h * k(i));
    let k1 = f(s);
    let k2 = f(at(&|i| 0.5 * k1[i]));
    let k3 = f(at(&|i| 0.75 * k2[i]));
    let next = at(&|i| (2.0 * k1[i] + 3.0 * k2[i] + 4.0 * k3[i]) / 9.0);
    let k4 = f(next);
    let off = |i| h * (-5.0 * k1[i] + 6.0 * k2[i] + 8.0 * k3[i] - 9.0 * k4[i]) / 72.0;
    (next, (off(0).square() + off(1).square()).sqrt())
}

/// Returns the position at time `end`, to about `tolerance` per step, and the number of steps tried.
fn solve(mu: Var, end: f64, tolerance: f64) -> (Var, Var) {
    let start = ([2.0, 0.0], 0.0, 0.01, 0i64);
    let (s, _, _, tried) = while_loop(
        start,
        |(_, t, _, _)| t.lt(end),
        |(s, t, h, tried)| {
            let (next, error) = step(|s| van_der_pol(mu, s), s, h);
            let good = error.le(tolerance);
            let keep = |a: Var, b: Var| good.select(a, b);
            let factor = 0.9 * (tolerance / (error + 1e-30)).powf(1.0 / 3.0);
            let t = keep(t + h, t);
            // The choice of the step size is no part of the derivative.
            let h = stop_gradient(h * factor.clamp(0.2, 5.0)).min(end - t);
            ([keep(next[0], s[0]), keep(next[1], s[1])], t, h, tried + 1)
        },
    );
    (s[0], tried)
}

fn main() -> Result<()> {
    let (end, tolerance) = (10.0, 1e-8);
    let slope = move |mu| value_and_grad_aux(|mu| solve(mu, end, tolerance))(mu);
    let mu: Vec<f64> = (0..8).map(|i| 0.5 + 0.5 * i as f64).collect();
    let ((x, steps), dx) = jit(vmap(slope)).call(&mu)?;

    // Compare with finite differences.
    let h = 1e-4;
    let solve = jit(vmap(move |mu| solve(mu, end, tolerance).0));
    let moved = |h: f64| solve.call(mu.iter().map(|m| m + h).collect::<Vec<_>>());
    let (above, below) = (moved(h)?.to_vec::<f64>()?, moved(-h)?.to_vec::<f64>()?);

    println!("  μ      x(10)       dx/dμ     by differences  steps");
    let (x, dx, steps) = (
        x.to_vec::<f64>()?,
        dx.to_vec::<f64>()?,
        steps.to_vec::<i64>()?,
    );
    for i in 0..mu.len() {
        let difference = (above[i] - below[i]) / (2.0 * h);
        println!(
            "{:>3} {:>11.6} {:>12.6} {difference:>12.6} {:>8}",
            mu[i], x[i], dx[i], steps[i]
        );
        assert!((dx[i] - difference).abs() < 1e-3 * (1.0 + difference.abs()));
    }
    Ok(())
}
