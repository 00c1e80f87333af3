//! Conversions between element types, of scalars and of lanes.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, Endianness, InstBuilder, MemFlagsData, types};
use wengert_loop::loops::{ScalarOp, Value};
use wengert_loop::types::DType;

use super::{Emitter, scalar_type};

/// Bitcasts keep the order of bytes in memory.
const BITS: MemFlagsData = MemFlagsData::new().with_endianness(Endianness::Little);

impl Emitter<'_, '_> {
    /// Converts a scalar to another type.
    pub(super) fn scalar_convert(&mut self, d: DType, out: DType, x: ir::Value) -> ir::Value {
        let (from, to) = (scalar_type(d), scalar_type(out));
        let b = &mut self.b;
        if d == out {
            return x;
        }
        if out == DType::Bool {
            return match d {
                DType::F64 => {
                    let zero = b.ins().f64const(0.0);
                    b.ins().fcmp(FloatCC::NotEqual, x, zero)
                }
                DType::F32 => {
                    let zero = b.ins().f32const(0.0);
                    b.ins().fcmp(FloatCC::NotEqual, x, zero)
                }
                _ => b.ins().icmp_imm_u(IntCC::NotEqual, x, 0),
            };
        }
        match (d.is_float(), out.is_float()) {
            (true, true) if out == DType::F64 => b.ins().fpromote(to, x),
            (true, true) => b.ins().fdemote(to, x),
            (true, false) if out == DType::U8 => {
                let n = b.ins().fcvt_to_uint_sat(types::I32, x);
                let most = b.ins().iconst(types::I32, 255);
                let n = b.ins().umin(n, most);
                b.ins().ireduce(types::I8, n)
            }
            (true, false) if out.is_signed_int() => b.ins().fcvt_to_sint_sat(to, x),
            (true, false) => b.ins().fcvt_to_uint_sat(to, x),
            (false, true) => {
                let x = if from == types::I8 {
                    b.ins().uextend(types::I32, x)
                } else {
                    x
                };
                if d.is_signed_int() || from == types::I8 {
                    b.ins().fcvt_from_sint(to, x)
                } else {
                    b.ins().fcvt_from_uint(to, x)
                }
            }
            (false, false) if from.bits() == to.bits() => x,
            (false, false) if from.bits() > to.bits() => b.ins().ireduce(to, x),
            (false, false) if d.is_signed_int() => b.ins().sextend(to, x),
            (false, false) => b.ins().uextend(to, x),
        }
    }

    /// Reinterprets a vector as another vector type.
    pub(super) fn bits(&mut self, ty: ir::Type, x: ir::Value) -> ir::Value {
        if self.b.func.dfg.value_type(x) == ty {
            return x;
        }
        self.b.ins().bitcast(ty, BITS, x)
    }

    fn shuffle(&mut self, a: ir::Value, b: ir::Value, dwords: [u8; 4]) -> ir::Value {
        let mut bytes = [0; 16];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = 4 * dwords[i / 4] + (i % 4) as u8;
        }
        let mask = self.b.func.dfg.immediates.push(bytes[..].into());
        let a = self.bits(types::I8X16, a);
        let b = self.bits(types::I8X16, b);
        self.b.ins().shuffle(a, b, mask)
    }

    /// Rotates integer lanes of `lane` bytes to the left by `by` bytes.
    pub(super) fn rotate_bytes(&mut self, x: ir::Value, lane: usize, by: usize) -> ir::Value {
        let ty = self.b.func.dfg.value_type(x);
        let from = |i: usize| i / lane * lane + (i % lane + lane - by) % lane;
        let bytes: [u8; 16] = std::array::from_fn(|i| from(i) as u8);
        let mask = self.b.func.dfg.immediates.push(bytes[..].into());
        let x = self.bits(types::I8X16, x);
        let y = self.b.ins().shuffle(x, x, mask);
        self.bits(ty, y)
    }

    /// The low 32 bits of the four 64-bit lanes of two pieces.
    pub(super) fn low_halves(&mut self, a: ir::Value, b: ir::Value) -> ir::Value {
        let x = self.shuffle(a, b, [0, 2, 4, 6]);
        self.bits(types::I32X4, x)
    }

    /// The high 32 bits of the four 64-bit lanes of two pieces.
    pub(super) fn high_halves(&mut self, a: ir::Value, b: ir::Value) -> ir::Value {
        let x = self.shuffle(a, b, [1, 3, 5, 7]);
        self.bits(types::I32X4, x)
    }

    /// The lower or upper two of four 32-bit lanes, moved to the lower end.
    pub(super) fn half(&mut self, x: ir::Value, upper: bool) -> ir::Value {
        if !upper {
            return x;
        }
        let ty = self.b.func.dfg.value_type(x);
        let y = self.shuffle(x, x, [2, 3, 2, 3]);
        self.bits(ty, y)
    }

    /// Piece `i` of a value converted to another type by one instruction, or of its bits in another
    /// type.
    pub(super) fn lane_convert(
        &mut self,
        out: Value,
        op: ScalarOp,
        x: Value,
        i: usize,
    ) -> ir::Value {
        let (d, o) = (self.dtype(x), self.dtype(out));
        let narrow = self.is_narrow(out);
        let ty = Self::piece_type(o, narrow);
        if o == DType::Bool {
            return match d {
                DType::Bool => self.mask_piece(x, narrow, i),
                _ => {
                    let zero = self.constant_piece(d, 0, false);
                    let p = self.piece(x, i);
                    let m = if d.is_float() {
                        self.compare(FloatCC::NotEqual, p, zero)
                    } else {
                        self.b.ins().icmp(IntCC::NotEqual, p, zero)
                    };
                    self.mask_to(m, d.bytes() < 8, narrow)
                }
            };
        }
        if d == DType::Bool {
            let m = self.mask_piece(x, narrow, i);
            let one = match o {
                DType::F64 => 1f64.to_bits(),
                DType::F32 => u64::from(1f32.to_bits()),
                _ => 1,
            };
            let one = self.constant_piece(o, one, narrow);
            let m = self.bits(ty, m);
            return self.b.ins().band(m, one);
        }
        if op == ScalarOp::Bitcast {
            let p = self.piece(x, i);
            return self.bits(ty, p);
        }
        use DType::*;
        match (d, o) {
            (U64, F64) | (U32, F32) => {
                let p = self.piece(x, i);
                self.b.ins().fcvt_from_uint(ty, p)
            }
            (I32 | U8, F32) => {
                let p = self.piece(x, i);
                self.b.ins().fcvt_from_sint(ty, p)
            }
            (F32, I32) => {
                let p = self.piece(x, i);
                self.b.ins().fcvt_to_sint_sat(ty, p)
            }
            (F32, U32) => {
                let p = self.piece(x, i);
                self.b.ins().fcvt_to_uint_sat(ty, p)
            }
            (I32 | U32, U8) => {
                let p = self.piece(x, i);
                self.byte(p)
            }
            // Both types have one width.
            _ if self.is_narrow(x) == narrow => self.piece(x, i),
            _ => {
                let p = self.piece(x, i / 2);
                match (d == I32, i % 2 == 1) {
                    (true, false) => self.b.ins().swiden_low(p),
                    (true, true) => self.b.ins().swiden_high(p),
                    (false, false) => self.b.ins().uwiden_low(p),
                    (false, true) => self.b.ins().uwiden_high(p),
                }
            }
        }
    }

    /// Piece `i` of a value converted to another type by several instructions.
    pub(super) fn composed_convert(&mut self, out: Value, x: Value, i: usize) -> ir::Value {
        use DType::*;
        let (d, o) = (self.dtype(x), self.dtype(out));
        let ty = Self::piece_type(o, self.is_narrow(out));
        match (d, o) {
            (F32, F64) => {
                let p = self.piece(x, i / 2);
                let p = self.half(p, i % 2 == 1);
                self.b.ins().fvpromote_low(p)
            }
            (F64, F32) => {
                let (a, b) = (self.piece(x, 2 * i), self.piece(x, 2 * i + 1));
                let (a, b) = (self.b.ins().fvdemote(a), self.b.ins().fvdemote(b));
                let y = self.shuffle(a, b, [0, 1, 4, 5]);
                self.bits(ty, y)
            }
            (I32 | U8, F64) => {
                let p = self.piece(x, i / 2);
                let p = self.half(p, i % 2 == 1);
                let w = self.b.ins().swiden_low(p);
                self.b.ins().fcvt_from_sint(ty, w)
            }
            (U32, F64) => {
                let p = self.piece(x, i / 2);
                let p = self.half(p, i % 2 == 1);
                let w = self.b.ins().uwiden_low(p);
                self.b.ins().fcvt_from_uint(ty, w)
            }
            (I64, F64) => self.long_to_double(x, i),
            (F32, U8) => {
                let p = self.piece(x, i);
                let n = self.b.ins().fcvt_to_sint_sat(types::I32X4, p);
                let least = self.constant_piece(I32, 0, true);
                let most = self.constant_piece(I32, 255, true);
                let n = self.b.ins().smax(n, least);
                self.b.ins().smin(n, most)
            }
            (I64 | U64, I32 | U32 | U8) => {
                let (a, b) = (self.piece(x, 2 * i), self.piece(x, 2 * i + 1));
                let p = self.low_halves(a, b);
                if o == U8 { self.byte(p) } else { p }
            }
            _ => panic!("{d} to {o} is not composed"),
        }
    }

    /// Wraps 32-bit lanes to the range of `u8`.
    pub(super) fn byte(&mut self, p: ir::Value) -> ir::Value {
        let mask = self.constant_piece(DType::I32, 0xff, true);
        self.b.ins().band(p, mask)
    }

    /// A mask piece, whose width the analysis has made the right one.
    fn mask_to(&mut self, m: ir::Value, is: bool, wanted: bool) -> ir::Value {
        assert_eq!(is, wanted, "the width of a mask");
        m
    }

    /// `i64` to `f64` with one rounding: the upper half becomes a multiple of 2^32 above 2^84, the
    /// lower half is added above 2^52, and the offsets are subtracted.
    fn long_to_double(&mut self, x: Value, i: usize) -> ir::Value {
        let p = self.piece(x, i);
        let thirty_two = self.b.ins().iconst(types::I32, 32);
        let high = self.b.ins().ushr(p, thirty_two);
        let bias = self.longs(0x4530_0000_8000_0000, 0x4530_0000_8000_0000);
        let high = self.b.ins().bxor(high, bias);
        let low_mask = self.longs(0xffff_ffff, 0xffff_ffff);
        let low = self.b.ins().band(p, low_mask);
        let exponent = self.longs(0x4330_0000_0000_0000, 0x4330_0000_0000_0000);
        let low = self.b.ins().bor(low, exponent);
        let high = self.bits(types::F64X2, high);
        let low = self.bits(types::F64X2, low);
        let offset = self.constant_piece(DType::F64, 0x4530_0000_8010_0000, false);
        let high = self.b.ins().fsub(high, offset);
        self.b.ins().fadd(high, low)
    }
}
