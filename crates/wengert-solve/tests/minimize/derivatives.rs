//! Derivatives of minima, minima in lanes, and what is reported.

use std::sync::{Arc, Mutex};

use wengert::prelude::*;
use wengert_check::{Options, check_grads_with, check_vmap};
use wengert_solve::Status;
use wengert_solve::minimize::{Bfgs, minimize};

/// A function with a minimum that depends on two parameters in no simple way.
fn bowl(a: Var, p: [Var; 2]) -> Var {
    let [x, y] = p;
    (x - a).square() + (y - x * a).powi(4) + (y - 1.0).square() + (x * y * a).sin() * 0.1
}

fn tight() -> Bfgs {
    Bfgs::new().gtol(1e-12)
}

#[test]
fn the_derivative_is_that_of_the_equation() {
    let options = Options {
        order: 2,
        ..Options::default()
    };
    let x = |a: Var| tight().minimize(|p| bowl(a, p), [0.3, 0.2]).x;
    check_grads_with(x, 0.7, &options).unwrap();
    let value = |a: Var| tight().minimize(|p| bowl(a, p), [0.3, 0.2]).value;
    check_grads_with(value, 0.7, &options).unwrap();
}

#[test]
fn through_the_iterations_it_is_the_same() {
    let by = |implicit: bool| {
        move |a: Var| {
            let m = tight()
                .implicit(implicit)
                .minimize(|p| bowl(a, p), [0.3, 0.2]);
            m.x[0] + 2.0 * m.x[1]
        }
    };
    let at = [0.5, 0.7, 1.1];
    let around = jit(vmap(grad(by(true)))).call(at).unwrap();
    let through = jit(vmap(grad(by(false)))).call(at).unwrap();
    assert!(around.all_close(&through, 1e-5, 1e-7), "{around} {through}");
    let forward = move |a: Var| jvp(by(false), a, Var::from(1.0)).1;
    let forward = jit(vmap(forward)).call(at).unwrap();
    assert!(around.all_close(&forward, 1e-5, 1e-7), "{around} {forward}");
}

#[test]
fn lanes_are_what_each_is_alone() {
    let f = |a: Var| {
        let m = minimize(|p| bowl(a, p), [0.3, 0.2]);
        (
            m.x,
            m.value,
            m.gradient,
            m.iterations,
            m.evaluations,
            m.status,
        )
    };
    // One of them has no minimum, and one no value.
    let rows: Vec<f64> = (0..19).map(|i| 0.1 * f64::from(i) - 0.4).collect();
    check_vmap(f, rows).unwrap();
    let m = jit(vmap(|a: Var| minimize(|p| bowl(a, p), [0.3, 0.2])))
        .call([0.5, f64::NAN, 0.6])
        .unwrap();
    let want = [
        Status::GradientConverged,
        Status::StartNotFinite,
        Status::GradientConverged,
    ];
    assert_eq!(m.statuses().unwrap(), want);
    let error = m.ok().unwrap_err().to_string();
    assert_eq!(
        error,
        "minimize failed: the function is not finite at the start, for element 1; 1 of 3 failed"
    );
}

#[test]
fn steps_are_watched() {
    let seen = Arc::new(Mutex::new(vec![]));
    let log = seen.clone();
    let f = jit(move |x: Var| {
        let log = log.clone();
        let tell = move |s: wengert_solve::Step<f64>| log.lock().unwrap().push(s);
        Bfgs::new()
            .on_step(tell)
            .minimize(|x: Var| (x - 3.0).powi(4).sum(), x)
    });
    let m = f.call([1.0, 5.5]).unwrap().ok().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len() as i64, m.iterations.item::<i64>().unwrap());
    let numbers: Vec<f64> = seen.iter().map(|s| s.iteration).collect();
    assert_eq!(
        numbers,
        (1..=seen.len()).map(|i| i as f64).collect::<Vec<_>>()
    );
    assert!(seen.windows(2).all(|w| w[1].value <= w[0].value));
    assert!(seen.iter().all(|s| s.step > 0.0));
}

#[test]
fn in_half_the_precision() {
    let f =
        |x: Var| (100.0 * (x.at(1) - x.at(0).square()).square() + (1.0 - x.at(0)).square()) as Var;
    let m = jit(move |x: Var| minimize(f, x))
        .call([-1.2f32, 1.0])
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(m.x.dtype(), DType::F32);
    assert!(
        m.x.all_close(&Array::from([1f32, 1.0]), 1e-2, 0.0),
        "{}",
        m.x
    );
}
