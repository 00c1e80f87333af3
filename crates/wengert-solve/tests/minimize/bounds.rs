//! Minima within bounds.

use wengert::prelude::*;
use wengert_check::{Options, check_grads_with, check_vmap};
use wengert_solve::Status;
use wengert_solve::minimize::{Bounded, LbfgsB, Minimum};

fn rosenbrock(x: Var) -> Var {
    let (here, next) = (x.at(..-1), x.at(1..));
    (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
}

#[test]
fn bounds_hold_the_minimum() {
    // Hock and Schittkowski, problems 1 to 5 (1981): starts, bounds, minima.
    type Case = (fn(Var) -> Var, [f64; 2], [f64; 2], [f64; 2], f64);
    let inf = f64::INFINITY;
    let cases: [Case; 5] = [
        (rosenbrock, [-2.0, 1.0], [-inf, -1.5], [inf, inf], 0.0),
        (
            rosenbrock,
            [-2.0, 1.0],
            [-inf, 1.5],
            [inf, inf],
            0.050_426_187_9,
        ),
        (
            |x| x.at(1) + 1e-5 * (x.at(1) - x.at(0)).square(),
            [10.0, 1.0],
            [-inf, 0.0],
            [inf, inf],
            0.0,
        ),
        (
            |x| (x.at(0) + 1.0).powi(3) / 3.0 + x.at(1),
            [1.125, 0.125],
            [1.0, 0.0],
            [inf, inf],
            8.0 / 3.0,
        ),
        (
            |x| {
                let (x, y) = (x.at(0), x.at(1));
                (x + y).sin() + (x - y).square() - 1.5 * x + 2.5 * y + 1.0
            },
            [0.0, 0.0],
            [-1.5, -3.0],
            [4.0, 3.0],
            -3f64.sqrt() / 2.0 - std::f64::consts::FRAC_PI_3,
        ),
    ];
    for (i, (f, start, low, high, want)) in cases.into_iter().enumerate() {
        let (low, high) = (Array::from(low), Array::from(high));
        for modelled in [false, true] {
            let (low, high) = (low.clone(), high.clone());
            let solve = move |x: Var| match modelled {
                false => Bounded::new().minimize(f, x, &low, &high),
                true => LbfgsB::new().minimize(f, x, &low, &high),
            };
            let m = jit(solve).call(start).unwrap().ok().unwrap();
            let value = m.value.item::<f64>().unwrap();
            // From the first start of problem 2 the local minimum of the paper is as good.
            let local = i == 1 && (value - 4.941_229_318).abs() < 1e-6;
            assert!((value - want).abs() < 1e-7 || local, "{}: {m:?}", i + 1);
        }
    }
}

#[test]
fn derivatives_and_lanes() {
    let all = |a: Var| {
        let f = move |p: [Var; 2]| (p[0] - a).square() + (p[1] - p[0] * a).square() + p[0] * p[1];
        let zero = [Var::from(0.0); 2];
        let one = [a * 0.0 + 0.6, Var::from(1.0)];
        Bounded::new()
            .gtol(1e-11)
            .minimize(f, [0.5, 0.5], zero, one)
    };
    let options = Options {
        order: 2,
        ..Options::default()
    };
    // Both inside, one at its upper bound, and both at bounds.
    for a in [0.4, 1.3, -0.5] {
        check_grads_with(move |a: Var| all(a).x, a, &options).unwrap();
        check_grads_with(move |a: Var| all(a).value, a, &options).unwrap();
    }
    let rows: Vec<f64> = (0..19).map(|i| 0.2 * f64::from(i) - 1.1).collect();
    let parts = move |a: Var| {
        let Minimum {
            x,
            value,
            gradient,
            iterations,
            status,
            ..
        } = all(a);
        (x, value, gradient, iterations, status)
    };
    check_vmap(parts, rows).unwrap();
    // In a bound.
    let corner = |u: Var| {
        Bounded::new()
            .minimize(|x: Var| (x - 3.0).square(), 0.0, -1.0, u)
            .x
    };
    check_grads_with(corner, 2.0, &options).unwrap();
}

/// The membrane over an obstacle (Moré and Toraldo 1991), on a grid: many bounds hold, and which ones is the question.
fn membrane(u: Var) -> Var {
    let u = u.reshape([12, 12]).pad([(1, 1), (1, 1)]);
    let across = (u.at((.., 1..)) - u.at((.., ..-1))).square().sum();
    let down = (u.at((1.., ..)) - u.at((..-1, ..))).square().sum();
    0.5 * (across + down) - u.sum() / 169.0
}

fn obstacle() -> Array {
    let wave = |i: usize| (9.2 * (i as f64 + 1.0) / 13.0).sin();
    let all = (0..144).map(|k| (wave(k / 12) * wave(k % 12)).powi(3));
    Array::from(all.collect::<Vec<f64>>())
}

#[test]
fn both_methods_find_which_bounds_hold() {
    let solve = |modelled: bool| {
        let low = obstacle();
        let f = jit(move |x: Var| {
            let high = full(144, 2000.0);
            match modelled {
                false => Bounded::new().minimize(membrane, x, &low, high),
                true => LbfgsB::new().minimize(membrane, x, &low, high),
            }
        });
        f.call(vec![1.0; 144]).unwrap().ok().unwrap()
    };
    let (plain, modelled) = (solve(false), solve(true));
    assert!(plain.x.all_close(&modelled.x, 1e-6, 1e-7));
    // Where the membrane lies on the obstacle the gradient pushes it down, and elsewhere it is zero.
    let x = modelled.x.to_vec::<f64>().unwrap();
    let low = obstacle().to_vec::<f64>().unwrap();
    let g = jit(grad(membrane)).call(&modelled.x).unwrap();
    let mut held = 0;
    for ((x, low), g) in x.iter().zip(&low).zip(g.to_vec::<f64>().unwrap()) {
        assert!(x >= low);
        if x == low {
            held += 1;
            assert!(g > -1e-8, "{g}");
        } else {
            assert!(g.abs() < 1e-7 || x - low < 1e-7, "{g} at {x}, {low}");
        }
    }
    assert!(held >= 10, "{held}");
    let evaluations = |m: &Minimum<Array, Array>| m.evaluations.item::<i64>().unwrap();
    let (a, b) = (evaluations(&plain), evaluations(&modelled));
    println!("evaluations: {a} by projection, {b} by the Cauchy point; {held} bounds hold");
    assert!(4 * b <= 5 * a && 4 * a <= 5 * b, "{b} {a}");
}

#[test]
fn derivatives_and_lanes_of_the_cauchy_point() {
    let all = |a: Var| {
        let f = move |p: [Var; 2]| (p[0] - a).square() + (p[1] - p[0] * a).square() + p[0] * p[1];
        let zero = [Var::from(0.0); 2];
        let one = [a * 0.0 + 0.6, Var::from(1.0)];
        LbfgsB::new()
            .memory(3)
            .gtol(1e-11)
            .minimize(f, [0.5, 0.5], zero, one)
    };
    let options = Options {
        order: 2,
        ..Options::default()
    };
    for a in [0.4, 1.3, -0.5] {
        check_grads_with(move |a: Var| all(a).x, a, &options).unwrap();
    }
    let mut rows: Vec<f64> = (0..11).map(|i| 0.3 * f64::from(i) - 1.1).collect();
    rows.push(f64::NAN);
    let parts = move |a: Var| {
        let m = all(a);
        (m.x, m.value, m.gradient, m.iterations, m.status)
    };
    check_vmap(parts, rows).unwrap();
    let one = jit(|x: Var| LbfgsB::new().minimize(rosenbrock, x, zeros(2), full(2, 0.5)));
    let m = one.call([0.2f32, 0.1]);
    assert!(m.is_err(), "bounds of f64 beside unknowns of f32");
}

#[test]
fn mistakes_and_failures() {
    let f = jit(|x: Var| Bounded::new().minimize(|x: Var| x.sum(), x, zeros(3), ones(2)));
    let error = f.call([1.0, 2.0]).unwrap_err().to_string();
    let want = "minimize: the start has f64[2], and the lower bound has f64[3], at ";
    assert!(
        error.starts_with(want) && error.contains("bounds.rs:"),
        "{error}"
    );
    let f =
        jit(|x: Var| Bounded::new().minimize(|x: Var| x.sum() * f64::NAN, x, zeros(2), ones(2)));
    assert_eq!(
        f.call([1.0, 2.0]).unwrap().statuses().unwrap(),
        [Status::StartNotFinite]
    );
}
