//! The costs of storing a value for a later loop and of recomputing it there, in the unit of [`crate::ops::work`].

use crate::cost::price::{LOOKUP, PLAIN, READ, WRITE};
use crate::ir::{Eqn, Func, Type};
use crate::ops::Op;
use crate::ops::dynamic::Dynamic;
use crate::ops::index::Access;
use crate::ops::layout::Layout;
use crate::ops::work;

/// Returns the cost of storing a value and reading it `readers` times. `None` for a list, whose length is unknown.
pub fn store(ty: &Type, readers: u64) -> Option<u64> {
    Some(bytes(ty)? * (WRITE + readers * READ))
}

/// Returns the cost of `readers` reads of a value that is stored regardless.
pub fn read(ty: &Type, readers: u64) -> Option<u64> {
    Some(bytes(ty)? * readers * READ)
}

/// Returns the size in bytes of a value of known lengths.
pub fn bytes(ty: &Type) -> Option<u64> {
    Some(elements(ty)? * ty.dtype.bytes() as u64)
}

/// Returns the number of elements of a value of known lengths.
fn elements(ty: &Type) -> Option<u64> {
    let dims = ty.shape.known()?;
    Some(dims.iter().map(|&n| n as u64).product())
}

/// Returns the cost of recomputing an equation. `None` if it is never recomputed: effects, random draws, loops and
/// branches, products of arrays, reductions, and whatever calls the host.
pub fn again(func: &Func, eqn: &Eqn) -> Option<u64> {
    let [out] = eqn.outputs.clone().collect::<Vec<_>>()[..] else {
        return None;
    };
    let n = elements(&func.types[out as usize])?;
    let each = match &eqn.op {
        Op::Elementwise(op) => work::of(*op, eqn.inputs.iter().map(|&a| func.type_of(a).dtype)),
        Op::Convert(_) | Op::Iota(_) => PLAIN,
        // A view is free; concatenated or padded arrays need a branch per element to find the right part.
        Op::Layout(Layout::Pad { .. } | Layout::Concat { .. }) => LOOKUP,
        Op::Layout(_) => 0,
        Op::Dynamic(Dynamic::Slice { .. }) => LOOKUP,
        Op::Index(index) if index.access == Access::Gather => LOOKUP,
        _ => return None,
    };
    let lists = (eqn.inputs.iter()).any(|&a| func.type_of(a).shape.has_run());
    (!lists && !eqn.op.has_effect()).then_some(each * n)
}
