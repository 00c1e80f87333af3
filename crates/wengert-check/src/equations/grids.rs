//! Partial differential equations by the method of lines.

use wengert::prelude::*;

use super::Problem;

/// The reactions of a solid with antibodies, between a tumour and what enters from outside until time 5 (Akzo Nobel,
/// Arnhem; the test set's Medakzo): 200 cells with two concentrations each.
fn medical_akzo(t: Var, y: Var) -> Var {
    const N: usize = 200;
    const K: f64 = 100.0;
    const C: f64 = 4.0;
    let dz = 1.0 / N as f64;
    let pairs = y.reshape([N as i64, 2]);
    let (u, v) = (pairs.at(s![.., 0]), pairs.at(s![.., 1]));
    let z = (1.0 + arange(0..N).to(DType::F64)) * dz;
    let alpha = 2.0 * (z - 1.0).powi(3) / (C * C);
    let beta = (z - 1.0).powi(4) / (C * C);
    let outside = t.le(5.0).select(2.0, 0.0).reshape([1]);
    let left = concat([outside, u.at(s![..N - 1])], 0);
    let right = concat([u.at(s![1..]), u.at(s![N - 1..])], 0);
    let reaction = K * u * v;
    let flow = alpha * (right - left) / (2.0 * dz) + beta * (left - 2.0 * u + right) / (dz * dz);
    stack_axis([flow - reaction, -reaction], 1).reshape([2 * N as i64])
}

/// The Brusselator with diffusion on a line (Hairer and Wanner I, II.10), for a vector of two numbers at each point inside:
/// `u' = 1 + u² v - 4 u + u_xx / 50`, `v' = 3 u - u² v + v_xx / 50`, with 1 and 3 at the ends.
pub fn brusselator(_: Var, y: Var) -> Var {
    let n = y.shape()[0] / 2;
    let alpha = (n + 1).pow(2) as f64 / 50.0;
    let pairs = y.reshape([n as i64, 2]);
    let (u, v) = (pairs.at(s![.., 0]), pairs.at(s![.., 1]));
    let bent = |w: Var, end: f64| {
        let end = full([1], end);
        let left = concat([end, w.at(s![..n - 1])], 0);
        let right = concat([w.at(s![1..]), end], 0);
        alpha * (left - 2.0 * w + right)
    };
    let reaction = u.square() * v;
    let rates = [
        1.0 + reaction - 4.0 * u + bent(u, 1.0),
        3.0 * u - reaction + bent(v, 3.0),
    ];
    stack_axis(rates, 1).reshape([2 * n as i64])
}

/// The Brusselator on a periodic square with a hot spot that is lit at time 1.1 (Hairer and Wanner II, IV.10), for the two
/// concentrations on a grid of shape `[2, n, n]`.
pub fn brusselator_2d(t: Var, y: Var) -> Var {
    let n = y.shape()[1];
    let alpha = 0.1 * (n * n) as f64;
    let (u, v) = (y.at(0), y.at(1));
    let bent = |w: Var| {
        let around = w.roll(1, 0) + w.roll(-1, 0) + w.roll(1, 1) + w.roll(-1, 1);
        alpha * (around - 4.0 * w)
    };
    let x = arange(0..n).to(DType::F64) / n as f64;
    let off = (x - 0.3).square().expand_dims(1) + (x - 0.6).square().expand_dims(0);
    // A point at a distance of exactly 0.1 is inside, whatever the rounding.
    let lit = off.le(0.01 + 1e-12) & t.ge(1.1);
    let reaction = u.square() * v;
    stack([
        1.0 + reaction - 4.4 * u + bent(u) + lit.select(5.0, 0.0),
        3.4 * u - reaction + bent(v),
    ])
}

/// The start of [`brusselator_2d`], row by row.
pub fn brusselator_2d_start(n: usize) -> Vec<f64> {
    let x: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
    let bump = |x: f64, height: f64| height * x * (1.0 - x).powf(1.5);
    let u = x.iter().flat_map(|_| x.iter().map(|y| bump(*y, 22.0)));
    let v = x.iter().flat_map(|x| vec![bump(*x, 27.0); n]);
    u.chain(v).collect()
}

/// The points of the problem's grid in each direction.
const SIDE: usize = 16;

pub(super) fn problems() -> Vec<Problem> {
    let lines: Vec<f64> = (1..=40)
        .flat_map(|i| {
            [
                1.0 + (2.0 * std::f64::consts::PI * i as f64 / 41.0).sin(),
                3.0,
            ]
        })
        .collect();
    let square = |t: Var, y: Var| {
        let side = SIDE as i64;
        brusselator_2d(t, y.reshape([2, side, side])).reshape([2 * side * side])
    };
    vec![
        Problem::large("medical_akzo", medical_akzo, [0.0, 1.0].repeat(200), 20.0)
            .stiff()
            .bands(2)
            .jumps(&[5.0])
            .small(1e-3),
        Problem::large("brusselator", brusselator, lines, 10.0)
            .stiff()
            .bands(2),
        Problem::large("brusselator_2d", square, brusselator_2d_start(SIDE), 11.5)
            .stiff()
            .jumps(&[1.1]),
    ]
}
