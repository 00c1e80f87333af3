//! Random numbers: filling memory with them, and consuming them where they are generated.

use wengert::prelude::*;

use crate::measure::Workload;

const N: usize = 10_000_000;

const PATHS: usize = 1_000;
const STEPS: usize = 10_000;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("random/uniform_1e7", || {
            let f = jit(|key: Key| key.uniform([N]));
            (f, Key::from_seed(0))
        }),
        Workload::of("random/normal_1e7", || {
            let f = jit(|key: Key| key.normal([N]));
            (f, Key::from_seed(0))
        }),
        Workload::of("random/mc_pi_1e7", || {
            let f = jit(|key: Key| {
                let (a, b) = key.split();
                let (x, y) = (a.uniform([N]), b.uniform([N]));
                4.0 * (x * x + y * y).lt(1.0).to(DType::F64).mean()
            });
            (f, Key::from_seed(0))
        }),
        Workload::of("random/permutation_1e6", || {
            (
                jit(|key: Key| key.permutation(1_000_000)),
                Key::from_seed(0),
            )
        }),
        // One key per path, split at every step.
        Workload::of("sde/ou_1000x10000", || {
            let path = |key: Key| {
                let step = |(key, x): (Key, Var), _| {
                    let (key, now) = key.split();
                    ((key, ornstein_uhlenbeck(x, now.normal(()))), ())
                };
                let ((_, x), ()) = scan((key, 0.0), 0..STEPS, step);
                x
            };
            let f = jit(move |key: Key| vmap(path)(key.split_into(PATHS)));
            (f, Key::from_seed(0))
        }),
        // One key per path, whose draws are the steps.
        Workload::of("sde/ou_draws_1000x10000", || {
            let path = |key: Key| {
                let step = |x: Var, z: Var| (ornstein_uhlenbeck(x, z), ());
                scan(0.0, key.normal([STEPS]), step).0
            };
            let f = jit(move |key: Key| vmap(path)(key.split_into(PATHS)));
            (f, Key::from_seed(0))
        }),
    ]
}

/// Takes a step of the process.
fn ornstein_uhlenbeck(x: Var, noise: Var) -> Var {
    x - 0.01 * x + 0.1 * noise
}
