//! Panics of the program that uses the library.

use expect_test::expect;
use wengert::prelude::*;
use wengert::{Error, Result};
use wengert_ir::trace::depth;

use super::{line_of, message};
use crate::alone;

#[test]
fn a_panic_of_the_users_own() {
    let line = line!() + 1;
    let f = jit(|x: Var| match x.rank() {
        0 => x,
        n => panic!("{n} axes are too many"),
    });
    for _ in 0..2 {
        let error = f.call([1.0, 2.0]).unwrap_err();
        assert!(matches!(error, Error::Panic { .. }));
        expect!["the function panicked: 1 axes are too many, in what is written at HERE (the panic is at HERE)"]
            .assert_eq(&message(&error));
        let Error::Panic {
            place: Some(place), ..
        } = &error
        else {
            panic!("it has a line")
        };
        assert_eq!(place.place().line, line + 2, "the panic");
        assert_eq!(line_of(&error), line, "the call to jit");
        assert_eq!(depth(), 0);
        assert_eq!(f.call(1.0).unwrap().item::<f64>().unwrap(), 1.0);
    }
    // What carries no message is meant for somebody further out.
    struct Signal;
    let f = jit(|x: Var| match x.rank() {
        0 => x,
        _ => std::panic::resume_unwind(Box::new(Signal)),
    });
    let call = std::panic::AssertUnwindSafe(|| f.call([1.0, 2.0]).map(|_| ()));
    let passed = std::panic::catch_unwind(call).unwrap_err();
    assert!(passed.is::<Signal>());
    assert_eq!(depth(), 0);
    assert_eq!(f.call(1.0).unwrap().item::<f64>().unwrap(), 1.0);
}

#[test]
fn a_closure_that_panics_in_a_branch() {
    let line = line!() + 3;
    let f = jit(vmap(grad(|x: Var| {
        let chosen = |x: Var| {
            cond(
                x.gt(0.0),
                x,
                |x| x * x,
                |x| match std::env::args().count() {
                    0 => x,
                    n => panic!("{n} arguments"),
                },
            )
        };
        while_loop(x, |x| x.lt(3.0), move |x| chosen(x) + 1.0)
    })));
    let error = f.call([1.0, 2.0]).unwrap_err();
    assert!(
        error.to_string().starts_with("the function panicked: "),
        "{error}"
    );
    assert_eq!(line_of(&error), line);
    assert_eq!(depth(), 0);
    let next = jit(vmap(grad(|x: Var| x * x))).call([1.0, 2.0]).unwrap();
    assert_eq!(next.to_vec::<f64>().unwrap(), [2.0, 4.0]);
}

#[test]
fn nothing_is_written_to_standard_error() {
    // Errors of many kinds, in a process of their own whose standard error is read.
    let (_, error) = alone::run(module_path!(), "errors_of_many_kinds");
    assert_eq!(error, "");
}

#[test]
#[ignore = "run by `nothing_is_written_to_standard_error`"]
fn errors_of_many_kinds() {
    let failed = |r: Result<Array>| assert!(r.is_err());
    failed(jit(|x: Var| x + wengert::ones([5])).call([1.0, 2.0]));
    failed(jit(grad(|x: Var| x)).call([1.0, 2.0]));
    failed(jit(vmap(|x: Var| scan(x, 0..3, |c, _| (c.sin().at(0), ())).0)).call([1.0]));
    failed(jit(|x: Var| fori(0..3, x, |i, _| i)).call(1.0));
    let endless = jit(|x: Var| while_loop(x, |x| x.gt(0.0), |x| x + 1.0));
    failed(endless.max_steps(10).call(1.0));
    // Panics of the user's: in the function, in a branch of it, in a `jit` in it, of Rust's own, in what it
    // calls while it runs.
    failed(jit(|_: Var| -> Var { panic!("no") }).call(1.0));
    failed(jit(|x: Var| cond(x.gt(0.0), x, |x| x, |_| -> Var { panic!("no") })).call(1.0));
    failed(jit(|x: Var| x + [1.0, 2.0][std::env::args().count() + 2]).call(1.0));
    failed(jit(|x: Var| x + None::<f64>.unwrap()).call(1.0));
    failed(jit(|x: Var| x + "one".parse::<f64>().unwrap()).call(1.0));
    let inner = |_: Var| -> Var {
        let inner = jit(|_: Var| -> Var { panic!("inside") }).call(1.0);
        assert!(matches!(inner, Err(Error::Panic { .. })));
        panic!("outside")
    };
    failed(jit(inner).call(1.0));
    let scalar = ShapeDtype::scalar(DType::F64);
    let panics = |_: Array| -> Result<Array> { panic!("no") };
    let calls = move |x: Var| pure_callback(panics, &scalar, x);
    failed(jit(calls.clone()).call(1.0));
    failed(jit(calls.clone()).interpret(1.0));
    failed(jit(vmap(calls)).call(vec![1.0; 1000]));
    let prints = jit(|x: Var| {
        debug_print("{}", x);
        x
    });
    let prints = prints.on_print(|_| panic!("no paper"));
    failed(prints.call(1.0));
    failed(prints.interpret(1.0));
}

#[test]
fn a_panic_that_becomes_no_error_is_printed() {
    let (_, said) = alone::run(module_path!(), "panics_of_other_kinds");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "first: before",
            "first: elsewhere",
            "first: after",
            "second: later"
        ]
    );
}

#[test]
#[ignore = "run by `a_panic_that_becomes_no_error_is_printed`"]
fn panics_of_other_kinds() {
    use std::panic::{catch_unwind, set_hook};
    let said = |info: &std::panic::PanicHookInfo<'_>| {
        info.payload()
            .downcast_ref::<&str>()
            .map_or("?", |s| *s)
            .to_string()
    };
    // The program's own hook, as it was before the first call.
    set_hook(Box::new(move |info| eprintln!("first: {}", said(info))));
    let _ = catch_unwind(|| panic!("before"));
    let f = || {
        jit(|x: Var| {
            // A thread that traces nothing.
            let other = std::thread::spawn(|| panic!("elsewhere")).join();
            assert!(other.is_err());
            if x.rank() == 0 { panic!("an error") } else { x }
        })
    };
    assert!(f().call(1.0).is_err());
    let _ = catch_unwind(|| panic!("after"));
    // And one that is set later is asked for all.
    set_hook(Box::new(move |info| eprintln!("second: {}", said(info))));
    let _ = catch_unwind(|| panic!("later"));
}

#[test]
fn the_printer_panics() {
    let f = jit(|x: Var| {
        debug_print("{}", x);
        x
    });
    let f = f.on_print(|_| panic!("no paper"));
    for _ in 0..2 {
        let errors = [f.call(1.0).unwrap_err(), f.interpret(1.0).unwrap_err()];
        for error in errors {
            assert_eq!(
                message(&error),
                "on_print: the printer panicked: no paper, at HERE"
            );
        }
    }
    let f = jit(vmap(|x: Var| {
        debug_print("{}", x);
        x
    }));
    assert!(
        f.on_print(|_| panic!("no paper"))
            .call(vec![1.0; 300])
            .is_err()
    );
}
