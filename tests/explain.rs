//! What `explain` and `dump` say of small programs.
//!
//! The programs stand first, so that their lines do not move when what is expected does.

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use wengert::prelude::*;
use wengert::{Executable, Explanation, Stage};
use wengert_ir::schedule::{lower, lower_with_notes};

fn vector(n: usize) -> ShapeDtype {
    ShapeDtype::new([n], DType::F64)
}

/// A chain of operations on elements, and its sum.
fn chain(n: usize) -> Executable<Var, Var> {
    let f = |x: Var| {
        let y = x.sin() * 2.0;
        y.exp().sum()
    };
    jit(f).compile(vector(n)).unwrap()
}

/// A value that is read twice: for a sum, and for what is divided by it.
fn twice() -> Executable<Var, Var> {
    let f = |x: Var| {
        let y = x.exp();
        y / y.sum()
    };
    jit(f).compile(vector(1000)).unwrap()
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
        .compile(ShapeDtype::scalar(DType::F64))
        .unwrap()
}

/// A batch of loops, each as long as it takes.
fn batch() -> Executable<Var, Var> {
    let f = |x: Var| while_loop(x, |c| c.lt(100.0), |c| c * 1.5);
    jit(vmap(f)).compile(vector(1000)).unwrap()
}

/// A product that a library does, between elements.
fn product() -> Executable<[Var; 2], Var> {
    let f = |[a, b]: [Var; 2]| {
        let scaled = a.tanh();
        scaled.dot(b).abs()
    };
    let square = ShapeDtype::new([100, 100], DType::F64);
    jit(f).compile(&[square.clone(), square]).unwrap()
}

/// The program of the book's page.
fn ensemble() -> Executable<Var, (Var, Var)> {
    // x' = -k x², from x = 1, by a hundred steps of the midpoint rule.
    let solve = |k: Var| {
        let slope = move |x: Var| -k * x * x;
        let step = move |x: Var, _: Var| {
            let middle = x + 0.005 * slope(x);
            (x + 0.01 * slope(middle), ())
        };
        scan(1.0, 0..100, step).0
    };
    // A thousand of them, and the derivative of their sum.
    let total = move |k: Var| vmap(solve)(k).sum();
    let f = jit(value_and_grad(total));
    f.compile(vector(1000)).unwrap()
}

/// The lines of this file where programs are written.
const PROGRAMS: std::ops::Range<u32> = 1..line!();

/// A text without the prices of its lines, which differ from machine to machine.
fn without_prices(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" | ") {
        None => format!("{line}\n"),
        Some((said, price)) => match price.split_once(" @ ") {
            None => format!("{said}\n"),
            Some((_, at)) => format!("{said} @ {at}\n"),
        },
    });
    lines.collect()
}

/// What is said but prices and how much code it is, which differ from machine to machine.
fn said(explanation: Explanation) -> String {
    let text = explanation.to_string();
    let (said, code) = text.split_once("  code\n").unwrap();
    assert!(code.contains("native functions") && code.contains("bytes of scratch"));
    without_prices(said)
}

fn check(code: &Executable<Var, Var>, expected: Expect) {
    expected.assert_eq(&said(code.explain().unwrap()));
}

#[test]
fn a_chain_and_its_sum_are_one_loop() {
    check(
        &chain(1000),
        expect![[r#"
            A function of 4 equations
              loops
                sum: lanes 1000 @ tests/explain.rs:20:17
                  sin @ tests/explain.rs:19:19
                  mul @ tests/explain.rs:19:17
                  exp @ tests/explain.rs:20:11
                  reads args
                in no loop
                  writes out
              memory on the way
                none
              results
                out: in memory of its own
        "#]],
    );
}

#[test]
fn what_is_expensive_and_read_twice_is_stored() {
    check(
        &twice(),
        expect![[r#"
            A function of 4 equations
              loops
                sum: lanes 1000 @ tests/explain.rs:29:15
                  exp @ tests/explain.rs:28:19
                  reads args; writes b2
                elements: lanes 1000
                  div @ tests/explain.rs:29:9
                  reads b2; writes out
              memory on the way
                b2: f64[1000], 8000 bytes, of exp: it is expensive to compute and wanted more than once @ tests/explain.rs:28:19
              results
                out: over args, if that is moved in
        "#]],
    );
}

#[test]
fn a_loop_says_what_it_keeps_for_its_derivative() {
    check(
        &steps(),
        expect![[r#"
            A function of 7 equations
              loops
                scan: serial 100 @ tests/explain.rs:37:26
                  sin, cos @ tests/explain.rs:38:28
                  mul @ tests/explain.rs:39:14
                  writes b2
                  each step leaves 8 bytes: f64
                scan: serial, backwards, 100 @ tests/explain.rs:37:26
                  mul @ tests/explain.rs:39:14
                  mul @ tests/explain.rs:38:28
                  reads b2
                in no loop
                  reads args; writes out
              memory on the way
                b2: f64[100], 800 bytes, of scan: a loop leaves a row of it in each step @ tests/explain.rs:37:26
              kept for derivatives
                scan: a step stores 8 bytes (cos: f64) @ tests/explain.rs:37:26
              results
                out: over args, if that is moved in
        "#]],
    );
}

#[test]
fn a_batch_of_loops_runs_in_lanes() {
    on_two_threads(|| {
        check(
            &batch(),
            expect![[r#"
            A function of 4 equations
              loops
                map: parallel 16 × lanes ≤ 64 @ tests/explain.rs:51:9
                  reads args; writes out
                  each step leaves 8 bytes: f64
                  while: a loop while its condition holds @ tests/explain.rs:50:22
                    lt @ tests/explain.rs:50:42
                    mul @ tests/explain.rs:50:57
              memory on the way
                none
              results
                out: over args, if that is moved in
        "#]],
        );
    });
}

#[test]
fn a_product_by_a_library_keeps_its_factors_in_memory() {
    expect![[r#"
        A function of 3 equations
          loops
            elements: lanes 10000
              tanh @ tests/explain.rs:57:24
              reads args[0]; writes b3
            dot: a library's product of 100×100 and 100×100 @ tests/explain.rs:58:16
              reads args[1], b3; writes b4
            elements: lanes 10000
              abs @ tests/explain.rs:58:23
              reads b4; writes out
          memory on the way
            b3: f64[10000], 80000 bytes, of tanh: it is a factor of a product, which reads each element more than once @ tests/explain.rs:57:24
            b4: f64[10000], 80000 bytes, of dot: the operation writes its result to memory @ tests/explain.rs:58:16
          results
            out: over args[0] or args[1], if that is moved in
    "#]].assert_eq(&said(product().explain().unwrap()));
}

#[test]
fn long_loops_are_cut_into_tasks() {
    let text = chain(1_000_000).explain().unwrap().to_string();
    assert!(
        text.contains("sum: parallel 15 × serial 16 × lanes 4096"),
        "{text}"
    );
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
fn with_notes_the_same_program_comes_out() {
    for code in [chain(1000), chain(1_000_000), twice(), steps(), batch()] {
        let func = code.func().ir();
        let (noted, _) = lower_with_notes(func, &Default::default()).unwrap();
        assert_eq!(noted, lower(func).unwrap());
    }
}

#[test]
fn to_ask_changes_nothing() {
    let code = twice();
    let before = code.call(vec![0.5; 1000]).unwrap();
    let (said, again) = (code.explain().unwrap(), code.explain().unwrap());
    assert_eq!(without_times(&said), without_times(&again));
    let after = code.call(vec![0.5; 1000]).unwrap();
    assert_eq!(
        before.to_vec::<f64>().unwrap(),
        after.to_vec::<f64>().unwrap()
    );
}

#[test]
fn the_reason_for_each_value_in_memory_is_said() {
    type Function = fn([Var; 2]) -> Var;
    let cases: [(Function, &str); 6] = [
        (
            |[x, i]| x.exp().at((i * 9.0).to(DType::I64)),
            "of exp: elements are read at other places",
        ),
        (
            |[x, y]| scan(x, 0..9, move |c: Var, _: Var| (c * y, ())).0.sum(),
            "a loop carries it from step to step",
        ),
        (
            |[x, y]| {
                let z = y.exp();
                let start = x.at(0);
                while_loop(start, |c| c.lt(9.0), |c| c + z.sum())
            },
            "of exp: a loop or a branch reads it",
        ),
        (
            |[x, _]| x.exp().sort(0),
            "the operation that reads it needs all of it",
        ),
        (
            |[x, y]| (x.exp().expand_dims(0) + y.expand_dims(1)).sqrt().sum(),
            "of exp: it is read in another order or shape",
        ),
        (
            |[x, _]| (0..600).fold(x, |y, _| y.sqrt()),
            "of sqrt: a longer chain",
        ),
    ];
    for (f, said) in cases {
        let code = jit(f).compile(&[vector(1000), vector(1000)]).unwrap();
        let text = code.explain().unwrap().to_string();
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// Returns the share of a call that a line says, in percent.
fn share(line: &str) -> Option<f64> {
    let (_, price) = line.split_once(" | ")?;
    let share = price.split(", ").find_map(|p| p.strip_suffix(" %"));
    share?.parse().ok()
}

#[test]
fn each_loop_has_a_price() {
    let text = twice().explain().unwrap().to_string();
    let total = text.lines().nth(1).unwrap();
    assert!(
        total.starts_with("  loops | about ") && total.contains(" a call, "),
        "{text}"
    );
    let loops = text.lines().filter(|l| l.contains("lanes 1000"));
    let shares: Vec<f64> = loops.map(|l| share(l).unwrap()).collect();
    assert_eq!(shares.len(), 2, "{text}");
    // The exponentials cost more than the divisions, and the call has little besides.
    assert!(shares[0] > shares[1], "{text}");
    assert!((50.0..=101.0).contains(&(shares[0] + shares[1])), "{text}");
    // An array is read, and another one is written and read again.
    assert!(
        total.contains(", 32 kB") || total.contains(", 33 kB"),
        "{text}"
    );
}

#[test]
fn a_step_of_a_loop_of_unknown_length_has_a_price() {
    let text = batch().explain().unwrap().to_string();
    let line = |said: &str| text.lines().find(|l| l.contains(said)).unwrap();
    assert!(
        line("a loop while its condition holds").contains(" a step"),
        "{text}"
    );
    assert!(line("map: parallel").contains(" %, "), "{text}");
    assert!(
        line("loops | ").contains("with 32 steps of each loop of unknown length"),
        "{text}"
    );
}

#[test]
fn an_estimate_grows_with_the_work() {
    let time = |code: &Executable<Var, Var>, steps| code.estimate(steps).unwrap().nanoseconds;
    let [short, long] = [1_000, 1_000_000].map(|n| time(&chain(n), 1.0));
    assert!(long > 100.0 * short, "{short} and {long}");
    let code = batch();
    assert!(code.estimate(1.0).unwrap().assumed);
    assert!(time(&code, 1000.0) > 10.0 * time(&code, 10.0));
    let bytes = |n| chain(n).estimate(1.0).unwrap().bytes;
    assert!(
        (8e6..9e6).contains(&bytes(1_000_000)),
        "{}",
        bytes(1_000_000)
    );
}

#[test]
fn loops_branches_and_calls_are_parts() {
    let f = |x: Var| {
        let big = x.sum().gt(0.0);
        let y = cond(big, x, |x| x.sin(), |x| x.cos());
        let z: Var = pure_callback(|y: Array| Ok::<Array, wengert::Error>(y), &vector(1000), y);
        z.sort(0)
    };
    let code = jit(f).compile(vector(1000)).unwrap();
    let text = code.explain().unwrap().to_string();
    for said in [
        "cond: one of two functions",
        "a call of the host",
        "sort: a library's sort of 1 rows of 1000 keys",
        "sin @",
        "cos @",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_check_is_said_where_it_is_made() {
    let f = |x: Var| {
        wengert::check(x.gt(0.0), "positive");
        x.sqrt()
    };
    let scalar = ShapeDtype::scalar(DType::F64);
    let code = jit(f).compile(&scalar).unwrap();
    let text = code.explain().unwrap().to_string();
    assert!(text.contains("check @ "), "{text}");
}

#[test]
fn an_argument_that_nobody_needs_is_not_read() {
    let scalar = || ShapeDtype::scalar(DType::F64);
    let code = jit(|(x, _): (Var, Var)| x).compile(&(scalar(), scalar()));
    let text = code.unwrap().explain().unwrap().to_string();
    assert!(text.contains("reads args.0; writes out\n"), "{text}");
}

/// The page of the book shows a program and what is said of it.
#[test]
fn the_page_of_the_book_shows_what_is_said() {
    on_two_threads(|| {
        let code = ensemble();
        if !code.func().to_string().contains("fma") {
            // The page was written on a machine that has it.
            return;
        }
        let page = include_str!("../docs/src/looking-inside.md");
        let own = include_str!("explain.rs");
        let line = |text: &str| {
            let first = text
                .lines()
                .position(|l| l.trim() == "let solve = |k: Var| {");
            first.unwrap()
        };
        // The lines of the page count from the first of its program.
        let program = page.split("```").nth(1).unwrap();
        let (there, here) = (line(program), line(own));
        for (there, here) in program
            .lines()
            .skip(there)
            .zip(own.lines().skip(here))
            .take(11)
        {
            assert_eq!(there.trim(), here.trim());
        }
        let moved = |place: &str| {
            let numbers: Vec<usize> = place
                .split(':')
                .skip(1)
                .map(|n| n.parse().unwrap())
                .collect();
            format!(
                "src/main.rs:{}:{}",
                numbers[0] + there - here - 1,
                numbers[1] - 4
            )
        };
        let said = said(code.explain().unwrap());
        let said = said.lines().map(|l| match l.split_once(" @ ") {
            Some((text, at)) => {
                let places: Vec<String> = at.split(" and ").map(moved).collect();
                format!("{text} @ {}\n", places.join(" and "))
            }
            None => format!("{l}\n"),
        });
        let said: String = said.collect();
        assert!(
            without_prices(page).contains(&format!("```text\n{said}")),
            "{said}"
        );
    });
}

/// All but how long it took.
fn without_times(explanation: &Explanation) -> Vec<String> {
    let text = explanation.to_string();
    let lines = text.lines().filter(|l| !l.contains("compiled in"));
    lines.map(str::to_string).collect()
}

/// Runs `f` where two threads share the work, since how many lanes a task takes depends on that.
fn on_two_threads(f: impl FnOnce() + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    pool.unwrap().install(f);
}

#[test]
fn what_lanes_read_in_strides_is_said() {
    let said = |f: fn(Var) -> Var, dims: [usize; 2]| {
        let explained = jit(f).explain(ShapeDtype::new(dims, DType::F64));
        explained.unwrap().to_string()
    };
    // Short sums run side by side, and long ones along their terms.
    let short = said(|x| x.sum_axis(1), [200, 50]);
    assert!(short.contains("reads args in strides of 50"), "{short}");
    let long = said(|x| x.sum_axis(1), [200, 80]);
    assert!(!long.contains("in strides of"), "{long}");
    let columns = said(|x| x.sum_axis(0), [200, 80]);
    assert!(!columns.contains("in strides of"), "{columns}");
}
