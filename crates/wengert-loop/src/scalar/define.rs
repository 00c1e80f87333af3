//! Scalar definitions of elementwise operations, each written once.
//!
//! A definition is written against [`Scalars`]. The interpreter evaluates it and the lowering to loops records
//! it, so that both perform the same operations in the same order.

use super::{ScalarOp, apply, result_type};
use crate::buffer::Element;
use crate::elementary::{self, Elementary};
use crate::types::DType;

/// A scalar in a definition: its type, and an identifier chosen by the implementation of [`Scalars`] (the
/// interpreter: its bits; the lowering: its number).
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    /// Its type.
    pub dtype: DType,
    /// The identifier.
    pub id: u64,
}

/// An implementation of scalar operations, which evaluates or records them.
pub trait Scalars {
    /// Makes a constant from its bits.
    fn constant(&mut self, dtype: DType, bits: u64) -> Scalar;
    /// Applies an operation with a result of type `out`.
    fn op_to(&mut self, op: ScalarOp, out: DType, args: &[Scalar]) -> Scalar;
    /// Applies an elementary function to `f64`s.
    fn elementary_f64(&mut self, f: Elementary, args: &[Scalar]) -> Scalar;
    /// Applies an elementary function that is defined in `f32` arithmetic to `f32`s.
    fn elementary_f32(&mut self, f: Elementary, args: &[Scalar]) -> Scalar;
}

impl dyn Scalars + '_ {
    /// Applies an operation, whose result type follows from the operands.
    ///
    /// # Panics
    /// For a conversion, whose result type does not follow.
    pub fn op(&mut self, op: ScalarOp, args: &[Scalar]) -> Scalar {
        let dtypes: smallvec::SmallVec<[DType; 3]> = args.iter().map(|a| a.dtype).collect();
        let out = result_type(op, &dtypes).expect("a conversion names its result");
        self.op_to(op, out, args)
    }

    /// Makes a number of the type of `like`.
    pub fn number(&mut self, like: Scalar, x: f64) -> Scalar {
        self.constant(like.dtype, bits_of(x, like.dtype))
    }

    /// Selects `a` where `p` holds, else `b`.
    pub fn select(&mut self, p: Scalar, a: Scalar, b: Scalar) -> Scalar {
        self.op(ScalarOp::Select, &[p, a, b])
    }

    /// Applies an elementary function to floats. If it is not defined in `f32` arithmetic, it is evaluated in `f64`
    /// there and rounded once.
    pub fn elementary(&mut self, f: Elementary, args: &[Scalar]) -> Scalar {
        let dtype = args[0].dtype;
        if dtype == DType::F64 {
            return self.elementary_f64(f, args);
        }
        if dtype == DType::F32 && f.is_single() {
            return self.elementary_f32(f, args);
        }
        let mut wide: smallvec::SmallVec<[Scalar; 2]> = args.into();
        for a in &mut wide {
            *a = self.op_to(ScalarOp::Convert, DType::F64, &[*a]);
        }
        let y = self.elementary_f64(f, &wide);
        self.op_to(ScalarOp::Convert, dtype, &[y])
    }
}

/// Evaluates immediately; the identifier of a [`Scalar`] is its bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exact;

impl Scalars for Exact {
    fn constant(&mut self, dtype: DType, bits: u64) -> Scalar {
        Scalar { dtype, id: bits }
    }

    fn op_to(&mut self, op: ScalarOp, out: DType, args: &[Scalar]) -> Scalar {
        // The first operand of a selection is a `bool`; the last has the type of the result.
        let dtype = args[args.len() - 1].dtype;
        let bits: smallvec::SmallVec<[u64; 3]> = args.iter().map(|a| a.id).collect();
        let id = apply(op, dtype, out, &bits);
        Scalar { dtype: out, id }
    }

    fn elementary_f64(&mut self, f: Elementary, args: &[Scalar]) -> Scalar {
        let x: smallvec::SmallVec<[f64; 2]> = args.iter().map(|a| f64::from_bits(a.id)).collect();
        let id = elementary::eval(f, &x).to_bits();
        Scalar {
            dtype: DType::F64,
            id,
        }
    }

    fn elementary_f32(&mut self, f: Elementary, args: &[Scalar]) -> Scalar {
        let x: smallvec::SmallVec<[f32; 2]> =
            args.iter().map(|a| f32::from_bits(a.id as u32)).collect();
        let id = elementary::eval_single(f, &x).to_bits().into();
        Scalar {
            dtype: DType::F32,
            id,
        }
    }
}

/// Returns the bits of a number in a type, converted as [`ScalarOp::Convert`] does.
pub fn bits_of<T: Element>(x: T, dtype: DType) -> u64 {
    apply(ScalarOp::Convert, T::DTYPE, dtype, &[x.to_bits()])
}
