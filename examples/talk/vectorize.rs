//! A function of numbers, applied to arrays: Numba's `@vectorize`. Nothing is to be said here, because operations of `Var`s
//! are elementwise; a chain of them is one loop. The formula is the distance between two places on the earth (R. W.
//! Sinnott, *Virtues of the Haversine*, 1984).

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

const RADIUS: f64 = 6371.0;

fn haversine([lat1, lon1, lat2, lon2]: [Var; 4]) -> Var {
    let h = (0.5 * (lat2 - lat1)).sin().square()
        + lat1.cos() * lat2.cos() * (0.5 * (lon2 - lon1)).sin().square();
    2.0 * RADIUS * h.sqrt().asin()
}

fn plain([lat1, lon1, lat2, lon2]: &[Vec<f64>; 4]) -> Vec<f64> {
    let mut distances = Vec::with_capacity(lat1.len());
    for i in 0..lat1.len() {
        let h = (0.5 * (lat2[i] - lat1[i])).sin().powi(2)
            + lat1[i].cos() * lat2[i].cos() * (0.5 * (lon2[i] - lon1[i])).sin().powi(2);
        distances.push(2.0 * RADIUS * h.sqrt().asin());
    }
    distances
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(1000, 1_000_000);
    let numbers = spread(4 * n);
    // The first n numbers are the first latitudes, and so on; none is at a pole.
    let part = |k: usize, size: f64| -> Vec<f64> {
        let part = &numbers[k * n..(k + 1) * n];
        part.iter().map(|x| size * (x - 0.5)).collect()
    };
    let places = [part(0, 2.4), part(1, 6.2), part(2, 2.4), part(3, 6.2)];
    let data = places.clone().map(Array::from);

    let f = jit(haversine);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(&places))?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-13);
    let mean = ours.iter::<f64>()?.sum::<f64>() / n as f64;
    Ok(vec![Row {
        name: "vectorize",
        said: format!("{n} pairs of places are {mean:.1} km apart in the mean"),
        check: mean,
        times,
    }])
}
