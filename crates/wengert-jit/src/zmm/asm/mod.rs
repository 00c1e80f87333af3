//! An assembler for x86-64 with AVX-512. (Intel, "Software Developer's Manual", volume 2, chapter
//! 2.)

mod general;
mod vector;

pub(super) use self::vector::{Op, half, ops};

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

/// Instructions on mask registers, eight lanes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MaskOp {
    And = 0x41,
    /// The second, and not the first.
    AndNot = 0x42,
    Or = 0x45,
    /// The complement of `Xor`.
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

/// Shifts, by number: rotation, left shift, logical right shift, arithmetic right shift.
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
    NotBelow = 3,
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
            Cond::NotBelow => "nb",
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

/// The mask of an instruction in the listing.
struct Lanes(Mask);

impl fmt::Display for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ALL => Ok(()),
            mask => write!(f, "{{{mask}}}"),
        }
    }
}

/// A position in the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Label(usize);

/// Code under construction.
pub(super) struct Asm {
    bytes: Vec<u8>,
    labels: Vec<Option<usize>>,
    /// The positions at which the distance to a label is written at the end.
    jumps: Vec<(usize, Label)>,
    /// The listing, if requested.
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

    /// The code with all jumps resolved, and its listing.
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

    /// Places a label here.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.bytes.len());
        if let Some(text) = &mut self.text {
            text.push_str(&format!("label{}:\n", label.0));
        }
    }

    /// The ModRM bytes of an instruction: the middle field, and a memory operand, whose offset may
    /// be one byte in units of `unit`, if that is not 0.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: Gpr, off: i32) -> Mem {
        Mem { base, off }
    }

    /// The bytes that the GNU assembler produces for the same instructions.
    #[test]
    fn bytes_are_those_of_an_assembler() {
        type Write<'a> = &'a dyn Fn(&mut Asm);
        let known: &[(Write<'_>, &[u8])] = &[
            (
                &|a| a.three(ops::ADD, Zmm(1), Zmm(18), Src::Reg(Zmm(31)), ALL),
                &[0x62, 0x91, 0xed, 0x40, 0x58, 0xcf],
            ),
            (
                &|a| a.three(ops::MUL, Zmm(17), Zmm(2), Src::Row(at(RBX, -192)), ALL),
                &[0x62, 0xe1, 0xed, 0x48, 0x59, 0x4b, 0xfd],
            ),
            (
                &|a| {
                    a.three(
                        ops::fma(true, false, 2),
                        Zmm(9),
                        Zmm(30),
                        Src::Each(at(Gpr(12), 8)),
                        ALL,
                    )
                },
                &[0x62, 0x52, 0x8d, 0x50, 0xbc, 0x4c, 0x24, 0x01],
            ),
            (
                &|a| a.compare(ops::COMPARE, Mask(3), Zmm(20), Src::Reg(Zmm(5)), 17),
                &[0x62, 0xf1, 0xdd, 0x40, 0xc2, 0xdd, 0x11],
            ),
            (
                &|a| {
                    a.three(
                        ops::BLEND,
                        Zmm(4),
                        Zmm(6),
                        Src::Row(at(Gpr(13), 100)),
                        Mask(5),
                    )
                },
                &[0x62, 0xd2, 0xcd, 0x4d, 0x64, 0xa5, 0x64, 0x00, 0x00, 0x00],
            ),
            (
                &|a| a.zeroing(ops::LOAD, Zmm(16), Src::Row(at(RSI, 0)), Mask(7)),
                &[0x62, 0xe1, 0xfd, 0xcf, 0x10, 0x06],
            ),
            (
                &|a| a.store(at(Gpr(8), 64), Zmm(25), ALL),
                &[0x62, 0x41, 0xfd, 0x48, 0x11, 0x48, 0x01],
            ),
            (
                &|a| a.store_few(at(RSI, 64), Zmm(17), 4),
                &[0x62, 0xe1, 0xfd, 0x28, 0x11, 0x4e, 0x02],
            ),
            (
                &|a| a.load_few(Zmm(2), at(Gpr(9), -16), 2),
                &[0x62, 0xd1, 0xfd, 0x08, 0x10, 0x51, 0xff],
            ),
            (
                &|a| a.load_few(Zmm(31), at(RDI, 8), 1),
                &[0x62, 0x61, 0xff, 0x08, 0x10, 0x7f, 0x01],
            ),
            (
                &|a| a.two(ops::SPREAD, Zmm(3), Src::Each(at(RBX, 1024)), ALL),
                &[0x62, 0xf2, 0xfd, 0x48, 0x19, 0x9b, 0x00, 0x04, 0x00, 0x00],
            ),
            (
                &|a| a.spread(Zmm(21), Gpr(9)),
                &[0x62, 0xc2, 0xfd, 0x48, 0x7c, 0xe9],
            ),
            (
                &|a| a.mask_load(Mask(1), at(Gpr(11), -5)),
                &[0xc4, 0xc1, 0x79, 0x90, 0x4b, 0xfb],
            ),
            (
                &|a| a.mask_from(Mask(2), Gpr(10)),
                &[0xc4, 0xc1, 0x79, 0x92, 0xd2],
            ),
            (
                &|a| a.low_bits(RCX, RCX, RAX),
                &[0xc4, 0xe2, 0xf8, 0xf5, 0xc9],
            ),
            (
                &|a| a.deal_bits(RAX, RAX, RCX),
                &[0xc4, 0xe2, 0xfb, 0xf5, 0xc1],
            ),
            (&|a| a.load(Gpr(12), at(RBP, 0)), &[0x4c, 0x8b, 0x65, 0x00]),
            (
                &|a| a.constant(RAX, 0x1122_3344_5566_7788),
                &[0x48, 0xb8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11],
            ),
            (
                &|a| a.multiply_by(Gpr(14), Gpr(14), 1000),
                &[0x4d, 0x69, 0xf6, 0xe8, 0x03, 0x00, 0x00],
            ),
            (
                &|a| a.move_if(Cond::Greater, RAX, RCX),
                &[0x48, 0x0f, 0x4f, 0xc1],
            ),
        ];
        for (write, bytes) in known {
            let mut asm = Asm::new(true);
            write(&mut asm);
            let (code, text) = asm.finish();
            assert_eq!(code, *bytes, "{}", text.expect("it was asked for"));
        }
    }
}
