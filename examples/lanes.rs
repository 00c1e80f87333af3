//! What solvers cost in lanes: problems side by side take different numbers of steps, and lanes that are done should
//! not wait for the longest of their block. Each batch is timed beside one of as many blocks, in which every lane has the
//! block's longest problem, so that nobody waits; a ratio of at most 1 means that waiting costs nothing.
//!
//! `cargo run --release --example lanes`

use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::fit::LevenbergMarquardt;
use wengert_solve::minimize::{Bfgs, Lbfgs, Newton};
use wengert_solve::root::{Method, Search};

type Failure = Box<dyn std::error::Error>;

/// Lanes of a block.
const BLOCK: usize = 8;

fn rosenbrock(x: Var) -> Var {
    let (here, next) = (x.at(..-1), x.at(1..));
    (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
}

/// A solver's name, and how many evaluations it takes from a start of four numbers.
type Solver = (&'static str, fn(Var) -> Var);

/// The solvers that are compared.
fn solvers() -> [Solver; 5] {
    [
        ("fit of a decay", |p| {
            let t = 0.1 * arange(0..40).to(DType::F64);
            let y = 2.0 * (-1.3 * t).exp() + 0.5 + 0.01 * (17.0 * t).sin();
            let model = |p: Var| p.at(0) * (-p.at(1) * t).exp() + p.at(2) + 0.0 * p.at(3) - y;
            LevenbergMarquardt::new()
                .least_squares(model, p + 2.0)
                .iterations
        }),
        ("BFGS", |x| {
            Bfgs::new().minimize(rosenbrock, 2.0 * x).evaluations
        }),
        ("L-BFGS", |x| {
            Lbfgs::new().minimize(rosenbrock, 2.0 * x).evaluations
        }),
        ("Newton", |x| {
            Newton::new().minimize(rosenbrock, 2.0 * x).evaluations
        }),
        ("root", |x| {
            let f = |x: Var| x.powi(3) - x.sum() + [0.5, -0.5, 1.0, 0.1];
            Search::new(Method::Hybrid).root(f, 3.0 * x).evaluations
        }),
    ]
}

fn main() -> Result<(), Failure> {
    let count = 4096;
    let starts: Vec<[f64; 4]> = (0..count)
        .map(|i| {
            std::array::from_fn(|j| {
                2.0 * ((4 * i + j + 1) as f64 * 0.618_033_988_749_894_9).fract() - 1.0
            })
        })
        .collect();
    println!(
        "{:16}{:>12}{:>18}{:>12}",
        "", "evaluations", "sum of longest", "cost"
    );
    for (name, solver) in solvers() {
        let f = jit(vmap(solver));
        let steps = f.call(starts.clone())?.to_vec::<i64>()?;
        let longest = |block: usize| {
            let lanes = block * BLOCK..(block + 1) * BLOCK;
            lanes.max_by_key(|&i| steps[i]).expect("lanes")
        };
        let copies: Vec<[f64; 4]> = (0..count).map(|i| starts[longest(i / BLOCK)]).collect();
        let sum: i64 = (0..count / BLOCK).map(|block| steps[longest(block)]).sum();
        let (mixed, even) = (Array::from(starts.clone()), Array::from(copies));
        // In turns, the fastest of each.
        let mut times = [f64::INFINITY; 2];
        for _ in 0..20 {
            for (best, batch) in times.iter_mut().zip([&mixed, &even]) {
                let clock = Instant::now();
                f.call(batch)?;
                *best = best.min(clock.elapsed().as_secs_f64());
            }
        }
        let total: i64 = steps.iter().sum();
        println!("{name:16}{total:>12}{sum:>18}{:>12.2}", times[0] / times[1]);
    }
    Ok(())
}
