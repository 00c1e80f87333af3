//! Which derivative to take.

use wengert::prelude::*;

use super::{Failure, Pair, Scale, pair, sum};

/// The energy of a chain.
fn energy(x: Var) -> Var {
    let links = x.at(1..) - x.at(..-1);
    (links.square() + x.at(1..).sin()).sum()
}

pub(crate) fn reverse_for_many(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(10, 1000);
    let x = Array::new([n], (0..n).map(|i| i as f64 / n as f64).collect())?;
    let (forward, reverse) = (jit(jacfwd(energy)), jit(grad(energy)));
    pair(
        scale,
        ("`jacfwd` by 1,000 numbers", || sum(&forward.call(&x)?)),
        ("`grad`", || sum(&reverse.call(&x)?)),
    )
}

pub(crate) fn value_with_gradient(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(10, 10_000);
    let f = move |x: Var| fori(0..n, x, |_, x| (1.1 * x).sin());
    let (value, slope, both) = (jit(f), jit(grad(f)), jit(value_and_grad(f)));
    pair(
        scale,
        ("`f` and `grad(f)`", || {
            Ok(value.call(0.5)?.item::<f64>()? + slope.call(0.5)?.item::<f64>()?)
        }),
        ("`value_and_grad(f)`", || {
            let (value, slope) = both.call(0.5)?;
            Ok(value.item::<f64>()? + slope.item::<f64>()?)
        }),
    )
}

pub(crate) fn forward_for_few(scale: Scale) -> Result<Pair, Failure> {
    let (sets, n) = (scale.of(8, 256), scale.of(10, 10_000));
    let end = move |[a, b]: [Var; 2]| fori(0..n, 0.5, move |_, x| (a * x).sin() + b);
    let (reverse, forward) = (jit(vmap(grad(end))), jit(vmap(jacfwd(end))));
    let parameter = |from: f64| {
        (0..sets)
            .map(|i| from + 0.001 * i as f64)
            .collect::<Vec<_>>()
    };
    let data = [1.1, 0.1].map(|from| Array::from(parameter(from)));
    let both = |slopes: [Array; 2]| Ok(sum(&slopes[0])? + sum(&slopes[1])?);
    pair(
        scale,
        ("`grad` by two numbers", || both(reverse.call(&data)?)),
        ("`jacfwd`", || both(forward.call(&data)?)),
    )
}
