//! SELU (G. Klambauer et al., 2017), the first function of JAX's quickstart: a choice and an exponential, and its derivative.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

const ALPHA: f64 = 1.67;
const LAMBDA: f64 = 1.05;

fn selu(x: Var) -> Var {
    LAMBDA * x.gt(0.0).select(x, ALPHA * x.exp() - ALPHA)
}

fn plain(xs: &[f64]) -> Vec<f64> {
    let selu = |&x: &f64| LAMBDA * if x > 0.0 { x } else { ALPHA * x.exp() - ALPHA };
    xs.iter().map(selu).collect()
}

fn plain_slope(xs: &[f64]) -> Vec<f64> {
    let slope = |&x: &f64| LAMBDA * if x > 0.0 { 1.0 } else { ALPHA * x.exp() };
    xs.iter().map(slope).collect()
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(1000, 1_000_000);
    let xs: Vec<f64> = spread(n).iter().map(|x| 6.0 * x - 3.0).collect();
    let data = Array::from(xs.clone());
    let mean = |y: &Array| Ok::<f64, Failure>(y.iter::<f64>()?.sum::<f64>() / n as f64);

    let f = jit(selu);
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(&xs))?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-14);
    let value = Row {
        name: "selu",
        said: format!("the mean of {n} is {:.4}", mean(&ours)?),
        check: mean(&ours)?,
        times,
    };

    let f = jit(grad(|x: Var| selu(x).sum()));
    let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain_slope(&xs))?;
    assert!(difference(ours.as_slice()?, &theirs) < 1e-14);
    let slope = Row {
        name: "selu/grad",
        said: format!("the mean slope of {n} is {:.4}", mean(&ours)?),
        check: mean(&ours)?,
        times,
    };
    Ok(vec![value, slope])
}
