//! Dot products of vectors of three, the example of Numba's `@guvectorize` and of JAX's `vmap`; and the gradient of a loss
//! for each sample by itself, `vmap(grad(loss), in_axes=(None, 0, 0))` in JAX: what private or importance-weighted training needs, and
//! what a framework that only knows the gradient of a batch cannot give.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

/// The logistic loss of one sample of three numbers and its label, 0 or 1.
fn loss(w: Var, x: Var, label: Var) -> Var {
    let score = x.dot(w);
    score.softplus() - label * score
}

fn plain_slopes(w: [f64; 3], xs: &[[f64; 3]], labels: &[f64]) -> Vec<f64> {
    let mut slopes = Vec::with_capacity(3 * xs.len());
    for (x, label) in xs.iter().zip(labels) {
        let score = x[0] * w[0] + x[1] * w[1] + x[2] * w[2];
        let slope = 1.0 / (1.0 + (-score).exp()) - label;
        slopes.extend(x.map(|x| slope * x));
    }
    slopes
}

/// `n` vectors of numbers from -1 to 1.
fn vectors(numbers: &[f64]) -> Vec<[f64; 3]> {
    let number = |x: f64| 2.0 * x - 1.0;
    numbers
        .chunks(3)
        .map(|p| [number(p[0]), number(p[1]), number(p[2])])
        .collect()
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(100, 1_000_000);
    let numbers = spread(6 * n);
    let (a, b) = (vectors(&numbers[..3 * n]), vectors(&numbers[3 * n..]));
    let data = (Array::from(a.clone()), Array::from(b.clone()));
    let plain = || -> Vec<f64> {
        let dot = |(a, b): (&[f64; 3], &[f64; 3])| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        a.iter().zip(&b).map(dot).collect()
    };
    let f = jit(vmap(|(a, b): (Var, Var)| a.dot(b)));
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), plain)?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-14);
    let mean = ours.iter::<f64>()?.sum::<f64>() / n as f64;
    let dots = Row {
        name: "dots",
        said: format!("the mean of {n} products is {mean:.4}"),
        check: mean,
        times,
    };

    let w = [0.5, -1.0, 2.0];
    let labels: Vec<f64> = a.iter().map(|x| f64::from(x[0] > 0.1)).collect();
    let data = (Array::from(w), data.0, Array::from(labels.clone()));
    let f = jit(|(w, xs, labels): (Var, Var, Var)| {
        wengert::map((xs, labels), move |(x, label)| {
            grad_at(w, move |w| loss(w, x, label))
        })
    });
    let plain = || plain_slopes(w, &a, &labels);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), plain)?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-13);
    let square = ours.iter::<f64>()?.map(|x| x * x).sum::<f64>() / n as f64;
    let slopes = Row {
        name: "dots/per_sample",
        said: format!("the mean square of {n} gradients is {square:.4}"),
        check: square,
        times,
    };
    Ok(vec![dots, slopes])
}
