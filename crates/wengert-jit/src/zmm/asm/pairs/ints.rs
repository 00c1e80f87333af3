//! Operations on integers that AVX2 lacks, of several instructions.

use super::vex::Part::Y;
use super::vex::table;
use super::{FIRST, SECOND, Source};
use crate::zmm::asm::{Asm, Form, Op};

/// The sign of a word.
const SIGN: u64 = 1 << 63;

impl Asm {
    /// Whether an operation on two sources is made of several instructions.
    pub(super) fn is_made(op: Op) -> bool {
        matches!(
            op.name,
            "vpmullq"
                | "vpminsq"
                | "vpmaxsq"
                | "vpminuq"
                | "vpmaxuq"
                | "vpsravq"
                | "vprolvq"
                | "vprolvd"
        )
    }

    /// Such an operation, on one register.
    pub(super) fn made(&mut self, op: Op, to: u8, x: u8, y: Source) {
        match op.name {
            "vpmullq" => self.product(to, x, y),
            "vpminsq" => self.extreme(to, x, y, (true, false)),
            "vpmaxsq" => self.extreme(to, x, y, (true, true)),
            "vpminuq" => self.extreme(to, x, y, (false, false)),
            "vpmaxuq" => self.extreme(to, x, y, (false, true)),
            "vpsravq" => self.shift_signed(to, x, y),
            _ => self.rotation(op.form(), to, x, y),
        }
    }

    /// The low word of a product: that of the low halves, and the sum of the mixed products above it.
    fn product(&mut self, to: u8, x: u8, y: Source) {
        let [a, b, x, to] = [FIRST, SECOND, x, to].map(Y);
        self.into(SECOND, y, Form::Words);
        self.vex_by(table::SHR_WORDS_BY, &[a, x], Some(32));
        self.vex_op(table::MUL_LOW, &[a, a, b]);
        self.vex_by(table::SHR_WORDS_BY, &[b, b], Some(32));
        self.vex_op(table::MUL_LOW, &[b, b, x]);
        self.vex_op(table::ADD_WORDS, &[a, a, b]);
        self.vex_by(table::SHL_WORDS_BY, &[a, a], Some(32));
        let y = self.operand(y, Form::Words, SECOND);
        self.vex_op(table::MUL_LOW, &[b, x, y]);
        self.vex_op(table::ADD_WORDS, &[to, a, b]);
    }

    /// A minimum or a maximum of words.
    fn extreme(&mut self, to: u8, x: u8, y: Source, (signed, most): (bool, bool)) {
        let [a, b] = [FIRST, SECOND].map(Y);
        self.into(SECOND, y, Form::Words);
        if signed {
            self.vex_op(table::GREATER_WORDS, &[a, Y(x), b]);
        } else {
            let sign = self.each_word(SIGN);
            self.vex_op(table::XOR, &[a, Y(x), sign]);
            self.vex_op(table::XOR, &[b, b, sign]);
            self.vex_op(table::GREATER_WORDS, &[a, a, b]);
            self.vex_op(table::XOR, &[b, b, sign]);
        }
        match most {
            true => self.blend(Form::Words, to, SECOND, Y(x), FIRST),
            false => self.blend(Form::Words, to, x, b, FIRST),
        }
    }

    /// A right shift of words with their sign: that of the bits, from which the shifted sign is extended.
    fn shift_signed(&mut self, to: u8, x: u8, by: Source) {
        let [a, b, x, to] = [FIRST, SECOND, x, to].map(Y);
        let sign = self.each_word(SIGN);
        self.into(SECOND, by, Form::Words);
        self.load_part(FIRST, sign);
        self.vex_op(table::SHR_WORDS, &[a, a, b]);
        self.vex_op(table::SHR_WORDS, &[b, x, b]);
        self.vex_op(table::XOR, &[b, b, a]);
        self.vex_op(table::SUB_WORDS, &[to, b, a]);
    }

    /// Two shifts; a shift by the whole width gives 0.
    fn rotation(&mut self, form: Form, to: u8, x: u8, by: Source) {
        let [a, b, x, to] = [FIRST, SECOND, x, to].map(Y);
        let (bits, sub, left, right) = match form.is_words() {
            true => (64, table::SUB_WORDS, table::SHL_WORDS, table::SHR_WORDS),
            false => (
                32 << 32 | 32,
                table::SUB_INTS,
                table::SHL_INTS,
                table::SHR_INTS,
            ),
        };
        let bits = self.each_word(bits);
        self.into(SECOND, by, form);
        self.load_part(FIRST, bits);
        self.vex_op(sub, &[a, a, b]);
        self.vex_op(right, &[a, x, a]);
        self.vex_op(left, &[b, x, b]);
        self.vex_op(table::OR, &[to, a, b]);
    }

    /// The magnitude of words.
    pub(super) fn magnitude(&mut self, to: u8, x: Source) {
        self.into(SECOND, x, Form::Words);
        let [a, b] = [FIRST, SECOND].map(Y);
        self.vex_op(table::XOR, &[a, a, a]);
        self.vex_op(table::SUB_WORDS, &[a, a, b]);
        // The sign says which.
        self.blend(Form::Words, to, SECOND, a, SECOND);
    }

    /// Compares integers of a register, into the first register for work.
    pub(super) fn compare_ints(&mut self, form: Form, signed: bool, x: u8, y: Source, how: u8) {
        let (equal, greater) = match form.is_words() {
            true => (table::EQUAL_WORDS, table::GREATER_WORDS),
            false => (table::EQUAL_INTS, table::GREATER_INTS),
        };
        let [a, b] = [FIRST, SECOND].map(Y);
        // Equal; less, or its complement; greater, or its complement.
        let (swapped, inverted) = match how {
            0 | 4 => {
                let y = self.operand(y, form, SECOND);
                self.vex_op(equal, &[a, Y(x), y]);
                if how == 4 {
                    self.invert_first();
                }
                return;
            }
            1 => (true, false),
            5 => (true, true),
            2 => (false, true),
            _ => (false, false),
        };
        match signed {
            true if swapped => {
                self.into(SECOND, y, form);
                self.vex_op(greater, &[a, b, Y(x)]);
            }
            true => {
                let y = self.operand(y, form, SECOND);
                self.vex_op(greater, &[a, Y(x), y]);
            }
            false => {
                let sign = self.each_word(match form.is_words() {
                    true => SIGN,
                    false => SIGN | 1 << 31,
                });
                self.into(SECOND, y, form);
                self.vex_op(table::XOR, &[b, b, sign]);
                self.vex_op(table::XOR, &[a, Y(x), sign]);
                match swapped {
                    true => self.vex_op(greater, &[a, b, a]),
                    false => self.vex_op(greater, &[a, a, b]),
                }
            }
        }
        if inverted {
            self.invert_first();
        }
    }

    fn invert_first(&mut self) {
        let ones = self.each_word(u64::MAX);
        self.vex_op(table::XOR, &[Y(FIRST), Y(FIRST), ones]);
    }
}
