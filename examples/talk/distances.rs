//! All distances between points in space, from *Numba vs. Cython* (J. VanderPlas, 2012), where NumPy's broadcasting makes an
//! array of n × n × 3 and loops make none. Here a function of two points is mapped twice.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

fn distance(a: Var, b: Var) -> Var {
    (a - b).square().sum().sqrt()
}

fn all_pairs(points: Var) -> Var {
    wengert::map(points, move |a| {
        wengert::map(points, move |b| distance(a, b))
    })
}

fn plain(points: &[[f64; 3]]) -> Vec<f64> {
    let mut distances = Vec::with_capacity(points.len() * points.len());
    for a in points {
        for b in points {
            let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
            distances.push(square.sqrt());
        }
    }
    distances
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(30, 1000);
    let numbers = spread(3 * n);
    let points: Vec<[f64; 3]> = numbers.chunks(3).map(|p| [p[0], p[1], p[2]]).collect();
    let data = Array::from(points.clone());

    let f = jit(all_pairs);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(&points))?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-14);
    let mean = ours.iter::<f64>()?.sum::<f64>() / (n * n) as f64;
    Ok(vec![Row {
        name: "distances",
        said: format!("{n} points are {mean:.4} apart in the mean"),
        check: mean,
        times,
    }])
}
