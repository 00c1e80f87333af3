//! Conversion of arrays from and to JSON.

use serde_json::{Value, json};
use wengert::Array;

/// Reads the array of a field: numbers nested `R` levels deep.
pub fn array<const R: usize>(input: &Value, field: &str) -> Result<Array, String> {
    let mut shape = [0; R];
    let mut elements = vec![];
    let value = &input[field];
    // The first element at each depth determines the lengths.
    let mut first = Some(value);
    for length in &mut shape {
        let list = first.and_then(Value::as_array);
        *length = list.map_or(0, Vec::len);
        first = list.and_then(|list| list.first());
    }
    match gather(value, &shape, &mut elements) {
        true => Array::new(shape, elements).map_err(|e| e.to_string()),
        false => Err(format!("{field} is not an array of numbers of {R} axes")),
    }
}

/// Returns whether a value has this shape, and appends its elements to a list.
fn gather(value: &Value, shape: &[usize], elements: &mut Vec<f64>) -> bool {
    match shape.split_first() {
        None => value.as_f64().map(|x| elements.push(x)).is_some(),
        Some((&n, rest)) => value
            .as_array()
            .is_some_and(|list| list.len() == n && list.iter().all(|v| gather(v, rest, elements))),
    }
}

/// Reads the number of a field.
pub fn number(input: &Value, field: &str) -> Result<f64, String> {
    let number = input[field].as_f64();
    number.ok_or_else(|| format!("{field} is not a number"))
}

/// Reads the count of a field.
pub fn count(input: &Value, field: &str) -> Result<usize, String> {
    let count = input[field].as_u64();
    Ok(count.ok_or_else(|| format!("{field} is not a count"))? as usize)
}

/// Converts an array to numbers nested like its shape.
pub fn json(array: &Array) -> Result<Value, String> {
    let elements = array.as_slice::<f64>().map_err(|e| e.to_string())?;
    Ok(nested(elements, array.shape()))
}

fn nested(elements: &[f64], shape: &[usize]) -> Value {
    match shape.split_first() {
        None => json!(elements[0]),
        Some((&n, rest)) => {
            let size = elements.len().checked_div(n).unwrap_or(0);
            let part = |i: usize| nested(&elements[i * size..(i + 1) * size], rest);
            (0..n).map(part).collect()
        }
    }
}
