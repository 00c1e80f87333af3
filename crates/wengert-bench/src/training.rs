//! Training of a small network.

use wengert::prelude::*;
use wengert_solve::optim::{adam, train};

use crate::inputs::{array, u};
use crate::measure::Workload;

/// Number of samples.
const SAMPLES: usize = 256;
const STEPS: usize = 1000;

pub fn workloads() -> Vec<Workload> {
    vec![Workload::of("optim/adam_2_64_64_1", || {
        let f = jit(|(net, x, y): (Net, Var, Var)| {
            let loss = move |net: Net, _: Var| (net.run(x) - y).square().mean();
            let found = train(adam(1e-3), net, 0..STEPS, loss);
            found.losses
        });
        (f, (net(), array([SAMPLES, 2], 0), array([SAMPLES], 9)))
    })]
}

/// Layers of 64 neurons for two inputs, and one output.
#[derive(Tree, Clone)]
struct Net<T = Var> {
    layers: [(T, T); 3],
}

impl Net {
    /// Returns the output for each row of inputs.
    fn run(self, x: Var) -> Var {
        let [a, b, (w, c)] = self.layers;
        let hidden = [a, b].into_iter();
        let x = hidden.fold(x, |x, (w, b)| (x.dot(w) + b).tanh());
        (x.dot(w) + c).squeeze_axis(1)
    }
}

fn net() -> Net<Array> {
    let sizes = [2, 64, 64, 1];
    let layer = |i: usize| {
        let (n, m) = (sizes[i], sizes[i + 1]);
        let numbers = u(n * m, i);
        let numbers = numbers.iter().map(|u| (2.0 * u - 1.0) / (n as f64).sqrt());
        let w = Array::new([n, m], numbers.collect()).expect("all of them");
        (w, Array::from(vec![0.0; m]))
    };
    Net {
        layers: [layer(0), layer(1), layer(2)],
    }
}
