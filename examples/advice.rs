//! Measures what the book's page on performance advises: each piece of advice is two programs that compute the same, one that
//! does not follow it and one that does, and their times.
//!
//! `cargo run --release --example advice -- keep_the_jit` measures one, without a name all, and `--help` lists the rest.

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use wengert::prelude::*;

#[path = "advice/batches.rs"]
mod batches;
#[path = "advice/calls.rs"]
mod calls;
#[path = "advice/derivatives.rs"]
mod derivatives;
#[path = "advice/numbers.rs"]
mod numbers;

type Failure = Box<dyn Error>;

const USAGE: &str = "\
Measures the advice of the page on performance.

Usage: advice [--small] [--markdown FILE] [ADVICE ..]

  --small           little work, for a test
  --markdown FILE   write the table of the page
  --help            this text

Advice:";

/// How much work there is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Small,
    Full,
}

impl Scale {
    /// The first number for a test, the second for the page.
    fn of(self, small: usize, full: usize) -> usize {
        match self {
            Scale::Small => small,
            Scale::Full => full,
        }
    }
}

/// Two ways to the same result, and the seconds of each.
pub(crate) struct Pair {
    without: &'static str,
    with: &'static str,
    times: [f64; 2],
}

/// Runs both in turns; the medians. Each returns a number of its result, and these must agree to 1e-9.
fn pair(
    scale: Scale,
    (without, mut slow): (&'static str, impl FnMut() -> wengert::Result<f64>),
    (with, mut fast): (&'static str, impl FnMut() -> wengert::Result<f64>),
) -> Result<Pair, Failure> {
    let (a, b) = (slow()?, fast()?);
    let apart = (a - b).abs();
    assert!(
        apart <= 1e-9 * b.abs().max(1.0),
        "{without} {a}, {with} {b}"
    );
    let longest = Duration::from_millis(scale.of(0, 1000) as u64);
    let clock = Instant::now();
    let mut times = [vec![], vec![]];
    while times[0].is_empty() || clock.elapsed() < longest {
        let start = Instant::now();
        black_box(slow()?);
        let middle = Instant::now();
        black_box(fast()?);
        times[0].push((middle - start).as_secs_f64());
        times[1].push(middle.elapsed().as_secs_f64());
    }
    let times = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    Ok(Pair {
        without,
        with,
        times,
    })
}

/// The sum of an array of floats, which stands for it.
fn sum(x: &Array) -> wengert::Result<f64> {
    match x.dtype() {
        DType::F32 => Ok(x.iter::<f32>()?.map(f64::from).sum()),
        _ => Ok(x.iter::<f64>()?.sum()),
    }
}

/// Its name, and what measures it.
type Advice = (&'static str, fn(Scale) -> Result<Pair, Failure>);

const ADVICE: [Advice; 16] = [
    ("keep_the_jit", calls::keep_the_jit),
    ("loop_inside", calls::loop_inside),
    ("fori_not_for", calls::fori_not_for),
    ("one_function", calls::one_function),
    ("reuse_memory", calls::reuse_memory),
    ("carry_little", calls::carry_little),
    ("batch", batches::batch),
    ("sort_by_length", batches::sort_by_length),
    ("neighbours", batches::neighbours),
    ("reduce_inside", batches::reduce_inside),
    ("cond_for_the_expensive", batches::cond_for_the_expensive),
    ("reverse_for_many", derivatives::reverse_for_many),
    ("value_with_gradient", derivatives::value_with_gradient),
    ("forward_for_few", derivatives::forward_for_few),
    ("narrow_numbers", numbers::narrow_numbers),
    ("whole_powers", numbers::whole_powers),
];

fn usage() -> String {
    let names = ADVICE.map(|(name, _)| format!("\n  {name}"));
    format!("{USAGE}{}", names.concat())
}

fn program() -> Result<(), Failure> {
    let (mut scale, mut markdown, mut wanted) = (Scale::Full, None, vec![]);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" => {
                println!("{}", usage());
                return Ok(());
            }
            "--small" => scale = Scale::Small,
            "--markdown" => markdown = Some(args.next().ok_or("--markdown needs a file")?),
            name => {
                let found = ADVICE.iter().find(|(known, _)| *known == name);
                let none = || format!("{name} is no advice\n\n{}", usage());
                wanted.push(*found.ok_or_else(none)?);
            }
        }
    }
    if wanted.is_empty() {
        wanted = ADVICE.to_vec();
    }
    let mut table = String::from("| advice | without | with | gain |\n|---|---|---|---|\n");
    for (name, measure) in wanted {
        let Pair {
            without,
            with,
            times: [slow, fast],
        } = measure(scale)?;
        let (slow_said, fast_said) = (seconds(slow), seconds(fast));
        let gain = slow / fast;
        println!("{name:24}{without}: {slow_said}; {with}: {fast_said}; {gain:.1} times");
        table.push_str(&format!(
            "| `{name}` | {without}: {slow_said} | {with}: {fast_said} | {gain:.1} |\n"
        ));
    }
    if let Some(file) = markdown {
        std::fs::write(file, table)?;
    }
    Ok(())
}

/// A time in the unit that suits it.
fn seconds(t: f64) -> String {
    match t {
        t if t < 1e-6 => format!("{:.0} ns", t * 1e9),
        t if t < 1e-3 => format!("{:.1} µs", t * 1e6),
        t if t < 1.0 => format!("{:.1} ms", t * 1e3),
        t => format!("{t:.2} s"),
    }
}

fn main() -> ExitCode {
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("advice: {error}");
            ExitCode::FAILURE
        }
    }
}
