//! Conversions. Between words and floats they go through floats whose exponent is fixed, so that their low bits are an
//! integer. (H. S. Warren, "Hacker's Delight", chapter 17.)

use super::vex::Part::{At, General, X, Y};
use super::vex::table;
use super::{FIRST, SECOND, Source, half, on};
use crate::zmm::asm::{Asm, Form, Gpr, Mem, Op, Src, Zmm};

/// Floats, by their bits: 2^52, 2^52 + 2^51, 2^84, that with 2^52, and with 2^63 too.
const UNIT: u64 = 0x4330 << 48;
const CENTRED: u64 = 0x4338 << 48;
const UPPER: u64 = 0x4530 << 48;
const UPPER_UNIT: u64 = UPPER | 1 << 20;
const UPPER_SIGNED: u64 = UPPER | 1 << 31;
const UPPER_UNIT_SIGNED: u64 = UPPER_SIGNED | 1 << 20;
/// Truncation and rounding down, as `vroundpd` names them.
const TO_ZERO: u8 = 11;
const DOWN: u8 = 9;
/// Greater or equal, and not NaN.
const NOT_BELOW: u8 = 0x1d;
/// The low half of each word from the second source.
const LOW_HALVES: u8 = 0b0101_0101;

impl Asm {
    /// Four elements of 32 bits of a source, as an operand: half `h` of a register, or the element for all.
    fn quarter(&mut self, from: Source, h: u8, work: u8) -> super::Part {
        match from {
            Source::Part(Y(r)) if h == 0 => X(r),
            Source::Part(Y(r)) => {
                self.vex_by(table::UPPER, &[X(work), Y(r)], Some(1));
                X(work)
            }
            Source::Part(At(m)) => At(on(m, 16 * i32::from(h))),
            Source::Part(other) => other,
            Source::Each(m) => {
                self.vex_op(table::SPREAD_HALF, &[X(work), At(m)]);
                X(work)
            }
        }
    }

    /// Writes a conversion. Returns whether the instruction is one.
    pub(super) fn pairs_convert(&mut self, op: Op, to: Zmm, from: Src) -> bool {
        match op.name {
            "vcvtps2pd" | "vcvtdq2pd" | "vcvtudq2pd" | "vpmovsxdq" | "vpmovzxdq" | "vcvttps2qq"
            | "vcvttps2uqq" => self.widened(op, to, from),
            "vcvtpd2ps" | "vcvttpd2dq" => self.narrowed(op, to, from),
            "vcvttpd2udq" => {
                for (h, work) in [(0, FIRST), (1, SECOND)] {
                    self.into(work, Asm::source_half(from, h), Form::Words);
                    self.unsigned_int(work);
                }
                self.low_ints(2 * to.0, FIRST, SECOND);
            }
            "vcvtqq2pd" | "vcvtuqq2pd" => {
                for h in 0..2 {
                    self.float_of_word(op.name == "vcvtqq2pd", to, Asm::source_half(from, h), h);
                }
            }
            "vcvtqq2ps" | "vcvtuqq2ps" => self.singles_of_words(op.name == "vcvtqq2ps", to, from),
            "vcvttpd2qq" | "vcvttpd2uqq" => {
                let signed = op.name == "vcvttpd2qq";
                for h in 0..2 {
                    let x = self.operand(Asm::source_half(from, h), Form::Words, SECOND);
                    self.load_part(2 * to.0 + h, x);
                    self.word_of_float(signed, 2 * to.0 + h);
                }
            }
            "vcvtdq2ps" | "vcvttps2dq" => {
                let op_with = match op.name {
                    "vcvtdq2ps" => table::DQ_PS,
                    _ => table::PS_DQ,
                };
                for h in 0..op.form().halves() {
                    let x = self.operand(Asm::source_half(from, h), op.form(), SECOND);
                    self.vex_op(op_with, &[half(to, h), x]);
                }
            }
            "vcvtudq2ps" | "vcvttps2udq" => {
                for h in 0..op.form().halves() {
                    let Y(to) = half(to, h) else { continue };
                    let from = Asm::source_half(from, h);
                    match op.name {
                        "vcvtudq2ps" => self.single_of_unsigned(to, from),
                        _ => self.unsigned_of_single(to, from),
                    }
                }
            }
            "vpmovzxbd" => {
                let Src::Row(m) = from else {
                    panic!("bytes in a register")
                };
                for h in 0..op.form().halves() {
                    let row = At(on(m, 8 * i32::from(h)));
                    self.vex_op(table::BYTES, &[half(to, h), row]);
                }
            }
            _ => return false,
        }
        true
    }

    /// Words of elements of 32 bits: the upper half first, because it is read from where the lower one goes.
    fn widened(&mut self, op: Op, to: Zmm, from: Src) {
        for h in [1, 0] {
            let to = 2 * to.0 + h;
            let x = self.quarter(Asm::source_half(from, 0), h, SECOND);
            let with = match op.name {
                "vcvtps2pd" | "vcvttps2qq" | "vcvttps2uqq" => table::PS_PD,
                "vcvtdq2pd" => table::DQ_PD,
                "vpmovsxdq" => table::SIGNED,
                _ => table::UNSIGNED,
            };
            self.vex_op(with, &[Y(to), x]);
            match op.name {
                "vcvtudq2pd" => self.float_of_low(to),
                "vcvttps2qq" => self.word_of_float(true, to),
                "vcvttps2uqq" => self.word_of_float(false, to),
                _ => {}
            }
        }
    }

    /// The float of a word below 2^32.
    fn float_of_low(&mut self, r: u8) {
        let unit = self.each_word(UNIT);
        self.vex_op(table::OR, &[Y(r), Y(r), unit]);
        self.vex_op(table::SUB, &[Y(r), Y(r), unit]);
    }

    /// Elements of 32 bits of floats.
    fn narrowed(&mut self, op: Op, to: Zmm, from: Src) {
        let with = match op.name {
            "vcvtpd2ps" => table::PD_PS,
            _ => table::PD_DQ,
        };
        for (h, work) in [(0, FIRST), (1, SECOND)] {
            let x = match Asm::source_half(from, h) {
                Source::Part(Y(r)) => r,
                other => {
                    self.into(work, other, Form::Words);
                    work
                }
            };
            self.vex_op(with, &[X(work), Y(x)]);
        }
        let parts = [Y(2 * to.0), Y(FIRST), X(SECOND)];
        self.vex_by(table::JOIN, &parts, Some(1));
    }

    /// Floats within the range of 32 bits without a sign as words whose low halves are the integers; larger ones are
    /// the largest.
    fn unsigned_int(&mut self, r: u8) {
        let most = self.each_word(f64::from(u32::MAX).to_bits());
        let unit = self.each_word(UNIT);
        self.vex_op(table::MIN, &[Y(r), Y(r), most]);
        self.vex_by(table::ROUND, &[Y(r), Y(r)], Some(TO_ZERO));
        self.vex_op(table::ADD, &[Y(r), Y(r), unit]);
    }

    /// The nearest floats to words: the upper halves as multiples of 2^32, which is exact, and the lower ones added.
    fn float_of_word(&mut self, signed: bool, to: Zmm, from: Source, h: u8) {
        let (upper, both) = match signed {
            true => (UPPER_SIGNED, UPPER_UNIT_SIGNED),
            false => (UPPER, UPPER_UNIT),
        };
        let [upper, both, unit] = [upper, both, UNIT].map(|bits| self.each_word(bits));
        let (a, b) = (Y(FIRST), Y(SECOND));
        self.into(SECOND, from, Form::Words);
        self.vex_by(table::SHR_WORDS_BY, &[a, b], Some(32));
        self.vex_op(table::XOR, &[a, a, upper]);
        self.vex_op(table::SUB, &[a, a, both]);
        // The upper halves of 2^52, with the low halves of the words.
        self.vex_by(table::BLEND_INTS, &[b, b, unit], Some(!LOW_HALVES));
        self.vex_op(table::ADD, &[half(to, h), a, b]);
    }

    /// The nearest floats of 32 bits to words, through those of 64 bits. Where these may not hold a word, the last bit
    /// that they hold says whether anything is below it, so that rounding twice is rounding once.
    fn singles_of_words(&mut self, signed: bool, to: Zmm, from: Src) {
        const BELOW: u64 = (1 << 11) - 1;
        /// From here on the halfway point between two floats of 32 bits is above that bit.
        const LARGE: u8 = 40;
        let [below, above, zero] = [BELOW, !BELOW, 0].map(|bits| self.each_word(bits));
        let (a, b) = (Y(FIRST), Y(SECOND));
        for h in 0..2 {
            let r = 2 * to.0 + h;
            let x = Y(r);
            self.into(r, Asm::source_half(from, h), Form::Words);
            self.vex_op(table::AND, &[a, x, below]);
            self.vex_op(table::ADD_WORDS, &[a, a, below]);
            self.vex_op(table::OR, &[a, a, x]);
            self.vex_op(table::AND, &[a, a, above]);
            if signed {
                // Bits that differ from the next one.
                self.vex_op(table::ADD_WORDS, &[b, x, x]);
                self.vex_op(table::XOR, &[b, b, x]);
                self.vex_by(table::SHR_WORDS_BY, &[b, b], Some(LARGE));
            } else {
                self.vex_by(table::SHR_WORDS_BY, &[b, x], Some(LARGE));
            }
            self.vex_op(table::EQUAL_WORDS, &[b, b, zero]);
            self.blend(Form::Words, r, FIRST, x, SECOND);
            self.float_of_word(signed, to, Source::Part(x), h);
        }
        for (h, work) in [(0, FIRST), (1, SECOND)] {
            self.vex_op(table::PD_PS, &[X(work), half(to, h)]);
        }
        let parts = [Y(2 * to.0), Y(FIRST), X(SECOND)];
        self.vex_by(table::JOIN, &parts, Some(1));
    }

    /// Floats towards zero as words, in place: below the range the least one, above it the largest one without a
    /// sign. The upper halves are a float's multiple of 2^32, rounded down, and the lower ones the rest.
    fn word_of_float(&mut self, signed: bool, r: u8) {
        let known = |x: f64| x.to_bits();
        let [least, down, up] =
            [-(2f64.powi(63)), 2f64.powi(-32), 2f64.powi(32)].map(|x| self.each_word(known(x)));
        let [centred, unit] = [CENTRED, UNIT].map(|bits| self.each_word(bits));
        let (a, b, x) = (Y(FIRST), Y(SECOND), Y(r));
        self.vex_op(table::MAX, &[a, x, least]);
        self.vex_by(table::ROUND, &[a, a], Some(TO_ZERO));
        self.vex_op(table::MUL, &[b, a, down]);
        self.vex_by(table::ROUND, &[b, b], Some(DOWN));
        self.vex_op(table::SUB_PRODUCT, &[a, b, up]);
        self.vex_op(table::ADD, &[b, b, centred]);
        self.vex_by(table::SHL_WORDS_BY, &[b, b], Some(32));
        self.vex_op(table::ADD, &[a, a, unit]);
        if signed {
            self.vex_by(table::BLEND_INTS, &[x, b, a], Some(LOW_HALVES));
            return;
        }
        let limit = self.each_word(known(2f64.powi(64)));
        self.vex_by(table::BLEND_INTS, &[b, b, a], Some(LOW_HALVES));
        self.vex_by(table::COMPARE, &[a, x, limit], Some(NOT_BELOW));
        self.vex_op(table::OR, &[x, a, b]);
    }

    /// The nearest floats of 32 bits to integers without a sign, through those of 64 bits, which hold them.
    fn single_of_unsigned(&mut self, to: u8, from: Source) {
        for (h, work) in [(1, SECOND), (0, FIRST)] {
            let x = self.quarter(from, h, work);
            self.vex_op(table::UNSIGNED, &[Y(work), x]);
            self.float_of_low(work);
            self.vex_op(table::PD_PS, &[X(work), Y(work)]);
        }
        self.vex_by(table::JOIN, &[Y(to), Y(FIRST), X(SECOND)], Some(1));
    }

    /// Integers of 32 bits without a sign of floats.
    fn unsigned_of_single(&mut self, to: u8, from: Source) {
        for (h, work) in [(1, SECOND), (0, FIRST)] {
            let x = self.quarter(from, h, work);
            self.vex_op(table::PS_PD, &[Y(work), x]);
            self.unsigned_int(work);
        }
        self.low_ints(to, FIRST, SECOND);
    }

    /// See [`Asm::low_halves`].
    pub(in crate::zmm::asm) fn pairs_low_halves(&mut self, to: Zmm, from: Zmm) {
        self.load_part(FIRST, half(from, 0));
        self.low_ints(2 * to.0, FIRST, 2 * from.0 + 1);
    }

    /// See [`Asm::store_bytes`].
    pub(in crate::zmm::asm) fn pairs_store_bytes(&mut self, form: Form, to: Mem, from: Zmm) {
        for h in 0..form.halves() {
            self.vex_by(table::UPPER, &[X(FIRST), half(from, h)], Some(1));
            let low = X(2 * from.0 + h);
            self.vex_op(table::PACK_UNSIGNED, &[X(FIRST), low, X(FIRST)]);
            self.vex_op(table::PACK_UNSIGNED_BYTES, &[X(FIRST); 3]);
            let to = At(on(to, 8 * i32::from(h)));
            self.vex_op(table::STORE_WORD, &[to, X(FIRST)]);
        }
    }

    /// The bytes of a general register as words.
    pub(in crate::zmm::asm) fn pairs_ranks(&mut self, to: Zmm, bytes: Gpr) {
        self.vex_op(table::FROM_WORD, &[X(FIRST), General(bytes)]);
        self.vex_op(table::BYTES_TO_WORDS, &[half(to, 0), X(FIRST)]);
        self.vex_by(table::SHR_WORDS_BY, &[X(FIRST), X(FIRST)], Some(32));
        self.vex_op(table::BYTES_TO_WORDS, &[half(to, 1), X(FIRST)]);
    }
}
