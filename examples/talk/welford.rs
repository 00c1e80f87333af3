//! Mean and variance in one pass (B. P. Welford, *Note on a Method for Calculating Corrected Sums of Squares and Products*,
//! Technometrics 4, 1962): a loop with three numbers in its carry. One series is a chain of divisions that wait for each
//! other; of many series, a map runs eight side by side.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

/// Mean and variance of a series.
fn welford(xs: Var) -> [Var; 2] {
    let start = (Var::from(0.0), Var::from(0.0), Var::from(0.0));
    let ((n, mean, squares), ()) = scan(start, xs, |(n, mean, squares), x| {
        let n = n + 1.0;
        let off = x - mean;
        let mean = mean + off / n;
        ((n, mean, squares + off * (x - mean)), ())
    });
    [mean, squares / n]
}

fn plain(xs: &[f64]) -> [f64; 2] {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for x in xs {
        n += 1.0;
        let off = x - mean;
        mean += off / n;
        squares += off * (x - mean);
    }
    [mean, squares / n]
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(1000, 1_000_000);
    let xs = spread(n);
    let data = Array::from(xs.clone());
    let f = jit(welford);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(&xs))?;
    let ours = [ours[0].item::<f64>()?, ours[1].item::<f64>()?];
    assert!(difference(&ours, &theirs) < 1e-12);
    let one = Row {
        name: "welford",
        said: format!("{n} numbers have the variance {:.6}", ours[1]),
        check: ours[1],
        times,
    };

    let series = scale.of(10, 1000);
    let data = data.reshape([series, n / series])?;
    let f = jit(vmap(welford));
    let plain = || -> Vec<f64> { xs.chunks(n / series).map(|xs| plain(xs)[1]).collect() };
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), plain)?;
    assert!(difference(ours[1].as_slice()?, &theirs) < 1e-12);
    let mean = theirs.iter().sum::<f64>() / series as f64;
    let many = Row {
        name: "welford/many",
        said: format!("{series} series have the mean variance {mean:.6}"),
        check: mean,
        times,
    };
    Ok(vec![one, many])
}
