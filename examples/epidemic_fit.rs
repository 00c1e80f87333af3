//! An epidemic with a lockdown: a model of who is susceptible, exposed, infectious and recovered, fitted to the new cases
//! of each day, with the day on which contacts changed as an unknown.
//!
//! ```text
//! S' = -β S I    E' = β S I - σ E    I' = σ E - γ I    C' = σ E
//! ```
//!
//! in parts of a town of a million people, with an incubation of three days and five infectious ones. β is `R γ`, and R
//! falls when a number of people are infectious, because the town locks down: an event of the integration, whose time
//! depends on all unknowns. The fit, its errors, the error of the day of the lockdown and a gradient go through the
//! differential equation and its event.
//!
//! The data are synthetic: the model's cases of each day for the numbers in [`TRUTH`], times `exp(0.08 z)`, where the `z` are
//! the standard normal numbers of `Key::from_seed(2020)`.
//!
//! `cargo run --release --example epidemic_fit -- --help`

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::de::{Event, Ode, Tsit5};
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
    threshold: 8000.0,
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
    /// How many are infectious when the town locks down.
    threshold: T,
    /// The number of the exposed on day 0.
    exposed: T,
}

/// The parts of the people that are susceptible, exposed, infectious, and were ever infectious, and the number that one infects.
#[derive(Tree, Clone, Copy)]
struct Town<T = Var> {
    susceptible: T,
    exposed: T,
    infectious: T,
    cases: T,
    infects: T,
}

impl Epidemic {
    fn start(&self) -> Town {
        let exposed = self.exposed / PEOPLE;
        Town {
            susceptible: 1.0 - exposed,
            exposed,
            infectious: 0.0.into(),
            cases: 0.0.into(),
            infects: self.before,
        }
    }

    /// The town at times, a vector that ascends from day 0, and the day of the lockdown: NaN if there is none.
    fn town(&self, times: Var) -> (Town, Var) {
        let rate = |_: Var, town: Town| {
            let infected = town.infects * GAMMA * town.susceptible * town.infectious;
            let sick = SIGMA * town.exposed;
            Town {
                susceptible: -infected,
                exposed: infected - sick,
                infectious: sick - GAMMA * town.infectious,
                cases: sick,
                infects: 0.0.into(),
            }
        };
        let too_many = Event::new(|_, town: Town| PEOPLE * town.infectious - self.threshold);
        let lockdown = too_many.rising().then(|_, town| Town {
            infects: self.after,
            ..town
        });
        let ode = Ode::new(Tsit5).rtol(1e-8).atol(1e-12);
        let (found, events) = ode
            .events([lockdown])
            .sample(rate, self.start(), 0.0, times);
        (found.y, events.times.at(0))
    }

    /// The new cases of each day.
    fn daily(&self) -> Var {
        let ends = arange(0..DAYS + 1).to(DType::F64);
        PEOPLE * self.town(ends).0.cases.diff(0)
    }

    /// All who were ever infectious by the last day.
    fn total(&self) -> Var {
        PEOPLE * self.town(full([1], DAYS as f64)).0.cases.at(0)
    }

    /// The day of the lockdown.
    fn lockdown(&self) -> Var {
        self.town(full([1], DAYS as f64)).1
    }
}

/// The data.
fn observed() -> wengert::Result<Array> {
    let noisy = |(p, key): (Epidemic, Key)| p.daily() * (NOISE * key.normal([DAYS])).exp();
    jit(noisy).call((TRUTH, Key::from_seed(2020)))
}

/// What is found.
#[derive(Tree, Clone)]
struct Found<T = Var> {
    fit: Fit<Epidemic<T>, T>,
    /// The logarithms of the cases of each day, with their errors.
    curve: Prediction<T, T>,
    /// The day of the lockdown, with its error.
    lockdown: Prediction<T, T>,
    /// All who were ever infectious, and the derivatives by the unknowns.
    total: T,
    slopes: Epidemic<T>,
}

/// Fits the logarithms of the cases.
fn fit() -> Jit<Var, Found> {
    jit(|cases: Var| {
        let start = Epidemic {
            before: 2.0,
            after: 1.0,
            threshold: 3000.0,
            exposed: 50.0,
        };
        // Positive numbers, of which steps are relative.
        let unknowns = [".before", ".after", ".threshold", ".exposed"]
            .into_iter()
            .fold(Parameters::new(start), |p, name| {
                p.transformed(name, Transform::Log)
            });
        let logs = |_: Var, p: Epidemic| p.daily().ln();
        let days = arange(0..DAYS);
        let options = LevenbergMarquardt::new().xtol(1e-10).radius(0.1);
        let fit = options.curve_fit(logs, days, cases.ln(), unknowns);
        let (total, slopes) = value_and_grad(|p: Epidemic| p.total())(fit.params);
        Found {
            curve: fit.predict(|p: Epidemic| p.daily().ln()),
            lockdown: fit.predict(|p: Epidemic| p.lockdown()),
            fit,
            total,
            slopes,
        }
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
    let found = fit.call(&cases)?;
    let ran = clock.elapsed();
    let fitted = found.fit.ok()?;
    println!("{fitted}\n");

    let (low, high) = fitted.confidence_intervals(0.95)?;
    let names = tree::paths(&fitted.params);
    let truth = [TRUTH.before, TRUTH.after, TRUTH.threshold, TRUTH.exposed];
    let ends = tree::leaves(&low).into_iter().zip(tree::leaves(&high));
    for ((name, (low, high)), truth) in names.iter().zip(ends).zip(truth) {
        let (low, high) = (low.item::<f64>()?, high.item::<f64>()?);
        println!("{name:<10} {low:>10.4} to {high:>10.4}, made with {truth}");
    }
    let day = found.lockdown.value.item::<f64>()?;
    let error = found.lockdown.error.item::<f64>()?;
    println!("\nthe lockdown began on day {day:.2} ± {error:.2}");
    let (total, slope) = (
        found.total.item::<f64>()?,
        found.slopes.threshold.item::<f64>()?,
    );
    println!(
        "{total:.0} people fell ill in {DAYS} days; with a threshold lower by 1,000, {:.0} fewer would have",
        1e3 * slope
    );
    println!("compiled in {compiled:.1?}, fitted in {ran:.1?}");
    plot::draw(out, &cases, &found.lockdown, &found.curve)?;
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
