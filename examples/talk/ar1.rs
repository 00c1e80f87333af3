//! An autoregressive process, `xₜ = φ xₜ₋₁ + σ eₜ`: the first `scan` of QuantEcon's lectures on JAX, and a loop in those on Numba.
//! A path from given noise, and the gradient of its log-likelihood by `φ` and `σ`.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

const PHI: f64 = 0.95;
const SIGMA: f64 = 0.3;

fn path((phi, sigma, noise): (Var, Var, Var)) -> Var {
    let (_, path) = scan(0.0, noise, |x, e| {
        let next = phi * x + sigma * e;
        (next, next)
    });
    path
}

/// The logarithm of the density of a path that starts at 0, without its constant.
fn log_likelihood(phi: Var, sigma: Var, path: Var) -> Var {
    let ((_, sum), ()) = scan((0.0, 0.0), path, |(before, sum), x| {
        let z = (x - phi * before) / sigma;
        ((x, sum - 0.5 * z * z - sigma.ln()), ())
    });
    sum
}

fn plain_path(noise: &[f64]) -> Vec<f64> {
    let mut x = 0.0;
    let mut path = Vec::with_capacity(noise.len());
    for e in noise {
        x = PHI * x + SIGMA * e;
        path.push(x);
    }
    path
}

fn plain_slope(phi: f64, sigma: f64, path: &[f64]) -> [f64; 2] {
    let (mut before, mut by_phi, mut by_sigma) = (0.0, 0.0, 0.0);
    for x in path {
        let z = (x - phi * before) / sigma;
        by_phi += z * before / sigma;
        by_sigma += (z * z - 1.0) / sigma;
        before = *x;
    }
    [by_phi, by_sigma]
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(1000, 1_000_000);
    // Uniform noise of variance 1.
    let noise: Vec<f64> = spread(n).iter().map(|x| 12f64.sqrt() * (x - 0.5)).collect();
    let data = (
        Array::from(PHI),
        Array::from(SIGMA),
        Array::from(noise.clone()),
    );
    let f = jit(path);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain_path(&noise))?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-12);
    let last = theirs[n - 1];
    let simulated = Row {
        name: "ar1",
        said: format!("x is {last:.4} after {n} steps"),
        check: last,
        times,
    };

    let (phi, sigma) = (0.9, 0.5);
    let data = (Array::from(phi), Array::from(sigma), ours);
    let f = jit(|(phi, sigma, path): (Var, Var, Var)| {
        grad_at((phi, sigma), |(phi, sigma)| {
            log_likelihood(phi, sigma, path)
        })
    });
    let plain = || plain_slope(phi, sigma, &theirs);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), plain)?;
    let ours = [ours.0.item::<f64>()?, ours.1.item::<f64>()?];
    assert!(difference(&ours, &theirs) < 1e-9);
    let fitted = Row {
        name: "ar1/grad",
        said: format!("slopes {:.4} by φ and {:.4} by σ", ours[0], ours[1]),
        check: theirs[1],
        times,
    };
    Ok(vec![simulated, fitted])
}
