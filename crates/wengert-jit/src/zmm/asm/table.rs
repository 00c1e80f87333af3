//! The table of vector instructions: their opcodes for elements of 64 and of 32 bits.

use std::fmt;

/// The elements that an instruction works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::zmm) enum Form {
    /// Eight elements of 64 bits.
    Words,
    /// Eight elements of 32 bits, in the lower half of a register.
    Half,
    /// Sixteen elements of 32 bits.
    Full,
}

impl Form {
    /// The bytes of a vector.
    pub(in crate::zmm) fn bytes(self) -> i32 {
        match self {
            Form::Words | Form::Full => 64,
            Form::Half => 32,
        }
    }

    /// The bytes of an element.
    pub(in crate::zmm) fn element(self) -> i32 {
        match self {
            Form::Words => 8,
            Form::Half | Form::Full => 4,
        }
    }
}

/// A vector instruction: its opcode map, prefix, opcode and name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::zmm) struct Op {
    pub(super) map: u8,
    pub(super) prefix: u8,
    pub(super) code: u8,
    pub(super) name: &'static str,
    /// Whether the bit for elements of 64 bits is set.
    pub(super) wide: bool,
    /// The bytes of the vector that the length of the instruction is about.
    pub(super) length: u8,
    /// The bytes of a vector in memory, and of one element in memory for all lanes.
    pub(super) row: u8,
    pub(super) each: u8,
    /// Whether its operand in memory is always one element.
    pub(super) single: bool,
    /// The prefix, the opcode and the name for elements of 32 bits.
    narrow: Option<(u8, u8, &'static str)>,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn op(map: u8, prefix: u8, code: u8, name: &'static str) -> Op {
    Op {
        map,
        prefix,
        code,
        name,
        wide: true,
        length: 64,
        row: 64,
        each: 8,
        single: false,
        narrow: None,
    }
}

/// An instruction that exists for elements of both sizes: prefix, opcode and name of either.
const fn both(map: u8, word: (u8, u8, &'static str), narrow: (u8, u8, &'static str)) -> Op {
    Op {
        narrow: Some(narrow),
        ..op(map, word.0, word.1, word.2)
    }
}

/// An instruction of one form: a vector of so many bytes in memory, elements of so many.
const fn fixed(op: Op, wide: bool, length: u8, row: u8, each: u8) -> Op {
    Op {
        wide,
        length,
        row,
        each,
        ..op
    }
}

const fn single(op: Op) -> Op {
    Op { single: true, ..op }
}

impl Op {
    /// The instruction for elements of a form.
    pub(in crate::zmm) fn of(self, form: Form) -> Op {
        if form == Form::Words {
            return self;
        }
        let Some((prefix, code, name)) = self.narrow else {
            panic!("{self} is for elements of 64 bits only")
        };
        Op {
            prefix,
            code,
            name,
            wide: false,
            each: 4,
            length: form.bytes() as u8,
            row: form.bytes() as u8,
            ..self
        }
    }

    /// A move of the first 8, 16 or 32 bytes; `low` is the one of 8.
    pub(super) fn few(self, low: Op, bytes: u8) -> Op {
        match bytes {
            8 => low,
            _ => Op {
                length: bytes,
                row: bytes,
                ..self
            },
        }
    }

    /// The same instruction for the registers of a form.
    pub(in crate::zmm) fn within(self, form: Form) -> Op {
        Op {
            length: form.bytes() as u8,
            row: form.bytes() as u8,
            ..self
        }
    }

    /// A conversion between elements of 32 bits and bytes in memory, for the registers of a form.
    pub(in crate::zmm) fn with_bytes(self, form: Form) -> Op {
        Op {
            length: form.bytes() as u8,
            row: form.bytes() as u8 / 4,
            ..self
        }
    }
}

/// Conversions, by the types of the elements: `PD` is 64-bit floats and `PS` 32-bit floats, `QQ` and `DQ` integers of 64
/// and 32 bits, with a `U` unsigned.
pub(in crate::zmm) mod convert {
    use super::{Op, fixed, op};

    /// A vector of words from half a register.
    const fn widening(op: Op) -> Op {
        fixed(op, false, 64, 32, 4)
    }

    /// Half a register from a vector of words.
    const fn narrowing(op: Op, wide: bool) -> Op {
        fixed(op, wide, 64, 64, 8)
    }

    pub(in crate::zmm) const PS_PD: Op = widening(op(1, 0, 0x5a, "vcvtps2pd"));
    pub(in crate::zmm) const DQ_PD: Op = widening(op(1, 2, 0xe6, "vcvtdq2pd"));
    pub(in crate::zmm) const UDQ_PD: Op = widening(op(1, 2, 0x7a, "vcvtudq2pd"));
    pub(in crate::zmm) const PS_QQ: Op = widening(op(1, 1, 0x7a, "vcvttps2qq"));
    pub(in crate::zmm) const PS_UQQ: Op = widening(op(1, 1, 0x78, "vcvttps2uqq"));
    pub(in crate::zmm) const PD_PS: Op = narrowing(op(1, 1, 0x5a, "vcvtpd2ps"), true);
    pub(in crate::zmm) const PD_DQ: Op = narrowing(op(1, 1, 0xe6, "vcvttpd2dq"), true);
    pub(in crate::zmm) const PD_UDQ: Op = narrowing(op(1, 0, 0x78, "vcvttpd2udq"), true);
    pub(in crate::zmm) const QQ_PS: Op = narrowing(op(1, 0, 0x5b, "vcvtqq2ps"), true);
    pub(in crate::zmm) const UQQ_PS: Op = narrowing(op(1, 3, 0x7a, "vcvtuqq2ps"), true);
    pub(in crate::zmm) const PD_QQ: Op = op(1, 1, 0x7a, "vcvttpd2qq");
    pub(in crate::zmm) const PD_UQQ: Op = op(1, 1, 0x78, "vcvttpd2uqq");
    pub(in crate::zmm) const QQ_PD: Op = op(1, 2, 0xe6, "vcvtqq2pd");
    pub(in crate::zmm) const UQQ_PD: Op = op(1, 2, 0x7a, "vcvtuqq2pd");
    /// Within 32 bits, for half a register.
    pub(in crate::zmm) const DQ_PS: Op = fixed(op(1, 0, 0x5b, "vcvtdq2ps"), false, 32, 32, 4);
    pub(in crate::zmm) const UDQ_PS: Op = fixed(op(1, 3, 0x7a, "vcvtudq2ps"), false, 32, 32, 4);
    pub(in crate::zmm) const PS_DQ: Op = fixed(op(1, 2, 0x5b, "vcvttps2dq"), false, 32, 32, 4);
    pub(in crate::zmm) const PS_UDQ: Op = fixed(op(1, 0, 0x78, "vcvttps2udq"), false, 32, 32, 4);
    /// Integers of 32 bits with their sign, and without, to words. There is no form that reads one element.
    pub(in crate::zmm) const SIGNED: Op = widening(op(2, 1, 0x25, "vpmovsxdq"));
    pub(in crate::zmm) const UNSIGNED: Op = widening(op(2, 1, 0x35, "vpmovzxdq"));
    /// The low halves of words: the operands change places.
    pub(in crate::zmm) const LOW: Op = narrowing(op(2, 2, 0x35, "vpmovqd"), false);
    /// Bytes to 32 bits, and the low bytes of 32 bits, whose operands change places.
    pub(in crate::zmm) const BYTES: Op = fixed(op(2, 1, 0x31, "vpmovzxbd"), false, 32, 8, 1);
    pub(in crate::zmm) const LOW_BYTES: Op = fixed(op(2, 2, 0x31, "vpmovdb"), false, 32, 8, 1);
}

/// Prefixes by number: 1 is 66, 2 is F3, 3 is F2.
pub(in crate::zmm) mod ops {
    use super::{Op, both, fixed, op, single};

    pub(crate) const ADD: Op = both(1, (1, 0x58, "vaddpd"), (0, 0x58, "vaddps"));
    pub(crate) const MUL: Op = both(1, (1, 0x59, "vmulpd"), (0, 0x59, "vmulps"));
    pub(crate) const SUB: Op = both(1, (1, 0x5c, "vsubpd"), (0, 0x5c, "vsubps"));
    pub(crate) const MIN: Op = both(1, (1, 0x5d, "vminpd"), (0, 0x5d, "vminps"));
    pub(crate) const DIV: Op = both(1, (1, 0x5e, "vdivpd"), (0, 0x5e, "vdivps"));
    pub(crate) const MAX: Op = both(1, (1, 0x5f, "vmaxpd"), (0, 0x5f, "vmaxps"));
    pub(crate) const SQRT: Op = both(1, (1, 0x51, "vsqrtpd"), (0, 0x51, "vsqrtps"));
    pub(crate) const ROUND: Op = both(3, (1, 0x09, "vrndscalepd"), (1, 0x08, "vrndscaleps"));
    pub(crate) const COMPARE: Op = both(1, (1, 0xc2, "vcmppd"), (0, 0xc2, "vcmpps"));
    pub(crate) const BLEND: Op = both(2, (1, 0x64, "vpblendmq"), (1, 0x64, "vpblendmd"));
    pub(crate) const SPREAD: Op = single(both(
        2,
        (1, 0x19, "vbroadcastsd"),
        (1, 0x18, "vbroadcastss"),
    ));
    pub(crate) const SPREAD_WORD: Op =
        both(2, (1, 0x7c, "vpbroadcastq"), (1, 0x7c, "vpbroadcastd"));
    pub(crate) const LOAD: Op = both(1, (1, 0x10, "vmovupd"), (0, 0x10, "vmovups"));
    pub(crate) const STORE: Op = both(1, (1, 0x11, "vmovupd"), (0, 0x11, "vmovups"));
    pub(crate) const STORE_LOW: Op = single(op(1, 3, 0x11, "vmovsd"));
    pub(crate) const LOAD_LOW: Op = single(op(1, 3, 0x10, "vmovsd"));
    /// The first element of 32 bits as a general register.
    pub(crate) const MOVE_LOW: Op = fixed(op(1, 1, 0x7e, "vmovd"), false, 16, 4, 4);
    /// Moves the first elements to the lanes of the mask, in order.
    pub(crate) const EXPAND: Op = op(2, 1, 0x89, "vpexpandq");
    /// The upper half of a register in the lower half of another: the operands change places. And half a register in
    /// the upper half of another.
    pub(crate) const UPPER: Op = fixed(op(3, 1, 0x3b, "vextracti64x4"), true, 64, 32, 8);
    pub(crate) const JOIN: Op = fixed(op(3, 1, 0x3a, "vinserti64x4"), true, 64, 32, 8);
    /// With indices of 64 bits.
    pub(crate) const GATHER: Op = op(2, 1, 0x91, "vpgatherqq");
    pub(crate) const SCATTER: Op = op(2, 1, 0xa1, "vpscatterqq");
    pub(crate) const GATHER_HALF: Op = fixed(op(2, 1, 0x91, "vpgatherqd"), false, 64, 32, 4);
    pub(crate) const SCATTER_HALF: Op = fixed(op(2, 1, 0xa1, "vpscatterqd"), false, 64, 32, 4);

    pub(crate) const ADD_INT: Op = both(1, (1, 0xd4, "vpaddq"), (1, 0xfe, "vpaddd"));
    pub(crate) const SUB_INT: Op = both(1, (1, 0xfb, "vpsubq"), (1, 0xfa, "vpsubd"));
    pub(crate) const MUL_INT: Op = both(2, (1, 0x40, "vpmullq"), (1, 0x40, "vpmulld"));
    /// The product of the low halves of words, unsigned and signed.
    pub(crate) const MUL_LOW: Op = op(1, 1, 0xf4, "vpmuludq");
    pub(crate) const MUL_LOW_SIGNED: Op = op(2, 1, 0x28, "vpmuldq");
    pub(crate) const ABS_INT: Op = both(2, (1, 0x1f, "vpabsq"), (1, 0x1e, "vpabsd"));
    pub(crate) const MIN_INT: Op = both(2, (1, 0x39, "vpminsq"), (1, 0x39, "vpminsd"));
    pub(crate) const MAX_INT: Op = both(2, (1, 0x3d, "vpmaxsq"), (1, 0x3d, "vpmaxsd"));
    pub(crate) const MIN_UNSIGNED: Op = both(2, (1, 0x3b, "vpminuq"), (1, 0x3b, "vpminud"));
    pub(crate) const MAX_UNSIGNED: Op = both(2, (1, 0x3f, "vpmaxuq"), (1, 0x3f, "vpmaxud"));
    pub(crate) const AND: Op = both(1, (1, 0xdb, "vpandq"), (1, 0xdb, "vpandd"));
    pub(crate) const OR: Op = both(1, (1, 0xeb, "vporq"), (1, 0xeb, "vpord"));
    pub(crate) const XOR: Op = both(1, (1, 0xef, "vpxorq"), (1, 0xef, "vpxord"));
    pub(crate) const SHL: Op = both(2, (1, 0x47, "vpsllvq"), (1, 0x47, "vpsllvd"));
    pub(crate) const SHR: Op = both(2, (1, 0x46, "vpsravq"), (1, 0x46, "vpsravd"));
    pub(crate) const SHR_LOGICAL: Op = both(2, (1, 0x45, "vpsrlvq"), (1, 0x45, "vpsrlvd"));
    pub(crate) const ROTL: Op = both(2, (1, 0x15, "vprolvq"), (1, 0x15, "vprolvd"));
    pub(crate) const COMPARE_INT: Op = both(3, (1, 0x1f, "vpcmpq"), (1, 0x1f, "vpcmpd"));
    pub(crate) const COMPARE_UNSIGNED: Op = both(3, (1, 0x1e, "vpcmpuq"), (1, 0x1e, "vpcmpud"));
    /// The lanes in which both operands have a bit.
    pub(crate) const TEST: Op = both(2, (1, 0x27, "vptestmq"), (1, 0x27, "vptestmd"));

    /// The fused product, by the sign of the product, the sign of the addend, and the source that
    /// the result overwrites: 0, the first factor, with the addend second; 1, the first factor,
    /// with the addend last; 2, the addend.
    pub(crate) fn fma(negated: bool, subtracted: bool, form: usize) -> Op {
        const NAMES: [[(&str, &str); 3]; 4] = [
            [
                ("vfmadd132pd", "vfmadd132ps"),
                ("vfmadd213pd", "vfmadd213ps"),
                ("vfmadd231pd", "vfmadd231ps"),
            ],
            [
                ("vfmsub132pd", "vfmsub132ps"),
                ("vfmsub213pd", "vfmsub213ps"),
                ("vfmsub231pd", "vfmsub231ps"),
            ],
            [
                ("vfnmadd132pd", "vfnmadd132ps"),
                ("vfnmadd213pd", "vfnmadd213ps"),
                ("vfnmadd231pd", "vfnmadd231ps"),
            ],
            [
                ("vfnmsub132pd", "vfnmsub132ps"),
                ("vfnmsub213pd", "vfnmsub213ps"),
                ("vfnmsub231pd", "vfnmsub231ps"),
            ],
        ];
        let which = 2 * usize::from(negated) + usize::from(subtracted);
        let code = 0x98 + 0x10 * form as u8 + 2 * which as u8;
        let (word, narrow) = NAMES[which][form];
        both(2, (1, code, word), (1, code, narrow))
    }
}
