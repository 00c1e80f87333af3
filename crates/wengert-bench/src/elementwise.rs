//! A single call, and elementwise work: maps, sums and layout.

use std::hint::black_box;

use wengert::prelude::*;

use wengert::Overlap;

use crate::inputs::{array, u};
use crate::measure::{Workload, times};

const N: usize = 10_000_000;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("call/scalar", || {
            (jit(|x: Var| x * x + 1.0), Array::from(3.0))
        })
        .measured_by(|| {
            let f = jit(|x: Var| x * x + 1.0);
            times(|| {
                let y = f.call(black_box(3.0))?;
                black_box(y.item::<f64>()?);
                Ok(y)
            })
        }),
        Workload::of("map/axpy_mul_1e7", || {
            let f = jit(|(x, y): (Var, Var)| (2.0 * x + y) * (x - y));
            let (x, y) = pair();
            (f, (x, y))
        }),
        Workload::of("map/sin_exp_tanh_1e7", || {
            let f = jit(|(x, y): (Var, Var)| sin_exp_tanh(x, y));
            let (x, y) = pair();
            (f, (x, y))
        }),
        Workload::of("map/grad_sin_exp_tanh_1e7", || {
            let f = jit(|(x, y): (Var, Var)| grad(|x| sin_exp_tanh(x, y).sum())(x));
            let (x, y) = pair();
            (f, (x, y))
        }),
        Workload::of("reduce/sum_1e7", || {
            let f = jit(|x: Var| x.sum());
            let x = array([N], 0);
            (f, x)
        }),
        Workload::of("reduce/logsumexp_1e7", || {
            let f = jit(|x: Var| x.logsumexp());
            let x = array([N], 0);
            (f, x)
        }),
        Workload::of("reduce/softmax_4096x1024", || {
            let f = jit(|a: Var| a.softmax(1));
            let a = array([4096, 1024], 0);
            (f, a)
        }),
        Workload::of("layout/transpose_add_4096x1024", || {
            let f = jit(|a: Var| a.t() + 1.0);
            let a = array([4096, 1024], 0);
            (f, a)
        }),
        Workload::of("reduce/distances_2000x50", || {
            let f = jit(|(x, y): (Var, Var)| {
                let differences = x.expand_dims(1) - y.expand_dims(0);
                differences.square().sum_axis(-1).sqrt()
            });
            (f, (array([2000, 50], 0), array([2000, 50], 7)))
        }),
        Workload::of("signal/convolve_1e5x400", || {
            let f =
                jit(|(x, response): (Var, Var)| x.convolve(response, Overlap::Full).at(..100_000));
            let x: Vec<f64> = u(100_000, 0).iter().map(|u| f64::from(*u < 0.05)).collect();
            (f, (Array::from(x), Array::from(haemodynamic_response())))
        }),
    ]
}

/// Returns the response of blood flow to a short stimulus, every 0.05 s: the difference of two gamma
/// distributions.
fn haemodynamic_response() -> Vec<f64> {
    let peak = |t: f64| t.powi(5) * (-t).exp() / 120.0;
    let undershoot = |t: f64| t.powi(15) * (-t).exp() / 1_307_674_368_000.0;
    let times = (0..400).map(|i| 0.05 * f64::from(i));
    times.map(|t| peak(t) - undershoot(t) / 6.0).collect()
}

fn sin_exp_tanh(x: Var, y: Var) -> Var {
    x.sin() * y.exp() + (x * y).tanh()
}

fn pair() -> (Array, Array) {
    (array([N], 0), array([N], 7))
}
