//! Complex matrices.

use wengert::complex::einsum;
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

use super::{compiled, elements, everywhere, function, near, random};

const SIZES: [usize; 11] = [0, 1, 2, 3, 4, 5, 8, 13, 27, 33, 40];

fn pair(rng: &mut Rng, dims: &[usize]) -> [Array; 2] {
    [random(rng, dims), random(rng, dims)]
}

#[test]
fn solutions_solve_and_inverses_invert() {
    let f = function(|x| {
        let (a, b) = (
            Complex { re: x[0], im: x[1] },
            Complex { re: x[2], im: x[3] },
        );
        let (solution, inverse) = (a.solve(b), a.inv());
        vec![solution.re, solution.im, inverse.re, inverse.im]
    });
    let back = function(|x| {
        let (a, b) = (
            Complex { re: x[0], im: x[1] },
            Complex { re: x[2], im: x[3] },
        );
        let x = (
            Complex { re: x[4], im: x[5] },
            Complex { re: x[6], im: x[7] },
        );
        let (left, one) = (a.dot(x.0) - b, a.dot(x.1));
        vec![left.re, left.im, one.re - eye(one.re.shape()[0]), one.im]
    });
    for n in SIZES {
        for columns in [None, Some(3)] {
            let mut rng = Rng::new(n as u64 + 50);
            let dims: Vec<usize> = [n].into_iter().chain(columns).collect();
            let args = [pair(&mut rng, &[n, n]), pair(&mut rng, &dims)].concat();
            let x = match n <= 8 {
                true => everywhere(&f, &args),
                false => compiled(&f, &args),
            };
            for x in compiled(&back, &[args, x].concat()) {
                assert!(elements(&x).iter().all(|x| x.abs() < 1e-11), "{n} {x:?}");
            }
        }
    }
    for size in [1e-150, 1e150] {
        let f = jit(move |(a, b): (Complex, Complex)| (a * size).solve(b * size));
        let a = Complex {
            re: [[2.0, 0.0], [0.0, 2.0]],
            im: [[0.0, -1.0], [1.0, 0.0]],
        };
        let x = f
            .call((
                a,
                Complex {
                    re: [2.0, 0.0],
                    im: [0.0, 1.0],
                },
            ))
            .unwrap();
        near("scaled", &x.re, &Array::from([1.0, 0.0]), 1e-14);
    }
    let f = jit(|a: Complex| a.solve(Complex::from(ones([2]))));
    for bad in [0.0, f64::NAN] {
        let x = f
            .call(Complex {
                re: [[bad; 2]; 2],
                im: [[0.0; 2]; 2],
            })
            .unwrap();
        assert!(
            elements(&x.re).iter().all(|x| !x.is_finite()),
            "{bad}: {x:?}"
        );
    }
}

/// Figures of NumPy 2.
#[test]
fn figures_of_numpy() {
    let f = jit(|(a, b): (Complex, Complex)| (a.det(), a.solve(b), (a + a.adjoint()).eigvalsh()));
    let (re, im) = ([1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 1.0, 0.0]);
    let (det, x, values) = f
        .call((
            Complex {
                re: FOUR,
                im: OTHER,
            },
            Complex { re, im },
        ))
        .unwrap();
    near("det", &det.re, &DET[0].into(), 1e-14);
    near("det", &det.im, &DET[1].into(), 1e-14);
    near("re", &x.re, &Array::from(SOLUTION.map(|z| z.0)), 1e-14);
    near("im", &x.im, &Array::from(SOLUTION.map(|z| z.1)), 1e-14);
    near("eigvalsh", &values, &Array::from(HERMITIAN), 1e-14);
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

const DET: [f64; 2] = [-53.999_999_999_999_99, -97.5];
const SOLUTION: [(f64, f64); 4] = [
    (-0.563_182_998_249_109_4, -0.168_326_993_902_070_84),
    (0.292_338_344_502_807_43, -0.361_166_455_352_291_3),
    (0.070_820_503_531_968_89, 1.511_018_535_289_500_7),
    (0.115_860_653_263_297_67, -0.366_600_253_577_250_57),
];
const HERMITIAN: [f64; 4] = [
    -7.900_870_512_082_392,
    0.993_172_853_680_873,
    7.012_541_648_191_044_5,
    9.895_156_010_210_474,
];

#[test]
fn determinants_are_products_of_eigenvalues() {
    let f = function(|x| {
        let a = Complex { re: x[0], im: x[1] };
        let det = a.det();
        vec![det.re, det.im]
    });
    let other = function(|x| {
        let det = Complex { re: x[0], im: x[1] }.eigvals().prod();
        vec![det.re, det.im]
    });
    for n in SIZES {
        let a = pair(&mut Rng::new(n as u64 + 8), &[n, n]);
        let det = match n <= 8 {
            true => everywhere(&f, &a),
            false => compiled(&f, &a),
        };
        let wanted = compiled(&other, &a);
        let size = elements(&wanted[0])[0].hypot(elements(&wanted[1])[0]);
        for (x, y) in det.iter().zip(&wanted) {
            let off = (elements(x)[0] - elements(y)[0]).abs() / size;
            assert!(off < 1e-11, "{n}: {x:?} and {y:?}");
        }
    }
}

#[test]
fn hermitian_matrices() {
    let f = function(|x| {
        let a = Complex { re: x[0], im: x[1] };
        let (w, v) = a.eigh();
        vec![w, v.re, v.im, a.eigvalsh()]
    });
    let back = function(|x| {
        let (w, v) = (x[0], Complex { re: x[1], im: x[2] });
        let (a, one) = ((v * w).matmul(v.adjoint()), v.adjoint().matmul(v));
        vec![a.re, a.im, one.re - eye(w.shape()[0]), one.im]
    });
    let even = jit(|(a, b): (Var, Var)| (a + a.t(), b - b.t()));
    for n in SIZES {
        let [a, b] = pair(&mut Rng::new(n as u64 + 3), &[n, n]);
        for size in [1.0f64, 1e-150, 1e150, 0.0] {
            let by = |x: &Array| jit(move |x: Var| x * size).call(x).unwrap();
            let (a, b) = even.call((&by(&a), &by(&b))).unwrap();
            let args = [a.clone(), b.clone()];
            let found = match n <= 8 && size == 1.0 {
                true => everywhere(&f, &args),
                false => compiled(&f, &args),
            };
            let r = compiled(&back, &found);
            let what = format!("{n} {size}");
            let scale = size.max(1e-300);
            for (x, y) in [(&r[0], &a), (&r[1], &b)] {
                for (x, y) in elements(x).into_iter().zip(elements(y)) {
                    assert!((x - y).abs() <= 1e-12 * scale, "{what}: {x} and {y}");
                }
            }
            for x in &r[2..] {
                assert!(elements(x).iter().all(|x| x.abs() < 1e-12), "{what}");
            }
            let w = elements(&found[0]);
            assert!(w.windows(2).all(|w| w[0] <= w[1]), "{what}: {w:?}");
            near(&what, &found[3], &found[0], 1e-13);
        }
        if n > 0 {
            let (mut a, b) = even.call((&a, &b)).unwrap();
            a.set([n - 1, 0], f64::NAN).unwrap();
            let found = compiled(&f, &[a, b]);
            assert!(found.iter().flat_map(elements).all(|x| x.is_nan()), "{n}");
        }
    }
}

#[test]
fn derivatives_of_complex_matrices() {
    for n in [1, 2, 4] {
        let mut rng = Rng::new(n as u64);
        let complex = |[re, im]: [Array; 2]| Complex { re, im };
        let (a, b) = (
            complex(pair(&mut rng, &[n, n])),
            complex(pair(&mut rng, &[n])),
        );
        let f = |(a, b): (Complex, Complex)| a.solve(b);
        check_grads(f, (a.clone(), b), 2).unwrap();
        check_grads(|a: Complex| a.inv(), a.clone(), 2).unwrap();
        check_grads(|a: Complex| a.det(), a.clone(), 2).unwrap();
        let even = |a: Complex| (a + a.adjoint()) * 0.5;
        check_grads(move |a: Complex| even(a).eigvalsh(), a.clone(), 2).unwrap();
        // The phases of the vectors cancel.
        let f = move |a: Complex| {
            let (w, v) = even(a).eigh();
            (v * w.sin()).matmul(v.adjoint())
        };
        check_grads(f, a, 2).unwrap();
    }
}

#[test]
fn products_are_those_of_the_real_matrices() {
    // A complex matrix as a real one of twice the size.
    let whole = |z: Complex| {
        let (a, b) = (z.re, z.im);
        concat(
            (
                stack_axis((a, -b), 1).reshape([3, 6]),
                stack_axis((b, a), 1).reshape([3, 6]),
            ),
            0,
        )
    };
    let mut rng = Rng::new(1);
    let [a, b] = pair(&mut rng, &[3, 3]);
    let [c, e] = pair(&mut rng, &[3, 3]);
    let f = jit(move |(x, y): (Complex, Complex)| {
        let products = [
            x.dot(y),
            x.matmul(y),
            einsum("ij,jk->ik", &[x, y]),
            einsum("kj,ik->ij", &[y, x]),
        ];
        (products.map(whole), whole(x).dot(whole(y)))
    });
    let (all, wanted) = f
        .call((Complex { re: a, im: b }, Complex { re: c, im: e }))
        .unwrap();
    for x in all {
        near("a product", &x, &wanted, 1e-14);
    }
}

/// C99, Annex G.
#[test]
fn quotients_with_infinities() {
    let f = jit(|(x, y): (Complex, Complex)| x / y);
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for ((x, y), wanted) in [
        (((1.0, 2.0), (inf, 1.0)), (0.0, 0.0)),
        (((1.0, 2.0), (inf, inf)), (0.0, 0.0)),
        (((1.0, 2.0), (inf, -inf)), (-0.0, 0.0)),
        (((inf, 2.0), (1.0, 1.0)), (inf, -inf)),
        (((inf, nan), (1.0, 1.0)), (inf, -inf)),
        (((nan, -inf), (1.0, 0.5)), (-inf, -inf)),
        (((1.0, -2.0), (0.0, 0.0)), (inf, -inf)),
        (((1.0, -2.0), (-0.0, 0.0)), (-inf, inf)),
        (((0.0, 0.0), (0.0, 0.0)), (nan, nan)),
        (((nan, nan), (1.0, 0.0)), (nan, nan)),
        (((inf, inf), (inf, inf)), (nan, nan)),
    ] {
        let z = f
            .call((Complex { re: x.0, im: x.1 }, Complex { re: y.0, im: y.1 }))
            .unwrap();
        let (re, im) = (elements(&z.re)[0], elements(&z.im)[0]);
        let same = |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan());
        assert!(
            same(re, wanted.0) && same(im, wanted.1),
            "{x:?} / {y:?}: {re}, {im}"
        );
    }
    let one = jit(|z: Complex| 1.0 / z)
        .call(Complex { re: 0.0, im: 0.0 })
        .unwrap();
    assert_eq!(elements(&one.re), [inf]);
    // Elsewhere the derivative is that of the quotient.
    let f = |(x, y): (Complex, Complex)| x / y;
    check_grads(
        f,
        (Complex { re: 1.0, im: 2.0 }, Complex { re: 0.5, im: -3.0 }),
        2,
    )
    .unwrap();
}
