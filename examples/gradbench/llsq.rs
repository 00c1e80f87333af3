//! The least-squares fit of a polynomial to the sign of its argument.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, count, json};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

/// Computes half the sum of squares over `n` points from -1 to 1, for the coefficients `x` in ascending order.
pub fn loss(x: Var, n: usize) -> Var {
    let residual = |t: Var| {
        let term = |(sum, power), x| ((sum + x * power, power * t), ());
        let ((polynomial, _), ()) = scan((0.0, 1.0), x, term);
        t.sign() - polynomial
    };
    let points = linspace(-1.0, 1.0, n);
    0.5 * vmap(residual)(points).square().sum()
}

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let (x, n) = (array::<1>(input, "x")?, count(input, "n")?);
    let loss = move |x| loss(x, n);
    match function {
        "primal" => timed(loss, x, limits, json),
        "gradient" => timed(grad(loss), x, limits, json),
        _ => unknown(function),
    }
}
