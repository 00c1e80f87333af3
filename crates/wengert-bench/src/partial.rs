//! Partial differential equations by the method of lines.

use wengert::prelude::*;
use wengert_solve::de::{Grid, Ode, Rkc, laplacian};

use crate::measure::Workload;

/// Points a side.
const N: usize = 64;

/// The Brusselator on a periodic square, `2 N²` equations (Hairer and Wanner, Solving ODEs II, IV.10), to t = 11.5. At this tolerance the
/// largest error is 8e-5 of its number; the peer's, at the tolerance that comes nearest, is 1.4e-4.
pub fn workloads() -> Vec<Workload> {
    vec![Workload::of("de/brusselator_64x64", || {
        let solve = |(a, b): (Var, Var)| {
            let grid = Grid::periodic(1.0 / N as f64);
            let along = |axis: i64| {
                let x = iota(N, DType::F64) / N as f64;
                x.expand_dims(1 - axis).broadcast_to([N, N])
            };
            let (x, y) = (along(0), along(1));
            let near = ((x - 0.3).square() + (y - 0.6).square()).le(0.01);
            let rate = move |t: Var, (u, v): (Var, Var)| {
                let drip = (near & t.ge(1.1)).select(5.0, 0.0);
                let spread = |w: Var| 0.1 * laplacian(w, [grid, grid]);
                let made = u * u * v;
                (
                    a + made - (b + 1.0) * u + spread(u) + drip,
                    b * u - made + spread(v),
                )
            };
            let start = (
                22.0 * y * (1.0 - y).powf(1.5),
                27.0 * x * (1.0 - x).powf(1.5),
            );
            let ode = Ode::new(Rkc::new()).rtol(1e-6).atol(1e-6);
            ode.solve(rate, start, 0.0, 11.5).y
        };
        (jit(solve), (Array::from(1.0), Array::from(3.4)))
    })]
}
