//! The exponential of matrices.

use std::panic::Location;

use wengert_ir::num::linalg::{for_each, square};

use crate::solver::asked_at;
use crate::{DType, Var, eye, fori};

/// The largest 1-norm for which the approximation is as accurate as `f64` (Higham 2005).
const NEAR: f64 = 5.371_920_351_148_152;

/// The coefficients of the numerator of the approximation of degree 13.
const NUMERATOR: [f64; 14] = [
    64_764_752_532_480_000.0,
    32_382_376_266_240_000.0,
    7_771_770_303_897_600.0,
    1_187_353_796_428_800.0,
    129_060_195_264_000.0,
    10_559_470_521_600.0,
    670_442_572_800.0,
    33_522_128_640.0,
    1_323_241_920.0,
    40_840_800.0,
    960_960.0,
    16_380.0,
    182.0,
    1.0,
];

/// The exponential of square matrices in the last two axes: `scipy.linalg.expm`. Padé's approximation of a part of the
/// matrix is squared as often as its norm requires: Higham, *The scaling and squaring method for the matrix exponential
/// revisited* (2005). Derivative: that of the approximation and the squares.
///
/// # Errors
/// If the last two axes differ in length, or the elements are no floats.
///
/// ```
/// use wengert::linalg::expm;
/// use wengert::prelude::*;
///
/// let f = jit(|a: Var| expm(a));
/// let turn = f.call([[0.0, -1.0], [1.0, 0.0]])?;
/// let (c, s) = (1f64.cos(), 1f64.sin());
/// assert!(turn.all_close(&Array::from([[c, -s], [s, c]]), 1e-14, 1e-14));
/// # Ok::<(), wengert::Error>(())
/// ```
#[track_caller]
pub fn expm(a: Var) -> Var {
    if square("expm", a) == 0 {
        return a;
    }
    let place = Location::caller();
    for_each("expm", &[(a, 2)], |x| vec![of_one(x[0], place)])[0]
}

fn of_one(a: Var, place: &'static Location<'static>) -> Var {
    let n = a.shape()[0];
    let norm = a.stop_gradient().abs().sum_axis(0).amax();
    let squares = (norm / NEAR).log2().ceil().clip(0.0, 1100.0);
    let x = a * (-squares).exp2();
    let one = eye(n).to(a.dtype());
    let x2 = x.matmul(x);
    let x4 = x2.matmul(x2);
    let x6 = x4.matmul(x2);
    // The powers of one parity, from `first` on: the upper three have the factor x⁶.
    let part = |first: usize| {
        let b = |k: usize| NUMERATOR[first + 2 * k];
        let high = x6 * b(6) + x4 * b(5) + x2 * b(4);
        x6.matmul(high) + x6 * b(3) + x4 * b(2) + x2 * b(1) + one * b(0)
    };
    let (odd, even) = (x.matmul(part(1)), part(0));
    let near = (even - odd).solve(even + odd);
    fori(..squares.to(DType::I64), near, |_, y: Var| {
        asked_at(place, || y.matmul(y))
    })
}
