//! Prints a table of the errors of the elementary and special functions.

use std::process::ExitCode;

use wengert_check::accuracy::{
    HEADS, SUBJECTS, Subject, TABLED, Width, compare, every_f32, measure,
};

const HELP: &str = "\
Measures the elementary and special functions and prints a table of their errors.

    cargo run --release -p wengert-check --bin accuracy -- [OPTIONS]

    --points N     random points for each function (20000)
    --every-f32    functions of one argument at every f32, which takes minutes each
    --only NAME    this function alone, by the name of its operation
    --help         this text

In f64 the error is that against a library of arbitrary precision, or against a table: in ulp, or
relative to the value, or to the larger of it and 1 for functions with zeros. In f32 it is that against the value in f64, in ulp.
The exit status is 1 if a function is less accurate than it should be.
";

struct Options {
    points: u64,
    every_f32: bool,
    only: Option<String>,
}

fn options() -> Result<Option<Options>, String> {
    let mut options = Options {
        points: 20_000,
        every_f32: false,
        only: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--every-f32" => options.every_f32 = true,
            "--points" => {
                let n = args.next().unwrap_or_default();
                options.points = n.parse().map_err(|_| format!("--points {n}?"))?;
            }
            "--only" => {
                let name = args.next().unwrap_or_default();
                let tabled = TABLED.iter().map(|t| &t.subject);
                if !SUBJECTS.iter().chain(tabled).any(|s| s.name == name) {
                    return Err(format!("no function {name} is measured"));
                }
                options.only = Some(name);
            }
            other => return Err(format!("what is {other}? See --help")),
        }
    }
    Ok(Some(options))
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
    println!("{HEADS}");
    let mut missed = vec![];
    let only = options.only.as_deref();
    let wanted = |s: &&Subject| only.is_none_or(|only| only == s.name);
    for subject in SUBJECTS.iter().filter(wanted) {
        for width in [Width::F64, Width::F32] {
            let found = match options.every_f32 && width == Width::F32 && subject.arity == 1 {
                true => every_f32(subject),
                false => measure(subject, width, options.points),
            };
            println!("{found}");
            if !found.holds() {
                missed.push(found);
            }
        }
    }
    let wanted = TABLED.iter().filter(|t| wanted(&&t.subject));
    for tabled in wanted {
        let found = match compare(tabled) {
            Ok(found) => found,
            Err(error) => {
                eprintln!("{}: {error}", tabled.subject.title());
                return ExitCode::FAILURE;
            }
        };
        println!("{found}");
        if !found.holds() {
            missed.push(found);
        }
    }
    match missed.is_empty() {
        true => ExitCode::SUCCESS,
        false => {
            for found in missed {
                eprintln!("too large: {found}");
            }
            ExitCode::FAILURE
        }
    }
}
