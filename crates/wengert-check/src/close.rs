//! Comparison of results.

use std::fmt;

use wengert::Error;
use wengert_ir::buffer::{Data, Dense};

/// A description of what does not hold.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure(error.to_string())
    }
}

/// Fails with a message.
pub fn fail<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(message.into()))
}

/// Returns whether two numbers agree up to `tolerance`, relative to one plus the absolute value of the second.
pub fn near(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * (1.0 + b.abs()) || (a.is_nan() && b.is_nan())
}

/// Checks that two lists of arrays agree: floats up to `tolerance`, others exactly. With a tolerance of zero
/// floats must have the same bits, except that any NaN matches any other.
pub fn agree(whats: [&str; 2], a: &[Dense], b: &[Dense], tolerance: f64) -> Result<(), Failure> {
    if a.len() != b.len() {
        let (m, n) = (a.len(), b.len());
        return fail(format!(
            "{} gives {m} results, {} gives {n}",
            whats[0], whats[1]
        ));
    }
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        if a.ty() != b.ty() {
            let (s, t) = (a.ty(), b.ty());
            return fail(format!(
                "result {i}: {} gives {s}, {} gives {t}",
                whats[0], whats[1]
            ));
        }
        for k in 0..a.data.len() {
            let same = match (&*a.data, &*b.data) {
                (Data::F64(a), Data::F64(b)) => same(a[k], b[k], tolerance),
                (Data::F32(a), Data::F32(b)) => same(a[k].into(), b[k].into(), tolerance),
                (a, b) => a.bits(k) == b.bits(k),
            };
            if !same {
                let (x, y) = (element(a, k), element(b, k));
                return fail(format!(
                    "result {i}, element {k}: {} gives {x}, {} gives {y}",
                    whats[0], whats[1]
                ));
            }
        }
    }
    Ok(())
}

fn same(a: f64, b: f64, tolerance: f64) -> bool {
    match tolerance > 0.0 {
        true => near(a, b, tolerance),
        false => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
    }
}

fn element(x: &Dense, k: usize) -> String {
    match &*x.data {
        Data::F64(v) => format!("{:?}", v[k]),
        Data::F32(v) => format!("{:?}", v[k]),
        data => format!("{:#x}", data.bits(k)),
    }
}
