//! Roots, fixed points and linear systems, differentiated by their equations.

use wengert::prelude::*;
use wengert_check::{Options, check_grads, check_grads_with, check_vmap};

/// The positive root of x² = a, by Newton's method.
fn root(a: Var) -> Var {
    let newton = |f: &dyn Fn(Var) -> Var, x: Var| {
        let step = |x: Var| {
            let (y, slope) = jvp(f, x, Var::from(1.0));
            x - y / slope
        };
        let moves = |(x, y): (Var, Var)| (x - y).abs().gt(1e-15 * y.abs());
        while_loop((x, step(x)), moves, |(_, y)| (y, step(y))).1
    };
    custom_root(
        |x: Var| x * x - a,
        a,
        newton,
        |slope, b| b / slope(Var::from(1.0)),
    )
}

#[test]
fn a_root_has_the_derivatives_of_its_equation() {
    check_grads(root, 3.0, 3).unwrap();
    check_grads(|a: Var| root(a.exp() + root(a)), 0.7, 2).unwrap();
    let third = jit(grad(grad(grad(root)))).call(4.0).unwrap();
    let want = 3.0 / 8.0 * 4f64.powf(-2.5);
    assert!((third.item::<f64>().unwrap() / want - 1.0).abs() < 1e-12);
    check_vmap(root, [1.0, 2.0, 9.0, 1e6, 0.01]).unwrap();
    check_vmap(grad(root), [1.0, 2.0, 9.0, 1e6, 0.01]).unwrap();
    check_vmap(grad(grad(root)), [1.0, 2.0, 9.0, 1e6, 0.01]).unwrap();
}

/// A point (x, y) with x + y = s and x·y = p, as a tree.
fn pair((s, p): (Var, Var)) -> (Var, Var) {
    let newton = |f: &dyn Fn((Var, Var)) -> (Var, Var), start: (Var, Var)| {
        fori(0..30, start, |_, at| {
            let solved = solve_two(&|v| jvp(f, at, v).1, f(at));
            (at.0 - solved.0, at.1 - solved.1)
        })
    };
    custom_root(
        |(x, y): (Var, Var)| (x + y - s, x * y - p),
        (s, 0.0),
        newton,
        solve_two,
    )
}

/// Cramer's rule.
fn solve_two(a: &dyn Fn((Var, Var)) -> (Var, Var), b: (Var, Var)) -> (Var, Var) {
    let (one, zero) = (Var::from(1.0), Var::from(0.0));
    let ((a11, a21), (a12, a22)) = (a((one, zero)), a((zero, one)));
    let det = a11 * a22 - a12 * a21;
    ((b.0 * a22 - a12 * b.1) / det, (a11 * b.1 - a21 * b.0) / det)
}

#[test]
fn a_root_may_be_a_tree() {
    let (x, y): (Array, Array) = jit(pair).call((5.0, 6.0)).unwrap();
    let numbers = (x.item::<f64>().unwrap(), y.item::<f64>().unwrap());
    assert!((numbers.0 - 3.0).abs() < 1e-14 && (numbers.1 - 2.0).abs() < 1e-14);
    check_grads(pair, (5.0, 6.0), 2).unwrap();
    check_vmap(pair, ([5.0, 7.0, 9.0], [6.0, 2.0, 1.0])).unwrap();
}

#[test]
fn a_fixed_point_in_lanes_and_in_a_scan() {
    let f = |a: Var| fixed_point(0.5, 1e-15, |x: Var| (a * x).cos() * 0.8);
    // The steps end a little before the fixed point, and differences see that.
    let options = Options {
        order: 2,
        ..Options::default()
    };
    check_grads_with(f, 0.9, &options).unwrap();
    let rows: Vec<f64> = (0..37).map(|i| 0.02 * f64::from(i)).collect();
    check_vmap(grad(f), rows).unwrap();
    let chain = move |a: Var| scan(a, 0..4, |a, _| (f(a) + a * 0.1, ())).0;
    check_grads(chain, 0.4, 2).unwrap();
}

/// The solution of a diagonally dominant system, whose matrix is not symmetric.
fn relaxed((m, b): (Var, Var)) -> Var {
    let jacobi =
        |a: &dyn Fn(Var) -> Var, b: Var| fori(0..200, b * 0.0, |_, x: Var| x + (b - a(x)) * 0.2);
    custom_linear_solve(|x: Var| 4.0 * x + m.dot(x), b, jacobi, jacobi)
}

#[test]
fn a_linear_system_is_differentiated_both_ways() {
    let m = [[0.3, -0.2, 0.7], [0.1, 0.0, 0.4], [-0.6, 0.2, 0.1]];
    check_grads(relaxed, (m, [1.0, -2.0, 0.5]), 2).unwrap();
    let three = Array::from([m, [[0.0; 3]; 3], m]);
    let sides = Array::from([[1.0, 2.0, 3.0], [0.5, -0.5, 0.0], [0.0, 0.0, 9.0]]);
    check_vmap(relaxed, (three.clone(), sides.clone())).unwrap();
    let gradient = |x: (Var, Var)| grad(|x: (Var, Var)| relaxed(x).square().sum())(x);
    check_vmap(gradient, (three, sides)).unwrap();
}

#[test]
fn a_linear_system_with_a_captured_side() {
    // What is linear is only the right-hand side, and the matrix is captured from a scan's row.
    let f = |(ms, b): (Var, Var)| scan(b, ms, |b, m| (relaxed((m, b)), b.sum())).0;
    let ms = [[[0.3, -0.2], [0.1, 0.0]], [[0.0, 0.5], [-0.5, 0.0]]];
    check_grads(f, (ms, [1.0, 2.0]), 2).unwrap();
}

#[test]
fn what_is_wrong_is_said() {
    let message = |f: &(dyn Fn(Var) -> Var + Send + Sync)| -> String {
        let f = |x: Var| f(x);
        let traced = trace(f, &ShapeDtype::scalar(DType::F64));
        traced.unwrap_err().to_string()
    };
    let said = message(&|a| custom_root(|x: Var| stack(&[x, a]), a, |_, x| x, |_, b| b));
    assert!(
        said.starts_with(
            "custom_root: the unknowns has f64, and the value of the function has f64[2]"
        ),
        "{said}"
    );
    assert!(said.contains("implicit.rs:"), "{said}");
    let said = message(&|a| custom_root(|x: Var| x - a, a, |_, x| x.to(DType::F32), |_, b| b));
    assert!(said.contains("what solves it has f32"), "{said}");
    let said = message(&|a| fixed_point(3i64, 0.1, |x: Var| x) + a.to(DType::I64));
    assert!(
        said.contains("the unknown is i64, and solutions are floats"),
        "{said}"
    );
    let said =
        message(&|a| custom_linear_solve(|x: Var| a * x, a, |_, b| stack(&[b, b]), |_, b| b));
    assert!(said.starts_with("custom_linear_solve: "), "{said}");
}
