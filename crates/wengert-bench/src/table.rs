//! The table of all participants.

use std::thread::available_parallelism;

use crate::peers::{Entrant, Kind, Measured, Row};

/// Tolerance of a result relative to JAX's, for rounding.
const TOLERANCE: f64 = 1e-9;
/// The tolerance for numbers of 32 bits.
const NARROW: f64 = 1e-4;
/// Workloads whose results are random draws: every peer has its own generator.
const DRAWS: [&str; 3] = ["random/", "sde/", "de_sde/"];

/// Formats the table in Markdown: the participants, a line for each workload, results that differ, and the
/// geometric means of the ratios.
pub fn markdown(entrants: &[Entrant], rows: &[Row]) -> String {
    let first = |e: &&Entrant| !matches!(e.kind, Kind::C(_));
    let heads: Vec<String> = entrants.iter().map(head).collect();
    let first_heads = &heads[..entrants.iter().filter(first).count()];
    let titles: Vec<&str> = entrants.iter().map(|e| e.title.as_str()).collect();
    let mut text = format!(
        "{}. {}.\n\n| workload | first call: {} | ÷ JAX | run: {} | ÷ JAX | ÷ best |\n|---{}|\n",
        machine(),
        titles.join("; "),
        first_heads.join(" | "),
        heads.join(" | "),
        "|---:".repeat(first_heads.len() + heads.len() + 3)
    );

    let compared: Vec<Compared> = rows
        .iter()
        .map(|row| Compared::new(entrants, row))
        .collect();
    for (row, compared) in rows.iter().zip(&compared) {
        let times = |of: fn(&Measured) -> Option<f64>, n: usize| -> String {
            let some = row.measured[..n].iter();
            let cells = some.map(|m| cell(m.as_ref().and_then(of), duration));
            cells.collect::<Vec<_>>().join(" | ")
        };
        text += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            row.name,
            times(|m| m.first, first_heads.len()),
            cell(compared.first, ratio),
            times(|m| Some(m.run), heads.len()),
            cell(compared.run, ratio),
            cell(compared.best, ratio)
        );
    }

    for (row, compared) in rows.iter().zip(&compared) {
        let tolerance = match row.name.starts_with("f32/") {
            true => NARROW,
            false => TOLERANCE,
        };
        if let Some(difference) = compared.difference.filter(|d| d.is_nan() || *d > tolerance) {
            text += &format!(
                "\n{}: the result differs from JAX's by {difference:.1e}\n",
                row.name
            );
        }
    }
    for (what, of) in [
        (
            "first call ÷ JAX",
            (|c| c.first) as fn(&Compared) -> Option<f64>,
        ),
        ("run ÷ JAX", |c| c.run),
        ("run ÷ the best of JAX, Numba and SciPy", |c| c.best),
    ] {
        let ratios: Vec<f64> = compared.iter().filter_map(of).collect();
        if !ratios.is_empty() {
            let mean = ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64;
            text += &format!(
                "\nGeometric mean of {what}, over {} rows: {}\n",
                ratios.len(),
                ratio(mean.exp())
            );
        }
    }
    text
}

/// Ratios of our times to a peer's.
struct Compared {
    first: Option<f64>,
    run: Option<f64>,
    /// Relative to the fastest of JAX, Numba and SciPy.
    best: Option<f64>,
    /// The results' relative difference from JAX's.
    difference: Option<f64>,
}

impl Compared {
    fn new(entrants: &[Entrant], row: &Row) -> Compared {
        let by = |kind: Kind| {
            let place = entrants.iter().position(|e| e.kind == kind)?;
            row.measured[place].as_ref()
        };
        let (ours, jax) = (by(Kind::Wengert), by(Kind::Jax));
        let peers = [jax, by(Kind::Numba), by(Kind::SciPy)];
        let best = peers.into_iter().flatten().map(|m| m.run);
        let best = best.reduce(f64::min);
        let draws = DRAWS.iter().any(|d| row.name.starts_with(d));
        Compared {
            first: ours.zip(jax).and_then(|(a, b)| Some(a.first? / b.first?)),
            run: ours.zip(jax).map(|(a, b)| a.run / b.run),
            best: ours.zip(best).map(|(a, best)| a.run / best),
            difference: ours
                .zip(jax)
                .filter(|_| !draws)
                .map(|(a, b)| ((a.check - b.check) / b.check).abs()),
        }
    }
}

fn head(entrant: &Entrant) -> String {
    match entrant.kind {
        Kind::Wengert => "ours".into(),
        Kind::Jax => "JAX".into(),
        Kind::Numba => "Numba".into(),
        Kind::SciPy => "SciPy".into(),
        Kind::C(width) => format!("C, {} bits", 64 * width),
    }
}

fn cell(x: Option<f64>, show: fn(f64) -> String) -> String {
    x.map_or("–".into(), show)
}

/// Formats a duration with three digits and a unit.
pub fn duration(seconds: f64) -> String {
    let (x, unit) = match seconds {
        s if s < 1e-6 => (s * 1e9, "ns"),
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    format!("{} {unit}", digits(x))
}

/// Formats a ratio with two digits after the point; more where it would be zero.
pub fn ratio(x: f64) -> String {
    if x < 0.1 {
        format!("{x:.3}")
    } else {
        format!("{x:.2}")
    }
}

fn digits(x: f64) -> String {
    let places = (2 - x.log10().floor() as i32).clamp(0, 2) as usize;
    format!("{x:.places$}")
}

/// Describes the processor and its number of threads.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut names = info
        .lines()
        .filter_map(|line| line.strip_prefix("model name"));
    let name = names
        .next()
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let threads = available_parallelism().map_or(1, |n| n.get());
    let name = name.unwrap_or(std::env::consts::ARCH);
    format!("{name}, {threads} threads")
}
