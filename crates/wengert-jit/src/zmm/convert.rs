//! Conversions in lanes.

use wengert_loop::loops::{ScalarOp, Value};
use wengert_loop::types::DType;

use super::Writer;
use super::asm::{ALL, Op, Src, convert, ops};
use super::ops::{BELOW, INT, LESS_OR_EQUAL, UNEQUAL, UNORDERED};
use super::regs::WORK;

impl Writer<'_, '_> {
    /// Converts numbers and truth values in lanes.
    pub(super) fn converted(&mut self, out: Value, from: DType, args: &[Value]) {
        let to = self.dtype(out);
        match (from, to) {
            (DType::Bool, DType::Bool) => self.mask_operation(out, ScalarOp::Bitcast, args),
            (DType::Bool, _) => self.number_of_truth(out, args),
            (_, DType::Bool) => self.truth_of(out, args),
            _ if from == to => self.same_bits(out, args),
            (_, DType::F32 | DType::F64) => self.float_of(out, from, args),
            (DType::F32 | DType::F64, _) => self.int_of(out, from, args),
            _ => self.between_ints(out, from, args),
        }
    }

    /// 1 or 0.
    fn number_of_truth(&mut self, out: Value, args: &[Value]) {
        let m = self.mask_of(args[0]);
        let one = self.known(match self.dtype(out) {
            DType::F64 => 1f64.to_bits(),
            DType::F32 => 1f32.to_bits().into(),
            _ => 1,
        });
        let x = self.take(self.wish(out));
        self.asm.zeroing(ops::SPREAD.of(self.form(out)), x, one, m);
        self.define(out, x);
    }

    /// Whether a number is not 0.
    fn truth_of(&mut self, out: Value, args: &[Value]) {
        let x = self.in_register(args[0]);
        let zero = self.known(0);
        let m = self.new_mask();
        let (op, how) = match self.dtype(args[0]).is_float() {
            true => (ops::COMPARE, UNEQUAL),
            false => (ops::COMPARE_INT, INT[1]),
        };
        self.asm.compare(op.of(self.form(args[0])), m, x, zero, how);
        self.define_mask(out, m);
    }

    /// One instruction, which may read its operand from memory.
    fn by(&mut self, out: Value, op: Op, args: &[Value]) {
        let from = self.source_of(args[0]);
        self.release(args);
        let to = self.take(self.wish(out));
        self.asm.two(op, to, from, ALL);
        self.define(out, to);
    }

    /// A float of a float, or the nearest one to an integer.
    fn float_of(&mut self, out: Value, from: DType, args: &[Value]) {
        let op = match (from, self.dtype(out)) {
            (DType::F32, _) => convert::PS_PD,
            (DType::F64, _) => convert::PD_PS,
            (DType::I64, DType::F64) => convert::QQ_PD,
            (DType::U64, DType::F64) => convert::UQQ_PD,
            (DType::I64, _) => convert::QQ_PS,
            (DType::U64, _) => convert::UQQ_PS,
            (DType::U32, DType::F64) => convert::UDQ_PD,
            (DType::U32, _) => convert::UDQ_PS,
            (_, DType::F64) => convert::DQ_PD,
            _ => convert::DQ_PS,
        };
        let narrow = from.bytes() < 8 && self.dtype(out) == DType::F32;
        let op = if narrow {
            op.within(self.form(out))
        } else {
            op
        };
        self.by(out, op, args);
    }

    /// An integer of a float: rounds towards zero, saturates, NaN to 0. The instructions give an integer with the
    /// highest bit alone, or with all bits, for what they cannot convert.
    fn int_of(&mut self, out: Value, from: DType, args: &[Value]) {
        let to = self.dtype(out);
        let single = from == DType::F32;
        let op = match (to, single) {
            (DType::I64, false) => convert::PD_QQ,
            (DType::I64, true) => convert::PS_QQ,
            (DType::U64, false) => convert::PD_UQQ,
            (DType::U64, true) => convert::PS_UQQ,
            (DType::I32, false) => convert::PD_DQ,
            (DType::I32, true) => convert::PS_DQ,
            (_, false) => convert::PD_UDQ,
            (_, true) => convert::PS_UDQ,
        };
        let (source, target) = (self.form(args[0]), self.form(out));
        let narrow = single && to.bytes() < 8;
        let op = if narrow { op.within(target) } else { op };
        let compare = ops::COMPARE.of(source);
        let spread = ops::SPREAD.of(target);
        let zero = self.known(0);
        let x = self.in_register(args[0]);
        let y = self.take(None);
        self.asm.two(op, y, Src::Reg(x), ALL);
        if !to.is_signed_int() {
            // Numbers that are too large give the largest integer.
            self.asm.compare(compare, WORK, x, zero, BELOW);
        } else {
            // Numbers out of range give the smallest integer.
            let bits = 8 * to.bytes() as u32;
            let most = self.known((1 << (bits - 1)) - 1);
            let limit = (1u64 << (bits - 1)) as f64;
            let limit = self.known(match single {
                true => (limit as f32).to_bits().into(),
                false => limit.to_bits(),
            });
            let large = self.take(None);
            self.asm.two(ops::SPREAD.of(source), large, limit, ALL);
            self.asm
                .compare(compare, WORK, large, Src::Reg(x), LESS_OR_EQUAL);
            self.asm.two(spread, y, most, WORK);
            self.asm.compare(compare, WORK, x, Src::Reg(x), UNORDERED);
        }
        self.asm.two(spread, y, zero, WORK);
        if to == DType::U8 {
            let most = self.known(u8::MAX.into());
            let min = ops::MIN_UNSIGNED.of(target);
            self.asm.three(min, y, y, most, ALL);
        }
        self.define(out, y);
    }

    /// Integers modulo the width of the result; signs extend.
    fn between_ints(&mut self, out: Value, from: DType, args: &[Value]) {
        let to = self.dtype(out);
        match (from.bytes(), to.bytes()) {
            (8, 8) | (4, 4) | (1, 4) => self.same_bits(out, args),
            (8, _) => {
                let x = self.in_register(args[0]);
                let y = self.take(self.wish(out));
                self.asm.low_halves(y, x);
                self.define_within(out, y);
            }
            (_, 8) => {
                let x = self.in_register(args[0]);
                let op = match from.is_signed_int() {
                    true => convert::SIGNED,
                    false => convert::UNSIGNED,
                };
                let y = self.take(self.wish(out));
                self.asm.two(op, y, Src::Reg(x), ALL);
                self.define(out, y);
            }
            _ => {
                let x = self.in_register(args[0]);
                let y = self.take(None);
                self.asm.two(ops::LOAD, y, Src::Reg(x), ALL);
                self.define_within(out, y);
            }
        }
    }
}
