//! Times of calls, of compilation and of runs: a JSON line for each workload.
//!
//! `cargo run --release -p wengert-bench -- [PREFIX ..]` runs the workloads whose names begin with one
//! of the prefixes, or all. `first_ms` is the first call: tracing, compiling and running. `run_us` is
//! the median of later ones. `check` is the sum of the results.
#![forbid(unsafe_code)]

mod compile;
mod elementwise;
mod fits;
mod inputs;
mod measure;
mod ode;
mod products;
mod rosenbrock;
mod scans;

use measure::Workload;

/// The workloads, theme by theme.
const THEMES: &[fn() -> Vec<Workload>] = &[
    elementwise::workloads,
    products::workloads,
    rosenbrock::workloads,
    ode::workloads,
    scans::workloads,
    fits::workloads,
    compile::workloads,
];

fn main() {
    let prefixes: Vec<String> = std::env::args().skip(1).collect();
    for workload in THEMES.iter().flat_map(|theme| theme()) {
        let asked = |p: &String| workload.name.starts_with(p.as_str());
        if prefixes.is_empty() || prefixes.iter().any(asked) {
            println!("{}", workload.line());
        }
    }
}
