//! Many elements at once.

use wengert::prelude::*;

use super::{Failure, Pair, Scale, pair, sum};

/// The logistic map, a thousand times.
fn orbit(rate: Var) -> Var {
    fori(0..1000, 0.3, move |_, x| rate * x * (1.0 - x))
}

pub(crate) fn batch(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(10, 1000);
    let rates: Vec<f64> = (0..n).map(|i| 2.0 + i as f64 / n as f64).collect();
    let (one, many) = (jit(orbit), jit(vmap(orbit)));
    let data = Array::from(rates.clone());
    pair(
        scale,
        ("a call for each element", || {
            let mut total = 0.0;
            for rate in &rates {
                total += one.call(*rate)?.item::<f64>()?;
            }
            Ok(total)
        }),
        ("`vmap`", || sum(&many.call(&data)?)),
    )
}

pub(crate) fn sort_by_length(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(64, 8192);
    // Every eighth element takes a hundred times as many steps.
    let steps = |i: usize| if i % 8 == 0 { 10_000 } else { 100 };
    let mixed: Vec<i64> = (0..n).map(steps).collect();
    let mut sorted = mixed.clone();
    sorted.sort();
    let count = |n: Var| fori(..n, 1.0, |_, x| 0.5 * x + 1.0 / x);
    let f = jit(move |n: Var| vmap(count)(n));
    let (mixed, sorted) = (Array::from(mixed), Array::from(sorted));
    pair(
        scale,
        ("long and short mixed", || sum(&f.call(&mixed)?)),
        ("sorted", || sum(&f.call(&sorted)?)),
    )
}

pub(crate) fn neighbours(scale: Scale) -> Result<Pair, Failure> {
    let (series, length) = (scale.of(16, 2048), scale.of(10, 1000));
    let element = |i: usize| ((i * 7919) % 1000) as f64 / 1000.0;
    let rows = Array::new(
        [series, length],
        (0..series * length).map(element).collect(),
    )?;
    let columns = jit(|x: Var| x.t() + 0.0).call(&rows)?;
    let smooth = |xs: Var| scan(0.0, xs, |m, x| (0.9 * m + 0.1 * x, ())).0;
    let by_rows = jit(vmap(smooth));
    let by_columns = jit(vmap_axes(smooth, 1, 0));
    pair(
        scale,
        ("a series is a column", || sum(&by_columns.call(&columns)?)),
        ("a series is a row", || sum(&by_rows.call(&rows)?)),
    )
}

pub(crate) fn reduce_inside(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(100, 1_000_000);
    let root = |i: Var| (i.to(DType::F64) + 0.5).sqrt();
    let all = jit(move |()| vmap(root)(arange(n)));
    let mean = jit(|x: Var| x.mean());
    let both = jit(move |()| vmap(root)(arange(n)).mean());
    pair(
        scale,
        ("an array of results, then its mean", || {
            mean.call(all.call(())?)?.item()
        }),
        ("the mean in the function", || both.call(())?.item()),
    )
}

pub(crate) fn cond_for_the_expensive(scale: Scale) -> Result<Pair, Failure> {
    let n = scale.of(100, 100_000);
    // Rarely needed, and long.
    let expensive = |x: Var| fori(0..200, x, |_, x| (x + 1.0).sqrt());
    let both = jit(vmap(move |x: Var| x.gt(0.999).select(expensive(x), x)));
    let one = jit(vmap(move |x: Var| cond(x.gt(0.999), x, expensive, |x| x)));
    let data = Array::new([n], (0..n).map(|i| i as f64 / n as f64).collect())?;
    pair(
        scale,
        ("`select`", || sum(&both.call(&data)?)),
        ("`cond`", || sum(&one.call(&data)?)),
    )
}
