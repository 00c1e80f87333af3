//! The logarithm of a sum of exponentials.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, json};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let x = array::<1>(input, "x")?;
    match function {
        "primal" => timed(Var::logsumexp, x, limits, json),
        "gradient" => timed(grad(Var::logsumexp), x, limits, json),
        _ => unknown(function),
    }
}
