//! Sorting along an axis.

use std::borrow::Cow;

use crate::arithmetic::Arithmetic;
use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::ops::index;
use crate::ops::iota::iota;
use crate::ops::layout::{known, places, row_major};
use crate::ops::{
    Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Pruned, Tangent, not_linear,
};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::sort::{LARGE, sort_with_places};
use crate::trace::{Var, bind};
use crate::with_data;

/// `(key, x..)`: the elements of all operands along an axis, in the order of the keys. All operands
/// have the same shape.
///
/// The sort is stable: equal keys keep their order. NaN counts as larger than all numbers, and
/// zeros of both signs are equal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Sort {
    /// The axis.
    pub axis: usize,
    /// Whether the order is from the largest to the smallest.
    pub descending: bool,
}

/// Records the operands sorted along `axis` by the first operand; see [`Sort`].
#[track_caller]
pub fn sort(inputs: &[Var], axis: usize, descending: bool) -> Vec<Var> {
    bind(Op::Sort(Sort { axis, descending }), inputs)
}

impl Sort {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        match name {
            "sort" => Some(Op::Sort(Sort {
                axis: given.index("axis")?,
                descending: given.boolean("descending")?,
            })),
            _ => None,
        }
    }

    /// Returns for each line along the axis its start and the original places of its sorted elements.
    fn lines(&self, key: &Dense) -> Vec<(usize, Vec<i64>)> {
        fn order<T: Arithmetic>(v: &[T], at: impl Iterator<Item = usize>, down: bool) -> Vec<i64> {
            let mut keys: Vec<T> = at.map(|i| v[i]).collect();
            let mut places = vec![0; keys.len()];
            sort_with_places(&mut keys, &mut places, down);
            places
        }
        let strides = row_major(&key.dims);
        let (n, stride) = (key.dims[self.axis], strides[self.axis] as usize);
        let mut others = key.dims.clone();
        others[self.axis] = 1;
        let line = |first: usize| {
            let at = (0..n).map(|i| first + i * stride);
            let places = with_data!(&*key.data, v => order(v, at, self.descending));
            (first, places)
        };
        places(&others, 0, &strides).map(line).collect()
    }
}

impl Primitive for Sort {
    fn name(&self) -> Cow<'static, str> {
        "sort".into()
    }

    fn attributes(&self) -> Attributes {
        vec![
            ("axis", Attribute::Int(self.axis as i64)),
            ("descending", Attribute::Bool(self.descending)),
        ]
    }

    fn only_moves(&self) -> bool {
        true
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let Some(key) = inputs.first() else {
            return Err(TypeError::new("no operand"));
        };
        if let Some(other) = inputs.iter().find(|x| x.shape != key.shape) {
            let message = format!("{key} and {other} have different shapes");
            return Err(TypeError::new(message));
        }
        if self.axis >= known(key)?.len() {
            return Err(TypeError::new(format!("{key} has no axis {}", self.axis)));
        }
        Ok(inputs.to_vec())
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let key = inputs[0].dense();
        let lines = self.lines(key);
        let stride = row_major(&key.dims)[self.axis] as usize;
        let sorted = |x: &Buffer| {
            let x = x.dense();
            let mut data = Data::zeros(x.data.dtype(), x.data.len());
            for (first, places) in &lines {
                for (i, &place) in places.iter().enumerate() {
                    let from = first + place as usize * stride;
                    data.set_bits(first + i * stride, x.data.bits(from));
                }
            }
            Buffer::Dense(Dense::new(x.dims.clone(), data))
        };
        Ok(inputs.iter().map(sorted).collect())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |out, i| out == i)
    }

    // An array of one repeated number is sorted.
    fn folding(&self) -> Folding {
        Folding::Layout
    }

    /// The keys are kept, since the order of the others depends on them.
    fn prune(&self, used: &[bool]) -> Option<Pruned> {
        let mut kept = used.to_vec();
        kept[0] = true;
        if kept.iter().all(|k| *k) {
            return None;
        }
        Some(Pruned {
            op: Op::Sort(*self),
            inputs: kept.clone(),
            outputs: kept,
        })
    }

    /// The tangents are permuted like the elements.
    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let places = iota(x[0].ty().with_dtype(DType::I64), self.axis);
        let mut y = sort(&[x, &[places]].concat(), self.axis, self.descending);
        let from = y.pop().expect("the places");
        let moved = |d: &Tangent| d.map(|d| index::take_along(d, from, self.axis));
        let dy = dx.iter().map(moved).collect();
        (y, dy)
    }

    fn transpose(&self, _: &[Operand], _: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        not_linear("a sort")
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        l.sort(inputs, self.axis, self.descending, outputs)
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let inputs: Vec<Var> = inputs.iter().map(|b| b.spread(size)).collect();
        let sorted = sort(&inputs, self.axis + 1, self.descending);
        sorted.into_iter().map(Batched::mapped).collect()
    }

    fn is_large(&self, inputs: &[Type]) -> bool {
        inputs[0].dims()[self.axis] > LARGE
    }
}
