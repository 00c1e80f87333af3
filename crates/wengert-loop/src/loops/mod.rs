//! The loop IR: loop nests over scalars, in SSA form. Only this reaches code generation.
//!
//! Meaning is *per lane*: what stands inside a [`LoopKind::Vector`] loop is written for one element,
//! and a back end runs [`LANES`] of them side by side. A value's type says whether it is the same in
//! all lanes (uniform) or differs from lane to lane. There is no width in the IR beyond the number of
//! lanes in a block, no mask in memory, and no byte offset: memory is named by buffer and element.
//!
//! * Outside a vector loop every value is uniform, and control flow is ordinary control flow.
//! * Inside, an [`Stmt::If`] or [`Stmt::While`] (or a [`Stmt::For`] whose extent differs by lane) may
//!   *diverge*. Its statements then act on the live lanes alone: stores and list rows change only
//!   those, carried values of finished lanes stay as they were, and the region is skipped when no
//!   lane of the block wants it. Uniform predicates branch.
//! * A short last block runs with dead lanes: their loads are in bounds (the index is clamped to the
//!   last live lane), and their stores do not happen.
//! * Scratch is garbage until it is written, and what a step of a loop leaves in scratch that nothing
//!   outside of that loop touches is garbage to the next step: see [`scope`].
//! * The program is total: indices are in bounds because whoever built it clamped them.

pub mod affine;
pub mod builder;
pub mod dead_code;
pub mod divide;
pub mod interp;
pub mod kernel;
pub mod math;
pub mod number;
pub mod parse;
pub mod promote;
mod replay;
pub mod scope;
pub mod text;
pub mod unroll;
pub mod verify;
pub mod walk;

#[cfg(test)]
mod tests;

pub use crate::scalar::{FoldOp, ScalarOp};
pub use kernel::Kernel;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::elementary::Elementary;
use crate::error::Error;
use crate::source::SourceId;
use crate::types::DType;

/// Lanes in a block of a vector loop, for every element type.
pub const LANES: usize = 8;

/// A scalar value of a [`Program`]; an index into [`Program::values`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Value(pub u32);

/// What a [`Value`] is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ValueType {
    /// The scalar type.
    pub dtype: DType,
    /// Whether it differs from lane to lane of the enclosing vector loop.
    pub lanes: bool,
}

/// A region of memory; an index into [`Program::buffers`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BufferId(pub u32);

/// Where a buffer's memory comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BufferKind {
    /// The i-th argument of the call. Read only.
    Input(u32),
    /// The i-th result of the call. Written, and may be read back.
    Output(u32),
    /// Table of constants. Read only.
    Constant(u32),
    /// Scratch of the whole call, shared by all parallel tasks.
    Call,
    /// Scratch of the running parallel task, or of the call where none runs.
    Task,
    /// Scratch with a copy for each of the [`LANES`] lanes of a block, belonging to the running
    /// task. Inside a vector loop lane `l` sees copy `l mod LANES`, which outlives the block, so that
    /// a copy can gather a partial sum from block to block. Outside a vector loop a store writes a
    /// uniform value to all copies, and a load gives a per-lane value that only [`ScalarOp::Fold`]
    /// may use.
    Local,
}

/// A region of memory of one element type.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// The element type. `bool` takes a byte, 0 or 1.
    pub dtype: DType,
    /// The number of elements (for [`BufferKind::Local`]: in each copy).
    pub len: usize,
    /// Where it lives.
    pub kind: BufferKind,
}

/// An element of a buffer: `offset + base + stride * i + each`, where `i` is the index of the
/// enclosing vector loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Index {
    /// The constant part.
    pub offset: i64,
    /// A uniform `i64`.
    pub base: Option<Value>,
    /// How far neighbouring lanes are apart; 0 where all read the same element, 1 for a vector
    /// access. Always 0 for [`BufferKind::Local`] and outside vector loops.
    pub stride: i64,
    /// An `i64` that differs by lane: a gather or a scatter.
    pub each: Option<Value>,
}

/// A straight line of statements and what it yields.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// What the block yields to the statement that holds it.
    pub results: Vec<Value>,
}

/// A value that a loop carries from step to step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carried {
    /// Before the first step.
    pub init: Value,
    /// Inside the loop.
    pub param: Value,
    /// After the last step.
    pub out: Value,
}

/// How the steps of a [`Stmt::For`] may run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LoopKind {
    /// One after the other. In a vector loop the extent may differ by lane: a lane takes part in
    /// step `i` while `i < extent`; the index is uniform and counts up from 0, or with `reverse` down
    /// to 0 from the largest extent of the live lanes.
    Serial {
        /// From the last step to the first.
        reverse: bool,
    },
    /// Independent steps, [`LANES`] side by side; the index differs by lane (`i64`). A value carried
    /// by a vector loop has one copy for each lane of a block: step `i` updates copy `i mod LANES`,
    /// in order of `i`; `init` is uniform, `param` and `out` are per-lane values, and `out` may be
    /// used only by [`ScalarOp::Fold`]. Vector loops do not nest.
    Vector,
    /// Independent steps, in any order and on any thread. Carries nothing. The index is uniform.
    Parallel,
}

impl LoopKind {
    /// One step after the other, from the first to the last.
    pub const SERIAL: LoopKind = LoopKind::Serial { reverse: false };
}

/// A list of rows that grows while it is built: what a loop of unknown length piles up. Every row
/// has the same fields. An index into [`Program::lists`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ListId(pub u32);

/// The layout of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// The element type and the number of elements of each field of a row.
    pub fields: Vec<(DType, usize)>,
    /// Whether it is built in a vector loop: each element then has a copy for each lane of the block.
    pub lanes: bool,
    /// The user's line, for the error of one that grows too large.
    pub at: Option<SourceId>,
}

/// The rows of one field of a finished list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rows {
    /// By the list itself, whose layout is known: the quick way, for who has seen it built.
    Of {
        /// What [`Stmt::ListFinish`] gave.
        built: Value,
        /// The slot it was built in.
        list: ListId,
        /// Which field.
        field: u32,
    },
    /// By a handle, an `i64` that may have come from anywhere: out of a loop, a branch, memory, a row
    /// of another list. All that is known of its rows is the type that is read. A handle that differs
    /// by lane has each lane read its own list, wherever that was built. The handle 0 is the list
    /// without rows, every element of every row of which reads as zero.
    Handle(Value),
}

impl Rows {
    /// The value that says which list.
    pub fn value(self) -> Value {
        match self {
            Rows::Of { built, .. } => built,
            Rows::Handle(handle) => handle,
        }
    }
}

/// An element of a row of a list. The row is there, or the handle is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Of these rows.
    pub rows: Rows,
    /// Which row: a uniform `i64`.
    pub row: Value,
    /// Which element of the field. `stride` is 0.
    pub element: Index,
}

/// One statement.
#[derive(Clone, PartialEq, Debug)]
pub enum Stmt {
    /// A constant, by its bits (`bool`: 0 or 1; 32-bit types in the low half).
    Const {
        /// Defined here.
        out: Value,
        /// Its bits.
        bits: u64,
    },
    /// A scalar operation.
    Op {
        /// Defined here.
        out: Value,
        /// What it does.
        op: ScalarOp,
        /// Its operands. Uniform ones are spread over the lanes where others differ by lane.
        args: SmallVec<[Value; 3]>,
    },
    /// A pure function of scalars.
    Call {
        /// Defined here.
        out: Value,
        /// An index into [`Program::functions`].
        function: u32,
        /// Its arguments.
        args: SmallVec<[Value; 3]>,
    },
    /// Reads an element.
    Load {
        /// Defined here; uniform where the index is (and the buffer is not `Local`).
        out: Value,
        /// From.
        buffer: BufferId,
        /// Which element.
        index: Index,
    },
    /// Writes an element.
    Store {
        /// To.
        buffer: BufferId,
        /// Which element.
        index: Index,
        /// What.
        value: Value,
    },
    /// Copies `len` elements between regions of one element type, which may overlap only exactly.
    /// `index.stride` and `index.each` are 0 and `None`; `Local` regions copy lane by lane.
    Copy {
        /// To.
        to: BufferId,
        /// First element.
        to_index: Index,
        /// From.
        from: BufferId,
        /// First element.
        from_index: Index,
        /// How many.
        len: usize,
    },
    /// A counted loop.
    For {
        /// How its steps may run.
        kind: LoopKind,
        /// How many steps: an `i64`; no step where it is not positive.
        extent: Value,
        /// The step's number, an `i64`.
        index: Value,
        /// What goes from step to step; the body's results are the next values.
        carried: Vec<Carried>,
        /// A step.
        body: Block,
    },
    /// Runs while the condition holds. `cond` sees the parameters and yields one `bool`.
    While {
        /// What goes from step to step; the body's results are the next values.
        carried: Vec<Carried>,
        /// Whether to go on.
        cond: Block,
        /// A step.
        body: Block,
        /// Steps after which the call fails with "max_steps" (counted for the block); `u64::MAX` is
        /// no limit.
        limit: u64,
        /// The user's line, for that error.
        at: Option<SourceId>,
    },
    /// One of two blocks.
    If {
        /// A `bool`.
        pred: Value,
        /// Where it holds.
        then: Block,
        /// Where it does not.
        otherwise: Block,
        /// The results of the block that ran.
        outs: Vec<Value>,
    },
    /// Begins a list: no rows yet. A list slot is begun again each time control comes by; lists that
    /// are finished live on until the call ends.
    ListBegin {
        /// The slot.
        list: ListId,
    },
    /// Appends row number `row` (uniform; rows come in order from 0), its memory undefined until
    /// stored. In a vector loop the row is appended for the block. Fails the call where the memory
    /// limit of lists is reached.
    ListPush {
        /// The slot.
        list: ListId,
        /// The row's number.
        row: Value,
    },
    /// Writes an element of a row of the list that is being built.
    ListStore {
        /// The slot.
        list: ListId,
        /// Which field.
        field: u32,
        /// Which row.
        row: Value,
        /// Which element of the field; `stride` is 0.
        element: Index,
        /// What.
        value: Value,
    },
    /// Ends a list.
    ListFinish {
        /// Defined here: what the list is known by where it was built ([`Rows::Of`]), a uniform `i64`.
        out: Value,
        /// The slot.
        list: ListId,
        /// How many rows it has, an `i64`: as many as were pushed. In a vector loop each lane has as
        /// many as were pushed while it was live, and the rows behind those are not its own.
        rows: Value,
    },
    /// A handle of the rows of one field: a value like any other, that may be carried, chosen, stored,
    /// and read by anyone until the call ends. 0 where there is no row.
    ListHandle {
        /// Defined here, an `i64`; differs by lane where the list does.
        out: Value,
        /// What [`Stmt::ListFinish`] gave.
        built: Value,
        /// The slot it was built in.
        list: ListId,
        /// Which field.
        field: u32,
    },
    /// The number of rows of a list, an `i64`; 0 for the handle 0.
    ListRows {
        /// Defined here; differs by lane where the handle does.
        out: Value,
        /// A handle.
        handle: Value,
    },
    /// Reads an element of a finished list.
    ListLoad {
        /// Defined here; differs by lane where the list does.
        out: Value,
        /// Which.
        cell: Cell,
    },
    /// A [`kernel`]. Outside of vector loops, unless it [runs in lanes](Kernel::runs_in_lanes).
    Kernel {
        /// Which.
        kernel: Arc<dyn Kernel>,
        /// Where the [regions](Kernel::regions) it works on begin; uniform.
        regions: SmallVec<[(BufferId, Index); 3]>,
    },
    /// Ends the call with an error. In a vector loop: if any lane is live.
    Fail {
        /// An index into [`Program::failures`].
        failure: u32,
    },
}

/// Why a program gives up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What is wrong.
    pub cause: Cause,
    /// The user's line.
    pub at: Option<SourceId>,
}

/// What is wrong where a program gives up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// What the user said should hold does not.
    Check(String),
    /// A loop of known length would take more steps than so many.
    MaxSteps(u64),
}

impl Failure {
    /// The error of the call.
    pub fn error(&self) -> Error {
        let at = self.at;
        match &self.cause {
            Cause::Check(message) => Error::Check {
                message: message.clone(),
                at,
            },
            &Cause::MaxSteps(limit) => Error::MaxSteps { limit, at },
        }
    }
}

/// A pure function of scalars, called for one lane. An elementary function, most often; a back end
/// may inline it, or share it among its callers.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// For people.
    pub name: String,
    /// What it computes, if that is an elementary function (of `f32` with one more rounding): whoever has
    /// code for it that gives the same bits need not make its own.
    pub elementary: Option<Elementary>,
    /// Its own values, apart from the program's. All are per-lane.
    pub values: Vec<DType>,
    /// The parameters.
    pub params: Vec<Value>,
    /// [`Stmt::Const`], [`Stmt::Op`], [`Stmt::If`], [`Stmt::Load`] from [`BufferKind::Constant`], and
    /// [`Stmt::While`] without a limit, which ends by itself; one result.
    pub body: Block,
}

/// A whole compiled function.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// What each value is.
    pub values: Vec<ValueType>,
    /// The memory it uses.
    pub buffers: Vec<Buffer>,
    /// Tables that [`BufferKind::Constant`] buffers name, as bits of their elements.
    pub constants: Vec<Vec<u64>>,
    /// The lists it builds.
    pub lists: Vec<List>,
    /// The pure functions it calls.
    pub functions: Vec<Function>,
    /// Why it may give up.
    pub failures: Vec<Failure>,
    /// What it does.
    pub body: Block,
}

impl Program {
    /// Whether it has a kernel that its text form does not hold: a function of the host, or one from outside of this
    /// crate.
    pub fn has_foreign_kernel(&self) -> bool {
        let mut found = false;
        walk::stmts(&self.body, &mut |s| {
            if let Stmt::Kernel { kernel, .. } = s {
                found |= kernel.is_foreign();
            }
        });
        found
    }
}
