//! Bundle adjustment.

use serde_json::{Value, json};
use wengert::prelude::*;

use crate::input::{array, count, number};
use crate::models::ba::{CAMERA, Scene};
use crate::protocol::{Outcome, unknown};
use crate::timing::{Limits, timed};

pub fn evaluate(function: &str, input: &Value, limits: Limits) -> Outcome {
    let [n, m, p] = [count(input, "n")?, count(input, "m")?, count(input, "p")?];
    let numbers = |field| {
        array::<1>(input, field)?
            .to_vec::<f64>()
            .map_err(|e| e.to_string())
    };
    let repeated = |all: Vec<f64>, rows: usize| {
        Array::new([rows, all.len()], all.repeat(rows)).map_err(|e| e.to_string())
    };
    let which = |of: usize| Array::from((0..p).map(|i| (i % of.max(1)) as i64).collect::<Vec<_>>());
    let scene = Scene {
        cameras: repeated(numbers("cam")?, n)?,
        points: repeated(numbers("x")?, m)?,
        camera: which(n),
        point: which(m),
        weights: Array::from(vec![number(input, "w")?; p]),
        observed: repeated(numbers("feat")?, p)?,
    };
    match function {
        "objective" => timed(Scene::errors, scene, limits, |(errors, weights)| {
            let (errors, weights) = (slice(errors)?, slice(weights)?);
            Ok(json!({
                "reproj_error": {"elements": &errors[..2], "repeated": p},
                "w_err": {"element": weights[0], "repeated": p},
            }))
        }),
        "jacobian" => timed(Scene::jacobian, scene, limits, |(errors, weights)| {
            let (errors, weights) = (slice(errors)?, slice(weights)?);
            Ok(sparse([n, m, p], errors, weights))
        }),
        _ => unknown(function),
    }
}

fn slice(array: &Array) -> Result<&[f64], String> {
    array.as_slice::<f64>().map_err(|e| e.to_string())
}

/// Returns the first and the last elements of the sparse matrix of all derivatives: where each row begins, the columns of
/// the elements, and the elements.
fn sparse([n, m, p]: [usize; 3], errors: &[f64], weights: &[f64]) -> Value {
    const ROW: usize = CAMERA + 4;
    let (points, own) = (CAMERA * n, CAMERA * n + 3 * m);
    let row = (0..CAMERA).chain(points..points + 3).chain([own]);
    let mut columns: Vec<usize> = row.clone().chain(row).collect();
    columns.push(own + p - 1);
    // Two rows for each observation, and then one for each weight.
    let start = |i: usize| ROW * i.min(2 * p) + i.saturating_sub(2 * p);
    let mut rows: Vec<usize> = (0..2 * ROW).map(start).collect();
    rows.push(start(3 * p));
    let mut elements = errors[..2 * ROW].to_vec();
    elements.extend(weights.last());
    json!({"rows": rows, "cols": columns, "vals": elements})
}
