//! Laws of batches.

use wengert::Result;
use wengert::prelude::*;
use wengert_ir::buffer::{Data, Dense};
use wengert_ir::ir::Func;
use wengert_ir::ir::verify::verify;
use wengert_ir::ops::Op;
use wengert_ir::trace::bind;
use wengert_ir::transform::recorded_anew;

use super::Verdict;
use super::case::{Case, run};
use crate::close::{Failure, agree};
use crate::program::Style;

/// Tolerance: flattened batches add in another order.
const FLATTENED: f64 = 1e-10;
/// Number of elements in a batch.
const SIZE: usize = 3;

/// Returns the arguments of a batch: points along the direction.
fn points(case: &Case) -> Vec<Vec<Dense>> {
    (0..SIZE).map(|i| case.moved(0.4 * i as f64)).collect()
}

/// Stacks arguments to one batch.
pub fn stacked(points: &[Vec<Dense>]) -> Vec<Dense> {
    let stack = |k: usize| {
        let mut data = Data::zeros(points[0][k].data.dtype(), 0);
        points.iter().for_each(|p| data.extend(&p[k].data));
        Dense::new([&[points.len()], &points[0][k].dims[..]].concat(), data)
    };
    (0..points[0].len()).map(stack).collect()
}

/// Traces the batched value and gradients, as functions of a batch of inputs.
fn batched(case: &Case) -> Result<[Func; 2]> {
    let spec = |a: &Dense| ShapeDtype::new([&[SIZE], &a.dims[..]].concat(), DType::F64);
    let n = case.params();
    let specs: Vec<ShapeDtype> = case.args.iter().map(spec).collect();
    let specs = (
        specs[..n].to_vec(),
        specs[n..2 * n].to_vec(),
        specs[2 * n].clone(),
    );
    let value = wengert::trace(
        |(x, _, _): (Vec<Var>, Vec<Var>, Var)| vmap(case.function(Style::Structured))(x),
        &specs,
    )?
    .into_ir();
    let gradient = wengert::trace(
        |(x, _, w): (Vec<Var>, Vec<Var>, Var)| {
            vmap(|(x, w): (Vec<Var>, Var)| value_and_grad(case.loss(Style::Structured, w))(x))((
                x, w,
            ))
        },
        &specs,
    )?
    .into_ir();
    verify(&value)?;
    verify(&gradient)?;
    Ok([value, gradient])
}

/// Checks that `vmap(f)` and `vmap(grad f)` give the same bits as the function on each element.
pub fn a_loop(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(1)? {
        return Ok(Verdict::TooLarge);
    }
    let points = points(case);
    let batch = stacked(&points);
    for (func, alone) in batched(case)?.iter().zip([case.value()?, case.gradient()?]) {
        let alone: Result<Vec<Vec<Dense>>> = points.iter().map(|p| run(alone, p)).collect();
        agree(
            ["the batch", "the loop"],
            &run(func, &batch)?,
            &stacked(&alone?),
            0.0,
        )?;
    }
    Ok(Verdict::Held)
}

/// Checks that the batching rules of all operations give the results of the map.
pub fn flattening(case: &Case) -> Result<Verdict, Failure> {
    if !case.is_small(2)? {
        return Ok(Verdict::TooLarge);
    }
    let batch = stacked(&points(case));
    for func in &batched(case)? {
        let flat = flattened(func);
        verify(&flat)?;
        let whats = ["the flattened batch", "the batch"];
        agree(whats, &run(&flat, &batch)?, &run(func, &batch)?, FLATTENED)?;
    }
    Ok(Verdict::Held)
}

/// Returns the function with every `map` in it, innermost first, flattened by the batching rules where they
/// can.
pub fn flattened(func: &Func) -> Func {
    recorded_anew(func, |eqn, inputs| {
        let op = eqn.op.with_bodies(&mut flattened).unwrap_or(eqn.op.clone());
        let flat = match &op {
            Op::Map(map) => map.flattened(inputs),
            _ => None,
        };
        flat.unwrap_or_else(|| bind(op, inputs))
    })
}
