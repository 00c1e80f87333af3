//! Band matrices.

use wengert::linalg::{solve_banded, solve_tridiagonal};
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, elements, everywhere, function, near, random};

/// The whole matrix of diagonals.
fn whole(ab: &Array, (lower, upper): (usize, usize)) -> Array {
    let n = ab.shape()[1];
    let all = elements(ab);
    let at = |i: usize, j: usize| match i + upper >= j && j + lower >= i {
        true => all[(upper + i - j) * n + j],
        false => 0.0,
    };
    let data: Vec<f64> = (0..n * n).map(|k| at(k / n, k % n)).collect();
    Array::new([n, n], data).unwrap()
}

#[test]
fn solutions_are_those_of_the_whole_matrix() {
    for n in [1, 2, 3, 4, 5, 9, 23, 40] {
        for band in [
            (0, 0),
            (1, 1),
            (2, 1),
            (1, 2),
            (2, 2),
            (0, 3),
            (3, 0),
            (5, 4),
            (8, 0),
        ] {
            let rows = band.0 + band.1 + 1;
            let mut rng = Rng::new((n * 100 + rows) as u64);
            let ab = random(&mut rng, &[rows, n]);
            for columns in [None, Some(3)] {
                let dims: Vec<usize> = [n].into_iter().chain(columns).collect();
                let b = random(&mut rng, &dims);
                let f = function(move |x| vec![solve_banded(band, x[0], x[1])]);
                let args = [ab.clone(), b.clone()];
                let x = match n < 10 {
                    true => everywhere(&f, &args),
                    false => compiled(&f, &args),
                };
                let a = whole(&ab, band);
                let back = function(|x| vec![x[0].dot(x[1]), x[0].cond()]);
                let r = compiled(&back, &[a, x[0].clone()]);
                let far = elements(&r[1])[0];
                let what = format!("{n} rows, {band:?}, {columns:?}, {far}");
                near(&what, &r[0], &b, 1e-14 * far.max(10.0));
            }
        }
    }
}

/// Figures of `scipy.linalg.solve_banded`, SciPy 1.17.
#[test]
fn figures_of_scipy() {
    let f = jit(|(ab, b): (Var, Var)| solve_banded((1, 2), ab, b));
    // The first element of the second row and those beyond the matrix are not read.
    let nan = f64::NAN;
    let ab = [
        [nan, nan, -1.0, -1.0, -1.0],
        [nan, 2.0, 2.0, 2.0, 2.0],
        [0.0, 4.0, 1.0, 1.0, 1.0],
        [1.0, 3.0, 2.0, 5.0, nan],
    ];
    let x = f.call((ab, [0.0, 1.0, 2.0, 2.0, 3.0])).unwrap();
    near("five", &x, &Array::from(FIVE), 1e-14);
}

const FIVE: [f64; 5] = [
    -0.315_068_493_150_684_9,
    0.232_876_712_328_767_1,
    0.465_753_424_657_534_3,
    0.547_945_205_479_452,
    0.260_273_972_602_739_7,
];

#[test]
fn tridiagonal_systems() {
    let f = function(|x| vec![solve_tridiagonal(x[0], x[1], x[2], x[3])]);
    for n in [0, 1, 2, 3, 7, 40] {
        let mut rng = Rng::new(n as u64);
        let less = n.max(1) - 1;
        let args = [
            random(&mut rng, &[less]),
            random(&mut rng, &[n]),
            random(&mut rng, &[less]),
            random(&mut rng, &[n]),
        ];
        let x = everywhere(&f, &args);
        let back = function(move |x| {
            let (lower, diagonal, upper, y) = (x[0], x[1], x[2], x[3]);
            let low = concat((zeros([1]), lower * y.at(..less)), 0);
            let high = concat((upper * y.at(n - less..), zeros([1])), 0);
            vec![diagonal * y + low + high]
        });
        if n > 0 {
            let args = [&args[..3], &x].concat();
            let b = random(&mut Rng::new(n as u64), &[2 * less + n + n]);
            let b = elements(&b)[2 * less + n..].to_vec();
            near(
                &format!("{n}"),
                &compiled(&back, &args)[0],
                &b.into(),
                1e-11,
            );
        }
    }
}

#[test]
fn sizes_far_from_one() {
    let f = jit(|(ab, b): (Var, Var)| solve_banded((1, 1), ab, b));
    let ab = [[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 0.0]];
    for size in [1e-150, 1e150] {
        let scaled = ab.map(|row| row.map(|x: f64| x * size));
        let x = f
            .call((scaled, [4.0 * size, 8.0 * size, 8.0 * size]))
            .unwrap();
        near("scaled", &x, &Array::from([1.0, 2.0, 3.0]), 1e-14);
    }
    // Singular matrices and NaN give no numbers.
    let x = f.call(([[0.0; 3]; 3], [1.0; 3])).unwrap();
    assert!(elements(&x).iter().all(|x| !x.is_finite()), "{x:?}");
    let x = f.call(([[0.0, 1.0, f64::NAN], [2.0; 3], [1.0; 3]], [1.0; 3]));
    assert!(elements(&x.unwrap()).iter().any(|x| x.is_nan()));
    // A pivot of zero is no obstacle, but a singular matrix is.
    let x = f.call((
        [[0.0, 1.0, 0.0, 1.0], [0.0; 4], [1.0, 0.0, 1.0, 0.0]],
        [1.0, 2.0, 3.0, 4.0],
    ));
    assert_eq!(elements(&x.unwrap()), [2.0, 1.0, 4.0, 3.0]);
    let x = f.call((
        [[0.0, 1.0, 1.0], [0.0; 3], [1.0, 2.0, 0.0]],
        [1.0, 2.0, 3.0],
    ));
    assert!(elements(&x.unwrap()).iter().all(|x| !x.is_finite()));
}

#[test]
fn derivatives_of_band_solutions() {
    for (n, band) in [(4, (1, 1)), (6, (2, 1)), (7, (5, 4))] {
        let mut rng = Rng::new(n as u64);
        let rows = band.0 + band.1 + 1;
        let mut ab = random(&mut rng, &[rows, n]);
        for j in 0..n {
            ab.set([band.1, j], 4.0 + j as f64).unwrap();
        }
        let b = random(&mut rng, &[n, 2]);
        let f = move |(ab, b): (Var, Var)| solve_banded(band, ab, b);
        check_grads(f, (ab.clone(), b.clone()), 2).unwrap();
        // What lies outside of the matrix has no part in the gradient.
        let slope = jit(grad(move |ab: Var| solve_banded(band, ab, ones([n])).sum()));
        let g = slope.call(&ab).unwrap();
        assert_eq!(g.get::<f64>([0, 0]).unwrap(), 0.0);
    }
    let f = |(l, d, u, b): (Var, Var, Var, Var)| solve_tridiagonal(l, d, u, b);
    check_grads(
        f,
        ([0.5, -0.2], [2.0, 3.0, 2.5], [0.3, 0.9], [1.0, 2.0, 3.0]),
        2,
    )
    .unwrap();
}

/// Linear time: a long system, alone and in a batch.
#[test]
fn long_systems() {
    let n = 20_000;
    let f = jit(move |k: Var| {
        let side = ones([n - 1]) * -k;
        let x = solve_tridiagonal(side, ones([n]) + 2.0 * k, side, ones([n]));
        (x.at(n / 2), x.sum())
    });
    let (middle, sum) = f.call(0.25).unwrap();
    assert!((elements(&middle)[0] - 1.0).abs() < 1e-12);
    assert!(elements(&sum)[0] < n as f64);
    let batch = jit(vmap(move |k: Var| {
        let side = ones([n - 1]) * -k;
        solve_tridiagonal(side, ones([n]) + 2.0 * k, side, ones([n])).sum()
    }));
    let sums = batch.call([0.25, 0.5]).unwrap();
    assert_eq!(elements(&sums)[0], elements(&sum)[0]);
}
