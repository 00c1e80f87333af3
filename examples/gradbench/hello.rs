//! A square, as a first example.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::json;
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

pub fn square(x: Var) -> Var {
    x * x
}

/// The input is a bare number.
pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let x = Array::from(input.as_f64().ok_or("the input is not a number")?);
    match function {
        "square" => timed(square, x, limits, json),
        "double" => timed(grad(square), x, limits, json),
        _ => unknown(function),
    }
}
