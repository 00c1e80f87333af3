//! Linear algebra, by the names of the reference cases.

use std::sync::Arc;

use wengert::linalg;
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
    ("solve_banded", |p| {
        let band = (p.int("lower") as usize, p.int("upper") as usize);
        of_two(move |ab, b| linalg::solve_banded(band, ab, b))
    }),
    ("solve_tridiagonal", |_| {
        Arc::new(|x| vec![linalg::solve_tridiagonal(x[0], x[1], x[2], x[3])])
    }),
    ("eigvals", |_| Arc::new(|x| parts(linalg::eigvals(x[0])))),
    ("sqrtm", |_| of_one(linalg::sqrtm)),
    ("logm", |_| of_one(linalg::logm)),
    ("polar", |_| {
        Arc::new(|x| {
            let (u, p) = linalg::polar(x[0]);
            vec![u, p]
        })
    }),
    ("solve_sylvester", |_| {
        Arc::new(|x| vec![linalg::solve_sylvester(x[0], x[1], x[2])])
    }),
    ("solve_continuous_lyapunov", |_| {
        of_two(linalg::solve_continuous_lyapunov)
    }),
    ("solve_discrete_lyapunov", |_| {
        of_two(linalg::solve_discrete_lyapunov)
    }),
    ("householder_product", |_| {
        of_two(linalg::householder_product)
    }),
    ("complex_solve", |_| {
        Arc::new(|x| parts(pair(x).solve(pair(&x[2..]))))
    }),
    ("complex_inv", |_| Arc::new(|x| parts(pair(x).inv()))),
    ("complex_det", |_| Arc::new(|x| parts(pair(x).det()))),
    ("complex_eigvalsh", |_| {
        Arc::new(|x| vec![pair(x).eigvalsh()])
    }),
    ("complex_eigvals", |_| {
        Arc::new(|x| parts(pair(x).eigvals()))
    }),
];

fn pair(x: &[Var]) -> Complex {
    Complex { re: x[0], im: x[1] }
}

fn parts(z: Complex) -> Vec<Var> {
    vec![z.re, z.im]
}
