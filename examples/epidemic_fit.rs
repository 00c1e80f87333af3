//! An epidemic with a lockdown: a model of who is susceptible, exposed, infectious and recovered, fitted to the new cases
//! of each day, with the day on which contacts changed as an unknown.
//!
//! ```text
//! S' = -β S I    E' = β S I - σ E    I' = σ E - γ I    C' = σ E
//! ```
//!
//! in parts of a town of a million people, with an incubation of three days and five infectious ones. β is `R γ`, and R
//! falls on the day of the lockdown. The integration stops at that day and goes on with the other rate, so that what is
//! computed depends smoothly on it, and a fit, its errors and a gradient go through the differential equation.
//!
//! The data are synthetic: the model's cases of each day for the numbers in [`TRUTH`], times `exp(0.08 z)`, where the `z` are
//! the standard normal numbers of `Key::from_seed(2020)`.
//!
//! `cargo run --release --example epidemic_fit -- --help`

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::de::{Ode, Tsit5};
use wengert_solve::fit::{Fit, LevenbergMarquardt, Parameters, Prediction, Transform};

#[path = "epidemic_fit/plot.rs"]
mod plot;
#[cfg(test)]
#[path = "epidemic_fit/tests.rs"]
mod tests;

const USAGE: &str = "\
Fits an epidemic with a lockdown to the new cases of each day.

Usage: epidemic_fit [--out FILE]

  --out FILE   where the plot goes, as SVG [epidemic_fit.svg]
  --help       this text";

/// The number of people, and of days with data.
const PEOPLE: f64 = 1e6;
const DAYS: usize = 120;

/// The rates at which the exposed become infectious, and the infectious recover, in a day.
const SIGMA: f64 = 1.0 / 3.0;
const GAMMA: f64 = 1.0 / 5.0;

/// What the data are made with.
const TRUTH: Epidemic<f64> = Epidemic {
    before: 2.6,
    after: 0.85,
    lockdown: 42.0,
    exposed: 20.0,
};

/// The noise of the logarithms of the data.
const NOISE: f64 = 0.08;

// The model.

/// The unknowns.
#[derive(Tree, Clone, Copy, Debug)]
struct Epidemic<T = Var> {
    /// How many others one infects, while everybody is susceptible.
    before: T,
    /// The same after the lockdown.
    after: T,
    /// The day of the lockdown.
    lockdown: T,
    /// The number of the exposed on day 0.
    exposed: T,
}

/// The parts of the people that are susceptible, exposed, infectious, and were ever infectious.
#[derive(Tree, Clone, Copy)]
struct Parts<T = Var> {
    susceptible: T,
    exposed: T,
    infectious: T,
    cases: T,
}

impl Epidemic {
    fn start(&self) -> Parts {
        let exposed = self.exposed / PEOPLE;
        Parts {
            susceptible: 1.0 - exposed,
            exposed,
            infectious: 0.0.into(),
            cases: 0.0.into(),
        }
    }

    /// The parts at times, a vector that ascends from day 0.
    fn parts(&self, times: Var) -> Parts {
        let rate = |r: Var| {
            move |_: Var, p: Parts| {
                let infected = r * GAMMA * p.susceptible * p.infectious;
                let sick = SIGMA * p.exposed;
                Parts {
                    susceptible: -infected,
                    exposed: infected - sick,
                    infectious: sick - GAMMA * p.infectious,
                    cases: sick,
                }
            }
        };
        let ode = Ode::new(Tsit5).rtol(1e-8).atol(1e-12);
        // Until the lockdown, or until the last time if that is earlier.
        let until = ode.sample(
            rate(self.before),
            self.start(),
            0.0,
            times.minimum(self.lockdown),
        );
        let there = tree::map(until.y, |rows| rows.at(-1));
        let since = times.maximum(self.lockdown);
        let later = ode.sample(rate(self.after), there, self.lockdown, since);
        let early = times.le(self.lockdown);
        tree::map2(until.y, later.y, |a, b| early.select(a, b))
    }

    /// The new cases of each day.
    fn daily(&self) -> Var {
        let ends = arange(0..DAYS + 1).to(DType::F64);
        PEOPLE * self.parts(ends).cases.diff(0)
    }

    /// All who were ever infectious by the last day.
    fn total(&self) -> Var {
        PEOPLE * self.parts(full([1], DAYS as f64)).cases.at(0)
    }
}

/// The data.
fn observed() -> wengert::Result<Array> {
    let noisy = |(p, key): (Epidemic, Key)| p.daily() * (NOISE * key.normal([DAYS])).exp();
    jit(noisy).call((TRUTH, Key::from_seed(2020)))
}

/// What is found: the fit, the curve with its errors, and what a day's delay of the lockdown would have done.
type Found<T> = (Fit<Epidemic<T>, T>, Prediction<T, T>, (T, Epidemic<T>));

/// Fits the logarithms of the cases.
fn fit() -> Jit<Var, Found<Var>> {
    jit(|cases: Var| {
        let start = Epidemic {
            before: 2.0,
            after: 1.0,
            lockdown: 30.0,
            exposed: 50.0,
        };
        let unknowns = Parameters::new(start)
            .transformed(".before", Transform::Log)
            .transformed(".after", Transform::Log)
            .transformed(".exposed", Transform::Log)
            .transformed(".lockdown", Transform::Logit(1.0, DAYS as f64 - 1.0));
        let residuals = |p: Epidemic| (p.daily() / cases).ln();
        let fit = LevenbergMarquardt::new()
            .xtol(1e-10)
            .least_squares(residuals, unknowns);
        let curve = fit.predict(|p: Epidemic| p.daily().ln());
        let slopes = value_and_grad(|p: Epidemic| p.total())(fit.params);
        (fit, curve, slopes)
    })
}

// The report.

fn run(out: &str) -> Result<(), Box<dyn Error>> {
    let cases = observed()?;
    let fit = fit();
    let clock = Instant::now();
    fit.compile(tree::specs(&cases))?;
    let compiled = clock.elapsed();
    fit.call(&cases)?;
    let clock = Instant::now();
    let (found, curve, (total, slopes)) = fit.call(&cases)?;
    let ran = clock.elapsed();
    let found = found.ok()?;
    println!("{found}\n");

    let (low, high) = found.confidence_intervals(0.95)?;
    let names = tree::paths(&found.params);
    let truth = [TRUTH.before, TRUTH.after, TRUTH.lockdown, TRUTH.exposed];
    for (((name, low), high), truth) in names
        .iter()
        .zip(tree::leaves(&low))
        .zip(tree::leaves(&high))
        .zip(truth)
    {
        println!(
            "{name:<10} {:>8.4} to {:>8.4}, made with {truth}",
            low.item::<f64>()?,
            high.item::<f64>()?
        );
    }
    let (total, day) = (total.item::<f64>()?, slopes.lockdown.item::<f64>()?);
    println!(
        "\n{total:.0} people were infected by day {DAYS}; a lockdown a day earlier would have spared about {day:.0} of them"
    );
    println!("compiled in {compiled:.1?}, fitted in {ran:.1?}");
    plot::draw(
        out,
        &cases,
        &found.params,
        [&low.lockdown, &high.lockdown],
        &curve,
    )?;
    println!("the plot is in {out}");
    Ok(())
}

/// Parses the command line; returns `None` for help.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<String>, String> {
    let mut out = "epidemic_fit.svg".to_string();
    while let Some(flag) = args.next() {
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--out" => out = args.next().ok_or("--out wants a value")?,
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(Some(out))
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)) {
        Ok(None) => println!("{USAGE}"),
        Ok(Some(out)) => {
            if let Err(error) = run(&out) {
                eprintln!("epidemic_fit: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(mistake) => {
            eprintln!("epidemic_fit: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
