//! Roots of several functions.

use expect_test::{Expect, expect};
use wengert::prelude::*;
use wengert_check::{Options, check_grads_with, check_vmap};
use wengert_solve::Status;
use wengert_solve::root::{Method, Search, root};

use crate::mgh::{SYSTEMS, problems};

/// Solves the systems from the standard starts and from ten and a hundred times these, and names the ends that are
/// no roots.
fn ends(method: Method, want: &Expect) {
    let mut lines = String::new();
    let mut roots = 0;
    for p in problems()
        .into_iter()
        .filter(|p| SYSTEMS.contains(&p.number))
    {
        let (residuals, square) = (p.residuals, p.n == p.m);
        let f = jit(vmap(move |x: Var| {
            // A system with more residuals than unknowns is that of a zero gradient.
            let slope = move |x: Var| grad(move |x: Var| 0.5 * residuals(x).square().sum())(x);
            Search::new(method).root(|x: Var| if square { residuals(x) } else { slope(x) }, x)
        }));
        let starts = [1.0, 10.0, 100.0].map(|t| p.start_times(t));
        let r = f.call(Array::from(starts.to_vec())).unwrap();
        for (i, times) in ["", ", 10 x", ", 100 x"].iter().enumerate() {
            let (status, left) = (
                r.statuses().unwrap()[i],
                r.residual.get::<f64>([i]).unwrap(),
            );
            if left < 1e-9 {
                assert!(status.is_converged(), "{} {status:?}", p.name);
                roots += 1;
            } else {
                lines += &format!(
                    "{} {}{times}: {left:.1e}; {status:?}, {} evaluations\n",
                    p.number,
                    p.name,
                    r.evaluations.get::<i64>([i]).unwrap()
                );
            }
        }
    }
    lines += &format!("{roots} others: roots\n");
    want.assert_eq(&lines);
}

#[test]
fn by_the_hybrid() {
    ends(
        Method::Hybrid,
        &expect![[r#"
        3 Powell badly scaled, 10 x: 1.0e-4; StepLimit, 519 evaluations
        3 Powell badly scaled, 100 x: 1.0e-4; StepLimit, 502 evaluations
        26 Trigonometric, 10 x: 4.3e-3; Stalled, 654 evaluations
        26 Trigonometric, 100 x: 4.3e-3; StepLimit, 626 evaluations
        35 Chebyquad, 100 x: 3.4e14; StepLimit, 687 evaluations
        37 others: roots
    "#]],
    );
}

#[test]
fn by_levenberg_and_marquardt() {
    ends(
        Method::LevenbergMarquardt,
        &expect![[r#"
        3 Powell badly scaled, 100 x: 1.0e-4; StepLimit, 501 evaluations
        26 Trigonometric, 10 x: 4.3e-3; Stalled, 43 evaluations
        26 Trigonometric, 100 x: 4.3e-3; Stalled, 49 evaluations
        35 Chebyquad, 10 x: 1.2e2; StepLimit, 751 evaluations
        35 Chebyquad, 100 x: 1.0e4; StepLimit, 749 evaluations
        37 others: roots
    "#]],
    );
}

#[test]
fn by_newton() {
    ends(
        Method::Newton,
        &expect![[r#"
        3 Powell badly scaled, 100 x: 1.0e0; NotFinite, 33 evaluations
        14 Wood, 100 x: 1.0e0; StepLimit, 6631 evaluations
        26 Trigonometric: 8.8e-3; Stalled, 158 evaluations
        26 Trigonometric, 10 x: 7.4e-1; Stalled, 403 evaluations
        26 Trigonometric, 100 x: 8.6e-2; Stalled, 569 evaluations
        27 Brown almost-linear, 10 x: 1.0e0; Stalled, 43 evaluations
        35 Chebyquad, 100 x: 6.4e16; Stalled, 215 evaluations
        35 others: roots
    "#]],
    );
}

#[test]
fn by_broyden() {
    ends(
        Method::Broyden,
        &expect![[r#"
        3 Powell badly scaled, 100 x: 1.0e0; NotFinite, 33 evaluations
        14 Wood, 10 x: 7.5e-3; StepLimit, 8073 evaluations
        14 Wood, 100 x: 7.5e-1; StepLimit, 9183 evaluations
        26 Trigonometric, 10 x: 5.4e-1; Stalled, 111 evaluations
        26 Trigonometric, 100 x: 1.2e-1; StepLimit, 14525 evaluations
        35 Chebyquad, 10 x: 1.2e7; Stalled, 100 evaluations
        36 others: roots
    "#]],
    );
}

const METHODS: [Method; 5] = [
    Method::Hybrid,
    Method::LevenbergMarquardt,
    Method::Newton,
    Method::Krylov,
    Method::Broyden,
];

/// A system whose root depends on a parameter.
fn curves(a: Var, (x, y): (Var, Var)) -> [Var; 2] {
    [x * x + a * y * y - 2.0, (x * y).sin() + y - a]
}

#[test]
fn derivatives_and_lanes() {
    let options = Options {
        order: 2,
        ..Options::default()
    };
    for method in METHODS {
        let x = move |a: Var| {
            Search::new(method)
                .root(move |p| curves(a, p), (1.0, 0.4))
                .x
        };
        check_grads_with(x, 0.9, &options).unwrap();
        let all = move |a: Var| {
            let r = Search::new(method).root(move |p| curves(a, p), (1.0, 0.4));
            (r.x, r.residual, r.iterations, r.evaluations, r.status)
        };
        let rows: Vec<f64> = (0..19).map(|i| 0.1 * f64::from(i) - 0.3).collect();
        check_vmap(all, rows).unwrap();
        let through = move |a: Var| {
            Search::new(method)
                .implicit(false)
                .root(move |p| curves(a, p), (1.0, 0.4))
                .x
                .1
        };
        let slopes = jit(vmap(grad(move |a: Var| x(a).1)))
            .call([0.8, 0.9])
            .unwrap();
        let through = jit(vmap(move |a: Var| jvp(through, a, Var::from(1.0)).1))
            .call([0.8, 0.9])
            .unwrap();
        assert!(
            slopes.all_close(&through, 1e-5, 0.0),
            "{method:?}: {slopes} {through}"
        );
    }
}

#[test]
fn many_unknowns_without_a_matrix() {
    // A nonlinear heat equation in 900 unknowns.
    let f = |u: Var| {
        let u = u.reshape([30, 30]);
        let all = u.pad([(1, 1), (1, 1)]);
        let around = all.at((..-2, 1..-1))
            + all.at((2.., 1..-1))
            + all.at((1..-1, ..-2))
            + all.at((1..-1, 2..));
        (4.0 * u - around - u.exp() / 961.0).flatten()
    };
    let r = jit(move |u: Var| Search::new(Method::Krylov).root(f, u))
        .call(vec![0.0; 900])
        .unwrap()
        .ok()
        .unwrap();
    assert!(r.residual.item::<f64>().unwrap() < 1e-10, "{r:?}");
    assert!(r.iterations.item::<i64>().unwrap() < 8);
}

#[test]
fn failures_are_named() {
    let status = |method: Method, f: fn(Var) -> Var| {
        let r = jit(move |x: Var| Search::new(method).root(f, x))
            .call([1.0, 2.0])
            .unwrap();
        r.statuses().unwrap()[0]
    };
    for method in METHODS {
        assert_eq!(status(method, |x| x * f64::NAN), Status::StartNotFinite);
        // No root: both cannot be zero.
        let none = status(method, |x| x * x + 1.0);
        assert!(!none.is_converged(), "{method:?}: {none:?}");
        let none = status(method, |x| x * 0.0 + 1.0);
        assert!(
            [Status::Singular, Status::Stalled].contains(&none),
            "{method:?}: {none:?}"
        );
        let wall = status(method, |x| x.lt(0.9).select(f64::NAN, x));
        assert!(!wall.is_converged(), "{method:?}: {wall:?}");
        let at = status(method, |x| x - [1.0, 2.0]);
        assert_eq!(at, Status::ResidualConverged);
    }
}

#[test]
fn mistakes_name_the_line() {
    let error = |f: fn(Var) -> Var, x: Array| {
        jit(move |x: Var| root(f, x))
            .call(x)
            .unwrap_err()
            .to_string()
    };
    let said = error(|x| x.at(..1), Array::from([1.0, 2.0]));
    let want = "root: there are 2 unknowns, and the function has 1 numbers, at ";
    assert!(
        said.starts_with(want) && said.contains("systems.rs:"),
        "{said}"
    );
    let said = error(|x| x.to(DType::F32), Array::from([1.0, 2.0]));
    let want = "root: the unknowns are f64, and the function is f32, at ";
    assert!(
        said.starts_with(want) && said.contains("systems.rs:"),
        "{said}"
    );
    let said = error(|x| x, Array::from([1i64, 2]));
    assert!(
        said.starts_with("root: the start is i64[2], and must be of floats"),
        "{said}"
    );
    let f = jit(|x: Var| root(|x: Var| x * x - 2.0, x));
    let r = f.call([1f32, 3.0]).unwrap().ok().unwrap();
    assert!(r.x.all_close(&Array::from([2f32.sqrt(); 2]), 1e-5, 0.0));
}
