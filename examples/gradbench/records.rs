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
    Record {
        problem: "ba",
        size: "n = 49, m = 7,776, p = 31,843",
        functions: ["objective", "jacobian"],
        input: || bundle(49, 7_776, 31_843),
        tool: "–",
        by_hand: "–",
    },
    Record {
        problem: "ba",
        size: "n = 257, m = 65,132, p = 225,911",
        functions: ["objective", "jacobian"],
        input: || bundle(257, 65_132, 225_911),
        tool: "–",
        by_hand: "–",
    },
    Record {
        problem: "ht",
        size: "10,000 points, 192 measured",
        functions: ["objective", "jacobian"],
        input: || hand(10_000, 192, false),
        tool: "–",
        by_hand: "–",
    },
    Record {
        problem: "ht",
        size: "544 points, 100 measured in triangles",
        functions: ["objective", "jacobian"],
        input: || hand(544, 100, true),
        tool: "–",
        by_hand: "–",
    },
    Record {
        problem: "det",
        size: "8 × 8",
        functions: ["primal", "gradient"],
        input: || json!({"A": spread(64, 0), "ell": 8}),
        tool: "–",
        by_hand: "–",
    },
    Record {
        problem: "particle",
        size: "ff, rr",
        functions: ["ff", "rr"],
        input: || json!({"w": 0.0}),
        tool: "–",
        by_hand: "–",
    },
    Record {
        problem: "saddle",
        size: "ff, rr",
        functions: ["ff", "rr"],
        input: || json!({"start": [1.0, 1.0]}),
        tool: "–",
        by_hand: "–",
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

fn bundle(cameras: usize, points: usize, observations: usize) -> Value {
    json!({
        "n": cameras, "m": points, "p": observations,
        "cam": [0.3, -0.2, 0.5, 0.1, 0.2, -0.3, 1.5, 0.4, -0.6, 0.05, 0.01],
        "x": [0.7, -0.4, 2.5], "w": 0.8, "feat": [0.2, -0.1]
    })
}

fn hand(points: usize, measured: usize, in_triangles: bool) -> Value {
    const BONES: usize = 22;
    let matrices = |from: usize| {
        let matrix = |b: usize| {
            let all = rows(4, 4, from + b).into_iter().enumerate();
            let all = all.map(|(i, mut row)| {
                row.iter_mut().for_each(|x| *x *= 0.1);
                row[i] += 1.0;
                row
            });
            all.collect::<Vec<_>>()
        };
        (0..BONES).map(matrix).collect::<Vec<_>>()
    };
    let parent = |b: usize| if b % 4 == 2 { 0 } else { b as i64 - 1 };
    let parents: Vec<i64> = (0..BONES).map(parent).collect();
    let triangles: Vec<[usize; 3]> = (0..points - 2).map(|i| [i, i + 1, i + 2]).collect();
    let nearest: Vec<usize> = (0..measured).map(|i| i * 7 % (points - 2)).collect();
    let us = if in_triangles {
        rows(measured, 2, 9)
    } else {
        vec![]
    };
    json!({
        "theta": spread(26, 4), "us": us,
        "data": {
            "model": {
                "bone_count": BONES, "parents": parents, "base_relatives": matrices(0),
                "inverse_base_absolutes": matrices(5), "base_positions": rows(points, 4, 1),
                "weights": rows(points, BONES, 2), "triangles": triangles, "is_mirrored": false
            },
            "correspondences": nearest, "points": rows(measured, 3, 3)
        }
    })
}
