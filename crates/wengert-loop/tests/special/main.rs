//! Special values (C99, Annex F), bit by bit, and the laws of signs.

mod one_argument;
mod several_arguments;

use wengert_loop::elementary::Elementary::{self, *};
use wengert_loop::elementary::eval;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const TINY: f64 = 5e-324;

/// Expects the same bits, or any NaN for NaN.
fn check(f: Elementary, args: &[f64], expected: f64) {
    let y = eval(f, args);
    let same = y.to_bits() == expected.to_bits() || (y.is_nan() && expected.is_nan());
    assert!(
        same,
        "{}({args:?}) is {y:?}, expected {expected:?}",
        f.name()
    );
}

#[test]
fn every_function_has_its_name_and_arguments() {
    for (i, f) in Elementary::ALL.iter().enumerate() {
        assert_eq!(*f as usize, i);
        assert!(!f.name().is_empty());
        eval(*f, &[0.5; 5][..f.arity()]);
    }
}
