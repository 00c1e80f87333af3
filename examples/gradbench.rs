//! A tool for GradBench, the benchmark of automatic differentiation: it reads one JSON message per line and
//! answers each with a line.
//!
//! `cargo run --release --example gradbench -- --single-threaded`
//!
//! Each problem is in a file of its own, written naturally as a function of `Var`s, and its derivative is
//! `grad` of that function. <https://github.com/gradbench/gradbench>

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;

#[path = "gradbench/ba.rs"]
mod ba;
#[path = "gradbench/det.rs"]
mod det;
#[path = "gradbench/gmm.rs"]
mod gmm;
#[path = "gradbench/hello.rs"]
mod hello;
#[path = "gradbench/ht.rs"]
mod ht;
#[path = "gradbench/input.rs"]
mod input;
#[path = "gradbench/kmeans.rs"]
mod kmeans;
#[path = "gradbench/llsq.rs"]
mod llsq;
#[path = "gradbench/lse.rs"]
mod lse;
#[path = "gradbench/lstm.rs"]
mod lstm;
#[path = "gradbench/models/mod.rs"]
mod models;
#[path = "gradbench/nested.rs"]
mod nested;
#[path = "gradbench/ode.rs"]
mod ode;
#[path = "gradbench/protocol.rs"]
mod protocol;
#[path = "gradbench/records.rs"]
mod records;
#[cfg(test)]
#[path = "gradbench/tests.rs"]
mod tests;
#[path = "gradbench/timing.rs"]
mod timing;

const USAGE: &str = "\
Answers the messages of GradBench, from standard input to standard output.

Usage: gradbench [--single-threaded] [--records]

  --single-threaded   one thread; else all that there are
  --records           answers nothing, but prints our times beside the best of others
  --help              this text";

fn main() -> ExitCode {
    let (mut single_threaded, mut records) = (false, false);
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--help" | "-h" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            "--single-threaded" => single_threaded = true,
            "--records" => records = true,
            _ => {
                eprintln!("gradbench: unknown flag {arg}\n\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    match run(single_threaded, records) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gradbench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(single_threaded: bool, records: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if single_threaded {
        pool = pool.num_threads(1);
    }
    // Compiled code uses the threads of the pool in which it is called.
    pool.build()?.install(|| match records {
        true => Ok(records::print()?),
        false => converse(),
    })
}

/// Answers line by line.
fn converse() -> Result<(), Box<dyn Error + Send + Sync>> {
    for line in stdin().lock().lines() {
        let answer = protocol::answer(&line?);
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
