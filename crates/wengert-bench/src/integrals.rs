//! Integrals with as many parameter sets, each with a subdivision of its own.

use wengert::prelude::*;
use wengert_solve::quad::GaussKronrod;

use crate::inputs::array;
use crate::measure::Workload;

const SETS: usize = 10_000;

pub fn workloads() -> Vec<Workload> {
    vec![Workload::of("quad/gauss_kronrod_1e4", || {
        let rule = GaussKronrod::new().points(15).rtol(1e-10);
        // A peak whose place and width differ.
        let peak = move |(p, q): (Var, Var)| {
            let f = move |x: Var| (q * x).exp() / ((x - p).square() + 1e-3 * (0.1 + q));
            rule.integrate(f, 0.0, 1.0).value
        };
        (jit(vmap(peak)), (array([SETS], 0), array([SETS], 7)))
    })]
}
