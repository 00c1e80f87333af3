//! The table from machine code to the user's lines.

use std::collections::BTreeSet;

use wengert::prelude::*;
use wengert_ir::rewrite::optimise;
use wengert_ir::schedule::{lower_for, lower_with_notes};
use wengert_run::lines::LineTable;
use wengert_run::{Backend, Executable, Interpreter, Options, Vectors};

/// The code of a function with its table, and how much of it has a place.
fn compiled<X, Y>(
    f: impl Fn(X) -> Y + 'static,
    args: X::With<ShapeDtype>,
    vectors: Vectors,
) -> Executable
where
    X: Tree<Leaf = Var> + 'static,
    Y: Tree<Leaf = Var> + 'static,
    X::With<ShapeDtype>: wengert::Feed<X::With<ShapeDtype>>,
{
    let func = wengert::trace(f, args).unwrap();
    let options = Options {
        lines: true,
        listing: true,
        vectors,
        ..Options::default()
    };
    let func = optimise(func.ir(), options.cpu.has_fma());
    let target = wengert_jit::Cranelift.target(&options);
    let (program, _) = lower_with_notes(&func, &target).unwrap();
    // The origins change nothing.
    assert_eq!(program, lower_for(&func, &target).unwrap());
    let code = wengert_jit::compile(&program, &options).unwrap();
    let plain = Options {
        lines: false,
        ..options
    };
    let plain = wengert_jit::compile(&lower_for(&func, &target).unwrap(), &plain).unwrap();
    assert_eq!(plain.lines(), None);
    assert_eq!(code.size(), plain.size());
    // The addresses of what the runtime keeps differ from one compilation to the other, and so may the length of an
    // instruction that holds one.
    let names = |code: &Executable| -> Vec<usize> {
        let functions = &code.listing().unwrap().functions;
        functions
            .iter()
            .map(|f| f.assembly.lines().count())
            .collect()
    };
    assert_eq!(names(&code), names(&plain));
    code
}

fn both() -> [Vectors; 2] {
    [Vectors::Narrow, Vectors::AllLoops]
}

/// Checks that the spans of each function follow one another from its first byte to its last, and returns the bytes of
/// code, and those with a place.
fn covered(table: &LineTable) -> (usize, usize) {
    let (mut all, mut placed) = (0, 0);
    assert!(!table.functions.is_empty());
    for f in &table.functions {
        let mut at = 0;
        for span in &f.lines {
            assert_eq!(span.start, at, "{}", f.name);
            assert!(span.start < span.end, "{}", f.name);
            at = span.end;
            if span.source.is_some() {
                placed += (span.end - span.start) as usize;
            }
        }
        assert_eq!(at as usize, f.len, "{}", f.name);
        if !f.pure {
            all += f.len;
        }
        assert!(f.calls.is_sorted_by_key(|c| c.back), "{}", f.name);
        for call in &f.calls {
            assert!(f.call(f.address + call.back as usize).is_some());
        }
    }
    let ends = table.functions.windows(2);
    assert!(
        ends.into_iter()
            .all(|f| f[0].address + f[0].len <= f[1].address)
    );
    (all, placed)
}

/// The lines of this file that the code comes from; those of derivatives alone are marked.
fn lines(table: &LineTable) -> BTreeSet<(u32, bool)> {
    let spans = table.functions.iter().flat_map(|f| &f.lines);
    let members = spans.filter_map(|s| s.source).flat_map(|s| s.members());
    let members = members.filter(|m| m.place().file.ends_with("table.rs"));
    members
        .map(|m| (m.place().line, m.is_derivative()))
        .collect()
}

#[test]
fn each_statement_has_its_line_in_both_emitters() {
    let here = line!();
    let f = |x: Var| {
        let a = x.sin();
        let b = a * x;
        let c = b.sqrt();
        c.sum()
    };
    for vectors in both() {
        let code = compiled(f, ShapeDtype::new([1000], DType::F64), vectors);
        let table = code.lines().unwrap();
        let (all, placed) = covered(table);
        assert!(placed * 10 > all * 6, "{placed} of {all}");
        let found = lines(table);
        // A sine in lanes is a call of the runtime or of a function beside; a product is an instruction.
        for line in 2..=5 {
            assert!(found.contains(&(here + line, false)), "{line}: {found:?}");
        }
        assert!(found.iter().all(|l| !l.1), "{found:?}");
    }
}

#[test]
fn a_derivative_says_so() {
    let here = line!();
    let f = |x: Var| {
        let a = x.sin();
        (a * a * x).sum()
    };
    for vectors in both() {
        let code = compiled(grad(f), ShapeDtype::new([1000], DType::F64), vectors);
        let table = code.lines().unwrap();
        covered(table);
        let found = lines(table);
        assert!(found.contains(&(here + 2, true)), "{found:?}");
        assert!(found.contains(&(here + 3, true)), "{found:?}");
    }
}

#[test]
fn serial_and_parallel_loops_have_lines() {
    let here = line!();
    let f = |(x, n): (Var, Var)| {
        let step = |x: Var| {
            let y = 1.5 * x;
            y - x * x
        };
        let logistic = move |x: Var| {
            while_loop(
                (x, n),
                move |(_, n)| n.gt(0.0),
                move |(x, n)| (step(x), n - 1.0),
            )
        };
        vmap(logistic)(x)
    };
    for vectors in both() {
        let code = compiled(
            f,
            (
                ShapeDtype::new([10_000], DType::F64),
                ShapeDtype::scalar(DType::F64),
            ),
            vectors,
        );
        let table = code.lines().unwrap();
        let (all, placed) = covered(table);
        assert!(placed * 10 > all * 6, "{placed} of {all}");
        let found = lines(table);
        for line in [3, 4] {
            assert!(found.contains(&(here + line, false)), "{line}: {found:?}");
        }
        // The body of the parallel loop is a function of its own.
        let names: Vec<&str> = table.functions.iter().map(|f| f.name.as_str()).collect();
        assert!(names.contains(&"body of a parallel loop"), "{names:?}");
    }
    let here = line!();
    let f = |x: Var| {
        let step = |x: Var, _| {
            let y = x.exp();
            (y * 0.25, y)
        };
        scan(x, 0..1000, step).1
    };
    for vectors in both() {
        let code = compiled(f, ShapeDtype::scalar(DType::F64), vectors);
        let table = code.lines().unwrap();
        covered(table);
        let found = lines(table);
        for line in [3, 4] {
            assert!(
                found.iter().any(|l| l.0 == here + line),
                "{line}: {found:?}"
            );
        }
    }
}

#[test]
fn kernels_are_calls_of_their_line() {
    let here = line!();
    let f = |x: Var| {
        let y = x.dot(x);
        y.sort(1)
    };
    for vectors in both() {
        let code = compiled(f, ShapeDtype::new([200, 200], DType::F64), vectors);
        let table = code.lines().unwrap();
        covered(table);
        let calls = table.functions.iter().flat_map(|f| {
            let back = f.calls.iter().map(|c| f.address + c.back as usize);
            // The call is the instruction before.
            back.filter_map(|back| f.source(back - 1))
        });
        let called: BTreeSet<u32> = calls.map(|s| s.place().line).collect();
        for line in [2, 3] {
            assert!(called.contains(&(here + line)), "{line}: {called:?}");
        }
    }
}

#[test]
fn a_back_end_without_machine_code_has_no_table() {
    let func = wengert::trace(|x: Var| x + 1.0, ShapeDtype::scalar(DType::F64)).unwrap();
    let options = Options {
        lines: true,
        ..Options::default()
    };
    let (program, _) = lower_with_notes(func.ir(), &Interpreter.target(&options)).unwrap();
    assert_eq!(
        Interpreter.compile(&program, &options).unwrap().lines(),
        None
    );
}
