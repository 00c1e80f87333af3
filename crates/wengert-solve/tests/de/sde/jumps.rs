//! Jumps at the times of Poisson processes.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::de::sde::{Diagonal, Jumps, Scheme, Sde};

use super::{mean, numbers};

const N: usize = 4000;

/// Ends of paths without drift and noise, with jumps at a rate.
fn ends(
    rate: impl Fn(Var, Var) -> Var + Copy + Send + Sync + 'static,
    bound: f64,
    by: f64,
    start: f64,
) -> (Vec<f64>, Vec<Status>) {
    let path = move |key: Key| {
        let still = Sde::ito(
            |_, n: Var| zeros_like(n),
            Diagonal(|_, n: Var| zeros_like(n)),
        );
        let jumps = Jumps::new(rate, bound, move |_, n: Var, _: Key| n + by);
        Scheme::EulerMaruyama
            .steps(3)
            .jumps()
            .solve(&still, &jumps, start, 0.0, 2.0, key)
    };
    let f = jit(move |key: Key| vmap(path)(key.split_into(N)));
    let all = f.call(Key::from_seed(11)).unwrap();
    (numbers(&all.y), all.statuses().unwrap())
}

#[test]
fn a_constant_rate_gives_poissons_distribution() {
    let (counts, _) = ends(|_, n| full_like(n, 1.5), 4.0, 1.0, 0.0);
    let m = mean(&counts);
    let variance = mean(&counts.iter().map(|n| (n - m).powi(2)).collect::<Vec<_>>());
    let error = (3.0 / N as f64).sqrt();
    assert!((m - 3.0).abs() < 4.0 * error, "{m}");
    assert!(
        (variance - 3.0).abs() < 6.0 * error * 2f64.sqrt(),
        "{variance}"
    );
}

/// Each of 50 particles vanishes at rate 1: the mean after a time is that of the exponential.
#[test]
fn a_rate_that_depends_on_the_state() {
    let (counts, statuses) = ends(|_, n| n, 50.0, -1.0, 50.0);
    let p = (-2f64).exp();
    let error = (50.0 * p * (1.0 - p) / N as f64).sqrt();
    assert!(
        (mean(&counts) - 50.0 * p).abs() < 4.0 * error,
        "{}",
        mean(&counts)
    );
    assert!(statuses.iter().all(|s| *s == Status::Finished));
}

/// A rate that depends on time: its integral is the mean.
#[test]
fn a_rate_that_depends_on_time() {
    let (counts, _) = ends(|t, _| 3.0 * t, 6.0, 1.0, 0.0);
    assert!((mean(&counts) - 6.0).abs() < 4.0 * (6.0 / N as f64).sqrt());
}

#[test]
fn a_rate_above_its_bound_is_a_status() {
    let (counts, statuses) = ends(|_, n| n, 40.0, -1.0, 50.0);
    assert!(statuses.contains(&Status::Infeasible));
    let first = statuses
        .iter()
        .position(|s| *s == Status::Infeasible)
        .unwrap();
    assert!(counts[first].is_nan());
}

/// Merton's model: the mean of the end is that of the drift and of the jumps.
#[test]
fn diffusion_with_jumps() {
    let path = |key: Key| {
        let sde = Sde::ito(|_, x: Var| 0.1 * x, Diagonal(|_, x: Var| 0.2 * x));
        let jumps = Jumps::new(
            |_, x: Var| full_like(x, 2.0),
            2.0,
            |_, x: Var, key: Key| x * (1.0 + 0.1 * key.normal(())),
        );
        Scheme::Milstein
            .steps(20)
            .jumps()
            .solve(&sde, &jumps, 1.0, 0.0, 1.0, key)
    };
    let f = jit(move |key: Key| vmap(path)(key.split_into(N)));
    let all = f.call(Key::from_seed(5)).unwrap().ok().unwrap();
    let m = mean(&numbers(&all.y));
    assert!(
        (m - 0.1f64.exp()).abs() < 4.0 * 0.3 / (N as f64).sqrt(),
        "{m}"
    );
    let jumps: Vec<f64> = all
        .jumps
        .to_vec::<i64>()
        .unwrap()
        .iter()
        .map(|&n| n as f64)
        .collect();
    assert!((mean(&jumps) - 2.0).abs() < 4.0 * (2.0 / N as f64).sqrt());
}
