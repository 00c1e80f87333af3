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
use wengert_ir::buffer::{Data, Dense};

mod case;
mod close;
mod params;
mod table;

use case::Case;
use table::Operation;

/// Where a value is not that of the reference.
struct Exception {
    op: &'static str,
    /// Whether element `i` of the value is left out.
    skip: fn(&Case, usize) -> bool,
    reason: &'static str,
}

/// Operations that are not there yet.
const PENDING: &[&str] = &[
    "hypot",
    "copysign",
    "xlogy",
    "lgamma",
    "digamma",
    "take_along_axis",
    "index_max",
    "index_mul",
    "sort",
    "argsort",
    "top_k",
    "searchsorted",
    "one_hot",
    "interp",
    "median",
    "quantile",
    "argmax",
    "argmin",
    "erf_inv",
    "relu",
    "gelu",
    "silu",
    "log_sigmoid",
];

const EXCEPTIONS: &[Exception] = &[
    Exception {
        op: "atanh",
        skip: |case, i| subnormal(&case.args[0], i),
        reason: "XLA takes subnormal numbers for zero",
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

/// Elements of a batch: the case itself, and this many less one like it.
const BATCH: usize = 3;

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
            let pending = PENDING.contains(&&case.op[..]);
            if let Err(why) = check(case).or_else(|e| if pending { Ok(()) } else { Err(e) }) {
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
        let whole = Whole::of(case)?;
        whole.against_references(case)?;
        whole.in_a_batch()
    }));
    checked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "a panic".into()))
    })
}

/// An operation with its derivatives in both modes, as one function.
struct Whole {
    f: Differentiated,
    compiled: Jit<Vec<Var>, Vec<Var>>,
    /// Arguments, tangents, cotangents.
    given: Vec<Array>,
}

#[derive(Clone)]
struct Differentiated {
    op: Operation,
    args: usize,
    /// Which arguments and which results have derivatives.
    smooth_args: Vec<bool>,
    smooth_results: Vec<bool>,
}

impl Whole {
    fn of(case: &Case) -> Result<Whole, String> {
        let there = |list: &[Option<Array>]| list.iter().map(Option::is_some).collect();
        let f = Differentiated {
            op: table::operation(&case.op, &case.params)?,
            args: case.args.len(),
            smooth_args: there(&case.tangents),
            smooth_results: there(&case.cotangents),
        };
        let tangents = case.tangents.iter().flatten();
        let cotangents = case.cotangents.iter().flatten();
        let given = case.args.iter().chain(tangents).chain(cotangents);
        let function = f.clone();
        Ok(Whole {
            compiled: jit(move |x: Vec<Var>| function.call(&x)),
            given: given.cloned().collect(),
            f,
        })
    }

    fn against_references(&self, case: &Case) -> Result<(), String> {
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
            ("compiled", self.compiled.call(self.given.clone())),
            ("interpreted", self.compiled.interpret(self.given.clone())),
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

    fn in_a_batch(&self) -> Result<(), String> {
        if self.given.is_empty() {
            return Ok(());
        }
        let elements: Vec<Vec<Array>> = (0..BATCH)
            .map(|k| self.given.iter().map(|a| another(a, k)).collect())
            .collect();
        let stacked = (0..self.given.len()).map(|i| {
            let mut data = Data::zeros(self.given[i].dtype(), 0);
            elements
                .iter()
                .for_each(|e| data.extend(&e[i].dense().data));
            let dims = [&[BATCH], self.given[i].shape()].concat();
            Array::from_dense(Dense::new(dims, data))
        });
        let f = self.f.clone();
        let batched = jit(vmap(move |x: Vec<Var>| f.call(&x))).call(stacked.collect::<Vec<_>>());
        let batched = batched.map_err(|e| format!("in a batch: {e}"))?;
        for (k, element) in elements.into_iter().enumerate() {
            let alone = self.compiled.call(element).map_err(|e| e.to_string())?;
            for (i, (alone, batched)) in alone.iter().zip(&batched).enumerate() {
                let n = alone.len();
                let row = batched.dense().data.pick(k * n..(k + 1) * n);
                let row = Array::from_dense(Dense::new(batched.shape()[1..].to_vec(), row));
                close::same(&row, alone)
                    .map_err(|e| format!("result {i} of element {k} in a batch and alone: {e}"))?;
            }
        }
        Ok(())
    }
}

/// An array like this one, the `k`-th: floats are scaled a little, others turned around.
fn another(a: &Array, k: usize) -> Array {
    let data = &a.dense().data;
    let data = match &**data {
        Data::F64(v) => Data::F64(v.iter().map(|x| x * (1.0 + 0.01 * k as f64)).collect()),
        Data::F32(v) => Data::F32(v.iter().map(|x| x * (1.0 + 0.01 * k as f32)).collect()),
        data => match k % 2 {
            0 => data.clone(),
            _ => data.pick((0..data.len()).rev()),
        },
    };
    Array::from_dense(Dense::new(a.shape().to_vec(), data))
}

impl Differentiated {
    /// The values, the tangents, then the cotangents, of arguments, tangents and cotangents.
    fn call(&self, given: &[Var]) -> Vec<Var> {
        let (args, rest) = given.split_at(self.args);
        let mut all = (self.op)(args);
        if !self.smooth_args.contains(&true) {
            return all;
        }
        let count = |which: &[bool]| which.iter().filter(|s| **s).count();
        let (tangents, cotangents) = rest.split_at(count(&self.smooth_args));
        let point = args.iter().zip(&self.smooth_args).filter(|(_, s)| **s);
        let point: Vec<Var> = point.map(|(x, _)| *x).collect();
        all.extend(jvp(|x| self.smooth(args, x), point.clone(), tangents.to_vec()).1);
        all.extend(vjp(|x| self.smooth(args, x), point).1(cotangents.to_vec()));
        all
    }

    /// The results that have derivatives, of the arguments that have.
    fn smooth(&self, args: &[Var], point: Vec<Var>) -> Vec<Var> {
        let mut point = point.into_iter();
        let mut arg = |(x, smooth): (&Var, &bool)| match smooth {
            true => point.next().expect("one for each"),
            false => *x,
        };
        let args: Vec<Var> = args.iter().zip(&self.smooth_args).map(&mut arg).collect();
        let results = (self.op)(&args).into_iter().zip(&self.smooth_results);
        results.filter(|(_, s)| **s).map(|(y, _)| y).collect()
    }
}
