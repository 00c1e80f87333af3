//! Mistakes in linear algebra.

use expect_test::expect;
use wengert::linalg::{block_diag, expm, hankel, multi_dot, toeplitz};
use wengert::prelude::*;

use super::mistaken;

const WIDE: [[f64; 3]; 2] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
const SQUARE: [[f64; 2]; 2] = [[1.0, 2.0], [3.0, 4.0]];

#[test]
fn matrices_that_are_not_square() {
    mistaken(
        |a: Var| a.cholesky(),
        WIDE,
        expect!["cholesky: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.cho_factor().factor,
        WIDE,
        expect!["cholesky: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.solve(a.at(0)),
        WIDE,
        expect!["solve: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.solve_lower(a),
        WIDE,
        expect!["solve_lower: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.solve_upper(a),
        WIDE,
        expect!["solve_upper: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.inv(),
        WIDE,
        expect!["inv: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.det(),
        WIDE,
        expect!["det: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.slogdet(),
        WIDE,
        expect!["slogdet: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.eigh(),
        WIDE,
        expect!["eigh: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.eigvalsh(),
        WIDE,
        expect!["eigvalsh: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.matrix_power(3),
        WIDE,
        expect!["matrix_power: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| expm(a),
        WIDE,
        expect!["expm: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| a.lu_factor().solve(a),
        WIDE,
        expect!["lu_solve: f64[2,3] is not a square matrix, at HERE"],
    );
}

#[test]
fn what_is_no_matrix() {
    let vector = [1.0, 2.0];
    mistaken(
        |a: Var| a.cholesky(),
        vector,
        expect![
            "cholesky: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.lu_factor().factors,
        vector,
        expect![
            "lu_factor: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.qr(),
        vector,
        expect![
            "qr: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.svd(),
        vector,
        expect![
            "svd: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.svdvals(),
        vector,
        expect![
            "svdvals: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.pinv(),
        vector,
        expect![
            "pinv: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.matrix_rank(),
        vector,
        expect![
            "matrix_rank: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.cond(),
        vector,
        expect![
            "cond: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| a.lstsq(a),
        vector,
        expect![
            "lstsq: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| expm(a),
        vector,
        expect!["expm: f64[2] is not a matrix, at HERE"],
    );
}

#[test]
fn systems_that_do_not_fit() {
    let three = [1.0, 2.0, 3.0];
    let pair = (SQUARE, three);
    mistaken(
        |(a, b): (Var, Var)| a.solve(b),
        pair,
        expect!["solve: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(a, b): (Var, Var)| a.solve_lower(b),
        pair,
        expect!["solve_lower: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(a, b): (Var, Var)| a.lu_factor().solve(b),
        pair,
        expect!["lu_solve: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(a, b): (Var, Var)| a.cho_factor().solve(b),
        pair,
        expect!["cho_solve: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(a, b): (Var, Var)| a.lstsq(b),
        pair,
        expect!["lstsq: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(a, b): (Var, Var)| a.lstsq_svd(b, 0.0).x,
        pair,
        expect!["lstsq_svd: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(a, b): (Var, Var)| multi_dot(&[a, b]),
        pair,
        expect!["multi_dot: f64[2,2] and f64[3] do not fit, at HERE"],
    );
    // Batches that do not broadcast.
    let batches = |(a, b): (Var, Var)| a.broadcast_to([2, 2, 2]).solve(b.broadcast_to([3, 2, 2]));
    mistaken(
        batches,
        (SQUARE, SQUARE),
        expect!["solve: batches of shapes [[2], [3]] do not broadcast, at HERE"],
    );
}

#[test]
fn integers() {
    let whole = [[1i64, 2], [3, 4]];
    mistaken(
        |a: Var| a.cholesky(),
        whole,
        expect![
            "cholesky: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| a.solve(a),
        whole,
        expect![
            "solve: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| a.inv(),
        whole,
        expect![
            "inv: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| a.det(),
        whole,
        expect![
            "det: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| a.qr(),
        whole,
        expect![
            "qr: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| a.eigh(),
        whole,
        expect![
            "eigh: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| a.svd(),
        whole,
        expect![
            "svd: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| expm(a),
        whole,
        expect![
            "expm: i64[2,2] is not an array of floats; convert it first, as in `x.to(DType::F64)`, at HERE"
        ],
    );
}

#[test]
fn special_matrices() {
    mistaken(
        |a: Var| toeplitz(a, a),
        SQUARE,
        expect!["toeplitz: f64[2,2] is not a vector of some length, at HERE"],
    );
    mistaken(
        |a: Var| hankel(a, a),
        SQUARE,
        expect!["hankel: f64[2,2] is not a vector of some length, at HERE"],
    );
    mistaken(
        |a: Var| block_diag(&[a.expand_dims(0)]),
        SQUARE,
        expect!["block_diag: f64[1,2,2] is not a matrix, at HERE"],
    );
}
