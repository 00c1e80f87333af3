//! Differential equations: one, and ensembles of them.

use std::array::from_fn;
use std::f64::consts::PI;

use wengert::prelude::*;

use crate::inputs::{linspace, u};
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    let mut all = vec![
        Workload::of("ode/lorenz_1", || {
            let f = jit(|p| lorenz(p, 1000).0);
            let p = LORENZ.map(Array::from);
            (f, p)
        }),
        Workload::of("ode/lorenz_grad_1", || {
            let f = jit(grad(lorenz_loss));
            let p = LORENZ.map(Array::from);
            (f, p)
        }),
    ];
    all.extend([16, 1000, 10_000].map(|n| {
        Workload::of(format!("ode/lorenz_{n}"), move || {
            let f = jit(vmap(|p| lorenz(p, 1000).0));
            let p = lorenz_parameters(n);
            (f, p)
        })
    }));
    all.extend([16, 1000].map(|n| {
        Workload::of(format!("ode/lorenz_grad_{n}"), move || {
            let f = jit(vmap(grad(lorenz_loss)));
            let p = lorenz_parameters(n);
            (f, p)
        })
    }));
    all.push(
        Workload::of("ode/vanderpol_adaptive_1000", || {
            let f = jit(vmap(|mu| van_der_pol(mu, [2.0, 0.0].map(Var::from))));
            let mu = Array::from(van_der_pol_parameters(20.0));
            (f, mu)
        })
        .with_steps(200.0),
    );
    all.push(
        Workload::of("ode/vanderpol_adaptive_grad_1000", || {
            let end = |p: Var| van_der_pol(p.at(0), [p.at(1), p.at(2)])[0];
            (jit(vmap(grad(end))), van_der_pol_starts())
        })
        .with_steps(173.0),
    );
    all.push(
        Workload::of("ode/vanderpol_adaptive_jacfwd_1000", || {
            let end = |p: Var| van_der_pol(p.at(0), [p.at(1), p.at(2)])[0];
            (jit(vmap(jacfwd(end))), van_der_pol_starts())
        })
        .with_steps(173.0),
    );
    all.push(Workload::of("ode/kuramoto_100x120", || {
        let natural: Vec<f64> = u(100, 0).iter().map(|u| u - 0.5).collect();
        let start: Vec<f64> = u(100, 3).iter().map(|u| 2.0 * PI * u).collect();
        let (natural, start) = (Array::from(natural), Array::from(start));
        let f = jit(vmap(move |k| kuramoto(k, &natural, &start)));
        let couplings = Array::from(linspace(0.0, 2.0, 120));
        (f, couplings)
    }));
    all
}

/// Takes one step of the classical Runge-Kutta method.
pub fn rk4<const N: usize>(f: impl Fn([Var; N]) -> [Var; N], s: [Var; N], h: f64) -> [Var; N] {
    let along = |a: f64, k: [Var; N]| from_fn(|i| s[i] + a * k[i]);
    let k1 = f(s);
    let k2 = f(along(h / 2.0, k1));
    let k3 = f(along(h / 2.0, k2));
    let k4 = f(along(h, k3));
    from_fn(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

const LORENZ: [f64; 3] = [10.0, 28.0, 8.0 / 3.0];

/// Runs the Lorenz system: returns its last state, and the first coordinate after every step.
pub fn lorenz([sigma, rho, beta]: [Var; 3], steps: usize) -> ([Var; 3], Var) {
    let f = |[x, y, z]: [Var; 3]| [sigma * (y - x), x * (rho - z) - y, x * y - beta * z];
    scan([1.0; 3], 0..steps, |s, _| {
        let next = rk4(f, s, 0.01);
        (next, next[0])
    })
}

fn lorenz_loss(p: [Var; 3]) -> Var {
    lorenz(p, 1000).1.square().mean()
}

pub fn lorenz_parameters(n: usize) -> [Array; 3] {
    from_fn(|i| {
        let spread = u(n, i);
        let all: Vec<f64> = spread
            .iter()
            .map(|u| LORENZ[i] * (1.0 + 0.01 * u))
            .collect();
        Array::from(all)
    })
}

/// Coefficients of the Dormand-Prince method, of fifth order: its stages, the last of which is the step, and
/// the difference of the step from one of fourth order.
const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[
        19372.0 / 6561.0,
        -25360.0 / 2187.0,
        64448.0 / 6561.0,
        -212.0 / 729.0,
    ],
    &[
        9017.0 / 3168.0,
        -355.0 / 33.0,
        46732.0 / 5247.0,
        49.0 / 176.0,
        -5103.0 / 18656.0,
    ],
    &[
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
    ],
];
const ERROR: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];

/// Returns a thousand values of `mu` from 0.1 to `last`.
fn van_der_pol_parameters(last: f64) -> Vec<f64> {
    let exponents = linspace(0.0, 1.0, 1000);
    let mu = exponents.iter().map(|t| 0.1 * (last / 0.1).powf(*t));
    mu.collect()
}

/// Returns a thousand values of `mu`, each with a start. They are smaller than above, because the derivative
/// depends on the rounding of single operations for a large `mu`.
fn van_der_pol_starts() -> Array {
    let mu = van_der_pol_parameters(5.0);
    let starts: Vec<[f64; 3]> = mu.iter().map(|mu| [*mu, 2.0, 0.0]).collect();
    Array::from(starts)
}

/// Runs Van der Pol's oscillator to time 20: elements need very different numbers of steps.
fn van_der_pol(mu: Var, start: [Var; 2]) -> [Var; 2] {
    adaptive(
        |[x, v]: [Var; 2]| [v, mu * (1.0 - x.square()) * v - x],
        start,
        20.0,
    )
}

/// Solves a differential equation from time 0, with steps that keep a tolerance of 1e-6.
pub fn adaptive(f: impl Fn([Var; 2]) -> [Var; 2], start: [Var; 2], end: f64) -> [Var; 2] {
    let step = |(t, h, y): (Var, Var, [Var; 2])| {
        let h = h.min(end - t);
        let mut slopes = vec![f(y)];
        let mut z = y;
        for row in STAGES {
            z = from_fn(|j| y[j] + h * combined(row, &slopes, j));
            slopes.push(f(z));
        }
        let part = |j: usize| {
            let scale = 1e-6 + 1e-6 * y[j].abs().max(z[j].abs());
            (h * combined(&ERROR, &slopes, j) / scale).square()
        };
        let error = ((part(0) + part(1)) / 2.0).sqrt();
        let good = error.le(1.0);
        let factor = (0.9 * error.max(1e-10).powf(-0.2)).clamp(0.2, 5.0);
        let next = from_fn(|j| good.select(z[j], y[j]));
        (good.select(t + h, t), h * factor, next)
    };
    while_loop((0.0, 0.01, start), |(t, _, _)| t.lt(end), step).2
}

/// Returns the weighted sum of the slopes' `j`-th coordinates.
fn combined(weights: &[f64], slopes: &[[Var; 2]], j: usize) -> Var {
    weights.iter().zip(slopes).map(|(&w, k)| w * k[j]).sum()
}

/// Returns the degree of synchronisation of 100 oscillators, coupled all to all, after 1,000 steps.
fn kuramoto(coupling: Var, natural: &Array, start: &Array) -> Var {
    let (natural, start) = (Var::from(natural), Var::from(start));
    let f = |[phase]: [Var; 1]| {
        let pairs = (phase.at(s![NewAxis, ..]) - phase.at(s![.., NewAxis])).sin();
        [natural + coupling / 100.0 * pairs.sum_axis(1)]
    };
    let [phase] = fori(0..1000, [start], |_, s| rk4(f, s, 0.05));
    (phase.cos().mean().square() + phase.sin().mean().square()).sqrt()
}
