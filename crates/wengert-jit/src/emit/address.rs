//! Addresses of elements, and loads and stores of single elements.

use cranelift_codegen::ir::{self, InstBuilder, types};
use smallvec::SmallVec;
use wengert_loop::loops::{BufferId, BufferKind, Index, LANES, Value};
use wengert_loop::types::DType;
use wengert_run::call::layout::Layout;

use super::{DATA, Emitter, FRAME, Kept, Unit, scalar_type};

/// An address and a constant offset from it.
#[derive(Clone, Copy)]
pub(super) struct Address {
    pub base: ir::Value,
    pub off: i64,
}

/// The uniform parts of an [`Index`], and the parts that differ by lane.
pub(super) struct Parts {
    /// The constant part.
    pub offset: i64,
    /// The uniform part.
    pub uniform: Option<ir::Value>,
    /// Values that differ by lane, to be added.
    pub each: SmallVec<[Value; 2]>,
    /// The distance of neighbouring lanes.
    pub stride: i64,
}

/// Memory in which each lane accesses an element of its own.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub dtype: DType,
    pub start: Address,
    /// Bytes from element to element.
    pub pitch: i64,
    /// Bytes from lane to lane if each has its own copy; else 0.
    pub lane: i64,
}

impl Emitter<'_, '_> {
    pub(super) fn kind(&self, b: BufferId) -> BufferKind {
        self.s.plan.program.buffers[b.0 as usize].kind
    }

    pub(super) fn element(&self, b: BufferId) -> DType {
        self.s.plan.program.buffers[b.0 as usize].dtype
    }

    /// Bytes from one element of a buffer to the next: eight copies in a `Local` one.
    pub(super) fn pitch(&self, b: BufferId) -> i64 {
        let copies = if self.kind(b) == BufferKind::Local {
            LANES
        } else {
            1
        };
        (self.element(b).bytes() * copies) as i64
    }

    /// The start of a buffer.
    pub(super) fn start_of(&mut self, b: BufferId) -> Address {
        let buffer = &self.s.plan.program.buffers[b.0 as usize];
        match buffer.kind {
            BufferKind::Input(i) => self.pointer(b, i as usize),
            BufferKind::Output(i) => self.pointer(b, self.s.inputs + i as usize),
            BufferKind::Constant(_) => {
                let base = self.kept(Kept::Pointer(b), |e| e.table(b));
                Address { base, off: 0 }
            }
            BufferKind::Call => {
                let off = self.s.layout(Unit::Call).buffer(b);
                let base = self.call_frame();
                Address { base, off }
            }
            BufferKind::Task | BufferKind::Local => {
                let off = self.s.layout(self.unit).buffer(b);
                Address {
                    base: self.frame,
                    off,
                }
            }
        }
    }

    fn pointer(&mut self, b: BufferId, i: usize) -> Address {
        let base = self.kept(Kept::Pointer(b), |e| {
            e.b.ins()
                .load(types::I64, FRAME, e.frame, Layout::pointer(i))
        });
        Address { base, off: 0 }
    }

    /// The parts of an index. The product of the vector loop's index and the stride is split into
    /// the part of the first lane and the distance of the lanes.
    pub(super) fn parts(&mut self, index: &Index) -> Parts {
        let mut uniform: Option<ir::Value> = None;
        let mut offset = index.offset;
        let mut each = SmallVec::new();
        let mut add = |e: &mut Self, x: ir::Value| {
            uniform = Some(match uniform {
                None => x,
                Some(u) => e.b.ins().iadd(u, x),
            });
        };
        for v in index.base.into_iter().chain(index.each) {
            if let Some(bits) = self.constant_of(v) {
                offset = offset.wrapping_add(bits as i64);
            } else if self.is_lanes(v) {
                each.push(v);
            } else {
                let x = self.scalar(v);
                add(self, x);
            }
        }
        let mut stride = 0;
        if index.stride != 0
            && let Some(bounds) = self.lanes.and_then(|l| l.bounds)
        {
            stride = index.stride;
            let first = self.held(bounds.first);
            let x = self.times(first, stride);
            add(self, x);
        }
        Parts {
            offset,
            uniform,
            each,
            stride,
        }
    }

    /// A product with a constant.
    pub(super) fn times(&mut self, x: ir::Value, n: i64) -> ir::Value {
        if n == 1 {
            return x;
        }
        if n > 0 && n & (n - 1) == 0 {
            let bits = self.int(i64::from(n.trailing_zeros()));
            return self.b.ins().ishl(x, bits);
        }
        let n = self.int(n);
        self.b.ins().imul(x, n)
    }

    /// An address some elements further on.
    pub(super) fn advance(
        &mut self,
        a: Address,
        uniform: Option<ir::Value>,
        offset: i64,
        pitch: i64,
    ) -> Address {
        let base = match uniform {
            None => a.base,
            Some(u) => {
                let bytes = self.times(u, pitch);
                self.b.ins().iadd(a.base, bytes)
            }
        };
        Address {
            base,
            off: a.off.wrapping_add(offset.wrapping_mul(pitch)),
        }
    }

    /// An address in a register with an offset that fits an instruction.
    pub(super) fn reach(&mut self, a: Address, more: i64) -> (ir::Value, i32) {
        let off = a.off.wrapping_add(more);
        match i32::try_from(off) {
            Ok(off) => (a.base, off),
            Err(_) => (self.plus(a.base, off), 0),
        }
    }

    /// The address of a uniform element.
    pub(super) fn uniform_address(&mut self, b: BufferId, index: &Index) -> Address {
        let start = self.start_of(b);
        let p = self.parts(index);
        assert!(p.each.is_empty(), "an index that differs by lane");
        let pitch = self.pitch(b);
        self.advance(start, p.uniform, p.offset, pitch)
    }

    pub(super) fn load_scalar(&mut self, d: DType, a: Address) -> ir::Value {
        let (base, off) = self.reach(a, 0);
        self.b.ins().load(scalar_type(d), DATA, base, off)
    }

    pub(super) fn store_scalar(&mut self, x: ir::Value, a: Address) {
        let (base, off) = self.reach(a, 0);
        self.b.ins().store(DATA, x, base, off);
    }

    /// Piece `i` of eight elements side by side.
    pub(super) fn load_row(&mut self, d: DType, narrow: bool, a: Address, i: usize) -> ir::Value {
        let ty = Self::piece_type(d, narrow);
        match d {
            DType::U8 | DType::Bool => {
                let (base, off) = self.reach(a, 0);
                let shorts = self.b.ins().uload8x8(DATA, base, off);
                let half = if narrow { i } else { i / 2 };
                let ints = if half == 0 {
                    self.b.ins().uwiden_low(shorts)
                } else {
                    self.b.ins().uwiden_high(shorts)
                };
                if d == DType::U8 {
                    return ints;
                }
                let masks = self.b.ins().ineg(ints);
                match (narrow, i % 2) {
                    (true, _) => masks,
                    (false, 0) => self.b.ins().swiden_low(masks),
                    (false, _) => self.b.ins().swiden_high(masks),
                }
            }
            _ => {
                let (base, off) = self.reach(a, 16 * i as i64);
                self.b.ins().load(ty, DATA, base, off)
            }
        }
    }

    /// The pieces of a `u8` or a truth value as eight bytes, as they are stored.
    pub(super) fn pack_row(&mut self, d: DType, p: &[ir::Value]) -> ir::Value {
        let (low, high) = if p.len() == 4 {
            let low = self.low_halves(p[0], p[1]);
            (low, self.low_halves(p[2], p[3]))
        } else {
            (p[0], p[1])
        };
        let packed = if d == DType::U8 {
            let shorts = self.b.ins().snarrow(low, high);
            self.b.ins().unarrow(shorts, shorts)
        } else {
            let shorts = self.b.ins().snarrow(low, high);
            self.b.ins().snarrow(shorts, shorts)
        };
        let longs = self.bits(types::I64X2, packed);
        self.b.ins().extractlane(longs, 0)
    }

    /// Stores piece `i` of eight elements side by side. Bytes are stored all at once.
    pub(super) fn store_row(&mut self, d: DType, a: Address, i: usize, p: &[ir::Value]) {
        match d {
            DType::U8 | DType::Bool => {
                let mut bytes = self.pack_row(d, p);
                if d == DType::Bool {
                    let ones = self.int(0x0101_0101_0101_0101);
                    bytes = self.b.ins().band(bytes, ones);
                }
                let (base, off) = self.reach(a, 0);
                self.b.ins().store(DATA, bytes, base, off);
            }
            _ => {
                let (base, off) = self.reach(a, 16 * i as i64);
                self.b.ins().store(DATA, p[0], base, off);
            }
        }
    }

    /// Stores the active lanes of piece `i`, in memory that the block owns.
    pub(super) fn store_row_active(&mut self, d: DType, a: Address, i: usize, p: &[ir::Value]) {
        let narrow = d.bytes() < 8;
        if matches!(d, DType::U8 | DType::Bool) {
            let masks: Option<Vec<ir::Value>> = (0..4).map(|c| self.active_piece(c)).collect();
            let Some(masks) = masks else {
                return self.store_row(d, a, i, p);
            };
            let m = self.pack_row(DType::Bool, &masks);
            let mut bytes = self.pack_row(d, p);
            if d == DType::Bool {
                let ones = self.int(0x0101_0101_0101_0101);
                bytes = self.b.ins().band(bytes, ones);
            }
            let (base, off) = self.reach(a, 0);
            let old = self.b.ins().load(types::I64, DATA, base, off);
            let new = self.b.ins().bitselect(m, bytes, old);
            self.b.ins().store(DATA, new, base, off);
            return;
        }
        let Some(m) = self.active_like(narrow, i) else {
            return self.store_row(d, a, i, p);
        };
        let old = self.load_row(d, narrow, a, i);
        let new = self.select_piece(m, p[0], old);
        self.store_row(d, a, i, &[new]);
    }

    /// Chain `c` of the element numbers that lanes read or write; 0 for lanes that take no part.
    pub(super) fn lane_indices(&mut self, p: &Parts, c: usize) -> ir::Value {
        let (a, b) = (2 * c as i64, 2 * c as i64 + 1);
        let mut x = self.longs(
            p.offset.wrapping_add(p.stride.wrapping_mul(a)),
            p.offset.wrapping_add(p.stride.wrapping_mul(b)),
        );
        if let Some(u) = p.uniform {
            let u = self.b.ins().splat(types::I64X2, u);
            x = self.b.ins().iadd(x, u);
        }
        for &v in &p.each {
            let e = self.piece(v, c);
            x = self.b.ins().iadd(x, e);
        }
        self.active_and(x, c)
    }

    /// A buffer as a target of accesses by lane.
    pub(super) fn target(&mut self, b: BufferId) -> Target {
        let dtype = self.element(b);
        Target {
            dtype,
            start: self.start_of(b),
            pitch: self.pitch(b),
            lane: if self.kind(b) == BufferKind::Local {
                dtype.bytes() as i64
            } else {
                0
            },
        }
    }

    /// The address of the element with number `n` in lane `l`.
    pub(super) fn lane_address(&mut self, t: &Target, n: ir::Value, l: usize) -> Address {
        let mut a = self.advance(t.start, Some(n), 0, t.pitch);
        a.off += t.lane * l as i64;
        a
    }
}
