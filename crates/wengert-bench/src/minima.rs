//! Minima and roots, alone and a thousand or a million at once.

use wengert::prelude::*;
use wengert_solve::minimize::{Bfgs, Lbfgs};
use wengert_solve::root;

use crate::inputs::{array, u};
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = vec![];
    for n in [2, 100] {
        let bfgs = |x: Var| {
            let m = Bfgs::new().gtol(1e-6).minimize(rosenbrock, x);
            (m.x, m.value)
        };
        all.push(Workload::of(
            format!("minimize/bfgs_rosenbrock_{n}"),
            move || (jit(bfgs), starts(1, n).reshape([n]).expect("one")),
        ));
        let many = format!("minimize/bfgs_rosenbrock_{n}x1000");
        all.push(Workload::of(many, move || {
            (jit(vmap(bfgs)), starts(1000, n))
        }));
    }
    all.push(Workload::of("minimize/lbfgs_logistic_10000x100", || {
        let x = array([10_000, 100], 0);
        let y = array([10_000], 3);
        let f = jit(move |start: Var| {
            let (x, y) = (Var::from(&x) - 0.5, Var::from(&y).gt(0.5).select(1.0, 0.0));
            let loss = |w: Var| {
                let z = x.dot(w);
                (z.softplus() - y * z).mean() + 0.5e-3 * w.dot(w)
            };
            let m = Lbfgs::new().gtol(1e-6).minimize(loss, start);
            (m.x, m.value)
        });
        (f, Array::from(vec![0.0; 100]))
    }));
    all.push(Workload::of("root/brent_1e6", || {
        let kepler = |(m, e): (Var, Var)| root::brent(|x| x - e * x.sin() - m, m - 1.0, m + 1.0).x;
        let m = array([1_000_000], 0);
        let e = Array::from(
            u(1_000_000, 5)
                .into_iter()
                .map(|e| 0.9 * e)
                .collect::<Vec<_>>(),
        );
        (jit(vmap(kepler)), (m, e))
    }));
    all
}

fn rosenbrock(x: Var) -> Var {
    let (here, next) = (x.at(..-1), x.at(1..));
    (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
}

/// Starts around the classical one: -1.2 and 1 in turns.
fn starts(count: usize, n: usize) -> Array {
    let off = u(count * n, 0);
    let each = |i: usize| [-1.2, 1.0][i % 2] + 0.2 * (off[i] - 0.5);
    let all = (0..count * n).map(each).collect();
    Array::new([count, n], all).expect("as many")
}
