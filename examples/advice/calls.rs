//! How often is compiled, how often called, and what lies between.

use wengert::prelude::*;

use super::{Failure, Pair, Scale, pair, sum};

fn decay(x: Var) -> Var {
    fori(0..100, x, |_, x| 0.99 * x + 0.01)
}

pub(crate) fn keep_the_jit(scale: Scale) -> Result<Pair, Failure> {
    let x = Array::from([1.0, 2.0, 3.0]);
    let kept = jit(decay);
    let calls = scale.of(2, 20);
    let repeat = |f: &dyn Fn() -> wengert::Result<Array>| {
        let mut total = 0.0;
        for _ in 0..calls {
            total += sum(&f()?)?;
        }
        Ok(total)
    };
    pair(
        scale,
        ("`jit` in the loop", || repeat(&|| jit(decay).call(&x))),
        ("`jit` before it", || repeat(&|| kept.call(&x))),
    )
}

pub(crate) fn loop_inside(scale: Scale) -> Result<Pair, Failure> {
    let steps = scale.of(10, 10_000);
    let step = jit(|x: Var| x + 0.001 * (1.0 - x * x));
    let all = jit(move |x: Var| fori(0..steps, x, |_, x| x + 0.001 * (1.0 - x * x)));
    pair(
        scale,
        ("a call for each step", || {
            let mut x = Array::from(0.0);
            for _ in 0..steps {
                x = step.call(x)?;
            }
            x.item()
        }),
        ("the loop compiled", || all.call(0.0)?.item()),
    )
}

pub(crate) fn fori_not_for(scale: Scale) -> Result<Pair, Failure> {
    let steps = scale.of(10, 1000);
    let step = |x: Var| x + 0.001 * (1.0 - x * x);
    let unrolled = move |x: Var| (0..steps).fold(x, |x, _| step(x));
    let looped = move |x: Var| fori(0..steps, x, move |_, x| step(x));
    pair(
        scale,
        ("first call, `for`", || jit(unrolled).call(0.0)?.item()),
        ("first call, `fori`", || jit(looped).call(0.0)?.item()),
    )
}

pub(crate) fn one_function(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(100, 1_000_000);
    let x = Array::new([n], (0..n).map(|i| i as f64 / n as f64).collect())?;
    let (square, shift, root) = (
        jit(|x: Var| x * x),
        jit(|x: Var| x + 1.0),
        jit(|x: Var| x.sqrt().sum()),
    );
    let whole = jit(|x: Var| (x * x + 1.0).sqrt().sum());
    pair(
        scale,
        ("three functions", || {
            root.call(shift.call(square.call(&x)?)?)?.item()
        }),
        ("one", || whole.call(&x)?.item()),
    )
}

pub(crate) fn reuse_memory(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(100, 1_000_000);
    let steps = scale.of(2, 10);
    let step = jit(|x: Var| 0.5 * x + 1.0);
    let start = Array::zeros([n], DType::F64);
    pair(
        scale,
        ("`f.call(&x)`", || {
            let mut x = start.clone();
            for _ in 0..steps {
                x = step.call(&x)?;
            }
            x.get([0])
        }),
        ("`f.call(x)`", || {
            let mut x = start.clone();
            for _ in 0..steps {
                x = step.call(x)?;
            }
            x.get([0])
        }),
    )
}

pub(crate) fn carry_little(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(20, 2000);
    // Each step replaces an element, and reads what it was one step before.
    let arrays = jit(move |x: Var| {
        let step = |i: Var, (x, before): (Var, Var)| (x.at_add(i, before.at(i)), x);
        fori(1..n, (x, x), step).0
    });
    let numbers = jit(move |x: Var| fori(1..n, x, |i, x| x.at_add(i, x.at(i))));
    let x = Array::full([n], 0.5);
    pair(
        scale,
        ("two arrays in the carry", || sum(&arrays.call(&x)?)),
        ("one", || sum(&numbers.call(&x)?)),
    )
}
