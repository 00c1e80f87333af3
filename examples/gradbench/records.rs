//! Our times beside the best known times of other tools.

use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::{Problem, find};
use crate::timing::Limits;

/// A problem size, and times of others on one core of a server of 2023: the fastest tool of automatic
/// differentiation, and hand-written code.
struct Record {
    problem: &'static str,
    size: &'static str,
    functions: [&'static str; 2],
    input: fn() -> Value,
    tool: &'static str,
    by_hand: &'static str,
}

const RECORDS: &[Record] = &[
    Record {
        problem: "lse",
        size: "n = 80,000",
        functions: ["primal", "gradient"],
        input: || json!({"x": spread(80_000, 0)}),
        tool: "98 µs PyTorch, 588 µs JAX",
        by_hand: "336 µs, 81 µs",
    },
    Record {
        problem: "llsq",
        size: "n = 16,392, m = 128",
        functions: ["primal", "gradient"],
        input: || json!({"x": spread(128, 0), "n": 16_392}),
        tool: "1.44 ms, 2.57 ms Enzyme",
        by_hand: "1.48 ms, 2.83 ms",
    },
    Record {
        problem: "ode",
        size: "n = 10,000, s = 100",
        functions: ["primal", "gradient"],
        input: || json!({"x": spread(10_000, 0), "s": 100}),
        tool: "1.23 ms, 8.07 ms JAX",
        by_hand: "2.3 ms, –",
    },
    Record {
        problem: "kmeans",
        size: "k = 1,000, n = 10,000, d = 16",
        functions: ["cost", "dir"],
        input: || json!({"points": rows(10_000, 16, 0), "centroids": rows(1000, 16, 7)}),
        tool: "22 ms, 189 ms",
        by_hand: "49 ms, 20.4 ms",
    },
    Record {
        problem: "gmm",
        size: "d = 20, k = 50, n = 1,000",
        functions: ["objective", "jacobian"],
        input: || gmm(20, 50, 1000),
        tool: "1.78 ms, 5.95 ms JAX",
        by_hand: "6.4 ms, 17 ms",
    },
    Record {
        problem: "gmm",
        size: "d = 64, k = 100, n = 1,000",
        functions: ["objective", "jacobian"],
        input: || gmm(64, 100, 1000),
        tool: "46 ms, 158 ms",
        by_hand: "73 ms, 156 ms",
    },
    Record {
        problem: "lstm",
        size: "l = 2, c = 1,024",
        functions: ["objective", "jacobian"],
        input: || lstm(2, 1024),
        tool: "1.32 ms, 3.77 ms CoDiPack",
        by_hand: "–, 0.98 ms",
    },
    Record {
        problem: "lstm",
        size: "l = 6, c = 8,192",
        functions: ["objective", "jacobian"],
        input: || lstm(6, 8192),
        tool: "34.3 ms, 110 ms Enzyme",
        by_hand: "–, 31.7 ms",
    },
];

/// Measures these sizes and prints a table: the shortest of many runs, like the records.
pub fn print() -> Result<(), String> {
    println!("| problem | size | ours | the best tool | by hand | our first call |");
    println!("|---|---|---|---|---|---|");
    for record in RECORDS {
        let input = (record.input)();
        let evaluate = find(record.problem).ok_or("a problem of ours")?;
        let mut shortest = vec![];
        let mut first = vec![];
        for function in record.functions {
            let (call, run) = times(evaluate, function, &input)?;
            first.push(duration(call));
            shortest.push(duration(run));
        }
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            record.problem,
            record.size,
            shortest.join(", "),
            record.tool,
            record.by_hand,
            first.join(", ")
        );
    }
    Ok(())
}

/// Returns the time of the first call, and the shortest of the later ones, in nanoseconds.
fn times(evaluate: Problem, function: &str, input: &Value) -> Result<(f64, f64), String> {
    let limits = Limits {
        runs: 10,
        time: Duration::from_secs(1),
    };
    let answer = evaluate(function, input, limits)?;
    let times = answer.timings.iter();
    let times: Vec<f64> = times.filter_map(|t| t["nanoseconds"].as_f64()).collect();
    Ok((
        times[0],
        times[1..].iter().copied().fold(f64::INFINITY, f64::min),
    ))
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e6 => format!("{:.0} µs", ns * 1e-3),
        ns if ns < 1e7 => format!("{:.2} ms", ns * 1e-6),
        ns => format!("{:.1} ms", ns * 1e-6),
    }
}

/// Returns `n` numbers spread over [-1, 1) by the golden ratio.
fn spread(n: usize, from: usize) -> Vec<f64> {
    (0..n)
        .map(|i| ((i + 1 + from) as f64 * 0.618_033_988_749_894_9) % 1.0 * 2.0 - 1.0)
        .collect()
}

fn rows(n: usize, width: usize, from: usize) -> Vec<Vec<f64>> {
    let all = spread(n * width, from);
    (0..n)
        .map(|i| all[i * width..(i + 1) * width].to_vec())
        .collect()
}

fn gmm(d: usize, k: usize, n: usize) -> Value {
    json!({
        "d": d, "k": k, "n": n, "x": rows(n, d, 0), "m": 0, "gamma": 1.0, "alpha": spread(k, 1),
        "mu": rows(k, d, 2), "q": rows(k, d, 3), "l": rows(k, d * (d - 1) / 2, 4)
    })
}

fn lstm(layers: usize, length: usize) -> Value {
    const WIDTH: usize = 14;
    json!({
        "main_params": rows(2 * layers, 4 * WIDTH, 0), "extra_params": rows(3, WIDTH, 1),
        "state": rows(2 * layers, WIDTH, 2), "sequence": rows(length, WIDTH, 3)
    })
}
