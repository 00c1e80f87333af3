//! What to try linear algebra on.

use wengert::Array;

use super::super::draw::{Draw, Sample};
use super::Row;

/// Matrices that are far from singular, with eigenvalues and singular values that are far from each other, alone or
/// several.
fn matrices(d: &mut Draw, front: &[usize], rows: usize, columns: usize) -> Array {
    let dims = [front, &[rows, columns]].concat();
    let small = d.f64s(&dims, -0.5, 0.5).to_vec::<f64>().expect("floats");
    let with_diagonal = |(at, x): (usize, f64)| {
        let (i, j) = (at / columns % rows, at % columns);
        x + if i == j { 3.0 + 2.0 * i as f64 } else { 0.0 }
    };
    let data: Vec<f64> = small.into_iter().enumerate().map(with_diagonal).collect();
    Array::new(dims, data).expect("elements that fill the shape")
}

fn front(d: &mut Draw) -> Vec<usize> {
    (0..d.below(3)).map(|_| d.below(3)).collect()
}

fn square(d: &mut Draw) -> Sample {
    let (front, n) = (front(d), d.below(5));
    Sample::of([matrices(d, &front, n, n)])
}

fn rectangular(d: &mut Draw) -> Sample {
    let (front, m, n) = (front(d), 1 + d.below(4), 1 + d.below(4));
    Sample::of([matrices(d, &front, m, n)])
}

/// A system with one right-hand side or several.
fn system(d: &mut Draw) -> Sample {
    let n = 1 + d.below(4);
    let right: &[usize] = if d.below(2) == 0 { &[n] } else { &[n, 3] };
    let right = d.f64s(right, -2.0, 2.0);
    Sample::of([matrices(d, &[], n, n), right])
}

fn overdetermined(d: &mut Draw) -> Sample {
    let n = 1 + d.below(3);
    let m = n + d.below(3);
    let right = d.f64s(&[m], -2.0, 2.0);
    Sample::of([matrices(d, &[], m, n), right])
}

pub const LINALG: &[Row] = &[
    ("cholesky", square),
    ("solve", system),
    ("inv", square),
    ("det", square),
    ("slogdet", square),
    ("triangular_solve", |d| {
        let lower = d.below(2) == 0;
        system(d).with("lower", lower)
    }),
    ("eigvalsh", square),
    ("svdvals", rectangular),
    ("qr_r_abs", rectangular),
    ("lstsq", overdetermined),
    ("expm", square),
    ("matrix_power", |d| {
        let n = d.below(6) as i64 - 2;
        square(d).with("n", n)
    }),
    ("pinv", rectangular),
    ("solve_banded", |d| {
        let (lower, upper, n) = (d.below(3), d.below(3), 1 + d.below(6));
        let ab = d.f64s(&[lower + upper + 1, n], -0.5, 0.5);
        let mut all = ab.to_vec::<f64>().expect("floats");
        all[upper * n..(upper + 1) * n]
            .iter_mut()
            .for_each(|x| *x += 3.0);
        let ab = Array::new([lower + upper + 1, n], all).expect("as many elements");
        let right = d.f64s(&[n, 2], -2.0, 2.0);
        let sample = Sample::of([ab, right]);
        sample
            .with("lower", lower as i64)
            .with("upper", upper as i64)
    }),
    ("solve_tridiagonal", |d| {
        let n = 1 + d.below(5);
        let sides = [d.f64s(&[n - 1], -1.0, 1.0), d.f64s(&[n - 1], -1.0, 1.0)];
        let [lower, upper] = sides;
        Sample::of([
            lower,
            d.f64s(&[n], 2.5, 4.0),
            upper,
            d.f64s(&[n], -2.0, 2.0),
        ])
    }),
    ("eigvals", square),
    ("sqrtm", square),
    ("logm", square),
    ("polar", square),
    ("solve_sylvester", |d| {
        let (m, n) = (d.below(4), d.below(3));
        let (a, b) = (matrices(d, &[], m, m), matrices(d, &[], n, n));
        Sample::of([a, b, d.f64s(&[m, n], -2.0, 2.0)])
    }),
    ("solve_continuous_lyapunov", equation),
    ("solve_discrete_lyapunov", equation),
    ("householder_product", |d| {
        let n = 1 + d.below(3);
        let (m, k) = (n + d.below(3), d.below(n + 1));
        Sample::of([d.f64s(&[m, n], -1.0, 1.0), d.f64s(&[k], 0.2, 1.5)])
    }),
    ("complex_solve", |d| {
        let n = 1 + d.below(4);
        let (re, im) = (matrices(d, &[], n, n), d.f64s(&[n, n], -1.0, 1.0));
        Sample::of([
            re,
            im,
            d.f64s(&[n, 2], -2.0, 2.0),
            d.f64s(&[n, 2], -2.0, 2.0),
        ])
    }),
    ("complex_inv", complex),
    ("complex_det", complex),
    ("complex_eigvalsh", complex),
    ("complex_eigvals", complex),
];

/// A matrix and a right-hand side of its shape.
fn equation(d: &mut Draw) -> Sample {
    let n = d.below(4);
    Sample::of([matrices(d, &[], n, n), d.f64s(&[n, n], -2.0, 2.0)])
}

/// The two parts of a matrix, alone or several.
fn complex(d: &mut Draw) -> Sample {
    let (front, n) = (front(d), d.below(5));
    let dims = [&front[..], &[n, n]].concat();
    Sample::of([matrices(d, &front, n, n), d.f64s(&dims, -0.5, 0.5)])
}
