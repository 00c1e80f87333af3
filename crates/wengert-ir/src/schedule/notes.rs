//! Notes taken while a function is lowered, if somebody asks for them: which operations went into which
//! loops, what those read and write, and why some values had to go to memory.
//!
//! Without notes, a lowering pays only for a few tests. A decision is explained where it is taken, by a
//! [`StoreReason`]. Everything else is recorded at the few places that all lowering passes through: where
//! elements are computed, loaded and stored, loops are opened, and memory is allocated.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::Lowering;
use super::node::NodeId;
use crate::ir::{Atom, Eqn, Func, Type};
use crate::loops::{BufferId, Kernel, LoopKind, Marks, Value};
use crate::source::SourceId;

/// The reason why a value is in memory instead of being computed where it is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoreReason {
    /// An operation writes its result to memory.
    Result,
    /// The value is expensive and needed more than once.
    Shared,
    /// The value is read at other positions than the one that is being computed.
    Elsewhere,
    /// The value is read in another order or shape, or repeated.
    Reordered,
    /// A region reads the value.
    Region,
    /// A product reads the value.
    Factor,
    /// An operation cannot begin without all of the value.
    Whole,
    /// Too many operations have been fused into the value already.
    Long,
    /// Fused, the value would keep too many large arrays alive.
    Keeps,
    /// A loop carries the value.
    Carried,
    /// A loop produces the value row by row.
    Rows,
    /// The value is a part of a reduction.
    Parts,
    /// The elements are in registers but are accessed by index.
    Numbered,
    /// The array that the value is a part of is overwritten.
    Overwritten,
    /// Updates are sorted by what they change.
    Targets,
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
            StoreReason::Targets => "updates sorted by what they change, so that tasks share them",
        })
    }
}

/// An equation that was lowered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Operation {
    /// The name of the operation.
    pub name: String,
    /// The place where the user wrote it or, for a derivative, the operation it was derived from.
    pub source: SourceId,
}

/// An index into [`Notes::operations`].
pub type OperationId = usize;

/// Memory for an intermediate value.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    /// The memory.
    pub buffer: BufferId,
    /// The operation that computes the value.
    pub operation: Option<OperationId>,
    /// The reason why the value is in memory.
    pub why: StoreReason,
}

/// The kind of a part of a program.
#[derive(Clone, PartialEq, Debug)]
pub enum PartKind {
    /// Everything that runs once per call.
    Call,
    /// A loop nest over the elements of arrays, with everything that was fused into it.
    Nest,
    /// A counted loop.
    For {
        /// The way in which its steps may run.
        kind: LoopKind,
        /// The number of steps.
        steps: Steps,
    },
    /// A loop with a condition.
    While,
    /// A choice between two functions.
    Branch,
    /// A kernel.
    Kernel(Arc<dyn Kernel>),
}

/// The number of a loop's steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Steps {
    /// A known number.
    Exactly(u64),
    /// At most this number: the last chunk has fewer.
    UpTo(u64),
    /// A number that is known only at run time.
    Unknown,
}

/// A copy of arrays, element by element and unchanged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Bytes written by each copy.
    pub bytes: usize,
    /// The reason why an array that should have been changed in place could not be.
    pub kept: Option<Kept>,
}

/// The reason why an array cannot be changed in place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// The array is an argument of the call, or a constant.
    Given,
    /// Operations that read the array, or a part of it, afterwards.
    Read(Vec<Operation>),
    /// The array is needed after the loop or branch that changes it, or in a later step.
    Outside,
}

/// A part of a program: a loop, or what a loop nest consists of.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The kind of the part.
    pub kind: PartKind,
    /// The operation that was being lowered when the part was written: it needs the part, or the part belongs
    /// to it.
    pub by: Option<OperationId>,
    /// The operations that are computed in the part, in registers.
    pub operations: BTreeSet<OperationId>,
    /// The memory that is read.
    pub reads: BTreeSet<BufferId>,
    /// Memory that neighbouring lanes read at places that are not neighbours, and the largest distance
    /// between such places.
    pub strides: BTreeMap<BufferId, u64>,
    /// The memory that is written.
    pub writes: BTreeSet<BufferId>,
    /// Set if the part is nothing but a copy.
    pub copied: Option<Copied>,
    /// The number by which the statement of the part is [marked](Marks) in the program, if the part is a loop.
    pub mark: u32,
    /// The values that each step produces, row by row.
    pub rows: Vec<Type>,
    /// The parts inside.
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
            mark: 0,
            rows: vec![],
            parts: vec![],
        }
    }

    /// Adds what a nest without a loop did.
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

/// The notes on a function.
#[derive(Clone, PartialEq, Debug)]
pub struct Notes {
    /// The equations, in the order of lowering.
    pub operations: Vec<Operation>,
    /// Memory for intermediate values.
    pub stored: Vec<Stored>,
    /// The call.
    pub body: Part,
}

/// The writer of [`Notes`].
pub(super) struct Recorder {
    operations: Vec<Operation>,
    /// The place of each operation, with its mark if it belongs to a derivative: the origin of the statements that are
    /// written for it.
    sources: Vec<SourceId>,
    stored: Vec<Stored>,
    /// The parts that are open, the call first.
    open: Vec<Part>,
    /// The operation that is being lowered.
    now: Option<OperationId>,
    /// The operation that each node comes from.
    nodes: Vec<Option<OperationId>>,
    /// Upper bounds of numbers of steps.
    bounds: HashMap<Value, u64>,
    /// The equations that are still to read each node.
    readers: HashMap<NodeId, Vec<Operation>>,
    /// The reason why the array that is copied next cannot be changed in place.
    kept: Option<Kept>,
    /// Set if the next nest is a copy.
    copied: Option<Copied>,
    /// The number of parts that have been opened.
    opened: u32,
}

impl Recorder {
    pub(super) fn new() -> Recorder {
        Recorder {
            operations: vec![],
            sources: vec![],
            stored: vec![],
            open: vec![Part::new(PartKind::Call, None)],
            now: None,
            nodes: vec![],
            bounds: HashMap::new(),
            readers: HashMap::new(),
            kept: None,
            copied: None,
            opened: 0,
        }
    }

    pub(super) fn finish(mut self) -> Notes {
        Notes {
            operations: self.operations,
            stored: self.stored,
            body: self.open.swap_remove(0),
        }
    }

    /// Returns the innermost nest, or else the innermost open part.
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
    /// Begins an equation and returns the operation that was being lowered around it.
    pub(super) fn note_equation(&mut self, eqn: &Eqn) -> Option<OperationId> {
        let id = self.note_operation(eqn)?;
        self.note_switch(Some(id))
    }

    /// Notes an operation that will be computed.
    pub(super) fn note_operation(&mut self, eqn: &Eqn) -> Option<OperationId> {
        let r = self.notes.as_mut()?;
        r.operations.push(operation_of(eqn));
        r.sources.push(eqn.source);
        Some(r.operations.len() - 1)
    }

    /// Goes to another operation, and returns the one before.
    pub(super) fn note_switch(&mut self, to: Option<OperationId>) -> Option<OperationId> {
        let r = self.notes.as_mut()?;
        let source = to.map(|o| r.sources[o]);
        self.b.set_source(source);
        std::mem::replace(&mut r.now, to)
    }

    /// Says that what follows computes an element of a node, and returns the origin of what came before.
    pub(super) fn note_origin(&mut self, id: NodeId) -> Option<SourceId> {
        let r = self.notes.as_ref()?;
        let source = r.nodes[id.0 as usize].map(|o| r.sources[o]);
        self.b.set_source(source)
    }

    /// Goes back to another origin.
    pub(super) fn note_origin_again(&mut self, source: Option<SourceId>) {
        if self.notes.is_some() {
            self.b.set_source(source);
        }
    }

    /// Notes which equations of a function will read one of its values.
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

    /// Notes why an array that an operation would change in place is about to be copied.
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

    /// Ends an equation and goes back to the operation around it.
    pub(super) fn note_end(&mut self, around: Option<OperationId>) {
        self.note_switch(around);
    }

    /// Notes that the next node has been made.
    pub(super) fn note_node(&mut self) {
        if let Some(r) = &mut self.notes {
            r.nodes.push(r.now);
        }
    }

    /// Notes that a node is another one, read in another way.
    pub(super) fn note_moved(&mut self, from: NodeId, to: NodeId) {
        if let Some(r) = &mut self.notes {
            r.nodes[to.0 as usize] = r.nodes[from.0 as usize];
        }
    }

    /// Notes that an element of a node is computed.
    pub(super) fn note_computed(&mut self, id: NodeId) {
        if let Some(r) = &mut self.notes {
            let operation = r.nodes[id.0 as usize];
            r.part().operations.extend(operation);
        }
    }

    /// Notes that the operation being lowered is computed here.
    pub(super) fn note_here(&mut self) {
        if let Some(r) = &mut self.notes {
            let operation = r.now;
            r.part().operations.extend(operation);
        }
    }

    /// Notes that memory has been allocated for the operation being lowered.
    pub(super) fn note_memory(&mut self, buffer: BufferId, why: StoreReason) {
        if let Some(r) = &mut self.notes {
            r.stored.push(Stored {
                buffer,
                operation: r.now,
                why,
            });
        }
    }

    /// Notes that the last allocation is for a node.
    pub(super) fn note_owner(&mut self, id: NodeId) {
        if let Some(r) = &mut self.notes
            && let Some(stored) = r.stored.last_mut()
        {
            stored.operation = r.nodes[id.0 as usize];
        }
    }

    /// Notes that an element is read; `apart` is the distance between the elements that neighbouring lanes
    /// read.
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

    /// Notes that each step of the open loop produces a row of this type.
    pub(super) fn note_row(&mut self, ty: &Type) {
        if let Some(part) = self.notes.as_mut().and_then(|r| r.open.last_mut()) {
            part.rows.push(ty.clone());
        }
    }

    /// Notes an upper bound of a number of steps.
    pub(super) fn note_bound(&mut self, steps: Value, bound: usize) {
        if let Some(r) = &mut self.notes {
            r.bounds.insert(steps, bound as u64);
        }
    }

    /// Opens a part, and returns the marks for its statement.
    pub(super) fn note_open(&mut self, kind: PartKind) -> Marks {
        let Some(r) = &mut self.notes else {
            return Marks::default();
        };
        let mut part = Part::new(kind, r.now);
        if part.kind == PartKind::Nest {
            part.copied = r.copied.take();
        }
        part.mark = r.opened;
        r.opened += 1;
        let marks = Marks(SmallVec::from_buf([part.mark]));
        r.open.push(part);
        marks
    }

    /// Opens the part of a counted loop, and returns the marks for it.
    pub(super) fn note_loop(&mut self, kind: LoopKind, extent: Value) -> Marks {
        let Some(r) = &self.notes else {
            return Marks::default();
        };
        let steps = match (self.b.known(extent), r.bounds.get(&extent)) {
            (Some(n), _) => Steps::Exactly(n),
            (None, Some(&n)) => Steps::UpTo(n),
            (None, None) => Steps::Unknown,
        };
        self.note_open(PartKind::For { kind, steps })
    }

    /// Closes the part that was opened last.
    pub(super) fn note_close(&mut self) {
        if let Some(r) = &mut self.notes {
            r.close();
        }
    }

    /// Notes a call of a library or of the host.
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
