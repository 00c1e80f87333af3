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
];
