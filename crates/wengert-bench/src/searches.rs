//! Loops that run until something is found, and gradients through them.

use wengert::prelude::*;

use crate::inputs::u;
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("search/divisors_30000", || {
            let numbers: Vec<i64> = (2..30_000).collect();
            (jit(vmap(smallest_divisor)), Array::from(numbers))
        })
        .with_steps(1_700.0),
        Workload::of("search/kepler_grad_1000", || {
            let e: Vec<f64> = u(1000, 0).iter().map(|u| 0.9 * u).collect();
            let m: Vec<f64> = u(1000, 3).iter().map(|u| 0.1 + 3.0 * u).collect();
            let slopes = vmap(grad(|(e, m)| anomaly(e, m)));
            (jit(slopes), (Array::from(e), Array::from(m)))
        })
        .with_steps(5.0),
        Workload::of("search/implicit_grad_1000", || {
            let k: Vec<f64> = u(1000, 0).iter().map(|u| 1.0 + 50.0 * u).collect();
            let y: Vec<f64> = u(1000, 3).iter().map(|u| 2.0 * u).collect();
            let slopes = vmap(grad(|(k, y)| implicit_euler(k, y)));
            (jit(slopes), (Array::from(k), Array::from(y)))
        })
        .with_steps(5.0),
    ]
}

/// Returns the smallest divisor above 1, which is the number itself for a prime.
fn smallest_divisor(n: Var) -> Var {
    while_loop(2i64, |d| (n % d).ne(0), |d| d + 1).to(DType::F64)
}

/// Solves Kepler's equation, `x - e sin x = m`, by Newton's method.
fn anomaly(e: Var, m: Var) -> Var {
    let newton = |x: Var| x - (x - e * x.sin() - m) / (1.0 - e * x.cos());
    let (x, _) = while_loop(
        (newton(m), m),
        |(x, before)| (x - before).abs().gt(1e-12),
        |(x, _)| (newton(x), x),
    );
    x
}

/// Takes 100 steps of the implicit Euler method for `y' = -k (y³ - cos t)`, each by Newton's method.
fn implicit_euler(k: Var, y: Var) -> Var {
    let h = 0.05;
    fori(0..100, y, |i, y| {
        let t = h * (i + 1).to(DType::F64);
        let newton = |z: Var| {
            let residual = z - y + h * k * (z * z * z - t.cos());
            z - residual / (1.0 + 3.0 * h * k * z * z)
        };
        let (z, _) = while_loop(
            (newton(y), y),
            |(z, before)| (z - before).abs().gt(1e-10),
            |(z, _)| (newton(z), z),
        );
        z
    })
}
