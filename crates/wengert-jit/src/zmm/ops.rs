//! Operations on lanes.

use smallvec::SmallVec;
use wengert_loop::loops::{ScalarOp, Value};
use wengert_loop::types::DType;

use super::Writer;
use super::asm::{ALL, Asm, Mask, MaskOp, Op, Src, Zmm, ops};
use super::regs::WORK;

/// How floats are compared: equal, less, less or equal, none of which holds for NaN; unequal or NaN; NaN.
const EQUAL: u8 = 0;
const LESS: u8 = 0x11;
pub(super) const LESS_OR_EQUAL: u8 = 0x12;
pub(super) const UNEQUAL: u8 = 4;
pub(super) const UNORDERED: u8 = 3;
/// Neither greater nor equal: less, or NaN.
pub(super) const BELOW: u8 = 0x19;
/// How integers are compared.
pub(super) const INT: [u8; 4] = [0, 4, 1, 2];
/// How integers are compared: greater or equal.
pub(super) const NOT_BELOW: u8 = 5;

/// How to round to an integer: to the nearest, down, up, towards zero; quietly.
const NEAREST: u8 = 8;
const DOWN: u8 = 9;
const UP: u8 = 10;
pub(super) const TO_ZERO: u8 = 11;

impl Writer<'_, '_> {
    /// An operation of a straight line, for the current block.
    pub(super) fn op(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        if self.life.is_folded(out) {
            return;
        }
        let from = self.dtype(args[args.len() - 1]);
        if !self.is_lanes(out) && self.uniform(out, op, args) {
            return;
        }
        if op == ScalarOp::Convert {
            return self.converted(out, from, args);
        }
        if from == DType::Bool {
            return self.mask_operation(out, op, args);
        }
        match from.is_float() {
            true => self.float(out, op, args),
            false => self.int(out, op, from, args),
        }
    }

    /// The bits of the elements of a value in lanes.
    fn width(&self, v: Value) -> u32 {
        8 * self.form(v).element() as u32
    }

    /// The constant in memory.
    pub(super) fn known(&mut self, bits: u64) -> Src {
        let off = self.layout.word(bits);
        Src::Each(self.frame(off))
    }

    /// `out = op(x, y)`, where the order of the operands makes no difference if `either`.
    fn two_operands(&mut self, out: Value, op: Op, args: &[Value], either: bool) {
        let (mut x, mut y) = (args[0], args[1]);
        if either && !self.is_at_hand(x) && self.is_lanes(y) {
            (x, y) = (y, x);
        }
        let first = self.in_register(x);
        let second = self.source_of(y);
        self.release(args);
        let to = self.take(self.wish(out));
        let op = op.of(self.form(out));
        self.asm.three(op, to, first, second, ALL);
        self.define_within(out, to);
    }

    /// Defines a result, whose elements are integers modulo the width of their type: bytes have elements of 32 bits.
    pub(super) fn define_within(&mut self, out: Value, r: Zmm) {
        if self.dtype(out) == DType::U8 {
            let byte = self.known(u8::MAX.into());
            self.asm.three(ops::AND.of(self.form(out)), r, r, byte, ALL);
        }
        self.define(out, r);
    }

    /// `out = op(x)`.
    pub(super) fn one_operand(&mut self, out: Value, op: Op, args: &[Value]) {
        let from = self.source_of(args[0]);
        self.release(args);
        let to = self.take(self.wish(out));
        let op = op.of(self.form(out));
        self.asm.two(op, to, from, ALL);
        self.define(out, to);
    }

    fn float(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        use ScalarOp::*;
        let sign = 1 << (self.width(args[args.len() - 1]) - 1);
        match op {
            Add => self.two_operands(out, ops::ADD, args, true),
            Mul => self.two_operands(out, ops::MUL, args, true),
            Sub => self.two_operands(out, ops::SUB, args, false),
            Div => self.two_operands(out, ops::DIV, args, false),
            Sqrt => self.one_operand(out, ops::SQRT, args),
            Neg => self.with_constant(out, ops::XOR, args, sign),
            Abs => self.with_constant(out, ops::AND, args, !sign),
            Fma => self.product_and_sum(out, args),
            Min => self.extreme(out, [ops::MIN, ops::OR], args),
            Max => self.extreme(out, [ops::MAX, ops::AND], args),
            Floor => self.rounded(out, args, DOWN),
            Ceil => self.rounded(out, args, UP),
            Round => self.rounded(out, args, NEAREST),
            Trunc => self.rounded(out, args, TO_ZERO),
            Eq => self.comparison(out, ops::COMPARE, args, EQUAL),
            Ne => self.comparison(out, ops::COMPARE, args, UNEQUAL),
            Lt => self.comparison(out, ops::COMPARE, args, LESS),
            Le => self.comparison(out, ops::COMPARE, args, LESS_OR_EQUAL),
            Select => self.select(out, args),
            Bitcast => self.same_bits(out, args),
            other => panic!("{other:?} of lanes of floats"),
        }
    }

    fn int(&mut self, out: Value, op: ScalarOp, from: DType, args: &[Value]) {
        use ScalarOp::*;
        let signed = from.is_signed_int();
        let pick = |a: Op, b: Op| if signed { a } else { b };
        let compare = pick(ops::COMPARE_INT, ops::COMPARE_UNSIGNED);
        match op {
            Add => self.two_operands(out, ops::ADD_INT, args, true),
            Sub => self.two_operands(out, ops::SUB_INT, args, false),
            Mul => self.two_operands(out, ops::MUL_INT, args, true),
            MulHigh if from.bytes() == 8 => self.high_product(out, signed, args),
            MulHigh => self.narrow_high_product(out, from, args),
            Div | Rem if from.bytes() == 8 => self.division(out, op == Div, signed, args),
            Div | Rem => self.narrow_division(out, op == Div, from, args),
            And => self.two_operands(out, ops::AND, args, true),
            Or => self.two_operands(out, ops::OR, args, true),
            Xor => self.two_operands(out, ops::XOR, args, true),
            Min => self.two_operands(out, pick(ops::MIN_INT, ops::MIN_UNSIGNED), args, true),
            Max => self.two_operands(out, pick(ops::MAX_INT, ops::MAX_UNSIGNED), args, true),
            Neg => {
                let x = self.source_of(args[0]);
                let zero = self.take(None);
                self.asm.three(ops::XOR, zero, zero, Src::Reg(zero), ALL);
                let sub = ops::SUB_INT.of(self.form(out));
                self.asm.three(sub, zero, zero, x, ALL);
                self.define_within(out, zero);
            }
            Abs if signed => self.one_operand(out, ops::ABS_INT, args),
            Abs => self.same_bits(out, args),
            Not => self.with_constant(out, ops::XOR, args, u64::MAX),
            Shl => self.shift(out, ops::SHL, args),
            Shr if signed => self.shift(out, ops::SHR, args),
            Shr | ShrLogical => self.shift(out, ops::SHR_LOGICAL, args),
            Rotl if from == DType::U8 => self.rotated_bytes(out, args),
            Rotl => self.shift(out, ops::ROTL, args),
            Eq => self.comparison(out, compare, args, INT[0]),
            Ne => self.comparison(out, compare, args, INT[1]),
            Lt => self.comparison(out, compare, args, INT[2]),
            Le => self.comparison(out, compare, args, INT[3]),
            Select => self.select(out, args),
            Bitcast => self.same_bits(out, args),
            other => panic!("{other:?} of lanes of integers"),
        }
    }

    /// The upper half of a product, from the products of the halves of both factors.
    fn high_product(&mut self, out: Value, signed: bool, args: &[Value]) {
        let (x, y) = (self.in_register(args[0]), self.in_register(args[1]));
        let [low, cross, other, high, to] = std::array::from_fn(|_| self.take(None));
        let (half, mask) = (self.known(32), self.known(u32::MAX.into()));
        let asm = &mut self.asm;
        asm.three(ops::SHR_LOGICAL, high, x, half, ALL);
        asm.three(ops::SHR_LOGICAL, to, y, half, ALL);
        asm.three(ops::MUL_LOW, low, x, Src::Reg(y), ALL);
        asm.three(ops::MUL_LOW, cross, high, Src::Reg(y), ALL);
        asm.three(ops::MUL_LOW, other, x, Src::Reg(to), ALL);
        asm.three(ops::MUL_LOW, to, high, Src::Reg(to), ALL);
        // What each sum carries into the next half; no sum leaves 64 bits.
        asm.three(ops::SHR_LOGICAL, low, low, half, ALL);
        asm.three(ops::ADD_INT, cross, cross, Src::Reg(low), ALL);
        asm.three(ops::AND, low, cross, mask, ALL);
        asm.three(ops::ADD_INT, other, other, Src::Reg(low), ALL);
        asm.three(ops::SHR_LOGICAL, cross, cross, half, ALL);
        asm.three(ops::SHR_LOGICAL, other, other, half, ALL);
        asm.three(ops::ADD_INT, to, to, Src::Reg(cross), ALL);
        asm.three(ops::ADD_INT, to, to, Src::Reg(other), ALL);
        if signed {
            // A negative factor has been taken for one that is 2^64 larger.
            let sign = self.known(63);
            for (x, y) in [(x, y), (y, x)] {
                self.asm.three(ops::SHR, low, x, sign, ALL);
                self.asm.three(ops::AND, low, low, Src::Reg(y), ALL);
                self.asm.three(ops::SUB_INT, to, to, Src::Reg(low), ALL);
            }
        }
        self.define(out, to);
    }

    fn with_constant(&mut self, out: Value, op: Op, args: &[Value], bits: u64) {
        let x = self.in_register(args[0]);
        let constant = self.known(bits);
        self.release(args);
        let to = self.take(self.wish(out));
        let op = op.of(self.form(out));
        self.asm.three(op, to, x, constant, ALL);
        self.define_within(out, to);
    }

    fn rounded(&mut self, out: Value, args: &[Value], how: u8) {
        let from = self.source_of(args[0]);
        self.release(args);
        let to = self.take(self.wish(out));
        let round = ops::ROUND.of(self.form(out));
        self.asm.two_by(round, to, from, how);
        self.define(out, to);
    }

    /// A shift by a number of bits modulo the width.
    fn shift(&mut self, out: Value, op: Op, args: &[Value]) {
        let x = self.in_register(args[0]);
        let by = self.shifted_by(args);
        self.release(args);
        let to = self.take(self.wish(out));
        let op = op.of(self.form(out));
        self.asm.three(op, to, x, by, ALL);
        self.define_within(out, to);
    }

    /// The number of bits of a shift, modulo the width.
    pub(super) fn shifted_by(&mut self, args: &[Value]) -> Src {
        let bits = 8 * self.dtype(args[0]).bytes() as u64;
        match self.constant(args[1]) {
            Some(n) => self.known(n & (bits - 1)),
            None => {
                let n = self.in_register(args[1]);
                let below = self.take(None);
                let bits = self.known(bits - 1);
                let and = ops::AND.of(self.form(args[1]));
                self.asm.three(and, below, n, bits, ALL);
                Src::Reg(below)
            }
        }
    }

    pub(super) fn same_bits(&mut self, out: Value, args: &[Value]) {
        let x = args[0];
        if self.is_lanes(out) && self.is_last_use(x) {
            let block = self.block as u8;
            return self.take_over_or_drop((x, block), (out, block));
        }
        if !self.is_lanes(x) {
            let to = self.in_register(x);
            return self.define(out, to);
        }
        self.one_operand(out, ops::LOAD, args);
    }

    /// `a * b + c` with one rounding, where factors and addend may be negations. The result
    /// overwrites one of the three, preferably one without further uses.
    fn product_and_sum(&mut self, out: Value, args: &[Value]) {
        let mut signs = [false; 3];
        let mut v: SmallVec<[Value; 3]> = SmallVec::from_slice(args);
        for (v, sign) in v.iter_mut().zip(&mut signs) {
            if let Some(x) = self.life.negated(*v) {
                (*v, *sign) = (x, true);
            }
        }
        let negated = signs[0] != signs[1];
        let subtracted = signs[2];
        let elements = self.form(out);
        let code = |form| ops::fma(negated, subtracted, form).of(elements);
        // A value that occurs twice must not be overwritten.
        let alone = |i: usize| (0..3).all(|j| j == i || v[i] != v[j]);
        let over = |w: &Self, i: usize| alone(i) && w.is_last_use(v[i]);
        let [a, b, c] = [v[0], v[1], v[2]];
        if over(self, 2) {
            let (x, y) = if self.is_at_hand(a) { (a, b) } else { (b, a) };
            let to = self.in_register(c);
            let first = self.in_register(x);
            let second = self.source_of(y);
            return self.written_over(out, &v, to, |asm| {
                asm.three(code(2), to, first, second, ALL);
            });
        }
        let factor = [(a, b, 0), (b, a, 1)];
        if let Some(&(x, y, _)) = factor.iter().find(|f| over(self, f.2)) {
            let to = self.in_register(x);
            // The other factor and the addend: one of them may be in memory.
            if self.is_at_hand(y) {
                let first = self.in_register(y);
                let last = self.source_of(c);
                return self.written_over(out, &v, to, |asm| {
                    asm.three(code(1), to, first, last, ALL);
                });
            }
            let first = self.in_register(c);
            let last = self.source_of(y);
            return self.written_over(out, &v, to, |asm| {
                asm.three(code(0), to, first, last, ALL);
            });
        }
        // Overwrite a copy of the operand that is not in a register, or else of the addend.
        let fresh = |w: &mut Self, v: Value| -> Zmm {
            let from = w.source_of(v);
            let to = w.take(w.wish(out));
            let load = if w.is_lanes(v) {
                ops::LOAD
            } else {
                ops::SPREAD
            };
            w.asm.two(load.of(elements), to, from, ALL);
            to
        };
        if !self.is_at_hand(a) && self.is_at_hand(b) && self.is_at_hand(c) && alone(0) {
            let (first, last) = (self.in_register(b), self.source_of(c));
            let to = fresh(self, a);
            self.asm.three(code(1), to, first, last, ALL);
            return self.define(out, to);
        }
        let (x, y) = if self.is_at_hand(a) { (a, b) } else { (b, a) };
        let first = self.in_register(x);
        let second = self.source_of(y);
        let to = fresh(self, c);
        self.asm.three(code(2), to, first, second, ALL);
        self.define(out, to);
    }

    /// Writes a result over an operand.
    fn written_over(&mut self, out: Value, args: &[Value], to: Zmm, write: impl FnOnce(&mut Asm)) {
        write(&mut self.asm);
        self.release(args);
        self.define(out, to);
    }

    /// Minimum or maximum of floats: NaN if either is NaN, zeros ordered by sign. The instruction
    /// returns its second operand if they are equal or one is NaN: the zeros of both orders are
    /// joined by their bits, and if one is NaN the result is their sum.
    fn extreme(&mut self, out: Value, [pick, join]: [Op; 2], args: &[Value]) {
        let (x, y) = (self.in_register(args[0]), self.in_register(args[1]));
        let (to, other) = (self.take(None), self.take(None));
        let form = self.form(out);
        let [pick, join, add, compare] = [pick, join, ops::ADD, ops::COMPARE].map(|op| op.of(form));
        self.asm.three(pick, to, x, Src::Reg(y), ALL);
        self.asm.three(pick, other, y, Src::Reg(x), ALL);
        self.asm.three(join, to, to, Src::Reg(other), ALL);
        self.asm.compare(compare, WORK, x, Src::Reg(y), UNORDERED);
        self.asm.three(add, to, x, Src::Reg(y), WORK);
        self.define(out, to);
    }

    fn comparison(&mut self, out: Value, op: Op, args: &[Value], how: u8) {
        let x = self.in_register(args[0]);
        let y = self.source_of(args[1]);
        let m = self.new_mask();
        let op = op.of(self.form(args[0]));
        self.asm.compare(op, m, x, y, how);
        self.define_mask(out, m);
    }

    /// The second operand if the first holds, else the third.
    fn select(&mut self, out: Value, args: &[Value]) {
        let m = self.mask_of(args[0]);
        let no = self.in_register(args[2]);
        let yes = self.source_of(args[1]);
        self.release(args);
        let to = self.take(self.wish(out));
        let blend = ops::BLEND.of(self.form(out));
        self.asm.three(blend, to, no, yes, m);
        self.define(out, to);
    }

    pub(super) fn mask_operation(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        use ScalarOp::*;
        let m: SmallVec<[Mask; 3]> = args.iter().map(|&v| self.mask_of(v)).collect();
        let to = self.new_mask();
        let asm = &mut self.asm;
        match op {
            And | Min | Mul => asm.mask_op(MaskOp::And, to, m[0], m[1]),
            Or | Max | Add => asm.mask_op(MaskOp::Or, to, m[0], m[1]),
            Xor | Ne | Sub => asm.mask_op(MaskOp::Xor, to, m[0], m[1]),
            Eq => asm.mask_op(MaskOp::Xnor, to, m[0], m[1]),
            Not => asm.mask_not(to, m[0]),
            Lt => asm.mask_op(MaskOp::AndNot, to, m[0], m[1]),
            Le => {
                asm.mask_not(to, m[0]);
                asm.mask_op(MaskOp::Or, to, to, m[1]);
            }
            Select => {
                asm.mask_op(MaskOp::AndNot, WORK, m[0], m[2]);
                asm.mask_op(MaskOp::And, to, m[0], m[1]);
                asm.mask_op(MaskOp::Or, to, to, WORK);
            }
            Bitcast => asm.mask_copy(to, m[0]),
            other => panic!("{other:?} of truth values"),
        }
        self.define_mask(out, to);
    }
}
