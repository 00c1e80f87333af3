//! Mistakes in linear algebra.

use expect_test::expect;
use wengert::linalg::{
    Krylov, Lsmr, block_diag, eig, eigvals, expm, fractional_matrix_power, hankel,
    householder_product, logm, multi_dot, polar, solve_banded, solve_continuous_lyapunov,
    solve_discrete_lyapunov, solve_sylvester, solve_tridiagonal, sqrtm, toeplitz,
};
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
        expect![
            "expm: f64[2] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
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
            "expm: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
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

#[test]
fn band_matrices() {
    let right = [1.0, 2.0, 3.0];
    let pair = (WIDE, right);
    mistaken(
        |(ab, b): (Var, Var)| solve_banded((1, 1), ab, b),
        pair,
        expect![
            "solve_banded: f64[2,3] does not hold 1 + 1 + 1 diagonals, at HERE; row `upper + i - j` holds the element `(i, j)` in column `j`"
        ],
    );
    mistaken(
        |(ab, b): (Var, Var)| solve_banded((1, 0), ab, b.at(0..2)),
        pair,
        expect!["solve_banded: f64[2,3] and f64[2] differ in the number of rows, at HERE"],
    );
    mistaken(
        |(ab, b): (Var, Var)| solve_banded((1, 0), b, ab),
        pair,
        expect![
            "solve_banded: f64[3] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |(ab, b): (Var, Var)| solve_banded((1, 0), ab.to(DType::I64), b.to(DType::I64)),
        pair,
        expect![
            "solve_banded: i64[2,3] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |b: Var| solve_tridiagonal(b, b, b, b),
        right,
        expect![
            "solve_tridiagonal: the lower diagonal has 3 elements beside a main one of 3, at HERE; it has one element less"
        ],
    );
    mistaken(
        |b: Var| solve_tridiagonal(b.at(0..2), b, b.at(0..2), b.at(0..2)),
        right,
        expect!["solve_tridiagonal: f64[3] and f64[2] differ in the number of rows, at HERE"],
    );
    mistaken(
        |b: Var| solve_tridiagonal(b.at(0..2), b.at(0), b.at(0..2), b),
        right,
        expect!["solve_tridiagonal: a diagonal is a vector, and a number has no axis, at HERE"],
    );
}

#[test]
fn spectra_of_any_matrices() {
    mistaken(
        |a: Var| eig(a),
        WIDE,
        expect!["eig: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| eigvals(a.at(0)),
        WIDE,
        expect![
            "eigvals: f64[3] is not a matrix, at HERE; a matrix has two axes, as of `x.expand_dims(-1)`"
        ],
    );
    mistaken(
        |a: Var| eigvals(a.to(DType::I64)),
        SQUARE,
        expect![
            "eigvals: i64[2,2] is not an array of floats, at HERE; convert it first, as in `x.to(DType::F64)`"
        ],
    );
    mistaken(
        |a: Var| Complex::from(a).eig(),
        WIDE,
        expect!["eig: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| Complex::from(a).eigh(),
        WIDE,
        expect!["eigh: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| Complex::from(a).inv(),
        WIDE,
        expect!["inv: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| Complex::from(a).det(),
        WIDE,
        expect!["det: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| Complex::from(a).solve(ones([3])),
        SQUARE,
        expect!["solve: f64[2,2] and f64[3] differ in the number of rows, at HERE"],
    );
    mistaken(
        |a: Var| Complex::from(a).solve(ones([2])),
        WIDE,
        expect!["solve: f64[2,3] is not a square matrix, at HERE"],
    );
}

#[test]
fn functions_of_matrices() {
    mistaken(
        |a: Var| sqrtm(a),
        WIDE,
        expect!["sqrtm: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| logm(a),
        WIDE,
        expect!["logm: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| fractional_matrix_power(a, 0.5),
        WIDE,
        expect!["fractional_matrix_power: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| polar(a),
        WIDE,
        expect![
            "polar: f64[2,3] has fewer rows than columns; of its transpose, `a = p uᵀ`, at HERE"
        ],
    );
    mistaken(
        |a: Var| solve_sylvester(a, a, a.at(0..1)),
        SQUARE,
        expect!["solve_sylvester: f64[1,2] is not 2 by 2, at HERE"],
    );
    mistaken(
        |a: Var| solve_sylvester(a, a, a),
        WIDE,
        expect!["solve_sylvester: f64[2,3] is not a square matrix, at HERE"],
    );
    mistaken(
        |a: Var| solve_continuous_lyapunov(a, a.at(0..1)),
        SQUARE,
        expect!["solve_continuous_lyapunov: f64[1,2] is not 2 by 2, at HERE"],
    );
    mistaken(
        |a: Var| solve_discrete_lyapunov(a, a.at(0..1)),
        SQUARE,
        expect!["solve_discrete_lyapunov: f64[1,2] is not 2 by 2, at HERE"],
    );
    mistaken(
        |a: Var| householder_product(a, ones([3])),
        SQUARE,
        expect![
            "householder_product: f64[2,2] has not as many columns as f64[3] has factors, and as many rows, at HERE"
        ],
    );
    mistaken(
        |a: Var| householder_product(a, ones([1])),
        WIDE,
        expect![
            "householder_product: f64[2,3] has not as many columns as f64[1] has factors, and as many rows, at HERE"
        ],
    );
}

#[test]
fn methods_that_only_apply_a_matrix() {
    mistaken(
        |a: Var| Krylov::default().gmres(0, move |x: Var| a.dot(x), a.at(0)),
        SQUARE,
        expect!["gmres: it restarts after no step; 20 is a usual number, at HERE"],
    );
    mistaken(
        |a: Var| Krylov::default().gmres(5, move |x: Var| a.dot(x), a.at(0)),
        WIDE,
        expect![
            "custom_linear_solve: the guess has f64[3], and the value of the function has f64[2], at HERE"
        ],
    );
    mistaken(
        |a: Var| Krylov::default().gmres(5, move |x: Var| x * x, a.at(0)),
        SQUARE,
        expect![
            "custom_linear_solve: the function is not linear: its derivative depends on its argument, at HERE; `custom_root` solves equations that are not linear"
        ],
    );
    mistaken(
        |a: Var| Lsmr::default().solve(move |x: Var| a.dot(x), a.at((.., 0)), a.at((.., 0))),
        WIDE,
        expect!["dot: f64[2,3] and f64[2] differ in length along axes 1 and 0, at HERE"],
    );
    mistaken(
        |a: Var| Lsmr::default().solve(move |x: Var| a.dot(x), a.at(0), a.at(0)),
        WIDE,
        expect!["lsmr: b has f64[3], and the value of the function has f64[2], at HERE"],
    );
    mistaken(
        |a: Var| Lsmr::default().solve(|x: Var| x * x, a.at(0), a.at(0)),
        WIDE,
        expect![
            "linear_transpose: the function is not linear: its derivative depends on its argument, at HERE; take `vjp` at a point"
        ],
    );
}
