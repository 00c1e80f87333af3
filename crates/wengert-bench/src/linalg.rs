//! Linear algebra: single matrices of several sizes, and large batches of small ones.

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
        for n in [16, 64, 256] {
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
    all
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
