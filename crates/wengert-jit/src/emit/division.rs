//! Quotients and remainders of integers in lanes, through floats where these are exact.
//!
//! If dividend and divisor are integers that a float holds exactly, so is the quotient, rounded towards zero: a
//! quotient that is not an integer differs from the next one by more than its rounding error. The remainder is
//! the dividend minus the product of quotient and divisor, and both are exact too.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::types::DType;

use super::Emitter;

/// The float whose bits plus a small integer are the float plus that integer: 1.5 · 2^52.
const MAGIC: f64 = 6_755_399_441_055_744.0;
/// Integers of fewer bits become floats and back by adding [`MAGIC`].
const BITS: i64 = 51;

impl Emitter<'_, '_> {
    /// A quotient (`div`) or remainder of two pieces; piece `i` says which lanes they are.
    pub(super) fn lane_division(
        &mut self,
        div: bool,
        d: DType,
        x: ir::Value,
        y: ir::Value,
        i: usize,
    ) -> ir::Value {
        match d {
            DType::U8 => self.divide_bytes(div, x, y),
            DType::I32 | DType::U32 => {
                let halves = [false, true].map(|upper| {
                    let [x, y] = [x, y].map(|v| self.widened(d, v, upper));
                    let z = self.divide_floats(div, x, y);
                    self.whole_bits(z)
                });
                let z = self.low_halves(halves[0], halves[1]);
                self.unless_zero(d, y, z)
            }
            _ => self.divide_longs(div, d, x, y, i),
        }
    }

    /// Bytes lie in 32 bits each.
    fn divide_bytes(&mut self, div: bool, x: ir::Value, y: ir::Value) -> ir::Value {
        let [a, b] = [x, y].map(|v| self.b.ins().fcvt_from_sint(types::F32X4, v));
        let q = self.b.ins().fdiv(a, b);
        let q = self.b.ins().fcvt_to_sint_sat(types::I32X4, q);
        let z = match div {
            true => q,
            false => {
                let product = self.b.ins().imul(q, y);
                self.b.ins().isub(x, product)
            }
        };
        self.unless_zero(DType::U8, y, z)
    }

    /// Two of four 32-bit integers as floats.
    fn widened(&mut self, d: DType, v: ir::Value, upper: bool) -> ir::Value {
        let v = self.half(v, upper);
        if d == DType::I32 {
            let wide = self.b.ins().swiden_low(v);
            return self.b.ins().fcvt_from_sint(types::F64X2, wide);
        }
        let wide = self.b.ins().uwiden_low(v);
        self.b.ins().fcvt_from_uint(types::F64X2, wide)
    }

    /// A quotient, rounded towards zero, or a remainder, of integers in floats.
    fn divide_floats(&mut self, div: bool, x: ir::Value, y: ir::Value) -> ir::Value {
        let q = self.b.ins().fdiv(x, y);
        let q = self.b.ins().trunc(q);
        if div {
            return q;
        }
        let product = self.b.ins().fmul(q, y);
        self.b.ins().fsub(x, product)
    }

    /// An integer in a float, plus the bits of [`MAGIC`].
    fn whole_bits(&mut self, z: ir::Value) -> ir::Value {
        let magic = self.constant_piece(DType::F64, MAGIC.to_bits(), false);
        let z = self.b.ins().fadd(z, magic);
        self.bits(types::I64X2, z)
    }

    /// `z`, but 0 where `y` is.
    fn unless_zero(&mut self, d: DType, y: ir::Value, z: ir::Value) -> ir::Value {
        let zero = self.constant_piece(d, 0, d.bytes() < 8);
        let some = self.b.ins().icmp(IntCC::NotEqual, y, zero);
        self.b.ins().band(z, some)
    }

    /// Through floats if all active lanes are small, else one lane after the other.
    fn divide_longs(
        &mut self,
        div: bool,
        d: DType,
        x: ir::Value,
        y: ir::Value,
        i: usize,
    ) -> ir::Value {
        let (slow, join) = (self.cold_block(), self.b.create_block());
        let fast = self.b.create_block();
        let out = self.b.append_block_param(join, types::I64X2);
        let signed = d.is_signed_int();
        let least = self.constant_piece(d, 1 << BITS, false);
        let mut all = [x, y];
        if signed {
            all = all.map(|v| self.b.ins().iadd(v, least));
        }
        let all = self.b.ins().bor(all[0], all[1]);
        let by = self.b.ins().iconst(types::I32, BITS + i64::from(signed));
        let large = self.b.ins().ushr(all, by);
        let large = match self.mask {
            Some(m) => {
                let active = self.held(m.pieces[i]);
                self.b.ins().band(large, active)
            }
            None => large,
        };
        let any = self.b.ins().vany_true(large);
        self.branch(any, (slow, &[]), (fast, &[]));

        self.switch(fast);
        let magic = self.constant_piece(d, MAGIC.to_bits(), false);
        let offset = self.constant_piece(DType::F64, MAGIC.to_bits(), false);
        let [a, b] = [x, y].map(|v| {
            let v = self.b.ins().iadd(v, magic);
            let v = self.bits(types::F64X2, v);
            self.b.ins().fsub(v, offset)
        });
        let z = self.divide_floats(div, a, b);
        let z = self.whole_bits(z);
        let magic = self.constant_piece(d, MAGIC.to_bits(), false);
        let z = self.b.ins().isub(z, magic);
        let z = self.unless_zero(d, y, z);
        self.jump(join, &[z]);

        self.switch(slow);
        let lanes = [0, 1].map(|l| {
            let [x, y] = [x, y].map(|v| self.extract(d, v, l));
            self.int_division(div, d, x, y)
        });
        let z = self.build(d, false, &lanes);
        self.jump(join, &[z]);
        self.switch(join);
        out
    }
}
