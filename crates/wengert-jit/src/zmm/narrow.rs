//! Operations on integers of 32 and of 8 bits that those of 64 bits have no counterpart for.

use wengert_loop::loops::Value;
use wengert_loop::types::DType;

use super::Writer;
use super::asm::{ALL, Form, Src, Zmm, convert, ops};
use super::ops::INT;
use super::regs::WORK;

impl Writer<'_, '_> {
    /// Quotients and remainders, through floats that hold the operands exactly: a quotient that is not an integer
    /// differs from the next one by more than its rounding error. By 0 both are 0. The quotient that leaves the type,
    /// of the least number by -1, wraps.
    pub(super) fn narrow_division(&mut self, out: Value, div: bool, from: DType, args: &[Value]) {
        let form = self.form(out);
        let (x, y) = (self.in_register(args[0]), self.in_register(args[1]));
        let [quotient, work, divisor] = std::array::from_fn(|_| self.take(None));
        let zero = self.known(0);
        if from == DType::U8 {
            let asm = &mut self.asm;
            let [enter, leave] = [convert::DQ_PS, convert::PS_DQ].map(|op| op.within(form));
            asm.two(enter, quotient, Src::Reg(x), ALL);
            asm.two(enter, work, Src::Reg(y), ALL);
            asm.three(ops::DIV.of(form), quotient, quotient, Src::Reg(work), ALL);
            asm.two(leave, quotient, Src::Reg(quotient), ALL);
        } else {
            if form == Form::Full {
                let [upper, other] = std::array::from_fn(|_| self.take(None));
                self.asm.upper_half(upper, x);
                self.asm.upper_half(other, y);
                self.quotient_by_words(from, work, [upper, other, divisor]);
                self.quotient_by_words(from, quotient, [x, y, divisor]);
                self.asm.join(quotient, quotient, Src::Reg(work));
            } else {
                self.quotient_by_words(from, quotient, [x, y, divisor]);
            }
        }
        let asm = &mut self.asm;
        asm.compare(ops::COMPARE_INT.of(form), WORK, y, zero, INT[1]);
        if !div {
            let [multiply, sub] = [ops::MUL_INT, ops::SUB_INT].map(|op| op.of(form));
            asm.three(multiply, work, quotient, Src::Reg(y), ALL);
            asm.three(sub, quotient, x, Src::Reg(work), ALL);
        }
        asm.zeroing(ops::LOAD.of(form), quotient, Src::Reg(quotient), WORK);
        self.define(out, quotient);
    }

    /// The quotient of the lower halves of two registers; the third one is for work.
    fn quotient_by_words(&mut self, from: DType, to: Zmm, [x, y, divisor]: [Zmm; 3]) {
        let (enter, leave) = match from {
            DType::I32 => (convert::DQ_PD, convert::PD_DQ),
            _ => (convert::UDQ_PD, convert::PD_UDQ),
        };
        let asm = &mut self.asm;
        asm.two(enter, to, Src::Reg(x), ALL);
        asm.two(enter, divisor, Src::Reg(y), ALL);
        asm.three(ops::DIV, to, to, Src::Reg(divisor), ALL);
        asm.two(leave, to, Src::Reg(to), ALL);
    }

    /// A rotation of bytes: that of four copies of each.
    pub(super) fn rotated_bytes(&mut self, out: Value, args: &[Value]) {
        let form = self.form(out);
        let x = self.in_register(args[0]);
        let by = self.shifted_by(args);
        let copies = self.known(0x0101_0101);
        let to = self.take(None);
        self.asm.three(ops::MUL_INT.of(form), to, x, copies, ALL);
        self.asm.three(ops::ROTL.of(form), to, to, by, ALL);
        self.define_within(out, to);
    }

    /// The upper half of a product of elements of at most 32 bits: products of words, of the elements with even
    /// numbers and of those with odd ones.
    pub(super) fn narrow_high_product(&mut self, out: Value, from: DType, args: &[Value]) {
        let form = self.form(out);
        let (x, y) = (self.in_register(args[0]), self.in_register(args[1]));
        let [even, odd, other] = std::array::from_fn(|_| self.take(None));
        if from == DType::U8 {
            let byte = self.known(8);
            self.asm
                .three(ops::MUL_INT.of(form), even, x, Src::Reg(y), ALL);
            self.asm
                .three(ops::SHR_LOGICAL.of(form), even, even, byte, ALL);
            return self.define(out, even);
        }
        let multiply = match from.is_signed_int() {
            true => ops::MUL_LOW_SIGNED,
            false => ops::MUL_LOW,
        };
        let multiply = multiply.within(form);
        let [shift, and, or] = [ops::SHR_LOGICAL, ops::AND, ops::OR].map(|op| op.within(form));
        let (half, upper) = (self.known(32), self.known(!u64::from(u32::MAX)));
        let asm = &mut self.asm;
        asm.three(multiply, even, x, Src::Reg(y), ALL);
        asm.three(shift, odd, x, half, ALL);
        asm.three(shift, other, y, half, ALL);
        asm.three(multiply, odd, odd, Src::Reg(other), ALL);
        asm.three(shift, even, even, half, ALL);
        asm.three(and, odd, odd, upper, ALL);
        asm.three(or, even, even, Src::Reg(odd), ALL);
        self.define(out, even);
    }
}
