//! What holds of every operation, on arrays of random shapes: of rank 0 to 5, with axes of length 0
//! and 1, broadcasting.
//!
//! - compiled code gives what the interpreter gives, to the bit;
//! - forward and reverse mode are transposes of each other: `<J v, w> = <v, Jᵀ w>`;
//! - a batch gives what a loop gives, to the bit;
//! - derivatives are what differences say, to second order, at smooth points.
//!
//! `WENGERT_SAMPLES` says how many samples of each operation.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Map;
use wengert::prelude::*;
use wengert_check::{Options, check_grads_with};
use wengert_ir::buffer::Data;
use wengert_ir::error::said;

mod draw;
mod samples;

use draw::{Draw, Sample};

use crate::conformance::whole::Whole;
use crate::conformance::{same, table};

/// How many samples of each operation, unless said.
const SAMPLES: u64 = 4;

fn count() -> u64 {
    let said = std::env::var("WENGERT_SAMPLES").ok();
    said.map_or(SAMPLES, |n| n.parse().expect("a number of samples"))
}

#[test]
fn every_operation_is_sampled() {
    let known: BTreeSet<&str> = table::names().collect();
    let sampled: BTreeSet<&str> = samples::all().map(|(name, _)| name).collect();
    assert_eq!(known, sampled);
}

#[test]
fn laws() {
    let seeds = (0..count()).flat_map(|seed| samples::all().map(move |op| (op, seed)));
    check_all(seeds.collect(), |name, sample| {
        let op = table::operation(name, &sample.params)?;
        let value = op.clone();
        let values = jit(move |x: Vec<Var>| value(&x)).call(sample.args.clone());
        let values = values.map_err(|e| e.to_string())?;
        let mut draw = Draw::new(7);
        let mut vector = |a: &Array| draw.vector_like(a);
        let tangents: Vec<_> = sample.args.iter().map(&mut vector).collect();
        let cotangents: Vec<_> = values.iter().map(&mut vector).collect();
        let whole = Whole::new(op, &sample.args, &tangents, &cotangents);
        let compiled = whole.compiled.call(whole.given.clone());
        let compiled = compiled.map_err(|e| e.to_string())?;
        let interpreted = whole.compiled.interpret(whole.given.clone());
        let interpreted = interpreted.map_err(|e| e.to_string())?;
        for (i, (a, b)) in compiled.iter().zip(&interpreted).enumerate() {
            same::same(a, b).map_err(|e| format!("result {i} compiled and interpreted: {e}"))?;
        }
        whole.in_a_batch()?;
        if tangents.iter().flatten().count() > 0 {
            let results = &compiled[values.len()..];
            let (jvp, vjp) = results.split_at(cotangents.iter().flatten().count());
            transposed(jvp, &cotangents, vjp, &tangents)?;
        }
        Ok(())
    });
}

#[test]
fn differences() {
    // Of each operation the first sample that is smooth and holds something to vary.
    let smooth = |draw: fn(&mut Draw) -> Sample, seed: u64| {
        let sample = draw(&mut Draw::new(seed));
        let varied = |a: &Array| a.dtype() == DType::F64 && !a.is_empty();
        sample.smooth && sample.args.iter().any(varied)
    };
    let first = |op: samples::Row| {
        (0..20)
            .find(|&seed| smooth(op.1, seed))
            .map(|seed| (op, seed))
    };
    check_all(
        samples::all().filter_map(first).collect(),
        |name, sample| {
            let op = table::operation(name, &sample.params)?;
            let options = Options {
                differences: 1e-5,
                ..Options::default()
            };
            check_grads_with(move |x: Vec<Var>| op(&x), sample.args.clone(), &options)
                .map_err(|e| e.to_string())
        },
    );
}

/// Whether `<jvp, cotangents>` is `<vjp, tangents>`.
fn transposed(
    jvp: &[Array],
    cotangents: &[Option<Array>],
    vjp: &[Array],
    tangents: &[Option<Array>],
) -> Result<(), String> {
    let (mut narrow, mut size) = (false, 0.0);
    let mut dot = |a: &[Array], b: &[Option<Array>]| -> f64 {
        let mut sum = 0.0;
        for (a, b) in a.iter().zip(b.iter().flatten()) {
            narrow |= a.dtype() == DType::F32;
            for (x, y) in floats(a).into_iter().zip(floats(b)) {
                sum += x * y;
                size += (x * y).abs();
            }
        }
        sum
    };
    let (left, right) = (dot(jvp, cotangents), dot(vjp, tangents));
    let tolerance = if narrow { 1e-5 } else { 1e-11 };
    match (left - right).abs() <= tolerance * (1.0 + size) {
        true => Ok(()),
        false => Err(format!("<J v, w> is {left:?}, and <v, Jᵀ w> is {right:?}")),
    }
}

fn floats(a: &Array) -> Vec<f64> {
    match &*a.dense().data {
        Data::F64(v) => v.clone(),
        Data::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
        other => unreachable!("a vector of {}", other.dtype()),
    }
}

/// Checks samples of operations, on all cores.
fn check_all(
    work: Vec<(samples::Row, u64)>,
    check: impl Fn(&str, &Sample) -> Result<(), String> + Sync,
) {
    let failures = Mutex::new(vec![]);
    let next = AtomicUsize::new(0);
    let thread = || {
        while let Some(((name, draw), seed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            let sample = draw(&mut Draw::new(*seed));
            let checked = catch_unwind(AssertUnwindSafe(|| check(name, &sample)));
            let why = match checked {
                Ok(Ok(())) => continue,
                Ok(Err(why)) => why,
                Err(panic) => said(&*panic).unwrap_or("a panic".into()),
            };
            let types: Vec<String> = sample
                .args
                .iter()
                .map(|a| a.dense().ty().to_string())
                .collect();
            let (params, types) = (show(&sample.params), types.join(", "));
            failures
                .lock()
                .unwrap()
                .push(format!("{name}{params} ({types}), sample {seed}: {why}"));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|s| (0..threads).for_each(|_| drop(s.spawn(thread))));
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} samples fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn show(params: &Map<String, serde_json::Value>) -> String {
    serde_json::to_string(params).expect("parameters are JSON")
}
