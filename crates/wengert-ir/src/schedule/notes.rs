//! What is written down while a function is lowered, where somebody asks: which operations went into
//! which loops, what those read and write, and why what is in memory had to go there.
//!
//! A lowering without notes pays for a test here and there. What a decision is about is said where it
//! is taken, as a [`StoreReason`]; the rest is seen at the few places that everything comes through: elements
//! that are computed, loaded and stored, loops that are opened, memory that is allocated.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::Lowering;
use super::node::NodeId;
use crate::ir::{Atom, Eqn, Func, Type};
use crate::loops::{BufferId, Kernel, LoopKind, Value};
use crate::source::SourceId;

/// Why a value is in memory, and not computed where it is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoreReason {
    /// An operation writes its result there.
    Result,
    /// It is expensive, and wanted more than once.
    Shared,
    /// It is read at other places than the one that is computed.
    Elsewhere,
    /// It is read in another order or shape, or repeated.
    Reordered,
    /// A region reads it.
    Region,
    /// A product reads it.
    Factor,
    /// An operation cannot begin without all of it.
    Whole,
    /// Too much has been fused in it.
    Long,
    /// Fused, it would keep too much.
    Keeps,
    /// A loop carries it.
    Carried,
    /// A loop leaves it row by row.
    Rows,
    /// Parts of a reduction.
    Parts,
    /// Elements in registers.
    Numbered,
    /// The array that it is a part of is overwritten.
    Overwritten,
}

impl fmt::Display for StoreReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreReason::Result => "the operation writes its result to memory",
            StoreReason::Shared => "it is expensive to compute and wanted more than once",
            StoreReason::Elsewhere => {
                "elements are read at other places than the one that is computed"
            }
            StoreReason::Reordered => {
                "it is read in another order or shape, or its elements more than once"
            }
            StoreReason::Region => {
                "a loop or a branch reads it, in more than one step or not at all"
            }
            StoreReason::Factor => {
                "it is a factor of a product, which reads each element more than once"
            }
            StoreReason::Whole => "the operation that reads it needs all of it before it begins",
            StoreReason::Long => "a longer chain of operations would be too much for one loop nest",
            StoreReason::Keeps => "what reads it would keep several large arrays alive",
            StoreReason::Carried => "a loop carries it from step to step",
            StoreReason::Rows => "a loop leaves a row of it in each step",
            StoreReason::Parts => "the parts of a reduction that run side by side",
            StoreReason::Numbered => "elements in registers that are reached by their number",
            StoreReason::Overwritten => "the array that it was read from is changed in place",
        })
    }
}

/// An equation that was lowered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Where the user wrote it, or what it is the derivative of.
    pub source: SourceId,
}

/// An index into [`Notes::operations`].
pub type OperationId = usize;

/// Memory for a value on the way.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    /// Which.
    pub buffer: BufferId,
    /// What computes the value.
    pub operation: Option<OperationId>,
    /// Why it is there.
    pub why: StoreReason,
}

/// What a part of a program is.
#[derive(Clone, PartialEq, Debug)]
pub enum PartKind {
    /// What is done once in a call.
    Call,
    /// A loop nest over the elements of arrays, with all that was fused in it.
    Nest,
    /// A counted loop.
    For {
        /// How its steps may run.
        kind: LoopKind,
        /// How many.
        steps: Steps,
    },
    /// A loop with a condition.
    While,
    /// One of two functions.
    Branch,
    /// A kernel.
    Kernel(Arc<dyn Kernel>),
}

/// The number of a loop's steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Steps {
    /// Known.
    Exactly(u64),
    /// So many, less in the last chunk.
    UpTo(u64),
    /// Known when it runs.
    Unknown,
}

/// A copy of arrays, element by element as they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Bytes written each time.
    pub bytes: usize,
    /// Why the array could not be changed where it lies, if it was to be changed.
    pub kept: Option<Kept>,
}

/// What keeps an array from being changed where it lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is an argument of the call, or a constant.
    Given,
    /// Operations read it, or a part of it, afterwards.
    Read(Vec<Operation>),
    /// It is wanted after the loop or branch that changes it, or in a later step.
    Outside,
}

/// A part of a program: a loop, or what a loop nest consists of.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The operation that was lowered when it was written: what asked for it, or what it belongs to.
    pub by: Option<OperationId>,
    /// The operations that are computed in it, in registers.
    pub operations: BTreeSet<OperationId>,
    /// The memory that is read.
    pub reads: BTreeSet<BufferId>,
    /// Memory that neighbouring lanes read at places that are not neighbours, and how far those are apart at the most.
    pub strides: BTreeMap<BufferId, u64>,
    /// The memory that is written.
    pub writes: BTreeSet<BufferId>,
    /// Set if the part is nothing but a copy.
    pub copied: Option<Copied>,
    /// The values that each step leaves behind, row by row.
    pub rows: Vec<Type>,
    /// What is in it.
    pub parts: Vec<Part>,
}

impl Part {
    fn new(kind: PartKind, by: Option<OperationId>) -> Part {
        Part {
            kind,
            by,
            operations: BTreeSet::new(),
            reads: BTreeSet::new(),
            strides: BTreeMap::new(),
            writes: BTreeSet::new(),
            copied: None,
            rows: vec![],
            parts: vec![],
        }
    }

    /// Takes up what a nest without a loop did.
    fn absorb(&mut self, nest: Part) {
        self.operations.extend(nest.operations);
        self.reads.extend(nest.reads);
        for (buffer, apart) in nest.strides {
            let most = self.strides.entry(buffer).or_default();
            *most = apart.max(*most);
        }
        self.writes.extend(nest.writes);
    }
}

/// What was written down.
#[derive(Clone, PartialEq, Debug)]
pub struct Notes {
    /// The equations, in the order of lowering.
    pub operations: Vec<Operation>,
    /// Memory for values on the way.
    pub stored: Vec<Stored>,
    /// The call.
    pub body: Part,
}

/// Writes notes.
pub(super) struct Recorder {
    operations: Vec<Operation>,
    stored: Vec<Stored>,
    /// The parts that are open, the call first.
    open: Vec<Part>,
    /// The operation that is being lowered.
    now: Option<OperationId>,
    /// The operation that each node comes from.
    nodes: Vec<Option<OperationId>>,
    /// What is known of numbers of steps.
    bounds: HashMap<Value, u64>,
    /// The equations that are still to read each node.
    readers: HashMap<NodeId, Vec<Operation>>,
    /// What keeps the array that is copied next from being changed where it lies.
    kept: Option<Kept>,
    /// The copy that the next nest is.
    copied: Option<Copied>,
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        Recorder {
            operations: vec![],
            stored: vec![],
            open: vec![Part::new(PartKind::Call, None)],
            now: None,
            nodes: vec![],
            bounds: HashMap::new(),
            readers: HashMap::new(),
            kept: None,
            copied: None,
        }
    }

    pub(super) fn finish(mut self) -> Notes {
        Notes {
            operations: self.operations,
            stored: self.stored,
            body: self.open.swap_remove(0),
        }
    }

    /// The innermost nest, or else what is open.
    fn part(&mut self) -> &mut Part {
        let nest = self.open.iter().rposition(|p| p.kind == PartKind::Nest);
        let at = nest.unwrap_or(self.open.len() - 1);
        &mut self.open[at]
    }

    fn close(&mut self) {
        let part = self.open.pop().expect("a part is open");
        let around = self.open.last_mut().expect("the call is around all");
        match part.kind == PartKind::Nest && part.parts.is_empty() {
            true => around.absorb(part),
            false => around.parts.push(part),
        }
    }
}

impl Lowering {
    /// Begins an equation; what was being lowered around it.
    pub(super) fn note_equation(&mut self, eqn: &Eqn) -> Option<OperationId> {
        let r = self.notes.as_mut()?;
        r.operations.push(operation_of(eqn));
        r.now.replace(r.operations.len() - 1)
    }

    /// Notes the equations of a function that are to read a value of it.
    pub(super) fn note_readers_in(&mut self, func: &Func, v: u32, id: NodeId) {
        if let Some(r) = &mut self.notes {
            let reads = |e: &&Eqn| e.inputs.contains(&Atom::Var(v));
            let readers = func.eqns.iter().filter(reads).map(operation_of);
            r.readers.entry(id).or_default().extend(readers);
        }
    }

    /// Notes that an equation reads this operand now.
    pub(super) fn note_reader(&mut self, id: NodeId, eqn: &Eqn) {
        if let Some(left) = self.notes.as_mut().and_then(|r| r.readers.get_mut(&id)) {
            let this = operation_of(eqn);
            if let Some(i) = left.iter().position(|o| *o == this) {
                left.remove(i);
            }
        }
    }

    /// Notes why an array is about to be copied, which an operation would change where it lies.
    pub(super) fn note_kept(&mut self, id: NodeId, given: bool, others: &[NodeId]) {
        let Some(r) = &mut self.notes else { return };
        let read = [&[id], others].concat();
        let mut readers: Vec<Operation> = vec![];
        for id in read {
            readers.extend(r.readers.get(&id).into_iter().flatten().cloned());
        }
        readers.dedup();
        r.kept = Some(match (given, readers.is_empty()) {
            (true, _) => Kept::Given,
            (false, false) => Kept::Read(readers),
            (false, true) => Kept::Outside,
        });
    }

    /// Notes that the nest about to be opened copies this many bytes and does nothing else.
    pub(super) fn note_copy(&mut self, bytes: Option<usize>) {
        if let Some(r) = &mut self.notes {
            let kept = r.kept.take();
            r.copied = bytes.map(|bytes| Copied { bytes, kept });
        }
    }

    /// Ends it.
    pub(super) fn note_end(&mut self, around: Option<OperationId>) {
        if let Some(r) = &mut self.notes {
            r.now = around;
        }
    }

    /// A node has been made, the next one.
    pub(super) fn note_node(&mut self) {
        if let Some(r) = &mut self.notes {
            r.nodes.push(r.now);
        }
    }

    /// A node is another one, read in another way.
    pub(super) fn note_moved(&mut self, from: NodeId, to: NodeId) {
        if let Some(r) = &mut self.notes {
            r.nodes[to.0 as usize] = r.nodes[from.0 as usize];
        }
    }

    /// An element of a node is computed.
    pub(super) fn note_computed(&mut self, id: NodeId) {
        if let Some(r) = &mut self.notes {
            let operation = r.nodes[id.0 as usize];
            r.part().operations.extend(operation);
        }
    }

    /// The operation that is being lowered is computed here.
    pub(super) fn note_here(&mut self) {
        if let Some(r) = &mut self.notes {
            let operation = r.now;
            r.part().operations.extend(operation);
        }
    }

    /// Memory has been allocated for what is being lowered.
    pub(super) fn note_memory(&mut self, buffer: BufferId, why: StoreReason) {
        if let Some(r) = &mut self.notes {
            r.stored.push(Stored {
                buffer,
                operation: r.now,
                why,
            });
        }
    }

    /// What was allocated last is for a node.
    pub(super) fn note_owner(&mut self, id: NodeId) {
        if let Some(r) = &mut self.notes
            && let Some(stored) = r.stored.last_mut()
        {
            stored.operation = r.nodes[id.0 as usize];
        }
    }

    /// An element is read; `apart` says how far those of neighbouring lanes are apart.
    pub(super) fn note_read(&mut self, buffer: BufferId, apart: i64) {
        if let Some(r) = &mut self.notes {
            let part = r.part();
            part.reads.insert(buffer);
            if apart.unsigned_abs() > 1 {
                let most = part.strides.entry(buffer).or_default();
                *most = apart.unsigned_abs().max(*most);
            }
        }
    }

    pub(super) fn note_write(&mut self, buffer: BufferId) {
        if let Some(r) = &mut self.notes {
            r.part().writes.insert(buffer);
        }
    }

    /// A step of the loop that is open leaves such a value behind.
    pub(super) fn note_row(&mut self, ty: &Type) {
        if let Some(part) = self.notes.as_mut().and_then(|r| r.open.last_mut()) {
            part.rows.push(ty.clone());
        }
    }

    /// A number of steps is no larger than that.
    pub(super) fn note_bound(&mut self, steps: Value, bound: usize) {
        if let Some(r) = &mut self.notes {
            r.bounds.insert(steps, bound as u64);
        }
    }

    /// A part begins.
    pub(super) fn note_open(&mut self, kind: PartKind) {
        if let Some(r) = &mut self.notes {
            let mut part = Part::new(kind, r.now);
            if part.kind == PartKind::Nest {
                part.copied = r.copied.take();
            }
            r.open.push(part);
        }
    }

    /// A counted loop begins.
    pub(super) fn note_loop(&mut self, kind: LoopKind, extent: Value) {
        let Some(r) = &self.notes else { return };
        let steps = match (self.b.known(extent), r.bounds.get(&extent)) {
            (Some(n), _) => Steps::Exactly(n),
            (None, Some(&n)) => Steps::UpTo(n),
            (None, None) => Steps::Unknown,
        };
        self.note_open(PartKind::For { kind, steps });
    }

    /// The part that began last ends.
    pub(super) fn note_close(&mut self) {
        if let Some(r) = &mut self.notes {
            r.close();
        }
    }

    /// A call of a library or of the host.
    pub(super) fn note_kernel(
        &mut self,
        kernel: &Arc<dyn Kernel>,
        reads: &[BufferId],
        writes: &[BufferId],
    ) {
        self.note_open(PartKind::Kernel(kernel.clone()));
        if let Some(part) = self.notes.as_mut().and_then(|r| r.open.last_mut()) {
            part.operations.extend(part.by);
            part.reads.extend(reads);
            part.writes.extend(writes);
        }
        self.note_close();
    }
}

fn operation_of(eqn: &Eqn) -> Operation {
    Operation {
        name: eqn.op.name().into_owned(),
        source: eqn.source.written(),
    }
}
