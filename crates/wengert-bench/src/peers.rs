//! The same workloads in other languages, run in turns with ours.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::measure::median;

/// A participant: a program that lists its workloads for `--list`, and measures one workload per run.
pub struct Entrant {
    /// Its name and version.
    pub title: String,
    pub kind: Kind,
    program: PathBuf,
    /// Arguments before the name of a workload.
    args: Vec<String>,
    /// The workloads that it implements.
    names: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Wengert,
    Jax,
    Numba,
    /// NumPy and SciPy, by the same Python.
    SciPy,
    /// Hand-written C, with this many numbers per vector.
    C(usize),
}

/// The times of a participant for a workload, in seconds: medians of the rounds.
pub struct Measured {
    /// Missing for C, which is compiled beforehand.
    pub first: Option<f64>,
    pub run: f64,
    pub check: f64,
}

/// A workload, and the times of each participant.
pub struct Row {
    pub name: String,
    pub measured: Vec<Option<Measured>>,
}

/// Runs the workloads in turns, round after round.
pub fn compare(
    names: &[&str],
    python: &str,
    rounds: usize,
) -> Result<(Vec<Entrant>, Vec<Row>), String> {
    let entrants = entrants(names, python)?;
    let mut rows = vec![];
    for name in names {
        let mut lines: Vec<Vec<Value>> = entrants.iter().map(|_| vec![]).collect();
        for _ in 0..rounds {
            for (entrant, lines) in entrants.iter().zip(&mut lines) {
                if entrant.names.iter().any(|n| n == name) {
                    match entrant.measure(name) {
                        Ok(line) => lines.push(line),
                        Err(error) => eprintln!("{error}"),
                    }
                }
            }
        }
        let row = Row {
            name: name.to_string(),
            measured: lines.iter().map(|lines| measured(lines)).collect(),
        };
        let seen = entrants.iter().zip(&row.measured);
        let seen = seen.filter_map(|(e, m)| Some(format!("{} {:.3e} s", e.title, m.as_ref()?.run)));
        eprintln!("{name}: {}", seen.collect::<Vec<_>>().join(", "));
        rows.push(row);
    }
    Ok((entrants, rows))
}

/// Returns our program, and the peers that are available.
fn entrants(names: &[&str], python: &str) -> Result<Vec<Entrant>, String> {
    let ours = env::current_exe().map_err(|e| e.to_string())?;
    let mut entrants = vec![Entrant {
        title: format!("Wengert {}", env!("CARGO_PKG_VERSION")),
        kind: Kind::Wengert,
        program: ours,
        args: vec!["--exact".into()],
        names: names.iter().map(|n| n.to_string()).collect(),
    }];
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    for (kind, file) in [
        (Kind::Jax, "jax_peer.py"),
        (Kind::Numba, "numba_peer.py"),
        (Kind::SciPy, "scipy_peer.py"),
    ] {
        let script = sources.join(file).to_string_lossy().into_owned();
        match Entrant::new(kind, python.into(), vec![script]) {
            Ok(entrant) => entrants.push(entrant),
            Err(error) => eprintln!("{file} is left out: {error}"),
        }
    }
    for width in [2, widest()] {
        let built = build(&sources.join("limits.c"), width);
        match built.and_then(|program| Entrant::new(Kind::C(width), program, vec![])) {
            Ok(entrant) => entrants.push(entrant),
            Err(error) => eprintln!("limits.c is left out: {error}"),
        }
    }
    match entrants.len() {
        1 => Err("there is nobody to compare with".into()),
        _ => Ok(entrants),
    }
}

/// Returns the number of `f64`s in the machine's widest vectors.
fn widest() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return 8;
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return 4;
        }
    }
    2
}

/// Compiles the C program for vectors of this width.
fn build(source: &Path, width: usize) -> Result<PathBuf, String> {
    let program = env::temp_dir().join(format!("wengert-limits-{}-{width}", std::process::id()));
    let mut gcc = Command::new("gcc");
    gcc.args(["-O3", "-ffp-contract=fast", "-march=native", "-fopenmp"]);
    gcc.args([
        format!("-mprefer-vector-width={}", (64 * width).max(128)),
        format!("-DW={width}"),
    ]);
    output(gcc.arg(source).arg("-o").arg(&program).arg("-lm"))?;
    Ok(program)
}

impl Entrant {
    /// Starts a participant that reports its own title and workloads.
    fn new(kind: Kind, program: PathBuf, args: Vec<String>) -> Result<Entrant, String> {
        let text = output(Command::new(&program).args(&args).arg("--list"))?;
        let mut lines = text.lines().map(str::to_string);
        Ok(Entrant {
            title: lines.next().unwrap_or_default(),
            kind,
            program,
            args,
            names: lines.collect(),
        })
    }

    /// Runs a workload in a new process, and returns its report.
    fn measure(&self, name: &str) -> Result<Value, String> {
        let text = output(Command::new(&self.program).args(&self.args).arg(name))?;
        let mut lines = text.lines().rev();
        let line = lines.find_map(|line| serde_json::from_str::<Value>(line).ok());
        match line {
            Some(line) if line["run_us"].is_number() => Ok(line),
            _ => Err(format!("{name} in {}: {text}", self.title)),
        }
    }
}

impl Drop for Entrant {
    /// Removes the program that was built for this run.
    fn drop(&mut self) {
        if let Kind::C(_) = self.kind {
            // A leftover file does no harm.
            let _ = std::fs::remove_file(&self.program);
        }
    }
}

/// Runs a program and returns what it prints.
fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{program}: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.trim_end().lines().last().unwrap_or_default();
            Err(format!("{program}: {last}"))
        }
    }
}

/// Returns the medians of the rounds.
fn measured(lines: &[Value]) -> Option<Measured> {
    let of = |key: &str| {
        let all: Vec<f64> = lines.iter().filter_map(|line| line[key].as_f64()).collect();
        (!all.is_empty()).then(|| median(all))
    };
    Some(Measured {
        first: of("first_ms").map(|ms| ms * 1e-3),
        run: of("run_us")? * 1e-6,
        check: of("check")?,
    })
}
