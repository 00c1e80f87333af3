//! A network whose parameters are a list of structs, trained by gradient descent: the example of JAX's page on pytrees, which fits
//! `y = x²` with layers of 1, 128, 128 and 1 neurons. The steps are one compiled `scan`. The plain Rust has the backward pass
//! written by hand.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

#[derive(Tree, Clone, Debug)]
struct Layer<T = Var> {
    weights: T,
    biases: T,
}

fn predict(layers: &[Layer], x: Var) -> Var {
    let (last, hidden) = layers.split_last().expect("layers");
    let x = hidden.iter().fold(x, |x, layer| {
        (x.matmul(layer.weights) + layer.biases).relu()
    });
    x.matmul(last.weights) + last.biases
}

fn train(steps: usize, rate: f64, (layers, x): (Vec<Layer>, Var)) -> (Vec<Layer>, Var) {
    scan(layers, 0..steps, |layers, _| {
        let loss = |layers: Vec<Layer>| (predict(&layers, x) - x.square()).square().mean();
        let (value, slope) = value_and_grad_at(layers.clone(), loss);
        (tree::map2(layers, slope, |p, g| p - rate * g), value)
    })
}

/// The weights of a layer, row by row, and its biases.
struct Plain {
    weights: Vec<f64>,
    biases: Vec<f64>,
}

/// `layers` are changed; the loss before each step is returned.
fn plain(steps: usize, rate: f64, layers: &mut [Plain], xs: &[f64]) -> Vec<f64> {
    let mut losses = Vec::with_capacity(steps);
    for _ in 0..steps {
        let mut loss = 0.0;
        let mut slopes: Vec<Plain> = layers.iter().map(Plain::zeros_like).collect();
        for &x in xs {
            // Forward: what each layer gives is kept.
            let mut values = vec![vec![x]];
            for (k, layer) in layers.iter().enumerate() {
                let mut y = layer.biases.clone();
                let outputs = y.len();
                for (i, x) in values[k].iter().enumerate() {
                    for (j, y) in y.iter_mut().enumerate() {
                        *y += x * layer.weights[i * outputs + j];
                    }
                }
                if k + 1 < layers.len() {
                    y.iter_mut().for_each(|y| *y = y.max(0.0));
                }
                values.push(y);
            }
            let off = values[layers.len()][0] - x * x;
            loss += off * off / xs.len() as f64;
            // Backward.
            let mut back = vec![2.0 * off / xs.len() as f64];
            for (k, layer) in layers.iter().enumerate().rev() {
                let outputs = back.len();
                let mut before = vec![0.0; values[k].len()];
                for (i, x) in values[k].iter().enumerate() {
                    for (j, b) in back.iter().enumerate() {
                        slopes[k].weights[i * outputs + j] += x * b;
                        before[i] += layer.weights[i * outputs + j] * b;
                    }
                    if k > 0 && *x <= 0.0 {
                        before[i] = 0.0;
                    }
                }
                for (s, b) in slopes[k].biases.iter_mut().zip(&back) {
                    *s += b;
                }
                back = before;
            }
        }
        for (layer, slope) in layers.iter_mut().zip(&slopes) {
            let weights = layer.weights.iter_mut().zip(&slope.weights);
            let biases = layer.biases.iter_mut().zip(&slope.biases);
            weights.chain(biases).for_each(|(p, g)| *p -= rate * g);
        }
        losses.push(loss);
    }
    losses
}

impl Plain {
    fn zeros_like(&self) -> Plain {
        Plain {
            weights: vec![0.0; self.weights.len()],
            biases: vec![0.0; self.biases.len()],
        }
    }
}

/// Weights as the peers make them.
fn start(sizes: &[usize]) -> Vec<Plain> {
    let layer = |pair: &[usize]| {
        let scale = (2.0 / pair[0] as f64).sqrt();
        let number = |x: f64| scale * 3.0 * (x - 0.5);
        Plain {
            weights: spread(pair[0] * pair[1]).into_iter().map(number).collect(),
            biases: vec![0.0; pair[1]],
        }
    };
    sizes.windows(2).map(layer).collect()
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let (width, steps) = (scale.of(8, 128), scale.of(20, 100));
    let (samples, rate) = (scale.of(16, 128), 0.01);
    let sizes = [1, width, width, 1];
    let xs: Vec<f64> = spread(samples).iter().map(|x| 4.0 * x - 2.0).collect();
    let layers: Vec<Layer<Array>> = start(&sizes)
        .iter()
        .zip(sizes.windows(2))
        .map(|(plain, pair)| {
            Ok(Layer {
                weights: Array::new([pair[0], pair[1]], plain.weights.clone())?,
                biases: Array::from(plain.biases.clone()),
            })
        })
        .collect::<wengert::Result<_>>()?;
    let data = (layers, Array::new([samples, 1], xs.clone())?);

    let f = jit(move |args: (Vec<Layer>, Var)| train(steps, rate, args));
    let theirs = || plain(steps, rate, &mut start(&sizes), &xs);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), theirs)?;
    assert!(difference(ours.1.as_slice()?, &theirs) < 1e-9);
    let (first, last) = (theirs[0], theirs[steps - 1]);
    assert!(last < first);
    Ok(vec![Row {
        name: "pytrees",
        said: format!("the loss falls from {first:.3} to {last:.4} in {steps} steps"),
        check: last,
        times,
    }])
}
