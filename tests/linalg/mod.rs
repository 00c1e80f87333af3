//! Laws of linear algebra: what factors multiply to, what solutions solve, derivatives against differences, and lanes
//! against single matrices, bit by bit.

mod banded;
mod closures;
mod complexes;
mod degenerate;
mod factors;
mod general;
mod known;
mod made;
mod matrices;
mod nist;
mod spectra;

use std::sync::Arc;

use wengert::backend::Interpreter;
use wengert::prelude::*;
use wengert_check::Rng;

/// A function of arrays.
type Function = Arc<dyn Fn(Vec<Var>) -> Vec<Var> + Send + Sync>;

fn function(f: impl Fn(&[Var]) -> Vec<Var> + Send + Sync + 'static) -> Function {
    Arc::new(move |x| f(&x))
}

/// An array of numbers between -1 and 1.
fn random(rng: &mut Rng, dims: &[usize]) -> Array {
    let n = dims.iter().product();
    let numbers: Vec<f64> = (0..n).map(|_| rng.uniform(-1.0, 1.0)).collect();
    Array::new(dims, numbers).unwrap()
}

/// Matrices that are symmetric and positive definite.
fn definite(rng: &mut Rng, dims: &[usize]) -> Array {
    let n = dims[dims.len() - 1];
    let a = random(rng, dims);
    let f = jit(move |a: Var| a.matmul(a.swap_axes(-1, -2)) + eye(n) * 0.5);
    f.call(a).unwrap()
}

fn elements(x: &Array) -> Vec<f64> {
    x.to(DType::F64).to_vec().unwrap()
}

/// The results of compiled code, which are those of both interpreters, bit by bit (except for the bits of a NaN), and
/// those of each lane of a batch.
fn everywhere(f: &Function, args: &[Array]) -> Vec<Array> {
    let own = |f: &Function| {
        let f = f.clone();
        move |x: Vec<Var>| f(x)
    };
    let args = args.to_vec();
    let code = jit(own(f));
    let results = code.call(args.clone()).unwrap();
    same(
        "the interpreter",
        &results,
        &code.interpret(args.clone()).unwrap(),
    );
    let loops = jit(own(f)).backend(Interpreter).call(args.clone()).unwrap();
    same("the interpreter of loops", &results, &loops);
    // Lanes of different elements: the first is that of the arguments.
    let lanes = 11;
    let spread: Vec<Array> = (args.iter())
        .map(|x| {
            let factor = |lane: usize| {
                if lane == 0 {
                    1.0
                } else {
                    1.0 + lane as f64 / 16.0
                }
            };
            let all = (0..lanes).flat_map(|l| elements(x).into_iter().map(move |x| x * factor(l)));
            let dims = [&[lanes], x.shape()].concat();
            Array::new(&dims[..], all.collect::<Vec<f64>>())
                .unwrap()
                .to(x.dtype())
        })
        .collect();
    let batch = jit(vmap(own(f))).call(spread.clone()).unwrap();
    let row = |x: &Array, lane: usize| {
        let n = x.len() / lanes;
        let own = elements(x)[lane * n..lane * n + n].to_vec();
        Array::new(&x.shape()[1..], own).unwrap().to(x.dtype())
    };
    for lane in 0..lanes {
        let alone = code
            .call(spread.iter().map(|x| row(x, lane)).collect::<Vec<_>>())
            .unwrap();
        let own: Vec<Array> = batch.iter().map(|x| row(x, lane)).collect();
        same(&format!("lane {lane}"), &alone, &own);
    }
    results
}

/// The results of compiled code, which are nearly those of each lane of a batch. They are the same to the bit but for
/// products of matrices.
fn in_a_batch(f: &Function, args: &[Array], tolerance: f64) -> Vec<Array> {
    let results = compiled(f, args);
    let lanes = 5;
    let spread: Vec<Array> = (args.iter())
        .map(|x| {
            let all = (0..lanes).flat_map(|_| elements(x));
            let dims = [&[lanes], x.shape()].concat();
            Array::new(&dims[..], all.collect::<Vec<f64>>()).unwrap()
        })
        .collect();
    let f = f.clone();
    let batch = jit(vmap(move |x: Vec<Var>| f(x))).call(spread).unwrap();
    for (all, own) in batch.iter().zip(&results) {
        let n = own.len();
        for lane in 0..lanes {
            let row = elements(all)[lane * n..lane * n + n].to_vec();
            let row = Array::new(own.shape(), row).unwrap();
            near(&format!("lane {lane}"), &row, own, tolerance);
        }
    }
    results
}

/// The results of compiled code alone.
fn compiled(f: &Function, args: &[Array]) -> Vec<Array> {
    let f = f.clone();
    jit(move |x: Vec<Var>| f(x)).call(args.to_vec()).unwrap()
}

fn same(what: &str, wanted: &[Array], got: &[Array]) {
    assert_eq!(wanted.len(), got.len());
    for (i, (w, g)) in wanted.iter().zip(got).enumerate() {
        assert_eq!(
            (w.shape(), w.dtype()),
            (g.shape(), g.dtype()),
            "{what}, result {i}"
        );
        for (k, (x, y)) in elements(w).into_iter().zip(elements(g)).enumerate() {
            let equal = x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan());
            assert!(equal, "{what}, result {i}, element {k}: {x} and {y}");
        }
    }
}

/// Whether all elements are within a tolerance.
fn near(what: &str, got: &Array, wanted: &Array, tolerance: f64) {
    assert_eq!(got.shape(), wanted.shape(), "{what}");
    let size = elements(wanted)
        .iter()
        .fold(1e-300, |m: f64, x| m.max(x.abs()));
    for (k, (x, y)) in elements(got).into_iter().zip(elements(wanted)).enumerate() {
        let off = (x - y).abs() / size;
        assert!(
            off <= tolerance,
            "{what}, element {k}: {x} and {y}, off by {off:e}"
        );
    }
}
