//! The collection of Moré, Garbow and Hillstrom.

use expect_test::{Expect, expect};
use wengert::prelude::*;
use wengert_solve::minimize::{Minimum, minimize};

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
        17 Osborne 1, 10 x: 5.8651e-2; StepConverged
        18 Biggs EXP6: 5.6556e-3, a local one of the paper; GradientConverged
        18 Biggs EXP6, 10 x: 5.6556e-3, a local one of the paper; GradientConverged
        19 Osborne 2, 10 x: 1.7898e0; GradientConverged
        26 Trigonometric: 2.7951e-5, a local one of the paper; GradientConverged
        61 others: the least
    "#]],
    );
}
