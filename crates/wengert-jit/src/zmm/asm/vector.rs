//! Instructions on vector and mask registers.
//!
//! Vector instructions have one form: a destination, a first source in a register, and a second source
//! that is a register, a vector in memory, or one element in memory for all lanes. A mask register says
//! which lanes of the destination are written.

use super::{ALL, Asm, Gpr, Lanes, Mask, MaskOp, Mem, Src, Zmm};

/// A vector instruction: its opcode map, prefix, opcode and name. All but those of [`half`] work on
/// eight elements of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::zmm) struct Op {
    map: u8,
    prefix: u8,
    code: u8,
    name: &'static str,
    /// Whether elements have 64 bits.
    word: bool,
    /// The length of vectors: 128 bits, doubled so often.
    length: u8,
}

const fn op(map: u8, prefix: u8, code: u8, name: &'static str) -> Op {
    Op {
        map,
        prefix,
        code,
        name,
        word: true,
        length: 2,
    }
}

/// Instructions on eight floats of 32 bits, which take half a register.
pub(in crate::zmm) mod half {
    use super::{Op, op};

    const fn narrow(op: Op, length: u8) -> Op {
        Op {
            word: false,
            length,
            ..op
        }
    }

    pub(crate) const DIV: Op = narrow(op(1, 0, 0x5e, "vdivps"), 1);
    pub(crate) const ROUND: Op = narrow(op(3, 1, 0x08, "vrndscaleps"), 1);
    /// The third operand minus the product of the other two, over the third.
    pub(crate) const NEGATED_FMA: Op = narrow(op(2, 1, 0xbc, "vfnmadd231ps"), 1);
    /// From integers of 64 bits.
    pub(crate) const FROM_INT: Op = op(1, 0, 0x5b, "vcvtqq2ps");
    /// To integers of 64 bits.
    pub(crate) const TO_INT: Op = narrow(op(1, 1, 0x7a, "vcvttps2qq"), 2);
}

const fn single(op: Op) -> Op {
    Op { length: 0, ..op }
}

/// Prefixes by number: 1 is 66, 2 is F3, 3 is F2.
pub(in crate::zmm) mod ops {
    use super::{Op, op, single};

    pub(crate) const ADD: Op = op(1, 1, 0x58, "vaddpd");
    pub(crate) const MUL: Op = op(1, 1, 0x59, "vmulpd");
    pub(crate) const SUB: Op = op(1, 1, 0x5c, "vsubpd");
    pub(crate) const MIN: Op = op(1, 1, 0x5d, "vminpd");
    pub(crate) const DIV: Op = op(1, 1, 0x5e, "vdivpd");
    pub(crate) const MAX: Op = op(1, 1, 0x5f, "vmaxpd");
    pub(crate) const SQRT: Op = op(1, 1, 0x51, "vsqrtpd");
    pub(crate) const ROUND: Op = op(3, 1, 0x09, "vrndscalepd");
    pub(crate) const COMPARE: Op = op(1, 1, 0xc2, "vcmppd");
    pub(crate) const BLEND: Op = op(2, 1, 0x64, "vpblendmq");
    pub(crate) const SPREAD: Op = op(2, 1, 0x19, "vbroadcastsd");
    pub(crate) const SPREAD_WORD: Op = op(2, 1, 0x7c, "vpbroadcastq");
    pub(crate) const LOAD: Op = op(1, 1, 0x10, "vmovupd");
    pub(crate) const STORE: Op = op(1, 1, 0x11, "vmovupd");
    pub(crate) const STORE_LOW: Op = single(op(1, 3, 0x11, "vmovsd"));
    pub(crate) const LOAD_LOW: Op = single(op(1, 3, 0x10, "vmovsd"));
    /// Moves the first elements to the lanes of the mask, in order.
    pub(crate) const EXPAND: Op = op(2, 1, 0x89, "vpexpandq");
    pub(crate) const GATHER: Op = op(2, 1, 0x91, "vpgatherqq");
    pub(crate) const SCATTER: Op = op(2, 1, 0xa1, "vpscatterqq");

    pub(crate) const ADD_INT: Op = op(1, 1, 0xd4, "vpaddq");
    pub(crate) const SUB_INT: Op = op(1, 1, 0xfb, "vpsubq");
    pub(crate) const MUL_INT: Op = op(2, 1, 0x40, "vpmullq");
    /// The product of the low halves, unsigned.
    pub(crate) const MUL_LOW: Op = op(1, 1, 0xf4, "vpmuludq");
    pub(crate) const ABS_INT: Op = op(2, 1, 0x1f, "vpabsq");
    pub(crate) const MIN_INT: Op = op(2, 1, 0x39, "vpminsq");
    pub(crate) const MAX_INT: Op = op(2, 1, 0x3d, "vpmaxsq");
    pub(crate) const MIN_UNSIGNED: Op = op(2, 1, 0x3b, "vpminuq");
    pub(crate) const MAX_UNSIGNED: Op = op(2, 1, 0x3f, "vpmaxuq");
    pub(crate) const AND: Op = op(1, 1, 0xdb, "vpandq");
    pub(crate) const OR: Op = op(1, 1, 0xeb, "vporq");
    pub(crate) const XOR: Op = op(1, 1, 0xef, "vpxorq");
    pub(crate) const SHL: Op = op(2, 1, 0x47, "vpsllvq");
    pub(crate) const SHR: Op = op(2, 1, 0x46, "vpsravq");
    pub(crate) const SHR_LOGICAL: Op = op(2, 1, 0x45, "vpsrlvq");
    pub(crate) const ROTL: Op = op(2, 1, 0x15, "vprolvq");
    pub(crate) const COMPARE_INT: Op = op(3, 1, 0x1f, "vpcmpq");
    pub(crate) const COMPARE_UNSIGNED: Op = op(3, 1, 0x1e, "vpcmpuq");

    pub(crate) const FROM_INT: Op = op(1, 2, 0xe6, "vcvtqq2pd");
    pub(crate) const FROM_UNSIGNED: Op = op(1, 2, 0x7a, "vcvtuqq2pd");
    pub(crate) const TO_INT: Op = op(1, 1, 0x7a, "vcvttpd2qq");
    pub(crate) const TO_UNSIGNED: Op = op(1, 1, 0x78, "vcvttpd2uqq");

    /// The fused product, by the sign of the product, the sign of the addend, and the source that
    /// the result overwrites: 0, the first factor, with the addend second; 1, the first factor,
    /// with the addend last; 2, the addend.
    pub(crate) fn fma(negated: bool, subtracted: bool, form: usize) -> Op {
        const NAMES: [[&str; 3]; 4] = [
            ["vfmadd132pd", "vfmadd213pd", "vfmadd231pd"],
            ["vfmsub132pd", "vfmsub213pd", "vfmsub231pd"],
            ["vfnmadd132pd", "vfnmadd213pd", "vfnmadd231pd"],
            ["vfnmsub132pd", "vfnmsub213pd", "vfnmsub231pd"],
        ];
        let which = 2 * usize::from(negated) + usize::from(subtracted);
        let code = 0x98 + 0x10 * form as u8 + 2 * which as u8;
        op(2, 1, code, NAMES[which][form])
    }
}

/// A move of two or four elements, or of the lowest one.
fn few(op: Op, low: Op, lanes: usize) -> Op {
    match lanes {
        1 => low,
        _ => Op {
            length: lanes.trailing_zeros() as u8 - 1,
            ..op
        },
    }
}

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
            .push(u8::from(op.word) << 7 | ((!first & 15) << 3) | 4 | op.prefix);
        self.bytes.push(
            u8::from(zero) << 7
                | op.length << 5
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
                let single = [ops::SPREAD, ops::STORE_LOW, ops::LOAD_LOW].contains(&op);
                self.evex(
                    op,
                    to,
                    first,
                    (false, m.base.0 & 8 != 0),
                    each && !single,
                    mask,
                    zero,
                );
                self.memory(to, m, if each || single { 8 } else { 16 << op.length });
            }
        }
    }

    /// `to = op(first, second)` in the lanes of the mask; the others stay.
    pub(in crate::zmm) fn three(&mut self, op: Op, to: Zmm, first: Zmm, second: Src, mask: Mask) {
        self.line(|| format!("{} {to}{}, {first}, {second}", op.name, Lanes(mask)));
        self.vector(op, to.0, first.0, second, mask, false);
    }

    /// `to = op(from)` in the lanes of the mask; the others stay.
    pub(in crate::zmm) fn two(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        self.line(|| format!("{} {to}{}, {from}", op.name, Lanes(mask)));
        self.vector(op, to.0, 0, from, mask, false);
    }

    /// `to = op(from)` in the lanes of the mask; the others are 0.
    pub(in crate::zmm) fn zeroing(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        self.line(|| match mask {
            ALL => format!("{} {to}, {from}", op.name),
            _ => format!("{} {to}{{{mask}}}{{z}}, {from}", op.name),
        });
        self.vector(op, to.0, 0, from, mask, mask != ALL);
    }

    /// `to = op(from)`, with an immediate that selects the operation.
    pub(in crate::zmm) fn two_by(&mut self, op: Op, to: Zmm, from: Src, how: u8) {
        self.line(|| format!("{} {to}, {from}, {how}", op.name));
        self.vector(op, to.0, 0, from, ALL, false);
        self.bytes.push(how);
    }

    /// A comparison, which the immediate selects.
    pub(in crate::zmm) fn compare(&mut self, op: Op, to: Mask, first: Zmm, second: Src, how: u8) {
        self.line(|| format!("{} {to}, {first}, {second}, {how}", op.name));
        self.vector(op, to.0, first.0, second, ALL, false);
        self.bytes.push(how);
    }

    /// Copies a general register to all lanes.
    pub(in crate::zmm) fn spread(&mut self, to: Zmm, from: Gpr) {
        self.line(|| format!("vpbroadcastq {to}, {from}"));
        let high = (false, from.0 & 8 != 0);
        self.evex(ops::SPREAD_WORD, to.0, 0, high, false, ALL, false);
        self.bytes.push(0xc0 | ((to.0 & 7) << 3) | (from.0 & 7));
    }

    /// Stores the elements in the lanes of the mask.
    pub(in crate::zmm) fn store(&mut self, to: Mem, from: Zmm, mask: Mask) {
        self.line(|| format!("vmovupd {to}{}, {from}", Lanes(mask)));
        self.vector(ops::STORE, from.0, 0, Src::Row(to), mask, false);
    }

    /// Stores the element of the first lane.
    pub(in crate::zmm) fn store_low(&mut self, to: Mem, from: Zmm) {
        self.line(|| format!("vmovsd {to}, {from}"));
        self.vector(ops::STORE_LOW, from.0, 0, Src::Row(to), ALL, false);
    }

    /// Loads the first one, two or four elements; the others are 0.
    pub(in crate::zmm) fn load_few(&mut self, to: Zmm, from: Mem, lanes: usize) {
        let op = few(ops::LOAD, ops::LOAD_LOW, lanes);
        self.line(|| format!("{} {to}, {lanes} of {from}", op.name));
        self.vector(op, to.0, 0, Src::Row(from), ALL, false);
    }

    /// Stores the first one, two or four elements.
    pub(in crate::zmm) fn store_few(&mut self, to: Mem, from: Zmm, lanes: usize) {
        let op = few(ops::STORE, ops::STORE_LOW, lanes);
        self.line(|| format!("{} {lanes} of {to}, {from}", op.name));
        self.vector(op, from.0, 0, Src::Row(to), ALL, false);
    }

    /// Loads elements from the address plus eight times the index of each lane. The mask is
    /// cleared.
    pub(in crate::zmm) fn gather(&mut self, to: Zmm, from: Mem, index: Zmm, mask: Mask) {
        self.line(|| format!("vpgatherqq {to}{{{mask}}}, {from} + 8 {index}"));
        self.apart(ops::GATHER, to.0, from, index, mask);
    }

    /// Stores elements to the address plus eight times the index of each lane, in order of the
    /// lanes. The mask is cleared.
    pub(in crate::zmm) fn scatter(&mut self, to: Mem, index: Zmm, from: Zmm, mask: Mask) {
        self.line(|| format!("vpscatterqq {to} + 8 {index}{{{mask}}}, {from}"));
        self.apart(ops::SCATTER, from.0, to, index, mask);
    }

    fn apart(&mut self, op: Op, reg: u8, at: Mem, index: Zmm, mask: Mask) {
        let high = (index.0 & 8 != 0, at.base.0 & 8 != 0);
        // There is no first source, but its fifth bit is that of the index.
        self.evex(op, reg, index.0 & 16, high, false, mask, false);
        self.bytes.push(0x84 | ((reg & 7) << 3));
        self.bytes
            .push(0xc0 | ((index.0 & 7) << 3) | (at.base.0 & 7));
        self.bytes.extend(at.off.to_le_bytes());
    }

    /// The prefix of an instruction on masks; the long form has two sources.
    fn vex(&mut self, first: u8, base: u8, pair: bool) {
        let b = if base & 8 != 0 { 0 } else { 0x20 };
        self.bytes.extend([
            0xc4,
            0xc0 | b | 1,
            ((!first & 15) << 3) | u8::from(pair) << 2 | 1,
        ]);
    }

    pub(in crate::zmm) fn mask_op(&mut self, op: MaskOp, to: Mask, first: Mask, second: Mask) {
        self.line(|| format!("{op} {to}, {first}, {second}"));
        self.vex(first.0, 0, true);
        self.bytes.extend([op as u8, 0xc0 | (to.0 << 3) | second.0]);
    }

    pub(in crate::zmm) fn mask_not(&mut self, to: Mask, from: Mask) {
        self.line(|| format!("knotb {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x44, 0xc0 | (to.0 << 3) | from.0]);
    }

    /// Sets the zero flag if no lane is set.
    pub(in crate::zmm) fn mask_test(&mut self, m: Mask) {
        self.line(|| format!("kortestb {m}, {m}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x98, 0xc0 | (m.0 << 3) | m.0]);
    }

    pub(in crate::zmm) fn mask_load(&mut self, to: Mask, from: Mem) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, from.base.0, false);
        self.bytes.push(0x90);
        self.memory(to.0, from, 1);
    }

    pub(in crate::zmm) fn mask_store(&mut self, to: Mem, from: Mask) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, to.base.0, false);
        self.bytes.push(0x91);
        self.memory(from.0, to, 1);
    }

    pub(in crate::zmm) fn mask_copy(&mut self, to: Mask, from: Mask) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x90, 0xc0 | (to.0 << 3) | from.0]);
    }

    pub(in crate::zmm) fn mask_from(&mut self, to: Mask, from: Gpr) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, from.0, false);
        self.bytes.extend([0x92, 0xc0 | (to.0 << 3) | (from.0 & 7)]);
    }

    /// The lanes of a mask as the low bits of one of the first eight registers.
    pub(in crate::zmm) fn mask_to(&mut self, to: Gpr, from: Mask) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x93, 0xc0 | (to.0 << 3) | from.0]);
    }

    /// Clears the upper halves of the vector registers.
    pub(in crate::zmm) fn clear_upper(&mut self) {
        self.line(|| "vzeroupper".into());
        self.bytes.extend([0xc5, 0xf8, 0x77]);
    }
}
