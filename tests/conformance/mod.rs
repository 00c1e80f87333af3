//! Every operation against reference cases: the value, the tangent and the cotangents that
//! JAX 0.10.2 computes, by the interpreter, by compiled code and in a batch.
//!
//! The cases are the `.json` files of this folder, one a family, or those of the folder that
//! `CONFORMANCE_DIR` names.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wengert::prelude::*;
use wengert_ir::buffer::Data;
use wengert_ir::error::said;

mod case;
mod close;
mod linalg;
mod params;
pub mod same;
mod signals;
pub mod table;
pub mod whole;

use case::Case;
use whole::Whole;

/// Where a value is not that of the reference.
struct Exception {
    op: &'static str,
    /// Whether element `i` of the value is left out.
    skip: fn(&Case, usize) -> bool,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        op: "atanh",
        skip: |case, i| subnormal(&case.args[0], i),
        reason: "XLA takes subnormal numbers for zero",
    },
    Exception {
        op: "digamma",
        skip: |case, i| subnormal(&case.args[0], i),
        reason: "XLA takes subnormal numbers for zero, where it has a pole",
    },
    Exception {
        op: "sign",
        skip: |case, i| subnormal(&case.args[0], i),
        reason: "XLA takes subnormal numbers for zero",
    },
];

fn subnormal(x: &Array, i: usize) -> bool {
    matches!(&*x.dense().data, Data::F64(v) if v[i].is_subnormal())
}

#[test]
fn reference_cases() {
    let folder = match std::env::var_os("CONFORMANCE_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance"),
    };
    let families = families(&folder);
    let cases: Vec<(&str, usize, &Case)> = families
        .iter()
        .flat_map(|(family, cases)| {
            cases
                .iter()
                .enumerate()
                .map(move |(i, c)| (&family[..], i, c))
        })
        .collect();
    let failures = Mutex::new(vec![]);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((family, i, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(why) = check(case) {
                let named = format!("{family}[{i}] {} {}", case.op, show(case));
                failures.lock().unwrap().push(format!("{named}: {why}"));
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|s| (0..threads).for_each(|_| drop(s.spawn(work))));
    // Past the test harness, which shows what is printed only if the test fails.
    let mut out = std::io::stdout();
    for (family, cases) in &families {
        writeln!(out, "{family:>10} {:>4} cases", cases.len()).unwrap();
    }
    writeln!(out, "{:>10} {:>4} cases", "in all", cases.len()).unwrap();
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let all = failures.join("\n");
    assert!(failures.is_empty(), "{} cases fail:\n{all}", failures.len());
    assert!(!cases.is_empty(), "no case in {}", folder.display());
}

#[test]
fn every_operation_has_one_row() {
    let mut names: Vec<&str> = table::names().collect();
    names.sort_unstable();
    let twice: Vec<&[&str]> = names.windows(2).filter(|w| w[0] == w[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// The cases of each file of a folder, by name.
fn families(folder: &Path) -> Vec<(String, Vec<Case>)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let cases = case::read(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        (file.file_stem().unwrap().to_string_lossy().into(), cases)
    };
    files.iter().map(read).collect()
}

fn show(case: &Case) -> String {
    let types: Vec<String> = case
        .args
        .iter()
        .map(|a| a.dense().ty().to_string())
        .collect();
    let params = serde_json::to_string(&case.params).unwrap();
    format!("{params} ({})", types.join(", "))
}

/// What holds of a case.
fn check(case: &Case) -> Result<(), String> {
    let checked = catch_unwind(AssertUnwindSafe(|| {
        let op = table::operation(&case.op, &case.params)?;
        let whole = Whole::new(op, &case.args, &case.tangents, &case.cotangents);
        against_references(&whole, case)?;
        whole.in_a_batch()
    }));
    checked.unwrap_or_else(|panic| Err(said(&*panic).unwrap_or_else(|| "a panic".into())))
}

/// The interpreter and compiled code give what the reference gives.
fn against_references(whole: &Whole, case: &Case) -> Result<(), String> {
    let named = |what: &'static str, list: Vec<&Array>| -> Vec<(String, Array)> {
        let name = |(i, a): (usize, &Array)| (format!("{what} {i}"), a.clone());
        list.into_iter().enumerate().map(name).collect()
    };
    let want = [
        named("value", case.out.iter().collect()),
        named("jvp", case.jvp.iter().flatten().collect()),
        named("vjp", case.vjp.iter().flatten().collect()),
    ]
    .concat();
    let exceptions = || EXCEPTIONS.iter().filter(|e| e.op == case.op);
    let ways = [
        ("compiled", whole.compiled.call(whole.given.clone())),
        ("interpreted", whole.compiled.interpret(whole.given.clone())),
    ];
    for (way, got) in ways {
        let got = got.map_err(|e| e.to_string())?;
        if got.len() != want.len() {
            return Err(format!("{} results, not {}", got.len(), want.len()));
        }
        for (k, (got, (what, want))) in got.iter().zip(&want).enumerate() {
            let skip = |i| k < case.out.len() && exceptions().any(|e| (e.skip)(case, i));
            close::close(got, want, skip).map_err(|e| {
                let known: String = exceptions().map(|e| format!(" ({})", e.reason)).collect();
                format!("{what}, {way}: {e}{known}")
            })?;
        }
    }
    Ok(())
}
