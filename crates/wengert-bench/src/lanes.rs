//! Batches of loops of very different lengths, compared with the same batches in which all lanes of a block run
//! as long as the longest one.

use std::time::Instant;

use wengert::prelude::*;

use crate::inputs::u;
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    vec![Workload::alone("lanes/unequal", unequal)]
}

/// Number of lanes that run side by side in machine code.
const BLOCK: usize = 8;
const LANES: usize = 4096;
const LONGEST: f64 = 10_000.0;
/// Number of pairs of runs, of which the fastest of each kind count.
const RUNS: usize = 9;

/// Runs a loop of `n` steps from `x`.
fn steps(x: Var, n: Var) -> Var {
    let more = move |(_, i): (Var, Var)| i.lt(n);
    while_loop((x, 0i64), more, |(x, i)| (x.sin() + 0.1 * x, i + 1)).0
}

/// Measures the value, the gradient, and a loop over products so large that the batch is one of matrices.
/// Lengths from 1 to 10,000 are spread evenly, and also so that each order of magnitude is equally frequent.
fn unequal(name: &str) -> String {
    let mut lines = vec![];
    let even = |u: f64| u * LONGEST;
    let orders = |u: f64| LONGEST.powf(u);
    let value = jit(vmap(|(x, n): (Var, Var)| steps(x, n)));
    let slope = jit(vmap(|(x, n): (Var, Var)| grad_at(x, |x| steps(x, n))));
    for (kind, spread) in [("even", even as fn(f64) -> f64), ("orders", orders)] {
        let lengths = lengths(LANES, spread);
        let x = Array::from(u(LANES, 3));
        let (some, all) = (array(&lengths), array(&longest(&lengths, BLOCK)));
        for (what, f) in [("value", &value), ("grad", &slope)] {
            lines.push(compare(
                &format!("{name}_{what}_{kind}"),
                f,
                &x,
                &some,
                &all,
            ));
        }
    }
    let wide = jit(vmap(|(x, n): (Var, Var)| {
        let w = (arange(64 * 64).to(DType::F64) * 0.7)
            .sin()
            .reshape([64, 64])
            * 0.05;
        let more = move |(_, i): (Var, Var)| i.lt(n);
        let x = x + zeros([64, 64]);
        while_loop((x, 0i64), more, |(x, i)| (x.dot(w).sin(), i + 1))
            .0
            .sum()
    }));
    let lengths: Vec<i64> = lengths(16, |u| 100.0 * u);
    let x = Array::from(u(16, 3));
    let (some, all) = (array(&lengths), array(&longest(&lengths, 16)));
    lines.push(compare(
        &format!("{name}_flattened"),
        &wide,
        &x,
        &some,
        &all,
    ));
    let mean = lengths.iter().sum::<i64>() as f64 / lengths.len() as f64;
    let most = *lengths.iter().max().expect("there are lanes");
    lines.push(format!(
        "{{\"name\": \"{name}_flattened_lengths\", \"longest\": {most}, \"mean\": {mean}}}"
    ));
    lines.join("\n")
}

fn lengths(n: usize, spread: impl Fn(f64) -> f64) -> Vec<i64> {
    let all = u(n, 0).into_iter();
    all.map(|u| (spread(u) as i64).max(1)).collect()
}

/// Returns for each lane the longest length in its block.
fn longest(lengths: &[i64], block: usize) -> Vec<i64> {
    let most = |b: &[i64]| vec![*b.iter().max().expect("there are lanes"); b.len()];
    lengths.chunks(block).flat_map(most).collect()
}

fn array(lengths: &[i64]) -> Array {
    Array::from(lengths.to_vec())
}

/// Times both in turns, and returns a line with the ratio of the fastest runs.
fn compare(name: &str, f: &Jit<(Var, Var), Var>, x: &Array, some: &Array, all: &Array) -> String {
    let time = |lengths: &Array| -> wengert::Result<f64> {
        let start = Instant::now();
        f.call((x, lengths))?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let measure = || -> wengert::Result<(f64, f64)> {
        time(some)?;
        let mut best = (f64::INFINITY, f64::INFINITY);
        for _ in 0..RUNS {
            best = (best.0.min(time(some)?), best.1.min(time(all)?));
        }
        Ok(best)
    };
    match measure() {
        Ok((some, all)) => format!(
            "{{\"name\": \"{name}\", \"ms\": {some:.3}, \"longest_ms\": {all:.3}, \"ratio\": {:.3}}}",
            some / all
        ),
        Err(e) => format!("{{\"name\": \"{name}\", \"error\": \"{e}\"}}"),
    }
}
