//! The collection of Moré, Garbow and Hillstrom by least squares.

use expect_test::expect;
use wengert::prelude::*;
use wengert_solve::fit::LevenbergMarquardt;

use crate::mgh::problems;

/// From the standard start and from ten times that, each ends at the least value of the paper, or is named.
#[test]
fn ends_of_least_squares() {
    let mut lines = String::new();
    let mut least = 0;
    for p in problems() {
        let residuals = p.residuals;
        let options = LevenbergMarquardt::new().max_steps(1000);
        let f = jit(vmap(move |x: Var| options.least_squares(residuals, x)));
        let fit = f
            .call(Array::from(vec![p.start_times(1.0), p.start_times(10.0)]))
            .unwrap();
        for (i, times) in ["", ", 10 x"].iter().enumerate() {
            let value = fit.rss.get::<f64>([i]).unwrap();
            let status = fit.statuses().unwrap()[i];
            let near = |want: &&f64| (value - **want).abs() <= 1e-5 * want.abs() + 1e-11;
            let end = match p.minima.iter().position(|m| near(&m)) {
                Some(0) if status.is_converged() => {
                    least += 1;
                    continue;
                }
                Some(0) => "the least".into(),
                Some(_) => format!("{value:.4e}, a local one of the paper"),
                None => format!("{value:.4e}"),
            };
            lines += &format!("{} {}{times}: {end}; {status:?}\n", p.number, p.name);
        }
    }
    lines += &format!("{least} others: the least\n");
    expect![[r#"
        2 Freudenstein and Roth: 4.8984e1, a local one of the paper; ValueConverged
        2 Freudenstein and Roth, 10 x: 4.8984e1, a local one of the paper; ValueConverged
        3 Powell badly scaled, 10 x: 1.0005e-8; StepLimit
        5 Beale, 10 x: 4.5201e-1; StepLimit
        6 Jennrich and Sampson, 10 x: 2.8762e11; StepLimit
        8 Bard, 10 x: 1.7429e1, a local one of the paper; StepLimit
        12 Box three-dimensional, 10 x: 7.5589e-2; ValueConverged
        13 Powell singular: the least; StepLimit
        13 Powell singular, 10 x: the least; StepLimit
        15 Kowalik and Osborne, 10 x: 1.5944e-3; ValueConverged
        19 Osborne 2, 10 x: 1.7898e0; ValueConverged
        22 Extended Powell singular: the least; StepLimit
        22 Extended Powell singular, 10 x: the least; StepLimit
        26 Trigonometric: 2.7951e-5, a local one of the paper; StepConverged
        26 Trigonometric, 10 x: 8.7882e-4; StepConverged
        35 Chebyquad, 10 x: 4.1264e2; StepLimit
        54 others: the least
    "#]]
    .assert_eq(&lines);
}
