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

    /// Writes a uniform operation on integers and truth values. Returns whether it is one.
    pub(super) fn uniform(&mut self, out: Value, op: ScalarOp, args: &[Value]) -> bool {
        use ScalarOp::*;
        let from = self.dtype(args[args.len() - 1]);
        let float = from == DType::F64;
        let moves = matches!(op, Select | Bitcast) || (op == Convert && from == self.dtype(out));
        let counts = op == Convert && !float && self.dtype(out) != DType::F64;
        if float && !moves || op == Convert && !moves && !counts {
            return false;
        }
        self.load_word_of(RAX, args[0]);
        if args.len() > 1 {
            self.load_word_of(RCX, args[1]);
        }
        let signed = from == DType::I64;
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
            Rotl => asm.shift_by_rcx(RAX, Shift::Rol),
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
                self.load_word_of(RAX, args[2]);
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
        let word = self.word_for(out);
        self.asm.store_word(word, RAX);
        true
    }
}
