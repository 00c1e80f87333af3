//! Instructions on vector and mask registers.
//!
//! Vector instructions have one form: a destination, a first source in a register, and a second source
//! that is a register, a vector in memory, or one element in memory for all lanes. A mask register says
//! which lanes of the destination are written.

use super::{
    ALL, Asm, Form, Gpr, Lanes, Machine, Mask, MaskOp, Mem, Op, RCX, RDX, Src, Zmm, convert, ops,
};

impl Asm {
    /// The four bytes before the opcode of an AVX-512 instruction. `high` holds the fifth and
    /// fourth bits of the operand of the last field.
    #[allow(clippy::too_many_arguments)]
    fn evex(
        &mut self,
        op: Op,
        to: u8,
        first: u8,
        high: (bool, bool),
        each: bool,
        mask: Mask,
        zero: bool,
    ) {
        let inverted = |bit: bool, at: u8| if bit { 0 } else { 1 << at };
        self.bytes.push(0x62);
        self.bytes.push(
            inverted(to & 8 != 0, 7)
                | inverted(high.0, 6)
                | inverted(high.1, 5)
                | inverted(to & 16 != 0, 4)
                | op.map,
        );
        self.bytes
            .push(u8::from(op.wide) << 7 | ((!first & 15) << 3) | 4 | op.prefix);
        // 0 for 128 bits, 1 for 256, 2 for 512.
        let length = (op.length / 32) << 5;
        self.bytes.push(
            u8::from(zero) << 7
                | length
                | u8::from(each) << 4
                | inverted(first & 16 != 0, 3)
                | mask.0,
        );
        self.bytes.push(op.code);
    }

    fn vector(&mut self, op: Op, to: u8, first: u8, second: Src, mask: Mask, zero: bool) {
        match second {
            Src::Reg(r) => {
                let high = (r.0 & 16 != 0, r.0 & 8 != 0);
                self.evex(op, to, first, high, false, mask, zero);
                self.bytes.push(0xc0 | ((to & 7) << 3) | (r.0 & 7));
            }
            Src::Row(m) | Src::Each(m) => {
                let each = matches!(second, Src::Each(_));
                // An instruction for one element has no broadcast flag.
                let single = op.single;
                self.evex(
                    op,
                    to,
                    first,
                    (false, m.base.0 & 8 != 0),
                    each && !single,
                    mask,
                    zero,
                );
                let unit = if each || single { op.each } else { op.row };
                self.memory(to, m, unit.into());
            }
        }
    }

    /// `to = op(first, second)` in the lanes of the mask; the others stay.
    pub(in crate::zmm) fn three(&mut self, op: Op, to: Zmm, first: Zmm, second: Src, mask: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_three(op, to, first, second, mask);
        }
        self.line(|| format!("{} {to}{}, {first}, {second}", op.name, Lanes(mask)));
        self.vector(op, to.0, first.0, second, mask, false);
    }

    /// `to = op(from)` in the lanes of the mask; the others stay.
    pub(in crate::zmm) fn two(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_two(op, to, from, mask);
        }
        self.line(|| format!("{} {to}{}, {from}", op.name, Lanes(mask)));
        self.vector(op, to.0, 0, from, mask, false);
    }

    /// `to = op(from)` in the lanes of the mask; the others are 0.
    pub(in crate::zmm) fn zeroing(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_zeroing(op, to, from, mask);
        }
        self.line(|| match mask {
            ALL => format!("{} {to}, {from}", op.name),
            _ => format!("{} {to}{{{mask}}}{{z}}, {from}", op.name),
        });
        self.vector(op, to.0, 0, from, mask, mask != ALL);
    }

    /// `to = op(from)`, with an immediate that selects the operation.
    pub(in crate::zmm) fn two_by(&mut self, op: Op, to: Zmm, from: Src, how: u8) {
        if self.machine == Machine::Avx2 {
            return self.pairs_round(op, to, from, how);
        }
        self.line(|| format!("{} {to}, {from}, {how}", op.name));
        self.vector(op, to.0, 0, from, ALL, false);
        self.bytes.push(how);
    }

    /// A comparison, which the immediate selects.
    pub(in crate::zmm) fn compare(&mut self, op: Op, to: Mask, first: Zmm, second: Src, how: u8) {
        if self.machine == Machine::Avx2 {
            return self.pairs_compare(op, to, first, second, how);
        }
        self.line(|| format!("{} {to}, {first}, {second}, {how}", op.name));
        self.vector(op, to.0, first.0, second, ALL, false);
        self.bytes.push(how);
    }

    /// The lanes that are not 0.
    pub(in crate::zmm) fn test(&mut self, op: Op, to: Mask, from: Zmm) {
        if self.machine == Machine::Avx2 {
            return self.pairs_test(op.form(), to, from);
        }
        self.line(|| format!("{op} {to}, {from}, {from}"));
        self.vector(op, to.0, from.0, Src::Reg(from), ALL, false);
    }

    /// Copies a general register to all lanes.
    pub(in crate::zmm) fn spread(&mut self, to: Zmm, from: Gpr) {
        self.spread_as(Form::Words, to, from);
    }

    /// Copies a general register, or its lower half, to all lanes of a form.
    pub(in crate::zmm) fn spread_as(&mut self, form: Form, to: Zmm, from: Gpr) {
        if self.machine == Machine::Avx2 {
            return self.pairs_spread(form, to, from);
        }
        let op = ops::SPREAD_WORD.of(form);
        self.line(|| format!("{op} {to}, {from}"));
        let high = (false, from.0 & 8 != 0);
        self.evex(op, to.0, 0, high, false, ALL, false);
        self.bytes.push(0xc0 | ((to.0 & 7) << 3) | (from.0 & 7));
    }

    /// Stores the elements in the lanes of the mask.
    pub(in crate::zmm) fn store(&mut self, to: Mem, from: Zmm, mask: Mask) {
        self.store_as(Form::Words, to, from, mask);
    }

    /// Stores elements of a form in the lanes of the mask.
    pub(in crate::zmm) fn store_as(&mut self, form: Form, to: Mem, from: Zmm, mask: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_store(form, to, from, mask);
        }
        let op = ops::STORE.of(form);
        self.line(|| format!("{op} {to}{}, {from}", Lanes(mask)));
        self.vector(op, from.0, 0, Src::Row(to), mask, false);
    }

    /// Stores the low byte of each element of 32 bits in the lanes of the mask; with AVX2 in all lanes.
    pub(in crate::zmm) fn store_bytes(&mut self, form: Form, to: Mem, from: Zmm, mask: Mask) {
        if self.machine == Machine::Avx2 {
            assert_eq!(mask, ALL, "bytes of some lanes");
            return self.pairs_store_bytes(form, to, from);
        }
        let op = convert::LOW_BYTES.with_bytes(form);
        self.line(|| format!("{op} {to}{}, {from}", Lanes(mask)));
        self.vector(op, from.0, 0, Src::Row(to), mask, false);
    }

    /// The upper half of a register, in the lower half of another.
    pub(in crate::zmm) fn upper_half(&mut self, to: Zmm, from: Zmm) {
        if self.machine == Machine::Avx2 {
            return self.pairs_upper_half(to, from);
        }
        self.line(|| format!("{} {to}, {from}, 1", ops::UPPER));
        self.vector(ops::UPPER, from.0, 0, Src::Reg(to), ALL, false);
        self.bytes.push(1);
    }

    /// Joins the lower half of a register and another half.
    pub(in crate::zmm) fn join(&mut self, to: Zmm, lower: Zmm, upper: Src) {
        if self.machine == Machine::Avx2 {
            return self.pairs_join(to, lower, upper);
        }
        self.line(|| format!("{} {to}, {lower}, {upper}, 1", ops::JOIN));
        self.vector(ops::JOIN, to.0, lower.0, upper, ALL, false);
        self.bytes.push(1);
    }

    /// `to` gets the low halves of words.
    pub(in crate::zmm) fn low_halves(&mut self, to: Zmm, from: Zmm) {
        if self.machine == Machine::Avx2 {
            return self.pairs_low_halves(to, from);
        }
        self.line(|| format!("{} {to}, {from}", convert::LOW));
        self.vector(convert::LOW, from.0, 0, Src::Reg(to), ALL, false);
    }

    /// The first element of 32 bits as a general register, one of the first eight.
    pub(in crate::zmm) fn move_low(&mut self, to: Gpr, from: Zmm) {
        if self.machine == Machine::Avx2 {
            return self.pairs_move_low(to, from);
        }
        self.line(|| format!("{} {to}, {from}", ops::MOVE_LOW));
        self.vector(ops::MOVE_LOW, from.0, 0, Src::Reg(Zmm(to.0)), ALL, false);
    }

    /// Stores the element of the first lane.
    pub(in crate::zmm) fn store_low(&mut self, to: Mem, from: Zmm) {
        if self.machine == Machine::Avx2 {
            return self.pairs_store_few(to, from, 8);
        }
        self.line(|| format!("vmovsd {to}, {from}"));
        self.vector(ops::STORE_LOW, from.0, 0, Src::Row(to), ALL, false);
    }

    /// Loads the first 8, 16 or 32 bytes; the others are 0.
    pub(in crate::zmm) fn load_few(&mut self, to: Zmm, from: Mem, bytes: u8) {
        if self.machine == Machine::Avx2 {
            return self.pairs_load_few(to, from, bytes);
        }
        let op = ops::LOAD.few(ops::LOAD_LOW, bytes);
        self.line(|| format!("{op} {to}, {bytes} bytes of {from}"));
        self.vector(op, to.0, 0, Src::Row(from), ALL, false);
    }

    /// Stores the first 8, 16 or 32 bytes.
    pub(in crate::zmm) fn store_few(&mut self, to: Mem, from: Zmm, bytes: u8) {
        if self.machine == Machine::Avx2 {
            return self.pairs_store_few(to, from, bytes);
        }
        let op = ops::STORE.few(ops::STORE_LOW, bytes);
        self.line(|| format!("{op} {bytes} bytes of {from}, {to}"));
        self.vector(op, from.0, 0, Src::Row(to), ALL, false);
    }

    /// Loads elements from the address plus the index of each lane times the size of an element, or of a byte, if
    /// elements of 32 bits are read at indices of bytes. The mask is cleared.
    pub(in crate::zmm) fn gather(
        &mut self,
        op: Op,
        to: Zmm,
        from: Mem,
        (index, scale): (Zmm, u8),
        mask: Mask,
    ) {
        if self.machine == Machine::Avx2 {
            return self.pairs_gather(op, to, from, (index, scale), mask);
        }
        self.line(|| format!("{op} {to}{{{mask}}}, {from} + {scale} {index}"));
        self.apart(op, to.0, from, (index, scale), mask);
    }

    /// The numbers from 0 on in the lanes of a mask, in order; `numbers` is the row of all, and `work` a register.
    /// It uses rcx and rdx.
    pub(in crate::zmm) fn ranks(&mut self, to: Zmm, numbers: Mem, work: Zmm, mask: Mask) {
        if self.machine == Machine::Avx2 {
            // Each byte of a word is the number of a lane.
            self.mask_to(RCX, mask);
            self.constant(RDX, 0x0101_0101_0101_0101);
            self.deal_bits(RCX, RCX, RDX);
            self.multiply_by(RCX, RCX, 0xff);
            self.constant(RDX, 0x0706_0504_0302_0100);
            self.deal_bits(RCX, RDX, RCX);
            return self.pairs_ranks(to, RCX);
        }
        self.two(ops::LOAD, work, Src::Row(numbers), ALL);
        self.zeroing(ops::EXPAND, to, Src::Reg(work), mask);
    }

    /// Stores elements to the address plus the index of each lane times the size of an element, in order of the
    /// lanes. The mask is cleared.
    pub(in crate::zmm) fn scatter(
        &mut self,
        op: Op,
        to: Mem,
        (index, scale): (Zmm, u8),
        from: Zmm,
        mask: Mask,
    ) {
        self.line(|| format!("{op} {to} + {scale} {index}{{{mask}}}, {from}"));
        self.apart(op, from.0, to, (index, scale), mask);
    }

    fn apart(&mut self, op: Op, reg: u8, at: Mem, (index, scale): (Zmm, u8), mask: Mask) {
        let high = (index.0 & 8 != 0, at.base.0 & 8 != 0);
        // There is no first source, but its fifth bit is that of the index.
        self.evex(op, reg, index.0 & 16, high, false, mask, false);
        self.bytes.push(0x84 | ((reg & 7) << 3));
        let scale = (scale.trailing_zeros() as u8) << 6;
        self.bytes
            .push(scale | ((index.0 & 7) << 3) | (at.base.0 & 7));
        self.bytes.extend(at.off.to_le_bytes());
    }

    /// The letter of the size of masks.
    fn mask_size(&self) -> char {
        if self.lanes == 8 { 'b' } else { 'w' }
    }

    /// The prefix of an instruction on masks; the long form has two sources.
    fn vex(&mut self, first: u8, base: u8, pair: bool) {
        let b = if base & 8 != 0 { 0 } else { 0x20 };
        let prefix = u8::from(self.lanes == 8);
        self.bytes.extend([
            0xc4,
            0xc0 | b | 1,
            ((!first & 15) << 3) | u8::from(pair) << 2 | prefix,
        ]);
    }

    pub(in crate::zmm) fn mask_op(&mut self, op: MaskOp, to: Mask, first: Mask, second: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_op(op, to, first, second);
        }
        let size = self.mask_size();
        self.line(|| format!("{op}{size} {to}, {first}, {second}"));
        self.vex(first.0, 0, true);
        self.bytes.extend([op as u8, 0xc0 | (to.0 << 3) | second.0]);
    }

    pub(in crate::zmm) fn mask_not(&mut self, to: Mask, from: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_not(to, from);
        }
        let size = self.mask_size();
        self.line(|| format!("knot{size} {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x44, 0xc0 | (to.0 << 3) | from.0]);
    }

    /// Sets the zero flag if no lane is set.
    pub(in crate::zmm) fn mask_test(&mut self, m: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_test(m);
        }
        let size = self.mask_size();
        self.line(|| format!("kortest{size} {m}, {m}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x98, 0xc0 | (m.0 << 3) | m.0]);
    }

    pub(in crate::zmm) fn mask_load(&mut self, to: Mask, from: Mem) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_load(to, from);
        }
        let size = self.mask_size();
        self.line(|| format!("kmov{size} {to}, {from}"));
        self.vex(0, from.base.0, false);
        self.bytes.push(0x90);
        self.memory(to.0, from, 1);
    }

    pub(in crate::zmm) fn mask_store(&mut self, to: Mem, from: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_store(to, from);
        }
        let size = self.mask_size();
        self.line(|| format!("kmov{size} {to}, {from}"));
        self.vex(0, to.base.0, false);
        self.bytes.push(0x91);
        self.memory(from.0, to, 1);
    }

    pub(in crate::zmm) fn mask_copy(&mut self, to: Mask, from: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_copy(to, from);
        }
        let size = self.mask_size();
        self.line(|| format!("kmov{size} {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x90, 0xc0 | (to.0 << 3) | from.0]);
    }

    pub(in crate::zmm) fn mask_from(&mut self, to: Mask, from: Gpr) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_from(to, from);
        }
        let size = self.mask_size();
        self.line(|| format!("kmov{size} {to}, {from}"));
        self.vex(0, from.0, false);
        self.bytes.extend([0x92, 0xc0 | (to.0 << 3) | (from.0 & 7)]);
    }

    /// The lanes of a mask as the low bits of one of the first eight registers.
    pub(in crate::zmm) fn mask_to(&mut self, to: Gpr, from: Mask) {
        if self.machine == Machine::Avx2 {
            return self.pairs_mask_to(to, from);
        }
        let size = self.mask_size();
        self.line(|| format!("kmov{size} {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x93, 0xc0 | (to.0 << 3) | from.0]);
    }

    /// Clears the upper halves of the vector registers.
    pub(in crate::zmm) fn clear_upper(&mut self) {
        self.line(|| "vzeroupper".into());
        self.bytes.extend([0xc5, 0xf8, 0x77]);
    }
}
