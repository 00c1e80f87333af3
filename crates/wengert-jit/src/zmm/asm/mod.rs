//! An assembler for x86-64 with AVX-512, and for AVX2, with pairs of registers in the place of those of 512 bits.
//! (Intel, "Software Developer's Manual", volume 2, chapter 2.)

mod general;
mod lines;
mod pairs;
mod table;
mod vector;

pub(super) use self::lines::Traced;
pub(super) use self::table::{Form, Op, convert, ops};

use std::fmt;

use wengert_run::Cpu;

use self::lines::Lines;

/// The vector registers of a processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Machine {
    /// Registers of 512 bits and of masks.
    Avx512,
    /// Registers of 256 bits, which are used in pairs.
    Avx2,
}

impl Machine {
    /// That of a processor, if vector loops can be written for it.
    pub(crate) fn of(cpu: Cpu) -> Option<Machine> {
        match cpu.wide_loops()? {
            512 => Some(Machine::Avx512),
            _ => Some(Machine::Avx2),
        }
    }

    /// The number of vector registers of 512 bits, or of pairs.
    pub(super) fn registers(self) -> u8 {
        match self {
            Machine::Avx512 => 32,
            Machine::Avx2 => pairs::PAIRS,
        }
    }

    /// A vector register for moves where all are taken; what it holds is set aside.
    pub(super) fn last(self) -> Zmm {
        Zmm(self.registers() - 1)
    }

    /// The number of registers for values that a loop carries.
    pub(super) fn carried(self) -> usize {
        match self {
            Machine::Avx512 => 20,
            Machine::Avx2 => 5,
        }
    }

    /// The number of registers that a loop may hold from step to step.
    pub(super) fn held(self) -> usize {
        match self {
            Machine::Avx512 => 28,
            Machine::Avx2 => 5,
        }
    }

    /// The largest distance of the next use, in statements, for which a value is loaded to a register, although the
    /// operation could read it from memory. Where registers are few, another value would have to go.
    pub(super) fn soon(self) -> u32 {
        match self {
            Machine::Avx512 => 64,
            Machine::Avx2 => 6,
        }
    }

    /// The number of general registers for addresses.
    pub(super) fn pointers(self) -> usize {
        match self {
            Machine::Avx512 => 10,
            // One is for masks.
            Machine::Avx2 => 9,
        }
    }
}

/// A vector register of 512 bits, 0 to 31, or one of seven pairs.
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
    /// A vector of elements.
    Row(Mem),
    /// One element for all lanes.
    Each(Mem),
}

/// Instructions on mask registers.
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
            MaskOp::And => "kand",
            MaskOp::AndNot => "kandn",
            MaskOp::Or => "kor",
            MaskOp::Xnor => "kxnor",
            MaskOp::Xor => "kxor",
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

/// Code that is written.
pub(super) struct Finished {
    pub bytes: Vec<u8>,
    pub text: Option<String>,
    pub lines: Option<Traced>,
}

/// Code under construction.
pub(super) struct Asm {
    machine: Machine,
    lanes: usize,
    /// Where the frame has the rows of masks, for AVX2.
    masks: i32,
    /// Rows of constants behind the code, and where it reads them: the place of the distance, the number of the row,
    /// and the bytes of the instruction after the distance.
    constants: Vec<[u64; 4]>,
    constants_used: Vec<(usize, usize, usize)>,
    bytes: Vec<u8>,
    labels: Vec<Option<usize>>,
    /// The positions at which the distance to a label is written at the end.
    jumps: Vec<(usize, Label)>,
    /// The listing, if requested.
    text: Option<String>,
    /// The places that the code comes from, if requested.
    lines: Option<Lines>,
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
    /// Code for 8 lanes, or for 16, whose masks have as many bits.
    pub(super) fn new(machine: Machine, lanes: usize, listing: bool) -> Asm {
        Asm {
            machine,
            lanes,
            masks: 0,
            constants: Vec::new(),
            constants_used: Vec::new(),
            bytes: Vec::new(),
            labels: Vec::new(),
            jumps: Vec::new(),
            text: listing.then(String::new),
            lines: None,
        }
    }

    /// Says where the frame has rows for masks, of as many bytes.
    pub(super) fn keep_masks(&mut self, at: i32) {
        self.masks = at;
    }

    /// The bytes of the rows of masks.
    pub(super) const MASKS: u32 = 8 * 64;

    /// The registers that it writes code for.
    pub(super) fn machine(&self) -> Machine {
        self.machine
    }

    fn line(&mut self, text: impl FnOnce() -> String) {
        if let Some(all) = &mut self.text {
            all.push_str("  ");
            all.push_str(&text());
            all.push('\n');
        }
    }

    /// The code with all jumps resolved, its listing, and the places that it comes from.
    pub(super) fn finish(mut self) -> Finished {
        for (at, label) in std::mem::take(&mut self.jumps) {
            let to = self.labels[label.0].expect("every label has its place");
            let distance = to as i64 - (at as i64 + 4);
            let distance = i32::try_from(distance).expect("code is shorter than 2 GB");
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        let lines = (self.lines.take()).map(|lines| lines.finish(self.bytes.len()));
        self.place_constants();
        Finished {
            bytes: self.bytes,
            text: self.text,
            lines,
        }
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
mod tests;
