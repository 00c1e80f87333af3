//! Instructions with a VEX prefix: their table, their bytes, and the constants that they read behind the code.

use std::fmt;

use super::super::{Asm, Gpr, Mem};

/// What the operands of an instruction are, in the order in which they are written: `R` is the field of the register,
/// `V` the one of the prefix, and `M` that of a register or memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Rm,
    Rvm,
    Mr,
    Mvr,
    /// The last register is the upper half of an immediate byte.
    Rvmr,
    /// The field of the register is part of the opcode.
    Vm(u8),
}

/// An instruction with a VEX prefix: its opcode map, prefix, opcode and name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Vex {
    map: u8,
    prefix: u8,
    code: u8,
    name: &'static str,
    wide: bool,
    order: Order,
}

/// An operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// The first 128 bits of a vector register.
    X(u8),
    /// A vector register.
    Y(u8),
    General(Gpr),
    At(Mem),
    /// A row of constants behind the code.
    Pool(usize),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::X(r) => write!(f, "xmm{r}"),
            Part::Y(r) => write!(f, "ymm{r}"),
            Part::General(r) => r.fmt(f),
            Part::At(m) => m.fmt(f),
            Part::Pool(n) => write!(f, "[constant{n}]"),
        }
    }
}

const fn vex(order: Order, map: u8, prefix: u8, code: u8, name: &'static str) -> Vex {
    Vex {
        map,
        prefix,
        code,
        name,
        wide: false,
        order,
    }
}

const fn wide(op: Vex) -> Vex {
    Vex { wide: true, ..op }
}

impl Vex {
    /// An instruction on two sources whose opcode is that of another encoding.
    pub(super) const fn of(
        (map, prefix, code): (u8, u8, u8),
        name: &'static str,
        wide: bool,
    ) -> Vex {
        Vex {
            wide,
            ..vex(Order::Rvm, map, prefix, code, name)
        }
    }

    /// The same for one source.
    pub(super) const fn of_one(self) -> Vex {
        Vex {
            order: Order::Rm,
            ..self
        }
    }
}

/// Prefixes by number: 1 is 66, 2 is F3, 3 is F2.
pub(super) mod table {
    use super::Order::{Mr, Mvr, Rm, Rvm, Rvmr, Vm};
    use super::{Vex, vex, wide};

    pub(crate) const MOVE: Vex = vex(Rm, 1, 0, 0x28, "vmovaps");
    /// The same with the operands in each other's place, which may be shorter.
    pub(crate) const MOVE_BACK: Vex = vex(Mr, 1, 0, 0x29, "vmovaps");
    pub(crate) const LOAD: Vex = vex(Rm, 1, 0, 0x10, "vmovups");
    pub(crate) const STORE: Vex = vex(Mr, 1, 0, 0x11, "vmovups");
    pub(crate) const LOAD_LOW: Vex = vex(Rm, 1, 3, 0x10, "vmovsd");
    pub(crate) const STORE_LOW: Vex = vex(Mr, 1, 3, 0x11, "vmovsd");
    pub(crate) const LOAD_MASKED: Vex = vex(Rvm, 2, 1, 0x2d, "vmaskmovpd");
    pub(crate) const STORE_MASKED: Vex = vex(Mvr, 2, 1, 0x2f, "vmaskmovpd");
    pub(crate) const LOAD_MASKED_HALF: Vex = vex(Rvm, 2, 1, 0x2c, "vmaskmovps");
    pub(crate) const STORE_MASKED_HALF: Vex = vex(Mvr, 2, 1, 0x2e, "vmaskmovps");
    pub(crate) const BLEND: Vex = vex(Rvmr, 3, 1, 0x4b, "vblendvpd");
    pub(crate) const BLEND_HALF: Vex = vex(Rvmr, 3, 1, 0x4a, "vblendvps");
    pub(crate) const SPREAD: Vex = vex(Rm, 2, 1, 0x19, "vbroadcastsd");
    pub(crate) const SPREAD_HALF: Vex = vex(Rm, 2, 1, 0x18, "vbroadcastss");
    pub(crate) const SPREAD_WORD: Vex = vex(Rm, 2, 1, 0x59, "vpbroadcastq");
    pub(crate) const SPREAD_INT: Vex = vex(Rm, 2, 1, 0x58, "vpbroadcastd");
    pub(crate) const SPREAD_SHORT: Vex = vex(Rm, 2, 1, 0x79, "vpbroadcastw");
    pub(crate) const SPREAD_BYTE: Vex = vex(Rm, 2, 1, 0x78, "vpbroadcastb");
    pub(crate) const FROM_WORD: Vex = wide(vex(Rm, 1, 1, 0x6e, "vmovq"));
    pub(crate) const FROM_INT: Vex = vex(Rm, 1, 1, 0x6e, "vmovd");
    pub(crate) const TO_INT: Vex = vex(Mr, 1, 1, 0x7e, "vmovd");
    pub(crate) const STORE_WORD: Vex = vex(Mr, 1, 1, 0xd6, "vmovq");
    pub(crate) const SIGNS: Vex = vex(Rm, 1, 0, 0x50, "vmovmskps");
    pub(crate) const SIGNS_OF_BYTES: Vex = vex(Rm, 1, 1, 0xd7, "vpmovmskb");
    pub(crate) const UPPER: Vex = vex(Mr, 3, 1, 0x39, "vextracti128");
    pub(crate) const JOIN: Vex = vex(Rvm, 3, 1, 0x38, "vinserti128");
    pub(crate) const SHUFFLE: Vex = vex(Rvm, 1, 0, 0xc6, "vshufps");
    pub(crate) const PERMUTE: Vex = wide(vex(Rm, 3, 1, 0x00, "vpermq"));
    pub(crate) const BLEND_INTS: Vex = vex(Rvm, 3, 1, 0x02, "vpblendd");
    pub(crate) const PACK: Vex = vex(Rvm, 1, 1, 0x6b, "vpackssdw");
    pub(crate) const PACK_BYTES: Vex = vex(Rvm, 1, 1, 0x63, "vpacksswb");
    pub(crate) const PACK_UNSIGNED: Vex = vex(Rvm, 2, 1, 0x2b, "vpackusdw");
    pub(crate) const PACK_UNSIGNED_BYTES: Vex = vex(Rvm, 1, 1, 0x67, "vpackuswb");
    pub(crate) const TEST: Vex = vex(Rm, 2, 1, 0x17, "vptest");

    pub(crate) const AND: Vex = vex(Rvm, 1, 1, 0xdb, "vpand");
    /// The second, and not the first.
    pub(crate) const AND_NOT: Vex = vex(Rvm, 1, 1, 0xdf, "vpandn");
    pub(crate) const OR: Vex = vex(Rvm, 1, 1, 0xeb, "vpor");
    pub(crate) const XOR: Vex = vex(Rvm, 1, 1, 0xef, "vpxor");
    pub(crate) const ADD_WORDS: Vex = vex(Rvm, 1, 1, 0xd4, "vpaddq");
    pub(crate) const SUB_WORDS: Vex = vex(Rvm, 1, 1, 0xfb, "vpsubq");
    pub(crate) const SUB_INTS: Vex = vex(Rvm, 1, 1, 0xfa, "vpsubd");
    pub(crate) const MUL_LOW: Vex = vex(Rvm, 1, 1, 0xf4, "vpmuludq");
    pub(crate) const EQUAL_WORDS: Vex = vex(Rvm, 2, 1, 0x29, "vpcmpeqq");
    pub(crate) const EQUAL_INTS: Vex = vex(Rvm, 1, 1, 0x76, "vpcmpeqd");
    pub(crate) const GREATER_WORDS: Vex = vex(Rvm, 2, 1, 0x37, "vpcmpgtq");
    pub(crate) const GREATER_INTS: Vex = vex(Rvm, 1, 1, 0x66, "vpcmpgtd");
    pub(crate) const SHL_WORDS: Vex = wide(vex(Rvm, 2, 1, 0x47, "vpsllvq"));
    pub(crate) const SHR_WORDS: Vex = wide(vex(Rvm, 2, 1, 0x45, "vpsrlvq"));
    pub(crate) const SHL_INTS: Vex = vex(Rvm, 2, 1, 0x47, "vpsllvd");
    pub(crate) const SHR_INTS: Vex = vex(Rvm, 2, 1, 0x45, "vpsrlvd");
    pub(crate) const SHL_WORDS_BY: Vex = vex(Vm(6), 1, 1, 0x73, "vpsllq");
    pub(crate) const SHR_WORDS_BY: Vex = vex(Vm(2), 1, 1, 0x73, "vpsrlq");

    pub(crate) const COMPARE: Vex = vex(Rvm, 1, 1, 0xc2, "vcmppd");
    pub(crate) const COMPARE_HALF: Vex = vex(Rvm, 1, 0, 0xc2, "vcmpps");
    pub(crate) const ADD: Vex = vex(Rvm, 1, 1, 0x58, "vaddpd");
    pub(crate) const SUB: Vex = vex(Rvm, 1, 1, 0x5c, "vsubpd");
    pub(crate) const MUL: Vex = vex(Rvm, 1, 1, 0x59, "vmulpd");
    pub(crate) const MIN: Vex = vex(Rvm, 1, 1, 0x5d, "vminpd");
    pub(crate) const MAX: Vex = vex(Rvm, 1, 1, 0x5f, "vmaxpd");
    pub(crate) const SUB_PRODUCT: Vex = wide(vex(Rvm, 2, 1, 0xbc, "vfnmadd231pd"));
    pub(crate) const ROUND: Vex = vex(Rm, 3, 1, 0x09, "vroundpd");
    pub(crate) const ROUND_HALF: Vex = vex(Rm, 3, 1, 0x08, "vroundps");

    pub(crate) const PS_PD: Vex = vex(Rm, 1, 0, 0x5a, "vcvtps2pd");
    pub(crate) const PD_PS: Vex = vex(Rm, 1, 1, 0x5a, "vcvtpd2ps");
    pub(crate) const DQ_PD: Vex = vex(Rm, 1, 2, 0xe6, "vcvtdq2pd");
    pub(crate) const PD_DQ: Vex = vex(Rm, 1, 1, 0xe6, "vcvttpd2dq");
    pub(crate) const DQ_PS: Vex = vex(Rm, 1, 0, 0x5b, "vcvtdq2ps");
    pub(crate) const PS_DQ: Vex = vex(Rm, 1, 2, 0x5b, "vcvttps2dq");
    pub(crate) const SIGNED: Vex = vex(Rm, 2, 1, 0x25, "vpmovsxdq");
    pub(crate) const UNSIGNED: Vex = vex(Rm, 2, 1, 0x35, "vpmovzxdq");
    pub(crate) const BYTES: Vex = vex(Rm, 2, 1, 0x31, "vpmovzxbd");
    pub(crate) const BYTES_TO_WORDS: Vex = vex(Rm, 2, 1, 0x32, "vpmovzxbq");

    /// With indices of 64 bits; the last operand is the mask.
    pub(crate) const GATHER: Vex = wide(vex(Rvm, 2, 1, 0x91, "vpgatherqq"));
    pub(crate) const GATHER_HALF: Vex = vex(Rvm, 2, 1, 0x91, "vpgatherqd");
}

impl Asm {
    /// An instruction; its operands are in the order of the listing.
    pub(super) fn vex_by(&mut self, op: Vex, parts: &[Part], by: Option<u8>) {
        self.line(|| {
            let parts: Vec<String> = parts.iter().map(Part::to_string).collect();
            match by {
                Some(by) => format!("{} {}, {by}", op.name, parts.join(", ")),
                None => format!("{} {}", op.name, parts.join(", ")),
            }
        });
        let number = |p: Part| match p {
            Part::X(r) | Part::Y(r) | Part::General(Gpr(r)) => r,
            Part::At(_) | Part::Pool(_) => panic!("memory in the place of a register"),
        };
        let (reg, first, other) = match op.order {
            Order::Rm => (number(parts[0]), 0, parts[1]),
            Order::Rvm | Order::Rvmr => (number(parts[0]), number(parts[1]), parts[2]),
            Order::Mr => (number(parts[1]), 0, parts[0]),
            Order::Mvr => (number(parts[2]), number(parts[1]), parts[0]),
            Order::Vm(digit) => (digit, number(parts[0]), parts[1]),
        };
        let by = match op.order {
            Order::Rvmr => Some(number(parts[3]) << 4),
            _ => by,
        };
        let long = parts.iter().any(|p| matches!(p, Part::Y(_)));
        let high = match other {
            Part::X(r) | Part::Y(r) | Part::General(Gpr(r)) => r & 8 != 0,
            Part::At(m) => m.base.0 & 8 != 0,
            Part::Pool(_) => false,
        };
        self.vex_prefix(op, (reg, false, high), first, long);
        match other {
            Part::X(r) | Part::Y(r) | Part::General(Gpr(r)) => {
                self.bytes.push(0xc0 | ((reg & 7) << 3) | (r & 7));
            }
            Part::At(m) => self.memory(reg, m, 1),
            Part::Pool(n) => {
                self.bytes.push(((reg & 7) << 3) | 5);
                let tail = usize::from(by.is_some());
                self.constants_used.push((self.bytes.len(), n, tail));
                self.bytes.extend([0; 4]);
            }
        }
        self.bytes.extend(by);
    }

    pub(super) fn vex_op(&mut self, op: Vex, parts: &[Part]) {
        self.vex_by(op, parts, None);
    }

    /// The prefix and the opcode: of two bytes where that is enough. `reg` is the register, and whether the fourth
    /// bits of an index and of the last operand are set.
    fn vex_prefix(&mut self, op: Vex, reg: (u8, bool, bool), first: u8, long: bool) {
        let inverted = |bit: bool, at: u8| if bit { 0 } else { 1 << at };
        let r = inverted(reg.0 & 8 != 0, 7);
        let last = ((!first & 15) << 3) | u8::from(long) << 2 | op.prefix;
        match op.map == 1 && !op.wide && !reg.1 && !reg.2 {
            true => self.bytes.extend([0xc5, r | last, op.code]),
            false => self.bytes.extend([
                0xc4,
                r | inverted(reg.1, 6) | inverted(reg.2, 5) | op.map,
                u8::from(op.wide) << 7 | last,
                op.code,
            ]),
        }
    }

    /// Loads elements from the address plus the index of each lane times a scale, in the lanes of a mask, which is
    /// cleared.
    pub(super) fn vex_gather(
        &mut self,
        op: Vex,
        to: Part,
        from: Mem,
        (index, scale): (u8, u8),
        mask: Part,
    ) {
        self.line(|| {
            let Mem { base, off } = from;
            format!(
                "{} {to}, [{base}+{scale}*ymm{index}{off:+}], {mask}",
                op.name
            )
        });
        let (Part::X(reg) | Part::Y(reg), Part::X(by) | Part::Y(by)) = (to, mask) else {
            panic!("a gather to vectors")
        };
        self.vex_prefix(op, (reg, index & 8 != 0, from.base.0 & 8 != 0), by, true);
        self.bytes.push(0x84 | ((reg & 7) << 3));
        let scale = (scale.trailing_zeros() as u8) << 6;
        self.bytes
            .push(scale | ((index & 7) << 3) | (from.base.0 & 7));
        self.bytes.extend(from.off.to_le_bytes());
    }

    /// A row of constants behind the code.
    pub(super) fn row_of(&mut self, row: [u64; 4]) -> Part {
        let found = self.constants.iter().position(|r| *r == row);
        Part::Pool(found.unwrap_or_else(|| {
            self.constants.push(row);
            self.constants.len() - 1
        }))
    }

    /// A constant in each word of a row behind the code.
    pub(super) fn each_word(&mut self, bits: u64) -> Part {
        self.row_of([bits; 4])
    }

    /// Writes the constants behind the code, and the distances to them.
    pub(in crate::zmm::asm) fn place_constants(&mut self) {
        if self.constants.is_empty() {
            return;
        }
        self.bytes
            .resize(self.bytes.len().next_multiple_of(8), 0xcc);
        let start = self.bytes.len();
        for (at, n, tail) in std::mem::take(&mut self.constants_used) {
            let distance = start + size_of::<[u64; 4]>() * n - (at + 4 + tail);
            let distance = i32::try_from(distance).expect("code is shorter than 2 GB");
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        for (n, row) in std::mem::take(&mut self.constants).into_iter().enumerate() {
            row.iter().for_each(|w| self.bytes.extend(w.to_le_bytes()));
            if let Some(text) = &mut self.text {
                text.push_str(&format!("constant{n}: {row:x?}\n"));
            }
        }
    }
}
