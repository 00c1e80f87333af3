//! Eigenvalues and eigenvectors of any square matrices, real and complex.

use wengert::linalg::{eig, eigvals};
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{Function, compiled, elements, everywhere, function, near, random};

fn of_real() -> Function {
    function(|x| {
        let (w, v) = eig(x[0]);
        let only = eigvals(x[0]);
        vec![w.re, w.im, v.re, v.im, only.re, only.im]
    })
}

fn of_complex() -> Function {
    function(|x| {
        let a = Complex { re: x[0], im: x[1] };
        let (w, v) = a.eig();
        let only = a.eigvals();
        vec![w.re, w.im, v.re, v.im, only.re, only.im]
    })
}

/// Checks what is found: `a v = v w`, the scale of the vectors, and the order of the values.
fn checked(what: &str, a: [&Array; 2], found: &[Array], tolerance: f64) {
    let n = a[0].shape()[0];
    let f = function(|x| {
        let a = Complex { re: x[0], im: x[1] };
        let (w, v) = (
            Complex { re: x[2], im: x[3] },
            Complex { re: x[4], im: x[5] },
        );
        let size = a.re.abs().sum() + a.im.abs().sum() + 1e-300;
        let off = a.matmul(v) - v * w;
        let lengths = (v.re * v.re + v.im * v.im).sum_axis(0);
        vec![off.re / size, off.im / size, lengths]
    });
    let args: Vec<Array> = [a[0], a[1]]
        .into_iter()
        .chain(&found[..4])
        .cloned()
        .collect();
    let r = compiled(&f, &args);
    for x in elements(&r[0]).into_iter().chain(elements(&r[1])) {
        assert!(x.abs() <= tolerance, "{what}: off by {x:e}");
    }
    for x in elements(&r[2]) {
        assert!((x - 1.0).abs() < 1e-13, "{what}: the length {x}");
    }
    let (re, im) = (elements(&found[0]), elements(&found[1]));
    let pairs: Vec<(f64, f64)> = re.into_iter().zip(im).collect();
    assert!(pairs.windows(2).all(|w| w[0] <= w[1]), "{what}: {pairs:?}");
    // The largest element is real and positive.
    let (x, y) = (elements(&found[2]), elements(&found[3]));
    for k in 0..n {
        let sizes: Vec<f64> = (0..n).map(|i| x[i * n + k].hypot(y[i * n + k])).collect();
        let most = sizes.iter().fold(0.0, |m: f64, &s| m.max(s));
        let real = (0..n).any(|i| y[i * n + k] == 0.0 && x[i * n + k] > most * (1.0 - 1e-13));
        assert!(real, "{what}: the direction of vector {k}");
    }
}

fn times(a: &Array, by: f64) -> Array {
    let all: Vec<f64> = elements(a).into_iter().map(|x| x * by).collect();
    Array::new(a.shape(), all).unwrap()
}

#[test]
fn vectors_are_turned_into_multiples_of_themselves() {
    for n in [0, 1, 2, 3, 4, 5, 8, 13, 27, 32, 33, 40] {
        let mut rng = Rng::new(n as u64 + 900);
        let a = random(&mut rng, &[n, n]);
        let zeros = Array::zeros([n, n], DType::F64);
        let ones = jit(move |_: ()| eye(n)).call(()).unwrap();
        let rank = jit(|a: Var| a.at((.., ..1)).matmul(a.at(..1)));
        let kinds = [
            ("random", a.clone()),
            ("zeros", zeros.clone()),
            ("the identity", ones),
            ("large", times(&a, 1e150)),
            ("small", times(&a, 1e-150)),
            ("symmetric", jit(|a: Var| a + a.t()).call(&a).unwrap()),
            ("antisymmetric", jit(|a: Var| a - a.t()).call(&a).unwrap()),
            ("triangular", jit(|a: Var| a.triu()).call(&a).unwrap()),
            (
                "of rank one",
                if n > 0 {
                    rank.call(&a).unwrap()
                } else {
                    a.clone()
                },
            ),
        ];
        for (kind, a) in kinds {
            let what = format!("{kind} {n}");
            let whole = n <= 8 && (kind == "random" || kind == "antisymmetric");
            let found = match whole {
                true => everywhere(&of_real(), std::slice::from_ref(&a)),
                false => compiled(&of_real(), std::slice::from_ref(&a)),
            };
            checked(&what, [&a, &zeros], &found, 1e-14 * (n as f64).max(4.0));
            let size = elements(&a).iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            for k in 0..2 {
                let off = elements(&found[k]).into_iter().zip(elements(&found[k + 4]));
                let off = off.fold(0.0, |m: f64, (x, y)| m.max((x - y).abs()));
                // Multiple eigenvalues of matrices with few vectors are not determined better.
                assert!(off <= 1e-7 * size, "{what}: {off:e} of {size:e}");
            }
            // Values come in pairs of conjugates.
            let im = elements(&found[1]);
            let (up, down) = (
                im.iter().filter(|x| **x > 0.0),
                im.iter().filter(|x| **x < 0.0),
            );
            assert_eq!(up.count(), down.count(), "{what}: {im:?}");
            for (k, im) in im.into_iter().enumerate().filter(|x| x.1 == 0.0) {
                let own = elements(&found[3]);
                assert!((0..n).all(|i| own[i * n + k] == 0.0), "{what}: {im}, {k}");
            }
        }
    }
}

#[test]
fn complex_vectors_are_turned_into_multiples_of_themselves() {
    for n in [0, 1, 2, 3, 4, 5, 8, 13, 32, 33, 40] {
        let mut rng = Rng::new(n as u64 + 100);
        let (a, b) = (random(&mut rng, &[n, n]), random(&mut rng, &[n, n]));
        let zeros = Array::zeros([n, n], DType::F64);
        for (kind, a, b) in [
            ("random", a.clone(), b.clone()),
            ("real", a.clone(), zeros.clone()),
            ("imaginary", zeros.clone(), a.clone()),
            ("zeros", zeros.clone(), zeros.clone()),
            ("large", times(&a, 1e150), times(&b, 1e150)),
            ("small", times(&a, 1e-150), times(&b, 1e-150)),
        ] {
            let what = format!("{kind} {n}");
            let args = [a.clone(), b.clone()];
            let found = match n <= 5 && kind == "random" {
                true => everywhere(&of_complex(), &args),
                false => compiled(&of_complex(), &args),
            };
            checked(&what, [&a, &b], &found, 1e-14 * (n as f64).max(4.0));
        }
    }
}

/// Figures of `numpy.linalg.eig`, NumPy 2.
#[test]
fn figures_of_numpy() {
    let w = jit(|a: Var| eigvals(a)).call(FOUR).unwrap();
    near("re", &w.re, &Array::from(REAL.map(|z| z.0)), 1e-14);
    near("im", &w.im, &Array::from(REAL.map(|z| z.1)), 1e-14);
    let w = jit(|a: Complex| a.eigvals())
        .call(Complex {
            re: FOUR,
            im: OTHER,
        })
        .unwrap();
    near("re", &w.re, &Array::from(COMPLEX.map(|z| z.0)), 1e-14);
    near("im", &w.im, &Array::from(COMPLEX.map(|z| z.1)), 1e-14);
}

const FOUR: [[f64; 4]; 4] = [
    [1.0, 2.0, 0.0, -1.0],
    [3.0, -1.0, 1.0, 2.0],
    [0.0, 4.0, 2.0, 1.0],
    [-2.0, 1.0, 1.0, 3.0],
];
const OTHER: [[f64; 4]; 4] = [
    [0.0, 1.0, 0.0, 2.0],
    [1.0, 0.0, -1.0, 0.0],
    [0.5, 0.0, 1.0, 0.0],
    [1.0, 1.0, 0.0, -1.0],
];

const REAL: [(f64, f64); 4] = [
    (-3.533_151_914_304_915, 0.0),
    (0.692_101_661_808_055_1, 0.0),
    (3.115_292_765_660_637_3, 0.0),
    (4.725_757_486_836_218, 0.0),
];
const COMPLEX: [(f64, f64); 4] = [
    (-3.490_099_993_600_507_5, -0.347_029_197_045_036_76),
    (0.504_716_847_424_561_7, 1.679_183_368_366_015_3),
    (3.894_492_931_982_741_7, -1.990_952_850_962_076),
    (4.090_890_214_193_2, 0.658_798_679_641_100_4),
];

/// Matrices that are hard for the shifts: cyclic permutations, Jordan blocks, companions of powers, Frank's.
#[test]
fn hard_matrices() {
    for n in [2usize, 3, 4, 6, 12, 32, 40] {
        let make = |f: &dyn Fn(usize, usize) -> f64| {
            let all: Vec<f64> = (0..n * n).map(|k| f(k / n, k % n)).collect();
            Array::new([n, n], all).unwrap()
        };
        let cyclic = make(&|i, j| f64::from(u8::from((i + 1) % n == j)));
        let jordan = make(&|i, j| f64::from(u8::from(i == j)) + f64::from(u8::from(i + 1 == j)));
        let frank = make(&|i, j| match j + 1 >= i {
            true => (n - i.max(j)) as f64,
            false => 0.0,
        });
        let zeros = Array::zeros([n, n], DType::F64);
        for (kind, a) in [("cyclic", &cyclic), ("jordan", &jordan), ("frank", &frank)] {
            let what = format!("{kind} {n}");
            for (f, args) in [
                (of_real(), vec![a.clone()]),
                (of_complex(), vec![a.clone(), zeros.clone()]),
            ] {
                let found = compiled(&f, &args);
                checked(&what, [a, &zeros], &found, 1e-13 * n as f64);
                let size = elements(&found[0]).into_iter().zip(elements(&found[1]));
                if kind == "cyclic" {
                    // The roots of unity.
                    assert!(
                        size.map(|(x, y)| x.hypot(y))
                            .all(|s| (s - 1.0).abs() < 1e-13)
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_not_finite_gives_nan_and_ends() {
    for n in [1, 2, 3, 6, 32, 40] {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut a = random(&mut Rng::new(n as u64), &[n, n]);
            a.set([n - 1, 0], bad).unwrap();
            let zeros = Array::zeros([n, n], DType::F64);
            for found in [
                compiled(&of_real(), std::slice::from_ref(&a)),
                compiled(&of_complex(), &[a.clone(), zeros.clone()]),
                compiled(&of_complex(), &[zeros, a]),
            ] {
                let all = found.iter().flat_map(elements);
                assert!(all.clone().all(|x| x.is_nan()), "{bad} {n}");
            }
        }
    }
}

#[test]
fn derivatives_of_values_and_vectors() {
    for n in [1, 2, 3, 5] {
        let mut rng = Rng::new(n as u64 + 6);
        let (a, b) = (random(&mut rng, &[n, n]), random(&mut rng, &[n, n]));
        let f = |a: Var| {
            let (w, v) = eig(a);
            (w, v)
        };
        check_grads(f, a.clone(), 2).unwrap();
        let f = |a: Complex| {
            let (w, v) = a.eig();
            (w, v)
        };
        check_grads(f, Complex { re: a, im: b }, 2).unwrap();
    }
    // The trace and the determinant are the sum and the product of the eigenvalues, also where those are equal.
    let sum = jit(grad(|a: Var| eigvals(a).re.sum()));
    let g = sum.call([[1.0, 0.0], [0.0, 1.0]]).unwrap();
    assert_eq!(elements(&g), [1.0, 0.0, 0.0, 1.0]);
    let product = jit(grad(|a: Var| eigvals(a).prod().re));
    let g = product.call([[1.0, 2.0], [-3.0, 4.0]]).unwrap();
    near(
        "cofactors",
        &g,
        &Array::from([[4.0, 3.0], [-2.0, 1.0]]),
        1e-13,
    );
}
