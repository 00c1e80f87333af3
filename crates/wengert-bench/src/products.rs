//! Matrix products, alone and in a network.

use wengert::prelude::*;

use crate::inputs::{array, u};
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = vec![];
    for n in [16, 64, 256, 1024] {
        all.push(Workload::of(format!("dot/matmul_{n}"), move || {
            let f = jit(|a: Var| a.dot(a));
            let a = array([n, n], 0);
            (f, a)
        }));
    }
    for n in [16, 84, 256, 1000, 4000] {
        all.push(Workload::of(format!("dot/matvec_{n}"), move || {
            let f = jit(|(a, x): (Var, Var)| a.dot(x));
            (f, (array([n, n], 0), array([n], 7)))
        }));
    }
    for n in [64, 256] {
        all.push(Workload::of(format!("dot/matvec_loop_{n}"), move || {
            let f = jit(|(a, x): (Var, Var)| fori(0..10_000, x, |_, x| a.dot(x)));
            (f, (averages(n), array([n], 7)))
        }));
    }
    all.push(Workload::of("nn/mlp_grad_256", || {
        let f = jit(|(layers, x, y)| grad(|layers| cross_entropy(layers, x, y))(layers));
        (f, network())
    }));
    all
}

/// Returns the layers of a network, 256 inputs and their labels.
pub fn network() -> ([Layer<Array>; 3], Array, Array) {
    let layers = [(784, 256), (256, 128), (128, 10)];
    let mut i = 0;
    let layers = layers.map(|(rows, columns)| {
        let w = u(rows * columns, i).into_iter().map(|u| (u - 0.5) * 0.1);
        i += 1;
        Layer {
            weights: Array::new([rows, columns], w.collect()).expect("all of them"),
            bias: Array::full([columns], 0.0),
        }
    });
    let x = array([256, 784], 0);
    let labels: Vec<[f64; 10]> = (0..256)
        .map(|i| std::array::from_fn(|j| if i % 10 == j { 1.0 } else { 0.0 }))
        .collect();
    (layers, x, Array::from(labels))
}

/// Returns a matrix whose rows add up to 1, so that its powers stay bounded.
fn averages(n: usize) -> Array {
    let all = u(n * n, 0);
    let rows = all.chunks(n).flat_map(|row| {
        let sum: f64 = row.iter().sum();
        row.iter().map(move |x| x / sum)
    });
    Array::new([n, n], rows.collect()).expect("all of them")
}

/// A dense layer of a network.
#[derive(Tree, Clone, Copy)]
pub struct Layer<T = Var> {
    weights: T,
    bias: T,
}

/// Returns the mean cross entropy between the network's outputs for the rows of `x` and `y`.
pub fn cross_entropy([first, second, last]: [Layer; 3], x: Var, y: Var) -> Var {
    let apply = |h: Var, layer: Layer| h.dot(layer.weights) + layer.bias;
    let h = apply(apply(x, first).tanh(), second).tanh();
    -(y * apply(h, last).log_softmax(1)).sum_axis(1).mean()
}
