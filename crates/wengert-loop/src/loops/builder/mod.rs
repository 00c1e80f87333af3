//! Builds programs: typed statements, structured regions, and index arithmetic that folds.

mod index;
mod list;
mod memory;
mod range;
mod region;

pub use region::Carry;

use std::collections::HashMap;

use smallvec::SmallVec;

use super::{
    Block, Buffer, BufferId, BufferKind, Index, ListField, Origin, Program, ScalarOp, Sources,
    Stmt, Value, ValueType,
};
use crate::scalar;
use crate::source::SourceId;
use crate::types::DType;

/// A program under construction. Statements go to the innermost open region.
#[derive(Default)]
pub struct Builder {
    program: Program,
    frames: Vec<Frame>,
    /// The region in which each value is defined, by its depth.
    depth: Vec<usize>,
    /// The values that are known numbers.
    known: HashMap<Value, u64>,
    /// What is known of other integers.
    ranges: HashMap<Value, range::Range>,
    functions: HashMap<String, u32>,
    tables: HashMap<(DType, Vec<u64>), BufferId>,
    /// Whether a [`Function`](super::Function) is being built, all of whose values are per-lane.
    in_function: bool,
    /// The place of the operation that statements are being written for.
    source: Option<SourceId>,
}

/// An open region.
#[derive(Default)]
struct Frame {
    stmts: Vec<Stmt>,
    constants: HashMap<(DType, u64), Value>,
    shared: HashMap<(ScalarOp, DType, SmallVec<[Value; 3]>), Value>,
    /// The elements that have been read in a nest, by its number.
    loads: HashMap<(u64, BufferId, Index), Value>,
    /// The handles of finished lists, and their numbers of rows.
    handles: HashMap<ListField, Value>,
    rows: HashMap<Value, Value>,
    /// The index of the vector loop, for the body of one.
    vector: Option<Value>,
}

impl Builder {
    /// An empty program.
    pub fn new() -> Builder {
        Builder {
            frames: vec![Frame::default()],
            ..Builder::default()
        }
    }

    /// A program with everything that another one has, except its body.
    pub(super) fn beside(other: &Program) -> Builder {
        Builder {
            program: Program {
                values: vec![],
                sources: Sources::default(),
                body: Block::default(),
                ..other.clone()
            },
            ..Builder::new()
        }
    }

    /// The program.
    pub fn finish(self) -> Program {
        let mut program = self.unswept();
        crate::loops::dead_code::sweep(&mut program);
        program
    }

    /// The program, including statements whose results are not used.
    pub fn unswept(mut self) -> Program {
        assert_eq!(self.frames.len(), 1, "a region is still open");
        self.program.body.stmts = self.frames.pop().expect("the outermost region").stmts;
        self.program
    }

    // Memory.

    /// A region of memory.
    pub fn buffer(&mut self, dtype: DType, len: usize, kind: BufferKind) -> BufferId {
        self.program.buffers.push(Buffer { dtype, len, kind });
        BufferId(self.program.buffers.len() as u32 - 1)
    }

    /// A table of constants, one for equal tables.
    pub fn table(&mut self, dtype: DType, bits: Vec<u64>) -> BufferId {
        if let Some(&buffer) = self.tables.get(&(dtype, bits.clone())) {
            return buffer;
        }
        let kind = BufferKind::Constant(self.program.constants.len() as u32);
        let buffer = self.buffer(dtype, bits.len(), kind);
        self.program.constants.push(bits.clone());
        self.tables.insert((dtype, bits), buffer);
        buffer
    }

    /// The description of a buffer.
    pub fn buffer_of(&self, buffer: BufferId) -> &Buffer {
        &self.program.buffers[buffer.0 as usize]
    }

    // Values.

    /// The type of a value.
    pub fn ty(&self, value: Value) -> ValueType {
        self.program.values[value.0 as usize]
    }

    /// Its scalar type.
    pub fn dtype(&self, value: Value) -> DType {
        self.ty(value).dtype
    }

    /// Whether it differs by lane.
    pub fn lanes(&self, value: Value) -> bool {
        self.ty(value).lanes
    }

    /// Its bits, if they are known.
    pub fn known(&self, value: Value) -> Option<u64> {
        self.known.get(&value).copied()
    }

    /// The index of the enclosing vector loop.
    pub fn vector_index(&self) -> Option<Value> {
        self.frames.iter().rev().find_map(|f| f.vector)
    }

    /// A fresh value; the caller writes the statement that defines it.
    pub fn value(&mut self, dtype: DType, lanes: bool) -> Value {
        self.value_at(dtype, lanes, self.frames.len() - 1)
    }

    fn value_at(&mut self, dtype: DType, lanes: bool, depth: usize) -> Value {
        let lanes = lanes || self.in_function;
        self.program.values.push(ValueType { dtype, lanes });
        self.depth.push(depth);
        let value = Value(self.program.values.len() as u32 - 1);
        if !self.in_function {
            self.program.sources.set(value, self.source);
        }
        value
    }

    /// Says which operation the statements that follow are written for, and returns the one before. Nothing is kept of
    /// it as long as it is `None`.
    pub fn set_source(&mut self, source: Option<SourceId>) -> Option<SourceId> {
        std::mem::replace(&mut self.source, source)
    }

    /// The place of the statements that are being written.
    pub(super) fn origin(&self) -> Origin {
        Origin(self.source)
    }

    /// Appends a statement to the innermost open region.
    pub fn push(&mut self, stmt: Stmt) {
        self.frames
            .last_mut()
            .expect("an open region")
            .stmts
            .push(stmt);
    }

    /// A constant, by its bits.
    pub fn constant(&mut self, dtype: DType, bits: u64) -> Value {
        self.constant_at(dtype, bits, self.frames.len() - 1)
    }

    fn constant_at(&mut self, dtype: DType, bits: u64, depth: usize) -> Value {
        if let Some(&value) = self.frames[depth].constants.get(&(dtype, bits)) {
            return value;
        }
        let out = self.value_at(dtype, false, depth);
        self.frames[depth].stmts.push(Stmt::Const { out, bits });
        self.frames[depth].constants.insert((dtype, bits), out);
        self.known.insert(out, bits);
        out
    }

    /// An `i64`.
    pub fn i64(&mut self, n: i64) -> Value {
        self.constant(DType::I64, n as u64)
    }

    /// An `f64`.
    pub fn f64(&mut self, x: f64) -> Value {
        self.constant(DType::F64, x.to_bits())
    }

    /// A truth value.
    pub fn bool(&mut self, x: bool) -> Value {
        self.constant(DType::Bool, u64::from(x))
    }

    /// An operation whose result type follows from its operands: all but conversions.
    pub fn op(&mut self, op: ScalarOp, args: &[Value]) -> Value {
        let dtype = match op {
            ScalarOp::Eq | ScalarOp::Ne | ScalarOp::Lt | ScalarOp::Le | ScalarOp::Any => {
                DType::Bool
            }
            ScalarOp::Convert | ScalarOp::Bitcast => panic!("{op:?} needs the type of its result"),
            _ => self.dtype(args[args.len() - 1]),
        };
        self.op_to(op, dtype, args)
    }

    /// Converts a value to another type; returns the value itself if it has that type already.
    pub fn convert(&mut self, value: Value, dtype: DType) -> Value {
        if self.dtype(value) == dtype {
            return value;
        }
        self.op_to(ScalarOp::Convert, dtype, &[value])
    }

    /// Reinterprets the bits of a value as another type of equal width.
    pub fn bitcast(&mut self, value: Value, dtype: DType) -> Value {
        if self.dtype(value) == dtype {
            return value;
        }
        self.op_to(ScalarOp::Bitcast, dtype, &[value])
    }

    /// An operation with a result of type `dtype`.
    pub fn op_to(&mut self, op: ScalarOp, dtype: DType, args: &[Value]) -> Value {
        let operand = self.dtype(args[args.len() - 1]);
        let lanes = match op {
            ScalarOp::Fold(_) | ScalarOp::Any => false,
            _ => args.iter().any(|&a| self.lanes(a)),
        };
        // Index arithmetic: folded, shared, and computed as far out as its operands allow.
        let index = operand == DType::I64 && matches!(dtype, DType::I64 | DType::Bool);
        if !index || self.in_function || matches!(op, ScalarOp::Fold(_) | ScalarOp::Any) {
            if let Some(value) = self.decided_by_truth(op, args) {
                return value;
            }
            let out = self.value(dtype, lanes);
            let args = args.into();
            self.push(Stmt::Op { out, op, args });
            return out;
        }
        if let Some(value) = self.fold(op, dtype, args) {
            return value;
        }
        let depth = if lanes {
            self.frames.len() - 1
        } else {
            let free = args.iter().filter(|a| !self.known.contains_key(a));
            free.map(|a| self.depth[a.0 as usize]).max().unwrap_or(0)
        };
        let args: SmallVec<[Value; 3]> = args
            .iter()
            .map(|&a| match self.known(a) {
                Some(bits) => self.constant_at(self.dtype(a), bits, depth),
                None => a,
            })
            .collect();
        let key = (op, dtype, args.clone());
        if let Some(&value) = self.frames.iter().find_map(|f| f.shared.get(&key)) {
            return value;
        }
        let out = self.value_at(dtype, lanes, depth);
        if dtype == DType::I64 {
            self.note_range(out, op, &args);
        }
        self.frames[depth].stmts.push(Stmt::Op { out, op, args });
        self.frames[depth].shared.insert(key, out);
        out
    }

    fn fold(&mut self, op: ScalarOp, dtype: DType, args: &[Value]) -> Option<Value> {
        let known: SmallVec<[Option<u64>; 3]> = args.iter().map(|&a| self.known(a)).collect();
        if let Some(bits) = known
            .iter()
            .copied()
            .collect::<Option<SmallVec<[u64; 3]>>>()
        {
            let operand = self.dtype(args[args.len() - 1]);
            let bits = scalar::apply(op, operand, dtype, &bits);
            return Some(self.constant(dtype, bits));
        }
        let is = |i: usize, n: i64| known.get(i).copied().flatten() == Some(n as u64);
        Some(match op {
            ScalarOp::Add if is(0, 0) => args[1],
            ScalarOp::Add | ScalarOp::Sub if is(1, 0) => args[0],
            ScalarOp::Mul if is(0, 1) => args[1],
            ScalarOp::Mul | ScalarOp::Div if is(1, 1) => args[0],
            ScalarOp::Mul if is(0, 0) => args[0],
            ScalarOp::Mul if is(1, 0) => args[1],
            ScalarOp::Rem if is(1, 1) => self.i64(0),
            ScalarOp::Min | ScalarOp::Max if args[0] == args[1] => args[0],
            ScalarOp::Select if known[0] == Some(1) => args[1],
            ScalarOp::Select if known[0] == Some(0) => args[2],
            ScalarOp::Select if args[1] == args[2] => args[1],
            _ => return self.decided(op, args),
        })
    }

    /// `a + b`.
    pub fn add(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Add, &[a, b])
    }

    /// `a - b`.
    pub fn sub(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Sub, &[a, b])
    }

    /// `a * b`.
    pub fn mul(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Mul, &[a, b])
    }

    /// `a` where `pred` holds, else `b`.
    pub fn select(&mut self, pred: Value, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Select, &[pred, a, b])
    }

    /// An `i64` within `low ..= high` (`low` where they cross).
    pub fn clamp(&mut self, x: Value, low: i64, high: i64) -> Value {
        let (low, high) = (self.i64(low), self.i64(high));
        let x = self.op(ScalarOp::Min, &[x, high]);
        self.op(ScalarOp::Max, &[x, low])
    }
}
