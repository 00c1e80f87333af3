//! Operations on lane vectors, one piece at a time, each in the way that the table in
//! [`how`](super::how) gives.

use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use smallvec::SmallVec;
use wengert_loop::loops::{ScalarOp, Value};
use wengert_loop::types::DType;

use super::how::{How, how};
use super::scalar::{float_cc, int_cc};
use super::{Emitter, scalar_type};

impl Emitter<'_, '_> {
    /// Piece `i` of the result of an operation on lanes.
    pub(super) fn lane_op(
        &mut self,
        out: Value,
        op: ScalarOp,
        args: &[Value],
        i: usize,
    ) -> ir::Value {
        let last = args[args.len() - 1];
        let (from, to) = (self.dtype(last), self.dtype(out));
        let even = !self.is_lanes(last);
        match how(op, from, to, even, self.s.machine) {
            How::Native => self.native(out, op, args, i),
            How::Composed => self.composed(out, op, args, i),
            How::PerLane => self.per_lane(out, op, args, i),
        }
    }

    /// Piece `i` of the operands.
    fn operands(&mut self, out: Value, args: &[Value], i: usize) -> SmallVec<[ir::Value; 3]> {
        let narrow = self.is_narrow(out);
        let mut pieces = SmallVec::new();
        for &v in args {
            pieces.push(if self.dtype(v) == DType::Bool {
                self.mask_piece(v, narrow, i)
            } else {
                self.piece(v, i)
            });
        }
        pieces
    }

    /// An operation that is one instruction.
    fn native(&mut self, out: Value, op: ScalarOp, args: &[Value], i: usize) -> ir::Value {
        use ScalarOp::*;
        let d = self.dtype(args[args.len() - 1]);
        if op == Convert || op == Bitcast {
            return self.lane_convert(out, op, args[0], i);
        }
        if matches!(op, Shl | Shr | ShrLogical) {
            let by = self.shift_amount(d, args[1]);
            let x = self.piece(args[0], i);
            return self.shift(op, d, x, by);
        }
        let a = self.operands(out, args, i);
        if op == Select {
            return self.select_piece(a[0], a[1], a[2]);
        }
        if d == DType::Bool {
            return self.mask_op(op, &a);
        }
        self.piece_op(op, d, &a)
    }

    /// An operation that is several instructions.
    fn composed(&mut self, out: Value, op: ScalarOp, args: &[Value], i: usize) -> ir::Value {
        use ScalarOp::*;
        let d = self.dtype(args[args.len() - 1]);
        match op {
            Convert => return self.composed_convert(out, args[0], i),
            Rotl => return self.lane_rotation(d, args, i),
            Shl => {
                let by = self.shift_amount(d, args[1]);
                let x = self.piece(args[0], i);
                let y = self.shift(op, d, x, by);
                return self.byte(y);
            }
            _ => {}
        }
        let a = self.operands(out, args, i);
        match op {
            Min => self.extreme(FloatCC::LessThan, a[0], a[1]),
            Max => self.extreme(FloatCC::GreaterThan, a[0], a[1]),
            MulHigh => self.high_product(d, a[0], a[1]),
            Div | Rem => self.lane_division(op == Div, d, a[0], a[1], i),
            Eq => {
                let x = self.b.ins().bxor(a[0], a[1]);
                self.b.ins().bnot(x)
            }
            Lt => {
                let x = self.b.ins().bnot(a[0]);
                self.b.ins().band(x, a[1])
            }
            Le => {
                let x = self.b.ins().bnot(a[0]);
                self.b.ins().bor(x, a[1])
            }
            _ => {
                let y = self.piece_op(op, d, &a);
                self.byte(y)
            }
        }
    }

    fn mask_op(&mut self, op: ScalarOp, a: &[ir::Value]) -> ir::Value {
        use ScalarOp::*;
        let b = &mut self.b;
        match op {
            And | Min | Mul => b.ins().band(a[0], a[1]),
            Or | Max | Add => b.ins().bor(a[0], a[1]),
            Xor | Ne | Sub => b.ins().bxor(a[0], a[1]),
            Not => b.ins().bnot(a[0]),
            other => panic!("{other:?} of truth values"),
        }
    }

    /// The number of bits to shift by.
    fn shift_amount(&mut self, d: DType, by: Value) -> ir::Value {
        let bits = 8 * d.bytes() as i64;
        if let Some(n) = self.constant_of(by) {
            let n = (n as i64).rem_euclid(bits);
            return self.b.ins().iconst(types::I32, n);
        }
        let n = self.scalar(by);
        if d != DType::U8 {
            return n;
        }
        let n = self.b.ins().uextend(types::I32, n);
        let mask = self.b.ins().iconst(types::I32, bits - 1);
        self.b.ins().band(n, mask)
    }

    fn shift(&mut self, op: ScalarOp, d: DType, x: ir::Value, by: ir::Value) -> ir::Value {
        match op {
            ScalarOp::Shl => self.b.ins().ishl(x, by),
            ScalarOp::Shr if d.is_signed_int() => self.b.ins().sshr(x, by),
            _ => self.b.ins().ushr(x, by),
        }
    }

    /// A rotation: a permutation of bytes if it is by whole bytes, else two shifts, because vectors
    /// have no rotation.
    fn lane_rotation(&mut self, d: DType, args: &[Value], i: usize) -> ir::Value {
        let bits = 8 * d.bytes() as i64;
        let x = self.piece(args[0], i);
        let (left, right) = match self.constant_of(args[1]) {
            Some(n) => {
                let n = (n as i64).rem_euclid(bits);
                if n == 0 {
                    return x;
                }
                if n % 8 == 0 && d != DType::U8 && self.s.machine.bytes {
                    return self.rotate_bytes(x, d.bytes(), n as usize / 8);
                }
                let left = self.b.ins().iconst(types::I32, n);
                (left, self.b.ins().iconst(types::I32, bits - n))
            }
            None => {
                let n = self.scalar(args[1]);
                let n = match self.b.func.dfg.value_type(n) {
                    types::I8 => self.b.ins().uextend(types::I32, n),
                    types::I64 => self.b.ins().ireduce(types::I32, n),
                    _ => n,
                };
                let mask = self.b.ins().iconst(types::I32, bits - 1);
                let left = self.b.ins().band(n, mask);
                let right = self.b.ins().ineg(n);
                let right = self.b.ins().band(right, mask);
                if d == DType::U8 {
                    // A lane of 32 bits keeps the bits that leave a byte: the upper byte holds
                    // those that come in.
                    let y = self.b.ins().ishl(x, left);
                    let eight = self.b.ins().iconst(types::I32, 8);
                    let upper = self.b.ins().ushr(y, eight);
                    let y = self.b.ins().bor(y, upper);
                    return self.byte(y);
                }
                (left, right)
            }
        };
        let high = self.b.ins().ishl(x, left);
        let low = self.b.ins().ushr(x, right);
        let y = self.b.ins().bor(high, low);
        if d == DType::U8 { self.byte(y) } else { y }
    }

    /// One instruction, all of whose operands and results are pieces of one width.
    fn piece_op(&mut self, op: ScalarOp, d: DType, a: &[ir::Value]) -> ir::Value {
        use ScalarOp::*;
        let float = d.is_float();
        let signed = d.is_signed_int();
        match op {
            Neg if float => {
                let sign = self.sign_piece(d, true);
                let y = self.b.ins().bxor(a[0], sign);
                let folded = self.b.ins().fneg(a[0]);
                self.negated.insert(y, folded);
                y
            }
            Abs if float => {
                let rest = self.sign_piece(d, false);
                self.b.ins().band(a[0], rest)
            }
            Add if float => self.b.ins().fadd(a[0], a[1]),
            Add => self.b.ins().iadd(a[0], a[1]),
            Sub if float => self.b.ins().fsub(a[0], a[1]),
            Sub => self.b.ins().isub(a[0], a[1]),
            Mul if float => self.b.ins().fmul(a[0], a[1]),
            Mul => self.b.ins().imul(a[0], a[1]),
            Div => self.b.ins().fdiv(a[0], a[1]),
            Neg => self.b.ins().ineg(a[0]),
            Abs if signed => self.b.ins().iabs(a[0]),
            Abs => a[0],
            Sqrt => self.b.ins().sqrt(a[0]),
            Fma => {
                let [x, y, z] = [a[0], a[1], a[2]].map(|v| *self.negated.get(&v).unwrap_or(&v));
                self.b.ins().fma(x, y, z)
            }
            Min if signed => self.b.ins().smin(a[0], a[1]),
            Max if signed => self.b.ins().smax(a[0], a[1]),
            Min => self.b.ins().umin(a[0], a[1]),
            Max => self.b.ins().umax(a[0], a[1]),
            Floor => self.b.ins().floor(a[0]),
            Ceil => self.b.ins().ceil(a[0]),
            Round => self.b.ins().nearest(a[0]),
            Trunc => self.b.ins().trunc(a[0]),
            And => self.b.ins().band(a[0], a[1]),
            Or => self.b.ins().bor(a[0], a[1]),
            Xor => self.b.ins().bxor(a[0], a[1]),
            Not => self.b.ins().bnot(a[0]),
            Eq | Ne | Lt | Le if float => self.compare(float_cc(op), a[0], a[1]),
            Eq | Ne | Lt | Le => self.b.ins().icmp(int_cc(op, signed), a[0], a[1]),
            other => panic!("{other:?} of {d} lanes"),
        }
    }

    /// A comparison of vectors of floats.
    ///
    /// Without AVX an operand in memory must be aligned to 16 bytes. Cranelift ensures that for
    /// every instruction except `cmpps` and `cmppd`, into which it folds a load with no other use.
    /// A bitcast of the load to integers and back takes no instruction and prevents the folding.
    pub(super) fn compare(&mut self, cc: FloatCC, x: ir::Value, y: ir::Value) -> ir::Value {
        if self.s.machine.compares_memory {
            return self.b.ins().fcmp(cc, x, y);
        }
        let [x, y] = [x, y].map(|v| {
            let ty = self.b.func.dfg.value_type(v);
            let bits = self.bits(ty.as_int(), v);
            self.bits(ty, bits)
        });
        self.b.ins().fcmp(cc, x, y)
    }

    /// The sign bit in every lane, or all other bits.
    fn sign_piece(&mut self, d: DType, sign: bool) -> ir::Value {
        let bits = match (d, sign) {
            (DType::F64, true) => 1 << 63,
            (DType::F64, false) => !(1 << 63),
            (_, true) => 1 << 31,
            (_, false) => 0x7fff_ffff,
        };
        self.constant_piece(d, bits, d.bytes() < 8)
    }

    /// Minimum or maximum of floats: NaN if either is NaN, zeros ordered by sign. A selection by `x
    /// < y` gives `y` for equal operands, so the sign bits of zeros are joined from both orders; if
    /// the operands are unordered, their sum is the NaN.
    fn extreme(&mut self, cc: FloatCC, x: ir::Value, y: ir::Value) -> ir::Value {
        // One instruction each; they differ only in zeros of different sign and in NaN.
        let (p, q) = (self.pick(cc, x, y), self.pick(cc, y, x));
        let joined = if cc == FloatCC::LessThan {
            self.b.ins().bor(p, q)
        } else {
            self.b.ins().band(p, q)
        };
        let nan = self.b.ins().fadd(x, y);
        let unordered = self.compare(FloatCC::Unordered, x, y);
        self.select_piece(unordered, nan, joined)
    }

    /// Emits the upper halves of products of narrow integers. A byte lies in 32 bits, which hold its whole product.
    fn high_product(&mut self, d: DType, x: ir::Value, y: ir::Value) -> ir::Value {
        if d == DType::U8 {
            let product = self.b.ins().imul(x, y);
            let eight = self.b.ins().iconst(types::I32, 8);
            return self.b.ins().ushr(product, eight);
        }
        let signed = d.is_signed_int();
        let [a, b] = [false, true].map(|upper| {
            let [x, y] = [x, y].map(|v| match (signed, upper) {
                (true, false) => self.b.ins().swiden_low(v),
                (true, true) => self.b.ins().swiden_high(v),
                (false, false) => self.b.ins().uwiden_low(v),
                (false, true) => self.b.ins().uwiden_high(v),
            });
            self.b.ins().imul(x, y)
        });
        self.high_halves(a, b)
    }

    /// `x` if it is the smaller (or larger) one, else `y`: one instruction on x86.
    fn pick(&mut self, cc: FloatCC, x: ir::Value, y: ir::Value) -> ir::Value {
        let ty = self.b.func.dfg.value_type(x);
        let (a, b) = if cc == FloatCC::LessThan {
            (x, y)
        } else {
            (y, x)
        };
        let m = self.compare(FloatCC::LessThan, a, b);
        let m = self.bits(ty, m);
        self.b.ins().bitselect(m, x, y)
    }

    /// An operation in scalar instructions, one lane after the other.
    fn per_lane(&mut self, out: Value, op: ScalarOp, args: &[Value], i: usize) -> ir::Value {
        let d = self.dtype(args[args.len() - 1]);
        let o = self.dtype(out);
        let narrow = self.is_narrow(out);
        let n = if narrow { 4 } else { 2 };
        let lanes: SmallVec<[ir::Value; 4]> = (n * i..n * (i + 1))
            .map(|l| {
                let a: SmallVec<[ir::Value; 3]> = args.iter().map(|&v| self.lane(v, l)).collect();
                self.scalar_op(op, d, o, &a)
            })
            .collect();
        self.build(o, narrow, &lanes)
    }

    /// One lane of a value, as a scalar.
    pub(super) fn lane(&mut self, v: Value, l: usize) -> ir::Value {
        if !self.is_lanes(v) {
            return self.scalar(v);
        }
        let n = if self.is_narrow(v) { 4 } else { 2 };
        let p = self.piece(v, l / n);
        self.extract(self.dtype(v), p, l % n)
    }

    /// A lane of a piece, as a scalar.
    pub(super) fn extract(&mut self, d: DType, p: ir::Value, i: usize) -> ir::Value {
        let x = self.b.ins().extractlane(p, i as u8);
        match d {
            DType::U8 => self.b.ins().ireduce(types::I8, x),
            DType::Bool => {
                let x = self.b.ins().ireduce(types::I8, x);
                let one = self.b.ins().iconst(types::I8, 1);
                self.b.ins().band(x, one)
            }
            _ => x,
        }
    }

    /// A piece from scalars, one for each lane.
    pub(super) fn build(&mut self, d: DType, narrow: bool, lanes: &[ir::Value]) -> ir::Value {
        let ty = Self::piece_type(d, narrow);
        let first = self.lane_of(d, lanes[0], narrow);
        let mut p = self.b.ins().scalar_to_vector(ty, first);
        for (i, &x) in lanes.iter().enumerate().skip(1) {
            let x = self.lane_of(d, x, narrow);
            p = self.b.ins().insertlane(p, x, i as u8);
        }
        debug_assert!(scalar_type(d).bits() <= 64);
        p
    }
}
