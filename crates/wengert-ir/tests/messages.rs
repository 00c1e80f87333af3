//! The errors that users see when they misuse numbers: the operation, the types, the line, a hint.

use std::panic::{AssertUnwindSafe, catch_unwind};

use expect_test::{Expect, expect};
use wengert_ir::error::Error;
use wengert_ir::ir::{DType, Type};
use wengert_ir::trace::{Kind, Var, closed, iota};

/// Returns the error of a function of an `f64[3]`, an `f64[4]`, an `i64[3]` and a `bool[3]`.
fn error(f: impl Fn([Var; 4]) -> Var) -> Error {
    let types = [
        Type::new(DType::F64, &[3]),
        Type::new(DType::F64, &[4]),
        Type::new(DType::I64, &[3]),
        Type::new(DType::Bool, &[3]),
    ];
    let traced = catch_unwind(AssertUnwindSafe(|| {
        closed(Kind::Door, &types, |v| vec![f([v[0], v[1], v[2], v[3]])])
    }));
    *traced
        .expect_err("a mistake")
        .downcast::<Error>()
        .expect("an error of this library")
}

/// Checks the message, without the place.
#[track_caller]
fn check(f: impl Fn([Var; 4]) -> Var, expected: Expect) {
    let error = error(f);
    let Error::Type { at, .. } = &error else {
        panic!("{error}")
    };
    let message = error.to_string();
    assert!(at.place().file.ends_with("messages.rs"), "{message}");
    expected.assert_eq(&message.replace(&at.to_string(), "HERE"));
}

#[test]
fn it_names_the_line() {
    let line = line!() + 1;
    let error = error(|[x, y, ..]| x + y);
    let place = format!("{}:{line}:36", file!());
    let expected = format!("add: f64[3] and f64[4] do not broadcast, at {place}");
    assert_eq!(error.to_string(), expected);
    let Error::Type { op, types, .. } = error else {
        unreachable!()
    };
    assert_eq!(op, "add");
    assert_eq!(
        types,
        [Type::new(DType::F64, &[3]), Type::new(DType::F64, &[4])]
    );
}

#[test]
fn every_method_knows_its_caller() {
    check(
        |[x, y, ..]| x - y,
        expect!["sub: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[mut x, y, ..]| {
            x *= y;
            x
        },
        expect!["mul: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[x, y, ..]| x.maximum(y),
        expect!["maximum: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[x, y, ..]| x.clamp(0.0, y),
        expect!["clamp: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[x, y, ..]| x.lt(y),
        expect!["lt: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[x, y, ..]| x.powf(y),
        expect!["powf: f64[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[x, y, _, p]| p.select(x, y),
        expect!["select: bool[3] and f64[4] do not broadcast, at HERE"],
    );
    check(
        |[x, y, _, p]| p.select(y, 0.0) + x,
        expect!["select: bool[3] and f64[4] do not broadcast, at HERE"],
    );
}

#[test]
fn element_types() {
    check(
        |[x, _, n, _]| x + n,
        expect![
            "add: f64[3] and i64[3] have no common element type, at HERE; convert one of them, as in `x.to(DType::F64)`"
        ],
    );
    check(
        |[_, _, n, _]| n * 0.5,
        expect!["mul: the float 0.5 beside i64, at HERE; convert first, as in `x.to(DType::F64)`"],
    );
    check(
        |[_, _, n, _]| 0.5 * n,
        expect!["mul: the float 0.5 beside i64, at HERE; convert first, as in `x.to(DType::F64)`"],
    );
    check(
        |[_, _, n, _]| n.sin(),
        expect!["sin: floats expected, got i64[3], at HERE; convert it, as in `x.to(DType::F64)`"],
    );
    check(
        |[x, ..]| x & 1,
        expect!["and: integers or bool expected, got f64[3], at HERE"],
    );
    check(
        |[x, ..]| !x,
        expect!["not: integers or bool expected, got f64[3], at HERE"],
    );
    check(
        |[_, _, _, p]| p + p,
        expect![
            "add: numbers expected, got bool[3], at HERE; use `&`, `|` and `^` on truth values, or convert them, as in `x.to(DType::I64)`"
        ],
    );
    check(
        |[_, _, n, _]| n.to(DType::U8) + 256,
        expect!["add: 256 does not fit in u8, at HERE; convert first, as in `x.to(DType::I64)`"],
    );
    check(
        |[_, _, n, _]| n.to(DType::U8) - -1,
        expect!["sub: -1 does not fit in u8, at HERE; convert first, as in `x.to(DType::I64)`"],
    );
    check(
        |[_, _, n, _]| n.powi(-1),
        expect![
            "powi: i64[3] to the power -1 is no whole number, at HERE; convert first, as in `x.to(DType::F64)`"
        ],
    );
    check(
        |[x, _, n, _]| n.select(x, x),
        expect![
            "select: the condition is i64[3], not bool, at HERE; compare it with something, as in `x.ne(0)`"
        ],
    );
    check(
        |[..]| iota(3, DType::Bool),
        expect!["iota: numbers expected, got bool[3], at HERE"],
    );
}

#[test]
fn with_no_door_it_is_a_panic() {
    let panic = catch_unwind(|| Var::from(1.0).sin()).expect_err("a panic");
    let message = panic.downcast::<String>().expect("a message");
    assert!(
        message.starts_with("sin: no trace is open on this thread, at "),
        "{message}"
    );
}

#[test]
fn literals_take_the_type_beside_them() {
    let params = [
        Type::new(DType::F32, &[2]),
        Type::scalar(DType::I32),
        Type::scalar(DType::Bool),
    ];
    let door = closed(Kind::Door, &params, |v| {
        let (x, n, p) = (v[0], v[1], v[2]);
        vec![
            2 * x,
            x / 2.0,
            x.maximum(0.5f32),
            n + 1,
            n % 3usize,
            p + 1,
            p * 0.5,
            p.select(1.0, 0),
            p.select(n, -1),
            p.select(true, false),
            n + p,
            n.eq(true),
            x.pow(2),
            x.pow(2.5),
            (1.0 + x).sqrt(),
        ]
    });
    let types: Vec<String> = door
        .func
        .result_types()
        .iter()
        .map(Type::to_string)
        .collect();
    let expected =
        expect!["f32[2] f32[2] f32[2] i32 i32 i64 f64 f64 i32 bool i32 bool f32[2] f32[2] f32[2]"];
    expected.assert_eq(&types.join(" "));
}
