//! Programs of a single operation.

use super::{Build, at, base, row};
use wengert_loop::loops::ScalarOp::{self, *};
use wengert_loop::loops::{BufferId, Program, Value};
use wengert_loop::types::DType;

/// Operand and result types of each operation.
pub fn signatures(op: ScalarOp) -> Vec<(Vec<DType>, DType)> {
    let all = DType::ALL;
    let floats = [DType::F32, DType::F64];
    let ints: Vec<DType> = all.into_iter().filter(|d| d.is_int()).collect();
    let numbers: Vec<DType> = all.into_iter().filter(|d| *d != DType::Bool).collect();
    let with_bool: Vec<DType> = ints.iter().copied().chain([DType::Bool]).collect();
    let same = |ds: &[DType], n: usize| ds.iter().map(|&d| (vec![d; n], d)).collect();
    match op {
        Add | Sub | Mul | Div | Rem => same(&numbers, 2),
        Neg | Abs => same(&numbers, 1),
        Sqrt | Floor | Ceil | Round | Trunc => same(&floats, 1),
        Fma => same(&floats, 3),
        Min | Max => same(&all, 2),
        And | Or | Xor => same(&with_bool, 2),
        Not => same(&with_bool, 1),
        MulHigh | Shl | Shr | ShrLogical | Rotl => same(&ints, 2),
        Eq | Ne | Lt | Le => all.iter().map(|&d| (vec![d; 2], DType::Bool)).collect(),
        Select => all.iter().map(|&d| (vec![DType::Bool, d, d], d)).collect(),
        Convert => all
            .iter()
            .flat_map(|&d| all.iter().map(move |&o| (vec![d], o)))
            .collect(),
        Bitcast => all
            .iter()
            .flat_map(|&d| all.iter().map(move |&o| (vec![d], o)))
            .filter(|(d, o)| {
                d[0].bytes() == o.bytes() && (d[0] == DType::Bool) == (*o == DType::Bool)
            })
            .collect(),
        Fold(_) | Any => vec![],
    }
}

/// All that lanes have, by theme.
pub const OPS: [ScalarOp; 31] = [
    Add, Sub, Mul, MulHigh, Div, Rem, Neg, Abs, Sqrt, Fma, Min, Max, Floor, Ceil, Round, Trunc,
    And, Or, Xor, Not, Shl, Shr, ShrLogical, Rotl, Eq, Ne, Lt, Le, Select, Convert, Bitcast,
];

/// What the operands are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operands {
    Uniform,
    Lanes,
    /// The last operand the same in all lanes.
    LastUniform,
}

/// An operation on columns of `n` operands.
pub fn single(op: ScalarOp, ds: &[DType], o: DType, n: usize, operands: Operands) -> Program {
    let mut b = Build::new();
    let ins: Vec<BufferId> = ds.iter().map(|&d| b.input(d, n)).collect();
    let out = b.output(o, n);
    let last = ins.len() - 1;
    if operands == Operands::Uniform {
        b.serial(n as i64, |b, i| {
            let args: Vec<Value> = ins.iter().map(|&x| b.load(x, base(i))).collect();
            let y = b.op_to(op, o, &args);
            b.store(out, base(i), y);
        });
    } else {
        b.vector(n as i64, |b, _| {
            let args: Vec<Value> = ins
                .iter()
                .enumerate()
                .map(|(k, &x)| {
                    let even = operands == Operands::LastUniform && k == last;
                    b.load(x, if even { at(0) } else { row() })
                })
                .collect();
            let y = b.op_to(op, o, &args);
            b.store(out, row(), y);
        });
    }
    b.finish()
}
