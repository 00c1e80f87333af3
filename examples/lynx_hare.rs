//! Lynx and hare: a predator-prey model, fitted to the numbers of pelts that the Hudson's Bay Company collected
//! from 1900 to 1920, from a thousand starting points at once.
//!
//! ```text
//! dx/dt = α x - β x y      hares, in thousands of pelts
//! dy/dt = δ x y - γ y      lynx
//! ```
//!
//! The four rates and the two populations of 1900 are found by least squares on the logarithms of both series.
//! All of it is one compiled function, `jit(multistart)`: each fit is a loop that stops when it has converged, its
//! Jacobian is the derivative of a scan of Runge–Kutta steps, and a thousand fits run side by side in SIMD lanes on all
//! cores.
//!
//! `cargo run --release --example lynx_hare -- --help`

use std::array::from_fn;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::fit::{Fit, LevenbergMarquardt};

#[path = "lynx_hare/plot.rs"]
mod plot;
#[cfg(test)]
#[path = "lynx_hare/tests.rs"]
mod tests;

const USAGE: &str = "\
Fits Lotka-Volterra to the lynx and hare pelts of the Hudson's Bay Company.

Usage: lynx_hare [--starts N] [--out FILE] [--profile]

  --starts N   starting points of the search [1000]
  --out FILE   where the plot goes, as SVG [lynx_hare.svg]
  --profile    where the time goes, by the lines of this program
  --help       this text";

/// Years of data, and Runge–Kutta steps per year.
const YEARS: usize = 21;
const STEPS: usize = 20;

/// Unknowns.
const N: usize = 6;

// The model.

/// The rates, and the populations of 1900; or their logarithms.
#[derive(Tree, Clone, Copy, Debug)]
struct Model<T = Var> {
    alpha: T,
    beta: T,
    gamma: T,
    delta: T,
    hares: T,
    lynx: T,
}

impl Model {
    /// Converts logarithms to a model. The search is over logarithms, so that every point is a model.
    fn from_logs(q: Model) -> Model {
        tree::map(q, Var::exp)
    }

    fn start(&self) -> [Var; 2] {
        [self.hares, self.lynx]
    }

    fn rate(&self, [x, y]: [Var; 2]) -> [Var; 2] {
        [
            self.alpha * x - self.beta * x * y,
            self.delta * x * y - self.gamma * y,
        ]
    }

    /// Takes one step of the classical Runge–Kutta method.
    fn step(&self, s: [Var; 2]) -> [Var; 2] {
        let h = 1.0 / STEPS as f64;
        let along = |k: [Var; 2], h: f64| from_fn(|i| s[i] + h * k[i]);
        let k1 = self.rate(s);
        let k2 = self.rate(along(k1, h / 2.0));
        let k3 = self.rate(along(k2, h / 2.0));
        let k4 = self.rate(along(k3, h));
        from_fn(|i| s[i] + h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }

    /// Returns both populations once a year, starting with the initial ones.
    fn each_year(&self) -> [Var; 2] {
        let year = |s, _| {
            let next = fori(0..STEPS, s, |_, s| self.step(s));
            (next, next)
        };
        let (_, later) = scan(self.start(), 0..YEARS - 1, year);
        let start = self.start();
        from_fn(|i| concat([start[i].reshape([1]), later[i]], 0))
    }

    /// Returns both populations at every step.
    fn curves(&self) -> [Var; 2] {
        let step = |s, _| (self.step(s), s);
        scan(self.start(), 0..(YEARS - 1) * STEPS + 1, step).1
    }
}

/// The data: thousands of pelts per year.
#[derive(Clone)]
struct Pelts {
    years: Vec<f64>,
    hares: Vec<f64>,
    lynx: Vec<f64>,
}

impl Pelts {
    fn read() -> Pelts {
        let text = include_str!("../data/lynx_hare.csv");
        let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
        let rows: Vec<[f64; 3]> = lines
            .map(|line| {
                let mut fields = line.split(',').map(|x| x.parse().expect("a number"));
                from_fn(|_| fields.next().expect("three columns"))
            })
            .collect();
        let column = |i: usize| rows.iter().map(|row| row[i]).collect();
        Pelts {
            years: column(0),
            lynx: column(1),
            hares: column(2),
        }
    }

    /// Returns the differences between model and data, year by year, in logarithms.
    fn residuals(&self, q: Model) -> [Var; 2] {
        let [x, y] = Model::from_logs(q).each_year();
        [
            (x / Array::from(&self.hares)).ln(),
            (y / Array::from(&self.lynx)).ln(),
        ]
    }
}

/// Fits the logarithms of the unknowns from many starts at once.
fn fits(pelts: Pelts) -> Jit<Model, Fit<Model>> {
    // A unit of a logarithm is far: the first steps are short.
    let options = LevenbergMarquardt::new().xtol(1e-10).radius(0.1);
    jit(move |starts: Model| options.multistart(|q: Model| pelts.residuals(q), starts))
}

/// Returns starting points, spread evenly over a box in the logarithms by the R6 sequence.
fn starts(n: usize) -> Model<Array> {
    const BOX: [[f64; 2]; N] = [
        [0.1, 2.0],
        [0.005, 0.1],
        [0.1, 2.0],
        [0.005, 0.1],
        [5.0, 100.0],
        [1.0, 50.0],
    ];
    const G: f64 = 1.1127756842787055; // the root of g⁷ = g + 1
    let start = |i: usize| {
        from_fn(|j| {
            let [low, high] = BOX[j].map(f64::ln);
            low + (high - low) * (0.5 + i as f64 * G.powi(-(j as i32 + 1))).fract()
        })
    };
    let all: Vec<[f64; N]> = (1..=n).map(start).collect();
    let [alpha, beta, gamma, delta, hares, lynx] =
        from_fn(|j| Array::from(all.iter().map(|q| q[j]).collect::<Vec<f64>>()));
    Model {
        alpha,
        beta,
        gamma,
        delta,
        hares,
        lynx,
    }
}

// The report.

/// Prints the results, and returns the best point.
fn report(fits: &Fit<Model<Array>, Array>) -> Result<Model<Array>, Box<dyn Error>> {
    let minima = fits.minima(1e-3)?;
    let reached = minima.first().ok_or("no start came to a minimum")?;
    let best = fits.element(reached.starts[0])?.ok()?;

    println!("          estimate  standard error  of the logarithm");
    let (logs, errors) = (tree::leaves(&best.params), tree::leaves(&best.errors));
    for ((name, q), e) in tree::paths(&best.params).iter().zip(&logs).zip(&errors) {
        let (p, e) = (q.item::<f64>()?.exp(), e.item::<f64>()?);
        println!(
            "{:<6} {:>11}  {:>14}  {e:>16.4}",
            name.trim_start_matches('.'),
            digits(p, 8),
            digits(p * e, 3)
        );
    }
    println!("\nresidual sum of squares {:.10}\n", reached.cost);

    let starts = fits.statuses()?.len();
    println!("{:>5} of {starts} starts reached it", reached.starts.len());
    let few = starts.div_ceil(100);
    let (many, others): (Vec<_>, Vec<_>) = minima[1..].iter().partition(|m| m.starts.len() >= few);
    for minimum in many {
        println!("{:>5} ended at {:.4}", minimum.starts.len(), minimum.cost);
    }
    if !others.is_empty() {
        let places: Vec<String> = others.iter().map(|m| format!("{:.4}", m.cost)).collect();
        let n: usize = others.iter().map(|m| m.starts.len()).sum();
        println!("{n:>5} elsewhere: {}", places.join(", "));
    }
    println!("\n{fits}\n");
    Ok(best.params)
}

/// Formats a number with this many significant digits.
fn digits(x: f64, n: i32) -> String {
    let places = n - 1 - x.abs().log10().floor() as i32;
    format!("{x:.*}", places.clamp(0, 17) as usize)
}

struct Options {
    starts: usize,
    out: String,
    profile: bool,
}

/// Parses the command line; returns `None` for help.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        starts: 1000,
        out: "lynx_hare.svg".into(),
        profile: false,
    };
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or(format!("{flag} wants a value"));
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--out" => options.out = value()?,
            "--profile" => options.profile = true,
            "--starts" => {
                let n = value()?;
                options.starts = match n.parse() {
                    Ok(n) if n > 0 => n,
                    _ => return Err(format!("--starts wants a number above 0, not {n}")),
                }
            }
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let pelts = Pelts::read();
    let fits = fits(pelts.clone());
    let starts = starts(options.starts);
    if options.profile {
        println!("{}", fits.profile(&starts)?);
        return Ok(());
    }

    let clock = Instant::now();
    fits.func(tree::specs(&starts))?;
    let traced = clock.elapsed();
    let clock = Instant::now();
    let code = fits.compile(tree::specs(&starts))?;
    // It has traced once more, so this time is subtracted.
    let compiled = clock.elapsed().saturating_sub(traced);
    let clock = Instant::now();
    let found = code.call(starts)?;
    let ran = clock.elapsed();

    let best = report(&found)?;
    println!("traced in {traced:.1?}, compiled in {compiled:.1?}, run in {ran:.1?}");
    let curves = jit(|q: Model| Model::from_logs(q).curves()).call(best)?;
    let curves = [curves[0].to_vec()?, curves[1].to_vec()?];
    plot::draw(&options.out, &pelts, &curves)?;
    println!("the plot is in {}", options.out);
    Ok(())
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)) {
        Ok(None) => println!("{USAGE}"),
        Ok(Some(options)) => {
            if let Err(error) = run(&options) {
                eprintln!("lynx_hare: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(mistake) => {
            eprintln!("lynx_hare: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
