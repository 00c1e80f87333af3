//! Tables that the elements of a batch read.

use wengert::prelude::*;

use crate::inputs::{array, u};
use crate::measure::Workload;

/// Number of elements of the batch, and of entries in the table.
pub const N: usize = 100_000;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("lookup/at_1e5", || {
            let f = jit(|(table, places): (Var, Var)| vmap(move |i: Var| table.at(i))(places));
            (f, (array([N], 0), places()))
        }),
        Workload::of("lookup/interpolate_1e5", || {
            let f = jit(|(table, x): (Var, Var)| vmap(move |x| interpolate(table, x))(x));
            let x: Vec<f64> = u(N, 5).iter().map(|u| u * (N - 1) as f64).collect();
            (f, (array([N], 0), Array::from(x)))
        }),
        Workload::of("lookup/steps_1e5", || {
            let run = |x: Var| fori(0..20, x, |_, x| x + 0.1 * x.sin());
            let f = jit(move |(table, places): (Var, Var)| {
                vmap(move |i: Var| run(table.at(i)))(places)
            });
            (f, (array([N], 0), places()))
        }),
    ]
}

/// Returns places of the table, in no order.
pub fn places() -> Array {
    let places: Vec<i64> = u(N, 5).iter().map(|u| (u * N as f64) as i64).collect();
    Array::from(places)
}

/// Returns what the table has at a place between two of its entries.
fn interpolate(table: Var, x: Var) -> Var {
    let below = x.floor();
    let (i, t) = (below.to(DType::I64), x - below);
    (1.0 - t) * table.at(i) + t * table.at(i + 1)
}
