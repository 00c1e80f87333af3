//! The table of how the emitter writes each operation on lanes on each machine.

use cranelift_codegen::isa::TargetIsa;
use wengert_loop::loops::ScalarOp;
use wengert_loop::types::DType;

/// How an operation on lanes is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// One instruction of the code generator for each vector.
    Native,
    /// Several instructions for each vector.
    Composed,
    /// Scalar instructions, one lane after the other.
    PerLane,
}

/// CPU features that decide how each operation is emitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    /// Fused multiply-add in hardware.
    pub fma: bool,
    /// Rounding of vectors to integers.
    pub round: bool,
    /// Arbitrary permutation of the bytes of a vector in one instruction.
    pub bytes: bool,
    /// Selection by the sign bits of a mask.
    pub blend: bool,
    /// Comparisons of vectors of floats with memory of any alignment.
    pub compares_memory: bool,
}

impl Machine {
    pub(crate) fn of(isa: &dyn TargetIsa) -> Machine {
        let flags = isa.isa_flags();
        let has = |name: &str| {
            flags
                .iter()
                .any(|f| f.name == name && f.as_bool() == Some(true))
        };
        let x86 = isa.name() == "x64";
        Machine {
            fma: !x86 || has("has_fma"),
            round: !x86 || has("has_sse41"),
            bytes: !x86 || has("has_ssse3"),
            blend: x86 && has("has_sse41"),
            compares_memory: !x86 || has("has_avx"),
        }
    }
}

/// How an operation is written in lanes. `from` is the type of its last operand and `to` that of
/// the result, which distinguishes conversions; `even` says whether the last operand is the same in
/// all lanes, which matters to shifts and rotations.
pub(crate) fn how(op: ScalarOp, from: DType, to: DType, even: bool, machine: Machine) -> How {
    use How::{Composed, Native, PerLane};
    use ScalarOp::*;
    let float = from.is_float();
    let bool = from == DType::Bool;
    // A byte is held in 32 bits, and bits that leave it are cleared.
    let whole = |wraps: bool| {
        if wraps && from == DType::U8 {
            Composed
        } else {
            Native
        }
    };
    match op {
        Add | Sub | Mul | Neg | Not => whole(true),
        Div if float => Native,
        // Through floats, which are rounded to integers.
        Rem | Div if !float && machine.round => Composed,
        Rem | Div => PerLane,
        // Two vectors of products stand against one of 32-bit factors; there is no product of 128 bits.
        MulHigh if from.bytes() < 8 => Composed,
        MulHigh => PerLane,
        Fma if machine.fma => Native,
        Floor | Ceil | Round | Trunc if machine.round => Native,
        Fma | Floor | Ceil | Round | Trunc => PerLane,
        // Vector instructions order neither zeros of different sign nor NaN.
        Min | Max if float => Composed,
        Shl | Shr | ShrLogical | Rotl if !even => PerLane,
        Shl => whole(true),
        Shr | ShrLogical => whole(false),
        Rotl => Composed,
        // On masks these are two logical operations.
        Eq | Lt | Le if bool => Composed,
        Abs | Sqrt | Min | Max | And | Or | Xor | Eq | Ne | Lt | Le | Select | Bitcast => Native,
        Convert => conversion(from, to),
        // The result is one value for all lanes.
        Any => Composed,
        Fold(_) => PerLane,
    }
}

fn conversion(from: DType, to: DType) -> How {
    use DType::*;
    use How::{Composed, Native, PerLane};
    match (from, to) {
        _ if from == to => Native,
        (Bool, _) | (_, Bool) => Native,
        // Two vectors of one type correspond to one of the other.
        (F32, F64) | (F64, F32) | (I32 | U8 | U32, F64) => Composed,
        (I64, F64) | (F32, U8) => Composed,
        (U64, F64) | (I32 | U8 | U32, F32) | (F32, I32 | U32) => Native,
        (F32 | F64, _) | (_, F32) => PerLane,
        (I64 | U64, I32 | U32 | U8) => Composed,
        _ => Native,
    }
}
