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
                // What is left there, and how many evaluations it took, is chance.
                lines += &format!("{} {}{times}: {status:?}\n", p.number, p.name);
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
        3 Powell badly scaled, 10 x: StepLimit
        3 Powell badly scaled, 100 x: StepLimit
        26 Trigonometric, 10 x: Stalled
        26 Trigonometric, 100 x: StepLimit
        35 Chebyquad, 100 x: StepLimit
        37 others: roots
    "#]],
    );
}

#[test]
fn by_levenberg_and_marquardt() {
    ends(
        Method::LevenbergMarquardt,
        &expect![[r#"
        3 Powell badly scaled, 100 x: StepLimit
        26 Trigonometric, 10 x: Stalled
        26 Trigonometric, 100 x: Stalled
        35 Chebyquad, 10 x: StepLimit
        35 Chebyquad, 100 x: StepLimit
        37 others: roots
    "#]],
    );
}

#[test]
fn by_newton() {
    ends(
        Method::Newton,
        &expect![[r#"
        3 Powell badly scaled, 100 x: NotFinite
        14 Wood, 100 x: StepLimit
        26 Trigonometric: Stalled
        26 Trigonometric, 10 x: Stalled
        26 Trigonometric, 100 x: Stalled
        27 Brown almost-linear, 10 x: Stalled
        35 Chebyquad, 100 x: Stalled
        35 others: roots
    "#]],
    );
}

#[test]
fn by_broyden() {
    ends(
        Method::Broyden,
        &expect![[r#"
        3 Powell badly scaled, 100 x: NotFinite
        14 Wood, 10 x: StepLimit
        14 Wood, 100 x: StepLimit
        26 Trigonometric, 10 x: Stalled
        26 Trigonometric, 100 x: StepLimit
        35 Chebyquad, 10 x: Stalled
        36 others: roots
    "#]],
    );
}

/// Numbers in the collection, sizes and starts of the 55 cases of MINPACK's own test of `hybrj`.
const CASES: [(usize, usize, usize); 22] = [
    (1, 2, 3),
    (13, 4, 3),
    (3, 2, 2),
    (14, 4, 3),
    (7, 3, 3),
    (20, 6, 2),
    (20, 9, 2),
    (35, 5, 3),
    (35, 6, 3),
    (35, 7, 3),
    (35, 8, 1),
    (35, 9, 1),
    (27, 10, 3),
    (27, 30, 1),
    (27, 40, 1),
    (28, 10, 3),
    (29, 1, 3),
    (29, 10, 3),
    (26, 10, 3),
    (25, 10, 3),
    (30, 10, 3),
    (31, 10, 3),
];

#[test]
fn cases_of_minpack() {
    let all = problems();
    let (mut lines, mut roots, mut cases) = (String::new(), 0, 0);
    for (number, n, tries) in CASES {
        let p = &all[number - 1];
        let (residuals, square) = (p.residuals, p.n == p.m);
        let f = jit(vmap(move |x: Var| {
            let slope = move |x: Var| grad(move |x: Var| 0.5 * residuals(x).square().sum())(x);
            Search::new(Method::Hybrid)
                .root(|x: Var| if square { residuals(x) } else { slope(x) }, x)
        }));
        let unit = |j: usize| (j + 1) as f64 / (n as f64 + 1.0);
        let usual: Vec<f64> = match number {
            35 => (0..n).map(unit).collect(),
            28 | 29 => (0..n).map(|j| unit(j) * (unit(j) - 1.0)).collect(),
            _ if n == p.n => p.start.clone(),
            _ => vec![p.start[0]; n],
        };
        let times = &[1.0, 10.0, 100.0][..tries];
        let from = |factor: &f64| -> Vec<f64> {
            match usual.iter().all(|x| *x == 0.0) && *factor != 1.0 {
                true => vec![*factor; n],
                false => usual.iter().map(|x| factor * x).collect(),
            }
        };
        let starts: Vec<Vec<f64>> = times.iter().map(from).collect();
        let r = f.call(Array::from(starts)).unwrap();
        for (i, factor) in times.iter().enumerate() {
            cases += 1;
            let status = r.statuses().unwrap()[i];
            match r.residual.get::<f64>([i]).unwrap() < 1e-9 {
                true => {
                    assert!(status.is_converged(), "{} {status:?}", p.name);
                    roots += 1;
                }
                false => lines += &format!("{}, {n}, {factor} x: {status:?}\n", p.name),
            }
        }
    }
    assert_eq!(cases, 55);
    lines += &format!("{roots} others: roots\n");
    expect![[r#"
        Powell badly scaled, 2, 10 x: StepLimit
        Watson, 9, 10 x: StepLimit
        Chebyquad, 6, 10 x: StepLimit
        Chebyquad, 6, 100 x: StepLimit
        Chebyquad, 7, 100 x: StepLimit
        Chebyquad, 8, 1 x: Stalled
        Brown almost-linear, 30, 1 x: Stalled
        Brown almost-linear, 40, 1 x: Stalled
        Trigonometric, 10, 10 x: Stalled
        Trigonometric, 10, 100 x: StepLimit
        45 others: roots
    "#]]
    .assert_eq(&lines);
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
        let around = all.at((..-2, 1..31))
            + all.at((2.., 1..31))
            + all.at((1..31, ..-2))
            + all.at((1..31, 2..));
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
