//! The problems of Hull, Enright, Fellen and Sedgwick (1972), from time 0 to 20: single equations (A), small systems (B),
//! moderate ones (C), orbits (D) and equations of higher order (E).

use std::array::from_fn;

use wengert::prelude::*;

use super::{Problem, circuits};

fn b4(_: Var, [x, y, z]: [Var; 3]) -> [Var; 3] {
    let r = (x.square() + y.square()).sqrt();
    [-y - x * z / r, x - y * z / r, x / r]
}

/// A chain of ten decays with these rates, whose last product is stable.
fn chain(rate: fn(usize) -> f64, y: [Var; 10]) -> [Var; 10] {
    from_fn(|i| match i {
        0 => -rate(0) * y[0],
        9 => rate(8) * y[8],
        _ => rate(i - 1) * y[i - 1] - rate(i) * y[i],
    })
}

/// Heat in a rod with cold ends.
fn heat(_: Var, y: Var) -> Var {
    let n = y.shape()[0];
    let cold = zeros([1]);
    let left = concat([cold, y.at(s![..n - 1])], 0);
    let right = concat([y.at(s![1..]), cold], 0);
    left - 2.0 * y + right
}

const PLACES: [f64; 15] = [
    3.42947415189,
    3.35386959711,
    1.35494901715,
    6.64145542550,
    5.97156957878,
    2.18231499728,
    11.2630437207,
    14.6952576794,
    6.27960525067,
    -30.1552268759,
    1.65699966404,
    1.43785752721,
    -21.1238353380,
    28.4465098142,
    15.3882659679,
];
const SPEEDS: [f64; 15] = [
    -0.557160570446,
    0.505696783289,
    0.230578543901,
    -0.415570776342,
    0.365682722812,
    0.169143213293,
    -0.325325669158,
    0.189706021964,
    0.0877265322780,
    -0.0240476254170,
    -0.287659532608,
    -0.117219543175,
    -0.176860753121,
    -0.216393453025,
    -0.0148647893090,
];

/// The five outer planets around the sun.
fn planets(_: Var, y: Var) -> Var {
    const K: f64 = 2.95912208286;
    const SUN: f64 = 1.00000597682;
    const MASSES: [f64; 5] = [
        0.000954786104043,
        0.000285583733151,
        0.0000437273164546,
        0.0000517759138449,
        0.00000277777777778,
    ];
    let place = |j: usize| y.at(s![3 * j..3 * j + 3]);
    let cube = |p: Var| {
        let square = p.square().sum();
        square * square.sqrt()
    };
    let pull = |j: usize| {
        let p = place(j);
        let others = (0..5).filter(|i| *i != j).map(|i| {
            let q = place(i);
            MASSES[i] * ((q - p) / cube(q - p) - q / cube(q))
        });
        K * (others.sum::<Var>() - (SUN + MASSES[j]) * p / cube(p))
    };
    let pulls = (0..5).map(pull);
    concat(
        [y.at(s![15..])]
            .into_iter()
            .chain(pulls)
            .collect::<Vec<_>>(),
        0,
    )
}

fn kepler(_: Var, [x, y, u, v]: [Var; 4]) -> [Var; 4] {
    let square = x.square() + y.square();
    let cube = square * square.sqrt();
    [u, v, -x / cube, -y / cube]
}

fn bessel(t: Var, [y, v]: [Var; 2]) -> [Var; 2] {
    let t = t + 1.0;
    [v, -(v / t + (1.0 - 0.25 / t.square()) * y)]
}

fn first(n: usize) -> Vec<f64> {
    let mut start = vec![0.0; n];
    start[0] = 1.0;
    start
}

pub(super) fn problems() -> Vec<Problem> {
    let ten: [f64; 10] = from_fn(|i| if i == 0 { 1.0 } else { 0.0 });
    let orbit = |name, e: f64| {
        let start = [1.0 - e, 0.0, 0.0, ((1.0 + e) / (1.0 - e)).sqrt()];
        Problem::new(name, kepler, start, 20.0)
    };
    vec![
        Problem::new("detest_a1", |_, [y]: [Var; 1]| [-y], [1.0], 20.0),
        Problem::new(
            "detest_a2",
            |_, [y]: [Var; 1]| [-0.5 * y.powi(3)],
            [1.0],
            20.0,
        ),
        Problem::new("detest_a3", |t, [y]: [Var; 1]| [y * t.cos()], [1.0], 20.0),
        Problem::new(
            "detest_a4",
            |_, [y]: [Var; 1]| [0.25 * y * (1.0 - y / 20.0)],
            [1.0],
            20.0,
        ),
        Problem::new(
            "detest_a5",
            |t, [y]: [Var; 1]| [(y - t) / (y + t)],
            [4.0],
            20.0,
        ),
        Problem::new(
            "detest_b1",
            |_, [x, y]: [Var; 2]| [2.0 * (x - x * y), x * y - y],
            [1.0, 3.0],
            20.0,
        ),
        Problem::new(
            "detest_b2",
            |_, [x, y, z]: [Var; 3]| [y - x, x - 2.0 * y + z, y - z],
            [2.0, 0.0, 1.0],
            20.0,
        ),
        Problem::new(
            "detest_b3",
            |_, [x, y, _]: [Var; 3]| [-x, x - y.square(), y.square()],
            [1.0, 0.0, 0.0],
            20.0,
        ),
        Problem::new("detest_b4", b4, [3.0, 0.0, 0.0], 20.0),
        Problem::new(
            "detest_b5",
            |_, [x, y, z]: [Var; 3]| [y * z, -x * z, -0.51 * x * y],
            [0.0, 1.0, 1.0],
            20.0,
        ),
        Problem::new("detest_c1", |_, y| chain(|_| 1.0, y), ten, 20.0),
        Problem::new("detest_c2", |_, y| chain(|i| (i + 1) as f64, y), ten, 20.0),
        Problem::large("detest_c3", heat, first(10), 20.0),
        Problem::large("detest_c4", heat, first(51), 20.0),
        Problem::large("detest_c5", planets, [PLACES, SPEEDS].concat(), 20.0),
        orbit("detest_d1", 0.1),
        orbit("detest_d2", 0.3),
        orbit("detest_d3", 0.5),
        orbit("detest_d4", 0.7),
        orbit("detest_d5", 0.9),
        Problem::new(
            "detest_e1",
            bessel,
            [0.671396707141803, 0.09540051444747446],
            20.0,
        ),
        Problem::new(
            "detest_e2",
            |_, y| circuits::van_der_pol(1.0.into(), y),
            [2.0, 0.0],
            20.0,
        ),
        Problem::new(
            "detest_e3",
            |t, [y, v]: [Var; 2]| [v, y.powi(3) / 6.0 - y + 2.0 * (2.78535 * t).sin()],
            [0.0; 2],
            20.0,
        ),
        Problem::new(
            "detest_e4",
            |_, [_, v]: [Var; 2]| [v, 0.032 - 0.4 * v.square()],
            [30.0, 0.0],
            20.0,
        ),
        Problem::new(
            "detest_e5",
            |t, [_, v]: [Var; 2]| [v, (1.0 + v.square()).sqrt() / (25.0 - t)],
            [0.0; 2],
            20.0,
        ),
    ]
}
