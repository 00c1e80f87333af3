//! The subjects of talks and notebooks on Numba and JAX, each in a file of its own with its source: what it computes, its
//! time, and the time of the same thing in the simplest Rust. Both must agree.
//!
//! `cargo run --release --example talk -- mandelbrot` runs one, without a name all, and `--help` lists the rest.

use std::error::Error;
use std::process::ExitCode;

#[path = "talk/ar1.rs"]
mod ar1;
#[path = "talk/associative.rs"]
mod associative;
#[path = "talk/distances.rs"]
mod distances;
#[path = "talk/dots.rs"]
mod dots;
#[path = "talk/figures.rs"]
mod figures;
#[path = "talk/fitzhugh_nagumo.rs"]
mod fitzhugh_nagumo;
#[path = "talk/kuramoto.rs"]
mod kuramoto;
#[path = "talk/mandelbrot.rs"]
mod mandelbrot;
#[path = "talk/measure.rs"]
mod measure;
#[path = "talk/primes.rs"]
mod primes;
#[path = "talk/pytrees.rs"]
mod pytrees;
#[path = "talk/random.rs"]
mod random;
#[path = "talk/rnn.rs"]
mod rnn;
#[path = "talk/selu.rs"]
mod selu;
#[path = "talk/table.rs"]
mod table;
#[path = "talk/vectorize.rs"]
mod vectorize;
#[path = "talk/welford.rs"]
mod welford;

use measure::{Row, Scale};

type Failure = Box<dyn Error>;

const USAGE: &str = "\
Subjects of talks on Numba and JAX, beside plain Rust.

Usage: talk [--small] [--peers PYTHON] [--markdown FILE] [--figures FOLDER] [SUBJECT ..]

  --small            little work, for a test
  --peers PYTHON     run Numba and JAX as well: an interpreter that has both
  --markdown FILE    write the table of the book
  --figures FOLDER   draw the figures of the book, and measure nothing
  --help             this text

Subjects:";

/// A subject, and what runs it.
type Subject = (&'static str, fn(Scale) -> Result<Vec<Row>, Failure>);

const SUBJECTS: [Subject; 14] = [
    ("distances", distances::run),
    ("primes", primes::run),
    ("vectorize", vectorize::run),
    ("mandelbrot", mandelbrot::run),
    ("kuramoto", kuramoto::run),
    ("fitzhugh_nagumo", fitzhugh_nagumo::run),
    ("selu", selu::run),
    ("dots", dots::run),
    ("random", random::run),
    ("pytrees", pytrees::run),
    ("ar1", ar1::run),
    ("rnn", rnn::run),
    ("welford", welford::run),
    ("associative", associative::run),
];

struct Options {
    scale: Scale,
    python: Option<String>,
    markdown: Option<String>,
    figures: Option<String>,
    subjects: Vec<Subject>,
}

fn usage() -> String {
    let names = SUBJECTS.map(|(name, _)| format!(" {name}"));
    format!("{USAGE}{}", names.concat())
}

/// What is asked for; nothing if that is the usage.
fn options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, Failure> {
    let mut options = Options {
        scale: Scale::Full,
        python: None,
        markdown: None,
        figures: None,
        subjects: vec![],
    };
    while let Some(arg) = args.next() {
        let mut value = || {
            let none = || format!("{arg} needs a value\n\n{}", usage());
            args.next().ok_or_else(none)
        };
        match arg.as_str() {
            "--help" => return Ok(None),
            "--small" => options.scale = Scale::Small,
            "--peers" => options.python = Some(value()?),
            "--markdown" => options.markdown = Some(value()?),
            "--figures" => options.figures = Some(value()?),
            name => {
                let found = SUBJECTS.iter().find(|(known, _)| *known == name);
                let none = || format!("{name} is no subject or option\n\n{}", usage());
                options.subjects.push(*found.ok_or_else(none)?);
            }
        }
    }
    if options.subjects.is_empty() {
        options.subjects = SUBJECTS.to_vec();
    }
    Ok(Some(options))
}

fn program() -> Result<(), Failure> {
    let Some(options) = options(std::env::args().skip(1))? else {
        println!("{}", usage());
        return Ok(());
    };
    if let Some(folder) = &options.figures {
        return figures::draw(folder);
    }
    let mut lines = vec![];
    for (_, run) in &options.subjects {
        for row in run(options.scale)? {
            row.print();
            let peers = match &options.python {
                Some(python) => table::peers(python, &row, options.scale)?,
                None => vec![],
            };
            lines.push((row, peers));
        }
    }
    if let Some(file) = &options.markdown {
        std::fs::write(file, table::markdown(&lines))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("talk: {error}");
            ExitCode::FAILURE
        }
    }
}
