//! Recording counted loops.

use super::Scan;
use crate::ir::{Dim, Type};
use crate::ops::elementwise;
use crate::ops::trip_count::trip_count;
use crate::trace::{Kind, Var, closed};
use crate::transform::body::BodyTrace;

/// Records a loop of `length` steps over the rows of `xs`.
#[track_caller]
pub fn scan(
    init: &[Var],
    xs: &[Var],
    length: usize,
    reverse: bool,
    step: impl FnOnce(&[Var], &[Var]) -> (Vec<Var>, Vec<Var>),
) -> Vec<Var> {
    let nc = init.len();
    let mut types: Vec<Type> = init.iter().map(|v| v.ty()).collect();
    types.extend(xs.iter().map(|v| v.ty().row()));
    let kind = if length > 0 {
        Kind::Plain
    } else {
        Kind::Barrier
    };
    let body = closed(kind, &types, |vars| {
        let (mut carry, ys) = step(&vars[..nc], &vars[nc..]);
        carry.extend(ys);
        carry
    });
    Scan {
        body: body.func,
        carry: nc,
        xs: xs.len(),
        length: Dim::N(length),
        reverse,
    }
    .bind(&[init, xs, &body.captures])
}

/// Records a loop from `start` up to `end`, traced `i64`s; the step receives its number.
#[track_caller]
pub fn repeat(
    start: Var,
    end: Var,
    init: &[Var],
    step: impl FnOnce(Var, &[Var]) -> Vec<Var>,
) -> Vec<Var> {
    let count = trip_count(start, end);
    let mut carry = vec![Var::scalar(0i64)];
    carry.extend(init);
    let types: Vec<Type> = carry.iter().map(|v| v.ty()).collect();
    Scan::runs(Dim::Run, Some(count), |runs| {
        let (trace, vars) = BodyTrace::open(runs, &types);
        let mut next = vec![elementwise::add(vars[0], Var::scalar(1i64))];
        let number = match start.as_literal() {
            Some(zero) if zero.bits == 0 => vars[0],
            _ => elementwise::add(vars[0], start),
        };
        next.extend(step(number, &vars[1..]));
        let body = trace.close(&next, &mut []);
        let scan = Scan {
            body: body.func,
            carry: carry.len(),
            xs: 0,
            length: Dim::Run,
            reverse: false,
        };
        let out = scan.bind(&[&[count], &carry, &body.captures]);
        out[1..].to_vec()
    })
}
