//! What it costs to store a value for a later loop, and to compute it there again.
//!
//! The unit is an eighth of a plain operation (a sum, a product, an `fma`, a selection) on one element. A
//! number (`f64`) that is stored and read once is worth six of them.

use crate::elementary::Elementary;
use crate::ir::{DType, Eqn, Func, Type};
use crate::loops::ScalarOp;
use crate::ops::Op;
use crate::ops::dynamic::Dynamic;
use crate::ops::index::Access;
use crate::ops::layout::Layout;
use crate::ops::scalars::{Scalar, Scalars};

/// A plain operation on an element.
const PLAIN: u64 = 8;
/// To read a byte that is there.
const READ: u64 = 2;
/// To write a byte: half as many stores as loads go through in a cycle, and it takes memory.
const WRITE: u64 = 4;
/// A division, a square root: one every four cycles of a 128-bit unit, where two sums a cycle go
/// through.
const DIVISION: u64 = 8 * PLAIN;
/// An elementary function is 34 to 66 operations.
const ELEMENTARY: u64 = 40 * PLAIN;
/// To look up an element of an array.
const LOOKUP: u64 = 2 * PLAIN;

/// What it costs to store a value that is then read so often. `None` of a list, whose length nobody knows.
pub fn store(ty: &Type, readers: u64) -> Option<u64> {
    Some(bytes(ty)? * (WRITE + readers * READ))
}

/// What it costs to read a value so often that is there anyway.
pub fn read(ty: &Type, readers: u64) -> Option<u64> {
    Some(bytes(ty)? * readers * READ)
}

/// The bytes of a value of known lengths.
pub fn bytes(ty: &Type) -> Option<u64> {
    Some(elements(ty)? * ty.dtype.bytes() as u64)
}

/// The number of elements of a value of known lengths.
fn elements(ty: &Type) -> Option<u64> {
    let dims = ty.shape.known()?;
    Some(dims.iter().map(|&n| n as u64).product())
}

/// What it costs to do an equation again. `None` where that is never done: effects, draws, loops and
/// branches, products of arrays, reductions, whatever calls the host.
pub fn again(func: &Func, eqn: &Eqn) -> Option<u64> {
    let [out] = eqn.outputs.clone().collect::<Vec<_>>()[..] else {
        return None;
    };
    let n = elements(&func.types[out as usize])?;
    let each = match &eqn.op {
        Op::Elementwise(op) => {
            let scalar = |a| Scalar {
                dtype: func.type_of(a).dtype,
                id: 0,
            };
            let x: Vec<Scalar> = eqn.inputs.iter().map(|&a| scalar(a)).collect();
            let mut count = Count(0);
            op.row().define.apply(&mut count, &x);
            count.0
        }
        Op::Convert(_) | Op::Iota(_) => PLAIN,
        // A view costs nothing; what is written together has to be told apart.
        Op::Layout(Layout::Pad { .. } | Layout::Concat { .. }) => LOOKUP,
        Op::Layout(_) => 0,
        Op::Dynamic(Dynamic::Slice { .. }) => LOOKUP,
        Op::Index(index) if index.access == Access::Gather => LOOKUP,
        _ => return None,
    };
    let lists = (eqn.inputs.iter()).any(|&a| func.type_of(a).shape.has_run());
    (!lists && !eqn.op.has_effect()).then_some(each * n)
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
