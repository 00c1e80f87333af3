//! How much work it is to compute an element, and to have it in memory instead.
//!
//! The unit is an eighth of a plain operation (a sum, a product, an `fma`, a selection) on one element. A
//! number (`f64`) that is stored and read once is worth six of them.

use super::elementwise::Elementwise;
use crate::elementary::Elementary;
use crate::ir::DType;
use crate::loops::ScalarOp;
use crate::scalar::{Scalar, Scalars};

/// So little that it may be done any number of times.
pub const FREE: u64 = 0;
/// A plain operation.
pub const PLAIN: u64 = 8;
/// To read a byte that is there.
pub const READ: u64 = 2;
/// To write a byte: half as many stores as loads go through in a cycle, and it takes memory.
pub const WRITE: u64 = 4;
/// A division, a square root: one every four cycles of a 128-bit unit, where two sums a cycle go
/// through.
const DIVISION: u64 = 8 * PLAIN;
/// An elementary function is 34 to 66 operations.
const ELEMENTARY: u64 = 40 * PLAIN;

/// That of an operation on elements of these types.
pub fn of(op: Elementwise, operands: impl Iterator<Item = DType>) -> u64 {
    let x: Vec<Scalar> = operands.map(|dtype| Scalar { dtype, id: 0 }).collect();
    let mut count = Count(0);
    op.row().define.apply(&mut count, &x);
    count.0
}

/// Counts what a definition does.
struct Count(u64);

impl Scalars for Count {
    fn constant(&mut self, dtype: DType, bits: u64) -> Scalar {
        Scalar { dtype, id: bits }
    }

    fn op_to(&mut self, op: ScalarOp, out: DType, _: &[Scalar]) -> Scalar {
        self.0 += match op {
            ScalarOp::Div | ScalarOp::Sqrt | ScalarOp::Rem => DIVISION,
            _ => PLAIN,
        };
        Scalar { dtype: out, id: 0 }
    }

    fn elementary_f64(&mut self, _: Elementary, _: &[Scalar]) -> Scalar {
        self.0 += ELEMENTARY;
        Scalar {
            dtype: DType::F64,
            id: 0,
        }
    }
}
