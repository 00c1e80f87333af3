//! Instructions of x86-64 with AVX-512, as bytes.
//!
//! Vector instructions have one form: a destination, a first source in a register, and a second source
//! that is a register, a vector in memory, or one element in memory for all lanes. A mask register says
//! which lanes of the destination are written. (Intel, "Software Developer's Manual", volume 2, chapter 2.)

use std::fmt;

/// A vector register of 512 bits, 0 to 31.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Zmm(pub u8);

/// A mask register, 0 to 7. As the mask of an instruction, 0 is "all lanes".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mask(pub u8);

/// A general register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gpr(pub u8);

pub(super) const RAX: Gpr = Gpr(0);
pub(super) const RCX: Gpr = Gpr(1);
pub(super) const RDX: Gpr = Gpr(2);
pub(super) const RBX: Gpr = Gpr(3);
pub(super) const RBP: Gpr = Gpr(5);
pub(super) const RSI: Gpr = Gpr(6);
pub(super) const RDI: Gpr = Gpr(7);
const RSP: Gpr = Gpr(4);

/// All lanes.
pub(super) const ALL: Mask = Mask(0);

/// An address: a register and an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mem {
    pub base: Gpr,
    pub off: i32,
}

/// The second source of a vector instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Src {
    Reg(Zmm),
    /// Eight elements.
    Row(Mem),
    /// One element for all lanes.
    Each(Mem),
}

/// A vector instruction: its opcode map, prefix, opcode and name. All work on 64-bit elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Op {
    map: u8,
    prefix: u8,
    code: u8,
    name: &'static str,
}

const fn op(map: u8, prefix: u8, code: u8, name: &'static str) -> Op {
    Op {
        map,
        prefix,
        code,
        name,
    }
}

/// Prefixes by number: 1 is 66, 2 is F3, 3 is F2.
pub(super) mod ops {
    use super::{Op, op};

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
    pub(crate) const STORE_LOW: Op = op(1, 3, 0x11, "vmovsd");
    pub(crate) const GATHER: Op = op(2, 1, 0x91, "vpgatherqq");
    pub(crate) const SCATTER: Op = op(2, 1, 0xa1, "vpscatterqq");

    pub(crate) const ADD_INT: Op = op(1, 1, 0xd4, "vpaddq");
    pub(crate) const SUB_INT: Op = op(1, 1, 0xfb, "vpsubq");
    pub(crate) const MUL_INT: Op = op(2, 1, 0x40, "vpmullq");
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

    /// The fused product, by the sign of the product, the sign of the addend, and which source the result
    /// is written over: 0, the first factor, with the addend second; 1, the first factor, with the addend
    /// last; 2, the addend.
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

/// Instructions on mask registers, eight lanes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MaskOp {
    And = 0x41,
    /// Not the first, and the second.
    AndNot = 0x42,
    Or = 0x45,
    /// The opposite of `Xor`.
    Xnor = 0x46,
    Xor = 0x47,
}

/// Arithmetic on general registers, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Int {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Compare = 7,
}

/// Ways to shift, by number: a rotation, zeros from the right, zeros from the left, the sign from the left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shift {
    Rol = 0,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// Conditions, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cond {
    Below = 2,
    Equal = 4,
    NotEqual = 5,
    BelowOrEqual = 6,
    Less = 12,
    NotLess = 13,
    LessOrEqual = 14,
    Greater = 15,
}

impl fmt::Display for Cond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cond::Below => "b",
            Cond::Equal => "e",
            Cond::NotEqual => "ne",
            Cond::BelowOrEqual => "be",
            Cond::Less => "l",
            Cond::NotLess => "nl",
            Cond::LessOrEqual => "le",
            Cond::Greater => "g",
        })
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Int::Add => "add",
            Int::Or => "or",
            Int::And => "and",
            Int::Sub => "sub",
            Int::Xor => "xor",
            Int::Compare => "cmp",
        })
    }
}

impl fmt::Display for MaskOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MaskOp::And => "kandb",
            MaskOp::AndNot => "kandnb",
            MaskOp::Or => "korb",
            MaskOp::Xnor => "kxnorb",
            MaskOp::Xor => "kxorb",
        })
    }
}

/// The lanes that an instruction writes, in its text.
struct Lanes(Mask);

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ALL => Ok(()),
            mask => write!(f, "{{{mask}}}"),
        }
    }
}

/// A place in the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Label(usize);

/// Code as it grows.
pub(super) struct Asm {
    bytes: Vec<u8>,
    labels: Vec<Option<usize>>,
    /// Where the distance to a label is to be written.
    jumps: Vec<(usize, Label)>,
    /// The text of it, if wanted.
    text: Option<String>,
}

impl fmt::Display for Zmm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zmm{}", self.0)
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.0)
    }
}

impl fmt::Display for Gpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "r{}", self.0),
        }
    }
}

impl fmt::Display for Mem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}{:+}]", self.base, self.off)
    }
}

impl fmt::Display for Src {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Src::Reg(r) => r.fmt(f),
            Src::Row(m) => m.fmt(f),
            Src::Each(m) => write!(f, "{m}{{1to8}}"),
        }
    }
}

impl Asm {
    pub(super) fn new(listing: bool) -> Asm {
        Asm {
            bytes: Vec::new(),
            labels: Vec::new(),
            jumps: Vec::new(),
            text: listing.then(String::new),
        }
    }

    fn line(&mut self, text: impl FnOnce() -> String) {
        if let Some(all) = &mut self.text {
            all.push_str("  ");
            all.push_str(&text());
            all.push('\n');
        }
    }

    /// The code, every jump reaching its label, and its text.
    pub(super) fn finish(mut self) -> (Vec<u8>, Option<String>) {
        for (at, label) in self.jumps {
            let to = self.labels[label.0].expect("every label has its place");
            let distance = to as i64 - (at as i64 + 4);
            let distance = i32::try_from(distance).expect("code is shorter than 2 GB");
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        (self.bytes, self.text)
    }

    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.bytes.len());
        if let Some(text) = &mut self.text {
            text.push_str(&format!("label{}:\n", label.0));
        }
    }

    /// The last bytes of an instruction that name a register or memory: what stands in the middle field,
    /// and memory, whose offset may be one byte in units of `unit`, if that is not 0.
    fn memory(&mut self, middle: u8, m: Mem, unit: i32) {
        let low = m.base.0 & 7;
        let short = match unit {
            0 => None,
            _ if m.off % unit == 0 => i8::try_from(m.off / unit).ok(),
            _ => None,
        };
        let none = m.off == 0 && low != RBP.0;
        let mode = if none {
            0
        } else if short.is_some() {
            0x40
        } else {
            0x80
        };
        self.bytes.push(mode | ((middle & 7) << 3) | low);
        if low == RSP.0 {
            self.bytes.push(0x24);
        }
        match short {
            _ if none => {}
            Some(n) => self.bytes.push(n as u8),
            None => self.bytes.extend(m.off.to_le_bytes()),
        }
    }

    /// The four bytes before the opcode of an AVX-512 instruction. `high` has the fifth and fourth bits of
    /// what the last field names.
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
        self.bytes.push(0x80 | ((!first & 15) << 3) | 4 | op.prefix);
        let wide = 0x40;
        self.bytes.push(
            u8::from(zero) << 7
                | wide
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
                // A load of one element has no flag: its name says it.
                let single = op == ops::SPREAD || op == ops::STORE_LOW;
                self.evex(
                    op,
                    to,
                    first,
                    (false, m.base.0 & 8 != 0),
                    each && !single,
                    mask,
                    zero,
                );
                self.memory(to, m, if each || single { 8 } else { 64 });
            }
        }
    }

    /// `to = op(first, second)` in the lanes of the mask; the others stay.
    pub(super) fn three(&mut self, op: Op, to: Zmm, first: Zmm, second: Src, mask: Mask) {
        self.line(|| format!("{} {to}{}, {first}, {second}", op.name, Lanes(mask)));
        self.vector(op, to.0, first.0, second, mask, false);
    }

    /// `to = op(from)` in the lanes of the mask; the others stay.
    pub(super) fn two(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        self.line(|| format!("{} {to}{}, {from}", op.name, Lanes(mask)));
        self.vector(op, to.0, 0, from, mask, false);
    }

    /// `to = op(from)` in the lanes of the mask; the others are 0.
    pub(super) fn zeroing(&mut self, op: Op, to: Zmm, from: Src, mask: Mask) {
        self.line(|| match mask {
            ALL => format!("{} {to}, {from}", op.name),
            _ => format!("{} {to}{{{mask}}}{{z}}, {from}", op.name),
        });
        self.vector(op, to.0, 0, from, mask, mask != ALL);
    }

    /// `to = op(from)`, the operation as the number says.
    pub(super) fn two_by(&mut self, op: Op, to: Zmm, from: Src, how: u8) {
        self.line(|| format!("{} {to}, {from}, {how}", op.name));
        self.vector(op, to.0, 0, from, ALL, false);
        self.bytes.push(how);
    }

    /// A comparison, as the number says.
    pub(super) fn compare(&mut self, op: Op, to: Mask, first: Zmm, second: Src, how: u8) {
        self.line(|| format!("{} {to}, {first}, {second}, {how}", op.name));
        self.vector(op, to.0, first.0, second, ALL, false);
        self.bytes.push(how);
    }

    /// A register in all lanes.
    pub(super) fn spread(&mut self, to: Zmm, from: Gpr) {
        self.line(|| format!("vpbroadcastq {to}, {from}"));
        let high = (false, from.0 & 8 != 0);
        self.evex(ops::SPREAD_WORD, to.0, 0, high, false, ALL, false);
        self.bytes.push(0xc0 | ((to.0 & 7) << 3) | (from.0 & 7));
    }

    /// Stores eight elements, those of the mask.
    pub(super) fn store(&mut self, to: Mem, from: Zmm, mask: Mask) {
        self.line(|| format!("vmovupd {to}{}, {from}", Lanes(mask)));
        self.vector(ops::STORE, from.0, 0, Src::Row(to), mask, false);
    }

    /// Stores the element of the first lane.
    pub(super) fn store_low(&mut self, to: Mem, from: Zmm) {
        self.line(|| format!("vmovsd {to}, {from}"));
        self.vector(ops::STORE_LOW, from.0, 0, Src::Row(to), ALL, false);
    }

    /// Elements that lie apart: at the address plus eight times the index of the lane. The mask is
    /// cleared.
    pub(super) fn gather(&mut self, to: Zmm, from: Mem, index: Zmm, mask: Mask) {
        self.line(|| format!("vpgatherqq {to}{{{mask}}}, {from} + 8 {index}"));
        self.apart(ops::GATHER, to.0, from, index, mask);
    }

    /// The same, to be stored, lane by lane.
    pub(super) fn scatter(&mut self, to: Mem, index: Zmm, from: Zmm, mask: Mask) {
        self.line(|| format!("vpscatterqq {to} + 8 {index}{{{mask}}}, {from}"));
        self.apart(ops::SCATTER, from.0, to, index, mask);
    }

    fn apart(&mut self, op: Op, reg: u8, at: Mem, index: Zmm, mask: Mask) {
        let high = (index.0 & 8 != 0, at.base.0 & 8 != 0);
        // The first source has no register, but its fifth bit is the index's.
        self.evex(op, reg, index.0 & 16, high, false, mask, false);
        self.bytes.push(0x84 | ((reg & 7) << 3));
        self.bytes
            .push(0xc0 | ((index.0 & 7) << 3) | (at.base.0 & 7));
        self.bytes.extend(at.off.to_le_bytes());
    }

    /// The prefix of an instruction on masks: long ones have two sources.
    fn vex(&mut self, first: u8, base: u8, pair: bool) {
        let b = if base & 8 != 0 { 0 } else { 0x20 };
        self.bytes.extend([
            0xc4,
            0xc0 | b | 1,
            ((!first & 15) << 3) | u8::from(pair) << 2 | 1,
        ]);
    }

    pub(super) fn mask_op(&mut self, op: MaskOp, to: Mask, first: Mask, second: Mask) {
        self.line(|| format!("{op} {to}, {first}, {second}"));
        self.vex(first.0, 0, true);
        self.bytes.extend([op as u8, 0xc0 | (to.0 << 3) | second.0]);
    }

    pub(super) fn mask_not(&mut self, to: Mask, from: Mask) {
        self.line(|| format!("knotb {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x44, 0xc0 | (to.0 << 3) | from.0]);
    }

    /// Sets the zero flag if no lane is set.
    pub(super) fn mask_test(&mut self, m: Mask) {
        self.line(|| format!("kortestb {m}, {m}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x98, 0xc0 | (m.0 << 3) | m.0]);
    }

    pub(super) fn mask_load(&mut self, to: Mask, from: Mem) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, from.base.0, false);
        self.bytes.push(0x90);
        self.memory(to.0, from, 1);
    }

    pub(super) fn mask_store(&mut self, to: Mem, from: Mask) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, to.base.0, false);
        self.bytes.push(0x91);
        self.memory(from.0, to, 1);
    }

    pub(super) fn mask_copy(&mut self, to: Mask, from: Mask) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x90, 0xc0 | (to.0 << 3) | from.0]);
    }

    pub(super) fn mask_from(&mut self, to: Mask, from: Gpr) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, from.0, false);
        self.bytes.extend([0x92, 0xc0 | (to.0 << 3) | (from.0 & 7)]);
    }

    /// The lanes of a mask as the low bits of one of the first eight registers.
    pub(super) fn mask_to(&mut self, to: Gpr, from: Mask) {
        self.line(|| format!("kmovb {to}, {from}"));
        self.vex(0, 0, false);
        self.bytes.extend([0x93, 0xc0 | (to.0 << 3) | from.0]);
    }

    /// Clears the upper halves of the vector registers.
    pub(super) fn clear_upper(&mut self) {
        self.line(|| "vzeroupper".into());
        self.bytes.extend([0xc5, 0xf8, 0x77]);
    }

    fn rex(&mut self, reg: u8, base: u8) {
        self.bytes.push(0x48 | (reg >> 3) << 2 | base >> 3);
    }

    fn pair(&mut self, code: &[u8], reg: u8, other: Gpr) {
        self.rex(reg, other.0);
        self.bytes.extend(code);
        self.bytes.push(0xc0 | ((reg & 7) << 3) | (other.0 & 7));
    }

    fn with(&mut self, code: &[u8], reg: u8, m: Mem) {
        self.rex(reg, m.base.0);
        self.bytes.extend(code);
        self.memory(reg, m, 1);
    }

    pub(super) fn copy(&mut self, to: Gpr, from: Gpr) {
        if to != from {
            self.line(|| format!("mov {to}, {from}"));
            self.pair(&[0x89], from.0, to);
        }
    }

    pub(super) fn load(&mut self, to: Gpr, from: Mem) {
        self.line(|| format!("mov {to}, {from}"));
        self.with(&[0x8b], to.0, from);
    }

    /// A byte, zeros above.
    pub(super) fn load_byte(&mut self, to: Gpr, from: Mem) {
        self.line(|| format!("movzx {to}, byte {from}"));
        self.with(&[0x0f, 0xb6], to.0, from);
    }

    pub(super) fn store_word(&mut self, to: Mem, from: Gpr) {
        self.line(|| format!("mov {to}, {from}"));
        self.with(&[0x89], from.0, to);
    }

    pub(super) fn constant(&mut self, to: Gpr, n: i64) {
        self.line(|| format!("mov {to}, {n}"));
        if let Ok(n) = i32::try_from(n) {
            self.pair(&[0xc7], 0, to);
            self.bytes.extend(n.to_le_bytes());
            return;
        }
        self.rex(0, to.0);
        self.bytes.push(0xb8 | (to.0 & 7));
        self.bytes.extend(n.to_le_bytes());
    }

    pub(super) fn int(&mut self, op: Int, to: Gpr, from: Gpr) {
        self.line(|| format!("{op} {to}, {from}"));
        self.pair(&[(op as u8) << 3 | 1], from.0, to);
    }

    pub(super) fn int_with(&mut self, op: Int, to: Gpr, from: Mem) {
        self.line(|| format!("{op} {to}, {from}"));
        self.with(&[(op as u8) << 3 | 3], to.0, from);
    }

    pub(super) fn int_by(&mut self, op: Int, to: Gpr, n: i32) {
        self.line(|| format!("{op} {to}, {n}"));
        self.pair(&[0x81], op as u8, to);
        self.bytes.extend(n.to_le_bytes());
    }

    pub(super) fn multiply(&mut self, to: Gpr, from: Gpr) {
        self.line(|| format!("imul {to}, {from}"));
        self.pair(&[0x0f, 0xaf], to.0, from);
    }

    pub(super) fn multiply_by(&mut self, to: Gpr, from: Gpr, n: i32) {
        self.line(|| format!("imul {to}, {from}, {n}"));
        self.pair(&[0x69], to.0, from);
        self.bytes.extend(n.to_le_bytes());
    }

    /// Divides rax, signed: rax has the quotient, rdx the remainder.
    pub(super) fn divide(&mut self, by: Gpr) {
        self.line(|| format!("cqo; idiv {by}"));
        self.bytes.extend([0x48, 0x99]);
        self.pair(&[0xf7], 7, by);
    }

    pub(super) fn negate(&mut self, r: Gpr) {
        self.line(|| format!("neg {r}"));
        self.pair(&[0xf7], 3, r);
    }

    pub(super) fn invert(&mut self, r: Gpr) {
        self.line(|| format!("not {r}"));
        self.pair(&[0xf7], 2, r);
    }

    pub(super) fn shift_left(&mut self, r: Gpr, by: u8) {
        self.line(|| format!("shl {r}, {by}"));
        self.pair(&[0xc1], 4, r);
        self.bytes.push(by);
    }

    /// Shifts or rotates by the low six bits of rcx.
    pub(super) fn shift_by_rcx(&mut self, r: Gpr, how: Shift) {
        self.line(|| format!("{how:?} {r}, cl").to_lowercase());
        self.pair(&[0xd3], how as u8, r);
    }

    pub(super) fn address(&mut self, to: Gpr, of: Mem) {
        self.line(|| format!("lea {to}, {of}"));
        self.with(&[0x8d], to.0, of);
    }

    /// The condition as 0 or 1.
    pub(super) fn set(&mut self, cond: Cond, to: Gpr) {
        self.line(|| format!("set{cond} {to}"));
        self.rex(0, to.0);
        self.bytes
            .extend([0x0f, 0x90 | cond as u8, 0xc0 | (to.0 & 7)]);
        self.pair(&[0x0f, 0xb6], to.0, to);
    }

    pub(super) fn move_if(&mut self, cond: Cond, to: Gpr, from: Gpr) {
        self.line(|| format!("cmov{cond} {to}, {from}"));
        self.pair(&[0x0f, 0x40 | cond as u8], to.0, from);
    }

    /// The low `n` bits of `from`.
    pub(super) fn low_bits(&mut self, to: Gpr, from: Gpr, n: Gpr) {
        self.line(|| format!("bzhi {to}, {from}, {n}"));
        self.general(2, 0, 0xf5, to, n, from);
    }

    /// The bits of `from` that the mask picks, side by side.
    pub(super) fn collect_bits(&mut self, to: Gpr, from: Gpr, mask: Gpr) {
        self.line(|| format!("pext {to}, {from}, {mask}"));
        self.general(2, 2, 0xf5, to, from, mask);
    }

    /// The low bits of `from`, each where the mask has its next.
    pub(super) fn deal_bits(&mut self, to: Gpr, from: Gpr, mask: Gpr) {
        self.line(|| format!("pdep {to}, {from}, {mask}"));
        self.general(2, 3, 0xf5, to, from, mask);
    }

    fn general(&mut self, map: u8, prefix: u8, code: u8, to: Gpr, first: Gpr, second: Gpr) {
        let inverted = |r: Gpr, at: u8| if r.0 & 8 != 0 { 0 } else { 1 << at };
        self.bytes.extend([
            0xc4,
            inverted(to, 7) | 0x40 | inverted(second, 5) | map,
            0x80 | ((!first.0 & 15) << 3) | prefix,
            code,
            0xc0 | ((to.0 & 7) << 3) | (second.0 & 7),
        ]);
    }

    pub(super) fn jump(&mut self, to: Label) {
        self.line(|| format!("jmp label{}", to.0));
        self.bytes.push(0xe9);
        self.reach(to);
    }

    pub(super) fn jump_if(&mut self, cond: Cond, to: Label) {
        self.line(|| format!("j{cond} label{}", to.0));
        self.bytes.extend([0x0f, 0x80 | cond as u8]);
        self.reach(to);
    }

    fn reach(&mut self, to: Label) {
        self.jumps.push((self.bytes.len(), to));
        self.bytes.extend([0; 4]);
    }

    pub(super) fn call(&mut self, f: Gpr) {
        self.line(|| format!("call {f}"));
        if f.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.extend([0xff, 0xd0 | (f.0 & 7)]);
    }

    pub(super) fn push(&mut self, r: Gpr) {
        self.line(|| format!("push {r}"));
        if r.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x50 | (r.0 & 7));
    }

    pub(super) fn pop(&mut self, r: Gpr) {
        self.line(|| format!("pop {r}"));
        if r.0 & 8 != 0 {
            self.bytes.push(0x41);
        }
        self.bytes.push(0x58 | (r.0 & 7));
    }

    pub(super) fn ret(&mut self) {
        self.line(|| "ret".into());
        self.bytes.push(0xc3);
    }
}
