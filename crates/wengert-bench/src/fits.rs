//! Least squares from a thousand starting points, by the Levenberg-Marquardt method.

use std::array::from_fn;

use wengert::prelude::*;

use crate::inputs::{linspace, u};
use crate::measure::Workload;
use crate::ode::rk4;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("fit/lm_exp_1000", || {
            let x = linspace(0.0, 5.0, 50);
            let y: Vec<f64> = x
                .iter()
                .map(|x| 2.5 * (-1.3 * x).exp() + 0.5 + 0.01 * (17.0 * x).sin())
                .collect();
            let (x, y) = (Array::from(x), Array::from(y));
            let f = jit(vmap(move |start| exponential(start, &x, &y)));
            let (a, b, c) = (u(1000, 0), u(1000, 5), u(1000, 9));
            let starts: Vec<[f64; 3]> = (0..1000)
                .map(|i| [0.5 + 4.0 * a[i], 0.2 + 3.0 * b[i], c[i]])
                .collect();
            let starts = Array::from(starts);
            (f, starts)
        }),
        Workload::of("fit/lynx_hare_1000", || {
            let data = Pelts::read();
            let f = jit(move |starts: Var| vmap(|q| lynx_hare(q, &data))(starts).amin());
            let starts = Array::from(lynx_hare_starts());
            (f, starts)
        })
        .with_steps(40.0),
    ]
}

/// Runs 30 iterations to fit `a exp(-b x) + c` to 50 points.
fn exponential(start: Var, x: &Array, y: &Array) -> Var {
    let residuals = |p: Var| p.at(0) * (-p.at(1) * x).exp() + p.at(2) - y;
    let (p, _) = fori(0..30, (start, 1e-2), |_, (p, damping)| {
        let (r, j) = value_and_jacfwd(residuals)(p);
        let (h, g) = (j.t().dot(j), j.t().dot(r));
        let q = p - solve::<3>(h + damping * h.diagonal().diag(), g);
        let better = residuals(q).square().sum().lt(r.square().sum());
        (better.select(q, p), damping * better.select(0.3, 4.0))
    });
    p
}

/// Logarithms of the pelts, year by year.
pub(crate) struct Pelts {
    lynx: Array,
    hares: Array,
}

impl Pelts {
    pub(crate) fn read() -> Pelts {
        let text = include_str!("../../../data/lynx_hare.csv");
        let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
        let column = |i: usize| -> Array {
            let logs = lines.clone().map(|line| {
                let field = line.split(',').nth(i).and_then(|x| x.parse::<f64>().ok());
                field.expect("a table of numbers").ln()
            });
            Array::from(logs.collect::<Vec<f64>>())
        };
        Pelts {
            lynx: column(1),
            hares: column(2),
        }
    }

    /// Returns the residuals of the Lotka-Volterra model, whose unknowns are given as logarithms.
    pub(crate) fn residuals(&self, q: Var) -> Var {
        let p = q.exp();
        let [alpha, beta, gamma, delta, x0, y0] = from_fn(|i| p.at(i));
        let f = |[x, y]: [Var; 2]| [alpha * x - beta * x * y, delta * x * y - gamma * y];
        let year = |s, _| (fori(0..20, s, |_, s| rk4(f, s, 0.05)), s);
        let (_, [x, y]) = scan([x0, y0], 0..21, year);
        concat([x.ln() - &self.hares, y.ln() - &self.lynx], 0)
    }
}

/// Returns the residual sum of squares at the end of the search, where the fit has converged or the limit is
/// reached.
fn lynx_hare(start: Var, pelts: &Pelts) -> Var {
    let residuals = |q: Var| pelts.residuals(q);
    let rss = |q: Var| residuals(q).square().sum();
    let first = rss(start);
    let first = first.is_finite().select(first, 1e300);
    let (_, _, rss, _, _) = while_loop(
        (start, 1e-2, first, 0, 1.0),
        |(_, _, _, steps, change)| steps.lt(200) & change.gt(1e-10),
        |(q, damping, best, steps, _)| {
            let (r, j) = value_and_jacfwd(residuals)(q);
            let (h, g) = (j.t().dot(j), j.t().dot(r));
            let step = -solve::<6>(h + damping * (h.diagonal() + 1e-12).diag(), g);
            let step = step.is_finite().all().select(step, 0.0);
            let there = rss(q + step);
            let better = there.lt(best);
            let stuck = damping.gt(1e12).select(0.0, 1.0);
            (
                better.select(q + step, q),
                damping * better.select(0.3, 4.0),
                better.select(there, best),
                steps + 1,
                better.select(step.abs().amax(), stuck),
            )
        },
    );
    rss
}

/// Returns a thousand points, spread evenly over a box in the logarithms by the R6 sequence.
pub(crate) fn lynx_hare_starts() -> Vec<[f64; 6]> {
    const BOX: [[f64; 2]; 6] = [
        [0.1, 2.0],
        [0.005, 0.1],
        [0.1, 2.0],
        [0.005, 0.1],
        [5.0, 100.0],
        [1.0, 50.0],
    ];
    const G: f64 = 1.1127756842787055; // the root of g⁷ = g + 1
    let start = |i: usize| {
        from_fn(|j| {
            let [low, high] = BOX[j].map(f64::ln);
            low + (high - low) * ((0.5 + i as f64 * G.powi(-(j as i32 + 1))) % 1.0)
        })
    };
    (1..=1000).map(start).collect()
}

/// Solves `a x = b` for a symmetric, positive definite matrix, by Cholesky decomposition.
fn solve<const N: usize>(a: Var, b: Var) -> Var {
    let mut l: [[Var; N]; N] = from_fn(|i| from_fn(|j| a.at([i, j])));
    let mut x: [Var; N] = from_fn(|i| b.at(i));
    for j in 0..N {
        for i in j..N {
            let rest = (0..j).fold(l[i][j], |s, k| s - l[i][k] * l[j][k]);
            l[i][j] = if i == j { rest.sqrt() } else { rest / l[j][j] };
        }
    }
    for i in 0..N {
        x[i] = (0..i).fold(x[i], |s, k| s - l[i][k] * x[k]) / l[i][i];
    }
    for i in (0..N).rev() {
        x[i] = (i + 1..N).fold(x[i], |s, k| s - l[k][i] * x[k]) / l[i][i];
    }
    stack(x)
}
