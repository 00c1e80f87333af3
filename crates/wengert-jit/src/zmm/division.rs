//! Quotients and remainders of integers in lanes, through floats where these are exact.
//!
//! If dividend and divisor are integers that a float holds exactly, so is the quotient, rounded towards zero: a
//! quotient that is not an integer differs from the next one by more than its rounding error. The remainder is
//! a fused product and sum, which is exact too. A block of lanes below 2^24 takes floats of 32 bits, one below
//! 2^53 floats of 64 bits, and lanes of larger numbers are divided one after the other: the code for the last
//! two comes after the function, so that the first runs straight on.

use wengert_loop::loops::Value;

use super::Writer;
use super::asm::{
    ALL, Cond, Form, Int, Label, Machine, MaskOp, Mem, RAX, RCX, RDI, RDX, RSI, Src, Zmm, convert,
    ops,
};
use super::ops::{INT, NOT_BELOW, TO_ZERO};
use super::regs::{WORK, WORK_TOO};

/// Integers of at most this magnitude minus 1 are exact in floats of 32 and of 64 bits.
const SMALL: [u64; 2] = [1 << 24, 1 << 53];

/// Whether a quotient or a remainder is wanted, and of what.
#[derive(Clone, Copy)]
struct Division {
    div: bool,
    signed: bool,
}

/// A division of lanes that are not all small, which is written after the function.
pub(super) struct Large {
    how: Division,
    enter: Label,
    back: Label,
    x: Zmm,
    y: Zmm,
    /// Registers of the division: the magnitudes of both operands, joined; one for work; the result.
    magnitude: Zmm,
    work: Zmm,
    to: Zmm,
    /// The active lanes; `None` if all are.
    active: Option<Mem>,
}

impl Writer<'_, '_> {
    pub(super) fn division(&mut self, out: Value, div: bool, signed: bool, args: &[Value]) {
        let how = Division { div, signed };
        let (x, y) = (self.in_register(args[0]), self.in_register(args[1]));
        let [magnitude, work, to] = std::array::from_fn(|_| self.take(None));
        if signed {
            self.asm.two(ops::ABS_INT, magnitude, Src::Reg(x), ALL);
            self.asm.two(ops::ABS_INT, work, Src::Reg(y), ALL);
            (self.asm).three(ops::OR, magnitude, magnitude, Src::Reg(work), ALL);
        } else {
            self.asm.three(ops::OR, magnitude, x, Src::Reg(y), ALL);
        }
        let active = self.active;
        let active = active.map(|word| self.lanes_at(word));
        let (enter, back) = (self.asm.label(), self.asm.label());
        self.jump_if_large(magnitude, SMALL[0], active, enter);
        let asm = &mut self.asm;
        // Both steps are exact.
        for (to, from) in [(to, x), (work, y)] {
            match asm.machine() {
                Machine::Avx512 => asm.two(convert::QQ_PS, to, Src::Reg(from), ALL),
                Machine::Avx2 => {
                    asm.two(convert::QQ_PD, to, Src::Reg(from), ALL);
                    asm.two(convert::PD_PS, to, Src::Reg(to), ALL);
                }
            }
        }
        match div {
            true => asm.three(ops::DIV.of(Form::Half), to, to, Src::Reg(work), ALL),
            false => {
                asm.three(ops::DIV.of(Form::Half), magnitude, to, Src::Reg(work), ALL);
                asm.two_by(
                    ops::ROUND.of(Form::Half),
                    magnitude,
                    Src::Reg(magnitude),
                    TO_ZERO,
                );
                asm.three(
                    ops::fma(true, false, 2).of(Form::Half),
                    to,
                    magnitude,
                    Src::Reg(work),
                    ALL,
                );
            }
        }
        let zero = self.known(0);
        self.asm.compare(ops::COMPARE_INT, WORK, y, zero, INT[1]);
        self.asm.zeroing(convert::PS_QQ, to, Src::Reg(to), WORK);
        self.asm.place(back);
        self.large.push(Large {
            how,
            enter,
            back,
            x,
            y,
            magnitude,
            work,
            to,
            active,
        });
        self.define(out, to);
    }

    /// Jumps if a magnitude in an active lane is not below a limit; its lanes are in the scratch mask register.
    fn jump_if_large(&mut self, magnitude: Zmm, limit: u64, active: Option<Mem>, to: Label) {
        let limit = self.known(limit);
        self.asm
            .compare(ops::COMPARE_UNSIGNED, WORK, magnitude, limit, NOT_BELOW);
        if let Some(active) = active {
            self.asm.mask_load(WORK_TOO, active);
            self.asm.mask_op(MaskOp::And, WORK, WORK, WORK_TOO);
        }
        self.asm.mask_test(WORK);
        self.asm.jump_if(Cond::NotEqual, to);
    }

    /// The code for all divisions of larger numbers.
    pub(super) fn large_divisions(&mut self) {
        for l in std::mem::take(&mut self.large) {
            self.large_division(l);
        }
    }

    fn large_division(&mut self, l: Large) {
        let [x, y, magnitude, work, to] = [l.x, l.y, l.magnitude, l.work, l.to];
        let asm = &mut self.asm;
        asm.place(l.enter);
        asm.two(convert::QQ_PD, to, Src::Reg(x), ALL);
        asm.two(convert::QQ_PD, work, Src::Reg(y), ALL);
        let area = self.call_area(2);
        match l.how.div {
            true => self.asm.three(ops::DIV, to, to, Src::Reg(work), ALL),
            false => {
                // The quotient takes the register of the divisor.
                let row = self.frame(area);
                let asm = &mut self.asm;
                asm.store(row, work, ALL);
                asm.three(ops::DIV, work, to, Src::Reg(work), ALL);
                asm.two_by(ops::ROUND, work, Src::Reg(work), TO_ZERO);
                asm.three(ops::fma(true, false, 2), to, work, Src::Row(row), ALL);
            }
        }
        let zero = self.known(0);
        self.asm.compare(ops::COMPARE_INT, WORK, y, zero, INT[1]);
        self.asm.zeroing(convert::PD_QQ, to, Src::Reg(to), WORK);
        let one_by_one = self.asm.label();
        self.jump_if_large(magnitude, SMALL[1], l.active, one_by_one);
        self.asm.jump(l.back);

        self.asm.place(one_by_one);
        let (row, divisors) = (self.frame(area), self.frame(area + 64));
        let results = self.frame(area + 128);
        self.asm.store(row, x, ALL);
        self.asm.store(divisors, y, ALL);
        self.asm.store(results, to, ALL);
        self.asm.push(RSI);
        self.asm.push(RDI);
        self.asm.mask_to(RSI, WORK);
        self.asm.address(RDI, row);
        let (head, next, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        let at = |off| Mem { base: RDI, off };
        self.asm.place(head);
        self.asm.int_by(Int::Compare, RSI, 0);
        self.asm.jump_if(Cond::Equal, end);
        self.asm.shift_right(RSI, 1);
        self.asm.jump_if(Cond::NotBelow, next);
        self.asm.load(RAX, at(0));
        self.asm.load(RCX, at(64));
        self.divide_words(l.how.div, l.how.signed);
        self.asm.store_word(at(128), RAX);
        self.asm.place(next);
        self.asm.int_by(Int::Add, RDI, size_of::<u64>() as i32);
        self.asm.jump(head);
        self.asm.place(end);
        self.asm.pop(RDI);
        self.asm.pop(RSI);
        self.asm.two(ops::LOAD, to, Src::Row(results), ALL);
        self.asm.jump(l.back);
    }

    /// Divides rax by rcx: the quotient or the remainder is in rax. By 0 it is 0, and the quotient of the least
    /// number by -1 is itself.
    pub(super) fn divide_words(&mut self, div: bool, signed: bool) {
        let (zero, minus, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.int_by(Int::Compare, RCX, 0);
        self.asm.jump_if(Cond::Equal, zero);
        if signed {
            self.asm.int_by(Int::Compare, RCX, -1);
            self.asm.jump_if(Cond::Equal, minus);
        }
        self.asm.divide(signed, RCX);
        if !div {
            self.asm.copy(RAX, RDX);
        }
        self.asm.jump(end);
        if signed {
            self.asm.place(minus);
            if div {
                self.asm.negate(RAX);
                self.asm.jump(end);
            }
        }
        self.asm.place(zero);
        self.asm.constant(RAX, 0);
        self.asm.place(end);
    }
}
