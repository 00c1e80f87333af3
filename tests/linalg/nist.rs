//! NIST's sets for linear regression (Statistical Reference Datasets), solved by `lstsq`.
//!
//! Parameters and their standard deviations in `nist.json` were computed from the data in rational arithmetic, and agree
//! with the certified values in all of their 15 digits. Beside them are the digits that LAPACK reaches through SciPy by
//! orthogonal factors: plain (`geqrf`), of scaled columns, and with pivots (`gelsy`).

use serde_json::Value;
use wengert::prelude::*;

fn numbers(x: &Value) -> Vec<f64> {
    let number = |x: &Value| x.as_str().unwrap().parse().unwrap();
    x.as_array().unwrap().iter().map(number).collect()
}

/// The design matrix.
fn design(set: &Value) -> Vec<Vec<f64>> {
    let constant = set["constant"].as_bool().unwrap();
    if let Some(rows) = set["columns"].as_array() {
        let row = |r: &Value| [&[1.0][..], &numbers(r)].concat();
        return rows.iter().map(row).collect();
    }
    let degree = set["degree"].as_u64().unwrap() as i32;
    let powers = |x: &f64| (i32::from(!constant)..=degree).map(|k| x.powi(k)).collect();
    numbers(&set["x"]).iter().map(powers).collect()
}

/// The fewest correct digits of a list.
fn digits(got: &[f64], want: &[f64]) -> f64 {
    let each = got.iter().zip(want).map(|(a, b)| {
        let error = (a - b).abs() / if *b == 0.0 { 1.0 } else { b.abs() };
        (-error.log10()).min(15.0)
    });
    each.fold(15.0, f64::min)
}

#[test]
fn parameters_and_deviations_have_the_digits_of_lapack() {
    let sets: Value = serde_json::from_str(include_str!("nist.json")).unwrap();
    for set in sets.as_array().unwrap() {
        let name = set["name"].as_str().unwrap();
        let (a, y) = (design(set), numbers(&set["y"]));
        let fit = jit(|(a, y): (Var, Var)| {
            let [m, n] = a.shape()[..] else {
                unreachable!()
            };
            let b = a.lstsq(y);
            let left = (y - a.dot(b)).square().sum() / (m - n) as f64;
            let r = a.qr().1;
            let inverse = r.solve_triangular(eye(n), wengert::linalg::Triangular::upper());
            (b, left.sqrt() * inverse.square().sum_axis(1).sqrt())
        });
        let (b, deviations) = fit.call((a, y)).unwrap();
        let b = digits(&b.to_vec::<f64>().unwrap(), &numbers(&set["parameters"]));
        let deviations = digits(
            &deviations.to_vec::<f64>().unwrap(),
            &numbers(&set["deviations"]),
        );
        let of = |way: &str| set["digits"][way].as_f64().unwrap();
        let lapack = of("qr").min(of("scaled qr"));
        println!(
            "{name}: {b:.1} digits of parameters, {deviations:.1} of deviations; {lapack} and {}",
            of("gelsy")
        );
        // Rounding errors that are twice as large cost 0.3 digits, and are chance.
        assert!(
            b >= lapack - 0.3 && deviations >= 7.5,
            "{name}: {b} and {deviations}"
        );
    }
}
