//! How a map runs: by what its body computes and keeps, and not by what it reads.

use super::Lowering;
use super::lanes::Batch;
use crate::ir::{Atom, Eqn, Func, Type};
use crate::loops::LANES;
use crate::ops::Op;
use crate::ops::work::{FREE, PLAIN};
use crate::order::LANE_CHUNK;

/// An operation of at most this [work](crate::ops::work) is repeated rather than stored.
pub(super) const MODEST: u64 = 4 * PLAIN;

/// How a map may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// The elements side by side, one a lane, with all control flow inside.
    Lanes,
    /// Each element by itself, in a task if it may be.
    Each {
        /// Whether elements may run at the same time.
        parallel: bool,
    },
    /// Whole batches, operation by operation.
    Flat,
}

impl Batch<'_> {
    /// Chooses how the map runs; `Flat` only if it `can` be flattened.
    pub fn way(&self, l: &Lowering, can: bool) -> Way {
        // Effects on the host keep the order of the elements.
        let serial = Way::Each { parallel: false };
        if runs_on_host(self.body) {
            return serial;
        }
        let simple = is_simple(self.body);
        if l.in_lanes() {
            // What is the same for all elements is then computed once: the primal for all tangents, say.
            let together = self.extent <= LANES && in_step(self.body);
            let short = self.extent <= LANE_CHUNK && simple;
            return match can && (together || short) {
                true => Way::Flat,
                false => serial,
            };
        }
        let wide = match simple {
            // In lanes, rows of operands are read in strides.
            true => widest(self.body, self.mapped),
            false => kept(self.body),
        };
        let large = is_large(self.body);
        if large || wide >= l.target.wide || (self.extent < LANES && wide >= LANE_CHUNK) {
            return match can && (large || simple) {
                true => Way::Flat,
                // Arrays that are cut into tasks keep the cores busy if there are few elements.
                false => Way::Each {
                    parallel: !l.parallel
                        && !has_lists(self.body)
                        && (wide < l.target.tasks_from || self.extent >= l.target.threads.count()),
                },
            };
        }
        match can && self.is_rows(wide, l.target.near) {
            true => Way::Flat,
            false => Way::Lanes,
        }
    }

    /// Whether the body is nothing but elementwise work along rows. Such rows are better computed as they lie, one after
    /// the other. Expensive work stays in a lane, where what is stored of it is still near.
    fn is_rows(&self, wide: usize, near: usize) -> bool {
        let f = self.body;
        let long = |t: &Type| {
            let dims = t.shape.known();
            dims.is_some_and(|dims| dims.last().is_none_or(|&n| n >= LANES))
        };
        let work = f.eqns.iter().map(|e| e.op.element_work(&operands(f, e)));
        let most = work.map(|w| w.unwrap_or(u64::MAX)).max().unwrap_or(0);
        wide >= LANES
            && !self.sum.contains(&true)
            && f.types.iter().all(long)
            && most < u64::MAX
            && (most <= MODEST || self.extent * wide <= near)
    }
}

fn operands(f: &Func, eqn: &Eqn) -> Vec<Type> {
    eqn.inputs.iter().map(|&a| f.type_of(a).clone()).collect()
}

/// Whether a function holds no others.
pub(super) fn is_simple(f: &Func) -> bool {
    f.eqns.iter().all(|e| e.op.bodies().is_empty())
}

/// The number of elements of a type, rows of unknown number left out.
pub(super) fn size(t: &Type) -> usize {
    t.shape.known().map_or(0, |dims| dims.iter().product())
}

/// The size of the largest array in a function that differs from element to element.
fn widest(f: &Func, mapped: &[bool]) -> usize {
    let mut own = mapped.to_vec();
    for eqn in &f.eqns {
        let differs = eqn
            .inputs
            .iter()
            .any(|a| matches!(a, Atom::Var(v) if own[*v as usize]));
        own.extend(eqn.outputs.clone().map(|_| differs));
    }
    let all = f.types.iter().zip(own);
    all.filter(|(_, own)| *own)
        .map(|(t, _)| size(t))
        .max()
        .unwrap_or(0)
}

/// The size of the largest array that a function keeps in memory, nearly: the result of an operation that is not fused
/// with those that read it, or an operand that a loop or a branch reads. What is read as it is,
/// counted or drawn takes no memory.
fn kept(f: &Func) -> usize {
    let mut most = 0;
    // Of each value: whether it is work that waits to be computed, and whether it is drawn where it is read.
    let mut waits = vec![(false, false); f.arity()];
    for eqn in &f.eqns {
        let of = |a: &Atom| match a {
            Atom::Var(v) => waits[*v as usize],
            Atom::Lit(_) => (false, false),
        };
        let work = eqn.op.element_work(&operands(f, eqn));
        let drawn = eqn.op.is_drawn() || (work.is_some() && eqn.inputs.iter().any(|a| of(a).1));
        if !eqn.op.bodies().is_empty() {
            let stored = eqn.inputs.iter().filter(|a| of(a) == (true, false));
            most = stored.map(|&a| size(f.type_of(a))).fold(most, usize::max);
            most = eqn.op.bodies().into_iter().map(kept).fold(most, usize::max);
        }
        if work.is_none() && !drawn {
            let results = eqn.outputs.clone().map(|v| size(&f.types[v as usize]));
            most = results.fold(most, usize::max);
        }
        let waiting = work.is_some_and(|w| w > FREE || eqn.inputs.iter().any(|a| of(a).0));
        waits.extend(eqn.outputs.clone().map(|_| (waiting, drawn)));
    }
    most
}

/// Whether a function has values of run-time length.
fn has_lists(f: &Func) -> bool {
    f.types.iter().any(|t| t.shape.has_run())
        || f.eqns
            .iter()
            .any(|e| e.op.bodies().into_iter().any(has_lists))
}

/// Whether a function has work for the host, one element after the other.
fn runs_on_host(f: &Func) -> bool {
    let host = |op: &Op| op.runs_on_host() || op.bodies().into_iter().any(runs_on_host);
    f.eqns.iter().any(|e| host(&e.op))
}

/// Whether elements of a batch walk through a function side by side: its loops have a known length, and nothing
/// branches.
fn in_step(f: &Func) -> bool {
    let keeps = |op: &Op| op.keeps_step() && op.bodies().into_iter().all(in_step);
    f.eqns.iter().all(|e| keeps(&e.op))
}

/// Whether a function does work for a library.
fn is_large(f: &Func) -> bool {
    let large = |e: &Eqn| e.op.is_large(&operands(f, e)) || e.op.bodies().into_iter().any(is_large);
    f.eqns.iter().any(large)
}
