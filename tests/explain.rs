//! What `explain` and `dump` say of small programs.
//!
//! The programs stand first, so that their lines do not move when what is expected does.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use wengert::prelude::*;
use wengert::{Executable, Explanation, Stage};

fn vector(n: usize) -> ShapeDtype {
    ShapeDtype::new(DType::F64, [n])
}

/// A chain of operations on elements, and its sum.
fn chain(n: usize) -> Executable<Var, Var> {
    let f = |x: Var| {
        let y = x.sin() * 2.0;
        y.exp().sum()
    };
    jit(f).compile(&vector(n)).unwrap()
}

/// A value that is read twice: for a sum, and for what is divided by it.
fn twice() -> Executable<Var, Var> {
    let f = |x: Var| {
        let y = x.exp();
        y / y.sum()
    };
    jit(f).compile(&vector(1000)).unwrap()
}

/// A loop, and its derivative.
fn steps() -> Executable<Var, Var> {
    let f = |x: Var| {
        let (last, ()) = scan(x, 0..100, |c: Var, _: Var| {
            let turned = c.sin();
            (turned * 0.9, ())
        });
        last
    };
    jit(grad(f))
        .compile(&ShapeDtype::scalar(DType::F64))
        .unwrap()
}

/// A batch of loops, each as long as it takes.
fn batch() -> Executable<Var, Var> {
    let f = |x: Var| while_loop(x, |c| c.lt(100.0), |c| c * 1.5);
    jit(vmap(f)).compile(&vector(1000)).unwrap()
}

/// A product that a library does, between elements.
fn product() -> Executable<[Var; 2], Var> {
    let f = |[a, b]: [Var; 2]| {
        let scaled = a.tanh();
        scaled.dot(b).abs()
    };
    let square = ShapeDtype::new(DType::F64, [100, 100]);
    jit(f).compile(&[square.clone(), square]).unwrap()
}

/// The lines of this file where programs are written.
const PROGRAMS: std::ops::Range<u32> = 1..line!();

/// What is said but how much code it is, which differs from machine to machine.
fn said(explanation: Explanation) -> String {
    let text = explanation.to_string();
    let (said, code) = text.split_once("  code\n").unwrap();
    assert!(code.contains("native functions") && code.contains("bytes of scratch"));
    said.to_string()
}

fn check(code: &Executable<Var, Var>, expected: Expect) {
    expected.assert_eq(&said(code.explain().unwrap()));
}

#[test]
fn a_chain_and_its_sum_are_one_loop() {
    check(&chain(1000), expect![[""]]);
}

#[test]
fn what_is_dear_and_read_twice_is_stored() {
    check(&twice(), expect![[""]]);
}

#[test]
fn a_loop_says_what_it_keeps_for_its_derivative() {
    check(&steps(), expect![[""]]);
}

#[test]
fn a_batch_of_loops_runs_in_lanes() {
    check(&batch(), expect![[""]]);
}

#[test]
fn a_product_by_a_library_keeps_its_factors_in_memory() {
    expect![[""]].assert_eq(&said(product().explain().unwrap()));
}

#[test]
fn long_loops_are_cut_into_tasks() {
    let text = chain(1_000_000).explain().unwrap().to_string();
    assert!(text.contains("reduce_sum: parallel "), "{text}");
    assert!(
        text.contains("for each thread of a parallel loop"),
        "{text}"
    );
}

#[test]
fn every_line_that_is_named_is_one_of_the_program() {
    for code in [chain(1000), twice(), steps(), batch()] {
        let text = code.explain().unwrap().to_string();
        let named = text.lines().filter_map(|l| l.split_once(" @ "));
        let places: BTreeSet<&str> = named.flat_map(|(_, at)| at.split(" and ")).collect();
        assert!(!places.is_empty(), "{text}");
        for place in places {
            let [file, line, _] = place.split(':').collect::<Vec<_>>()[..] else {
                panic!("{place}");
            };
            assert_eq!(file, file!());
            assert!(PROGRAMS.contains(&line.parse().unwrap()), "{place}");
        }
    }
    // Each operation by the line where it is written.
    let text = chain(1000).explain().unwrap().to_string();
    let source: Vec<&str> = include_str!("explain.rs").lines().collect();
    for (operation, written) in [("sin", "x.sin() * 2.0"), ("exp", "y.exp().sum()")] {
        let line = 1 + source.iter().position(|l| l.contains(written)).unwrap();
        let place = format!("{}:{line}:", file!());
        let said = text.lines().find(|l| l.trim_start().starts_with(operation));
        assert!(said.unwrap().contains(&place), "{text}");
    }
}

#[test]
fn each_stage_has_its_text() {
    let code = batch();
    let loops = code.dump(Stage::LoopIr).unwrap();
    let clif = code.dump(Stage::Clif).unwrap();
    let machine = code.dump(Stage::MachineCode).unwrap();
    assert!(loops.contains("b0: f64[1000] input 0"), "{loops}");
    assert!(clif.contains("; call\nfunction u0:"), "{clif}");
    assert!(clif.contains("; body of a parallel loop\n"), "{clif}");
    // A function each.
    let functions = |text: &str| text.lines().filter(|l| l.starts_with("; ")).count();
    assert!(functions(&clif) >= 2);
    assert!(
        !machine.contains("function u0:") && machine.contains("block0:"),
        "{machine}"
    );
}

#[test]
fn to_ask_changes_nothing() {
    let code = twice();
    let before = code.call(vec![0.5; 1000]).unwrap();
    let (said, again) = (code.explain().unwrap(), code.explain().unwrap());
    assert_eq!(said_of(&said), said_of(&again));
    let after = code.call(vec![0.5; 1000]).unwrap();
    assert_eq!(
        before.to_vec::<f64>().unwrap(),
        after.to_vec::<f64>().unwrap()
    );
}

/// All but how long it took.
fn said_of(explanation: &Explanation) -> Vec<String> {
    let text = explanation.to_string();
    let lines = text.lines().filter(|l| !l.contains("compiled in"));
    lines.map(str::to_string).collect()
}
