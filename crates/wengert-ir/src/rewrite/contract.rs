//! Contraction: a product whose only use is a sum becomes an `fma`, with one rounding. This happens on the IR, so
//! that interpreted and compiled code contract the same products.

use crate::ops::elementwise::{Elementwise, fma, neg};
use crate::ops::rows::row;
use crate::rewrite::{Known, Rule};
use crate::trace::Var;

const ADD: Elementwise = row("add");
const SUB: Elementwise = row("sub");
const MUL: Elementwise = row("mul");

/// The rules, in the order in which they are tried.
pub const RULES: &[Rule] = &[sum, difference];

fn product(known: &Known, v: Var) -> Option<[Var; 2]> {
    let inputs = known.operands(v, MUL).filter(|_| known.used_once(v))?;
    Some([inputs[0], inputs[1]])
}

/// a·b + c and c + a·b.
fn sum(known: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    if op != ADD || !x[0].ty().is_float() {
        return None;
    }
    match (product(known, x[0]), product(known, x[1])) {
        (_, Some([a, b])) => Some(fma(a, b, x[0])),
        (Some([a, b]), _) => Some(fma(a, b, x[1])),
        _ => None,
    }
}

/// a·b - c and c - a·b.
fn difference(known: &Known, op: Elementwise, x: &[Var]) -> Option<Var> {
    if op != SUB || !x[0].ty().is_float() {
        return None;
    }
    match (product(known, x[0]), product(known, x[1])) {
        (_, Some([a, b])) => Some(fma(neg(a), b, x[0])),
        (Some([a, b]), _) => Some(fma(a, b, neg(x[1]))),
        _ => None,
    }
}
