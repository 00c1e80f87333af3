//! Masks, which are rows of the frame: of eight words, or of sixteen elements of 32 bits, with all bits or none.

use super::vex::Part::{At, General, X, Y};
use super::vex::table;
use super::{FIRST, HALF, SECOND, half, on};
use crate::zmm::asm::{Asm, Form, Gpr, Mask, MaskOp, Mem, Op, RBX, Src, Zmm, ops};

/// The register through which masks become bits.
pub(in crate::zmm::asm) const BITS: Gpr = Gpr(15);
/// How `vpermq` orders the words 0, 2, 1, 3.
const IN_ORDER: u8 = 0b11_01_10_00;
/// How `vshufps` takes the low halves of words.
const LOW: u8 = 0b10_00_10_00;

impl Asm {
    /// Half of the row of a mask.
    fn mask_row(&self, m: Mask, h: u8) -> Mem {
        Mem {
            base: RBX,
            off: self.masks + 64 * i32::from(m.0) + HALF * i32::from(h),
        }
    }

    /// A mask for half `h` of a vector, in a register.
    pub(super) fn mask_half(&mut self, to: u8, m: Mask, form: Form, h: u8) {
        let to = Y(to);
        let row = [0, 1].map(|h| At(self.mask_row(m, h)));
        match form {
            Form::Words | Form::Full => self.vex_op(table::LOAD, &[to, row[usize::from(h)]]),
            Form::Half => {
                self.vex_op(table::LOAD, &[to, row[0]]);
                self.vex_by(table::SHUFFLE, &[to, to, row[1]], Some(LOW));
                self.vex_by(table::PERMUTE, &[to, to], Some(IN_ORDER));
            }
        }
    }

    /// The low halves of two registers of words, in order, in the first of them.
    pub(super) fn low_ints(&mut self, to: u8, low: u8, high: u8) {
        self.vex_by(table::SHUFFLE, &[Y(low), Y(low), Y(high)], Some(LOW));
        self.vex_by(table::PERMUTE, &[Y(to), Y(low)], Some(IN_ORDER));
    }

    /// Stores half `h` of a mask, from the first register for work.
    fn store_mask_half(&mut self, to: Mask, form: Form, h: u8) {
        let row = [0, 1].map(|h| At(self.mask_row(to, h)));
        if form != Form::Half {
            return self.vex_op(table::STORE, &[row[usize::from(h)], Y(FIRST)]);
        }
        self.vex_op(table::SIGNED, &[Y(SECOND), X(FIRST)]);
        self.vex_op(table::STORE, &[row[0], Y(SECOND)]);
        self.vex_by(table::UPPER, &[X(FIRST), Y(FIRST)], Some(1));
        self.vex_op(table::SIGNED, &[Y(SECOND), X(FIRST)]);
        self.vex_op(table::STORE, &[row[1], Y(SECOND)]);
    }

    /// The elements in the lanes of a mask; the others are 0.
    pub(super) fn within_mask(&mut self, form: Form, to: Zmm, from: Zmm, mask: Mask) {
        for h in 0..form.halves() {
            let with = match form {
                Form::Half => {
                    self.mask_half(SECOND, mask, form, h);
                    Y(SECOND)
                }
                _ => At(self.mask_row(mask, h)),
            };
            self.vex_op(table::AND, &[half(to, h), half(from, h), with]);
        }
    }

    /// See [`Asm::compare`].
    pub(in crate::zmm::asm) fn pairs_compare(
        &mut self,
        op: Op,
        to: Mask,
        first: Zmm,
        second: Src,
        how: u8,
    ) {
        let form = op.form();
        for h in 0..form.halves() {
            let x = 2 * first.0 + h;
            let y = Asm::source_half(second, h);
            if op == ops::COMPARE.of(form) {
                let y = self.operand(y, form, SECOND);
                let compare = match form.is_words() {
                    true => table::COMPARE,
                    false => table::COMPARE_HALF,
                };
                self.vex_by(compare, &[Y(FIRST), Y(x), y], Some(how));
            } else {
                let signed = op == ops::COMPARE_INT.of(form);
                self.compare_ints(form, signed, x, y, how);
            }
            self.store_mask_half(to, form, h);
        }
    }

    /// See [`Asm::test`].
    pub(in crate::zmm::asm) fn pairs_test(&mut self, form: Form, to: Mask, from: Zmm) {
        let zero = self.each_word(0);
        for h in 0..form.halves() {
            let equal = super::Source::Part(zero);
            self.compare_ints(form, true, 2 * from.0 + h, equal, 4);
            self.store_mask_half(to, form, h);
        }
    }

    pub(in crate::zmm::asm) fn pairs_mask_op(
        &mut self,
        op: MaskOp,
        to: Mask,
        first: Mask,
        second: Mask,
    ) {
        let all = op == MaskOp::Xnor && first == second;
        for h in 0..2 {
            let [to, first, second] = [to, first, second].map(|m| At(self.mask_row(m, h)));
            if all {
                if h == 0 {
                    self.vex_op(table::EQUAL_INTS, &[Y(FIRST); 3]);
                }
                self.vex_op(table::STORE, &[to, Y(FIRST)]);
                continue;
            }
            let with = match op {
                MaskOp::And => table::AND,
                MaskOp::AndNot => table::AND_NOT,
                MaskOp::Or => table::OR,
                MaskOp::Xor | MaskOp::Xnor => table::XOR,
            };
            self.vex_op(table::LOAD, &[Y(FIRST), first]);
            self.vex_op(with, &[Y(FIRST), Y(FIRST), second]);
            if op == MaskOp::Xnor {
                let ones = self.each_word(u64::MAX);
                self.vex_op(table::XOR, &[Y(FIRST), Y(FIRST), ones]);
            }
            self.vex_op(table::STORE, &[to, Y(FIRST)]);
        }
    }

    pub(in crate::zmm::asm) fn pairs_mask_not(&mut self, to: Mask, from: Mask) {
        self.vex_op(table::EQUAL_INTS, &[Y(SECOND); 3]);
        for h in 0..2 {
            let [to, from] = [to, from].map(|m| At(self.mask_row(m, h)));
            self.vex_op(table::XOR, &[Y(FIRST), Y(SECOND), from]);
            self.vex_op(table::STORE, &[to, Y(FIRST)]);
        }
    }

    pub(in crate::zmm::asm) fn pairs_mask_copy(&mut self, to: Mask, from: Mask) {
        for h in 0..2 {
            let [to, from] = [to, from].map(|m| At(self.mask_row(m, h)));
            self.vex_op(table::LOAD, &[Y(FIRST), from]);
            self.vex_op(table::STORE, &[to, Y(FIRST)]);
        }
    }

    pub(in crate::zmm::asm) fn pairs_mask_test(&mut self, m: Mask) {
        let row = [0, 1].map(|h| At(self.mask_row(m, h)));
        self.vex_op(table::LOAD, &[Y(FIRST), row[0]]);
        self.vex_op(table::OR, &[Y(FIRST), Y(FIRST), row[1]]);
        self.vex_op(table::TEST, &[Y(FIRST), Y(FIRST)]);
    }

    /// Writes the mask whose bits are the low ones of each element of the first register for work.
    fn mask_from_bits(&mut self, to: Mask) {
        for h in 0..2 {
            let bits = match self.lanes {
                8 => self.row_of([1, 2, 4, 8].map(|b| b << (4 * h))),
                _ => self.row_of([0, 2, 4, 6].map(|l| (1 << l | 2 << (32 + l)) << (8 * h))),
            };
            let equal = match self.lanes {
                8 => table::EQUAL_WORDS,
                _ => table::EQUAL_INTS,
            };
            let row = At(self.mask_row(to, h));
            self.vex_op(table::AND, &[Y(SECOND), Y(FIRST), bits]);
            self.vex_op(equal, &[Y(SECOND), Y(SECOND), bits]);
            self.vex_op(table::STORE, &[row, Y(SECOND)]);
        }
    }

    pub(in crate::zmm::asm) fn pairs_mask_load(&mut self, to: Mask, from: Mem) {
        let spread = match self.lanes {
            8 => table::SPREAD_BYTE,
            _ => table::SPREAD_SHORT,
        };
        self.vex_op(spread, &[Y(FIRST), At(from)]);
        self.mask_from_bits(to);
    }

    pub(in crate::zmm::asm) fn pairs_mask_from(&mut self, to: Mask, from: Gpr) {
        self.vex_op(table::FROM_INT, &[X(FIRST), General(from)]);
        self.vex_op(table::SPREAD_INT, &[Y(FIRST), X(FIRST)]);
        self.mask_from_bits(to);
    }

    pub(in crate::zmm::asm) fn pairs_mask_to(&mut self, to: Gpr, from: Mask) {
        if self.lanes == 8 {
            self.mask_half(FIRST, from, Form::Half, 0);
            return self.vex_op(table::SIGNS, &[General(to), Y(FIRST)]);
        }
        let row = [0, 1].map(|h| At(self.mask_row(from, h)));
        let a = Y(FIRST);
        self.vex_op(table::LOAD, &[a, row[0]]);
        self.vex_op(table::PACK, &[a, a, row[1]]);
        self.vex_by(table::PERMUTE, &[a, a], Some(IN_ORDER));
        self.vex_by(table::UPPER, &[X(SECOND), a], Some(1));
        self.vex_op(table::PACK_BYTES, &[X(FIRST), X(FIRST), X(SECOND)]);
        self.vex_op(table::SIGNS_OF_BYTES, &[General(to), X(FIRST)]);
    }

    /// Stores the bits of a mask; flags stay as they are.
    pub(in crate::zmm::asm) fn pairs_mask_store(&mut self, to: Mem, from: Mask) {
        self.pairs_mask_to(BITS, from);
        self.store_byte(to, BITS);
        if self.lanes == 16 {
            // The second byte.
            self.rotate_right(BITS, 8);
            self.store_byte(on(to, 1), BITS);
        }
    }
}
