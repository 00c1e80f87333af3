//! A chain of linear differential equations, each driven by the previous one.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, count, json};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

/// Computes `y(2)` for `y'[0] = x[0]`, `y'[i] = x[i] y[i-1]` and `y(0) = 0`, by `steps` steps of the classical
/// Runge-Kutta method.
pub fn solve(x: Var, steps: usize) -> Var {
    let rate = |y: Var| x * concat([ones(1), y.at(..-1)], 0);
    let h = 2.0 / steps as f64;
    fori(0..steps, wengert::zeros_like(x), |_, y| {
        let k1 = rate(y);
        let k2 = rate(y + h / 2.0 * k1);
        let k3 = rate(y + h / 2.0 * k2);
        let k4 = rate(y + h * k3);
        y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    })
}

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let (x, steps) = (array::<1>(input, "x")?, count(input, "s")?);
    match function {
        "primal" => timed(move |x| solve(x, steps), x, limits, json),
        "gradient" => timed(grad(move |x| solve(x, steps).at(-1)), x, limits, json),
        _ => unknown(function),
    }
}
