//! Translates the loop IR to Cranelift's IR.
//!
//! An [`Emitter`] writes one native function: the whole program, the body of a parallel loop, or a
//! pure function. It records the [`Location`] of each value: in registers, as one scalar or as the
//! pieces of a lane vector, in the frame, or both.
//!
//! A lane vector is cut into pieces of 128 bits. Eight lanes of a 64-bit type are four pieces; of a
//! 32-bit type, two; `u8` is kept zero-extended to 32 bits; a truth value is a mask as wide as the
//! lanes it was compared from. Piece `c` of four is also called chain `c`: see [`segment`].

mod address;
mod blend;
mod calls;
mod control;
mod convert;
mod deferred_stores;
mod divergent;
mod division;
pub(crate) mod how;
mod lanes;
mod lists;
mod loops;
mod next_use;
pub(crate) mod outside;
mod parallel;
mod partial_rows;
mod scalar;
mod segment;
pub(crate) mod session;
mod values;
mod vector;

use std::collections::HashMap;

use cranelift_codegen::ir::{self, BlockArg, InstBuilder, MemFlagsData, types};
use cranelift_frontend::FunctionBuilder;
use wengert_loop::loops::{Block, BufferId, Stmt, Value};
use wengert_loop::types::DType;

use self::next_use::Near;
use self::session::Session;
use crate::lines::{source_of, srcloc};
use crate::plan::Values;

/// For the frame: aligned, never traps.
pub(crate) const FRAME: MemFlagsData = MemFlagsData::trusted();
/// For data: never traps, may be aligned to its elements only.
pub(crate) const DATA: MemFlagsData = MemFlagsData::new().with_notrap();

/// A value that was computed at most this many instructions ago is taken from its register, even if
/// it is in the frame too.
const NEAR: u32 = 200;

/// The registers and the frame slot that hold a value.
#[derive(Clone, Copy)]
pub(crate) struct Location {
    /// The scalar (at 0), or the pieces of the lane vector.
    regs: [ir::Value; 4],
    /// The registers that have been computed, as bits.
    ready: u8,
    /// The offset of its slot in the frame, 0 for none.
    slot: i32,
    /// The registers that have been stored to the slot, as bits.
    saved: u8,
    /// The function in which the registers are.
    unit: u32,
    /// The number of instructions of that function when the value was computed.
    at: u32,
}

impl Location {
    /// The location of a value that is not defined yet.
    pub(crate) fn none() -> Location {
        Location {
            regs: [ir::Value::from_u32(0); 4],
            ready: 0,
            slot: 0,
            saved: 0,
            unit: 0,
            at: 0,
        }
    }
}

/// The kind of frame that a function runs on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Unit {
    /// The frame of the call.
    Call,
    /// The frame of a parallel task.
    Task,
}

/// A value of the emitter itself, in a register or, if it must live long, in the frame.
#[derive(Clone, Copy)]
pub(super) struct Held {
    reg: ir::Value,
    slot: Option<i32>,
    ty: ir::Type,
    /// The number of instructions of the function when it was computed.
    at: u32,
}

/// The vector loop that is being emitted.
#[derive(Clone, Copy)]
struct Lanes {
    /// `None` in a pure function, all of whose lanes count as live.
    bounds: Option<Bounds>,
}

/// The lanes of a block of a vector loop.
#[derive(Clone, Copy)]
struct Bounds {
    /// The index of its first lane.
    first: Held,
    /// The number of its live lanes, 1 to 8.
    live: Held,
    /// Whether all lanes are live.
    full: Held,
    /// Whether all lanes are live in every block, because the extent is a known multiple of eight.
    always: bool,
}

/// The live lanes of a divergent region, dead lanes of a short block excluded.
#[derive(Clone, Copy)]
struct Mask {
    pieces: [Held; 4],
}

/// Addresses and vectors that are worth keeping within a straight line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kept {
    Pointer(BufferId),
    CallFrame,
    Constants,
    Splat(Value, bool),
    MaskPiece(Value, bool, u8),
    LiveOffset,
}

/// Writes one native function.
pub(crate) struct Emitter<'a, 'p> {
    b: FunctionBuilder<'a>,
    s: &'a mut Session<'p>,
    v: &'a Values,
    locations: &'a mut Vec<Location>,
    unit: Unit,
    id: u32,
    frame: ir::Value,
    lanes: Option<Lanes>,
    mask: Option<Mask>,
    /// Whether several steps of a parallel loop may be running.
    parallel: bool,
    /// Uniform values that a vector loop uses in lanes, spread before the loop.
    spread: HashMap<(Value, bool), i32>,
    kept: HashMap<Kept, (ir::Value, u32)>,
    /// For each vector whose sign was flipped by a constant, an equal value in the form that a
    /// fused product absorbs, so that it subtracts at no cost.
    negated: HashMap<ir::Value, ir::Value>,
    /// The vector constant that was loaded last: its offset, its register, and the number of
    /// instructions of the function then.
    constant: Option<(i32, ir::Value, u32)>,
    /// The registers of the straight line that is being emitted.
    near: Option<Near>,
    /// The number of instructions at the last call; a register from before it would have to be spilled.
    called: u32,
    fail: Option<ir::Block>,
    signatures: HashMap<(Vec<ir::Type>, Option<ir::Type>), ir::SigRef>,
    /// Whether it has a loop.
    loops: bool,
    /// Whether the instructions are marked with the places that they come from: not those of a pure function, which
    /// belong to its callers.
    lines: bool,
}

/// The type of a scalar.
fn scalar_type(d: DType) -> ir::Type {
    match d {
        DType::F32 => types::F32,
        DType::F64 => types::F64,
        DType::I32 | DType::U32 => types::I32,
        DType::I64 | DType::U64 => types::I64,
        DType::U8 | DType::Bool => types::I8,
    }
}

impl<'a, 'p> Emitter<'a, 'p> {
    fn dtype(&self, v: Value) -> DType {
        self.v.types[v.0 as usize].dtype
    }

    fn is_lanes(&self, v: Value) -> bool {
        self.v.types[v.0 as usize].lanes && self.v.constants[v.0 as usize].is_none()
    }

    fn constant_of(&self, v: Value) -> Option<u64> {
        self.v.constants[v.0 as usize]
    }

    /// Whether lanes of the type are 32 bits wide, in two pieces.
    fn is_narrow(&self, v: Value) -> bool {
        match self.dtype(v) {
            DType::Bool => self.v.narrow[v.0 as usize],
            d => d.bytes() < 8,
        }
    }

    /// The type of a piece of a lane vector.
    fn piece_type(d: DType, narrow: bool) -> ir::Type {
        match d {
            DType::F64 => types::F64X2,
            DType::F32 => types::F32X4,
            DType::Bool if !narrow => types::I64X2,
            DType::I64 | DType::U64 => types::I64X2,
            _ => types::I32X4,
        }
    }

    /// The bounds of the block that is being emitted, if it may be short.
    fn short(&self) -> Option<Bounds> {
        self.lanes?.bounds.filter(|b| !b.always)
    }

    fn count(&self) -> u32 {
        self.b.func.dfg.num_insts() as u32
    }

    /// Continues in another block. Drops the cached registers, which may not be computed there.
    fn switch(&mut self, block: ir::Block) {
        self.b.switch_to_block(block);
        self.kept.clear();
        self.constant = None;
        if let Some(near) = &mut self.near {
            near.clear();
        }
    }

    fn kept(&mut self, key: Kept, make: impl FnOnce(&mut Self) -> ir::Value) -> ir::Value {
        if let Some(&(v, at)) = self.kept.get(&key)
            && self.count() - at < NEAR
        {
            return v;
        }
        let v = make(self);
        let at = self.count();
        self.kept.insert(key, (v, at));
        v
    }

    /// Holds a value across a body of that many instructions.
    fn hold(&mut self, reg: ir::Value, size: usize) -> Held {
        let ty = self.b.func.dfg.value_type(reg);
        let slot = (size > NEAR as usize).then(|| self.reserve(ty.bytes()));
        if let Some(off) = slot {
            self.b.ins().store(FRAME, reg, self.frame, off);
        }
        let at = self.count();
        Held { reg, slot, ty, at }
    }

    fn held(&mut self, h: Held) -> ir::Value {
        match h.slot {
            Some(off) if self.count() - h.at >= NEAR => {
                self.b.ins().load(h.ty, FRAME, self.frame, off)
            }
            _ => h.reg,
        }
    }

    /// Reserves memory of the frame.
    fn reserve(&mut self, bytes: u32) -> i32 {
        self.s.layout(self.unit).reserve(bytes)
    }

    fn int(&mut self, n: i64) -> ir::Value {
        self.b.ins().iconst(types::I64, n)
    }

    fn plus(&mut self, x: ir::Value, n: i64) -> ir::Value {
        if n == 0 {
            return x;
        }
        let n = self.int(n);
        self.b.ins().iadd(x, n)
    }

    fn jump(&mut self, to: ir::Block, args: &[ir::Value]) {
        let args: Vec<BlockArg> = args.iter().map(|&v| v.into()).collect();
        self.b.ins().jump(to, &args);
    }

    fn branch(
        &mut self,
        cond: ir::Value,
        yes: (ir::Block, &[ir::Value]),
        no: (ir::Block, &[ir::Value]),
    ) {
        let a: Vec<BlockArg> = yes.1.iter().map(|&v| v.into()).collect();
        let b: Vec<BlockArg> = no.1.iter().map(|&v| v.into()).collect();
        self.b.ins().brif(cond, yes.0, &a, no.0, &b);
    }

    fn cold_block(&mut self) -> ir::Block {
        let b = self.b.create_block();
        self.b.set_cold_block(b);
        b
    }

    /// The block that leaves the function with a status.
    fn fail_block(&mut self) -> ir::Block {
        if let Some(b) = self.fail {
            return b;
        }
        let b = self.cold_block();
        self.b.append_block_param(b, types::I32);
        self.fail = Some(b);
        b
    }

    /// Leaves the function if a status is not 0.
    fn check(&mut self, status: ir::Value) {
        let fail = self.fail_block();
        let go = self.b.create_block();
        self.branch(status, (fail, &[status]), (go, &[]));
        self.switch(go);
    }

    /// Returns with success.
    fn succeed(&mut self) {
        let ok = self.b.ins().iconst(types::I32, 0);
        self.b.ins().return_(&[ok]);
    }

    /// Writes the block that leaves with a status, and ends the function.
    fn finish(mut self) {
        if let Some(b) = self.fail {
            self.b.switch_to_block(b);
            let status = self.b.block_params(b)[0];
            self.b.ins().return_(&[status]);
        }
        self.b.seal_all_blocks();
        let config = self.s.isa.frontend_config();
        self.b.finalize(config);
    }

    /// Writes the statements of a block in the current context. What follows comes from where the code before does.
    fn block(&mut self, block: &'p Block) {
        let around = self.b.srcloc();
        if self.lanes.is_some() {
            self.lane_block(block);
        } else {
            self.uniform_stmts(&block.stmts);
        }
        self.b.set_srcloc(around);
    }

    /// Says that the instructions that follow come from where a statement does, if a table of lines is wanted.
    fn comes_from(&mut self, s: &Stmt) {
        if self.lines {
            let source = source_of(&self.s.plan.program, s);
            self.b.set_srcloc(srcloc(source));
        }
    }

    /// Statements outside vector loops.
    fn uniform_stmts(&mut self, stmts: &'p [Stmt]) {
        for (n, s) in stmts.iter().enumerate() {
            self.near.iter_mut().for_each(|near| near.at(n));
            self.release_before(s);
            self.comes_from(s);
            self.uniform_stmt(s);
        }
    }
}
