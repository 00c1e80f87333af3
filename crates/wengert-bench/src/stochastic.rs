//! Stochastic equations and equations with delays, by the solvers.

use std::f64::consts::PI;

use wengert::prelude::*;
use wengert_solve::de::sde::{Diagonal, Scheme, Sde};
use wengert_solve::de::{Dde, Network, Tsit5};

use crate::inputs::{array, linspace, u};
use crate::measure::Workload;

/// Paths, and steps of each.
const PATHS: usize = 10_000;
const STEPS: usize = 1_000;

/// Regions, and couplings.
const N: usize = 84;
const SETS: usize = 20;

pub fn workloads() -> Vec<Workload> {
    let mut all = vec![];
    for (name, scheme) in [
        ("euler", Scheme::EulerMaruyama),
        ("milstein", Scheme::Milstein),
        ("sri1", Scheme::Sri1),
    ] {
        all.push(Workload::of(
            format!("de_sde/gbm_{name}_10000x1000"),
            move || {
                let end = move |key: Key| {
                    let sde = Sde::ito(|_, x: Var| 0.1 * x, Diagonal(|_, x: Var| 0.3 * x));
                    scheme.steps(STEPS).solve(&sde, 1.0, 0.0, 1.0, key).y
                };
                paths(end)
            },
        ));
    }
    all.push(Workload::of("de_sde/ou_sra1_10000x1000", || {
        paths(|key: Key| {
            let sde = Sde::ito(|_, x: Var| -x, Diagonal(|_, x: Var| full_like(x, 0.5)));
            Scheme::Sra1.steps(STEPS).solve(&sde, 1.0, 0.0, 1.0, key).y
        })
    }));
    // What the draws of Euler's paths take by themselves.
    all.push(Workload::of("de_sde/draws_10000x1000", || {
        paths(|key: Key| key.normal([STEPS]).sum())
    }));
    all.push(Workload::of("de_sde/gbm_adaptive_10000", || {
        paths(|key: Key| {
            let sde = Sde::ito(|_, x: Var| 0.1 * x, Diagonal(|_, x: Var| 0.3 * x));
            let solver = Scheme::Milstein.adaptive().rtol(1e-3).atol(1e-5);
            solver.solve(&sde, 1.0, 0.0, 1.0, key).y
        })
    }));
    // The gradient of the mean by drift, noise and start.
    all.push(Workload::of("de_sde/gbm_grad_10000x1000", || {
        let mean = |p: [Var; 3], key: Key| {
            let end = move |key: Key| {
                let [a, b, x0] = p;
                let sde = Sde::ito(move |_, x: Var| a * x, Diagonal(move |_, x: Var| b * x));
                let steps = Scheme::EulerMaruyama.steps(STEPS);
                steps.solve(&sde, x0, 0.0, 1.0, key).y
            };
            vmap(end)(key.split_into(PATHS)).mean()
        };
        let f = jit(move |(p, key): ([Var; 3], Key)| value_and_grad_at(p, |p| mean(p, key)));
        (f, ([0.1, 0.3, 1.0].map(Array::from), Key::from_seed(0)))
    }));
    all.push(Workload::of("de_delay/oscillators_84x20", || {
        let f = jit(|(matrix, delays, start, k): (Var, Var, Var, Var)| {
            vmap(move |k| oscillators(matrix, delays, start, k))(k)
        });
        let couplings = Array::from(linspace(0.0, 1.0, SETS));
        (f, (array([N, N], 0), delays(), phases(), couplings))
    }));
    all.push(Workload::of("de_delay/logistic_1000", || {
        let end = |r: Var| {
            let rate = move |_, y: Var, past: Vec<Var>| r * y * (1.0 - past[0]);
            let solver = Dde::new(Tsit5).rtol(1e-6).atol(1e-8);
            solver
                .solve(rate, [1.0], |_: Var| Var::from(0.5), 0.0, 20.0)
                .y
        };
        let rates = linspace(0.5, 2.0, 1000);
        (jit(vmap(end)), Array::from(rates))
    }));
    all
}

/// A function of a key for each path.
fn paths(end: impl Fn(Key) -> Var + Copy + Send + Sync + 'static) -> (Jit<Key, Var>, Key<Array>) {
    let f = jit(move |key: Key| vmap(end)(key.split_into(PATHS)));
    (f, Key::from_seed(0))
}

fn phases() -> Array {
    let phases: Vec<f64> = u(N, 3).iter().map(|u| 2.0 * PI * u).collect();
    Array::from(phases)
}

/// The number of steps from each region to each other one: 1 to 90.
fn delays() -> Array {
    let delays = u(N * N, 9);
    let delays = delays.iter().map(|u| 1 + (90.0 * u) as i64);
    Array::new([N, N], delays.collect()).expect("all of them")
}

/// The last phases of oscillators that see each other's after delays.
fn oscillators(matrix: Var, delays: Var, start: Var, k: Var) -> Var {
    let rate = move |_: Var, phase: Var, past: Var| {
        let pull = (matrix * (past - phase.expand_dims(1)).sin()).sum_axis(1);
        1.0 + k * pull / N as f64
    };
    let network = Network::new(delays, 90).euler();
    network
        .solve(rate, |phase: Var| phase, start, 0.0, 50.0, 1000)
        .y
}
