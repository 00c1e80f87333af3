//! Tests the laws on random programs.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wengert_check::programs::Run;

const HELP: &str = "\
Tries the laws that hold of every program on random ones, and on the corpus.

    cargo run --release -p wengert-check --bin programs -- [OPTIONS]

    --minutes N    for how long programs are begun (1)
    --programs N   at most so many
    --seed N       the seed of the first program (a fresh one); the others follow it
    --law NAMES    only these laws, separated by commas
    --depth N      larger programs
    --help         this text

A program that breaks a law is made small and printed; a law is tried no more after three. The counts so far
are printed every ten minutes. The exit status is 1 if there is one.
";

fn options() -> Result<Option<Run>, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let fresh = now.map_or(1, |t| t.as_nanos() as u64 % 1_000_000_000);
    let mut run = Run::new(fresh, u64::MAX / 2);
    let minutes = |n: u64| Duration::from_secs(60 * n);
    run.time = minutes(1);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--help" || arg == "-h" {
            return Ok(None);
        }
        let value = args.next().unwrap_or_default();
        let number = || value.parse().map_err(|_| format!("{arg} {value}?"));
        match arg.as_str() {
            "--minutes" => run.time = minutes(number()?),
            "--programs" => run.programs = number()?,
            "--seed" => run.seed = number()?,
            "--law" => run = run.only(&value)?,
            "--depth" => run.limits.depth = number()? as usize,
            _ => return Err(format!("{arg}?")),
        }
    }
    Ok(Some(run))
}

fn main() -> ExitCode {
    let run = match options() {
        Ok(Some(run)) => run,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("{wrong}\n\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    println!("--seed {}", run.seed);
    let report = run.tried(|said| println!("{said}\n"));
    println!("{report}");
    match report.broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
