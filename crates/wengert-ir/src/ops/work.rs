//! The cost of computing an element, compared with storing it in memory.
//!
//! The unit is an eighth of a plain operation (a sum, a product, an `fma`, a selection) on one element:
//! see [`price`](crate::cost::price).

use super::elementwise::Elementwise;
use crate::cost::price::DIVISION;
use crate::elementary::Elementary;
use crate::ir::DType;
use crate::loops::ScalarOp;
use crate::scalar::{Scalar, Scalars};

pub use crate::cost::price::{ELEMENTARY, FREE, PLAIN, READ, WRITE};

/// Returns the work of an operation on elements of these types.
pub fn of(op: Elementwise, operands: impl Iterator<Item = DType>) -> u64 {
    let x: Vec<Scalar> = operands.map(|dtype| Scalar { dtype, id: 0 }).collect();
    let mut count = Count(0);
    op.row().define.apply(&mut count, &x);
    count.0
}

/// Counts the work of a definition.
struct Count(u64);

impl Count {
    fn elementary_of(&mut self, dtype: DType) -> Scalar {
        self.0 += ELEMENTARY;
        Scalar { dtype, id: 0 }
    }
}

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
        self.elementary_of(DType::F64)
    }

    fn elementary_f32(&mut self, _: Elementary, _: &[Scalar]) -> Scalar {
        self.elementary_of(DType::F32)
    }
}
