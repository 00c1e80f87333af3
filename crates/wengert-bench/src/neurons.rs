//! Regions of a brain that are coupled by a matrix, with noise or with delays.

use std::f64::consts::PI;

use wengert::prelude::*;

use crate::inputs::{array, linspace, u};
use crate::measure::Workload;

/// Number of regions, of steps, and of parameters in a batch.
const N: usize = 84;
const STEPS: usize = 1_000;
const SETS: usize = 20;
/// Number of steps that the ring buffer keeps: delays are shorter.
const RING: i64 = 100;

pub fn workloads() -> Vec<Workload> {
    let couplings = || Array::from(linspace(0.0, 1.0, SETS));
    vec![
        Workload::of("sde/neural_mass_84x20", move || {
            let f = jit(|(matrix, g, key): (Var, Var, Key)| {
                let keys = key.split_into(SETS);
                vmap(move |(g, key)| neural_mass(matrix, g, key))((g, keys))
            });
            (f, (array([N, N], 0), couplings(), Key::from_seed(0)))
        }),
        Workload::of("dde/oscillators_84", || {
            let f = jit(|(matrix, delays, start, k): (Var, Var, Var, Var)| {
                oscillators(matrix, delays, start, k)
            });
            (f, (array([N, N], 0), delays(), phases(), Array::from(1.0)))
        }),
        Workload::of("dde/oscillators_84x20", move || {
            let f = jit(|(matrix, delays, start, k): (Var, Var, Var, Var)| {
                vmap(move |k| oscillators(matrix, delays, start, k))(k)
            });
            (f, (array([N, N], 0), delays(), phases(), couplings()))
        }),
    ]
}

fn phases() -> Array {
    let phases: Vec<f64> = u(N, 3).iter().map(|u| 2.0 * PI * u).collect();
    Array::from(phases)
}

/// Returns the number of steps from each region to each other one.
fn delays() -> Array {
    let delays = u(N * N, 9);
    let delays = delays.iter().map(|u| 1 + (90.0 * u) as i64);
    Array::new([N, N], delays.collect()).expect("all of them")
}

/// Runs a model of firing rates and membrane potentials with noise: returns the mean rates.
fn neural_mass(matrix: Var, g: Var, key: Key) -> Var {
    let keys = key.fold_in();
    let dt = 0.01;
    let (_, _, sum) = fori(
        0..STEPS,
        (full(N, 0.1), full(N, -2.0), zeros(N)),
        |i, (r, v, sum)| {
            let (a, b) = keys.at(i).split();
            let input = g * matrix.dot(r) / N as f64;
            let dr = 1.0 / PI + 2.0 * r * v;
            let dv = v.square() - 5.0 + 15.0 * r + input - (PI * r).square();
            let r = (r + dt * dr + 0.001 * a.normal(N)).max(0.0);
            let v = v + dt * dv + 0.01 * b.normal(N);
            (r, v, sum + r)
        },
    );
    sum / STEPS as f64
}

/// Runs oscillators that see each other's phases after delays: returns the last phases.
fn oscillators(matrix: Var, delays: Var, start: Var, k: Var) -> Var {
    let past = zeros([RING as usize, N]) + start;
    let (_, phase) = fori(0..STEPS, (past, start), |i, (past, phase)| {
        let past = past.at_set(i % RING, phase);
        let seen = past.at(((i + RING - delays) % RING, arange(N)));
        let pull = (matrix * (seen - phase.expand_dims(1)).sin()).sum_axis(1);
        (past, phase + 0.05 * (1.0 + k * pull / N as f64))
    });
    phase
}
