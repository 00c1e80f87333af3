//! The 53 cases of MINPACK's own test of `lmder` (Moré, Garbow and Hillstrom, *User guide for MINPACK-1*, 1980): 18 problems
//! in 28 sizes, from the standard start and for most of them from ten and a hundred times that.

use std::sync::Arc;

use expect_test::expect;
use wengert::prelude::*;
use wengert_solve::fit::LevenbergMarquardt;

use crate::mgh::{Problem, problems};

type Residuals = Arc<dyn Fn(Var) -> Var + Send + Sync>;

fn numbers(n: usize) -> Var {
    arange(1..n + 1).to(DType::F64)
}

/// Chebyquad with more equations than unknowns.
fn chebyquad(x: Var, m: usize) -> Var {
    let z = 2.0 * x - 1.0;
    let (mut before, mut now) = (ones_like(x), z);
    let mut rows = vec![];
    for i in 1..=m {
        let even = 1.0 - (i * i) as f64;
        let integral = if i % 2 == 0 { 1.0 / even } else { 0.0 };
        rows.push(now.mean() - integral);
        (before, now) = (now, 2.0 * z * now - before);
    }
    stack(rows)
}

/// The residuals of a problem of the collection, for numbers of unknowns and residuals other than its usual ones.
fn residuals(p: &Problem, n: usize, m: usize) -> Residuals {
    let f = p.residuals;
    match p.number {
        32 => Arc::new(move |x| x.pad([(0, m - n)]) - 2.0 / m as f64 * x.sum() - 1.0),
        33 => Arc::new(move |x| numbers(m) * numbers(n).dot(x) - 1.0),
        34 => Arc::new(move |x| {
            let inner = |n: usize| {
                let i = numbers(n);
                (i.gt(1.0) & i.lt(n as f64)).select(1.0, 0.0)
            };
            (numbers(m) - 1.0) * inner(m) * (numbers(n) * inner(n)).dot(x) - 1.0
        }),
        35 => Arc::new(move |x| chebyquad(x, m)),
        _ => Arc::new(f),
    }
}

fn start(p: &Problem, n: usize) -> Vec<f64> {
    match p.number {
        35 => (1..=n).map(|j| j as f64 / (n as f64 + 1.0)).collect(),
        _ if n == p.n => p.start.clone(),
        _ => vec![p.start[0]; n],
    }
}

/// The number in the collection, unknowns, residuals, starts, and the least sums of squares: the global one first.
const ROWS: [(usize, usize, usize, usize, &[f64]); 28] = [
    (32, 5, 10, 1, &[5.0]),
    (32, 5, 50, 1, &[45.0]),
    (33, 5, 10, 1, &[90.0 / 42.0]),
    (33, 5, 50, 1, &[2450.0 / 202.0]),
    (34, 5, 10, 1, &[124.0 / 34.0]),
    (34, 5, 50, 1, &[2644.0 / 194.0]),
    (1, 2, 2, 3, &[0.0]),
    (7, 3, 3, 3, &[0.0]),
    (13, 4, 4, 3, &[0.0]),
    (2, 2, 2, 3, &[0.0, 48.984_25]),
    (8, 3, 15, 3, &[8.214_877e-3, 17.428_69]),
    (15, 4, 11, 3, &[3.075_056e-4, 1.027_34e-3]),
    (10, 3, 16, 2, &[87.945_85]),
    (20, 6, 31, 3, &[2.287_670e-3]),
    (20, 9, 31, 3, &[1.399_760e-6]),
    (20, 12, 31, 3, &[4.722_381e-10]),
    (12, 3, 10, 1, &[0.0]),
    (6, 2, 10, 1, &[124.362_2]),
    (16, 4, 20, 3, &[85_822.2]),
    (35, 1, 8, 3, &[3.550_391, 3.557_894]),
    (35, 8, 8, 1, &[3.516_874e-3]),
    (35, 9, 9, 1, &[0.0]),
    (35, 10, 10, 1, &[6.503_955e-3, 4.772_714e-3]),
    (27, 10, 10, 3, &[0.0, 1.0]),
    (27, 30, 30, 1, &[0.0, 1.0]),
    (27, 40, 40, 1, &[0.0, 1.0]),
    (17, 5, 33, 1, &[5.464_895e-5]),
    (19, 11, 65, 1, &[4.013_774e-2]),
];

#[test]
fn cases_of_minpack() {
    let all = problems();
    let (mut lines, mut least, mut cases) = (String::new(), 0, 0);
    for (number, n, m, tries, minima) in ROWS {
        let p = &all[number - 1];
        let f = residuals(p, n, m);
        let options = LevenbergMarquardt::new().max_steps(400);
        let fit = jit(vmap(move |x: Var| options.least_squares(|x: Var| f(x), x)));
        let times = &[1.0, 10.0, 100.0][..tries];
        let usual = start(p, n);
        let from = |factor: &f64| -> Vec<f64> {
            match usual.iter().all(|x| *x == 0.0) && *factor != 1.0 {
                true => vec![*factor; n],
                false => usual.iter().map(|x| factor * x).collect(),
            }
        };
        let starts: Vec<Vec<f64>> = times.iter().map(from).collect();
        let fit = fit.call(Array::from(starts)).unwrap();
        assert_eq!(fit.rss.shape(), [tries]);
        for (i, factor) in times.iter().enumerate() {
            cases += 1;
            let value = fit.rss.get::<f64>([i]).unwrap();
            let end = fit.statuses().unwrap()[i];
            let near = |want: &f64| (value - want).abs() <= 1e-5 * want + 1e-11;
            match minima.iter().position(near) {
                Some(0) => least += 1,
                found => {
                    let local = if found.is_some() { ", a local one" } else { "" };
                    let name = p.name;
                    lines +=
                        &format!("{name}, {n} of {m}, {factor} x: {value:.4e}{local}; {end:?}\n");
                }
            }
        }
    }
    assert_eq!(cases, 53);
    lines += &format!("{least} others: the least\n");
    expect![[r#"
        Freudenstein and Roth, 2 of 2, 1 x: 4.8984e1, a local one; ValueConverged
        Freudenstein and Roth, 2 of 2, 10 x: 4.8984e1, a local one; ValueConverged
        Freudenstein and Roth, 2 of 2, 100 x: 4.8984e1, a local one; ValueConverged
        Bard, 3 of 15, 10 x: 1.7429e1, a local one; StepLimit
        Bard, 3 of 15, 100 x: 1.7429e1, a local one; StepLimit
        Kowalik and Osborne, 4 of 11, 10 x: 1.5944e-3; ValueConverged
        Chebyquad, 1 of 8, 1 x: 3.5579e0, a local one; GradientConverged
        Chebyquad, 1 of 8, 100 x: 1.0676e10; StepLimit
        Brown almost-linear, 10 of 10, 100 x: 3.1845e7; StepLimit
        44 others: the least
    "#]]
    .assert_eq(&lines);
}
