//! Recurrences by an associative combination (G. E. Blelloch, *Prefix Sums and Their Applications*, 1990): `xₜ = aₜ xₜ₋₁ + bₜ`
//! is a running composition of affine functions, `(a, b)` and `(c, d)` give `(a c, c b + d)`. On a GPU, `associative_scan` makes
//! a chain of steps short; on a CPU it pays if a combination is much work, and a plain `scan` is as fast if it is not.

use wengert::prelude::*;

use super::Failure;
use super::measure::{Row, Scale, difference, in_turns, spread};

fn by_combination((a, b): (Var, Var)) -> Var {
    associative_scan((a, b), |(a, b), (c, d)| (a * c, c * b + d)).1
}

fn by_steps((a, b): (Var, Var)) -> Var {
    let (_, all) = scan(0.0, (a, b), |x, (a, b)| {
        let next = a * x + b;
        (next, next)
    });
    all
}

fn plain(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut x = 0.0;
    let mut all = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        x = a * x + b;
        all.push(x);
    }
    all
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, Failure> {
    let n = scale.of(1000, 1_000_000);
    let numbers = spread(2 * n);
    let (a, b) = numbers.split_at(n);
    let data = (Array::from(a), Array::from(b));
    let mut rows = vec![];
    type Form = fn((Var, Var)) -> Var;
    let forms: [(&str, Form); 2] = [
        ("associative", by_combination),
        ("associative/scan", by_steps),
    ];
    for (name, form) in forms {
        let f = jit(form);
        let (ours, theirs, times) = in_turns(scale, || f.call(&data), || plain(a, b))?;
        assert!(difference(ours.as_slice()?, &theirs) < 1e-12);
        rows.push(Row {
            name,
            said: format!("x is {:.4} after {n} steps", theirs[n - 1]),
            check: theirs[n - 1],
            times,
        });
    }
    Ok(rows)
}
