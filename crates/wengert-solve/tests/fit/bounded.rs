//! Fits whose bounds hold at the minimum, beside the trust region reflective method of Branch, Coleman and Li (1999).

use wengert::prelude::*;
use wengert_solve::fit::{LevenbergMarquardt, Method, Parameters};

use crate::mgh::problems;

/// A problem of the collection, bounds that cut off its minimum, the least sum of squares within them, and the number of
/// evaluations that SciPy 1.17 takes with `least_squares(method="trf")`, tolerances of 1e-14 and central differences, where
/// only the evaluations of steps are counted.
type Case = (usize, &'static [f64], &'static [f64], f64, i64);

const CASES: [Case; 9] = [
    (1, &[-2.0, -2.0], &[0.5, 2.0], 0.25, 19),
    (1, &[-50.0, -1.0], &[0.5, 100.0], 0.25, 22),
    (5, &[0.6, 0.5], &[10.0, 100.0], 0.0, 26),
    (
        7,
        &[-100.0, -1.0, -1.0],
        &[0.8, 1.0, 1.0],
        9.904_221_210e-1,
        17,
    ),
    (8, &[0.1, 0.0, 0.0], &[50.0, 1.5, 1.5], 7.233_066_264e-1, 10),
    (
        12,
        &[0.0, 5.0, 0.0],
        &[2.0, 9.5, 20.0],
        1.143_481_803e-4,
        15,
    ),
    (
        13,
        &[0.1, -20.0, -1.0, -1.0],
        &[100.0, 20.0, 1.0, 50.0],
        1.878_196_301e-4,
        18,
    ),
    (
        14,
        &[-100.0; 4],
        &[0.0, 10.0, 100.0, 100.0],
        1.556_700_800,
        29,
    ),
    (
        15,
        &[0.15, -1.0, 0.13, 0.12],
        &[0.18, 1.0, 1.0, 0.13],
        6.573_728_931e-4,
        8,
    ),
];

#[test]
fn bounds_that_hold_take_about_the_steps_of_reflection() {
    let all = problems();
    let (mut ours, mut theirs) = (0, 0);
    for (number, low, high, least, reflective) in CASES {
        let p = &all[number - 1];
        for method in [Method::LevenbergMarquardt, Method::Damped, Method::Dogleg] {
            let (residuals, start) = (p.residuals, p.start.clone());
            let fit = jit(move |()| {
                let start = Var::from(Array::from(start.clone()));
                let [low, high] = [low, high].map(|b| Var::from(Array::from(b.to_vec())));
                let start = Parameters::new(start).bounds(low, high);
                LevenbergMarquardt::new()
                    .method(method)
                    .ftol(1e-14)
                    .xtol(1e-14)
                    .gtol(1e-12)
                    .max_steps(500)
                    .least_squares(residuals, start)
            });
            let fit = fit.call(()).unwrap();
            let (rss, steps) = (
                fit.rss.item::<f64>().unwrap(),
                fit.iterations.item::<i64>().unwrap(),
            );
            let status = fit.statuses().unwrap()[0];
            let what = format!(
                "{} by {method:?}: {rss:e} after {steps}, {status:?}",
                p.name
            );
            println!("{what}; {reflective} by reflection");
            assert!((rss - least).abs() <= 1e-8 * least + 1e-18, "{what}");
            assert!(status.is_converged(), "{what}");
            let x = fit.params.to_vec::<f64>().unwrap();
            let inside = x.iter().zip(low.iter().zip(high));
            assert!(
                inside.into_iter().all(|(x, (l, h))| l <= x && x <= h),
                "{what}: {x:?}"
            );
            if method == Method::LevenbergMarquardt {
                ours += steps;
                theirs += reflective;
            }
        }
    }
    // Fewer on most of the problems, and more on the singular ones.
    assert!(
        4 * ours <= 5 * theirs,
        "{ours} steps, and {theirs} by reflection"
    );
}
