//! Comparison of functions with tables.

use wengert::prelude::*;
use wengert_ir::ops::rows;

use super::{Found, Limit, Tabled, Width};

/// Returns the largest error of a function, or of a derivative of it, at the points of its table.
///
/// # Errors
/// If the function does not compile.
pub fn compare(tabled: &Tabled) -> wengert::Result<Found> {
    let subject = &tabled.subject;
    let op = rows::find(subject.name).expect("an operation");
    let lines = tabled.table.lines().skip(1);
    let numbers = |line: &str| -> Vec<f64> {
        let fields = line.split('\t').map(str::parse);
        fields.map(|x| x.expect("a number")).collect()
    };
    let table: Vec<Vec<f64>> = lines.map(numbers).collect();
    let column = |k: usize| -> Vec<f64> { table.iter().map(|row| row[k]).collect() };
    let args: Vec<Array> = (0..subject.arity).map(|k| column(k).into()).collect();
    let by = tabled.by;
    let f = jit(move |x: Vec<Var>| match by {
        None => op.apply(&x),
        Some(k) => {
            let slopes = grad(move |x: Vec<Var>| op.apply(&x).sum());
            slopes(x)[k]
        }
    });
    let got = f.call(args)?.to_vec::<f64>()?;
    let mut found = Found::new(subject, Width::F64);
    for (row, y) in table.iter().zip(got) {
        let exact = row[tabled.column];
        let size = match subject.limit {
            Limit::Scaled(_) => exact.abs().max(1.0),
            _ => exact.abs(),
        };
        let error = match y == exact {
            true => 0.0,
            false => (y - exact).abs() / size,
        };
        found.point(error, &row[..subject.arity]);
    }
    Ok(found)
}
