//! A recurrent network (J. L. Elman, *Finding Structure in Time*, 1990), `h' = tanh(W h + U x + b)`, and the gradient of a
//! loss by its weights: `jax.lax.scan` with `jax.grad` through it. The plain Rust goes back through time by hand.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

#[derive(Tree, Clone, Copy, Debug)]
struct Network<T = Var> {
    recurrent: T,
    input: T,
    bias: T,
    readout: T,
}

/// The mean square of what the network gives for one series less the target of each step.
fn loss(net: Network, xs: Var, targets: Var) -> Var {
    let start = zeros(net.bias.shape());
    let (_, squares) = scan(start, (xs, targets), |h, (x, target)| {
        let next = (net.recurrent.matmul(h) + net.input * x + net.bias).tanh();
        (next, (net.readout.dot(next) - target).square())
    });
    squares.mean()
}

/// The gradient: of the recurrent weights, then of the input's, the bias and the readout.
fn plain(net: &Network<Vec<f64>>, xs: &[f64], targets: &[f64]) -> Vec<f64> {
    let n = net.bias.len();
    let mut states = vec![vec![0.0; n]];
    let mut errors = vec![];
    for (x, target) in xs.iter().zip(targets) {
        let h = &states[states.len() - 1];
        let mut next = vec![0.0; n];
        for i in 0..n {
            let mut sum = net.input[i] * x + net.bias[i];
            for j in 0..n {
                sum += net.recurrent[i * n + j] * h[j];
            }
            next[i] = sum.tanh();
        }
        let y: f64 = net.readout.iter().zip(&next).map(|(a, b)| a * b).sum();
        errors.push(2.0 * (y - target) / xs.len() as f64);
        states.push(next);
    }
    let mut recurrent = vec![0.0; n * n];
    let (mut input, mut bias, mut readout) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut back = vec![0.0; n];
    for t in (0..xs.len()).rev() {
        let (h, next) = (&states[t], &states[t + 1]);
        let mut before = vec![0.0; n];
        for i in 0..n {
            readout[i] += errors[t] * next[i];
            let slope = back[i] + errors[t] * net.readout[i];
            let slope = slope * (1.0 - next[i] * next[i]);
            input[i] += slope * xs[t];
            bias[i] += slope;
            for j in 0..n {
                recurrent[i * n + j] += slope * h[j];
                before[j] += slope * net.recurrent[i * n + j];
            }
        }
        back = before;
    }
    [recurrent, input, bias, readout].concat()
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let (n, steps) = (scale.of(4, 32), scale.of(20, 1000));
    let part = |size: usize, scale: f64| -> Vec<f64> {
        spread(size).iter().map(|x| scale * (x - 0.5)).collect()
    };
    let net = Network {
        recurrent: part(n * n, 3.0 / (n as f64).sqrt()),
        input: part(n, 1.0),
        bias: part(n, 0.2),
        readout: part(n, 1.0),
    };
    let xs: Vec<f64> = (0..steps).map(|t| (0.1 * t as f64).sin()).collect();
    let targets: Vec<f64> = (0..steps).map(|t| (0.1 * t as f64).cos()).collect();
    let arrays = Network {
        recurrent: Array::new([n, n], net.recurrent.clone())?,
        input: Array::from(net.input.clone()),
        bias: Array::from(net.bias.clone()),
        readout: Array::from(net.readout.clone()),
    };
    let data = (
        arrays,
        Array::from(xs.clone()),
        Array::from(targets.clone()),
    );

    let f = jit(|(net, xs, targets): (Network, Var, Var)| {
        let slope = grad_at(net, |net| loss(net, xs, targets));
        tree::ravel(slope).0
    });
    let theirs = || plain(&net, &xs, &targets);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), theirs)?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-9);
    let length = theirs.iter().map(|x| x * x).sum::<f64>().sqrt();
    Ok(vec![Row {
        name: "rnn",
        said: format!("the gradient through {steps} steps has the length {length:.5}"),
        check: length,
        times,
    }])
}
