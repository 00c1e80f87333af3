//! The laws of every program, on random ones.
//!
//! `WENGERT_SEED` repeats a run, `WENGERT_PROGRAMS` says how many programs it tries, `WENGERT_LAW` is the
//! name of the only law to try, `WENGERT_DEPTH` makes larger programs.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wengert::prelude::*;
use wengert_check::laws::{LAWS, Verdict, flattened};
use wengert_check::program::{Limits, Program};
use wengert_ir::buffer::{Buffer, Dense};
use wengert_ir::eval::eval;
use wengert_ir::ir::verify::verify;
use wengert_ir::rewrite::optimise;

/// Failures of a law after which it is tried no more.
const ENOUGH: usize = 3;

#[derive(Default)]
struct Found {
    verdicts: BTreeMap<(&'static str, u8), usize>,
    failures: Vec<(&'static str, String)>,
    times: BTreeMap<&'static str, Duration>,
}

impl Found {
    fn failures_of(&self, law: &str) -> usize {
        self.failures.iter().filter(|(l, _)| *l == law).count()
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// On the threads that try programs a panic is caught, and is a failure to be made small first.
fn silence_caught_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !QUIET.get() {
            hook(info);
        }
    }));
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn random_programs_keep_the_laws() {
    silence_caught_panics();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let fresh = || now.map_or(1, |t| t.as_nanos() as u64 % 1_000_000_000);
    let seed = number("WENGERT_SEED").unwrap_or_else(fresh);
    let programs = number("WENGERT_PROGRAMS").unwrap_or(300);
    println!(
        "WENGERT_SEED={seed}: programs of the seeds {seed} to {}",
        seed + programs - 1
    );
    let (first, end) = (seed, seed + programs);
    let next = AtomicU64::new(first);
    let mut limits = Limits::default();
    if let Some(depth) = number("WENGERT_DEPTH") {
        limits.depth = depth as usize;
    }
    let chosen = std::env::var("WENGERT_LAW").ok();
    let chosen = chosen.as_deref();
    let found = Mutex::new(Found::default());
    let work = || {
        QUIET.set(true);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            let program = Program::random(seed, &limits);
            for law in LAWS
                .iter()
                .filter(|l| chosen.is_none_or(|c| c.contains(l.name)))
            {
                if found.lock().unwrap().failures_of(law.name) >= ENOUGH {
                    continue;
                }
                let started = Instant::now();
                let verdict = law.shrunk(&program, 3000);
                let mut found = found.lock().unwrap();
                *found.times.entry(law.name).or_default() += started.elapsed();
                match verdict {
                    Ok(v) => *found.verdicts.entry((law.name, v as u8)).or_default() += 1,
                    Err(b) => found.failures.push((law.name, format!("seed {seed}: {b}"))),
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // Deep programs are traced by recursion.
            let builder = std::thread::Builder::new().stack_size(64 << 20);
            builder.spawn_scoped(scope, work).unwrap();
        }
    });
    let found = found.into_inner().unwrap();
    for law in LAWS {
        let count = |v: Verdict| found.verdicts.get(&(law.name, v as u8)).unwrap_or(&0);
        println!(
            "{:20} held {:5}, unclear {:3}, too large {:4}, {:.1?}",
            law.name,
            count(Verdict::Held),
            count(Verdict::Unclear),
            count(Verdict::TooLarge),
            found.times.get(law.name).copied().unwrap_or_default()
        );
    }
    let failures: Vec<String> = found.failures.into_iter().map(|(_, text)| text).collect();
    assert!(
        failures.is_empty(),
        "{} broken\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// A batch gives the same flattened by the batching rules as element by element.
#[track_caller]
fn flattens(f: impl Fn(Var) -> Var + Clone + Send + Sync) {
    let x = Array::from([0.3, -0.4, 1.2]);
    let func = trace(vmap(f), ShapeDtype::new(DType::F64, [3])).unwrap();
    let flat = flattened(&func);
    verify(&flat).unwrap();
    let args = [Buffer::Dense(x.dense().clone())];
    assert_eq!(eval(&flat, &args).unwrap(), eval(&func, &args).unwrap());
}

#[test]
fn a_batched_branch_that_gives_lists() {
    let grown = |x: Var| while_loop(x, |y| y.lt(2.0), |y| y * y + 0.5);
    let f = move |x: Var| cond(x.gt(0.0), x, grown, |x| x.sin());
    flattens(grad(f));
    flattens(grad(grad(f)));
    let counted = |x: Var| fori(..(x * 5.0).to(DType::I64), x, |_, y| y.sin());
    flattens(grad(move |x: Var| cond(x.gt(0.0), x, counted, |x| x * x)));
}

#[test]
fn a_batched_loop_that_starts_from_a_constant() {
    flattens(|x: Var| while_loop(0.5, |y| y.lt(2.0), |y| y + x.sin() + 1.5));
}

#[test]
fn a_masked_zero_keeps_its_sign() {
    let f = |x: Var| wengert_ir::ops::elementwise::mul_or_zero(x, Var::from(1.0));
    let func = trace(f, ShapeDtype::scalar(DType::F64)).unwrap();
    for func in [optimise(&func, false), func] {
        let y = eval(&func, &[Buffer::Dense(Dense::scalar(-0.0))]).unwrap();
        assert_eq!(
            y[0].dense().slice::<f64>()[0].to_bits(),
            (-0.0f64).to_bits()
        );
    }
}
