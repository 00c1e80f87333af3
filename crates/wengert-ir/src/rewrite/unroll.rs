//! Unrolling of maps over one element, which are no batches, and of small maps in loops. The columns of a small Jacobian,
//! for example, are a map over two or three elements: in lanes most of a vector would be idle, and each step of the loop
//! would move what the map reads and writes between registers and memory.

use crate::cost::price::{ELEMENTARY, PLAIN};
use crate::ir::{Eqn, Func, Type};
use crate::loops::LANES;
use crate::ops::Op;
use crate::ops::elementwise::add;
use crate::ops::layout::{row, stack};
use crate::ops::map::{Gather, Map};
use crate::schedule::node::FEW;
use crate::trace::{Var, bind};
use crate::transform::{inline, recorded_anew};

/// Most work of all elements of a map that is unrolled.
const WORK: u64 = 512 * PLAIN;

/// Replaces maps over one element, and small maps in loops, by their elements, one after the other.
pub fn unroll_maps(func: &Func) -> Func {
    unrolled(func, false)
}

fn unrolled(func: &Func, in_loop: bool) -> Func {
    if !has_small_map(func, in_loop) {
        return func.clone();
    }
    recorded_anew(func, |eqn, inputs| {
        let inside = in_loop || is_loop(&eqn.op);
        let op = eqn.op.with_bodies(&mut |f| unrolled(f, inside));
        match op.unwrap_or_else(|| eqn.op.clone()) {
            Op::Map(map) if is_unrolled(&map, in_loop) => elements(&map, inputs),
            op => bind(op, inputs),
        }
    })
}

fn is_unrolled(map: &Map, in_loop: bool) -> bool {
    is_of_one(map) || in_loop && is_small(map)
}

fn is_loop(op: &Op) -> bool {
    matches!(op, Op::Scan(_) | Op::While(_))
}

/// Returns whether a function holds a map over one element, or a loop in it a small map.
fn has_small_map(func: &Func, in_loop: bool) -> bool {
    func.eqns.iter().any(|Eqn { op, .. }| {
        let inside = in_loop || is_loop(op);
        let here = matches!(op, Op::Map(map) if is_unrolled(map, in_loop));
        here || op.bodies().into_iter().any(|f| has_small_map(f, inside))
    })
}

/// Returns whether a map has fewer elements than a vector has lanes, and computes little with values that stay in
/// registers.
fn is_small(map: &Map) -> bool {
    let body = &map.body;
    let few = |ty: &Type| ty.shape.known().is_some_and(|_| ty.size() <= FEW);
    let work: Option<Vec<u64>> = body.eqns.iter().map(|e| work(body, e)).collect();
    map.extent > 0
        && map.extent < LANES
        && body.types.iter().all(few)
        && work.is_some_and(|w| w.iter().sum::<u64>() * map.extent as u64 <= WORK)
}

/// Returns the work of an equation on a few elements; `None` if lanes would do it better, or if it has an effect.
fn work(body: &Func, eqn: &Eqn) -> Option<u64> {
    if !eqn.op.bodies().is_empty() || eqn.op.has_effect() || eqn.op.runs_on_host() {
        return None;
    }
    let operands: Vec<Type> = eqn
        .inputs
        .iter()
        .map(|&a| body.type_of(a).clone())
        .collect();
    let each = match eqn.op.element_work(&operands) {
        Some(work) if work < ELEMENTARY => work,
        None if matches!(eqn.op, Op::Reduce(_) | Op::Dot(_)) => FEW as u64 * PLAIN,
        _ => return None,
    };
    let results = eqn.outputs.clone();
    let size: usize = results.map(|v| body.types[v as usize].size()).sum();
    Some(each * size as u64)
}

/// Returns whether a map has one element, all of whose values have known lengths outside the map: it is no batch.
fn is_of_one(map: &Map) -> bool {
    let known = |ty: &Type| !ty.shape.has_run();
    let results = map.body.result_types();
    map.extent == 1 && map.body.param_types().iter().chain(&results).all(known)
}

/// Records the elements of a map, and stacks or sums their results.
fn elements(map: &Map, inputs: &[Var]) -> Vec<Var> {
    let each: Vec<Vec<Var>> = (0..map.extent)
        .map(|i| {
            let operands = inputs.iter().zip(&map.mapped);
            let operands = operands.map(|(&x, mapped)| if *mapped { row(x, i) } else { x });
            inline(&map.body, &operands.collect::<Vec<_>>())
        })
        .collect();
    let results = map.gather.iter().enumerate();
    results
        .map(|(r, gather)| {
            let all: Vec<Var> = each.iter().map(|results| results[r]).collect();
            match gather {
                Gather::Stack => stack(&all, 0),
                Gather::Sum => sum_of_lanes(&all),
            }
        })
        .collect()
}

/// Adds the results of fewer elements than a vector has lanes, in the order of [`crate::order::sum_lanes`]: each is
/// added to zero, and the sums are joined pairwise. Zeros in place of lanes that do not exist would change nothing,
/// because no sum with zero is `-0`.
fn sum_of_lanes(all: &[Var]) -> Var {
    let mut sums: Vec<Var> = all.iter().map(|&x| add(Var::zeros(&x.ty()), x)).collect();
    while sums.len() > 1 {
        let pair = |pair: &[Var]| match *pair {
            [a, b] => add(a, b),
            _ => pair[0],
        };
        sums = sums.chunks(2).map(pair).collect();
    }
    sums[0]
}
