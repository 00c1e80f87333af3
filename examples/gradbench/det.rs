//! The determinant by expansion.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, count, json};
use crate::models::det::determinant;
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let (a, n) = (array::<1>(input, "A")?, count(input, "ell")?);
    if a.shape() != [n * n] {
        return Err(format!("A has not got {n} times {n} elements"));
    }
    let det = move |a: Var| determinant(a.reshape([n as i64, n as i64]));
    match function {
        "primal" => timed(det, a, limits, json),
        "gradient" => timed(grad(det), a, limits, json),
        _ => unknown(function),
    }
}
