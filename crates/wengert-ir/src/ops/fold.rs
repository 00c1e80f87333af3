//! Constant folding: operations on literals are computed while they are recorded.

use super::{Folding, Op};
use crate::buffer::{Buffer, Dense};
use crate::ir::{Splat, Type};
use crate::trace::Var;

/// Returns the results of an operation as literals, if its operands are literals or its results have no elements.
pub fn fold(op: &Op, inputs: &[Var], outputs: &[Type]) -> Option<Vec<Var>> {
    if !outputs.is_empty() && outputs.iter().all(Type::is_empty) && !op.has_effect() {
        // A result without elements is the same whatever would be computed.
        return Some(outputs.iter().map(Var::zeros).collect());
    }
    let folding = op.folding();
    if folding == Folding::Keep || inputs.is_empty() {
        return None;
    }
    let literals: Option<Vec<Splat>> = inputs.iter().map(|v| v.as_literal()).collect();
    let literals = literals?;
    let [out] = outputs else { return None };
    match folding {
        Folding::Keep => None,
        Folding::Layout => {
            let first = literals[0].bits;
            let same = literals.iter().all(|l| l.bits == first);
            same.then(|| vec![Var::literal(Splat::new(out, first))])
        }
        Folding::Elementwise => {
            let scalar = |l: &Splat| Dense::splat(l.ty().dtype, vec![], l.bits);
            let values: Vec<Buffer> = literals.iter().map(|l| Buffer::Dense(scalar(l))).collect();
            let result = op.eval(&values).ok()?;
            let Buffer::Dense(value) = &result[0] else {
                return None;
            };
            Some(vec![Var::literal(Splat::new(out, value.data.bits(0)))])
        }
    }
}
