//! How programs are made: typed statements, structured regions, and index arithmetic that folds.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::affine::Affine;
use super::host::Host;
use super::{
    Block, Buffer, BufferId, BufferKind, Carried, Cell, Failure, Function, Index, Kernel, List,
    ListId, LoopKind, Program, Rows, ScalarOp, Stmt, Value, ValueType, scalar,
};
use crate::ir::types::DType;

/// A program in the making. Statements go to the innermost open region.
#[derive(Default)]
pub struct Builder {
    program: Program,
    frames: Vec<Frame>,
    /// The region in which each value is defined, by its depth.
    depth: Vec<usize>,
    /// The values that are known numbers.
    known: HashMap<Value, u64>,
    functions: HashMap<String, u32>,
    tables: HashMap<(DType, Vec<u64>), BufferId>,
    /// Whether a [`Function`] is being made, all of whose values are per-lane.
    in_function: bool,
}

/// An open region.
#[derive(Default)]
struct Frame {
    stmts: Vec<Stmt>,
    constants: HashMap<(DType, u64), Value>,
    shared: HashMap<(ScalarOp, SmallVec<[Value; 3]>), Value>,
    /// What has been read in a nest, by its number.
    loads: HashMap<(u64, BufferId, Index), Value>,
    /// The handles of finished lists, and how many rows those have.
    handles: HashMap<(Value, u32), Value>,
    rows: HashMap<Value, Value>,
    /// The index of the vector loop, for the body of one.
    vector: Option<Value>,
}

/// What a loop is to carry.
#[derive(Clone, Copy, Debug)]
pub struct Carry {
    /// Before the first step.
    pub init: Value,
    /// Whether the parameter differs by lane.
    pub lanes: bool,
}

/// A counted loop whose body is open.
pub(crate) struct OpenFor {
    kind: LoopKind,
    extent: Value,
    /// The step's number.
    pub index: Value,
    carried: Vec<Carried>,
}

impl Builder {
    /// An empty program.
    pub fn new() -> Builder {
        Builder {
            frames: vec![Frame::default()],
            ..Builder::default()
        }
    }

    /// The program.
    pub fn finish(self) -> Program {
        let mut program = self.unswept();
        super::sweep::sweep(&mut program);
        program
    }

    /// The program with everything in it that turned out to be of no use.
    pub(super) fn unswept(mut self) -> Program {
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

    /// What a buffer is.
    pub fn buffer_of(&self, buffer: BufferId) -> &Buffer {
        &self.program.buffers[buffer.0 as usize]
    }

    /// A list to be built here: with a copy for each lane inside a vector loop.
    pub fn list(&mut self, fields: Vec<(DType, usize)>) -> ListId {
        let lanes = self.vector_index().is_some();
        self.program.lists.push(List { fields, lanes });
        ListId(self.program.lists.len() as u32 - 1)
    }

    /// What a list is.
    pub fn list_of(&self, list: ListId) -> &List {
        &self.program.lists[list.0 as usize]
    }

    // Values.

    /// What a value is.
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

    pub(crate) fn value(&mut self, dtype: DType, lanes: bool) -> Value {
        self.value_at(dtype, lanes, self.frames.len() - 1)
    }

    fn value_at(&mut self, dtype: DType, lanes: bool, depth: usize) -> Value {
        let lanes = lanes || self.in_function;
        self.program.values.push(ValueType { dtype, lanes });
        self.depth.push(depth);
        Value(self.program.values.len() as u32 - 1)
    }

    pub(crate) fn push(&mut self, stmt: Stmt) {
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

    /// To another type; the value itself where it is of that type already.
    pub fn convert(&mut self, value: Value, dtype: DType) -> Value {
        if self.dtype(value) == dtype {
            return value;
        }
        self.op_to(ScalarOp::Convert, dtype, &[value])
    }

    /// The same bits as another type of equal width.
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
        let key = (op, args.clone());
        if let Some(&value) = self.frames.iter().find_map(|f| f.shared.get(&key)) {
            return value;
        }
        let out = self.value_at(dtype, lanes, depth);
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
            _ => return None,
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

    // Index expressions.

    /// An `i64` as an index expression.
    pub fn affine(&self, value: Value) -> Affine {
        if let Some(bits) = self.known(value) {
            Affine::constant(bits as i64)
        } else if self.vector_index() == Some(value) {
            Affine {
                lane: 1,
                ..Affine::default()
            }
        } else if self.lanes(value) {
            Affine {
                each: Some(value),
                ..Affine::default()
            }
        } else {
            Affine::uniform(value)
        }
    }

    /// `a + k * b`.
    pub fn add_scaled(&mut self, a: &Affine, b: &Affine, k: i64) -> Affine {
        let mut sum = a.clone();
        sum.add_scaled(b, k);
        if let Some(each) = b.each.filter(|_| k != 0) {
            let factor = self.i64(k);
            let each = self.mul(each, factor);
            sum.each = Some(match sum.each {
                Some(rest) => self.add(rest, each),
                None => each,
            });
        }
        sum
    }

    /// `k * a`.
    pub fn scale(&mut self, a: &Affine, k: i64) -> Affine {
        self.add_scaled(&Affine::default(), a, k)
    }

    /// The index expression as a value.
    pub fn materialize(&mut self, a: &Affine) -> Value {
        let mut sum = self.base(a).unwrap_or_else(|| self.i64(0));
        if a.lane != 0 {
            let index = self
                .vector_index()
                .expect("a lane's index outside a vector loop");
            let stride = self.i64(a.lane);
            let lane = self.mul(index, stride);
            sum = self.add(lane, sum);
        }
        if let Some(each) = a.each {
            sum = self.add(each, sum);
        }
        let offset = self.i64(a.offset);
        self.add(sum, offset)
    }

    /// Sums the terms from the outside in, so that what an inner loop does not change stays outside.
    fn base(&mut self, a: &Affine) -> Option<Value> {
        let mut terms = a.terms.clone();
        terms.sort_by_key(|t| self.depth[t.0.0 as usize]);
        terms.into_iter().fold(None, |sum, (value, coefficient)| {
            let factor = self.i64(coefficient);
            let term = self.mul(value, factor);
            Some(match sum {
                Some(sum) => self.add(sum, term),
                None => term,
            })
        })
    }

    /// The quotient by a positive number of an expression that is never negative.
    pub fn div(&mut self, a: &Affine, k: i64) -> Affine {
        if k == 1 {
            return a.clone();
        }
        if let Some(n) = a.as_constant() {
            return Affine::constant(n / k);
        }
        if self.divides(a, k) {
            let mut q = a.clone();
            q.offset /= k;
            q.lane /= k;
            q.terms.iter_mut().for_each(|t| t.1 /= k);
            return q;
        }
        let (x, k) = (self.materialize(a), self.i64(k));
        let q = self.op(ScalarOp::Div, &[x, k]);
        self.affine(q)
    }

    /// The remainder by a positive number of an expression that is never negative.
    pub fn rem(&mut self, a: &Affine, k: i64) -> Affine {
        if let Some(n) = a.as_constant() {
            return Affine::constant(n % k);
        }
        if self.divides(a, k) {
            return Affine::constant(0);
        }
        let (x, k) = (self.materialize(a), self.i64(k));
        let r = self.op(ScalarOp::Rem, &[x, k]);
        self.affine(r)
    }

    /// Quotient and remainder by a power of two of an expression that is never negative.
    pub fn div_rem(&mut self, a: &Affine, k: i64) -> (Affine, Affine) {
        debug_assert!(k > 0 && k & (k - 1) == 0);
        if self.divides(a, k) {
            return (self.div(a, k), Affine::default());
        }
        if let Some(n) = a.as_constant() {
            return (Affine::constant(n / k), Affine::constant(n % k));
        }
        let x = self.materialize(a);
        let (bits, mask) = (self.i64(k.trailing_zeros().into()), self.i64(k - 1));
        let quotient = self.op(ScalarOp::ShrLogical, &[x, bits]);
        let rest = self.op(ScalarOp::And, &[x, mask]);
        (self.affine(quotient), self.affine(rest))
    }

    fn divides(&self, a: &Affine, k: i64) -> bool {
        a.each.is_none()
            && a.offset % k == 0
            && a.lane % k == 0
            && a.terms.iter().all(|t| t.1 % k == 0)
    }

    /// The index expression in the form that memory accesses take.
    pub fn index(&mut self, a: &Affine) -> Index {
        Index {
            offset: a.offset,
            base: self.base(a),
            stride: a.lane,
            each: a.each,
        }
    }

    /// The same without a stride, as [`BufferKind::Local`] memory, lists and copies want it.
    fn unstrided(&mut self, a: &Affine) -> Index {
        if a.lane == 0 {
            return self.index(a);
        }
        let each = self.materialize(a);
        Index {
            each: Some(each),
            ..Index::default()
        }
    }

    fn index_into(&mut self, buffer: BufferId, a: &Affine) -> Index {
        match self.buffer_of(buffer).kind {
            BufferKind::Local => self.unstrided(a),
            _ => self.index(a),
        }
    }

    // Memory accesses.

    /// Reads an element.
    pub fn load(&mut self, buffer: BufferId, at: &Affine) -> Value {
        let Buffer { dtype, kind, .. } = *self.buffer_of(buffer);
        let index = self.index_into(buffer, at);
        let lanes = kind == BufferKind::Local || !at.is_uniform();
        let out = self.value(dtype, lanes);
        self.push(Stmt::Load { out, buffer, index });
        out
    }

    /// Reads an element of a buffer that the nest around does not write: at once for all reads of it,
    /// and as far out as the index allows, but no farther than at depth `floor`, where the nest
    /// begins.
    pub(crate) fn load_in_nest(
        &mut self,
        nest: u64,
        floor: usize,
        buffer: BufferId,
        at: &Affine,
    ) -> Value {
        let Buffer { dtype, kind, .. } = *self.buffer_of(buffer);
        let index = self.index_into(buffer, at);
        let key = (nest, buffer, index);
        if let Some(&value) = self.frames.iter().find_map(|f| f.loads.get(&key)) {
            return value;
        }
        let lanes = kind == BufferKind::Local || !at.is_uniform();
        let vector = self.frames.iter().rposition(|f| f.vector.is_some());
        let operands = index.base.into_iter().chain(index.each);
        let depth = operands
            .map(|v| self.depth[v.0 as usize])
            .chain(vector.filter(|_| lanes))
            .fold(floor, usize::max);
        let out = self.value_at(dtype, lanes, depth);
        let frame = &mut self.frames[depth];
        frame.stmts.push(Stmt::Load { out, buffer, index });
        frame.loads.insert(key, out);
        out
    }

    /// The number of regions that are open around the innermost one.
    pub(crate) fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    /// Writes an element.
    pub fn store(&mut self, buffer: BufferId, at: &Affine, value: Value) {
        let index = self.index_into(buffer, at);
        self.push(Stmt::Store {
            buffer,
            index,
            value,
        });
    }

    /// Copies `len` elements; both places are uniform.
    pub fn copy(
        &mut self,
        (to, to_index): (BufferId, &Affine),
        (from, from_index): (BufferId, &Affine),
        len: usize,
    ) {
        let to_index = self.index(to_index);
        let from_index = self.index(from_index);
        self.push(Stmt::Copy {
            to,
            to_index,
            from,
            from_index,
            len,
        });
    }

    /// A library kernel on regions from an element on.
    pub fn kernel(&mut self, kernel: Kernel, regions: &[(BufferId, Affine)]) {
        let regions = regions
            .iter()
            .map(|(buffer, at)| (*buffer, self.index(at)))
            .collect();
        self.push(Stmt::Kernel { kernel, regions });
    }

    /// A call of a function of the host on regions of its inputs and outputs, from an element on.
    pub fn host(&mut self, host: Host, regions: &[(BufferId, Affine)]) {
        let known = self.program.hosts.iter().position(|h| *h == host);
        let function = known.unwrap_or_else(|| {
            self.program.hosts.push(host);
            self.program.hosts.len() - 1
        });
        self.kernel(Kernel::Host(function as u32), regions);
    }

    /// Ends the call with an error.
    pub fn fail(&mut self, failure: Failure) {
        let known = self.program.failures.iter().position(|f| *f == failure);
        let index = known.unwrap_or_else(|| {
            self.program.failures.push(failure);
            self.program.failures.len() - 1
        });
        let failure = index as u32;
        self.push(Stmt::Fail { failure });
    }

    // Lists.

    /// Begins a list.
    pub fn list_begin(&mut self, list: ListId) {
        self.push(Stmt::ListBegin { list });
    }

    /// Appends row `row`.
    pub fn list_push(&mut self, list: ListId, row: Value) {
        self.push(Stmt::ListPush { list, row });
    }

    /// Writes an element of a row.
    pub fn list_store(&mut self, list: ListId, field: u32, row: Value, at: &Affine, value: Value) {
        let element = self.unstrided(at);
        self.push(Stmt::ListStore {
            list,
            field,
            row,
            element,
            value,
        });
    }

    /// Ends a list that has so many rows: what it is known by here.
    pub fn list_finish(&mut self, list: ListId, rows: Value) -> Value {
        let out = self.value(DType::I64, false);
        self.push(Stmt::ListFinish { out, list, rows });
        out
    }

    /// A handle of a field of a finished list, made where that was built.
    pub fn list_handle(&mut self, built: Value, list: ListId, field: u32) -> Value {
        let depth = self.depth[built.0 as usize];
        if let Some(&handle) = self.frames[depth].handles.get(&(built, field)) {
            return handle;
        }
        let out = self.value_at(DType::I64, self.list_of(list).lanes, depth);
        let frame = &mut self.frames[depth];
        frame.stmts.push(Stmt::ListHandle {
            out,
            built,
            list,
            field,
        });
        frame.handles.insert((built, field), out);
        out
    }

    /// The number of rows of a list, asked for where its handle is defined.
    pub fn list_rows(&mut self, handle: Value) -> Value {
        if self.known(handle) == Some(0) {
            return self.i64(0);
        }
        let depth = self.depth[handle.0 as usize];
        if let Some(&rows) = self.frames[depth].rows.get(&handle) {
            return rows;
        }
        let out = self.value_at(DType::I64, self.lanes(handle), depth);
        let frame = &mut self.frames[depth];
        frame.stmts.push(Stmt::ListRows { out, handle });
        frame.rows.insert(handle, out);
        out
    }

    /// Reads an element of a row of a finished list.
    pub fn list_load(&mut self, dtype: DType, rows: Rows, row: Value, at: &Affine) -> Value {
        let element = self.unstrided(at);
        let lanes = match rows {
            Rows::Of { list, .. } => self.list_of(list).lanes,
            Rows::Handle(handle) => self.lanes(handle),
        };
        let out = self.value(dtype, lanes || element.each.is_some());
        let cell = Cell { rows, row, element };
        self.push(Stmt::ListLoad { out, cell });
        out
    }

    // Regions.

    /// What a loop here should carry: per lane inside a vector loop.
    pub fn carry(&self, init: Value) -> Carry {
        Carry {
            init,
            lanes: self.vector_index().is_some(),
        }
    }

    /// A counter of steps, the same in all lanes. Behind a loop that diverges its value must not be
    /// used.
    pub fn counter(&mut self) -> Carry {
        Carry {
            init: self.i64(0),
            lanes: false,
        }
    }

    pub(crate) fn open(&mut self, vector: Option<Value>) {
        self.frames.push(Frame {
            vector,
            ..Frame::default()
        });
    }

    pub(crate) fn close(&mut self, results: Vec<Value>) -> Block {
        let frame = self.frames.pop().expect("an open region");
        Block {
            stmts: frame.stmts,
            results,
        }
    }

    /// A region apart: its statements are not in the program until the caller puts them there.
    fn region(
        &mut self,
        vector: Option<Value>,
        body: impl FnOnce(&mut Builder) -> Vec<Value>,
    ) -> Block {
        self.open(vector);
        let results = body(self);
        self.close(results)
    }

    pub(crate) fn carried(&mut self, carries: &[Carry]) -> Vec<Carried> {
        carries
            .iter()
            .map(|c| {
                let ValueType { dtype, lanes } = self.ty(c.init);
                let lanes = lanes || c.lanes;
                // The parameter belongs to the body, one region further in.
                let param = self.value_at(dtype, lanes, self.frames.len());
                let out = self.value(dtype, lanes);
                let init = c.init;
                Carried { init, param, out }
            })
            .collect()
    }

    /// A counted loop; the body gets the index and the carried values and returns the next ones.
    /// The values after the last step.
    pub fn for_(
        &mut self,
        kind: LoopKind,
        extent: Value,
        carries: &[Carry],
        body: impl FnOnce(&mut Builder, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let (open, params) = self.open_for(kind, extent, carries);
        let results = body(self, open.index, &params);
        self.close_for(open, results)
    }

    /// Opens the body of a counted loop, to be closed by [`Builder::close_for`]: for those who need
    /// more than a builder inside. The values carried, inside.
    pub(crate) fn open_for(
        &mut self,
        kind: LoopKind,
        extent: Value,
        carries: &[Carry],
    ) -> (OpenFor, Vec<Value>) {
        let vector = kind == LoopKind::Vector;
        let carries: Vec<Carry> = carries
            .iter()
            .map(|c| Carry {
                init: c.init,
                lanes: c.lanes || vector,
            })
            .collect();
        let carried = self.carried(&carries);
        let index = self.value_at(DType::I64, vector, self.frames.len());
        let params = carried.iter().map(|c| c.param).collect();
        self.open(vector.then_some(index));
        let open = OpenFor {
            kind,
            extent,
            index,
            carried,
        };
        (open, params)
    }

    /// Closes the body of a counted loop. The values after the last step.
    pub(crate) fn close_for(&mut self, open: OpenFor, results: Vec<Value>) -> Vec<Value> {
        let body = self.close(results);
        let outs = open.carried.iter().map(|c| c.out).collect();
        self.push(Stmt::For {
            kind: open.kind,
            extent: open.extent,
            index: open.index,
            carried: open.carried,
            body,
        });
        outs
    }

    /// A counted loop, first step first, that carries nothing.
    pub fn repeat(&mut self, extent: Value, body: impl FnOnce(&mut Builder, Value)) {
        self.for_(
            LoopKind::Serial { reverse: false },
            extent,
            &[],
            |b, i, _| {
                body(b, i);
                vec![]
            },
        );
    }

    /// Runs `body` while `cond` holds.
    pub fn while_(
        &mut self,
        limit: u64,
        carries: &[Carry],
        cond: impl FnOnce(&mut Builder, &[Value]) -> Value,
        body: impl FnOnce(&mut Builder, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let carried = self.carried(carries);
        let params: Vec<Value> = carried.iter().map(|c| c.param).collect();
        let cond = self.region(None, |b| vec![cond(b, &params)]);
        let body = self.region(None, |b| body(b, &params));
        let outs = carried.iter().map(|c| c.out).collect();
        self.push(Stmt::While {
            carried,
            cond,
            body,
            limit,
        });
        outs
    }

    /// One of two blocks; what it yields.
    pub fn if_(
        &mut self,
        pred: Value,
        then: impl FnOnce(&mut Builder) -> Vec<Value>,
        otherwise: impl FnOnce(&mut Builder) -> Vec<Value>,
    ) -> Vec<Value> {
        let then = self.region(None, then);
        let otherwise = self.region(None, otherwise);
        self.close_if(pred, then, otherwise)
    }

    /// One of two blocks that are ready; what it yields.
    pub(crate) fn close_if(&mut self, pred: Value, then: Block, otherwise: Block) -> Vec<Value> {
        let types: Vec<(DType, bool)> = then
            .results
            .iter()
            .zip(&otherwise.results)
            .map(|(&a, &b)| {
                let lanes = self.lanes(pred) || self.lanes(a) || self.lanes(b);
                (self.dtype(a), lanes)
            })
            .collect();
        let outs: Vec<Value> = types
            .into_iter()
            .map(|(dtype, lanes)| self.value(dtype, lanes))
            .collect();
        self.push(Stmt::If {
            pred,
            then,
            otherwise,
            outs: outs.clone(),
        });
        outs
    }

    // Functions.

    /// The pure function of that name, made by `build` when first asked for.
    pub fn function(
        &mut self,
        name: &str,
        params: &[DType],
        build: impl FnOnce(&mut Builder, &[Value]) -> Value,
    ) -> u32 {
        if let Some(&function) = self.functions.get(name) {
            return function;
        }
        // The function's values are its own; buffers and tables are the program's.
        let values = std::mem::take(&mut self.program.values);
        let frames = std::mem::replace(&mut self.frames, vec![Frame::default()]);
        let depth = std::mem::take(&mut self.depth);
        let known = std::mem::take(&mut self.known);
        self.in_function = true;
        let params: Vec<Value> = params.iter().map(|&d| self.value(d, true)).collect();
        let result = build(self, &params);
        let body = self.close(vec![result]);
        self.in_function = false;
        self.frames = frames;
        self.depth = depth;
        self.known = known;
        let own = std::mem::replace(&mut self.program.values, values);
        let function = self.program.functions.len() as u32;
        self.program.functions.push(Function {
            name: name.to_string(),
            values: own.into_iter().map(|t| t.dtype).collect(),
            params,
            body,
        });
        self.functions.insert(name.to_string(), function);
        function
    }

    /// Calls a pure function.
    pub fn call(&mut self, function: u32, args: &[Value]) -> Value {
        let callee = &self.program.functions[function as usize];
        let dtype = callee.values[callee.body.results[0].0 as usize];
        let lanes = args.iter().any(|&a| self.lanes(a));
        let out = self.value(dtype, lanes);
        self.push(Stmt::Call {
            out,
            function,
            args: args.into(),
        });
        out
    }
}
