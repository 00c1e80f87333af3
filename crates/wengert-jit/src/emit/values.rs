//! Uses and definitions of values.

use cranelift_codegen::ir::{self, InstBuilder, types};
use smallvec::SmallVec;
use wengert_loop::loops::{Stmt, Value, walk};
use wengert_loop::types::DType;
use wengert_run::call::layout;

use super::{Emitter, FRAME, Kept, NEAR, Unit, scalar_type};

/// The pieces of a lane vector.
pub(super) type Pieces = SmallVec<[ir::Value; 4]>;

impl<'p> Emitter<'_, 'p> {
    /// A constant in a register.
    pub(super) fn constant(&mut self, d: DType, bits: u64) -> ir::Value {
        let ty = scalar_type(d);
        match d {
            DType::F64 | DType::F32 if bits == 0 => {
                if d == DType::F64 {
                    self.b.ins().f64const(0.0)
                } else {
                    self.b.ins().f32const(0.0)
                }
            }
            DType::F64 | DType::F32 => {
                let off = self.s.constants(self.unit).word(bits);
                let base = self.constants_base();
                self.b.ins().load(ty, FRAME, base, off)
            }
            DType::Bool => self.b.ins().iconst(ty, i64::from(bits != 0)),
            DType::U8 => self.b.ins().iconst(ty, i64::from(bits as u8)),
            DType::I32 | DType::U32 => self.b.ins().iconst(ty, i64::from(bits as u32)),
            _ => self.b.ins().iconst(ty, bits as i64),
        }
    }

    /// A constant in all lanes of a piece.
    pub(super) fn constant_piece(&mut self, d: DType, bits: u64, narrow: bool) -> ir::Value {
        let ty = Self::piece_type(d, narrow);
        self.vector(layout::splat(d, bits, narrow), ty)
    }

    /// A vector constant.
    pub(super) fn vector(&mut self, bytes: [u8; 16], ty: ir::Type) -> ir::Value {
        if bytes == [0; 16] {
            let zero = self.b.func.dfg.constants.insert(bytes[..].into());
            return self.b.ins().vconst(ty, zero);
        }
        let off = self.s.constants(self.unit).vector(bytes);
        // Two chains that are emitted side by side use it one after the other.
        if let Some((before, x, at)) = self.constant
            && before == off
            && self.count() - at <= 4
            && self.b.func.dfg.value_type(x) == ty
        {
            return x;
        }
        let base = self.constants_base();
        let x = self.b.ins().load(ty, FRAME, base, off);
        self.constant = Some((off, x, self.count()));
        x
    }

    /// Both 64-bit lanes of a vector constant.
    pub(super) fn longs(&mut self, a: i64, b: i64) -> ir::Value {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&a.to_le_bytes());
        bytes[8..].copy_from_slice(&b.to_le_bytes());
        self.vector(bytes, types::I64X2)
    }

    /// The frame pointer of the call.
    pub(super) fn call_frame(&mut self) -> ir::Value {
        if self.unit == Unit::Call {
            return self.frame;
        }
        self.kept(Kept::CallFrame, |e| {
            e.b.ins()
                .load(types::I64, FRAME, e.frame, layout::header::CALL)
        })
    }

    /// Register `i` of a value, from the frame if it was computed long ago.
    fn reg(&mut self, v: Value, i: usize, ty: ir::Type) -> ir::Value {
        let near = self.near.as_ref().filter(|_| self.stays_near(v));
        if let Some(x) = near.and_then(|near| near.get((v, i as u8))) {
            return x;
        }
        let p = self.locations[v.0 as usize];
        let here = p.unit == self.id && p.ready & (1 << i) != 0;
        // The segment computed the value, but has evicted it since: its register may not be live
        // any more.
        let evicted = near.is_some_and(|near| here && near.is_here(p.at));
        let in_segment = near.is_some();
        let near_by = self.count().wrapping_sub(p.at) < NEAR && p.at >= self.called;
        let fresh = here && !evicted && near_by;
        let x = if p.saved & (1 << i) == 0 || fresh {
            assert!(here, "value {} is used where it is not known", v.0);
            p.regs[i]
        } else {
            let base = if p.unit == self.id {
                self.frame
            } else {
                self.call_frame()
            };
            self.b.ins().load(ty, FRAME, base, p.slot + 16 * i as i32)
        };
        if in_segment {
            self.keep_near(v, i, x);
        }
        x
    }

    /// Whether a value takes one of the registers of a straight line: in lanes every value that
    /// differs by lane, elsewhere floats.
    fn stays_near(&self, v: Value) -> bool {
        match self.lanes {
            Some(_) => self.is_lanes(v),
            None => self.dtype(v).is_float(),
        }
    }

    /// Keeps a piece of a segment in its register if there is room.
    fn keep_near(&mut self, v: Value, i: usize, x: ir::Value) {
        let near = self.near.as_mut();
        if let Some(((v, i), x)) = near.and_then(|near| near.keep((v, i as u8), x)) {
            self.set_aside(v, i as usize, x);
        }
    }

    /// Stores a piece that is used again, but not soon, unless it is in the frame already. Only if
    /// it was computed in the same block, so that the store runs whenever the definition does, and
    /// not in a pure function, which has no frame of its own.
    fn set_aside(&mut self, v: Value, i: usize, x: ir::Value) {
        let p = self.locations[v.0 as usize];
        let known = p.unit == self.id && p.ready & (1 << i) != 0 && p.regs[i] == x;
        if !self.stays_near(v) || !known || p.saved & (1 << i) != 0 {
            return;
        }
        let inst = self.b.func.dfg.value_def(x).inst();
        let block = inst.and_then(|inst| self.b.func.layout.inst_block(inst));
        let framed = self.lanes.is_none_or(|lanes| lanes.bounds.is_some());
        if framed && block.is_some() && block == self.b.current_block() {
            self.save_piece(v, i, x);
        }
    }

    fn save_piece(&mut self, v: Value, i: usize, x: ir::Value) {
        let n = v.0 as usize;
        if self.locations[n].slot == 0 {
            let bytes = match (self.is_lanes(v), self.is_narrow(v)) {
                (false, _) => 8,
                (true, true) => 32,
                (true, false) => 64,
            };
            let last = self.v.live.last[n];
            self.locations[n].slot = self.s.layout(self.unit).place(bytes, last);
        }
        let off = self.locations[n].slot + 16 * i as i32;
        self.b.ins().store(FRAME, x, self.frame, off);
        self.locations[n].saved |= 1 << i;
    }

    /// A uniform value.
    pub(super) fn scalar(&mut self, v: Value) -> ir::Value {
        let d = self.dtype(v);
        if let Some(bits) = self.constant_of(v) {
            return self.constant(d, bits);
        }
        assert!(!self.is_lanes(v), "value {} differs by lane", v.0);
        self.reg(v, 0, scalar_type(d))
    }

    /// A piece of a value, spread over the lanes if it is uniform. Truth values: see
    /// [`Emitter::mask_piece`].
    pub(super) fn piece(&mut self, v: Value, i: usize) -> ir::Value {
        let narrow = self.is_narrow(v);
        if self.dtype(v) == DType::Bool {
            return self.mask_piece(v, narrow, i);
        }
        if self.is_lanes(v) {
            let ty = Self::piece_type(self.dtype(v), narrow);
            return self.reg(v, i, ty);
        }
        if let Some(x) = self.near.as_ref().and_then(|near| near.get((v, 0))) {
            return x;
        }
        let x = self.spread_piece(v, narrow);
        self.keep_near(v, 0, x);
        x
    }

    /// A piece of a truth value, in lanes of the requested width.
    pub(super) fn mask_piece(&mut self, v: Value, narrow: bool, i: usize) -> ir::Value {
        if !self.is_lanes(v) {
            return self.spread_piece(v, narrow);
        }
        let is = self.is_narrow(v);
        let ty = Self::piece_type(DType::Bool, is);
        if is == narrow {
            return self.reg(v, i, ty);
        }
        self.kept(Kept::MaskPiece(v, narrow, i as u8), |e| {
            if is {
                let x = e.reg(v, i / 2, ty);
                if i.is_multiple_of(2) {
                    e.b.ins().swiden_low(x)
                } else {
                    e.b.ins().swiden_high(x)
                }
            } else {
                let (a, b) = (e.reg(v, 2 * i, ty), e.reg(v, 2 * i + 1, ty));
                e.low_halves(a, b)
            }
        })
    }

    fn spread_piece(&mut self, v: Value, narrow: bool) -> ir::Value {
        let d = self.dtype(v);
        if let Some(bits) = self.constant_of(v) {
            return self.constant_piece(d, bits, narrow);
        }
        let ty = Self::piece_type(d, narrow);
        if let Some(&off) = self.spread.get(&(v, narrow)) {
            return self.b.ins().load(ty, FRAME, self.frame, off);
        }
        self.kept(Kept::Splat(v, narrow), |e| {
            let x = e.scalar(v);
            e.splat(d, x, narrow)
        })
    }

    /// Spreads a scalar over the lanes of a piece.
    pub(super) fn splat(&mut self, d: DType, x: ir::Value, narrow: bool) -> ir::Value {
        let ty = Self::piece_type(d, narrow);
        let x = self.lane_of(d, x, narrow);
        self.b.ins().splat(ty, x)
    }

    /// A scalar as it is held in a lane: `u8` zero-extended, truth values as masks.
    pub(super) fn lane_of(&mut self, d: DType, x: ir::Value, narrow: bool) -> ir::Value {
        match d {
            DType::Bool => {
                let ty = if narrow { types::I32 } else { types::I64 };
                let x = self.b.ins().uextend(ty, x);
                self.b.ins().ineg(x)
            }
            DType::U8 => self.b.ins().uextend(types::I32, x),
            _ => x,
        }
    }

    /// The number of pieces of a lane vector.
    pub(super) fn pieces_of(&self, v: Value) -> usize {
        if self.is_narrow(v) { 2 } else { 4 }
    }

    /// All pieces of a value; truth values as wide as those of `like`.
    pub(super) fn pieces_like(&mut self, v: Value, like: Value) -> Pieces {
        let (n, narrow) = (self.pieces_of(like), self.is_narrow(like));
        (0..n)
            .map(|i| {
                if self.dtype(v) == DType::Bool {
                    self.mask_piece(v, narrow, i)
                } else {
                    self.piece(v, i)
                }
            })
            .collect()
    }

    /// The registers of a value: one scalar or the pieces, in the form of `like`.
    pub(super) fn regs_like(&mut self, v: Value, like: Value) -> Pieces {
        if self.is_lanes(like) {
            self.pieces_like(v, like)
        } else {
            SmallVec::from_slice(&[self.scalar(v)])
        }
    }

    /// The types of the registers of a value.
    pub(super) fn types_of(&self, v: Value) -> SmallVec<[ir::Type; 4]> {
        let d = self.dtype(v);
        if self.is_lanes(v) {
            let ty = Self::piece_type(d, self.is_narrow(v));
            SmallVec::from_elem(ty, self.pieces_of(v))
        } else {
            SmallVec::from_slice(&[scalar_type(d)])
        }
    }

    /// Adds parameters for a value to a block.
    pub(super) fn params_for(&mut self, block: ir::Block, v: Value) {
        for ty in self.types_of(v) {
            self.b.append_block_param(block, ty);
        }
    }

    /// Defines values by the parameters of a block, in order. Returns the number of parameters
    /// used.
    pub(super) fn define_params(
        &mut self,
        block: ir::Block,
        values: impl Iterator<Item = Value>,
    ) -> usize {
        let params: Vec<ir::Value> = self.b.block_params(block).to_vec();
        let mut at = 0;
        for v in values {
            let n = self.types_of(v).len();
            self.define(v, &params[at..at + n]);
            at += n;
        }
        at
    }

    /// Defines a value by its registers.
    pub(super) fn define(&mut self, v: Value, regs: &[ir::Value]) {
        for (i, &x) in regs.iter().enumerate() {
            self.define_piece(v, i, x);
        }
    }

    /// Defines piece `i` of a value, or the scalar if `i` is 0.
    pub(super) fn define_piece(&mut self, v: Value, i: usize, x: ir::Value) {
        let at = self.count();
        let id = self.id;
        let n = v.0 as usize;
        if self.locations[n].unit != id || self.locations[n].ready & (1 << i) != 0 {
            self.locations[n] = super::Location::none();
        }
        if self.v.live.stored[n] {
            self.save_piece(v, i, x);
        }
        let p = &mut self.locations[n];
        p.unit = id;
        p.regs[i] = x;
        p.ready |= 1 << i;
        p.at = at;
        if self.stays_near(v) {
            self.keep_near(v, i, x);
        }
    }

    /// Defines a value whose registers are in the frame.
    pub(super) fn define_in_frame(&mut self, v: Value, slot: i32) {
        let id = self.id;
        let p = &mut self.locations[v.0 as usize];
        p.slot = slot;
        p.unit = id;
        p.ready = 0xf;
        p.saved = 0xf;
        // In the past, so that it is never taken from registers.
        p.at = 0u32.wrapping_sub(2 * NEAR);
    }

    /// Whether all pieces in the bits of `wanted` are computed.
    pub(super) fn is_ready(&self, v: Value, wanted: u8) -> bool {
        if !self.is_lanes(v) {
            return true;
        }
        let p = &self.locations[v.0 as usize];
        p.unit == self.id && p.ready & wanted == wanted
    }

    /// Frees the frame slots of values that are no longer used when this statement runs.
    pub(super) fn release_before(&mut self, s: &'p Stmt) {
        if let Some(out) = walk::result(s) {
            let now = self.v.live.def[out.0 as usize].saturating_sub(3);
            self.s.layout(self.unit).release(now);
        }
    }
}
