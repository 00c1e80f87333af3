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

type Named = (&'static str, fn(Var, Var) -> Var);

/// Functions of a parameter and a point, with everything in them that has a body of its own.
const WITH_BODIES: [Named; 12] = [
    ("fori", |a, x| fori(0..3, x, |_, x| (a * x).cos())),
    ("scan", |a, x| {
        let step = |x: Var, r: Var| ((r * a * x).cos(), x * r);
        let (x, rows) = scan(x, stack([a, a * 0.5, a + 0.1]), step);
        x + 0.1 * rows.sum()
    }),
    ("scan_reverse", |a, x| {
        scan_reverse(x, 0..3, |x, _| ((a * x).sin(), ())).0
    }),
    ("fori of traced length", |a, x| {
        let n = (a.abs() * 4.0).to(DType::I64);
        fori(..n, x, |i, x: Var| (a * x + 0.1 * i.to(DType::F64)).cos())
    }),
    ("while_loop", |a, x| {
        let step = |(n, x): (Var, Var)| (n + 1, (a * x).cos());
        while_loop((Var::from(0i64), x), |(n, _)| n.lt(3), step).1
    }),
    ("while_loop until a value is reached", |a, x| {
        while_loop(
            (a.cos(), x),
            |(t, _)| t.lt(2.0),
            |(t, x)| (t + 0.7, (a * x).cos()),
        )
        .1
    }),
    ("carries that change places", |a, x| {
        let (p, q, s) = fori(0..3, (x, a, x * a), |_, (p, q, s): (Var, Var, Var)| {
            (q, p, (s * p).sin())
        });
        p * 0.2 + q * 0.1 + s
    }),
    ("cond", |a, x| {
        cond(a.gt(0.3), x, |x| (a * x).cos(), |x| (a * x).sin())
    }),
    ("cond around a loop", |a, x| {
        let turns = |x: Var| fori(0..2, x, |_, x| (a * x).cos());
        cond(a.gt(0.3), x, turns, |x| x * 0.5)
    }),
    ("vmap and a loop in it", |a, x| {
        let each = move |r: Var| fori(0..2, x * r, |_, y: Var| (a * y).cos());
        vmap(each)(stack([a, a * 2.0, a - 1.0])).mean()
    }),
    ("checkpoint and custom_jvp", |a, x| {
        let inner = |(a, x): (Var, Var)| fori(0..2, x, |_, x: Var| (a * x).cos());
        let again = checkpoint(inner)((a, x));
        let ruled = custom_jvp(inner, move |x, dx| jvp(inner, x, dx))((a, x));
        0.5 * again + 0.3 * ruled
    }),
    ("the slope of a loop", |a, x| {
        0.3 * grad_at(x, |x| fori(0..3, x, |_, x: Var| (a * x).cos() + 0.1 * x))
    }),
];

/// The `x` of `x + x³ = f(a, x) / 4 + a`, by Newton's method.
fn solved(f: fn(Var, Var) -> Var, a: Var) -> Var {
    let newton = |f: &dyn Fn(Var) -> Var, x: Var| {
        fori(0..25, x, |_, x| {
            let (y, slope) = jvp(f, x, Var::from(1.0));
            x - y / slope
        })
    };
    let equation = move |x: Var| x + x * x * x - 0.25 * f(a, x) - a;
    custom_root(equation, 0.3, newton, |a, b| b / a(Var::from(1.0)))
}

/// The `y` of `3 y + d f(a, ·)(y) = b` for the derivative at `a` by the point.
fn linear(f: fn(Var, Var) -> Var, (a, b): (Var, Var)) -> Var {
    let apply = move |y: Var| 3.0 * y + jvp(move |x| f(a, x), a, y).1;
    let divide = |a: &dyn Fn(Var) -> Var, b: Var| b / a(Var::from(1.0));
    custom_linear_solve(apply, b, divide, divide)
}

#[test]
fn functions_with_loops_and_branches_have_roots_with_derivatives() {
    for (name, f) in WITH_BODIES {
        let root = move |a: Var| solved(f, a);
        for at in [0.6, 0.2] {
            check_grads(root, at, 2).unwrap_or_else(|e| panic!("{name} at {at}: {e}"));
        }
        let points = [0.6, 0.2, -0.4, 0.5, 0.9];
        let of_batch = |e| panic!("{name}: {e}");
        check_vmap(grad(root), points).unwrap_or_else(of_batch);
        check_vmap(grad(grad(root)), points).unwrap_or_else(of_batch);
    }
}

#[test]
fn linear_functions_may_mix_tangents_with_other_work() {
    for (name, f) in WITH_BODIES {
        let solution = move |x: (Var, Var)| linear(f, x);
        check_grads(solution, (0.6, 0.8), 2).unwrap_or_else(|e| panic!("{name}: {e}"));
        let points = ([0.6, 0.2, -0.4, 0.5, 0.9], [1.0, -2.0, 0.3, 0.0, 0.7]);
        let gradient = grad(move |x: (Var, Var)| solution(x));
        check_vmap(gradient, points).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn linear_functions_may_be_computed_again() {
    // The matrix JᵀJ of a function whose values are not kept.
    let solution = |(a, b): (Var, Var)| {
        let f = move |x: Var| checkpoint(|x: Var| (a * x).sin().broadcast_to([3]))(x);
        let apply = move |y: Var| y + vjp(f, a).1(jvp(f, a, y).1);
        let divide = |a: &dyn Fn(Var) -> Var, b: Var| b / a(Var::from(1.0));
        custom_linear_solve(apply, b, divide, divide)
    };
    check_grads(solution, (0.6, 0.8), 2).unwrap();
    check_vmap(grad(solution), ([0.6, 0.2], [0.8, 1.0])).unwrap();
}

#[test]
fn fixed_points_of_functions_with_loops() {
    let options = Options {
        order: 2,
        differences: 1e-5,
        ..Options::default()
    };
    for (name, f) in WITH_BODIES {
        let point = move |a: Var| fixed_point(0.3, 1e-16, move |x: Var| 0.2 * f(a, x) + a);
        check_grads_with(point, 0.6, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn what_is_not_linear_is_refused() {
    type Function = fn(Var, Var) -> Var;
    let divide = |_: &dyn Fn(Var) -> Var, b: Var| b;
    let refused: [(&str, Function); 5] = [
        ("its derivative depends on its argument", |a, d| a * d * d),
        ("its derivative depends on its argument", |a, d| {
            (a * d).sin()
        }),
        ("its derivative depends on its argument", |a, d| {
            fori(0..3, d, |_, d: Var| d * a.maximum(d))
        }),
        ("depends on the argument by a step", |_, d| d.floor()),
        ("its derivative depends on its argument", |a, d| {
            cond(d.gt(0.0), d, |d| d * a, |d| d)
        }),
    ];
    for (want, f) in refused {
        let solve = move |a: Var| custom_linear_solve(move |d| f(a, d), a, divide, divide);
        let said = jit(solve).call(1.0).unwrap_err().to_string();
        assert!(said.starts_with("custom_linear_solve: "), "{said}");
        assert!(said.contains(want), "{said}");
        assert!(said.contains("implicit.rs:"), "{said}");
    }
    // Checks and a constant beside it do not make a function less linear.
    let checked = |a: Var| {
        let apply = move |d: Var| {
            wengert::check(d.is_finite(), "a direction is finite");
            a * d
        };
        custom_linear_solve(apply, 3.0, move |_, b| b / a, move |_, b| b / a)
    };
    assert_eq!(
        jit(grad(checked)).call(2.0).unwrap().item::<f64>().unwrap(),
        -0.75
    );
}

#[test]
fn what_is_wrong_is_said() {
    let message = |f: &(dyn Fn(Var) -> Var + Send + Sync)| -> String {
        let f = |x: Var| f(x);
        let traced = wengert::trace(f, ShapeDtype::scalar(DType::F64));
        traced.unwrap_err().to_string()
    };
    let said = message(&|a| custom_root(|x: Var| stack([x, a]), a, |_, x| x, |_, b| b));
    assert!(
        said.starts_with(
            "custom_root: the guess has f64, and the value of the function has f64[2]"
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
    let said = message(&|a| custom_linear_solve(|x: Var| a * x, a, |_, b| stack([b, b]), |_, b| b));
    assert!(said.starts_with("custom_linear_solve: "), "{said}");
}
