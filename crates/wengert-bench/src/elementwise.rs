//! A single call, and elementwise work: maps, sums and layout.

use std::hint::black_box;

use wengert::prelude::*;

use crate::inputs::array;
use crate::measure::{Workload, times};

const N: usize = 10_000_000;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::new("call/scalar", || {
            let f = jit(|x: Var| x * x + 1.0);
            times(|| {
                let y = f.call(black_box(3.0))?;
                black_box(y.item::<f64>()?);
                Ok(y)
            })
        }),
        Workload::new("map/axpy_mul_1e7", || {
            let f = jit(|(x, y): (Var, Var)| (2.0 * x + y) * (x - y));
            let (x, y) = pair();
            times(|| f.call((&x, &y)))
        }),
        Workload::new("map/sin_exp_tanh_1e7", || {
            let f = jit(|(x, y): (Var, Var)| sin_exp_tanh(x, y));
            let (x, y) = pair();
            times(|| f.call((&x, &y)))
        }),
        Workload::new("map/grad_sin_exp_tanh_1e7", || {
            let f = jit(|(x, y): (Var, Var)| grad(|x| sin_exp_tanh(x, y).sum())(x));
            let (x, y) = pair();
            times(|| f.call((&x, &y)))
        }),
        Workload::new("reduce/sum_1e7", || {
            let f = jit(|x: Var| x.sum());
            let x = array([N], 0);
            times(|| f.call(&x))
        }),
        Workload::new("reduce/logsumexp_1e7", || {
            let f = jit(|x: Var| x.logsumexp());
            let x = array([N], 0);
            times(|| f.call(&x))
        }),
        Workload::new("reduce/softmax_4096x1024", || {
            let f = jit(|a: Var| a.softmax(1));
            let a = array([4096, 1024], 0);
            times(|| f.call(&a))
        }),
        Workload::new("layout/transpose_add_4096x1024", || {
            let f = jit(|a: Var| a.t() + 1.0);
            let a = array([4096, 1024], 0);
            times(|| f.call(&a))
        }),
    ]
}

fn sin_exp_tanh(x: Var, y: Var) -> Var {
    x.sin() * y.exp() + (x * y).tanh()
}

fn pair() -> (Array, Array) {
    (array([N], 0), array([N], 7))
}
