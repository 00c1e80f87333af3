//! The largest elements of each row.

use std::borrow::Cow;
use std::sync::Arc;

use crate::arithmetic::Arithmetic;
use crate::buffer::{Buffer, Data, Dense, Element};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::loops::kernel;
use crate::ops::index;
use crate::ops::iota::iota;
use crate::ops::layout::{known, slice_axis};
use crate::ops::sort::sort;
use crate::ops::{Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, not_linear};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::sort::LARGE;
use crate::trace::{Var, bind};
use crate::with_data;

/// The `k` largest elements along the last axis, in the order of a descending [`sort`](crate::sort), and their places.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TopK {
    /// The number of elements to take, at most the length of the axis.
    pub k: usize,
}

/// Records the `k` largest elements along the last axis, and their places. A short axis is sorted as a whole, which is
/// done in registers, and the first elements are taken.
#[track_caller]
pub fn top_k(x: Var, k: usize) -> (Var, Var) {
    let ty = x.ty();
    let dims = ty.dims();
    let last = dims.len() - 1;
    if dims[last] > LARGE {
        let largest = bind(Op::TopK(TopK { k }), &[x]);
        return (largest[0], largest[1]);
    }
    let places = iota(ty.with_dtype(DType::I64), last);
    let sorted = sort(&[x, places], last, true);
    let first = |x: Var| slice_axis(x, last, 0..k);
    (first(sorted[0]), first(sorted[1]))
}

impl TopK {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        match name {
            "top_k" => Some(Op::TopK(TopK {
                k: given.index("k")?,
            })),
            _ => None,
        }
    }
}

impl Primitive for TopK {
    fn name(&self) -> Cow<'static, str> {
        "top_k".into()
    }

    fn attributes(&self) -> Attributes {
        vec![("k", Attribute::Int(self.k as i64))]
    }

    fn only_moves(&self) -> bool {
        true
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let [x] = inputs else {
            return Err(TypeError::new(format!(
                "{} operands, not one",
                inputs.len()
            )));
        };
        let mut dims = known(x)?;
        match dims.last_mut() {
            Some(n) if self.k <= *n => *n = self.k,
            _ => {
                let message = format!("{x} has no {} elements along its last axis", self.k);
                return Err(TypeError::new(message));
            }
        }
        Ok([x.dtype, DType::I64]
            .map(|dtype| Type::new(dtype, &dims))
            .into())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        fn of_rows<T: Arithmetic>(x: &[T], n: usize, k: usize) -> (Vec<T>, Vec<i64>) {
            let rows = x.len().checked_div(n).unwrap_or(0);
            let (mut values, mut places) = (vec![T::ZERO; rows * k], vec![0; rows * k]);
            for row in 0..rows {
                let to = row * k..row * k + k;
                let keys = &x[row * n..row * n + n];
                kernel::largest(keys, &mut values[to.clone()], &mut places[to]);
            }
            (values, places)
        }
        let x = inputs[0].dense();
        let mut dims = x.dims.clone();
        let n = std::mem::replace(dims.last_mut().expect("an axis"), self.k);
        let (values, places) = with_data!(&*x.data, v => {
            let (values, places) = of_rows(v, n, self.k);
            (Element::wrap(values), places)
        });
        let dense = |data| Buffer::Dense(Dense::new(dims.clone(), data));
        Ok(vec![dense(values), dense(Data::I64(places))])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |out, _| out == 0)
    }

    /// The tangents are taken at the places of the largest elements.
    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let (values, places) = top_k(x[0], self.k);
        let last = x[0].ty().rank() - 1;
        let taken = dx[0].map(|d| index::take_along(d, places, last));
        (vec![values, places], vec![taken, None])
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        not_linear("`top_k`")
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let (values, places) = top_k(inputs[0].spread(size), self.k);
        [values, places].map(Batched::mapped).into()
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let dims = l.dims(inputs[0]);
        let n = *dims.last().expect("an axis");
        let kernel = kernel::TopK {
            dtype: l.ty(inputs[0]).dtype,
            rows: dims[..dims.len() - 1].iter().product(),
            n,
            k: self.k,
        };
        l.kernel(Arc::new(kernel), inputs, outputs)
    }

    fn is_large(&self, _: &[Type]) -> bool {
        true
    }
}
