//! Fits by the solvers of `wengert-solve`.

use wengert::prelude::*;
use wengert_solve::fit::{LevenbergMarquardt, Method};

use crate::fits::{Pelts, lynx_hare_starts};
use crate::inputs::{linspace, u};
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    // The tolerances of the peers.
    let options = LevenbergMarquardt::new()
        .ftol(1e-8)
        .xtol(1e-8)
        .max_steps(200);
    vec![
        Workload::of("solve/decay_10000", move || {
            let x = linspace(0.0, 5.0, 50);
            let [a, b, c] = [0, 5, 9].map(|k| u(10_000, k));
            let row = |i: usize| -> Vec<f64> {
                let value = |x: &f64| {
                    let decay = (1.0 + 2.0 * a[i]) * (-(0.5 + 2.0 * b[i]) * x).exp();
                    decay + c[i] + 0.01 * (17.0 * x + 6.0 * a[i]).sin()
                };
                x.iter().map(value).collect()
            };
            let rows: Vec<f64> = (0..10_000).flat_map(row).collect();
            let rows = Array::new([10_000, 50], rows).expect("all of them");
            let x = Array::from(x);
            let options = options.method(Method::Damped);
            let f = jit(vmap(move |y: Var| {
                let model = |x: Var, p: [Var; 3]| p[0] * (-p[1] * x).exp() + p[2];
                options.curve_fit(model, &x, y, [1.0, 1.0, 0.0]).params
            }));
            (f, rows)
        }),
        Workload::of("solve/lotka_volterra_1000", move || {
            let data = Pelts::read();
            let f = jit(move |starts: Var| {
                let rss = |q: Var| options.least_squares(|q: Var| data.residuals(q), q).rss;
                vmap(rss)(starts).amin()
            });
            (f, Array::from(lynx_hare_starts()))
        })
        .with_steps(40.0),
    ]
}
