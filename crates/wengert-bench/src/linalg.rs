//! Linear algebra: single matrices of several sizes, and large batches of small ones.

use wengert::linalg::expm;
use wengert::prelude::*;

use crate::inputs::u;
use crate::measure::Workload;

/// The number of matrices of a batch.
const BATCH: usize = 10_000;

/// A function of a matrix that gives a few arrays.
type Function = fn(Var) -> Var;

/// What is measured, for symmetric, positive definite matrices.
const FUNCTIONS: [(&str, Function); 5] = [
    ("cholesky", |a| a.cholesky()),
    ("solve", |a| a.solve(a.at(0))),
    ("qr", |a| a.qr().1),
    ("eigh", |a| a.eigvalsh()),
    ("svd", |a| a.svdvals()),
];

pub fn workloads() -> Vec<Workload> {
    let mut all: Vec<Workload> = vec![];
    for (name, f) in FUNCTIONS {
        for n in [16, 64, 256, 1024] {
            all.push(Workload::of(format!("linalg/{name}_{n}"), move || {
                (jit(f), matrices(1, n).reshape([n, n]).expect("one"))
            }));
        }
        for n in [3, 6, 12, 28] {
            let batch = format!("linalg/{name}_{n}x{BATCH}");
            all.push(Workload::of(batch, move || {
                (jit(vmap(f)), matrices(BATCH, n))
            }));
            let slopes = format!("linalg/{name}_grad_{n}x{BATCH}");
            all.push(Workload::of(slopes, move || {
                let loss = move |a: Var| f(a).square().sum();
                (jit(vmap(grad(loss))), matrices(BATCH, n))
            }));
        }
    }
    all.push(Workload::of("linalg/solve_grad_3x86268", || {
        let loss = |(a, b): (Var, Var)| a.solve(b).square().sum();
        let b = Array::new([86_268, 3], u(3 * 86_268, 5)).expect("all of them");
        (jit(vmap(grad(loss))), (matrices(86_268, 3), b))
    }));
    all.push(Workload::of("linalg/inv_3x10000", || {
        (jit(|a: Var| a.inv()), matrices(BATCH, 3))
    }));
    all.push(Workload::of("linalg/expm_6x10000", || {
        (jit(|a: Var| expm(a * 0.25)), matrices(BATCH, 6))
    }));
    all.push(Workload::of("linalg/gp_200_grad", || {
        let points = Array::new([200, 3], u(600, 0)).expect("all of them");
        let values = Array::new([200], u(200, 7)).expect("all of them");
        let slopes = |(p, x, y): (Var, Var, Var)| value_and_grad(move |p| evidence((p, x, y)))(p);
        (
            jit(slopes),
            (Array::from([-0.5, 0.3, -2.0]), points, values),
        )
    }));
    all
}

/// The evidence of a Gaussian process for values at points, with the logarithms of its scales and of its noise.
fn evidence((p, x, y): (Var, Var, Var)) -> Var {
    let (n, p) = (y.shape()[0], p.exp());
    let apart = (x.expand_dims(1) - x.expand_dims(0)).square().sum_axis(2);
    let kernel = p.at(1) * (-0.5 * apart / p.at(0).square()).exp() + eye(n) * p.at(2);
    let factor = kernel.cho_factor();
    -0.5 * y.dot(factor.solve(y)) - 0.5 * factor.logdet()
}

/// Returns symmetric matrices with a large diagonal.
fn matrices(count: usize, n: usize) -> Array {
    let numbers = u(count * n * n, 0);
    let element = |k: usize, i: usize, j: usize| {
        let (low, high) = (i.min(j), i.max(j));
        let x = numbers[(k * n + high) * n + low];
        if i == j { x + n as f64 } else { x }
    };
    let all = (0..count).flat_map(|k| (0..n * n).map(move |e| (k, e / n, e % n)));
    let elements = all.map(|(k, i, j)| element(k, i, j)).collect();
    Array::new([count, n, n], elements).expect("all of them")
}
