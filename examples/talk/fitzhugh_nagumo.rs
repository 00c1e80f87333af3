//! A sweep of a neuron's model over two parameters (R. FitzHugh, 1961; J. Nagumo et al., 1962), as it is done with Numba's
//! `prange` or a GPU's threads: `v' = v - v³/3 - w + I`, `w' = ε (v + a - b w)`. One parameter set is an ordinary
//! function; the sweep is `vmap` of it, with the sets side by side in registers and on all cores.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns};

const STEP: f64 = 0.05;
const EPSILON: f64 = 0.08;
const B: f64 = 0.8;

/// The number of spikes, and the mean of `v`.
fn simulate(steps: usize, (current, a): (Var, Var)) -> (Var, Var) {
    let start = (
        Var::from(-1.2),
        Var::from(-0.6),
        Var::from(0i64),
        Var::from(0.0),
    );
    let (_, _, spikes, sum) = fori(0..steps, start, |_, (v, w, spikes, sum)| {
        let dv = v - v * v * v / 3.0 - w + current;
        let dw = EPSILON * (v + a - B * w);
        let next = v + STEP * dv;
        let spike = (v.lt(1.0) & next.ge(1.0)).to(DType::I64);
        (next, w + STEP * dw, spikes + spike, sum + next)
    });
    (spikes, sum / steps as f64)
}

fn plain(steps: usize, currents: &[f64], a: &[f64]) -> (Vec<i64>, Vec<f64>) {
    let (mut spikes, mut means) = (vec![], vec![]);
    for (current, a) in currents.iter().zip(a) {
        let (mut v, mut w, mut count, mut sum) = (-1.2, -0.6, 0, 0.0);
        for _ in 0..steps {
            let dv = v - v * v * v / 3.0 - w + current;
            let dw = EPSILON * (v + a - B * w);
            let next = v + STEP * dv;
            if v < 1.0 && next >= 1.0 {
                count += 1;
            }
            w += STEP * dw;
            sum += next;
            v = next;
        }
        spikes.push(count);
        means.push(sum / steps as f64);
    }
    (spikes, means)
}

/// A grid of `n` currents and `n` values of `a`.
fn grid(n: usize) -> (Vec<f64>, Vec<f64>) {
    let at = |i: usize| i as f64 / (n - 1) as f64;
    let pairs = (0..n * n).map(|i| (1.5 * at(i % n), 0.4 + 0.6 * at(i / n)));
    pairs.unzip()
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let (n, steps) = (scale.of(6, 64), scale.of(200, 5000));
    let (currents, a) = grid(n);
    let data = (Array::from(currents.clone()), Array::from(a.clone()));

    let f = jit(vmap(move |set: (Var, Var)| simulate(steps, set)));
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(steps, &currents, &a))?;
    assert!(difference(ours.1.as_slice()?, &theirs.1) < 1e-9);
    assert_eq!(ours.0.to_vec::<i64>()?, theirs.0);
    let spiking = theirs.0.iter().filter(|&&count| count > 1).count();
    let mean = theirs.1.iter().sum::<f64>() / (n * n) as f64;
    Ok(vec![Row {
        name: "fitzhugh_nagumo",
        said: format!("{spiking} of {n} × {n} neurons fire, the mean of v is {mean:.4}"),
        check: mean,
        times,
    }])
}

/// Spikes on a grid of `n` currents (columns) by `n` values of `a` (rows).
pub(crate) fn map(n: usize) -> Result<Vec<Vec<i64>>, Failure> {
    let (spikes, _) = jit(vmap(|set: (Var, Var)| simulate(10_000, set))).call(grid(n))?;
    Ok(spikes
        .as_slice::<i64>()?
        .chunks(n)
        .map(<[i64]>::to_vec)
        .collect())
}
