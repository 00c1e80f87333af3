//! Times of a compiled function and of the same thing in plain Rust, taken in turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::Failure;

/// How much work the subjects do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// For a test: milliseconds, without optimisation.
    Small,
    /// For the table.
    Full,
}

impl Scale {
    /// The first number for a test, the second for the table.
    pub(crate) fn of(self, small: usize, full: usize) -> usize {
        match self {
            Scale::Small => small,
            Scale::Full => full,
        }
    }
}

/// What a subject has shown.
pub(crate) struct Row {
    /// The subject, as on the command line, or a part of it: `selu/grad`.
    pub name: &'static str,
    /// What was computed.
    pub said: String,
    /// One number of the result, which the peers compute too.
    pub check: f64,
    pub times: Times,
}

/// Seconds.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// The first call: tracing, compiling and running.
    pub first: f64,
    /// The median of later calls.
    pub run: f64,
    /// The median of the plain Rust.
    pub plain: f64,
}

impl Row {
    pub(crate) fn print(&self) {
        let Times { first, run, plain } = self.times;
        println!("{:18} {}", self.name, self.said);
        println!(
            "{:18} first call {}, run {}, plain Rust {}: {:.2} times as fast",
            "",
            seconds(first),
            seconds(run),
            seconds(plain),
            plain / run
        );
    }
}

/// A time in the unit that suits it.
pub(crate) fn seconds(t: f64) -> String {
    match t {
        t if t < 1e-6 => format!("{:.0} ns", t * 1e9),
        t if t < 1e-3 => format!("{} µs", three(t * 1e6)),
        t if t < 1.0 => format!("{} ms", three(t * 1e3)),
        t => format!("{} s", three(t)),
    }
}

/// Three digits.
fn three(x: f64) -> String {
    let places = if x < 10.0 {
        2
    } else if x < 100.0 {
        1
    } else {
        0
    };
    format!("{x:.places$}")
}

/// Runs `ours` once, then both in turns until a time is over that gives a median worth printing. Returns the results
/// of both.
pub(crate) fn in_turns<A, B>(
    scale: Scale,
    mut ours: impl FnMut() -> wengert::Result<A>,
    mut plain: impl FnMut() -> B,
) -> Result<(A, B, Times), Failure> {
    let (a, first) = timed(&mut ours);
    let a = a?;
    let (b, _) = timed(&mut plain);
    let (least, longest) = match scale {
        Scale::Small => (1, Duration::ZERO),
        Scale::Full => (7, Duration::from_secs(1)),
    };
    let clock = Instant::now();
    let (mut runs, mut plains) = (vec![], vec![]);
    while runs.len() < least || clock.elapsed() < longest {
        let (result, time) = timed(&mut ours);
        black_box(result?);
        runs.push(time);
        plains.push(timed(&mut plain).1);
    }
    let times = Times {
        first,
        run: median(runs),
        plain: median(plains),
    };
    Ok((a, b, times))
}

fn timed<R>(f: &mut impl FnMut() -> R) -> (R, f64) {
    let clock = Instant::now();
    let result = black_box(f());
    (result, clock.elapsed().as_secs_f64())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The largest difference of two lists, as a part of the largest number of the second.
pub(crate) fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let most = b.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs() / most);
    // A NaN is a difference.
    apart.fold(0.0, |m, d| if d <= m { m } else { d })
}

/// Numbers from 0 to 1 that look random and that the peers can make too: the parts of `(i + 1) φ` behind the point.
pub(crate) fn spread(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| ((i + 1) as f64 * 0.618_033_988_749_894_9).fract())
        .collect()
}
