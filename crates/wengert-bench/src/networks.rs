//! Networks written for one sample, and batches of them.

use wengert::prelude::*;

use crate::inputs::{array, u};
use crate::measure::Workload;

/// Number of neurons of the recurrent network, of its inputs, and of its steps.
const HIDDEN: usize = 64;
const INPUTS: usize = 32;
const STEPS: usize = 100;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("nn/rnn_64x32", || {
            let f = jit(|(net, x): (Recurrent, Var)| net.run(x));
            (f, (recurrent(), array([STEPS, INPUTS], 0)))
        }),
        Workload::of("nn/rnn_grad_64x32", || {
            let f = jit(|(net, x): (Recurrent, Var)| {
                grad_at(net, |net: Recurrent| net.run(x).square().sum())
            });
            (f, (recurrent(), array([STEPS, INPUTS], 0)))
        }),
        Workload::of("nn/rnn_batch_256", || {
            let f = jit(|(net, xs): (Recurrent, Var)| vmap(move |x| net.run(x))(xs));
            (f, (recurrent(), array([256, STEPS, INPUTS], 0)))
        }),
        Workload::of("nn/rnn_batch_grad_256", || {
            let f = jit(|(net, xs): (Recurrent, Var)| {
                let loss = |net: Recurrent| vmap(move |x| net.run(x))(xs).square().sum();
                grad_at(net, loss)
            });
            (f, (recurrent(), array([256, STEPS, INPUTS], 0)))
        }),
        Workload::of("nn/per_sample_grad_400", || {
            let loss = |w: Var, x: Var, y: Var| (w.dot(x).tanh() - y).square().sum();
            let f = jit(move |(w, xs, ys): (Var, Var, Var)| {
                vmap(move |(x, y)| grad_at(w, |w| loss(w, x, y)))((xs, ys))
            });
            let (xs, ys) = (array([400, 32], 0), array([400, 32], 7));
            (f, (weights([32, 32], 3, 0.5), xs, ys))
        }),
        Workload::of("nn/spiking_64", || {
            let f = jit(|(net, xs): (Spiking, Var)| vmap(move |x| net.run(x))(xs));
            (f, (spiking(), spikes()))
        }),
        Workload::of("nn/spiking_grad_64", || {
            let f = jit(|(net, xs): (Spiking, Var)| {
                let loss = |net: Spiking| (vmap(move |x| net.run(x))(xs) - 1.0).square().sum();
                grad_at(net, loss)
            });
            (f, (spiking(), spikes()))
        }),
    ]
}

/// Returns numbers around zero, at most `size` / 2 away from it.
fn weights<const R: usize>(shape: [usize; R], k: usize, size: f64) -> Array {
    let all = u(shape.iter().product(), k);
    let all = all.iter().map(|u| (u - 0.5) * size);
    Array::new(shape, all.collect()).expect("as many as the shape holds")
}

/// A recurrent network with `tanh` neurons.
#[derive(Tree, Clone, Copy)]
struct Recurrent<T = Var> {
    hidden: T,
    input: T,
    bias: T,
}

impl Recurrent {
    /// Returns the last state for a sequence of inputs.
    fn run(self, x: Var) -> Var {
        let step = |h: Var, x: Var| {
            let h = (self.hidden.dot(h) + self.input.dot(x) + self.bias).tanh();
            (h, ())
        };
        scan(zeros(HIDDEN), x, step).0
    }
}

fn recurrent() -> Recurrent<Array> {
    Recurrent {
        hidden: weights([HIDDEN, HIDDEN], 0, 0.3),
        input: weights([HIDDEN, INPUTS], 5, 0.3),
        bias: weights([HIDDEN], 9, 0.3),
    }
}

/// Neurons that add up their input and leak, spike above a threshold, and start again.
#[derive(Tree, Clone, Copy)]
struct Spiking<T = Var> {
    input: T,
    output: T,
}

impl Spiking {
    /// Returns the mean output for a sequence of inputs.
    fn run(self, x: Var) -> Var {
        // The derivative of a step is replaced by that of a smooth one.
        let spike = custom_jvp(
            |v: Var| v.gt(0.0).to(DType::F64),
            |v, dv| {
                (
                    v.gt(0.0).to(DType::F64),
                    dv / (1.0 + 10.0 * v.abs()).square(),
                )
            },
        );
        let step = |(v, s): (Var, Var), x: Var| {
            let v = 0.9 * v * (1.0 - s) + self.input.dot(x);
            let s = spike(v - 1.0);
            ((v, s), self.output.dot(s))
        };
        scan((zeros(HIDDEN), zeros(HIDDEN)), x, step).1.mean_axis(0)
    }
}

fn spiking() -> Spiking<Array> {
    let input = u(HIDDEN * 100, 0);
    let input = input.iter().map(|u| 0.1 * (u - 0.3));
    Spiking {
        input: Array::new([HIDDEN, 100], input.collect()).expect("all of them"),
        output: weights([10, HIDDEN], 5, 1.0),
    }
}

/// Returns the spikes of 100 inputs in 100 steps, for 64 samples.
fn spikes() -> Array {
    let spikes = u(64 * STEPS * 100, 3);
    let spikes = spikes.iter().map(|u| if *u < 0.1 { 1.0 } else { 0.0 });
    Array::new([64, STEPS, 100], spikes.collect()).expect("all of them")
}
