//! Oscillators that pull each other (Y. Kuramoto, 1975; S. H. Strogatz, *From Kuramoto to Crawford*, 2000):
//! `θᵢ' = ωᵢ + K/n Σⱼ sin(θⱼ - θᵢ)`, by Euler's rule, and the length of the mean of their directions. A step is all pairs,
//! written by broadcasting; no array of pairs is stored.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

const STEP: f64 = 0.05;

/// The order parameter after each step.
fn simulate(steps: usize, [start, omega, coupling]: [Var; 3]) -> Var {
    let n = start.shape()[0] as f64;
    let (_, order) = scan(start, 0..steps, |theta, _| {
        let pull = (theta.expand_dims(0) - theta.expand_dims(1))
            .sin()
            .sum_axis(1);
        let next = theta + STEP * (omega + coupling / n * pull);
        let (x, y) = (next.cos().mean(), next.sin().mean());
        (next, (x.square() + y.square()).sqrt())
    });
    order
}

fn plain(steps: usize, start: &[f64], omega: &[f64], coupling: f64) -> Vec<f64> {
    let n = start.len();
    let mut theta = start.to_vec();
    let mut order = Vec::with_capacity(steps);
    for _ in 0..steps {
        let mut next = theta.clone();
        for i in 0..n {
            let mut pull = 0.0;
            for j in 0..n {
                pull += (theta[j] - theta[i]).sin();
            }
            next[i] += STEP * (omega[i] + coupling / n as f64 * pull);
        }
        theta = next;
        let (mut x, mut y) = (0.0, 0.0);
        for angle in &theta {
            x += angle.cos();
            y += angle.sin();
        }
        order.push(((x * x + y * y) / (n * n) as f64).sqrt());
    }
    order
}

/// Angles at the start, and frequencies, which are spread as a logistic distribution.
fn oscillators(n: usize) -> (Vec<f64>, Vec<f64>) {
    let numbers = spread(2 * n);
    let angle = |x: &f64| std::f64::consts::TAU * x;
    let frequency = |x: &f64| 0.3 * (x / (1.0 - x)).ln();
    (
        numbers[..n].iter().map(angle).collect(),
        numbers[n..].iter().map(frequency).collect(),
    )
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let (n, steps) = (scale.of(10, 200), scale.of(50, 200));
    let (start, omega) = oscillators(n);
    let data = [
        Array::from(start.clone()),
        Array::from(omega.clone()),
        Array::from(1.5),
    ];

    let f = jit(move |args: [Var; 3]| simulate(steps, args));
    let (ours, theirs, times) = in_turns(
        scale,
        || f.call(&data),
        || plain(steps, &start, &omega, 1.5),
    )?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-9);
    let last = theirs[steps - 1];
    Ok(vec![Row {
        name: "kuramoto",
        said: format!("{n} oscillators have an order of {last:.4} after {steps} steps"),
        check: last,
        times,
    }])
}

/// Times beside the order parameter at each, for three couplings.
pub(crate) fn orders() -> Result<Vec<(f64, Vec<f64>)>, Failure> {
    let (start, omega) = oscillators(200);
    let couplings = [0.5, 1.2, 2.0];
    let sweep = move |[start, omega, couplings]: [Var; 3]| {
        wengert::map(couplings, move |k| simulate(400, [start, omega, k]))
    };
    let all = jit(sweep).call([
        Array::from(start),
        Array::from(omega),
        Array::from(couplings),
    ])?;
    let rows = all.as_slice::<f64>()?.chunks(400).map(<[f64]>::to_vec);
    Ok(couplings.into_iter().zip(rows).collect())
}
