//! Lorenz's equations over a grid of their parameters, as a sweep that can be left alone: results go into a directory,
//! a bar shows how far it is, ctrl-c ends it, and the same command goes on with what is there. So it does after
//! `kill -9`.
//!
//! ```text
//! dx/dt = σ (y - x)
//! dy/dt = x (ρ - z) - y
//! dz/dt = x y - β z
//! ```
//!
//! `cargo run --release --example sweep -- --help`

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use wengert::prelude::*;
use wengert_sweep::{Design, Shard, Stored, Sweep};

const USAGE: &str = "\
Sweeps Lorenz's equations over a grid of their three parameters.

Usage: sweep [--points N] [--directory DIR] [--memory MB] [--share I/N] [--cost]

  --points N       points along each axis [100]
  --directory DIR  where results go, and whence an earlier run is resumed [sweep]
  --memory MB      the limit on memory [1024]
  --share I/N      a share of the sweep; in a job array of Slurm it is found out
  --cost           instead, the time of a sweep of a million points beside that of a plain `vmap`,
                   and the memory of one of ten million
  --help           this text";

/// Steps of Runge and Kutta's method, and their length.
const STEPS: usize = 100;
const H: f64 = 0.01;

/// The parameters.
#[derive(Tree, Clone, Copy, Debug)]
struct Lorenz<T = Var> {
    sigma: T,
    rho: T,
    beta: T,
}

impl Lorenz {
    fn rate(&self, [x, y, z]: [Var; 3]) -> [Var; 3] {
        [
            self.sigma * (y - x),
            x * (self.rho - z) - y,
            x * y - self.beta * z,
        ]
    }

    /// Where the point (1, 1, 1) goes.
    fn end(self) -> [Var; 3] {
        let along = |s: [Var; 3], h: f64, k: [Var; 3]| std::array::from_fn(|i| s[i] + h * k[i]);
        fori(0..STEPS, [1.0; 3], |_, s: [Var; 3]| {
            let k1 = self.rate(s);
            let k2 = self.rate(along(s, H / 2.0, k1));
            let k3 = self.rate(along(s, H / 2.0, k2));
            let k4 = self.rate(along(s, H, k3));
            std::array::from_fn(|i| s[i] + H / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]))
        })
    }
}

fn axis(n: usize, low: f64, high: f64) -> Vec<f64> {
    let step = (high - low) / (n.max(2) - 1) as f64;
    (0..n).map(|i| low + step * i as f64).collect()
}

fn grid(n: [usize; 3]) -> wengert_sweep::Result<Design<Lorenz>> {
    Design::grid(Lorenz {
        sigma: axis(n[0], 5.0, 15.0),
        rho: axis(n[1], 0.0, 50.0),
        beta: axis(n[2], 1.0, 4.0),
    })
}

struct Options {
    points: usize,
    directory: PathBuf,
    memory: u64,
    shard: Shard,
}

fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, stop.clone())?;
    let summary = Sweep::new(grid([options.points; 3])?, Lorenz::end)
        .directory(&options.directory)
        .memory(options.memory)
        .shard(options.shard)
        .cancel(stop)
        .bar()
        .run()?;
    println!("{summary}");
    if summary.done < summary.points {
        println!(
            "the same command goes on with what is in {}",
            options.directory.display()
        );
        return Ok(());
    }
    let stored = Stored::open(&options.directory)?;
    println!(
        "{} in {} files: {}",
        options.directory.display(),
        stored.files()?.len(),
        stored.names().join(", ")
    );
    Ok(())
}

/// Seconds of the processor that this process has taken, all threads together.
fn cpu() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return f64::NAN;
    };
    // Behind the name, which may have spaces, are 11 fields before the ticks of the user and the system.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: Vec<f64> = fields
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse().ok())
        .collect();
    ticks.iter().sum::<f64>() / 100.0
}

/// The most memory that this process has had, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn cost() -> Result<(), Box<dyn Error>> {
    println!("before: {:.0} MiB at most", peak());
    let limit = 128 << 20;
    let start = Instant::now();
    let summary = Sweep::new(grid([1000, 100, 100])?, Lorenz::end)
        .memory(limit)
        .progress(|_| ())
        .run()?;
    println!(
        "{} points within a limit of {} MiB: {:.0} MiB at most, {:.1} s",
        summary.done,
        limit >> 20,
        peak(),
        start.elapsed().as_secs_f64()
    );

    let n = 100;
    let mut columns = Lorenz {
        sigma: vec![],
        rho: vec![],
        beta: vec![],
    };
    for s in axis(n, 5.0, 15.0) {
        for r in axis(n, 0.0, 50.0) {
            for b in axis(n, 1.0, 4.0) {
                columns.sigma.push(s);
                columns.rho.push(r);
                columns.beta.push(b);
            }
        }
    }
    let columns = Lorenz {
        sigma: Array::from(columns.sigma),
        rho: Array::from(columns.rho),
        beta: Array::from(columns.beta),
    };
    let plain = jit(vmap(Lorenz::end));
    let known = plain.call(&columns)?;
    // In turns, so that what else the machine does is shared.
    const ROUNDS: usize = 15;
    let (mut plains, mut sweeps) = (vec![], vec![]);
    let (mut plain_cpu, mut sweep_cpu) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        let (t, c) = (Instant::now(), cpu());
        let found = plain.call(&columns)?;
        plains.push(t.elapsed().as_secs_f64());
        plain_cpu += cpu() - c;
        drop(found);

        // What a sweep takes to trace and compile is not of its million points.
        let mut chunks = Sweep::new(grid([n; 3])?, Lorenz::end)
            .chunk(250_000)
            .progress(|_| ())
            .chunks()?;
        let mut first = true;
        let (mut t, mut c) = (Instant::now(), cpu());
        let mut points = 0;
        while let Some(chunk) = chunks.next() {
            match std::mem::take(&mut first) {
                true => (t, c) = (Instant::now(), cpu()),
                false => points += chunk?.count,
            }
        }
        let share = 1_000_000.0 / points as f64;
        sweeps.push(t.elapsed().as_secs_f64() * share);
        sweep_cpu += (cpu() - c) * share;
    }
    let found = Sweep::new(grid([n; 3])?, Lorenz::end).collect()?;
    assert_eq!(found.results, known);
    let (a, b) = (median(&mut plains), median(&mut sweeps));
    println!(
        "a million points, {ROUNDS} rounds in turns: plain {a:.4} s, swept {b:.4} s, {:+.1} %; of the processor {:+.1} %",
        100.0 * (b / a - 1.0),
        100.0 * (sweep_cpu / plain_cpu - 1.0)
    );
    Ok(())
}

fn parse() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        points: 100,
        directory: "sweep".into(),
        memory: 1 << 30,
        shard: Shard::from_slurm()?,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} takes a value"));
        match arg.as_str() {
            "--points" => options.points = value()?.parse()?,
            "--directory" => options.directory = value()?.into(),
            "--memory" => options.memory = value()?.parse::<u64>()? << 20,
            "--share" => {
                let text = value()?;
                let (i, n) = text.split_once('/').ok_or("a share is I/N, from 0/N on")?;
                options.shard = Shard::new(i.parse()?, n.parse()?)?;
            }
            "--cost" => return Ok(None),
            "--help" => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            other => return Err(format!("there is no {other}; see --help").into()),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let done = match parse() {
        Ok(Some(options)) => run(options),
        Ok(None) => cost(),
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("sweep: {e}");
            ExitCode::FAILURE
        }
    }
}
