//! A whole brain: 84 regions that oscillate at 40 Hz and act on each other through white matter, with delays and noise, for a
//! thousand pairs of global coupling and mean delay.
//!
//! ```text
//! dz/dt = z (a + i ω - |z|²) + K Σ w (z(t - τ) - z) + β noise
//! ```
//!
//! The model is the Stuart-Landau network of Cabral et al., *Metastable oscillatory modes emerge from synchronization in
//! the brain spacetime connectome* (Communications Physics 5, 2022), with its a = -5, ω = 2π 40 Hz and β = 0.001: a region alone
//! is damped, and noise keeps it going. The connectome is no measured one. It is made here: two hemispheres of 42
//! regions each on half an ellipsoid, weights that fall exponentially with the distance (the rule of Ercsey-Ravasz et al.,
//! Neuron 80, 2013) times log-normal numbers from a key, and links between regions that mirror each other. A delay is the distance at
//! the one speed that gives the mean delay.
//!
//! All sets of a chunk run in one compiled call, side by side in lanes and on all cores. The plot shows how much the
//! regions move as one, the mean of Kuramoto's order parameter, and how much that varies, its standard deviation.
//!
//! `cargo run --release --example whole_brain -- --help`

use std::error::Error;
use std::f64::consts::PI;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use wengert::prelude::*;
use wengert_solve::de::{Network, NetworkPath};

#[path = "whole_brain/plot.rs"]
mod plot;
#[cfg(test)]
#[path = "whole_brain/tests.rs"]
mod tests;

const USAGE: &str = "\
Sweeps coupling and delay of a network of 84 oscillating regions.

Usage: whole_brain [--sets N] [--seconds S] [--chunk N] [--out FILE]

  --sets N      pairs of coupling and mean delay, on a grid [1000]
  --seconds S   simulated time [1]
  --chunk N     sets in one call [64]
  --out FILE    where the plot goes, as SVG [whole_brain.svg]
  --help        this text";

const NODES: usize = 84;
/// Seconds of a step, and steps between two recorded moments.
const STEP: f64 = 1e-4;
const EVERY: usize = 10;
/// The longest mean delay of the sweep, in seconds.
const SLOWEST: f64 = 0.02;

const DAMPING: f64 = -5.0;
const FREQUENCY: f64 = 40.0;
const NOISE: f64 = 1e-3;

/// Regions, links and lengths: `[NODES][NODES]`.
struct Connectome {
    weights: Vec<Vec<f64>>,
    /// Distances as parts of their mean over links.
    distances: Vec<Vec<f64>>,
}

impl Connectome {
    /// The connectome of a key.
    fn of(key: Key<Array>) -> wengert::Result<Connectome> {
        let half = NODES / 2;
        // Points on a half of an ellipsoid, spread by the golden angle; millimetres.
        let place = |i: usize| {
            let k = i % half;
            let height = 1.0 - 2.0 * (k as f64 + 0.5) / half as f64;
            let angle = PI * ((k as f64 * 0.618_033_988_749_895).fract() - 0.5);
            let r = (1.0 - height * height).sqrt();
            let side = if i < half { 1.0 } else { -1.0 };
            [
                side * (8.0 + 55.0 * r * angle.cos()),
                75.0 * r * angle.sin(),
                50.0 * height,
            ]
        };
        let distance = |i: usize, j: usize| {
            let (a, b) = (place(i), place(j));
            let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
            square.sqrt()
        };
        let spread = jit(|key: Key| (0.5 * key.normal([NODES, NODES])).exp()).call(key)?;
        let spread = spread.to_vec::<f64>()?;
        let weight = |i: usize, j: usize| {
            let mirrors = if i.abs_diff(j) == half { 0.3 } else { 0.0 };
            let both = (spread[i * NODES + j] * spread[j * NODES + i]).sqrt();
            ((-distance(i, j) / 20.0).exp() + mirrors) * both
        };
        let matrix = |f: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            let rows = 0..NODES;
            let all = rows.map(|i| {
                (0..NODES)
                    .map(|j| if i == j { 0.0 } else { f(i, j) })
                    .collect()
            });
            let all: Vec<Vec<f64>> = all.collect();
            // Divided by the mean over pairs.
            let sum: f64 = all.iter().flatten().sum();
            let mean = sum / (NODES * (NODES - 1)) as f64;
            all.iter()
                .map(|row| row.iter().map(|x| x / mean).collect())
                .collect()
        };
        Ok(Connectome {
            weights: matrix(&weight),
            distances: matrix(&distance),
        })
    }

    /// The longest delay of a sweep, in steps.
    fn longest(&self) -> usize {
        let most = self
            .distances
            .iter()
            .flatten()
            .fold(0.0, |a: f64, b| a.max(*b));
        (most * SLOWEST / STEP).ceil() as usize
    }
}

/// A region's state.
#[derive(Tree, Clone, Copy, Debug)]
struct Brain<T = Var> {
    x: T,
    y: T,
}

/// What is recorded of a moment: the mean of the regions' directions, and its length.
fn order(z: Brain) -> Var {
    let size = (z.x.square() + z.y.square() + 1e-300).sqrt();
    let (x, y) = ((z.x / size).mean(), (z.y / size).mean());
    (x.square() + y.square()).sqrt()
}

/// Runs one pair of coupling and mean delay (seconds).
fn run(
    connectome: &Connectome,
    steps: usize,
    coupling: Var,
    delay: Var,
    key: Key,
) -> NetworkPath<Brain, Var> {
    let w = Var::from(connectome.weights.clone());
    let pull = coupling * w.sum_axis(1);
    let delays = (Var::from(connectome.distances.clone()) * (delay / STEP))
        .round()
        .to(DType::I64);
    let rate = move |_t: Var, z: Brain, past: Brain| {
        let growth = DAMPING - z.x.square() - z.y.square() - pull;
        let turn = 2.0 * PI * FREQUENCY;
        Brain {
            x: growth * z.x - turn * z.y + coupling * (w * past.x).sum_axis(1),
            y: growth * z.y + turn * z.x + coupling * (w * past.y).sum_axis(1),
        }
    };
    let noise = |_t: Var, z: Brain| tree::map(z, |x| full_like(x, NOISE));
    let (start, key) = key.split();
    let [x, y] = start.split_n().map(|key: Key| 0.01 * key.normal([NODES]));
    Network::new(delays, connectome.longest())
        .euler()
        .record(EVERY, |_t: Var, z: Brain| order(z))
        .solve_noisy(
            rate,
            noise,
            |z: Brain| z,
            Brain { x, y },
            0.0,
            steps as f64 * STEP,
            steps,
            key,
        )
}

/// What a set showed: the mean of the order parameter, and its standard deviation, over the second half of the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    coupling: f64,
    delay: f64,
    synchrony: f64,
    metastability: f64,
}

/// The grid of sets: couplings in logarithms from 0.1 to 50, and delays, as evenly as their number allows.
fn grid(sets: usize) -> (Vec<(f64, f64)>, [usize; 2]) {
    let couplings = ((sets as f64 * 1.6).sqrt().round() as usize).clamp(1, sets);
    let delays = sets.div_ceil(couplings);
    let part = |i: usize, n: usize| i as f64 / (n.max(2) - 1) as f64;
    let all = (0..sets).map(|i| {
        let (c, d) = (i % couplings, i / couplings);
        let coupling = 0.1 * 500f64.powf(part(c, couplings));
        (coupling, SLOWEST * part(d, delays))
    });
    (all.collect(), [couplings, delays])
}

struct Options {
    sets: usize,
    seconds: f64,
    chunk: usize,
    out: String,
}

fn sweep(options: &Options) -> Result<Vec<Seen>, Box<dyn Error>> {
    let connectome = Connectome::of(Key::from_seed(84))?;
    let steps = ((options.seconds / STEP).round() as usize).max(2 * EVERY);
    let (sets, _) = grid(options.sets);
    let chunk = options.chunk.min(sets.len());
    let moments = jit(move |(coupling, delay, key): (Var, Var, Key)| {
        let one = |(coupling, delay, key): (Var, Var, Key)| {
            let path = run(&connectome, steps, coupling, delay, key);
            let late = path.rows.slice_axis(0, steps / EVERY / 2..steps / EVERY);
            let mean = late.mean();
            (mean, (late - mean).square().mean().sqrt(), path.status)
        };
        wengert::map((coupling, delay, key.split_into(chunk)), one)
    });
    let bar = ProgressBar::new(sets.len() as u64);
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} sets, {eta} left",
    )?);
    let mut seen = vec![];
    for (i, some) in sets.chunks(chunk).enumerate() {
        // The last chunk is filled up with its last set.
        let filled = |of: fn(&(f64, f64)) -> f64| -> Vec<f64> {
            let last = some.last().map_or(0.0, of);
            let mut all: Vec<f64> = some.iter().map(of).collect();
            all.resize(chunk, last);
            all
        };
        let key = Key::from_seed(i as u64);
        let found = moments.call((filled(|s| s.0), filled(|s| s.1), key))?;
        wengert_solve::statuses(&found.2)?
            .iter()
            .find(|s| !s.is_converged())
            .map_or(Ok(()), |s| Err(format!("a set {s}")))?;
        let (means, deviations) = (found.0.to_vec::<f64>()?, found.1.to_vec::<f64>()?);
        for (j, &(coupling, delay)) in some.iter().enumerate() {
            seen.push(Seen {
                coupling,
                delay,
                synchrony: means[j],
                metastability: deviations[j],
            });
        }
        bar.inc(some.len() as u64);
    }
    bar.finish();
    Ok(seen)
}

fn options() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        sets: 1000,
        seconds: 1.0,
        chunk: 64,
        out: "whole_brain.svg".into(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--help" {
            return Ok(None);
        }
        let value = args
            .next()
            .ok_or(format!("{arg} needs a value\n\n{USAGE}"))?;
        match arg.as_str() {
            "--sets" => options.sets = value.parse()?,
            "--seconds" => options.seconds = value.parse()?,
            "--chunk" => options.chunk = value.parse()?,
            "--out" => options.out = value,
            _ => return Err(format!("{arg} is no option\n\n{USAGE}").into()),
        }
    }
    let ranges = options.sets > 0 && options.chunk > 0 && options.seconds > 0.0;
    match ranges && options.seconds <= 3600.0 {
        true => Ok(Some(options)),
        false => Err(format!(
            "sets, chunk and seconds are positive, and an hour at most\n\n{USAGE}"
        )
        .into()),
    }
}

fn main() -> ExitCode {
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn program() -> Result<(), Box<dyn Error>> {
    let Some(options) = options()? else {
        println!("{USAGE}");
        return Ok(());
    };
    let clock = Instant::now();
    let seen = sweep(&options)?;
    let time = clock.elapsed().as_secs_f64();
    let steps = options.seconds / STEP * seen.len() as f64;
    println!(
        "{} sets of {NODES} regions, {:.1} s each: {time:.1} s, {:.2} us for a step of a set",
        seen.len(),
        options.seconds,
        1e6 * time / steps
    );
    let most = |of: fn(&Seen) -> f64| {
        seen.iter()
            .max_by(|a, b| of(a).total_cmp(&of(b)))
            .expect("there are sets")
    };
    for (what, s) in [
        ("most synchronous", most(|s| s.synchrony)),
        ("most variable", most(|s| s.metastability)),
    ] {
        println!(
            "{what}: coupling {:.2}, mean delay {:.1} ms: order {:.3} ± {:.3}",
            s.coupling,
            1e3 * s.delay,
            s.synchrony,
            s.metastability
        );
    }
    plot::draw(&options.out, &seen, grid(options.sets).1)?;
    println!("wrote {}", options.out);
    Ok(())
}
