//! Minima of functions of a number.

use wengert::prelude::*;
use wengert_check::{Options, check_grads_with, check_vmap};
use wengert_solve::Status;
use wengert_solve::minimize::{InInterval, Minimum, brent, golden};

type Case = (&'static str, fn(Var) -> Var, [f64; 2], f64);

const CASES: [Case; 6] = [
    ("a parabola", |x| (x - 0.7).square() + 3.0, [-2.0, 9.0], 0.7),
    ("a quartic", |x| (x - 0.7).powi(4), [-2.0, 9.0], 0.7),
    ("a kink", |x| (x - 0.7).abs(), [-2.0, 9.0], 0.7),
    (
        "e^x - 2x",
        |x| x.exp() - 2.0 * x,
        [-20.0, 5.0],
        std::f64::consts::LN_2,
    ),
    (
        "a wall of NaN",
        |x| x.lt(0.4).select(f64::NAN, x.square()),
        [0.0, 3.0],
        0.4,
    ),
    ("at an end", |x| x, [1.0, 2.0], 1.0),
];

#[test]
fn minima_are_found() {
    for (name, f, [a, b], want) in CASES {
        let (p, q) = (
            jit(move |a: Var| brent(f, a, b)).call(a).unwrap(),
            jit(move |a: Var| golden(f, b, a)).call(a).unwrap(),
        );
        let near = if name == "a quartic" { 1e-3 } else { 1e-7 };
        for m in [p, q] {
            assert_eq!(m.statuses().unwrap(), [Status::IntervalConverged], "{name}");
            assert!(
                (m.x.item::<f64>().unwrap() - want).abs() < near,
                "{name}: {m:?}"
            );
            assert!(m.evaluations.item::<i64>().unwrap() < 70, "{name}: {m:?}");
        }
    }
}

#[test]
fn derivatives_and_lanes() {
    let f = |a: Var| brent(move |x: Var| x.exp() - a * x + 0.1 * x.square(), -3.0, 4.0);
    // The place is known to half the digits, and the second derivative is taken there.
    let options = Options {
        order: 1,
        ..Options::default()
    };
    check_grads_with(move |a: Var| f(a).value, 2.0, &options).unwrap();
    let slope = jit(vmap(grad(move |a: Var| f(a).x)))
        .call([1.0, 2.0, 5.0])
        .unwrap();
    let x = jit(vmap(move |a: Var| f(a).x))
        .call([1.0, 2.0, 5.0])
        .unwrap()
        .to_vec::<f64>()
        .unwrap();
    for (slope, x) in slope.to_vec::<f64>().unwrap().into_iter().zip(x) {
        assert!((slope - 1.0 / (x.exp() + 0.2)).abs() < 1e-12);
    }
    let rows: Vec<f64> = (0..19).map(|i| f64::from(i) - 2.0).collect();
    let all = move |a: Var| {
        let Minimum {
            x,
            value,
            iterations,
            status,
            ..
        } = f(a);
        (x, value, iterations, status)
    };
    check_vmap(all, rows).unwrap();
}

#[test]
fn failures_are_named() {
    let m = jit(|a: Var| {
        InInterval::new()
            .max_steps(3)
            .brent(|x: Var| x.cos(), a, 5.0)
    })
    .call(1.0)
    .unwrap();
    assert_eq!(m.statuses().unwrap(), [Status::StepLimit]);
    let m = jit(|a: Var| golden(|x: Var| x.cos() * f64::NAN, a, 5.0))
        .call(1.0)
        .unwrap();
    assert_eq!(m.statuses().unwrap(), [Status::StartNotFinite]);
    let error = jit(|a: Var| golden(|x: Var| x.cos(), a, 5.0))
        .call(1i64)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("minimize: the interval.0 is i64") && error.contains("scalar.rs:"),
        "{error}"
    );
}
