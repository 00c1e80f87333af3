//! Which memory may be overwritten: the memory of an array that nothing reads any more.
//!
//! An operation that changes part of an array, or a loop that carries one, takes over the memory of
//! its operand if the operand's use is the last. A region (a loop, a branch, a call) holds its
//! operands while its body is lowered. It *hands over* an operand that nothing else uses, so that
//! the body may take the memory over in turn.

use std::collections::{HashMap, HashSet};

use super::node::{Expr, FEW, NodeId, inputs_of};
use super::notes::StoreReason;
use super::store::buffer_of;
use super::view::{View, contiguous, is_spread_out};
use super::{Lowering, Wanted};
use crate::error::Result;
use crate::ir::{Atom, Func, Type};
use crate::loops::{BufferId, BufferKind};

impl Lowering {
    /// Returns memory that holds an array and may be changed: the array's own memory if this use of it is the
    /// last, or else a copy.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub fn changeable(&mut self, x: NodeId, want: &Wanted) -> Result<View> {
        self.force(&[x], StoreReason::Whole)?;
        if let Some(view) = self.take_over(x)? {
            return Ok(view);
        }
        let place = match &want.place {
            Some(place) if !self.lies_in(x, place) => place.clone(),
            _ => self.alloc(want.ty.dtype, &want.ty.dims()),
        };
        self.note_why_kept(x);
        self.write(x, place.clone())?;
        Ok(place)
    }

    /// Returns whether an array is in the memory of a place, or will be stored there.
    pub(super) fn lies_in(&self, x: NodeId, place: &View) -> bool {
        let wish = self.node(x).place.as_ref().and_then(buffer_of);
        buffer_of(place).is_some_and(|b| wish == Some(b) || self.reads_buffer(x, b))
    }

    /// Notes what keeps an array from being overwritten.
    pub(super) fn note_why_kept(&mut self, x: NodeId) {
        if self.notes.is_none() {
            return;
        }
        let Expr::Stored(view) = self.expr(x) else {
            return;
        };
        let Some(buffer) = buffer_of(view) else {
            return self.note_kept(x, false, &[]);
        };
        let given = matches!(
            self.b.buffer_of(buffer).kind,
            BufferKind::Input(_) | BufferKind::Constant(_)
        );
        let others = self.stored_in.get(&buffer).cloned().unwrap_or_default();
        let reads =
            |&id: &NodeId| id != x && self.node(id).uses > 0 && self.reads_buffer(id, buffer);
        let others: Vec<NodeId> = others.into_iter().filter(reads).collect();
        self.note_kept(x, given, &others);
    }

    /// Returns the memory of an array if this use of it is the last, so that the memory may be overwritten.
    /// Other readers of smaller parts of that memory are computed or copied first.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn take_over(&mut self, x: NodeId) -> Result<Option<View>> {
        let Some((buffer, view)) = self.writable(x) else {
            return Ok(None);
        };
        if self.is_last_use(x, buffer) {
            return Ok(Some(view));
        }
        let Some(readers) = self.small_readers(x, buffer) else {
            return Ok(None);
        };
        for id in readers {
            match self.expr(id).is_pending() {
                true => self.force(&[id], StoreReason::Overwritten)?,
                // Forcing another reader may have computed this one as well.
                false if self.reads_buffer(id, buffer) => {
                    let aside = self.copied(id, StoreReason::Overwritten)?;
                    self.settle(id, Expr::Stored(aside));
                }
                false => {}
            }
        }
        Ok(self.is_last_use(x, buffer).then_some(view))
    }

    /// Returns the memory of an array, if it is of a kind that may be changed at this point.
    fn writable(&self, x: NodeId) -> Option<(BufferId, View)> {
        let Expr::Stored(view) = self.expr(x) else {
            return None;
        };
        let buffer = buffer_of(view)?;
        let here = match self.b.buffer_of(buffer).kind {
            BufferKind::Local => self.in_lanes(),
            BufferKind::Call | BufferKind::Task | BufferKind::Output(_) => !self.in_lanes(),
            BufferKind::Input(_) | BufferKind::Constant(_) => false,
        };
        // Repeated elements share their memory.
        (here && is_spread_out(&self.dims(x), &view.strides)).then(|| (buffer, view.clone()))
    }

    /// Returns whether only the operation that asks reads an array or anything else in its buffer.
    fn is_last_use(&self, x: NodeId, buffer: BufferId) -> bool {
        self.node(x).uses == 1 && !self.is_read(buffer, &[x])
    }

    /// Returns the other readers of the buffer of `x`, if nothing else keeps `x` from being overwritten, all
    /// of them were lowered in the same region, and together they are at most half as large as `x`.
    fn small_readers(&self, x: NodeId, buffer: BufferId) -> Option<Vec<NodeId>> {
        let depth = self.b.depth();
        let mut readers = vec![];
        // A copy does not end uses by equations that are still to come.
        let mut uses = self.node(x).uses;
        for (i, node) in self.nodes.iter().enumerate() {
            let id = NodeId(i as u32);
            if id == x || node.uses == 0 {
                continue;
            }
            let of_x = inputs_of(&node.expr).iter().filter(|&&i| i == x).count() as u32;
            if of_x == 0 && !self.reads_buffer(id, buffer) {
                continue;
            }
            if node.depth != depth || !(of_x == 0 || node.expr.is_pending()) {
                return None;
            }
            uses -= of_x;
            readers.push(id);
        }
        let size: usize = readers.iter().map(|&id| self.ty(id).size()).sum();
        (uses == 1 && 2 * size <= self.ty(x).size()).then_some(readers)
    }

    fn reads_buffer(&self, id: NodeId, buffer: BufferId) -> bool {
        matches!(self.expr(id), Expr::Stored(view) if buffer_of(view) == Some(buffer))
    }

    /// Returns whether anything but `except` still reads a buffer.
    pub fn is_read(&self, buffer: BufferId, except: &[NodeId]) -> bool {
        let Some(nodes) = self.stored_in.get(&buffer) else {
            return false;
        };
        nodes.iter().any(|&id| {
            self.node(id).uses > 0 && self.reads_buffer(id, buffer) && !except.contains(&id)
        })
    }

    /// Takes over an operand of a region for its body: the operand's memory, which the region's equation no longer
    /// holds. `None` if something else uses the operand.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn hand_over(&mut self, id: NodeId) -> Result<Option<View>> {
        let view = self.take_over(id)?;
        if view.is_some() {
            self.node_mut(id).expr = Expr::Gone;
        }
        Ok(view)
    }

    /// Hands over each operand of a body that runs once, where that is possible.
    ///
    /// # Errors
    /// As [`Lowering::force`].
    pub(super) fn handed_over(&mut self, ids: &[NodeId]) -> Result<Vec<NodeId>> {
        let mut all = vec![];
        for &id in ids {
            all.push(match self.hand_over(id)? {
                Some(view) => self.push(self.ty(id).clone(), Expr::Stored(view)),
                None => id,
            });
        }
        Ok(all)
    }
}

/// Returns the parameter of a function whose memory a result takes over, if nothing else needs it.
pub fn in_place_of(func: &Func, result: usize) -> Option<usize> {
    let Atom::Var(mut v) = *func.results.get(result)? else {
        return None;
    };
    // Backwards through the equations, each of which defines values that come before its own.
    for eqn in func.eqns.iter().rev() {
        if eqn.outputs.contains(&v) {
            let operand = eqn.op.in_place_of((v - eqn.outputs.start) as usize)?;
            match eqn.inputs[operand] {
                Atom::Var(from) => v = from,
                Atom::Lit(_) => return None,
            }
        }
    }
    ((v as usize) < func.arity()).then_some(v as usize)
}

/// Returns how often each value of a function is used.
pub(super) fn uses(func: &Func) -> Vec<u32> {
    let mut uses = vec![0; func.types.len()];
    let operands = func.eqns.iter().flat_map(|e| &e.inputs);
    for atom in operands.chain(&func.results) {
        if let Atom::Var(v) = atom {
            uses[*v as usize] += 1;
        }
    }
    uses
}

/// Returns `wanted`, the places where values of a function may be stored, with places of the values before them: of a
/// value that is changed in place until it is one of these, such as the start of a loop, and of the parts of which one
/// consists.
pub(super) fn wanted_before(func: &Func, mut wanted: HashMap<u32, View>) -> HashMap<u32, View> {
    let uses = uses(func);
    // The values that share their memory with other parts, so that nothing changes them there.
    let mut parts = HashSet::new();
    for eqn in func.eqns.iter().rev() {
        for (result, v) in eqn.outputs.clone().enumerate() {
            let Some(place) = wanted.get(&v).cloned() else {
                continue;
            };
            let ty = &func.types[v as usize];
            let once = |atom: Atom| match atom {
                Atom::Var(from) if uses[from as usize] == 1 => Some(from),
                _ => None,
            };
            if let Some(operand) = eqn.op.in_place_of(result) {
                match once(eqn.inputs[operand]) {
                    _ if parts.contains(&v) => {
                        wanted.remove(&v);
                    }
                    Some(from) if func.types[from as usize] == *ty => {
                        wanted.entry(from).or_insert(place);
                    }
                    _ => {}
                }
                continue;
            }
            let types: Vec<Type> = (eqn.inputs.iter())
                .map(|&a| func.type_of(a).clone())
                .collect();
            let whole = !ty.shape.has_run() && place.strides == contiguous(&ty.dims());
            let Some(starts) = eqn.op.parts(&types).filter(|_| whole && ty.size() > FEW) else {
                continue;
            };
            for ((&atom, ty), start) in eqn.inputs.iter().zip(&types).zip(starts) {
                let Some(from) = once(atom) else { continue };
                if types.len() > 1 || parts.contains(&v) {
                    parts.insert(from);
                }
                let place = View {
                    place: place.place,
                    offset: place.offset.clone().plus(start as i64),
                    strides: contiguous(&ty.dims()),
                };
                wanted.entry(from).or_insert(place);
            }
        }
    }
    wanted
}

/// Returns the order in which equations are lowered: the order of the function, except that an equation which
/// changes an operand in place is moved, where possible, after the other readers of that operand.
pub(super) fn order_of(func: &Func) -> Vec<usize> {
    let mut order: Vec<usize> = (0..func.eqns.len()).collect();
    let changed: Vec<Vec<u32>> = func
        .eqns
        .iter()
        .map(|eqn| {
            let results = 0..eqn.outputs.len();
            let operands = results.filter_map(|r| eqn.op.in_place_of(r));
            operands
                .filter_map(|operand| match eqn.inputs[operand] {
                    Atom::Var(v) => Some(v),
                    Atom::Lit(_) => None,
                })
                .collect()
        })
        .collect();
    let mut last = vec![0; func.types.len()];
    for (e, eqn) in func.eqns.iter().enumerate() {
        for atom in &eqn.inputs {
            if let Atom::Var(v) = atom {
                last[*v as usize] = e;
            }
        }
    }
    // Move equations whose operand a later equation reads. Start with the last one, so that no move disturbs
    // the others.
    for e in (0..func.eqns.len()).rev() {
        for &v in &changed[e] {
            if last[v as usize] > e {
                delay(func, &mut order, &changed, e, last[v as usize]);
            }
        }
    }
    order
}

/// Moves equation `e`, and everything that depends on it, after equation `last`; does nothing if `last`
/// depends on it.
fn delay(func: &Func, order: &mut Vec<usize>, changed: &[Vec<u32>], e: usize, last: usize) {
    let place = |order: &[usize], e| {
        order
            .iter()
            .position(|&o| o == e)
            .expect("each has a place")
    };
    let (from, to) = (place(order, e), place(order, last));
    if from >= to {
        return;
    }
    // The values that the moved equations define, and those that they read.
    let (mut made, mut read) = (vec![false; func.types.len()], vec![false; func.types.len()]);
    let (mut first, mut then) = (vec![], vec![]);
    let mut effect = false;
    for &o in &order[from..=to] {
        let eqn = &func.eqns[o];
        let waits = |atom: &Atom| matches!(atom, Atom::Var(v) if made[*v as usize]);
        let late = o == e
            || eqn.inputs.iter().any(waits)
            || changed[o].iter().any(|&v| read[v as usize])
            || (effect && eqn.op.has_effect());
        match late {
            true => {
                effect |= eqn.op.has_effect();
                made[eqn.outputs.start as usize..eqn.outputs.end as usize].fill(true);
                for atom in &eqn.inputs {
                    if let Atom::Var(v) = atom {
                        read[*v as usize] = true;
                    }
                }
                then.push(o);
            }
            false => first.push(o),
        }
    }
    if !then.contains(&last) {
        first.extend(then);
        order.splice(from..=to, first);
    }
}
