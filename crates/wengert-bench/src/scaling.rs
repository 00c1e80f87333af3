//! What threads gain on batches of long runs, and what a batch of gradients costs beside a single one.

use std::env;
use std::process::Command;

use serde_json::Value;
use wengert::prelude::*;

use crate::inputs::{linspace, u};
use crate::measure::Workload;
use crate::ode::{adaptive, lorenz, lorenz_parameters};

/// Sizes of batches.
const BATCHES: [usize; 5] = [2, 8, 20, 64, 1000];
/// Steps of a run.
const STEPS: usize = 10_000;
/// Sizes of batches of gradients.
const GRADIENTS: [usize; 3] = [1, 100, 1000];
/// How often each is measured: the shortest time counts.
const ROUNDS: usize = 3;

pub fn workloads() -> Vec<Workload> {
    let runs = BATCHES.map(|n| {
        Workload::of(format!("scaling/lorenz_{n}"), move || {
            let f = jit(vmap(|p| lorenz(p, STEPS).0));
            (f, lorenz_parameters(n))
        })
        .without_peers()
    });
    let gradients = GRADIENTS.map(|n| {
        Workload::of(format!("scaling/oregonator_grad_{n}"), move || {
            let end = |p: Var| oregonator(p).sum();
            let (f, q) = (linspace(0.9, 1.1, 1000), u(1000, 0));
            let p: Vec<[f64; 4]> = (0..n)
                .map(|i| [f[i * 1000 / n], 1e-3 * (1.0 + q[i]), 0.3, 0.1])
                .collect();
            (jit(vmap(grad(end))), Array::from(p))
        })
        .with_steps(2_000.0)
        .without_peers()
    });
    runs.into_iter().chain(gradients).collect()
}

/// Runs Tyson's form of the Oregonator to time 10, with a tolerance of 1e-6: returns the last state.
fn oregonator(p: Var) -> Var {
    let [f, q] = [p.at(0), p.at(1)];
    let slope = |[x, z]: [Var; 2]| {
        let reaction = x * (1.0 - x) - f * z * (x - q) / (x + q);
        [reaction / 0.04, x - z]
    };
    stack(adaptive(slope, [p.at(2), p.at(3)], 10.0))
}

/// What a process reports of a workload: the time of a run in microseconds, and its peak memory in megabytes.
struct Report {
    run: f64,
    peak: f64,
}

/// Measures a workload in a process of its own, on one thread or all.
fn report(name: &str, one_thread: bool) -> Result<Report, String> {
    let program = env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["--exact", name]);
    if one_thread {
        command.env("RAYON_NUM_THREADS", "1");
    }
    let output = command.output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line: Value =
        serde_json::from_str(text.trim()).map_err(|e| format!("{name}: {e}: {text}"))?;
    let number = |key: &str| line[key].as_f64().ok_or(format!("{name}: {text}"));
    Ok(Report {
        run: number("run_us")?,
        peak: line["peak_mb"].as_f64().unwrap_or(f64::NAN),
    })
}

/// Prints what threads gain, and what batches of gradients cost.
pub fn print() -> Result<(), String> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    println!(
        "| batch of {STEPS} steps | one thread | {threads} threads | ratio |\n|---:|---:|---:|---:|"
    );
    for n in BATCHES {
        let name = format!("scaling/lorenz_{n}");
        let (mut one, mut all) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            one = one.min(report(&name, true)?.run);
            all = all.min(report(&name, false)?.run);
        }
        println!("| {n} | {one:.0} µs | {all:.0} µs | {:.2} |", one / all);
    }
    println!(
        "\n| gradients of adaptive runs | per element | ÷ one alone | peak memory |\n|---:|---:|---:|---:|"
    );
    let mut alone = f64::NAN;
    for n in GRADIENTS {
        let name = format!("scaling/oregonator_grad_{n}");
        let (mut run, mut peak) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            let report = report(&name, false)?;
            (run, peak) = (run.min(report.run), peak.min(report.peak));
        }
        let each = run / n as f64;
        if n == 1 {
            alone = each;
        }
        println!(
            "| {n} | {each:.1} µs | {:.2} | {peak:.1} MB |",
            each / alone
        );
    }
    Ok(())
}
