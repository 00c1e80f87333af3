//! What a library of Rust computes elsewhere, and loops in C: Fourier transforms, factorisations of large matrices,
//! selections.

use wengert::fft::{fft, irfft, rfft};
use wengert::linalg::eigvals;
use wengert::prelude::*;
use wengert_check::conformance::{Candidate, Example, check};
use wengert_ir::schedule::lower_for;
use wengert_loop::buffer::Data;
use wengert_loop::loops::kernel::{Fft, as_loops};
use wengert_loop::target::Target;

use crate::common::compiler;
use crate::common::suite::C;

/// A function of arrays, its program, and its results as `jit` computes them.
struct Case {
    example: Example,
    expected: Vec<Vec<f64>>,
}

fn case<F>(name: &str, f: F, args: Vec<Array>) -> Case
where
    F: Fn(Vec<Var>) -> Vec<Var> + Send + Sync + 'static,
{
    let f = jit(f);
    let parts = f.parts(&args).unwrap();
    assert!(parts.arrays.is_empty(), "{name}");
    let target = Target::default().without_library();
    let program = lower_for(&parts.func, &target).unwrap();
    let program = as_loops(&program, &|k| k.downcast_ref::<Fft>().is_some()).into_owned();
    let results = f.call(&args).unwrap();
    let floats = |x: &Array| x.to_vec::<f64>().unwrap();
    Case {
        example: Example {
            name: name.into(),
            program,
            inputs: args.iter().map(|x| Data::F64(floats(x))).collect(),
        },
        expected: results.iter().map(floats).collect(),
    }
}

/// A function of one array with its gradient along fixed weights.
fn with_gradient<F>(f: F) -> impl Fn(Vec<Var>) -> Vec<Var> + Send + Sync + 'static
where
    F: Fn(Var) -> Var + Copy + Send + Sync + 'static,
{
    move |x| {
        let weighted = move |x: Var| {
            let y = f(x);
            let n = y.shape().iter().product::<usize>();
            let weights = (arange(n).to(DType::F64) * 0.7).cos();
            (y.reshape([n]) * weights).sum()
        };
        vec![f(x[0]), grad(weighted)(x[0])]
    }
}

/// Numbers that look like chance, with these lengths of the axes.
fn numbers(dims: &[usize], seed: u64) -> Array {
    let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        word = word.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        (word >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let n = dims.iter().product();
    let all: Vec<f64> = std::iter::repeat_with(next).take(n).collect();
    Array::from(all).reshape(dims.to_vec()).unwrap()
}

/// The results in C are close to those of the library.
fn compare(cases: Vec<Case>, bound: f64) -> Vec<Example> {
    if compiler().is_none() {
        return vec![];
    }
    let (examples, expected): (Vec<_>, Vec<_>) =
        cases.into_iter().map(|c| (c.example, c.expected)).unzip();
    for (outcome, (example, expected)) in C(&["-O2"])
        .run_all(&examples)
        .unwrap()
        .iter()
        .zip(examples.iter().zip(&expected))
    {
        let name = &example.name;
        let results = outcome.as_ref().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(results.len(), expected.len(), "{name}");
        for (n, (got, expected)) in results.iter().zip(expected).enumerate() {
            let Data::F64(got) = got else {
                panic!("{name}: {got:?}");
            };
            let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
            let pairs = got.iter().zip(expected);
            let error = norm(&mut pairs.map(|(a, b)| a - b));
            let size = norm(&mut expected.iter().copied());
            assert!(
                error <= bound * size,
                "{name}, result {n}: {error} of {size}"
            );
        }
    }
    examples
}

/// And they have the bits of the interpreted loops.
fn compare_bits(cases: Vec<Case>, bound: f64) {
    let examples = compare(cases, bound);
    if !examples.is_empty() {
        check(&C(&["-O1"]), &examples).unwrap();
    }
}

#[test]
fn fourier_transforms() {
    let spectrum = |x: Var| {
        let z = fft(x);
        stack([z.re, z.im])
    };
    let power = |x: Var| {
        let z = rfft(x);
        z.re.square() + z.im.square()
    };
    let smooth = |x: Var| {
        let n = x.shape()[0] as f64;
        irfft(rfft(x)) * n
    };
    let mut cases = vec![];
    for n in [1usize, 2, 12, 17, 64, 91] {
        let x = || vec![numbers(&[n], n as u64)];
        cases.push(case(
            &format!("spectrum of {n}"),
            with_gradient(spectrum),
            x(),
        ));
        cases.push(case(&format!("power of {n}"), with_gradient(power), x()));
        if n % 2 == 0 {
            cases.push(case(&format!("smooth {n}"), with_gradient(smooth), x()));
        }
    }
    // A batch, and transforms in lanes between loops of lengths of their own.
    let rows = move |x: Vec<Var>| vec![vmap(power)(x[0])];
    cases.push(case("a batch", rows, vec![numbers(&[5, 30], 5)]));
    let lanes = move |x: Vec<Var>| {
        let each = move |x: Var| {
            let y = while_loop(x, |x| x.square().sum().lt(100.0), |x| x * 1.25);
            power(y)
        };
        vec![vmap(each)(x[0])]
    };
    cases.push(case("in lanes", lanes, vec![numbers(&[9, 12], 6)]));
    compare_bits(cases, 1e-14);
}

/// The size of matrices: a library factorises them elsewhere.
const SIDE: usize = 33;

#[test]
fn factorisations_of_large_matrices() {
    let positive = |a: Var| a.dot(a.t()) + eye(SIDE) * 3.0;
    let cholesky = move |a: Var| positive(a).cholesky();
    let solved = |a: Var| a.solve((arange(SIDE).to(DType::F64) * 0.3).sin());
    let determinant = |a: Var| a.det();
    let triangle = |a: Var| a.qr().1.abs();
    let one = || vec![numbers(&[SIDE, SIDE], 3)];
    let batch = move |x: Vec<Var>| vec![vmap(cholesky)(x[0])];
    let cases = vec![
        case("cholesky", with_gradient(cholesky), one()),
        case("solve", with_gradient(solved), one()),
        case("det", with_gradient(determinant), one()),
        case("qr", with_gradient(triangle), one()),
        case("a batch", batch, vec![numbers(&[2, SIDE, SIDE], 4)]),
    ];
    compare_bits(cases, 1e-10);
}

#[test]
fn spectra_of_large_matrices() {
    let symmetric = |a: Var| (a + a.t()).eigvalsh();
    let singular = |a: Var| a.svdvals();
    let moments = |a: Var| {
        let z = eigvals(a);
        (z.re.square() + z.im.square()).sum()
    };
    let one = || vec![numbers(&[SIDE, SIDE], 3)];
    let cases = vec![
        case("eigh", with_gradient(symmetric), one()),
        case("svd", with_gradient(singular), one()),
        case("eig", move |x: Vec<Var>| vec![moments(x[0])], one()),
    ];
    compare(cases, 1e-10);
}

#[test]
fn selections() {
    let best = |x: Var| x.top_k(3).0;
    let sorted = |x: Var| x.sort(0);
    let cases = vec![
        case("top_k", with_gradient(best), vec![numbers(&[100], 8)]),
        case("sort", with_gradient(sorted), vec![numbers(&[100], 9)]),
    ];
    compare_bits(cases, 0.0);
}
