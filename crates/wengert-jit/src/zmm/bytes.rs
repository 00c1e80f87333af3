//! Elements of one byte in memory: bytes and truth values.
//!
//! In lanes a byte is an element of 32 bits, and a truth value a bit of a mask. There are no instructions that gather or
//! scatter bytes: the words of 32 bits are gathered that they lie in, which never reach into another page; and they
//! are written one after the other.

use wengert_loop::loops::{LANES, Value};

use super::Writer;
use super::asm::{
    ALL, Cond, Form, Gpr, Int, Machine, Mask, Mem, RAX, RBX, RCX, RDI, RDX, RSI, Src, Zmm, convert,
    ops,
};
use super::regs::WORK;

impl Writer<'_, '_> {
    /// Defines a value of one byte in each lane.
    fn define_bytes(&mut self, out: Value, x: Zmm) {
        if !self.is_mask(out) {
            return self.define(out, x);
        }
        let m = self.new_mask();
        let test = ops::TEST.of(self.form(out));
        self.asm.test(test, m, x);
        self.define_mask(out, m);
    }

    /// Reads a byte for all lanes.
    pub(super) fn load_byte(&mut self, out: Value, at: Mem) {
        self.asm.load_byte(RAX, at);
        if !self.is_lanes(out) {
            let word = self.word_for(out);
            self.asm.store_word(word, RAX);
        } else if self.is_mask(out) {
            self.asm.negate(RAX);
            let m = self.new_mask();
            self.asm.mask_from(m, RAX);
            self.define_mask(out, m);
        } else {
            let x = self.take(None);
            self.asm.spread_as(self.form(out), x, RAX);
            self.define(out, x);
        }
    }

    /// Reads a row of bytes, in the lanes of a mask.
    pub(super) fn load_bytes(&mut self, out: Value, row: Mem, mask: Mask) {
        if self.is_mask(out) && mask == ALL && self.lanes == LANES {
            self.asm.load(RAX, row);
            self.asm.constant(RCX, ONES);
            self.asm.collect_bits(RAX, RAX, RCX);
            let m = self.new_mask();
            self.asm.mask_from(m, RAX);
            return self.define_mask(out, m);
        }
        let x = self.take(None);
        let bytes = convert::BYTES.with_bytes(self.form(out));
        let (row, mask) = match mask {
            ALL => (row, ALL),
            mask if self.machine() == Machine::Avx2 => (self.bytes_one_by_one(row, mask), ALL),
            mask => (row, mask),
        };
        self.asm.zeroing(bytes, x, Src::Row(row), mask);
        self.define_bytes(out, x);
    }

    /// Reads bytes at the offsets of each lane, in the lanes of the scratch mask register.
    pub(super) fn gather_bytes(&mut self, out: Value, at: Mem, offsets: Zmm) {
        let [address, low, x] = std::array::from_fn(|_| self.take(None));
        let [three, eight] = [3, 3].map(|n| self.known(n));
        let mask = self.known(!3);
        let byte = self.known(u8::MAX.into());
        let asm = &mut self.asm;
        asm.address(RAX, at);
        asm.spread(address, RAX);
        asm.three(ops::ADD_INT, address, address, Src::Reg(offsets), ALL);
        asm.three(ops::AND, low, address, three, ALL);
        asm.three(ops::AND, address, address, mask, ALL);
        // The number of the bits before the byte.
        asm.three(ops::SHL, low, low, eight, ALL);
        asm.low_halves(low, low);
        asm.three(ops::XOR, x, x, Src::Reg(x), ALL);
        asm.constant(RAX, 0);
        let none = Mem { base: RAX, off: 0 };
        asm.gather(ops::GATHER_HALF, x, none, (address, 1), WORK);
        let [shift, and] = [ops::SHR_LOGICAL, ops::AND].map(|op| op.of(Form::Half));
        asm.three(shift, x, x, Src::Reg(low), ALL);
        asm.three(and, x, x, byte, ALL);
        self.define_bytes(out, x);
    }

    /// The bytes of a value in a register: those of truth values are 1 or 0.
    pub(super) fn bytes_of(&mut self, v: Value) -> Zmm {
        if !self.is_mask(v) {
            return self.in_register(v);
        }
        let m = self.mask_of(v);
        let x = self.take(None);
        let one = self.known(1);
        self.asm.zeroing(ops::SPREAD.of(self.form(v)), x, one, m);
        x
    }

    /// Writes a row of bytes, in the lanes of a word if one is given.
    pub(super) fn store_bytes(&mut self, row: Mem, value: Value, lanes: Option<i32>) {
        if self.is_mask(value) && lanes.is_none() && self.lanes == LANES {
            let m = self.mask_of(value);
            self.asm.address(RDX, row);
            self.asm.mask_to(RAX, m);
            self.asm.constant(RCX, ONES);
            self.asm.deal_bits(RAX, RAX, RCX);
            self.asm.store_word(Mem { base: RDX, off: 0 }, RAX);
            return;
        }
        let x = self.bytes_of(value);
        self.store_some_bytes(self.form(value), row, x, lanes);
    }

    /// Writes a row of the low bytes of a register, in the lanes of a word if one is given.
    pub(super) fn store_some_bytes(&mut self, form: Form, row: Mem, x: Zmm, lanes: Option<i32>) {
        let mask = self.lanes_of(lanes);
        if mask == ALL || self.machine() == Machine::Avx512 {
            return self.asm.store_bytes(form, row, x, mask);
        }
        let area = self.call_area(2);
        let place = self.frame(area);
        self.asm.store_bytes(form, place, x, ALL);
        self.each_byte(place, row, mask);
    }

    /// A row with the bytes of another one in the lanes of a mask, of which no other is read.
    fn bytes_one_by_one(&mut self, row: Mem, mask: Mask) -> Mem {
        let area = self.call_area(2);
        let place = self.frame(area);
        self.each_byte(row, place, mask);
        place
    }

    /// Copies bytes in the lanes of a mask, to the frame or from there; in the frame, the others are 0.
    fn each_byte(&mut self, from: Mem, to: Mem, mask: Mask) {
        const USED: [Gpr; 4] = [RAX, RCX, RDX, RSI];
        let (head, next, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        let words = self.lanes / 8;
        let asm = &mut self.asm;
        let of = |base| Mem { base, off: 0 };
        USED.into_iter().for_each(|r| asm.push(r));
        // The base of what is outside may be any of the registers.
        if from.base == RBX {
            asm.address(RDX, to);
            asm.address(RSI, from);
        } else {
            asm.address(RSI, from);
            asm.address(RDX, to);
            asm.constant(RAX, 0);
            for word in 0..words {
                let off = to.off + 8 * word as i32;
                asm.store_word(Mem { off, ..to }, RAX);
            }
        }
        asm.mask_to(RCX, mask);
        asm.place(head);
        asm.int_by(Int::Compare, RCX, 0);
        asm.jump_if(Cond::Equal, end);
        asm.shift_right(RCX, 1);
        asm.jump_if(Cond::NotBelow, next);
        asm.load_byte(RAX, of(RSI));
        asm.store_byte(of(RDX), RAX);
        asm.place(next);
        asm.int_by(Int::Add, RSI, 1);
        asm.int_by(Int::Add, RDX, 1);
        asm.jump(head);
        asm.place(end);
        USED.into_iter().rev().for_each(|r| asm.pop(r));
    }

    /// Writes elements of some bytes at the numbers of each lane, in the lanes of the scratch mask register, in order
    /// of the lanes.
    pub(super) fn scatter_one_by_one(
        &mut self,
        at: Mem,
        numbers: Zmm,
        (x, form): (Zmm, Form),
        bytes: usize,
    ) {
        let area = self.call_area(2);
        let (row, elements) = (self.frame(area), self.frame(area + 64));
        let (head, next, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        let words = match form {
            Form::Words => x,
            _ => self.take(None),
        };
        let asm = &mut self.asm;
        asm.address(RDX, at);
        asm.store(row, numbers, ALL);
        if form != Form::Words {
            asm.two(convert::UNSIGNED, words, Src::Reg(x), ALL);
        }
        asm.store(elements, words, ALL);
        asm.push(RSI);
        asm.push(RDI);
        asm.mask_to(RSI, WORK);
        asm.address(RDI, row);
        asm.place(head);
        asm.int_by(Int::Compare, RSI, 0);
        asm.jump_if(Cond::Equal, end);
        asm.shift_right(RSI, 1);
        asm.jump_if(Cond::NotBelow, next);
        let of = |base, off| Mem { base, off };
        asm.load(RCX, of(RDI, 0));
        if bytes > 1 {
            asm.shift_left(RCX, bytes.trailing_zeros() as u8);
        }
        asm.int(Int::Add, RCX, RDX);
        asm.load(RAX, of(RDI, 64));
        match bytes {
            1 => asm.store_byte(of(RCX, 0), RAX),
            4 => asm.store_half(of(RCX, 0), RAX),
            _ => asm.store_word(of(RCX, 0), RAX),
        }
        asm.place(next);
        asm.int_by(Int::Add, RDI, size_of::<u64>() as i32);
        asm.jump(head);
        asm.place(end);
        asm.pop(RDI);
        asm.pop(RSI);
    }
}

/// The lowest bit of each of eight bytes.
const ONES: i64 = 0x0101_0101_0101_0101;
