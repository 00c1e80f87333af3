//! Random numbers: π by darts, as in the first page of Numba's manual, and JAX's keys. A draw is a function of its key, so that
//! it is the same on every machine, on any number of threads, and again; the plain Rust has a generator with a state
//! (splitmix64: G. L. Steele et al., *Fast Splittable Pseudorandom Number Generators*, 2014).

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, in_turns};

fn darts(n: usize, key: Key) -> Var {
    let (a, b) = key.split();
    let (x, y) = (a.uniform([n]), b.uniform([n]));
    4.0 * (x * x + y * y).lt(1.0).to(DType::F64).mean()
}

fn plain(n: usize) -> f64 {
    let mut state = 7u64;
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut inside = 0;
    for _ in 0..n {
        let (x, y) = (uniform(), uniform());
        if x * x + y * y < 1.0 {
            inside += 1;
        }
    }
    4.0 * f64::from(inside) / n as f64
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(10_000, 10_000_000);
    let key = Key::from_seed(7);

    let f = jit(move |key: Key| darts(n, key));
    let (ours, theirs, times) = in_turns(scale, || f.call(&key), || plain(n))?;
    let ours = ours.item::<f64>()?;
    // Each is within five standard deviations of π.
    let deviation = 4.0 * (0.25 * std::f64::consts::PI * 0.2146 / n as f64).sqrt();
    for estimate in [ours, theirs] {
        assert!((estimate - std::f64::consts::PI).abs() < 5.0 * deviation);
    }
    assert_eq!(f.call(&key)?.item::<f64>()?, ours);
    Ok(vec![Row {
        name: "random",
        said: format!("{n} darts: π is about {ours}"),
        check: ours,
        times,
    }])
}
