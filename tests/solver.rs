//! A solver in a crate of its own, written with `wengert::solver` alone: what its users get wrong names
//! their own line, with the solver's name and the types.

use std::panic::Location;

use wengert::prelude::*;
use wengert::{Error, IntoTree, solver};

/// Heun's method for `y' = f(t, y)`: `n` steps of `h` from `t = 0`.
#[track_caller]
fn heun<I, A>(f: impl Fn(Var, I::Tree) -> A, y0: I, h: f64, n: usize) -> I::Tree
where
    I: IntoTree,
    I::Tree: tree::Vars + Clone,
    A: IntoTree<Tree = I::Tree>,
{
    let place = Location::caller();
    solver::asked_at(place, || {
        let y0 = y0.into_tree();
        solver::expect_floats("heun", "the state", &y0);
        if n == 0 {
            solver::refuse("heun", "no step leads to the end");
        }
        fori(0..n, y0, |i, y: I::Tree| {
            solver::asked_at(place, || {
                let rate = |t: Var, y: &I::Tree| {
                    let k = solver::inside(|| f(t, y.clone()).into_tree());
                    solver::same_trees("heun", ["the state", "its rate"], y, &k);
                    k
                };
                let t = i.to(DType::F64) * h;
                let a = rate(t, &y);
                let ahead = tree::map2(y.clone(), a.clone(), |y, k| y + h * k);
                let b = rate(t + h, &ahead);
                tree::map3(y, a, b, |y, a, b| y + 0.5 * h * (a + b))
            })
        })
    })
}

/// The line of this file that an error names, and what it says before that.
fn said(error: &Error) -> (String, u32) {
    let text = error.to_string();
    let (before, place) = text.split_once(", at ").expect("a place");
    let place = place.split_once("solver.rs:").expect("this file").1;
    let line = place.split(':').next().expect("a line");
    (before.into(), line.parse().expect("a number"))
}

#[test]
fn it_solves() {
    let f = jit(|(x, v): (Var, Var)| heun(|_, (x, v): (Var, Var)| (v, -x), (x, v), 0.01, 100));
    let (x, v) = f.call((1.0, 0.0)).unwrap();
    assert!((x.item::<f64>().unwrap() - 1f64.cos()).abs() < 1e-4);
    assert!((v.item::<f64>().unwrap() + 1f64.sin()).abs() < 1e-4);
    // Its derivative and a batch of it.
    let f = jit(vmap(grad(|a: Var| {
        heun(|_, y: Var| -a * y, 1.0, 0.01, 100)
    })));
    let slopes = f.call([1.0, 2.0]).unwrap().to_vec::<f64>().unwrap();
    for (a, slope) in [1.0f64, 2.0].into_iter().zip(slopes) {
        assert!((slope + (-a).exp()).abs() < 1e-3);
    }
}

#[test]
fn a_rate_of_another_shape() {
    // It would broadcast, and the result would be wrong.
    let line = line!() + 1;
    let f = jit(|y: Var| heun(|_, y: Var| -y.slice_axis(0, 0..1), y, 0.01, 10));
    let error = f.call([1.0, 2.0]).unwrap_err();
    let want = "heun: the state has f64[2], and its rate has f64[1]";
    assert_eq!(said(&error), (want.into(), line));
    let f = jit(|y: Var| heun(|_, _: Var| 1.0, y, 0.01, 10));
    let want = "heun: the state has f64[2], and its rate has f64";
    assert_eq!(said(&f.call([1.0, 2.0]).unwrap_err()).0, want);
}

#[test]
fn a_rate_of_another_element_type() {
    let line = line!() + 1;
    let f = jit(|y: Var| heun(|_, y: Var| -y.to(DType::F32), y, 0.01, 10));
    let want = "heun: the state has f64, and its rate has f32";
    assert_eq!(said(&f.call(1.0).unwrap_err()), (want.into(), line));
}

#[test]
fn a_state_of_integers() {
    let line = line!() + 1;
    let f = jit(|(x, n): (Var, Var)| heun(|_, y: (Var, Var)| y, (x, n), 0.01, 10));
    let (what, at) = said(&f.call((1.0, 2i64)).unwrap_err());
    assert!(what.starts_with("heun: the state.1 is i64, and must be of floats"));
    assert_eq!(at, line);
}

#[test]
fn a_rate_of_another_structure() {
    let line = line!() + 1;
    let f = jit(|y: Var| heun(|_, y: Vec<Var>| vec![y[0]], vec![y, y], 0.01, 10));
    let want = "heun: the state and its rate differ: expected a Vec of 2, got a Vec of 1";
    assert_eq!(said(&f.call(1.0).unwrap_err()), (want.into(), line));
}

#[test]
fn a_mistake_in_the_users_function_names_its_line() {
    let line = line!() + 1;
    let f = jit(|y: Var| heun(|_, y: Var| y.dot(zeros(3)), y, 0.01, 10));
    let (what, at) = said(&f.call([1.0, 2.0]).unwrap_err());
    assert!(what.starts_with("dot: f64[2] and f64[3]"), "{what}");
    assert_eq!(at, line);
    let line = line!() + 1;
    let f = jit(|y: Var| heun(|_, y: Var| y, y, 0.01, 0));
    let want = "heun: no step leads to the end";
    assert_eq!(said(&f.call(1.0).unwrap_err()), (want.into(), line));
}
