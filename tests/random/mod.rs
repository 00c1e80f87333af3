//! Random numbers: the same bits everywhere, the right distributions, and derivatives.

#![allow(clippy::type_complexity)]

mod derivatives;
mod extremes;
mod fit;
mod gamma;
mod integers;
mod keys;
mod large;
mod layout;
mod moves;
mod seeds;
mod statistics;
mod truncated;
mod weights;

use wengert::prelude::*;
use wengert::{Array, ShapeDtype};

/// A sampler that gives an array of those lengths.
type Sampler = fn(Key, &[usize]) -> Var;

fn f32s(dims: &[usize]) -> ShapeDtype {
    ShapeDtype::new(dims, DType::F32)
}

/// `0, 1, .. n - 1` as floats.
fn numbers(n: usize) -> Var {
    arange(n).to(DType::F64)
}

/// All samplers, with parameters on all of their ways.
const SAMPLERS: &[(&str, Sampler)] = &[
    ("bits", |k, d| k.bits(d)),
    ("bits u32", |k, d| k.bits(ShapeDtype::new(d, DType::U32))),
    ("uniform", |k, d| k.uniform(d)),
    ("uniform f32", |k, d| k.uniform(f32s(d))),
    ("uniform_open", |k, d| k.uniform_open(d)),
    ("uniform_in", |k, d| k.uniform_in(-1.0, 3.0, d)),
    ("rademacher", |k, d| k.rademacher(d)),
    ("bernoulli", |k, d| k.bernoulli(0.3, d)),
    ("randint", |k, d| k.randint(-3, 10, d)),
    ("randint of large spans", |k, d| {
        k.randint(0, i64::MAX / 2 + 7, d)
    }),
    ("normal", |k, d| k.normal(d)),
    ("normal f32", |k, d| k.normal(f32s(d))),
    ("truncated_normal", |k, d| k.truncated_normal(-0.5, 2.0, d)),
    ("truncated_normal in a tail", |k, d| {
        k.truncated_normal(8.0, 9.0, d)
    }),
    ("multivariate_normal", |k, d| {
        let factor = (arange(4).reshape([2, 2]).to(DType::F64) + 1.0) / 4.0;
        k.multivariate_normal(numbers(2), factor, d)
    }),
    ("unit_vector", |k, d| k.unit_vector(3, d)),
    ("orthogonal", |k, d| k.orthogonal(3, d)),
    ("exponential", |k, d| k.exponential(d)),
    ("laplace", |k, d| k.laplace(d)),
    ("logistic", |k, d| k.logistic(d)),
    ("gumbel", |k, d| k.gumbel(d)),
    ("gumbel f32", |k, d| k.gumbel(f32s(d))),
    ("cauchy", |k, d| k.cauchy(d)),
    ("rayleigh", |k, d| k.rayleigh(d)),
    ("weibull", |k, d| k.weibull(1.5, d)),
    ("pareto", |k, d| k.pareto(3.0, d)),
    ("gamma", |k, d| k.gamma(2.5, d)),
    ("gamma of small shape", |k, d| k.gamma(0.05, d)),
    ("beta", |k, d| k.beta(0.5, 2.0, d)),
    ("dirichlet", |k, d| k.dirichlet(numbers(3) + 0.5, d)),
    ("chi_square", |k, d| k.chi_square(5.0, d)),
    ("student_t", |k, d| k.student_t(4.0, d)),
    ("poisson of small rate", |k, d| k.poisson(3.5, d)),
    ("poisson of large rate", |k, d| k.poisson(45.0, d)),
    ("binomial of few", |k, d| k.binomial(7, 0.4, d)),
    ("binomial of many", |k, d| k.binomial(100, 0.7, d)),
    ("geometric", |k, d| k.geometric(0.2, d)),
    ("categorical", |k, d| {
        k.categorical((numbers(4) + 1.0).ln(), d)
    }),
    ("choice", |k, d| k.choice(numbers(5) * 2.0, d)),
    ("choice_weighted", |k, d| {
        k.choice_weighted(numbers(5), numbers(5), d)
    }),
    ("sample", |k, _| k.sample(numbers(50), 20)),
    ("sample_weighted", |k, _| {
        k.sample_weighted(numbers(50), numbers(50), 20)
    }),
    ("permutation", |k, _| k.permutation(30)),
    ("shuffle", |k, _| k.shuffle(numbers(30))),
    ("paths over draws", |k, d| {
        let path = |k: Key| scan(0.0, k.normal([100]), step).0;
        vmap(path)(k.split_into(d.iter().product()))
    }),
    ("paths that split", |k, d| {
        let split = |(k, x): (Key, Var), _: Var| {
            let (k, now) = k.split();
            ((k, step(x, now.normal(())).0), ())
        };
        let path = move |k: Key| scan((k, 0.0), 0..20, split).0.1;
        vmap(path)(k.split_into(d.iter().product()))
    }),
    ("a mean", |k, d| {
        let inside = |k: Key| {
            let (a, b) = k.split();
            let (x, y) = (a.uniform([1000]), b.uniform([1000]));
            (x * x + y * y).lt(1.0).to(DType::F64).mean()
        };
        vmap(inside)(k.split_into(d.iter().product()))
    }),
];

fn step(x: Var, z: Var) -> (Var, ()) {
    (0.99 * x + 0.1 * z, ())
}

/// The elements of an array as `f64`s.
fn elements(a: &Array) -> Vec<f64> {
    match a.dtype() {
        DType::F64 => a.to_vec().unwrap(),
        DType::F32 => a
            .to_vec::<f32>()
            .unwrap()
            .into_iter()
            .map(f64::from)
            .collect(),
        DType::I64 => a
            .to_vec::<i64>()
            .unwrap()
            .into_iter()
            .map(|n| n as f64)
            .collect(),
        DType::I32 => a
            .to_vec::<i32>()
            .unwrap()
            .into_iter()
            .map(f64::from)
            .collect(),
        DType::U64 => a
            .to_vec::<u64>()
            .unwrap()
            .into_iter()
            .map(|n| n as f64)
            .collect(),
        DType::U32 => a
            .to_vec::<u32>()
            .unwrap()
            .into_iter()
            .map(f64::from)
            .collect(),
        DType::Bool => a
            .to_vec::<bool>()
            .unwrap()
            .into_iter()
            .map(|b| f64::from(u8::from(b)))
            .collect(),
        other => panic!("elements of {other}"),
    }
}
