//! The loop IR: loop nests over scalars, in SSA form. Only this reaches code generation.
//!
//! Meaning is *per lane*: the statements inside a [`LoopKind::Vector`] loop are written for one
//! element, and a back end runs [`LANES`] elements side by side. A value's type says whether it is
//! the same in all lanes (uniform) or differs from lane to lane. The IR has no vector width beyond
//! the number of lanes in a block, no masks in memory, and no byte offsets: memory is named by
//! buffer and element.
//!
//! * Outside a vector loop every value is uniform, and control flow is ordinary control flow.
//! * Inside, an [`Stmt::If`] or [`Stmt::While`] (or a [`Stmt::For`] whose extent differs by lane) may
//!   *diverge*. Its statements then act on the live lanes alone: stores and list rows change only
//!   those, carried values of finished lanes stay as they were, and the region is skipped when no
//!   lane of the block wants it. Uniform predicates branch.
//! * A short last block runs with dead lanes: their loads are in bounds (the index is clamped to the
//!   last live lane), and their stores do not happen.
//! * Scratch is garbage until it is written. If nothing outside a loop touches a buffer of scratch, then
//!   its contents after one step are garbage to the next step: see [`scope`].
//! * The program is total: its builder clamped all indices, so they are in bounds.

pub mod affine;
pub mod builder;
mod counters;
pub mod dead_carries;
pub mod dead_code;
pub mod dead_stores;
pub mod divide;
pub mod forward;
pub mod fuse;
pub mod interp;
pub mod kernel;
pub mod math;
pub mod number;
mod origin;
pub mod parse;
pub mod prepare;
pub mod promote;
mod replay;
pub mod scope;
pub mod sums;
pub mod text;
pub mod unroll;
pub mod verify;
pub mod walk;

#[cfg(test)]
mod tests;

pub use crate::scalar::{FoldOp, ScalarOp};
pub use kernel::Kernel;
pub use origin::{Origin, Sources};

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

/// The type of a [`Value`].
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
    /// Scratch of the running parallel task, or of the call if none runs.
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
    /// The memory it lies in.
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
    /// The distance of neighbouring lanes: 0 if all read the same element, 1 for a vector access.
    /// Always 0 for [`BufferKind::Local`] and outside vector loops.
    pub stride: i64,
    /// An `i64` that differs by lane: a gather or a scatter.
    pub each: Option<Value>,
}

/// A sequence of statements and the values it yields.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Block {
    /// The statements, in order.
    pub stmts: Vec<Stmt>,
    /// The values that the block yields to the statement that holds it.
    pub results: Vec<Value>,
}

/// A value that a loop carries from step to step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carried {
    /// The value before the first step.
    pub init: Value,
    /// The value inside the loop.
    pub param: Value,
    /// The value after the last step.
    pub out: Value,
}

/// How the steps of a [`Stmt::For`] may run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LoopKind {
    /// One after the other. In a vector loop the extent may differ by lane: a lane takes part in
    /// step `i` while `i < extent`; the index is uniform and counts up from 0, or with `reverse` down
    /// to 0 from the largest extent of the live lanes.
    Serial {
        /// Whether the steps run from the last to the first.
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

/// A list of rows that grows while it is built: the rows that a loop of unknown length collects.
/// Every row has the same fields. An index into [`Program::lists`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ListId(pub u32);

/// The layout of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// The element type and the number of elements of each field of a row.
    pub fields: Vec<(DType, usize)>,
    /// Whether it is built in a vector loop: each element then has a copy for each lane of the block.
    pub lanes: bool,
    /// The user's line, for the error if it grows too large.
    pub at: Option<SourceId>,
}

/// One field of a finished list, addressed directly: valid only where the list was built.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListField {
    /// The result of [`Stmt::ListFinish`].
    pub built: Value,
    /// The slot in which the list was built.
    pub list: ListId,
    /// The number of the field.
    pub field: u32,
}

impl ListId {
    /// A field of the list that was built in this slot, by its number.
    pub fn field(self, built: Value, field: u32) -> ListField {
        ListField {
            built,
            list: self,
            field,
        }
    }
}

/// The rows of one field of a finished list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rows {
    /// Direct access through the list, valid only where it was built: its layout is known there.
    Of(ListField),
    /// Access by a handle, an `i64` that may come from anywhere: a loop, a branch, memory, a row of
    /// another list. Only the type that is read is known of its rows. If the handle differs by lane,
    /// each lane reads its own list, wherever that was built. The handle 0 is the list without rows,
    /// every element of every row of which reads as zero.
    Handle(Value),
}

impl Rows {
    /// The value that identifies the list.
    pub fn value(self) -> Value {
        match self {
            Rows::Of(of) => of.built,
            Rows::Handle(handle) => handle,
        }
    }
}

/// An element of a row of a list. The row exists, or the handle is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// The rows to read from.
    pub rows: Rows,
    /// The number of the row: a uniform `i64`.
    pub row: Value,
    /// The element of the field. `stride` is 0.
    pub element: Index,
}

/// The numbers by which whoever built a program knows a loop again after passes have rewritten it. A loop that was
/// joined from two has the numbers of both. They have no meaning for the code, so all are equal, and the text form
/// leaves them out.
#[derive(Clone, Default, Debug)]
pub struct Marks(pub SmallVec<[u32; 1]>);

impl PartialEq for Marks {
    fn eq(&self, _: &Marks) -> bool {
        true
    }
}

/// A counted loop.
#[derive(Clone, PartialEq, Debug)]
pub struct For {
    /// The numbers by which it is known.
    pub marks: Marks,
    /// How its steps may run.
    pub kind: LoopKind,
    /// The number of steps: an `i64`; no step runs if it is not positive.
    pub extent: Value,
    /// The number of the current step, an `i64`.
    pub index: Value,
    /// The values that go from step to step; the body's results are the next ones.
    pub carried: Vec<Carried>,
    /// One step.
    pub body: Block,
}

/// A loop that runs while a condition holds.
#[derive(Clone, PartialEq, Debug)]
pub struct While {
    /// The numbers by which it is known.
    pub marks: Marks,
    /// The values that go from step to step; the body's results are the next ones.
    pub carried: Vec<Carried>,
    /// Sees the parameters and yields one `bool`: whether to run another step.
    pub cond: Block,
    /// One step.
    pub body: Block,
    /// The number of steps (counted for the block) after which the loop is [endless](While::endless);
    /// `u64::MAX` is no limit.
    pub limit: u64,
    /// The user's line, for that error.
    pub at: Option<SourceId>,
}

impl While {
    /// The failure of a loop that reaches its limit.
    pub fn endless(limit: u64, at: Option<SourceId>) -> Failure {
        let cause = Cause::MaxSteps("while_loop".into(), limit);
        Failure { cause, at }
    }
}

/// One of two blocks.
#[derive(Clone, PartialEq, Debug)]
pub struct If {
    /// A `bool`.
    pub pred: Value,
    /// Runs if it holds.
    pub then: Block,
    /// Runs if it does not.
    pub otherwise: Block,
    /// The results of the block that ran.
    pub outs: Vec<Value>,
}

/// Writes an element of a row of a list that is being built.
#[derive(Clone, PartialEq, Debug)]
pub struct ListStore {
    /// The slot.
    pub list: ListId,
    /// The number of the field.
    pub field: u32,
    /// The number of the row.
    pub row: Value,
    /// The element of the field; `stride` is 0.
    pub element: Index,
    /// The value to write.
    pub value: Value,
}

/// One statement. [`walk`] says which values, buffers and blocks a statement has; a pass matches on
/// variants only where their meanings differ.
#[derive(Clone, PartialEq, Debug)]
pub enum Stmt {
    /// A constant, by its bits (`bool`: 0 or 1; 32-bit types in the low half).
    Const {
        /// The result.
        out: Value,
        /// The bits.
        bits: u64,
    },
    /// A scalar operation.
    Op {
        /// The result.
        out: Value,
        /// The operation.
        op: ScalarOp,
        /// Its operands. Uniform ones are spread over the lanes if others differ by lane.
        args: SmallVec<[Value; 3]>,
    },
    /// A call of a pure function of scalars.
    Call {
        /// The result.
        out: Value,
        /// An index into [`Program::functions`].
        callee: u32,
        /// Its arguments.
        args: SmallVec<[Value; 3]>,
    },
    /// Reads an element.
    Load {
        /// The result; uniform if the index is (and the buffer is not `Local`).
        out: Value,
        /// The buffer to read from.
        buffer: BufferId,
        /// The element.
        index: Index,
    },
    /// Writes an element.
    Store {
        /// The buffer to write to.
        buffer: BufferId,
        /// The element.
        index: Index,
        /// The value to write.
        value: Value,
    },
    /// Copies `len` elements between regions of one element type, which may overlap only exactly.
    /// The indices have neither a stride nor an `each`; `Local` regions copy lane by lane.
    Copy {
        /// The first element to write.
        to: (BufferId, Index),
        /// The first element to read.
        from: (BufferId, Index),
        /// The number of elements.
        len: usize,
        /// The place of the operation that it is part of.
        at: Origin,
    },
    /// A counted loop.
    For(For),
    /// A loop that runs while a condition holds.
    While(While),
    /// One of two blocks.
    If(If),
    /// Begins a list without rows. A list slot is begun again each time control reaches this;
    /// finished lists live until the call ends, or until nobody can read them any more.
    ListBegin {
        /// The slot.
        list: ListId,
    },
    /// Appends row number `row` (uniform; rows come in order from 0), whose memory is undefined until
    /// it is stored. In a vector loop the row is appended for the block. Fails the call if the memory
    /// limit of lists is reached.
    ListPush {
        /// The slot.
        list: ListId,
        /// The row's number.
        row: Value,
    },
    /// Writes an element of a row of a list that is being built.
    ListStore(ListStore),
    /// Ends a list.
    ListFinish {
        /// Identifies the list where it was built ([`Rows::Of`]): a uniform `i64`.
        out: Value,
        /// The slot.
        list: ListId,
        /// The number of its rows, an `i64`: as many as were pushed. In a vector loop each lane has as
        /// many as were pushed while it was live, and the rows after those are not its own.
        rows: Value,
    },
    /// Makes a handle of the rows of one field: a value like any other, which may be carried, chosen,
    /// stored, and read by anyone until the call ends. 0 if the list has no row.
    ListHandle {
        /// The handle, an `i64`; differs by lane if the list does.
        out: Value,
        /// The field.
        of: ListField,
    },
    /// The number of rows of a list, an `i64`; 0 for the handle 0.
    ListRows {
        /// The result; differs by lane if the handle does.
        out: Value,
        /// A handle.
        handle: Value,
    },
    /// Reads an element of a finished list.
    ListLoad {
        /// The result; differs by lane if the list does.
        out: Value,
        /// The element.
        cell: Cell,
    },
    /// A [`kernel`]. Outside of vector loops, unless it [runs in lanes](Kernel::runs_in_lanes).
    Kernel {
        /// The kernel.
        kernel: Arc<dyn Kernel>,
        /// The first elements of the [regions](Kernel::regions) it works on; uniform.
        regions: SmallVec<[(BufferId, Index); 3]>,
        /// The place of the operation.
        at: Origin,
    },
    /// Ends the call with an error. In a vector loop: if any lane is live.
    Fail {
        /// An index into [`Program::failures`].
        failure: u32,
    },
}

/// Why a program stops with an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The reason.
    pub cause: Cause,
    /// The user's line.
    pub at: Option<SourceId>,
}

/// The reason why a program stops with an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A condition that the user stated does not hold.
    Check(String),
    /// A loop of this operation takes more steps than this.
    MaxSteps(String, u64),
}

impl Failure {
    /// The error of the call.
    pub fn error(&self) -> Error {
        let at = self.at;
        match &self.cause {
            Cause::Check(message) => Error::check(message.clone(), at),
            Cause::MaxSteps(op, limit) => Error::max_steps(op, *limit, at),
        }
    }
}

/// A pure function of scalars, called for one lane; most often an elementary function. A back end
/// may inline it, or share it among its callers.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// A name for people to read.
    pub name: String,
    /// The elementary function that it computes, if it is one (of `f32` as it is defined there, or with one more
    /// rounding). A back end that has code for it with the same bits need not compile the body.
    pub elementary: Option<Elementary>,
    /// Its own values, apart from the program's. All are per-lane.
    pub values: Vec<DType>,
    /// The parameters.
    pub params: Vec<Value>,
    /// Holds only [`Stmt::Const`], [`Stmt::Op`], [`Stmt::If`], [`Stmt::Load`] from
    /// [`BufferKind::Constant`], and [`Stmt::While`] without a limit, which ends by itself. It has
    /// one result.
    pub body: Block,
}

/// A whole compiled function.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// The types of its values.
    pub values: Vec<ValueType>,
    /// The places that its values come from.
    pub sources: Sources,
    /// The buffers it uses.
    pub buffers: Vec<Buffer>,
    /// The tables that [`BufferKind::Constant`] buffers name, as bits of their elements.
    pub constants: Vec<Vec<u64>>,
    /// The lists it builds.
    pub lists: Vec<List>,
    /// The pure functions it calls.
    pub functions: Vec<Function>,
    /// The errors that it may stop with.
    pub failures: Vec<Failure>,
    /// Its statements.
    pub body: Block,
}

impl Program {
    /// Whether it has a kernel that the text form cannot express: a function of the host, or a
    /// kernel from outside this crate.
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
