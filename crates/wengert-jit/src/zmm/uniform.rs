//! Uniform values: they are in words of the frame, and integer operations use general registers.
//! Floats are computed in all lanes, and one lane is stored.

use wengert_loop::loops::{ScalarOp, Value};
use wengert_loop::types::DType;

use super::Writer;
use super::asm::{Cond, Gpr, Int, Mask, Mem, RAX, RCX, RDX, Shift};

impl Writer<'_, '_> {
    /// The word of a uniform value, or of a constant.
    pub(super) fn word_of(&mut self, v: Value) -> Mem {
        let off = match self.constant(v) {
            Some(bits) => self.layout.word(bits),
            None => *(self.words.get(&v)).unwrap_or_else(|| {
                panic!("value {} is used where it is not known", v.0);
            }),
        };
        self.frame(off)
    }

    /// The word to which a uniform value is written.
    pub(super) fn word_for(&mut self, v: Value) -> Mem {
        let off = match self.words.get(&v) {
            Some(&off) => off,
            None => {
                let off = self.new_word();
                self.words.insert(v, off);
                off
            }
        };
        self.frame(off)
    }

    /// A uniform value in a register. Flags stay as they are.
    pub(super) fn load_word_of(&mut self, to: Gpr, v: Value) -> Gpr {
        match self.constant(v) {
            Some(bits) => self.asm.constant(to, bits as i64),
            None => {
                let word = self.word_of(v);
                self.asm.load(to, word);
            }
        }
        to
    }

    /// A uniform truth value in a mask register.
    pub(super) fn spread_mask(&mut self, v: Value) -> Mask {
        self.load_word_of(RAX, v);
        self.asm.negate(RAX);
        let m = self.new_mask();
        self.asm.mask_from(m, RAX);
        m
    }

    /// Stores a uniform truth value to its word.
    pub(super) fn uniform_from_mask(&mut self, out: Value, m: Mask) {
        self.asm.mask_to(RAX, m);
        self.asm.int_by(Int::And, RAX, 1);
        let word = self.word_for(out);
        self.asm.store_word(word, RAX);
    }

    /// A uniform value in a register, with its sign if `signed`.
    fn load_int(&mut self, to: Gpr, v: Value, signed: bool) {
        let half = self.dtype(v).bytes() == 4;
        match self.constant(v) {
            Some(bits) if half && signed => self.asm.constant(to, i64::from(bits as i32)),
            None if half && signed => {
                let word = self.word_of(v);
                self.asm.load_half_signed(to, word);
            }
            _ => {
                self.load_word_of(to, v);
            }
        }
    }

    /// Writes a uniform operation on integers and truth values. Returns whether it is one. Integers of less than 64
    /// bits are extended to words, and the result is cut to its width.
    pub(super) fn uniform(&mut self, out: Value, op: ScalarOp, args: &[Value]) -> bool {
        use ScalarOp::*;
        let from = self.dtype(args[args.len() - 1]);
        let float = from.is_float();
        let moves = matches!(op, Select | Bitcast) || (op == Convert && from == self.dtype(out));
        let counts = op == Convert && !float && !self.dtype(out).is_float();
        if float && !moves || op == Convert && !moves && !counts {
            return false;
        }
        let signed = from.is_signed_int();
        let extended = signed && !matches!(op, ShrLogical | Rotl);
        self.load_int(RAX, args[0], extended);
        if args.len() > 1 {
            self.load_int(RCX, args[1], extended);
        }
        let bits = 8 * from.bytes() as u8;
        if matches!(op, Shl | Shr | ShrLogical | Rotl) && bits < 64 {
            self.asm.int_by(Int::And, RCX, i32::from(bits) - 1);
        }
        let (less, not_above) = match signed {
            true => (Cond::Less, Cond::LessOrEqual),
            false => (Cond::Below, Cond::BelowOrEqual),
        };
        let truth = self.dtype(out) == DType::Bool;
        let asm = &mut self.asm;
        match op {
            Add if from == DType::Bool => asm.int(Int::Or, RAX, RCX),
            Sub if from == DType::Bool => asm.int(Int::Xor, RAX, RCX),
            Mul if from == DType::Bool => asm.int(Int::And, RAX, RCX),
            Not if from == DType::Bool => asm.int_by(Int::Xor, RAX, 1),
            Add => asm.int(Int::Add, RAX, RCX),
            Sub => asm.int(Int::Sub, RAX, RCX),
            Mul => asm.multiply(RAX, RCX),
            Div | Rem => self.divide_words(op == Div, signed),
            MulHigh if bits < 64 => {
                asm.multiply(RAX, RCX);
                asm.shift_right(RAX, bits);
            }
            MulHigh => {
                asm.multiply_high(signed, RCX);
                asm.copy(RAX, RDX);
            }
            And => asm.int(Int::And, RAX, RCX),
            Or => asm.int(Int::Or, RAX, RCX),
            Xor => asm.int(Int::Xor, RAX, RCX),
            Not => asm.invert(RAX),
            Neg => asm.negate(RAX),
            Abs if signed => {
                asm.copy(RCX, RAX);
                asm.negate(RCX);
                asm.int_by(Int::Compare, RAX, 0);
                asm.move_if(Cond::Less, RAX, RCX);
            }
            Abs => {}
            Rotl => {
                // That of as many copies as there is room for.
                let copies = match bits {
                    8 => 0x0101_0101_0101_0101,
                    32 => 0x0000_0001_0000_0001,
                    _ => 1,
                };
                if copies != 1 {
                    asm.constant(RDX, copies);
                    asm.multiply(RAX, RDX);
                }
                asm.shift_by_rcx(RAX, Shift::Rol);
            }
            Shl => asm.shift_by_rcx(RAX, Shift::Shl),
            Shr if signed => asm.shift_by_rcx(RAX, Shift::Sar),
            Shr | ShrLogical => asm.shift_by_rcx(RAX, Shift::Shr),
            Min => {
                asm.int(Int::Compare, RCX, RAX);
                asm.move_if(less, RAX, RCX);
            }
            Max => {
                asm.int(Int::Compare, RAX, RCX);
                asm.move_if(less, RAX, RCX);
            }
            Eq | Ne | Lt | Le => {
                asm.int(Int::Compare, RAX, RCX);
                let cond = match op {
                    Eq => Cond::Equal,
                    Ne => Cond::NotEqual,
                    Lt => less,
                    _ => not_above,
                };
                asm.set(cond, RAX);
            }
            Select => {
                asm.copy(RDX, RAX);
                self.load_int(RAX, args[2], extended);
                self.asm.int_by(Int::Compare, RDX, 0);
                self.asm.move_if(Cond::NotEqual, RAX, RCX);
            }
            Convert if truth => {
                asm.int_by(Int::Compare, RAX, 0);
                asm.set(Cond::NotEqual, RAX);
            }
            Convert | Bitcast => {}
            other => panic!("{other:?} of uniform values"),
        }
        match self.dtype(out).bytes() {
            4 => self.asm.low_half(RAX),
            1 => self.asm.low_byte(RAX),
            _ => {}
        }
        let word = self.word_for(out);
        self.asm.store_word(word, RAX);
        true
    }
}
