//! Comparing results with reference values.

use wengert::{Array, DType};
use wengert_ir::buffer::Data;

/// How far a float may be from its reference: so much of its size, and so much of the largest in
/// its array.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F32 => 2e-6,
        _ => 1e-12,
    }
}

/// The element as `f64`, if it is a float.
fn float(x: &Array, i: usize) -> Option<f64> {
    match &*x.dense().data {
        Data::F64(v) => Some(v[i]),
        Data::F32(v) => Some(v[i].into()),
        _ => None,
    }
}

fn shown(x: &Array, i: usize) -> String {
    match float(x, i) {
        Some(x) => format!("{x:?}"),
        None => format!("{:#x}", x.dense().data.bits(i)),
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

/// Whether both are the same to the bit, one NaN being like another.
pub fn same(a: &Array, b: &Array) -> Result<(), String> {
    let (s, t) = (a.dense().ty(), b.dense().ty());
    if s != t {
        return Err(format!("{s} and {t}"));
    }
    for i in 0..a.len() {
        let bits = [a, b].map(|x| x.dense().data.bits(i));
        let nan = [a, b].map(|x| float(x, i).is_some_and(f64::is_nan));
        if bits[0] != bits[1] && nan != [true, true] {
            return Err(format!("element {i}: {} and {}", shown(a, i), shown(b, i)));
        }
    }
    Ok(())
}
