//! Times of calls, of compilation and of runs: one JSON line for each workload.
//!
//! `cargo run --release -p wengert-bench -- [PREFIX ..]` runs the workloads whose names start with one of the
//! prefixes, or all. `first_ms` is the first call: tracing, compiling and running. `run_us` is the median of
//! later ones. `check` is the sum of the results. With `--peers PYTHON` the same workloads run in JAX, Numba, SciPy
//! and C as well, and a table compares all.
#![forbid(unsafe_code)]

mod compile;
mod elementwise;
mod equations;
mod fits;
mod gradbench;
mod inputs;
mod integrals;
mod lanes;
mod linalg;
mod lookups;
mod measure;
mod minima;
mod narrow;
mod networks;
mod neurons;
mod ode;
mod options;
mod peers;
mod prices;
mod products;
mod random;
mod rosenbrock;
mod scaling;
mod scans;
mod searches;
mod signals;
mod solvers;
mod stochastic;
mod table;
mod training;
mod writes;

use std::process::ExitCode;

use measure::Workload;
use options::{Options, USAGE};

/// The workloads, theme by theme.
const THEMES: &[fn() -> Vec<Workload>] = &[
    elementwise::workloads,
    products::workloads,
    linalg::workloads,
    rosenbrock::workloads,
    ode::workloads,
    equations::workloads,
    scans::workloads,
    writes::workloads,
    lookups::workloads,
    searches::workloads,
    networks::workloads,
    training::workloads,
    integrals::workloads,
    signals::workloads,
    neurons::workloads,
    fits::workloads,
    minima::workloads,
    solvers::workloads,
    stochastic::workloads,
    random::workloads,
    narrow::workloads,
    gradbench::workloads,
    scaling::workloads,
    lanes::workloads,
    compile::workloads,
];

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)) {
        Ok(None) => println!("{USAGE}"),
        Ok(Some(options)) => {
            if let Err(error) = run(&options) {
                eprintln!("wengert-bench: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(mistake) => {
            eprintln!("wengert-bench: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<(), String> {
    if options.threads_table {
        return scaling::print();
    }
    if options.work_precision {
        return equations::work_precision(&|name| options.want(&format!("de/{name}")));
    }
    let mut wanted: Vec<Workload> = THEMES.iter().flat_map(|theme| theme()).collect();
    wanted.retain(|w| options.want(&w.name));
    if wanted.is_empty() {
        return Err("no workload has such a name; --list has them all".into());
    }
    match &options.peers {
        _ if options.list => wanted.iter().for_each(|w| println!("{}", w.name)),
        _ if options.explain => wanted.iter().for_each(|w| println!("{}\n", w.explain())),
        _ if options.prices => prices::print(&wanted),
        None => wanted.iter().for_each(|w| println!("{}", w.lines())),
        Some(python) => {
            let compared = wanted.iter().filter(|w| w.compared);
            let names: Vec<&str> = compared.map(|w| w.name.as_str()).collect();
            let (entrants, rows) = peers::compare(&names, python, options.rounds)?;
            let table = table::markdown(&entrants, &rows);
            print!("\n{table}");
            if let Some(file) = &options.markdown {
                std::fs::write(file, table).map_err(|e| format!("{file}: {e}"))?;
            }
        }
    }
    Ok(())
}
