//! What users get wrong, and functions without a minimum.

use wengert::prelude::*;
use wengert_solve::Status;
use wengert_solve::minimize::{Minimum, minimize};

#[test]
fn mistakes_name_the_line() {
    let error = |f: fn(Var) -> Minimum<Var>, x: Array| jit(f).call(x).unwrap_err().to_string();
    let said = error(|x| minimize(|x: Var| x, x), Array::from([1.0, 2.0]));
    let want = "minimize: the value of the function is f64[2], and must be one f64, at ";
    assert!(
        said.starts_with(want) && said.contains("mistakes.rs:"),
        "{said}"
    );
    let said = error(|x| minimize(|x: Var| x.sum(), x), Array::from([1i64, 2]));
    let want = "minimize: the start is i64[2], and must be of floats; convert it";
    assert!(
        said.starts_with(want) && said.contains("mistakes.rs:"),
        "{said}"
    );
    let said = error(
        |x| minimize(|x: Var| x.sum().to(DType::F32), x),
        Array::from([1.0]),
    );
    let want = "minimize: the value of the function is f32, and must be one f64, at ";
    assert!(
        said.starts_with(want) && said.contains("mistakes.rs:"),
        "{said}"
    );
    let said = error(
        |x| minimize(|x: Var| x.sum(), x.at(..0)),
        Array::from([1.0]),
    );
    assert!(
        said.starts_with("minimize: the start has no numbers, at "),
        "{said}"
    );
    let two = |x: Var| {
        minimize(
            |(x, y): (Var, Var)| x + y.to(DType::F64),
            (x, Var::scalar(1f32)),
        )
    };
    let said = jit(two).call(1.0).unwrap_err().to_string();
    let want = "minimize: the unknowns have one element type, and the start has f64 and f32, at ";
    assert!(said.starts_with(want), "{said}");
}

/// Functions that a descent cannot minimise, and what it says of them.
#[test]
fn failures_are_named() {
    type Case = (&'static str, fn(Var) -> Var, Status);
    let cases: [Case; 6] = [
        (
            "a kink",
            |x| (3.0 * x.at(0) - 0.7).abs() + x.at(1).square(),
            Status::Stalled,
        ),
        ("no lower bound", |x| x.sum(), Status::StepLimit),
        (
            "a wall",
            |x| (x.at(0).lt(0.5)).select(f64::NAN, x.sum()),
            Status::Stalled,
        ),
        ("nowhere", |x| x.sum() * f64::NAN, Status::StartNotFinite),
        ("flat", |x| x.sum() * 0.0 + 3.0, Status::GradientConverged),
        (
            "a jump",
            |x| x.at(0).gt(0.7).select(x.at(0), 5.0 + x.at(0)),
            Status::Stalled,
        ),
    ];
    let mut wrong = vec![];
    for (name, f, want) in cases {
        let m = jit(move |x: Var| minimize(f, x)).call([1.0, 2.0]).unwrap();
        if m.statuses().unwrap() != [want] {
            wrong.push(format!("{name}: {m:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
