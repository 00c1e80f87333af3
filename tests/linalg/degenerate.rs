//! Derivatives where eigenvalues or singular values coincide, against closed forms, to second order.

use wengert::linalg::{expm, funm_symmetric, spectral_sum};
use wengert::prelude::*;
use wengert_check::Rng;

/// A function of a matrix.
type Function = fn(Var) -> Var;

/// The diagonal of a matrix, turned by a random rotation if `turned`.
fn with_spectrum(values: &[f64], turned: bool, rng: &mut Rng) -> Array {
    let n = values.len();
    let draw: Vec<f64> = (0..n * n).map(|_| rng.uniform(-1.0, 1.0)).collect();
    let f = jit(move |(d, x): (Var, Var)| {
        let q = if turned { x.qr().0 } else { eye(n) };
        let a = (q * d).matmul(q.t());
        (a + a.t()) * 0.5
    });
    f.call((values, Array::new([n, n], draw).unwrap())).unwrap()
}

fn symmetric(n: usize, rng: &mut Rng) -> Array {
    let draw: Vec<f64> = (0..n * n).map(|_| rng.uniform(-1.0, 1.0)).collect();
    let f = jit(|x: Var| (x + x.t()) * 0.5);
    f.call(Array::new([n, n], draw).unwrap()).unwrap()
}

fn close(what: &str, got: &Array, want: &Array, tolerance: f64) {
    let scale = want
        .to_vec::<f64>()
        .unwrap()
        .iter()
        .fold(1.0, |m: f64, x| m.max(x.abs()));
    let (got, want) = (got.to_vec::<f64>().unwrap(), want.to_vec::<f64>().unwrap());
    for (a, b) in got.iter().zip(&want) {
        assert!(
            (a - b).abs() <= tolerance * scale,
            "{what}: {got:?} and {want:?}"
        );
    }
}

/// Spectra with equal eigenvalues, near ones, and others.
fn spectra() -> Vec<Vec<f64>> {
    vec![
        vec![1.0],
        vec![1.0, 1.0, 1.0],
        vec![1.0, 1.0, 2.0],
        vec![0.5, 1.0, 1.0 + 1e-9, 1.7],
        vec![1.0, 1.0 + 1e-5, 1.02, 1.06],
        vec![0.7, 1.3, 2.0, 2.1],
    ]
}

/// The exponential of a block triangular matrix has the differentials of the exponential in its corner (Higham 2008,
/// equation 3.16; twice for the second).
fn differentials(a: Var, e: Var, k: Var) -> (Var, Var) {
    let n = a.shape()[0];
    let o = zeros_like(a);
    let rows = [[a, e, k, o], [o, a, o, k], [o, o, a, e], [o, o, o, a]];
    let rows: Vec<Var> = rows.iter().map(|row| concat(row, 1)).collect();
    let y = expm(concat(&rows, 0));
    let block = |j: usize| y.slice_axis(0, 0..n).slice_axis(1, j * n..(j + 1) * n);
    (block(1), block(3))
}

#[test]
fn exponentials_have_the_differentials_of_block_matrices() {
    let mut rng = Rng::new(40);
    for (i, values) in spectra().iter().enumerate() {
        let n = values.len();
        let a = with_spectrum(values, i % 2 == 1 || i > 3, &mut rng);
        let (e, k) = (symmetric(n, &mut rng), symmetric(n, &mut rng));
        let f = |a: Var| funm_symmetric(a, (), |x, ()| x.exp());
        let first = move |(a, e): (Var, Var)| jvp(f, a, e).1;
        let both = jit(move |(a, e, k): (Var, Var, Var)| {
            let second = jvp(move |a: Var| first((a, e)), a, k).1;
            // The gradient of the trace, and its change.
            let total = |a: Var| spectral_sum(a, (), |x, ()| x.exp());
            let (g, h) = jvp(grad(total), a, e);
            (
                f(a),
                first((a, e)),
                second,
                g,
                h,
                expm(a),
                differentials(a, e, k),
            )
        });
        let (y, dy, ddy, g, h, want, (one, two)) = both.call((a, e, k)).unwrap();
        close("value", &y, &want, 1e-14);
        close("gradient", &g, &want, 1e-14);
        close("first", &dy, &one, 1e-13);
        close("change of the gradient", &h, &one, 1e-13);
        close("second", &ddy, &two, 2e-11);
    }
}

/// `Σ λᵖ`, by the matrix, the parameter, and both, in reverse mode.
#[test]
fn powers_have_derivatives_by_their_exponent() {
    let mut rng = Rng::new(41);
    for values in spectra() {
        let a = with_spectrum(&values, true, &mut rng);
        let of = |(a, p): (Var, Var)| spectral_sum(a, p, |x, p| x.pow(p));
        let f = jit(move |a: Var| {
            let g = grad(of)((a, 3.0.into()));
            let mixed = grad(move |p: Var| grad(move |a: Var| of((a, p)))(a).trace())(3.0.into());
            (g, mixed)
        });
        let ((da, dp), mixed) = f.call(a.clone()).unwrap();
        let square = jit(|a: Var| 3.0 * a.matmul(a)).call(a).unwrap();
        close("by the matrix", &da, &square, 1e-13);
        let sum = |f: &dyn Fn(f64) -> f64| values.iter().map(|&x| f(x)).sum::<f64>();
        close(
            "by p",
            &dp,
            &Array::from(sum(&|x| x.powi(3) * x.ln())),
            1e-13,
        );
        // d/dp Σ p λ^(p-1).
        let want = sum(&|x| x * x + 3.0 * x * x * x.ln());
        close("by both", &mixed, &Array::from(want), 1e-12);
    }
}

/// The log-determinant in three ways; its gradient is the inverse, and the change of that is `-a⁻¹ e a⁻¹`.
#[test]
fn log_determinants() {
    let mut rng = Rng::new(42);
    for values in spectra() {
        let n = values.len();
        let a = with_spectrum(&values, true, &mut rng);
        let e = symmetric(n, &mut rng);
        let ways: [Function; 3] = [
            |a| a.slogdet().1,
            |a| 2.0 * a.cholesky().diagonal().ln().sum(),
            |a| spectral_sum(a, (), |x, ()| x.ln()),
        ];
        for way in ways {
            let f = jit(move |(a, e): (Var, Var)| {
                let (g, h) = jvp(grad(way), a, e);
                let inverse = a.inv();
                (g, h, inverse, -inverse.matmul(e).matmul(inverse))
            });
            let (g, h, inverse, change) = f.call((a.clone(), e.clone())).unwrap();
            close("gradient", &g, &inverse, 1e-12);
            close("its change", &h, &change, 1e-12);
        }
    }
}

/// The nuclear norm of a square matrix of full rank: its gradient is the orthogonal factor of the polar decomposition
/// `a = u p`, whose change solves `p x + x p = uᵀ e - eᵀ u` for `uᵀ u'` (Higham 2008, section 8.3).
#[test]
fn nuclear_norms() {
    let mut rng = Rng::new(43);
    for values in spectra() {
        let n = values.len();
        let p = with_spectrum(&values, true, &mut rng);
        let draw = |rng: &mut Rng| {
            let x: Vec<f64> = (0..n * n).map(|_| rng.uniform(-1.0, 1.0)).collect();
            Array::new([n, n], x).unwrap()
        };
        let (x, e) = (draw(&mut rng), draw(&mut rng));
        // Vectors of near singular values turn into one another at a rate that their difference limits.
        let gaps = values.windows(2).map(|w| w[1] - w[0]).filter(|d| *d > 0.0);
        let rounding = 1e-15 / gaps.fold(1.0, f64::min);
        let ways: [(Function, f64); 2] = [
            (|a| a.svdvals().sum(), 1e-11 + rounding),
            (
                |a| spectral_sum(a.t().matmul(a), (), |x, ()| x.sqrt()),
                1e-11,
            ),
        ];
        for (way, tolerance) in ways {
            let f = jit(move |(p, x, e): (Var, Var, Var)| {
                let u = x.qr().0;
                let a = u.matmul(p);
                let (g, h) = jvp(grad(way), a, e);
                let turn = u.t().matmul(h);
                let left = p.matmul(turn) + turn.matmul(p);
                (g - u, left - (u.t().matmul(e) - e.t().matmul(u)))
            });
            let (gradient, change) = f.call((p.clone(), x.clone(), e.clone())).unwrap();
            close(
                "gradient",
                &gradient,
                &Array::zeros([n, n], DType::F64),
                1e-13,
            );
            close(
                "its change",
                &change,
                &Array::zeros([n, n], DType::F64),
                tolerance,
            );
        }
    }
}

/// A batch has the bits of each; large ones go the library's way.
#[test]
fn batches_and_sizes() {
    let f = |a: Var| funm_symmetric(a, (), |x, ()| (1.0 + x * x).ln());
    let g = move |a: Var| grad(move |a: Var| f(a).square().sum())(a);
    for n in [0, 1, 2, 5, 40] {
        let mut rng = Rng::new(44);
        let all: Vec<f64> = (0..3 * n * n).map(|_| rng.uniform(-1.0, 1.0)).collect();
        let all = Array::new([3, n, n], all).unwrap();
        let together = jit(move |a: Var| (f(a), vmap(g)(a)))
            .call(all.clone())
            .unwrap();
        for i in 0..3 {
            let one = jit(move |a: Var| (f(a.at(i)), g(a.at(i))))
                .call(all.clone())
                .unwrap();
            let row = jit(move |a: Var| a.at(i));
            let bits = |x: &Array| -> Vec<u64> {
                x.to_vec::<f64>()
                    .unwrap()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect()
            };
            assert_eq!(
                bits(&one.0),
                bits(&row.call(together.0.clone()).unwrap()),
                "{n}"
            );
            assert_eq!(
                bits(&one.1),
                bits(&row.call(together.1.clone()).unwrap()),
                "{n}"
            );
        }
    }
}
