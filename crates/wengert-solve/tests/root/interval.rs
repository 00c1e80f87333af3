//! Roots of functions of a number.

use std::f64::consts::{FRAC_PI_2, PI};

use wengert::prelude::*;
use wengert_check::{check_grads, check_vmap};
use wengert_solve::Status;
use wengert_solve::root::{InInterval, Root, Rule, brent, chandrupatla, expand};

const RULES: [Rule; 6] = [
    Rule::Bisection,
    Rule::Brent,
    Rule::Chandrupatla,
    Rule::Itp,
    Rule::Newton,
    Rule::Halley,
];

type Case = (&'static str, fn(Var) -> Var, [f64; 2], f64);

/// Functions from Alefeld, Potra and Shi, *Algorithm 748* (1995), and others: name, function, interval, root.
const CASES: [Case; 10] = [
    (
        "sin x - x/2",
        |x| x.sin() - x / 2.0,
        [FRAC_PI_2, PI],
        1.895494267033981,
    ),
    (
        "a steep exponential",
        |x| -40.0 * x * (-x).exp(),
        [-9.0, 31.0],
        0.0,
    ),
    ("x^19", |x| x.powi(19), [-0.5, 1.0 / 3.0], 0.0),
    ("x^9 - 1", |x| x.powi(9) - 1.0, [-0.95, 4.05], 1.0),
    (
        "2x e^-5 + 1 - 2 e^-5x",
        |x| 2.0 * x * (-5f64).exp() - 2.0 * (-5.0 * x).exp() + 1.0,
        [0.0, 1.0],
        0.1382571550568241,
    ),
    (
        "(1 + (1-5)^4) x - (1-5x)^4",
        |x| 257.0 * x - (1.0 - 5.0 * x).powi(4),
        [0.0, 1.0],
        0.003617108178904063,
    ),
    (
        "a pole beside it",
        |x| (x - 0.2) / (x + 1e-3) - 0.5,
        [0.0, 5.0],
        0.401,
    ),
    ("cube root", |x| (x - 0.1).cbrt(), [-2.0, 7.0], 0.1),
    (
        "e^x - 2",
        |x| x.exp() - 2.0,
        [-100.0, 100.0],
        std::f64::consts::LN_2,
    ),
    (
        "almost flat",
        |x| (x - 1.0).powi(3) + 1e-9 * (x - 1.0),
        [-3.0, 20.0],
        1.0,
    ),
];

#[test]
fn all_rules_find_all_roots() {
    for rule in RULES {
        for (name, f, [a, b], want) in CASES {
            // x^19 is zero to all digits in a wide interval.
            let tolerance = if name == "x^19" { 1e-16 } else { 1e-14 };
            let solve =
                move |(a, b): (Var, Var)| InInterval::new(rule).xtol(tolerance).solve(f, a, b);
            let both = jit(vmap(solve)).call(([a, b], [b, a])).unwrap();
            assert!(
                both.statuses().unwrap().iter().all(|s| s.is_converged()),
                "{name} {rule:?}: {both:?}"
            );
            let x = both.x.to_vec::<f64>().unwrap();
            let n = both.evaluations.to_vec::<i64>().unwrap();
            let near = if name == "x^19" { 1e-15 } else { 1e-12 };
            assert!(
                x.iter().all(|x| (x - want).abs() < near),
                "{name} {rule:?}: {x:?}"
            );
            assert!(n.iter().all(|n| *n <= 150), "{name} {rule:?}: {n:?}");
        }
    }
}

#[test]
fn derivatives_and_lanes() {
    for rule in RULES {
        let x = move |a: Var| {
            InInterval::new(rule)
                .solve(|x: Var| x.exp() * x - a, 0.0, 3.0)
                .x
        };
        check_grads(x, 2.0, 2).unwrap();
        let all = move |a: Var| {
            let r = InInterval::new(rule).solve(|x: Var| x.exp() * x - a, 0.0, 3.0);
            (r.x, r.residual, r.iterations, r.evaluations, r.status)
        };
        // Some have no root in the interval.
        let rows: Vec<f64> = (0..21).map(|i| 4.0 * f64::from(i) - 4.0).collect();
        check_vmap(all, rows).unwrap();
    }
}

#[test]
fn failures_are_named() {
    let status = |f: fn(Var) -> Var| {
        jit(move |a: Var| brent(f, a, 2.0))
            .call(-1.0)
            .unwrap()
            .statuses()
            .unwrap()[0]
    };
    assert_eq!(status(|x| x * x + 1.0), Status::NoBracket);
    assert_eq!(status(|x| x.ln()), Status::StartNotFinite);
    assert_eq!(
        status(|x| (x.abs()).lt(0.9).select(f64::NAN, x)),
        Status::NotFinite
    );
    assert_eq!(status(|x| x + 1.0), Status::ResidualConverged);
    // The sign changes at a jump, and at a pole.
    assert_eq!(
        status(|x| x.gt(0.3).select(1.0, -1.0)),
        Status::IntervalConverged
    );
    let few = |a: Var| {
        InInterval::new(Rule::Bisection)
            .max_steps(5)
            .solve(|x: Var| x - 0.3, a, 2.0)
    };
    let r: Root<Array, Array> = jit(few).call(-1.0).unwrap();
    assert_eq!(r.statuses().unwrap(), [Status::StepLimit]);
    assert_eq!(r.evaluations.item::<i64>().unwrap(), 7);
}

#[test]
fn intervals_are_found() {
    let log = |a: Var| {
        let near = expand(move |x: Var| x.exp() - a, 0.0, 0.1);
        (near.a, near.b, near.status)
    };
    let (a, b, status) = jit(vmap(log)).call([1e-8, 0.5, 3.0, 1e30, -1.0]).unwrap();
    let (a, b) = (a.to_vec::<f64>().unwrap(), b.to_vec::<f64>().unwrap());
    for (i, x) in [1e-8f64, 0.5, 3.0, 1e30].iter().enumerate() {
        assert!((a[i] - x.ln()) * (b[i] - x.ln()) <= 0.0);
    }
    let status = wengert_solve::statuses(&status).unwrap();
    assert!(status[..4].iter().all(|s| *s == Status::IntervalConverged));
    assert!(!status[4].is_converged(), "{status:?}");
}

#[test]
fn mistakes_name_the_line() {
    let f = jit(|a: Var| chandrupatla(|x: Var| x, a, 1.0));
    let error = f.call([1.0, 2.0]).unwrap_err().to_string();
    let want = "root: the ends of the interval are f64[2] and f64, and must be numbers; use vmap for many, at ";
    assert!(
        error.starts_with(want) && error.contains("interval.rs:"),
        "{error}"
    );
    let f = jit(|a: Var| chandrupatla(|x: Var| x.to(DType::F32), a, 1.0));
    let error = f.call(0.0).unwrap_err().to_string();
    let want = "root: the value of the function is f32, and must be one f64, at ";
    assert!(
        error.starts_with(want) && error.contains("interval.rs:"),
        "{error}"
    );
    let f = jit(|a: Var| brent(|x: Var| x * x - 2.0, a, 2.0));
    let r = f.call(0f32).unwrap().ok().unwrap();
    assert!((r.x.item::<f32>().unwrap() - 2f32.sqrt()).abs() < 1e-6);
    assert!(
        f.call(0i64)
            .unwrap_err()
            .to_string()
            .contains("root: the interval.0 is i64")
    );
}
