//! A small network, 2-64-64-1, learns the surface `sin(3 x) cos(2 y)` from 1,000 noisy samples: AdamW with a warm-up
//! and a cosine, on minibatches, in one compiled function.
//!
//! `cargo run --release --example train_net`

use wengert::Result;
use wengert::prelude::*;
use wengert_solve::optim::{Schedule, Train, adamw, chain, clip_by_global_norm, minibatches};

const SAMPLES: usize = 1000;
const BATCH: usize = 50;
const EPOCHS: usize = 100;

/// A layer: weights, and what is added.
#[derive(Tree, Clone)]
struct Layer<T = Var> {
    w: T,
    b: T,
}

#[derive(Tree, Clone)]
struct Net<T = Var> {
    hidden: [Layer<T>; 2],
    out: Layer<T>,
}

impl Layer {
    /// Draws weights of variance `1 / n` for `n` inputs.
    fn new(key: Key, n: usize, m: usize) -> Layer {
        Layer {
            w: key.normal([n, m]) / (n as f64).sqrt(),
            b: zeros(m),
        }
    }

    fn run(&self, x: Var) -> Var {
        x.dot(self.w) + self.b
    }
}

impl Net {
    fn new(key: Key) -> Net {
        let [a, b, c] = key.split_n();
        Net {
            hidden: [Layer::new(a, 2, 64), Layer::new(b, 64, 64)],
            out: Layer::new(c, 64, 1),
        }
    }

    /// Returns the output for each row of inputs.
    fn run(&self, x: Var) -> Var {
        let x = self.hidden.iter().fold(x, |x, layer| layer.run(x).tanh());
        self.out.run(x).squeeze_axis(1)
    }
}

fn surface(x: Var) -> Var {
    let [x, y] = [x.at((.., 0)), x.at((.., 1))];
    (3.0 * x).sin() * (2.0 * y).cos()
}

/// Returns the losses and the error of the averaged network on fresh points.
fn learn(key: Key) -> (Var, Var) {
    let [points, noise, start, order, fresh] = key.split_n();
    let x = points.uniform_in(-1.0, 1.0, [SAMPLES, 2]);
    let y = surface(x) + 0.05 * noise.normal([SAMPLES]);

    let rows = minibatches(order, SAMPLES, BATCH, EPOCHS);
    let rate = Schedule::warmup_cosine(0.0, 5e-3, 100, EPOCHS * SAMPLES / BATCH, 0.0);
    let weights = |path: &str| path.ends_with(".w");
    let rule = chain((clip_by_global_norm(1.0), adamw(rate).mask(weights)));
    let found = Train::new(rule)
        .average(0.99)
        .on_step(|s| {
            if s.iteration % 200.0 == 0.0 {
                println!("step {:4}: loss {:.5}", s.iteration, s.value);
            }
        })
        .run(Net::new(start), rows, |net, rows| {
            (net.run(x.take(rows, 0)) - y.take(rows, 0)).square().mean()
        });

    let x = fresh.uniform_in(-1.0, 1.0, [SAMPLES, 2]);
    let net = found.average.unwrap_or(found.params);
    let error = (net.run(x) - surface(x)).square().mean().sqrt();
    (found.losses, error)
}

fn main() -> Result<()> {
    let (losses, error) = jit(learn).call(Key::from_seed(0))?;
    let losses = losses.to_vec::<f64>()?;
    let error = error.item::<f64>()?;
    println!(
        "after {} steps: loss {:.5}",
        losses.len(),
        losses[losses.len() - 1]
    );
    println!("error on fresh points: {error:.4}, of a surface of size 1 and noise of 0.05");
    assert!(error < 0.05, "the network has learnt the surface");
    Ok(())
}
