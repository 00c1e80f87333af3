//! Loops of many small steps.

use wengert::prelude::*;

use crate::inputs::u;
use crate::measure::Workload;

pub fn workloads() -> Vec<Workload> {
    vec![
        Workload::of("scan/ar1_10000", || {
            let step = |y: Var, e: Var| {
                let y = 0.9 * y + e;
                (y, y)
            };
            let f = jit(move |e: Var| scan(0.0, e, step).1);
            let e: Vec<f64> = u(10_000, 0).iter().map(|u| u - 0.5).collect();
            let e = Array::from(e);
            (f, e)
        }),
        Workload::of("scan/mat3_10000", || {
            let f = jit(power);
            let m = rotation(0.01);
            (f, m)
        }),
        Workload::of("scan/mat3_grad_10000", || {
            let weights = || arange(9).to(DType::F64).reshape([3, 3]);
            let f = jit(grad(move |m| (power(m) * weights()).sum()));
            let m = rotation(0.01);
            (f, m)
        }),
    ]
}

/// Computes the 10,000th power of a 3x3 matrix, factor by factor.
fn power(m: Var) -> Var {
    fori(0..10_000, eye(3), |_, c| c.dot(m))
}

/// Returns a rotation about the third axis.
fn rotation(angle: f64) -> Array {
    let (s, c) = angle.sin_cos();
    Array::from([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
}
