//! The collection of Moré, Garbow and Hillstrom.

use expect_test::{Expect, expect};
use wengert::prelude::*;
use wengert_solve::minimize::{
    Bounded, ConjugateGradients, Lbfgs, LbfgsB, Minimum, Newton, minimize,
};

use crate::mgh::{Problem, problems};

/// Runs a solver from the standard start and from ten times that, and names the ends that are not the least value
/// of the paper, or that it does not call a success.
fn ends(
    solve: impl Fn(&Problem, Var) -> Minimum<Var> + Clone + Send + Sync + 'static,
    want: &Expect,
) {
    let mut lines = String::new();
    let mut least = 0;
    for p in problems() {
        let (q, solve) = (p.clone(), solve.clone());
        let f = jit(vmap(move |x: Var| solve(&q, x)));
        let starts = Array::from(vec![p.start_times(1.0), p.start_times(10.0)]);
        let m = f.call(starts).unwrap();
        for (i, times) in ["", ", 10 x"].iter().enumerate() {
            let value = m.value.get::<f64>([i]).unwrap();
            let status = m.statuses().unwrap()[i];
            let near = |want: &&f64| (value - **want).abs() <= 1e-5 * want.abs() + 1e-11;
            let what = format!("{} {}{times}", p.number, p.name);
            let end = match p.minima.iter().position(|m| near(&m)) {
                Some(0) if status.is_converged() => {
                    least += 1;
                    continue;
                }
                Some(0) => "the least".into(),
                Some(_) => format!("{value:.4e}, a local one of the paper"),
                None => format!("{value:.4e}"),
            };
            lines += &format!("{what}: {end}; {status:?}\n");
        }
    }
    lines += &format!("{least} others: the least\n");
    want.assert_eq(&lines);
}

#[test]
fn by_bfgs() {
    ends(
        |p, x| minimize(p.sum_of_squares(), x),
        &expect![[r#"
        2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
        2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
        3 Powell badly scaled, 10 x: 4.1732e-9; GradientConverged
        10 Meyer, 10 x: 7.0921e5; ValueConverged
        17 Osborne 1, 10 x: 5.8650e-2; StepConverged
        18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
        18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
        19 Osborne 2, 10 x: 1.7898e0; GradientConverged
        26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
        61 others: the least
    "#]],
    );
}

#[test]
fn by_lbfgs() {
    ends(
        |p, x| Lbfgs::new().minimize(p.sum_of_squares(), x),
        &expect![[r#"
            2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
            2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
            3 Powell badly scaled, 10 x: 4.1732e-9; GradientConverged
            10 Meyer, 10 x: 7.0921e5; ValueConverged
            18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
            18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
            19 Osborne 2, 10 x: 1.7898e0; GradientConverged
            26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
            26 Trigonometric, 10 x: 2.7951e-5, a local one of the paper; GradientConverged
            61 others: the least
        "#]],
    );
}

#[test]
fn by_conjugate_gradients() {
    ends(
        |p, x| ConjugateGradients::new().minimize(p.sum_of_squares(), x),
        &expect![[r#"
            2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
            2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
            3 Powell badly scaled: 4.8993e-8; ValueConverged
            3 Powell badly scaled, 10 x: 4.1732e-9; GradientConverged
            4 Brown badly scaled: 1.1258e1; StepConverged
            10 Meyer: 1.1063e5; StepLimit
            10 Meyer, 10 x: 2.6783e7; StepConverged
            11 Gulf research and development: 1.2388e-8; StepLimit
            15 Kowalik and Osborne, 10 x: 7.7667e-4; StepLimit
            17 Osborne 1: 5.4726e-5; StepLimit
            17 Osborne 1, 10 x: 1.1849e1; StepLimit
            18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
            18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
            19 Osborne 2, 10 x: 1.7898e0; GradientConverged
            26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
            26 Trigonometric, 10 x: 2.7951e-5, a local one of the paper; GradientConverged
            30 Broyden tridiagonal, 10 x: 8.7897e-1; ValueConverged
            53 others: the least
        "#]],
    );
}

#[test]
fn by_newton() {
    ends(
        |p, x| Newton::new().minimize(p.sum_of_squares(), x),
        &expect![[r#"
            2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
            2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
            3 Powell badly scaled, 10 x: 1.1184e-8; StepLimit
            10 Meyer, 10 x: 3.7768e8; StepLimit
            17 Osborne 1, 10 x: 4.7277e-2; StepLimit
            18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
            18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
            19 Osborne 2, 10 x: 1.7898e0; GradientConverged
            26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
            26 Trigonometric, 10 x: 4.2186e-5; GradientConverged
            60 others: the least
        "#]],
    );
}

#[test]
fn by_truncated_newton() {
    ends(
        |p, x| {
            let method = Newton::new().truncated(true);
            method.minimize(p.sum_of_squares(), x)
        },
        &expect![[r#"
            2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
            2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
            3 Powell badly scaled: 1.1792e-9; GradientConverged
            3 Powell badly scaled, 10 x: 4.1732e-9; GradientConverged
            10 Meyer, 10 x: 1.6820e6; ValueConverged
            17 Osborne 1, 10 x: 4.7257e-2; ValueConverged
            18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
            18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
            19 Osborne 2, 10 x: 1.7898e0; GradientConverged
            26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
            26 Trigonometric, 10 x: 4.2186e-5; GradientConverged
            59 others: the least
        "#]],
    );
}

#[test]
fn within_bounds_that_do_not_matter() {
    let far = |p: &Problem, x: f64| full(p.n, x);
    ends(
        move |p, x| {
            let f = p.sum_of_squares();
            Bounded::new().minimize(f, x, far(p, -1e8), far(p, 1e8))
        },
        &expect![[r#"
            2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
            2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
            3 Powell badly scaled, 10 x: 4.1732e-9; GradientConverged
            10 Meyer, 10 x: 7.0932e5; ValueConverged
            17 Osborne 1, 10 x: 4.6706e-2; StepLimit
            18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
            18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
            19 Osborne 2, 10 x: 1.7898e0; GradientConverged
            26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
            26 Trigonometric, 10 x: 2.7951e-5, a local one of the paper; GradientConverged
            60 others: the least
        "#]],
    );
}

#[test]
fn by_the_cauchy_point_within_bounds_that_do_not_matter() {
    let far = |p: &Problem, x: f64| full(p.n, x);
    ends(
        move |p, x| {
            let f = p.sum_of_squares();
            LbfgsB::new().minimize(f, x, far(p, -1e8), far(p, 1e8))
        },
        &expect![[r#"
            2 Freudenstein and Roth: 4.8984e1, a local one of the paper; GradientConverged
            2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; GradientConverged
            3 Powell badly scaled: 4.2734e-5; StepLimit
            3 Powell badly scaled, 10 x: 4.1732e-9; GradientConverged
            4 Brown badly scaled: 1.7182e-10; StepConverged
            4 Brown badly scaled, 10 x: 1.1133e-3; Stalled
            10 Meyer: 9.7268e4; StepLimit
            10 Meyer, 10 x: 8.7209e8; StepLimit
            17 Osborne 1, 10 x: 5.8120e-2; StepLimit
            18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
            18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
            19 Osborne 2, 10 x: 1.7898e0; GradientConverged
            26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
            26 Trigonometric, 10 x: 2.7951e-5, a local one of the paper; GradientConverged
            56 others: the least
        "#]],
    );
}
