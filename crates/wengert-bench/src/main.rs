//! Times of calls, of compilation and of runs: a JSON line each.
//!
//! `cargo run --release -p wengert-bench -- [PREFIX ..]` runs the workloads whose names begin with one
//! of the prefixes. `first_ms` is the first call: tracing, compiling and running. `run_us` is the
//! median of later ones. `check` is the sum of the results.
#![forbid(unsafe_code)]

mod lanes;

use std::hint::black_box;
use std::time::Instant;

use wengert::prelude::*;

type State = [Var; 3];

/// A workload: its name, and what makes and measures it.
type Workload = (&'static str, fn(&str));

const WORKLOADS: &[Workload] = &[
    ("call/scalar", |name| {
        let f = jit(|x: Var| x * x + 1.0);
        measure(name, || f.call(black_box(3.0)).and_then(|y| y.item()));
    }),
    ("ode/lorenz_1", |name| {
        let f = jit(|p: State| lorenz(p)[0]);
        measure(name, || f.call(LORENZ).and_then(|y| y.item()));
    }),
    ("ode/lorenz_grad_1", |name| {
        let f = jit(grad(lorenz_loss));
        measure(name, || f.call(LORENZ).and_then(sum));
    }),
    ("ode/lorenz_1000", |name| {
        let f = jit(vmap(|p: State| lorenz(p)[0]));
        let p = lorenz_parameters(1000);
        measure(name, || f.call(&p).and_then(|y| sum([y])));
    }),
    ("ode/lorenz_grad_1000", |name| {
        let f = jit(vmap(grad(lorenz_loss)));
        let p = lorenz_parameters(1000);
        measure(name, || f.call(&p).and_then(sum));
    }),
    ("map/sin_exp_tanh_1e6", |name| {
        let f = jit(|(x, y): (Var, Var)| x.sin() * y.exp() + (x * y).tanh());
        let args = (
            Array::from(spread(1_000_000, 0)),
            Array::from(spread(1_000_000, 7)),
        );
        measure(name, || f.call(&args).and_then(|y| sum([y])));
    }),
    ("lanes/unequal", lanes::unequal),
    ("compile/chain_5000", |name| chain(name, 5_000)),
    ("compile/chain_50000", |name| chain(name, 50_000)),
];

const LORENZ: [f64; 3] = [10.0, 28.0, 8.0 / 3.0];

fn main() {
    let prefixes: Vec<String> = std::env::args().skip(1).collect();
    for (name, run) in WORKLOADS {
        if prefixes.is_empty() || prefixes.iter().any(|p| name.starts_with(p.as_str())) {
            run(name);
        }
    }
}

/// A straight line of `n` operations (steps of a kicked pendulum), with its gradient.
fn chain(name: &str, n: usize) {
    let f = jit(grad(move |x: Var| {
        let (mut x, mut p) = (x, 0.0 * x);
        for _ in 0..n / 4 {
            p -= 0.1 * x.sin();
            x += p;
        }
        x
    }));
    measure(name, || f.call(0.3).and_then(|y| y.item()));
}

/// One step of the classical Runge-Kutta method.
fn rk4(f: impl Fn(State) -> State, s: State, h: f64) -> State {
    let along = |a: f64, k: State| [0, 1, 2].map(|i| s[i] + a * k[i]);
    let k1 = f(s);
    let k2 = f(along(h / 2.0, k1));
    let k3 = f(along(h / 2.0, k2));
    let k4 = f(along(h, k3));
    [0, 1, 2].map(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// The Lorenz system over 1,000 steps: its last state's first coordinate, and the mean of its squares.
fn lorenz(p: State) -> [Var; 2] {
    let f = move |s: State| {
        [
            p[0] * (s[1] - s[0]),
            s[0] * (p[1] - s[2]) - s[1],
            s[0] * s[1] - p[2] * s[2],
        ]
    };
    let (last, xs) = scan([1.0; 3], 0..1000, |s, _| {
        let next = rk4(f, s, 0.01);
        (next, next[0])
    });
    [last[0], xs.square().mean()]
}

fn lorenz_loss(p: State) -> Var {
    lorenz(p)[1]
}

fn lorenz_parameters(n: usize) -> [Array; 3] {
    [0, 1, 2].map(|i| {
        let spread = spread(n, i);
        let all: Vec<f64> = spread
            .iter()
            .map(|u| LORENZ[i] * (1.0 + 0.01 * u))
            .collect();
        Array::from(all)
    })
}

/// `n` numbers spread over [0, 1) by the golden ratio.
fn spread(n: usize, k: usize) -> Vec<f64> {
    (0..n)
        .map(|i| ((i + 1 + k) as f64 * 0.618_033_988_749_894_9) % 1.0)
        .collect()
}

fn sum<const N: usize>(arrays: [Array; N]) -> wengert::Result<f64> {
    let mut total = 0.0;
    for a in &arrays {
        total += a.as_slice::<f64>()?.iter().sum::<f64>();
    }
    Ok(total)
}

/// Times the first run and later ones, and prints a line.
fn measure(name: &str, mut run: impl FnMut() -> wengert::Result<f64>) {
    let mut timed = |reps: usize| {
        let start = Instant::now();
        let mut last = run();
        for _ in 1..reps {
            last = run();
        }
        (start.elapsed().as_secs_f64() / reps as f64, last)
    };
    let (first, result) = timed(1);
    let check = match result {
        Ok(check) => check,
        Err(e) => {
            println!("{{\"name\": \"{name}\", \"error\": \"{e}\"}}");
            return;
        }
    };
    let (one, _) = timed(1);
    let reps = ((0.02 / one.max(1e-9)) as usize).max(1);
    let mut runs: Vec<f64> = (0..9).map(|_| timed(reps).0).collect();
    runs.sort_by(f64::total_cmp);
    println!(
        "{{\"name\": \"{name}\", \"first_ms\": {:.3}, \"run_us\": {:.3}, \"check\": {check:?}}}",
        first * 1e3,
        runs[4] * 1e6
    );
}
