//! Methods for stiff equations.

mod algebraic;
mod auto;
mod edges;
mod large;
mod rosenbrock;

use wengert::prelude::*;
use wengert_solve::de::{Method, Ode, Solution};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Robertson's reactions (Hairer, Wanner, Solving ODEs II, IV.10).
fn robertson(k: [Var; 3]) -> impl Fn(Var, [Var; 3]) -> [Var; 3] {
    move |_, [a, b, c]| {
        let (slow, fast, back) = (k[0] * a, k[1] * b * b, k[2] * b * c);
        [back - slow, slow - back - fast, fast]
    }
}

/// Van der Pol's oscillator.
fn van_der_pol(mu: Var) -> impl Fn(Var, [Var; 2]) -> [Var; 2] {
    move |_, [x, v]| [v, mu * (1.0 - x * x) * v - x]
}

/// The Oregonator (Hairer, Wanner, Solving ODEs II, IV.10).
fn oregonator(_: Var, [x, y, z]: [Var; 3]) -> [Var; 3] {
    [
        77.27 * (y + x * (1.0 - 8.375e-6 * x - y)),
        (z - (1.0 + x) * y) / 77.27,
        0.161 * (x - z),
    ]
}

/// The response to light of a plant, "high irradiance response" (Hairer, Wanner, Solving ODEs II, IV.10).
fn hires(_: Var, y: Var) -> Var {
    let y: [Var; 8] = std::array::from_fn(|i| y.at(i));
    let joined = 280.0 * y[5] * y[7];
    let parted = 1.81 * y[6];
    stack([
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -joined + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
        joined - parted,
        parted - joined,
    ])
}

const HIRES_START: [f64; 8] = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057];

/// Its solution at 321.8122 (the test set for IVP solvers, Bari).
const HIRES_END: [f64; 8] = [
    0.7371312573325668e-3,
    0.1442485726316185e-3,
    0.5888729740967575e-4,
    0.1175651343283149e-2,
    0.2386356198831331e-2,
    0.6238968252742796e-2,
    0.2849998395185769e-2,
    0.2850001604814231e-2,
];

/// The largest deviation from a solution, relative to its size or to a floor.
fn deviation(got: &[f64], want: &[f64], floor: f64) -> f64 {
    let each = got
        .iter()
        .zip(want)
        .map(|(g, w)| (g - w).abs() / w.abs().max(floor));
    each.fold(0.0, f64::max)
}

/// A linear equation that forgets its start quickly, and whose solution is `cos t` for `y(0) = 1`, in `y' = -k (y - cos t) - sin t`,
/// beside one that is not linear, `z' = -z² y`.
fn chased(k: Var) -> impl Fn(Var, [Var; 2]) -> [Var; 2] {
    move |t, [y, z]| [-k * (y - t.cos()) - t.sin(), -z * z * y]
}

/// The order of a method by the errors of two numbers of steps on `chased`, at `t = 2`.
fn order<M: Method + Send + Sync + 'static>(method: M, steps: usize) -> Result<f64> {
    let error = |n: usize| -> Result<f64> {
        // Stages found by Newton's method are as accurate as the tolerances say.
        let ode = Ode::new(method).rtol(1e-11).atol(1e-11).fixed(n);
        let f = jit(move |k: Var| ode.solve(chased(k), [1.0, 1.0], 0.0, 2.0));
        let s: Solution<[Array; 2], Array> = f.call(3.0)?.ok()?;
        let y = [s.y[0].item::<f64>()?, s.y[1].item::<f64>()?];
        Ok(deviation(&y, &[2f64.cos(), 1.0 / (1.0 + 2f64.sin())], 1.0))
    };
    Ok((error(steps)? / error(2 * steps)?).log2())
}
