//! Numbers of 32 bits.

use wengert::prelude::*;

use crate::inputs::u;
use crate::lookups::{N, places};
use crate::measure::Workload;
use crate::ode::{lorenz, lorenz_parameters};
use crate::products::{cross_entropy, network};

pub fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = vec![];
    for (size, n) in [("1e4", 10_000), ("1e7", 10_000_000)] {
        all.push(Workload::of(format!("f32/map_{size}"), move || {
            let f = jit(|(x, y): (Var, Var)| x.sin() * y.exp() + (x * y).tanh());
            (f, (narrow([n], 0), narrow([n], 7)))
        }));
        all.push(Workload::of(format!("f32/axpy_mul_{size}"), move || {
            let f = jit(|(x, y): (Var, Var)| (2.0 * x + y) * (x - y));
            (f, (narrow([n], 0), narrow([n], 7)))
        }));
    }
    all.extend([
        Workload::of("f32/sum_1e7", || {
            (jit(|x: Var| x.sum()), narrow([10_000_000], 0))
        }),
        Workload::of("f32/softmax_4096x1024", || {
            (jit(|a: Var| a.softmax(1)), narrow([4096, 1024], 0))
        }),
        Workload::of("f32/matvec_1000", || {
            let f = jit(|(a, x): (Var, Var)| a.dot(x));
            (f, (narrow([1000, 1000], 0), narrow([1000], 7)))
        }),
        Workload::of("f32/mlp_grad_256", || {
            let f = jit(|(layers, x, y)| grad(|layers| cross_entropy(layers, x, y))(layers));
            (f, tree::map(network(), |x: Array| to_narrow(&x)))
        }),
        Workload::of("f32/lorenz_1000", || {
            let f = jit(vmap(|p| lorenz(p, 1000).0));
            (f, lorenz_parameters(1000).map(|x| to_narrow(&x)))
        }),
        Workload::of("f32/lookup_1e5", || {
            let f = jit(|(table, places): (Var, Var)| vmap(move |i: Var| table.at(i))(places));
            (f, (narrow([N], 0), places()))
        }),
    ]);
    all
}

/// Returns the numbers of [`u`] as an array of this shape.
fn narrow<const R: usize>(shape: [usize; R], k: usize) -> Array {
    let all = u(shape.iter().product(), k).into_iter();
    let all: Vec<f32> = all.map(|x| x as f32).collect();
    Array::new(shape, all).expect("as many as the shape holds")
}

fn to_narrow(x: &Array) -> Array {
    let all = x.to_vec::<f64>().expect("numbers of 64 bits").into_iter();
    let all: Vec<f32> = all.map(|x| x as f32).collect();
    Array::new(x.shape(), all).expect("as many as there were")
}
