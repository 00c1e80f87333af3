//! Prints a table of the errors of the elementary and special functions.

use std::process::ExitCode;

use wengert_check::accuracy::{
    Found, HEADS, SLOPES_HEADS, SUBJECTS, SWEPT_HEADS, Subject, TABLED, Width, compare, measure,
    slopes, sweep_f32, swept, walked,
};

const HELP: &str = "\
Measures the elementary and special functions and prints a table of their errors.

    cargo run --release -p wengert-check --bin accuracy -- [OPTIONS]

    --points N     random points for each function (20000)
    --every-f32    instead, functions of one argument at every f32, a minute or two each
    --step N       with --every-f32: every N-th of them only (1)
    --derivatives  instead, the derivatives, at N and some 150 points (30)
    --only NAME    this function alone, by the name of its operation
    --help         this text

The error of a derivative is relative to its value, beyond what two units in the last place of the
arguments change.

In f64 the error is that against a library of arbitrary precision, or against a table: in ulp, or
relative to the value, or to the larger of it and 1 for functions with zeros. In f32 it is that against
the value in f64, in ulp; at every f32, that of compiled code against the libm of the system, the crate
libm or a series in f64, and where those leave a doubt, against arbitrary precision.
The exit status is 1 if a function is less accurate than it should be.
";

struct Options {
    points: Option<u64>,
    every_f32: bool,
    derivatives: bool,
    step: u64,
    only: Option<String>,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        points: None,
        every_f32: false,
        derivatives: false,
        step: 1,
        only: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--every-f32" => options.every_f32 = true,
            "--derivatives" => options.derivatives = true,
            "--points" => {
                let n = args.next().unwrap_or_default();
                let n = n.parse().map_err(|_| format!("--points {n}?"))?;
                options.points = Some(n);
            }
            "--step" => {
                let n = args.next().unwrap_or_default();
                let step = n.parse().ok().filter(|&n| n > 0);
                options.step = step.ok_or(format!("--step {n}?"))?;
            }
            "--only" => {
                let name = args.next().unwrap_or_default();
                options.only = Some(name);
            }
            other => return Err(format!("what is {other}? See --help")),
        }
    }
    let tabled = TABLED.iter().map(|t| &t.subject);
    let only = |title: &str| options.only.as_ref().is_none_or(|only| only == title);
    let known = match options.every_f32 {
        _ if options.derivatives => walked().any(|w| only(w.title)),
        true => swept().any(|s| options.wants(s)),
        false => SUBJECTS.iter().chain(tabled).any(|s| options.wants(s)),
    };
    match known {
        true => Ok(Some(options)),
        false => Err(format!(
            "no function {} is measured so",
            options.only.unwrap_or_default()
        )),
    }
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let missed = match options.every_f32 {
        _ if options.derivatives => derivatives(&options),
        true => sweep(&options),
        false => random(&options),
    };
    match missed {
        Ok(missed) => {
            let none = missed.is_empty();
            for found in missed {
                eprintln!("too large: {found}");
            }
            if none {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    fn wants(&self, subject: &Subject) -> bool {
        self.only.as_ref().is_none_or(|only| only == subject.name)
    }
}

/// Measures errors at every `f32`. Returns the rows of the table that exceed their limits.
fn sweep(options: &Options) -> Result<Vec<String>, String> {
    println!("{SWEPT_HEADS}");
    let mut missed = vec![];
    for subject in swept().filter(|s| options.wants(s)) {
        let found =
            sweep_f32(subject, options.step).map_err(|e| format!("{}: {e}", subject.title()))?;
        println!("{found}");
        if !found.holds() {
            missed.push(found.to_string());
        }
    }
    Ok(missed)
}

/// Measures the derivatives. Returns the rows of the table that exceed their limits.
fn derivatives(options: &Options) -> Result<Vec<String>, String> {
    println!("{SLOPES_HEADS}");
    let mut missed = vec![];
    let wanted = |title: &str| options.only.as_ref().is_none_or(|only| only == title);
    for walked in walked().filter(|w| wanted(w.title)) {
        for width in [Width::F64, Width::F32] {
            let points = options.points.unwrap_or(30) as usize;
            let failed = |e| format!("{}: {e}", walked.title);
            let found = slopes(walked, width, points).map_err(failed)?;
            println!("{found}");
            if !found.holds() {
                missed.push(found.explain());
            }
        }
    }
    Ok(missed)
}

/// Measures errors at random points and those of tables. Returns the rows of the table that exceed their
/// limits.
fn random(options: &Options) -> Result<Vec<String>, String> {
    println!("{HEADS}");
    let mut missed = vec![];
    let mut row = |found: Found| {
        println!("{found}");
        if !found.holds() {
            missed.push(found.to_string());
        }
    };
    let points = options.points.unwrap_or(20_000);
    for subject in SUBJECTS.iter().filter(|s| options.wants(s)) {
        row(measure(subject, Width::F64, points));
        row(measure(subject, Width::F32, points));
    }
    for tabled in TABLED.iter().filter(|t| options.wants(&t.subject)) {
        let failed = |e| format!("{}: {e}", tabled.subject.title());
        row(compare(tabled).map_err(failed)?);
    }
    Ok(missed)
}
