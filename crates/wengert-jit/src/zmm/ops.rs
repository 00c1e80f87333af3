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
const LESS_OR_EQUAL: u8 = 0x12;
const UNEQUAL: u8 = 4;
const UNORDERED: u8 = 3;
/// Neither greater nor equal: less, or NaN.
const BELOW: u8 = 0x19;
/// How integers are compared.
pub(super) const INT: [u8; 4] = [0, 4, 1, 2];
/// How integers are compared: greater or equal.
pub(super) const NOT_BELOW: u8 = 5;

/// How to round to an integer: to the nearest, down, up, towards zero; quietly.
const NEAREST: u8 = 8;
const DOWN: u8 = 9;
const UP: u8 = 10;
pub(super) const TO_ZERO: u8 = 11;

const SIGN: u64 = 1 << 63;

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
        if from == DType::Bool && op != ScalarOp::Convert {
            return self.mask_operation(out, op, args);
        }
        match from {
            DType::F64 => self.float(out, op, args),
            _ => self.int(out, op, from, args),
        }
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
        self.asm.three(op, to, first, second, ALL);
        self.define(out, to);
    }

    /// `out = op(x)`.
    fn one_operand(&mut self, out: Value, op: Op, args: &[Value]) {
        let from = self.source_of(args[0]);
        self.release(args);
        let to = self.take(self.wish(out));
        self.asm.two(op, to, from, ALL);
        self.define(out, to);
    }

    fn float(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        use ScalarOp::*;
        match op {
            Add => self.two_operands(out, ops::ADD, args, true),
            Mul => self.two_operands(out, ops::MUL, args, true),
            Sub => self.two_operands(out, ops::SUB, args, false),
            Div => self.two_operands(out, ops::DIV, args, false),
            Sqrt => self.one_operand(out, ops::SQRT, args),
            Neg => self.with_constant(out, ops::XOR, args, SIGN),
            Abs => self.with_constant(out, ops::AND, args, !SIGN),
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
            Convert => self.float_to(out, args),
            Bitcast => self.same_bits(out, args),
            other => panic!("{other:?} of f64 lanes"),
        }
    }

    fn int(&mut self, out: Value, op: ScalarOp, from: DType, args: &[Value]) {
        use ScalarOp::*;
        let signed = from == DType::I64;
        let pick = |a: Op, b: Op| if signed { a } else { b };
        let compare = pick(ops::COMPARE_INT, ops::COMPARE_UNSIGNED);
        match op {
            Add => self.two_operands(out, ops::ADD_INT, args, true),
            Sub => self.two_operands(out, ops::SUB_INT, args, false),
            Mul => self.two_operands(out, ops::MUL_INT, args, true),
            MulHigh => self.high_product(out, signed, args),
            Div | Rem => self.division(out, op == Div, signed, args),
            And => self.two_operands(out, ops::AND, args, true),
            Or => self.two_operands(out, ops::OR, args, true),
            Xor => self.two_operands(out, ops::XOR, args, true),
            Min => self.two_operands(out, pick(ops::MIN_INT, ops::MIN_UNSIGNED), args, true),
            Max => self.two_operands(out, pick(ops::MAX_INT, ops::MAX_UNSIGNED), args, true),
            Neg => {
                let x = self.source_of(args[0]);
                let zero = self.take(None);
                self.asm.three(ops::XOR, zero, zero, Src::Reg(zero), ALL);
                self.asm.three(ops::SUB_INT, zero, zero, x, ALL);
                self.define(out, zero);
            }
            Abs if signed => self.one_operand(out, ops::ABS_INT, args),
            Abs => self.same_bits(out, args),
            Not => self.with_constant(out, ops::XOR, args, u64::MAX),
            Shl => self.shift(out, ops::SHL, args),
            Shr if signed => self.shift(out, ops::SHR, args),
            Shr | ShrLogical => self.shift(out, ops::SHR_LOGICAL, args),
            Rotl => self.shift(out, ops::ROTL, args),
            Eq => self.comparison(out, compare, args, INT[0]),
            Ne => self.comparison(out, compare, args, INT[1]),
            Lt => self.comparison(out, compare, args, INT[2]),
            Le => self.comparison(out, compare, args, INT[3]),
            Select => self.select(out, args),
            Convert => self.int_to(out, from, args),
            Bitcast => self.same_bits(out, args),
            other => panic!("{other:?} of integer lanes"),
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
        self.asm.three(op, to, x, constant, ALL);
        self.define(out, to);
    }

    fn rounded(&mut self, out: Value, args: &[Value], how: u8) {
        let from = self.source_of(args[0]);
        self.release(args);
        let to = self.take(self.wish(out));
        self.asm.two_by(ops::ROUND, to, from, how);
        self.define(out, to);
    }

    /// A shift by a number of bits modulo the width.
    fn shift(&mut self, out: Value, op: Op, args: &[Value]) {
        let x = self.in_register(args[0]);
        let by = match self.constant(args[1]) {
            Some(n) => self.known(n & 63),
            None => {
                let n = self.in_register(args[1]);
                let below = self.take(None);
                let bits = self.known(63);
                self.asm.three(ops::AND, below, n, bits, ALL);
                Src::Reg(below)
            }
        };
        self.release(args);
        let to = self.take(self.wish(out));
        self.asm.three(op, to, x, by, ALL);
        self.define(out, to);
    }

    fn same_bits(&mut self, out: Value, args: &[Value]) {
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
        let code = |form| ops::fma(negated, subtracted, form);
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
            w.asm.two(load, to, from, ALL);
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
        self.asm.three(pick, to, x, Src::Reg(y), ALL);
        self.asm.three(pick, other, y, Src::Reg(x), ALL);
        self.asm.three(join, to, to, Src::Reg(other), ALL);
        self.asm
            .compare(ops::COMPARE, WORK, x, Src::Reg(y), UNORDERED);
        self.asm.three(ops::ADD, to, x, Src::Reg(y), WORK);
        self.define(out, to);
    }

    fn comparison(&mut self, out: Value, op: Op, args: &[Value], how: u8) {
        let x = self.in_register(args[0]);
        let y = self.source_of(args[1]);
        let m = self.new_mask();
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
        self.asm.three(ops::BLEND, to, no, yes, m);
        self.define(out, to);
    }

    fn mask_operation(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
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

    /// Converts a float to an integer: rounds towards zero, saturates, NaN to 0. To a truth value:
    /// whether it is not 0.
    fn float_to(&mut self, out: Value, args: &[Value]) {
        let to = self.dtype(out);
        if to == DType::F64 {
            return self.same_bits(out, args);
        }
        let zero = self.known(0);
        if to == DType::Bool {
            let x = self.in_register(args[0]);
            let m = self.new_mask();
            self.asm.compare(ops::COMPARE, m, x, zero, UNEQUAL);
            return self.define_mask(out, m);
        }
        let x = self.in_register(args[0]);
        let y = self.take(None);
        if to == DType::U64 {
            // Numbers that are too large give the largest integer.
            self.asm.two(ops::TO_UNSIGNED, y, Src::Reg(x), ALL);
            self.asm.compare(ops::COMPARE, WORK, x, zero, BELOW);
        } else {
            // Numbers out of range give the smallest integer.
            self.asm.two(ops::TO_INT, y, Src::Reg(x), ALL);
            let most = self.known(i64::MAX as u64);
            let large = self.take(None);
            let limit = self.known(9_223_372_036_854_775_808f64.to_bits());
            self.asm.two(ops::SPREAD, large, limit, ALL);
            self.asm
                .compare(ops::COMPARE, WORK, large, Src::Reg(x), LESS_OR_EQUAL);
            self.asm.two(ops::SPREAD, y, most, WORK);
            self.asm
                .compare(ops::COMPARE, WORK, x, Src::Reg(x), UNORDERED);
        }
        self.asm.two(ops::SPREAD, y, zero, WORK);
        self.define(out, y);
    }

    fn int_to(&mut self, out: Value, from: DType, args: &[Value]) {
        let to = self.dtype(out);
        match (from, to) {
            (DType::Bool, DType::Bool) => self.mask_operation(out, ScalarOp::Bitcast, args),
            (DType::Bool, _) => {
                let m = self.mask_of(args[0]);
                let one = self.known(if to == DType::F64 { 1f64.to_bits() } else { 1 });
                let x = self.take(self.wish(out));
                self.asm.zeroing(ops::SPREAD, x, one, m);
                self.define(out, x);
            }
            (_, DType::Bool) => {
                let x = self.in_register(args[0]);
                let zero = self.known(0);
                let m = self.new_mask();
                self.asm.compare(ops::COMPARE_INT, m, x, zero, INT[1]);
                self.define_mask(out, m);
            }
            (DType::I64, DType::F64) => self.one_operand(out, ops::FROM_INT, args),
            (DType::U64, DType::F64) => self.one_operand(out, ops::FROM_UNSIGNED, args),
            _ => self.same_bits(out, args),
        }
    }
}
