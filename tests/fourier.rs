//! Fourier transforms: what they are, and what holds of them.

use std::f64::consts::PI;

use wengert::Overlap;
use wengert::fft::{self, Norm, ShortTime, Transform};
use wengert::prelude::*;
use wengert_check::{Rng, check_grads};

/// Lengths around powers of two, and primes.
const LENGTHS: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 31, 32, 64, 97, 100, 1009];

fn numbers(rng: &mut Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| rng.uniform(-1.0, 1.0)).collect()
}

fn complex(rng: &mut Rng, n: usize) -> Complex<Array> {
    let [re, im] = [numbers(rng, n), numbers(rng, n)];
    Complex {
        re: re.into(),
        im: im.into(),
    }
}

fn parts(z: &Complex<Array>) -> Vec<(f64, f64)> {
    let (re, im) = (z.re.to_vec::<f64>().unwrap(), z.im.to_vec::<f64>().unwrap());
    re.into_iter().zip(im).collect()
}

fn apart(a: &[(f64, f64)], b: &[(f64, f64)]) -> f64 {
    assert_eq!(a.len(), b.len());
    let each = a.iter().zip(b).map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1));
    each.fold(0.0, f64::max)
}

/// The sum that defines the transform.
fn by_definition(z: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let n = z.len();
    let term = |j: usize, k: usize| {
        let angle = -2.0 * PI * (j * k % n) as f64 / n as f64;
        let ((re, im), (sin, cos)) = (z[j], angle.sin_cos());
        (re * cos - im * sin, re * sin + im * cos)
    };
    (0..n)
        .map(|k| (0..n).fold((0.0, 0.0), |s, j| (s.0 + term(j, k).0, s.1 + term(j, k).1)))
        .collect()
}

#[test]
fn any_length_is_transformed_and_back() {
    let mut rng = Rng::new(1);
    let forward = jit(|z: Complex| fft::fft(z));
    let half = jit(|x: Var| fft::rfft(x));
    let round = jit(|z: Complex| fft::ifft(fft::fft(z)));
    for n in LENGTHS {
        let z = complex(&mut rng, n);
        let got = forward.call(z.clone()).unwrap();
        let want = by_definition(&parts(&z));
        let size = n as f64;
        assert!(apart(&parts(&got), &want) < 1e-14 * size, "{n}");
        assert_eq!(got, forward.interpret(z.clone()).unwrap());
        let back = round.call(z.clone()).unwrap();
        assert!(apart(&parts(&back), &parts(&z)) < 1e-14 * size, "{n}");
        let real: Vec<(f64, f64)> = parts(&z).iter().map(|z| (z.0, 0.0)).collect();
        let got = half.call(z.re.clone()).unwrap();
        assert!(
            apart(&parts(&got), &by_definition(&real)[..n / 2 + 1]) < 1e-14 * size,
            "{n}"
        );
        let back = jit(move |z: Complex| Transform::new().n(n).irfft(z));
        let back = back.call(got).unwrap().to_vec::<f64>().unwrap();
        let back: Vec<(f64, f64)> = back.into_iter().map(|x| (x, 0.0)).collect();
        assert!(apart(&back, &real) < 1e-14 * size, "{n}");
    }
}

/// The sum of squares is kept, and products of transforms are convolutions around a circle.
#[test]
fn parseval_and_the_convolution_theorem() {
    let mut rng = Rng::new(2);
    let f = jit(|(x, y): (Complex, Complex)| {
        let plan = Transform::new().norm(Norm::Ortho);
        let product = fft::ifft(fft::fft(x) * fft::fft(y));
        (plan.fft(x).norm_sqr().sum() - x.norm_sqr().sum(), product)
    });
    for n in LENGTHS.into_iter().filter(|n| *n < 200) {
        let (x, y) = (complex(&mut rng, n), complex(&mut rng, n));
        let (zero, product) = f.call((x.clone(), y.clone())).unwrap();
        assert!(zero.item::<f64>().unwrap().abs() < 1e-12 * n as f64);
        let (x, y) = (parts(&x), parts(&y));
        let term = |a: (f64, f64), b: (f64, f64)| (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
        let sum = |k: usize| {
            (0..n).fold((0.0, 0.0), |s, j| {
                let t = term(x[j], y[(n + k - j) % n]);
                (s.0 + t.0, s.1 + t.1)
            })
        };
        let want: Vec<(f64, f64)> = (0..n).map(sum).collect();
        assert!(apart(&parts(&product), &want) < 1e-13 * n as f64, "{n}");
    }
}

/// Rows have the same bits alone, in a batch of any size on several threads, in a map, and in a map in a loop in lanes.
#[test]
fn rows_keep_their_bits() {
    let mut rng = Rng::new(3);
    for n in [4, 7, 64, 1000] {
        let rows = 300;
        let all = numbers(&mut rng, rows * n);
        let x = Array::from(&all[..]).reshape([rows, n]).unwrap();
        let f = |x: Var| {
            let half = fft::rfft(x);
            (half, fft::fft(Complex::new(x, -x)))
        };
        let together = jit(f).call(x.clone()).unwrap();
        let mapped = jit(vmap(f)).call(x.clone()).unwrap();
        assert_eq!(together, mapped);
        let alone = jit(f);
        for row in [0, 1, 17, 299] {
            let x = Array::from(&all[row * n..(row + 1) * n]);
            let (half, whole) = alone.call(x).unwrap();
            let at =
                |x: &Array, m: usize| x.to_vec::<f64>().unwrap()[row * m..(row + 1) * m].to_vec();
            assert_eq!(
                half.re.to_vec::<f64>().unwrap(),
                at(&together.0.re, n / 2 + 1)
            );
            assert_eq!(
                half.im.to_vec::<f64>().unwrap(),
                at(&together.0.im, n / 2 + 1)
            );
            assert_eq!(whole.im.to_vec::<f64>().unwrap(), at(&together.1.im, n));
        }
    }
}

/// Transforms in a loop whose lanes take different numbers of steps.
#[test]
fn lanes_transform_inside_of_loops() {
    let f = |(x, n): (Var, Var)| {
        let step = |(x, k): (Var, Var)| {
            let z = fft::fft(x);
            (z.re * 0.25 + z.im * 0.5, k + 1)
        };
        while_loop((x, Var::from(0i64)), move |(_, k)| k.lt(n), step).0
    };
    let mut rng = Rng::new(4);
    let x = Array::from(numbers(&mut rng, 40 * 6))
        .reshape([40, 6])
        .unwrap();
    let n = Array::from((0..40i64).map(|i| i % 7).collect::<Vec<i64>>());
    let batch = jit(vmap(f));
    let got = batch.call((x.clone(), n.clone())).unwrap();
    assert_eq!(got, batch.interpret((x.clone(), n)).unwrap());
    let alone = jit(f);
    let rows = x.to_vec::<f64>().unwrap();
    let got = got.to_vec::<f64>().unwrap();
    for i in 0..40 {
        let row = Array::from(&rows[6 * i..6 * i + 6]);
        let want = alone.call((row, i as i64 % 7)).unwrap();
        assert_eq!(got[6 * i..6 * i + 6], want.to_vec::<f64>().unwrap());
    }
}

/// The inverse undoes each type with each scale, and the orthogonal ones keep the sum of squares.
#[test]
fn cosine_and_sine_transforms() {
    let mut rng = Rng::new(5);
    for n in [2, 3, 8, 9, 17, 64] {
        let x = numbers(&mut rng, n);
        for kind in 1..=4 {
            for norm in [Norm::Backward, Norm::Ortho, Norm::Forward] {
                let f = jit(move |x: Var| {
                    let (c, s) = (fft::dct(x, kind, norm), fft::dst(x, kind, norm));
                    (fft::idct(c, kind, norm), fft::idst(s, kind, norm), c, s)
                });
                let (a, b, c, s) = f.call(&x[..]).unwrap();
                for back in [a, b] {
                    let back = back.to_vec::<f64>().unwrap();
                    let far = x
                        .iter()
                        .zip(&back)
                        .any(|(x, y)| (x - y).abs() > 1e-13 * n as f64);
                    assert!(!far, "type {kind} of {n}: {back:?}, not {x:?}");
                }
                if norm == Norm::Ortho {
                    let squares = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
                    for y in [c, s] {
                        let y = squares(&y.to_vec::<f64>().unwrap());
                        assert!(
                            (y - squares(&x)).abs() < 1e-13 * n as f64,
                            "type {kind} of {n}"
                        );
                    }
                }
            }
        }
        // Type 2, by definition.
        let c = jit(|x: Var| fft::dct(x, 2, Norm::Backward))
            .call(&x[..])
            .unwrap();
        let s = jit(|x: Var| fft::dst(x, 2, Norm::Backward))
            .call(&x[..])
            .unwrap();
        let (c, s) = (c.to_vec::<f64>().unwrap(), s.to_vec::<f64>().unwrap());
        for k in 0..n {
            let sum = |f: &dyn Fn(usize) -> f64| -> f64 { (0..n).map(|j| 2.0 * x[j] * f(j)).sum() };
            let step = PI / (2 * n) as f64;
            let want = sum(&|j| (step * (k * (2 * j + 1)) as f64).cos());
            assert!((c[k] - want).abs() < 1e-13 * n as f64);
            let want = sum(&|j| (step * ((k + 1) * (2 * j + 1)) as f64).sin());
            assert!((s[k] - want).abs() < 1e-13 * n as f64);
        }
    }
}

#[test]
fn convolutions_by_transforms_are_convolutions() {
    let mut rng = Rng::new(6);
    for (n, m) in [(1, 1), (5, 3), (3, 5), (200, 7), (7, 200), (1000, 30)] {
        for part in [Overlap::Full, Overlap::Valid] {
            let f = jit(move |(x, y): (Var, Var)| {
                let want = x.convolve(y, part);
                let a = fft::fftconvolve(x, y, part) - want;
                let b = fft::oaconvolve(x, y, part) - want;
                (a.abs().amax(), b.abs().amax())
            });
            let (x, y) = (numbers(&mut rng, n), numbers(&mut rng, m));
            let (a, b) = f.call((&x[..], &y[..])).unwrap();
            assert!(a.item::<f64>().unwrap() < 1e-12, "{n} and {m}");
            assert!(b.item::<f64>().unwrap() < 1e-12, "{n} and {m}");
        }
    }
}

#[test]
fn parts_of_a_signal_give_it_back() {
    let mut rng = Rng::new(7);
    for (n, overlap, length) in [(8, 4, 50), (8, 6, 64), (9, 3, 40), (16, 12, 16)] {
        let s = ShortTime::hann(n).overlap(overlap);
        let x = numbers(&mut rng, length);
        let f = jit(move |x: Var| s.istft(s.stft(x)));
        let y = f.call(&x[..]).unwrap().to_vec::<f64>().unwrap();
        let far = x.iter().zip(&y).any(|(x, y)| (x - y).abs() > 1e-12);
        assert!(
            !far && y.len() >= x.len(),
            "{n} {overlap} {length}: {y:?}, not {x:?}"
        );
    }
}

#[test]
fn derivatives_are_transforms() {
    let mut rng = Rng::new(8);
    for n in [1, 2, 5, 8, 12] {
        let f = |(re, im): (Var, Var)| {
            let z = fft::fft(Complex { re, im });
            let x = fft::irfft(fft::rfft(re * im));
            (z.norm_sqr().sum(), x.sin())
        };
        let x = (
            Array::from(numbers(&mut rng, n.max(2))),
            Array::from(numbers(&mut rng, n.max(2))),
        );
        check_grads(f, x, 2).unwrap();
    }
    // The gradient has one transform more, and no sum of many terms.
    let x = Array::zeros([64], DType::F64);
    let f = |x: Var| fft::rfft(x).norm_sqr().sum();
    let traced = wengert::trace(grad(f), x).unwrap().to_string();
    assert_eq!(traced.matches("= fft{").count(), 2, "{traced}");
}

#[test]
fn frequencies_and_their_order() {
    let f = jit(|(): ()| {
        (
            fft::fftfreq(4, 0.5),
            fft::fftfreq(5, 1.0),
            fft::rfftfreq(5, 1.0),
        )
    });
    let (even, odd, half) = f.call(()).unwrap();
    assert_eq!(even.to_vec::<f64>().unwrap(), [0.0, 0.5, -1.0, -0.5]);
    assert_eq!(odd.to_vec::<f64>().unwrap(), [0.0, 0.2, 0.4, -0.4, -0.2]);
    assert_eq!(half.to_vec::<f64>().unwrap(), [0.0, 0.2, 0.4]);
    let f = jit(|x: Var| (fft::fftshift(x, ..), fft::ifftshift(fft::fftshift(x, 0), 0)));
    let (moved, back) = f.call([0.0, 1.0, 2.0, -2.0, -1.0]).unwrap();
    assert_eq!(moved.to_vec::<f64>().unwrap(), [-2.0, -1.0, 0.0, 1.0, 2.0]);
    assert_eq!(back.to_vec::<f64>().unwrap(), [0.0, 1.0, 2.0, -2.0, -1.0]);
}

/// Without rows there is nothing to do, and of long prime lengths there is much.
#[test]
fn no_rows_and_a_long_prime() {
    let none = jit(|x: Var| fft::rfft(x))
        .call(Array::zeros([0, 8], DType::F64))
        .unwrap();
    assert_eq!(none.shape(), [0, 5]);
    let n = 100_003;
    let x: Vec<f64> = (0..n)
        .map(|i| ((i % 1009) * (i % 1009) % 101) as f64 - 50.0)
        .collect();
    let back = jit(move |x: Var| (Transform::new().n(n).irfft(fft::rfft(x)) - x).abs().amax());
    assert!(back.call(&x[..]).unwrap().item::<f64>().unwrap() < 1e-9);
}
