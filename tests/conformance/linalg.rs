//! Linear algebra, by the names of the reference cases.

use std::sync::Arc;

use wengert::prelude::*;

use super::table::{Row, of_one, of_two};

/// Linear algebra. Factors are compared up to signs that the mathematics leaves free.
pub const LINALG: &[Row] = &[
    ("cholesky", |_| of_one(Var::cholesky)),
    ("solve", |_| of_two(Var::solve)),
    ("inv", |_| of_one(Var::inv)),
    ("det", |_| of_one(Var::det)),
    ("slogdet", |_| {
        Arc::new(|x| {
            let (sign, log) = x[0].slogdet();
            vec![sign, log]
        })
    }),
    ("triangular_solve", |p| match p.flag("lower") {
        true => of_two(Var::solve_lower),
        false => of_two(Var::solve_upper),
    }),
    ("eigvalsh", |_| of_one(Var::eigvalsh)),
    ("svdvals", |_| of_one(Var::svdvals)),
    ("qr_r_abs", |_| of_one(|a| a.qr().1.abs())),
    ("lstsq", |_| of_two(Var::lstsq)),
    ("expm", |_| of_one(wengert::linalg::expm)),
    ("matrix_power", |p| {
        let n = p.int("n");
        of_one(move |a| a.matrix_power(n))
    }),
    ("pinv", |_| of_one(Var::pinv)),
];
