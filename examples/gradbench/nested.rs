//! Problems with derivatives in derivatives: the path of a particle, and a saddle point.

use serde_json::Value;
use wengert::prelude::*;

use crate::input::{array, json, number};
use crate::models::descent::{self, Mode};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

pub fn particle(function: &str, input: &Value, limits: Limits) -> Outcome {
    let w = Array::from(number(input, "w")?);
    match Mode::of(function) {
        Some(modes) => timed(move |w| descent::particle(modes, w), w, limits, json),
        None => unknown(function),
    }
}

pub fn saddle(function: &str, input: &Value, limits: Limits) -> Outcome {
    let start = array::<1>(input, "start")?;
    match Mode::of(function) {
        Some(modes) => timed(move |x| descent::saddle(modes, x), start, limits, json),
        None => unknown(function),
    }
}
