//! How often the methods for functions with many minima find the least one: Rastrigin's, Ackley's and Schwefel's in five
//! dimensions, each from a hundred keys in one compiled call.
//!
//! `cargo run --release --example many_minima [-- --keys 100]`

use std::f64::consts::{E, PI};
use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::minimize::{CmaEs, DifferentialEvolution, Minimum};

type Failure = Box<dyn std::error::Error>;

fn rastrigin(x: Var) -> Var {
    (x.square() - 10.0 * (2.0 * PI * x).cos() + 10.0).sum()
}

fn ackley(x: Var) -> Var {
    let far = (x.square().mean() + 1e-300).sqrt();
    20.0 + E - 20.0 * (-0.2 * far).exp() - (2.0 * PI * x).cos().mean().exp()
}

/// Outside of its box it falls without end, so there are walls.
fn schwefel(x: Var) -> Var {
    let inside = x.clip(-500.0, 500.0);
    let waves = inside * (inside.abs() + 1e-300).sqrt().sin();
    418.982_887_272_433_9 * x.shape()[0] as f64 - waves.sum() + (x - inside).square().sum()
}

/// Name, function, and half the width of the box that is searched.
type Landscape = (&'static str, fn(Var) -> Var, f64);

const FUNCTIONS: [Landscape; 3] = [
    ("Rastrigin", rastrigin, 5.12),
    ("Ackley", ackley, 32.768),
    ("Schwefel", schwefel, 500.0),
];

const METHODS: [&str; 3] = [
    "differential evolution",
    "CMA-ES, 240 draws",
    "CMA-ES, restarts",
];

fn search(method: &str, key: Key, f: fn(Var) -> Var, far: f64) -> Minimum<Var> {
    let (start, draws) = key.split();
    let start = start.uniform_in(-far, far, 5);
    match method {
        "differential evolution" => {
            DifferentialEvolution::new().minimize(draws, f, full(5, -far), full(5, far))
        }
        "CMA-ES, 240 draws" => {
            let method = CmaEs::new().population(240);
            method.minimize(draws, f, start, 0.6 * far)
        }
        _ => {
            let method = CmaEs::new().restarts(7).max_steps(500).target(1e-8);
            method.minimize(draws, f, start, 0.6 * far)
        }
    }
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let keys = match args.as_slice() {
        [] => 100,
        [flag, n] if flag == "--keys" => n.parse::<usize>()?.max(1),
        _ => return Err("usage: many_minima [--keys N]".into()),
    };
    let seeds = jit(move |k: Key| k.split_into(keys)).call(Key::from_seed(2026))?;
    println!(
        "{:24}{:12}{:>12}{:>14}{:>12}",
        "", "", "successes", "evaluations", "seconds"
    );
    for method in METHODS {
        for (name, f, far) in FUNCTIONS {
            let find = jit(vmap(move |key: Key| search(method, key, f, far)));
            let compiled = find.compile(&seeds)?;
            let clock = Instant::now();
            let found = compiled.call(&seeds)?;
            let seconds = clock.elapsed().as_secs_f64();
            let values = found.value.to_vec::<f64>()?;
            let least = values.iter().filter(|v| **v < 1e-4).count();
            let evaluations: i64 = found.evaluations.to_vec::<i64>()?.iter().sum();
            let mean = evaluations as f64 / keys as f64;
            let rate = format!("{least} of {keys}");
            println!("{method:24}{name:12}{rate:>12}{mean:>14.0}{seconds:>12.3}");
        }
    }
    Ok(())
}
