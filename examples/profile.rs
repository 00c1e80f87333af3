//! Where the time of compiled code goes: profiles of the gradient of a fit of a differential equation, and of an elementwise
//! pipeline with a slow line in it, which is then taken out.
//!
//! `cargo run --release --example profile -- --help`

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use wengert::Profile;
use wengert::prelude::*;

const USAGE: &str = "\
Shows where the time of three compiled functions goes.

Usage: profile [--elements N] [--milliseconds N] [--out FOLDER]

  --elements N       elements of the pipeline [100000]
  --milliseconds N   the time of each profile [1000]
  --out FOLDER       where the pages and traces go; without it, there are none
  --help             this text";

/// Steps of the integration.
const STEPS: usize = 400;

/// The rates of a predator-prey model.
#[derive(Tree, Clone, Copy, Debug)]
struct Rates<T = Var> {
    birth: T,
    hunt: T,
    death: T,
    gain: T,
}

impl Rates {
    fn slope(&self, [x, y]: [Var; 2]) -> [Var; 2] {
        let meetings = x * y;
        [
            self.birth * x - self.hunt * meetings,
            self.gain * meetings - self.death * y,
        ]
    }

    /// A step of the midpoint rule.
    fn step(&self, [x, y]: [Var; 2], h: f64) -> [Var; 2] {
        let k = self.slope([x, y]);
        let middle = [x + 0.5 * h * k[0], y + 0.5 * h * k[1]];
        let k = self.slope(middle);
        [x + h * k[0], y + h * k[1]]
    }
}

/// The squares of the logarithms of the populations, summed over time: the misfit to data that is 1 everywhere.
fn misfit(rates: Rates) -> Var {
    let start = [Var::from(1.2), Var::from(0.8)];
    let (_, [x, y]) = scan(start, 0..STEPS, |s, _| {
        let next = rates.step(s, 0.05);
        (next, next)
    });
    let far = x.ln().square() + y.ln().square();
    far.sum()
}

/// A pipeline with a slow line.
fn pipeline(x: Var) -> Var {
    let scaled = 0.9 * x;
    let normal = scaled.erf_inv();
    let shape = (1.0 - x.square()).sqrt();
    (normal * shape + scaled).abs()
}

/// The same without it.
fn without(x: Var) -> Var {
    let scaled = 0.9 * x;
    let shape = (1.0 - x.square()).sqrt();
    (scaled * shape + scaled).abs()
}

struct Options {
    elements: usize,
    time: Duration,
    out: Option<String>,
}

/// Parses the command line; returns `None` for help.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options {
        elements: 100_000,
        time: Duration::from_secs(1),
        out: None,
    };
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or(format!("{flag} wants a value"));
        let number = |text: String| match text.parse::<u64>() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err(format!("{flag} wants a number above 0, not {text}")),
        };
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--elements" => options.elements = number(value()?)? as usize,
            "--milliseconds" => options.time = Duration::from_millis(number(value()?)?),
            "--out" => options.out = Some(value()?),
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(Some(options))
}

/// Prints a profile, and writes its page and trace.
fn show(name: &str, profile: &Profile, out: Option<&str>) -> Result<(), Box<dyn Error>> {
    let elsewhere: f64 = profile.elsewhere.iter().map(|e| e.1).sum();
    println!("## {name}\n\n{profile}");
    println!(
        "in lines {:.1} %, with elsewhere {:.1} %\n",
        100.0 * profile.in_lines(),
        100.0 * (profile.in_lines() + elsewhere)
    );
    if let Some(folder) = out {
        std::fs::create_dir_all(folder)?;
        std::fs::write(format!("{folder}/{name}.html"), profile.to_html())?;
        std::fs::write(format!("{folder}/{name}.json"), profile.to_chrome_trace())?;
    }
    Ok(())
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let out = options.out.as_deref();
    let rates = Rates {
        birth: 1.0,
        hunt: 1.1,
        death: 0.9,
        gain: 1.0,
    };
    let fit = jit(value_and_grad(misfit)).profile_for(options.time, rates)?;
    show("gradient", &fit, out)?;

    let n = options.elements;
    let x: Vec<f64> = (0..n)
        .map(|i| 2.0 * (i as f64 + 0.5) / n as f64 - 1.0)
        .collect();
    let x = Array::from(x);
    let slow = jit(pipeline).profile_for(options.time, &x)?;
    show("pipeline", &slow, out)?;
    let fast = jit(without).profile_for(options.time, &x)?;
    let saved = 1.0 - fast.nanoseconds / slow.nanoseconds;
    let first = &slow.lines[0];
    println!(
        "the first line is `{}` with {:.1} %; without it a call takes {:.1} % less",
        first.text.as_deref().unwrap_or("?"),
        100.0 * first.share,
        100.0 * saved
    );
    Ok(())
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)) {
        Ok(None) => println!("{USAGE}"),
        Ok(Some(options)) => {
            if let Err(error) = run(&options) {
                eprintln!("profile: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(mistake) => {
            eprintln!("profile: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
