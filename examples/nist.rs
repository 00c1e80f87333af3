//! NIST's reference data sets for nonlinear regression, fitted from both of their starts, beside the certified values.
//!
//! The program reads every file of the form of the Statistical Reference Datasets in a folder. A file has the data, two
//! starts, and the unknowns and their standard deviations as certified to eleven digits; the formula is taken from a
//! table by the data set's name. How many digits agree is the logarithm of the relative error, at most 11.
//!
//! `cargo run --release --example nist -- --help`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use wengert::prelude::*;
use wengert_solve::fit::{Fit, LevenbergMarquardt};

#[path = "nist/file.rs"]
mod file;
#[path = "nist/models.rs"]
mod models;
#[cfg(test)]
#[path = "nist/tests.rs"]
mod tests;

use file::Dataset;
use models::Model;

const USAGE: &str = "\
Fits NIST's reference data sets for nonlinear regression, and counts the correct digits.

Usage: nist [--dir FOLDER]

  --dir FOLDER   where the .dat files are [the folder of the example]
  --help         this text";

/// The digits that are asked for.
const DIGITS: f64 = 9.0;

/// A fit beside the certified values.
struct Score {
    /// The least number of digits of an unknown.
    values: f64,
    /// The least number of digits of a standard deviation.
    deviations: f64,
    fit: Fit<Array, Array>,
    micros: f64,
}

/// The number of digits in which a number agrees with a certified one.
fn digits(x: f64, certified: f64) -> f64 {
    let error = (x - certified).abs() / certified.abs();
    match error.is_nan() {
        true => 0.0,
        false => (-error.log10()).clamp(0.0, 11.0),
    }
}

/// Fits a data set from each of its starts.
fn fits(data: &Dataset, model: &Model) -> Result<Vec<Score>, Box<dyn Error>> {
    let formula = model.formula;
    let fit = jit(move |(start, x, y): (Var, Vec<Var>, Var)| {
        let residuals = |b: Var| {
            let unknowns: Vec<Var> = (0..b.shape()[0]).map(|i| b.at(i)).collect();
            formula(&unknowns, &x) - y
        };
        LevenbergMarquardt::new().least_squares(residuals, start)
    });
    let y = match model.of_logarithms {
        true => data.y.iter().map(|y| y.ln()).collect(),
        false => data.y.clone(),
    };
    let (x, y): (Vec<Array>, Array) = (data.x.iter().map(Array::from).collect(), y.into());
    let mut scores = vec![];
    for start in &data.starts {
        let start = Array::from(start);
        let found = fit.call((&start, &x, &y))?;
        let clock = Instant::now();
        let mut calls = 0;
        while calls < 3 || clock.elapsed().as_millis() < 20 {
            fit.call((&start, &x, &y))?;
            calls += 1;
        }
        let micros = clock.elapsed().as_secs_f64() * 1e6 / f64::from(calls);
        let least = |found: &Array, certified: &[f64]| -> wengert::Result<f64> {
            let found = found.to_vec::<f64>()?;
            let digits = found.iter().zip(certified).map(|(&x, &c)| digits(x, c));
            Ok(digits.fold(f64::INFINITY, f64::min))
        };
        scores.push(Score {
            values: least(&found.params, &data.certified)?,
            deviations: least(&found.errors, &data.deviations)?,
            fit: found,
            micros,
        });
    }
    Ok(scores)
}

/// Returns the files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = vec![];
    let read = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "dat") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(format!("{} has no .dat files", folder.display()).into());
    }
    files.sort();
    Ok(files)
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    println!("digits of   start  unknowns  deviations  steps       µs  status");
    let (mut good, mut all) = (0, 0);
    for path in files(folder)? {
        let text = std::fs::read_to_string(&path)?;
        let data = Dataset::parse(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let Some(model) = models::find(&data.name) else {
            println!("{:<10}  no formula of this name", data.name);
            continue;
        };
        if model.unknowns != data.certified.len() || model.inputs != data.x.len() {
            let message = format!(
                "{}: the formula has other unknowns or inputs",
                path.display()
            );
            return Err(message.into());
        }
        for (i, score) in fits(&data, &model)?.iter().enumerate() {
            println!(
                "{:<10}  {:>5}  {:>8.1}  {:>10.1}  {:>5}  {:>7.0}  {}",
                data.name,
                i + 1,
                score.values,
                score.deviations,
                score.fit.iterations.item::<i64>()?,
                score.micros,
                score.fit.statuses()?[0],
            );
            all += 1;
            good += usize::from(score.values >= DIGITS);
        }
    }
    println!("{good} of {all} fits reach 9 digits");
    Ok(())
}

/// Parses the command line; returns `None` for help.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<PathBuf>, String> {
    let mut folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("nist/data");
    while let Some(flag) = args.next() {
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--dir" => folder = args.next().ok_or("--dir wants a folder")?.into(),
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(Some(folder))
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)) {
        Ok(None) => println!("{USAGE}"),
        Ok(Some(folder)) => {
            if let Err(error) = run(&folder) {
                eprintln!("nist: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(mistake) => {
            eprintln!("nist: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
