//! Comparing results with reference values.

use wengert::{Array, DType};

use super::same::{float, shown};

/// How far a float may be from its reference: so much of its size, and so much of the largest in
/// its array.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => 2e-6,
        _ => 1e-12,
    }
}

/// Whether `got` is `want`, but for the elements to skip: floats within the tolerance, others exactly.
pub fn close(got: &Array, want: &Array, skip: impl Fn(usize) -> bool) -> Result<(), String> {
    let (a, b) = (got.dense().ty(), want.dense().ty());
    if a != b {
        return Err(format!("{a}, not {b}"));
    }
    let finite = |i| float(want, i).filter(|x| x.is_finite());
    let largest = (0..want.len())
        .filter_map(finite)
        .fold(0.0, |m: f64, x| m.max(x.abs()));
    let relative = tolerance(want.dtype());
    for i in 0..want.len() {
        let near = match (float(got, i), float(want, i)) {
            (Some(x), Some(y)) => {
                x == y
                    || (x.is_nan() && y.is_nan())
                    || (x - y).abs() <= relative * (y.abs() + largest)
            }
            _ => got.dense().data.bits(i) == want.dense().data.bits(i),
        };
        if !near && !skip(i) {
            let (x, y) = (shown(got, i), shown(want, i));
            return Err(format!("element {i} is {x}, not {y}"));
        }
    }
    Ok(())
}
