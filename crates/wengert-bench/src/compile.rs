//! Long straight-line code of scalar operations, whose compilation takes longer than its runs.

use wengert::prelude::*;

use crate::inputs::array;
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    let mut all = vec![with_gradient("compile/chain_2000".into(), 2_000)];
    for n in [500, 5_000, 50_000] {
        all.push(Workload::of(
            format!("compile/chain_plain_{n}"),
            move || {
                let f = jit(move |x: Var| chain(x, n));
                (f, Array::from(0.3))
            },
        ));
        all.push(with_gradient(format!("compile/chain_grad_{n}"), n));
        all.push(Workload::of(
            format!("compile/chain_lanes_{n}"),
            move || {
                let f = jit(vmap(move |x: Var| chain(x, n)));
                let x = array([1000], 0);
                (f, x)
            },
        ));
    }
    all
}

fn with_gradient(name: String, n: usize) -> Workload {
    Workload::of(name, move || {
        let f = jit(grad(move |x: Var| chain(x, n)));
        let x = Array::from(0.3);
        (f, x)
    })
}

/// Records `n` operations in a straight line: steps of a kicked pendulum.
fn chain(mut x: Var, n: usize) -> Var {
    let mut p = 0.0 * x;
    for _ in 0..n / 4 {
        p -= 0.1 * x.sin();
        x += p;
    }
    x
}
