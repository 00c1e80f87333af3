//! The gradient and the Hessian of Rosenbrock's function.

use wengert::prelude::*;

use crate::inputs::array;
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    let gradient = |n: usize| {
        Workload::of(format!("grad/rosenbrock_{n}"), move || {
            let f = jit(grad(rosenbrock));
            let x = array([n], 0);
            (f, x)
        })
    };
    let second = |n: usize| {
        Workload::of(format!("hessian/rosenbrock_{n}"), move || {
            let f = jit(hessian(rosenbrock));
            let x = array([n], 0);
            (f, x)
        })
    };
    let gradients = [2, 100, 10_000].map(gradient);
    gradients.into_iter().chain([2, 100].map(second)).collect()
}

fn rosenbrock(x: Var) -> Var {
    let (here, next) = (x.at(..-1), x.at(1..));
    (100.0 * (next - here.square()).square() + (1.0 - here).square()).sum()
}
