//! Sequential affine updates along one axis: the derivatives of a scattered product are made of them, and they are
//! closed under differentiation.

use std::borrow::Cow;

use crate::arithmetic::Arithmetic;
use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::loops::builder::Builder;
use crate::loops::{ScalarOp, Value};
use crate::ops::index::{Access, Bounds, Index};
use crate::ops::{
    Batched, Cotangent, Mode, Op, Operand, Primitive, Tangent, add_tangents, elementwise,
};
use crate::schedule::index::{Places, Scatter};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind};
use crate::with_data;

/// `(x, idx, a, b)`: at each index in turn, `x` becomes `a x + b`. The results are the final `x`, and for each update
/// the value that it replaced, or zero if the update was dropped. Axes are as for [`Index`].
///
/// The transpose in `x` and `b` is the same operation from the last update to the first: the cotangent of the final
/// `x` takes the place of `x`, that of the replaced values takes the place of `b`, and the values replaced then are the
/// cotangent of `b`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AffineScatter {
    /// The axis of `x`, which is not a batch axis.
    pub axis: usize,
    /// The number of leading batch axes.
    pub batch: usize,
    /// What happens at an index out of range.
    pub bounds: Bounds,
    /// Whether the updates run from the last to the first.
    pub reverse: bool,
    /// Whether `a x` is zero where `x` is zero, whatever `a` is: `x` is a cotangent that has passed through a mask (see
    /// [`Cotangent::maybe_zero`]).
    pub zero_wins: bool,
}

impl AffineScatter {
    /// Creates updates that run from the first to the last.
    pub fn new(axis: usize, batch: usize, bounds: Bounds) -> AffineScatter {
        AffineScatter {
            axis,
            batch,
            bounds,
            reverse: false,
            zero_wins: false,
        }
    }

    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        if name != "scatter_affine" {
            return None;
        }
        Some(Op::AffineScatter(AffineScatter {
            axis: given.index("axis")?,
            batch: given.index("batch")?,
            bounds: Bounds::parse(given)?,
            reverse: given.boolean("reverse")?,
            zero_wins: given.boolean("zero_wins")?,
        }))
    }

    /// Records the operation; returns the final `x`, and the values that the updates replaced.
    #[track_caller]
    pub fn bind(self, x: Var, idx: Var, a: Var, b: Var) -> (Var, Var) {
        let out = bind(Op::AffineScatter(self), &[x, idx, a, b]);
        (out[0], out[1])
    }

    /// Records the product of `x` with the updates `u`, and its tangent.
    pub fn product(self, [x, idx, u]: [Var; 3], dx: Tangent, du: Tangent) -> (Var, Var) {
        // Adding -0 changes no product.
        let (y, before) = self.bind(x, idx, u, Var::full(&u.ty(), -0.0));
        let change = du.map(|du| elementwise::mul(du, before));
        let change = change.unwrap_or_else(|| Var::zeros(&u.ty()));
        let dx = dx.unwrap_or_else(|| Var::zeros(&x.ty()));
        (y, self.bind(dx, idx, u, change).0)
    }

    /// Returns the gather with the same places.
    fn index(self) -> Index {
        Index {
            access: Access::Gather,
            axis: self.axis,
            batch: self.batch,
            bounds: self.bounds,
        }
    }

    fn eval_dense<T: Arithmetic>(self, x: &Dense, v: &[T], inputs: &[Buffer]) -> [Dense; 2] {
        let [idx, a, b] = [1, 2, 3].map(|i| inputs[i].dense());
        let mut v = v.to_vec();
        let mut before = vec![T::ZERO; a.data.len()];
        let places: Vec<Option<usize>> = self.index().places(x, idx).collect();
        let updates = a.slice::<T>().iter().zip(b.slice::<T>()).zip(&places);
        let mut one = |i: usize, ((&a, &b), &place): ((&T, &T), &Option<usize>)| {
            if let Some(at) = place {
                before[i] = v[at];
                let product = match self.zero_wins && v[at] == T::ZERO {
                    true => v[at],
                    false => a.mul(v[at]),
                };
                v[at] = product.add(b);
            }
        };
        match self.reverse {
            false => updates.enumerate().for_each(|(i, u)| one(i, u)),
            true => updates.enumerate().rev().for_each(|(i, u)| one(i, u)),
        }
        [
            Dense::of(x.dims.clone(), v),
            Dense::of(a.dims.clone(), before),
        ]
    }
}

impl Primitive for AffineScatter {
    fn name(&self) -> Cow<'static, str> {
        "scatter_affine".into()
    }

    fn method(&self) -> Cow<'static, str> {
        "at_mul".into()
    }

    fn attributes(&self) -> Attributes {
        let mut all = self.index().attributes();
        all.push(("reverse", Attribute::Bool(self.reverse)));
        all.push(("zero_wins", Attribute::Bool(self.zero_wins)));
        all
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let [x, idx, a, b] = inputs else {
            return Err(TypeError::new(crate::error::counted(
                inputs.len(),
                "operand",
                "operands",
            )));
        };
        let window = self.index().window_type(x, idx)?;
        if let Some(other) = [a, b].into_iter().find(|u| **u != window) {
            return Err(TypeError::new(format!(
                "updates {other} of {x} at {idx} should be {window}"
            )));
        }
        if x.dtype == DType::Bool {
            return Err(TypeError::new(format!("{x} is not an array of numbers")));
        }
        Ok(vec![x.clone(), window])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let x = inputs[0].dense();
        let out = with_data!(&*x.data, v => self.eval_dense(x, v, inputs));
        Ok(out.map(Buffer::Dense).into())
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::from_fn(outputs, inputs, |_, i| i != 1)
    }

    /// The tangent of an update is an update with the same factor, `a x' + (a' x + b')`.
    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let [idx, a] = [x[1], x[2]];
        let (y, before) = self.bind(x[0], idx, a, x[3]);
        let change = dx[2].map(|da| match self.zero_wins {
            true => elementwise::mul_or_zero(before, da),
            false => elementwise::mul(da, before),
        });
        let change = add_tangents(change, dx[3]).unwrap_or_else(|| Var::zeros(&a.ty()));
        let moved = dx[0].unwrap_or_else(|| Var::zeros(&y.ty()));
        let (dy, dbefore) = self.bind(moved, idx, a, change);
        (vec![y, before], vec![Some(dy), Some(dbefore)])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let types = [inputs[0].ty(), inputs[3].ty()];
        let value = |i: usize| ct[i].map_or_else(|| Var::zeros(&types[i]), |c| c.value);
        let masked = ct.iter().flatten().any(|c| c.maybe_zero);
        let back = AffineScatter {
            reverse: !self.reverse,
            zero_wins: self.zero_wins || masked,
            ..*self
        };
        let (idx, a) = (inputs[1].known(), inputs[2].known());
        let (to_x, to_b) = back.bind(value(0), idx, a, value(1));
        let cotangent = Cotangent::of;
        let dropped = self.bounds == Bounds::Drop;
        let to_x = cotangent(to_x, back.zero_wins);
        let to_b = cotangent(to_b, back.zero_wins || dropped);
        vec![
            inputs[0].is_linear().then_some(to_x),
            None,
            None,
            inputs[3].is_linear().then_some(to_b),
        ]
    }

    fn in_place_of(&self, result: usize) -> Option<usize> {
        (result == 0).then_some(0)
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let join = |b: &mut Builder, old: Value, u: &[Value]| {
            let mut product = b.mul(u[0], old);
            if self.zero_wins {
                let zero = b.constant(b.dtype(old), 0);
                let none = b.op(ScalarOp::Eq, &[old, zero]);
                product = b.select(none, old, product);
            }
            b.add(product, u[1])
        };
        let scatter = Scatter {
            places: Places {
                axis: self.axis,
                batch: self.batch,
                drop: self.bounds == Bounds::Drop,
            },
            idx: inputs[1],
            updates: &inputs[2..],
            join: &join,
            reverse: self.reverse,
            before: Some(&outputs[1]),
        };
        let (y, before) = l.scatter(inputs[0], &scatter, &outputs[0])?;
        Ok(vec![y, before.expect("it was wanted")])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let [x, idx, a, b] = [0, 1, 2, 3].map(|i| inputs[i]);
        // If the indices are the same for the whole batch, the batch axis is just another axis in front of `axis`.
        let apart = idx.mapped || self.batch > 0;
        let op = AffineScatter {
            axis: self.axis + 1,
            batch: if apart { self.batch + 1 } else { 0 },
            ..*self
        };
        let idx = if apart { idx.spread(size) } else { idx.value };
        let (y, before) = op.bind(x.spread(size), idx, a.spread(size), b.spread(size));
        vec![Batched::mapped(y), Batched::mapped(before)]
    }
}
