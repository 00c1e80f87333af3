//! How a map runs, which depends on what its body computes and stores, and not on what the body reads.

use super::Lowering;
use super::lanes::Batch;
use crate::ir::{Atom, Eqn, Func, Type};
use crate::loops::LANES;
use crate::ops::Op;
use crate::ops::work::{FREE, PLAIN};
use crate::order::LANE_CHUNK;

/// An operation of at most this [work](crate::ops::work) is repeated rather than stored.
pub(super) const MODEST: u64 = 4 * PLAIN;

/// The way in which a map runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Elements side by side, one per lane, with all control flow inside.
    Lanes,
    /// Each element by itself, in a task if possible.
    Each {
        /// Whether elements may run at the same time.
        parallel: bool,
    },
    /// Whole batches, one operation after the other.
    Flat,
}

impl Batch<'_> {
    /// Chooses how the map runs: `Flat` only if it `can` be flattened.
    pub fn way(&self, l: &Lowering, can: bool) -> Way {
        // Effects on the host must happen in the order of the elements.
        let serial = Way::Each { parallel: false };
        if runs_on_host(self.body) {
            // Where elements part, those that have not come there would be in a batch, too.
            let whole = can && in_step(self.body) && takes_batches(self.body);
            return if whole { Way::Flat } else { serial };
        }
        let simple = is_simple(self.body);
        if l.in_lanes() {
            // In whole batches, work that is the same for all elements is done once: the primal of all
            // tangents, for example.
            let together = self.extent <= LANES && in_step(self.body);
            let short = self.extent <= LANE_CHUNK && simple;
            return match can && (together || short) {
                true => Way::Flat,
                false => serial,
            };
        }
        let wide = match simple {
            // In lanes, the rows of operands are read with a stride.
            true => widest(self.body, self.mapped),
            false => kept(self.body),
        };
        let large = is_large(self.body);
        if large && !simple && self.extent >= LANES && is_large_alone(self.body) {
            let parallel = !l.parallel && !has_lists(self.body);
            return Way::Each { parallel };
        }
        if large || wide >= l.target.wide || (self.extent < LANES && wide >= LANE_CHUNK) {
            return match can && (large || simple) {
                true => Way::Flat,
                // With few elements, their arrays are cut into tasks instead, which keeps the cores busy.
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

    /// Returns whether the body is nothing but elementwise work along rows. It is better to compute such rows
    /// one after the other, as they lie in memory. Expensive work stays in a lane, where its stored results
    /// are still in the cache.
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

/// Returns whether a function contains no other functions.
pub(super) fn is_simple(f: &Func) -> bool {
    f.eqns.iter().all(|e| e.op.bodies().is_empty())
}

/// Returns the number of elements of a type, without rows of unknown number.
pub(super) fn size(t: &Type) -> usize {
    t.shape.known().map_or(0, |dims| dims.iter().product())
}

/// Returns the size of the largest array in a function that differs from element to element.
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

/// Estimates the size of the largest array that a function stores: the result of an operation that is not
/// fused with its readers, or an operand that a loop or a branch reads. A value that is read unchanged,
/// counted or drawn takes no memory.
fn kept(f: &Func) -> usize {
    let mut most = 0;
    // For each value: whether it is work that has yet to be done, and whether it is drawn where it is read.
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

/// Returns whether a function has values of run-time length.
fn has_lists(f: &Func) -> bool {
    f.types.iter().any(|t| t.shape.has_run())
        || f.eqns
            .iter()
            .any(|e| e.op.bodies().into_iter().any(has_lists))
}

/// Returns whether a function does work on the host, one element after the other.
fn runs_on_host(f: &Func) -> bool {
    let host = |op: &Op| op.runs_on_host() || op.bodies().into_iter().any(runs_on_host);
    f.eqns.iter().any(|e| host(&e.op))
}

/// Returns whether all calls of the host in a function take batches.
fn takes_batches(f: &Func) -> bool {
    let whole = |op: &Op| {
        (!op.runs_on_host() || op.takes_batches()) && op.bodies().into_iter().all(takes_batches)
    };
    f.eqns.iter().all(|e| whole(&e.op))
}

/// Returns whether the elements of a batch go through a function in step: its loops have known lengths, and
/// nothing branches.
fn in_step(f: &Func) -> bool {
    let keeps = |op: &Op| op.keeps_step() && op.bodies().into_iter().all(in_step);
    f.eqns.iter().all(|e| keeps(&e.op))
}

/// Returns whether a function does work for a library.
fn is_large(f: &Func) -> bool {
    let large = |e: &Eqn| e.op.is_large(&operands(f, e)) || e.op.bodies().into_iter().any(is_large);
    f.eqns.iter().any(large)
}

/// Returns whether all work for a library that a function does is large enough alone.
fn is_large_alone(f: &Func) -> bool {
    let alone = |e: &Eqn| {
        let types = operands(f, e);
        (!e.op.is_large(&types) || e.op.is_large_alone(&types))
            && e.op.bodies().into_iter().all(is_large_alone)
    };
    f.eqns.iter().all(alone)
}
