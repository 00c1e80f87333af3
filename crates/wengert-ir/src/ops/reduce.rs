//! Reductions over axes: sums, products, extremes and truth values.

use std::borrow::Cow;

use crate::arithmetic::Arithmetic;
use crate::buffer::{Buffer, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Dim, Func, Type};
use crate::loops::FoldOp;
use crate::ops::layout::{ascending, broadcast, places, row_major};
use crate::ops::{Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Tangent};
use crate::ops::{elementwise, layout};
use crate::order;
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};
use crate::with_data;

/// How a reduction combines the elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reducer {
    /// The sum; zero if there are no elements. Integers wrap.
    Sum,
    /// The product; one if there are no elements. Integers wrap.
    Prod,
    /// The smallest element; NaN if any is NaN. There must be an element.
    Min,
    /// The largest element; NaN if any is NaN. There must be an element.
    Max,
    /// Whether any element is true; false if there are no elements.
    Any,
    /// Whether all elements are true; true if there are no elements.
    All,
}

/// A reduction over some axes, which are removed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reduce {
    /// How the elements are combined.
    pub reducer: Reducer,
    /// The axes; ascending.
    pub axes: Vec<usize>,
}

use Reducer::*;

impl Reduce {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let reducer = match name {
            "sum" => Sum,
            "prod" => Prod,
            "amin" => Min,
            "amax" => Max,
            "any" => Any,
            "all" => All,
            _ => return None,
        };
        let axes = given.indices("axes")?;
        Some(Op::Reduce(Reduce { reducer, axes }))
    }

    /// Returns the axes that remain.
    fn kept(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|a| !self.axes.contains(a)).collect()
    }

    /// Repeats a result along the reduced axes.
    fn spread(&self, y: Var, ty: &Type) -> Var {
        broadcast(y, &ty.shape, &self.kept(ty.rank()))
    }
}

/// Records the reduction over the given axes, which ascend.
#[track_caller]
pub fn reduce(reducer: Reducer, x: Var, axes: &[usize]) -> Var {
    let op = Reduce {
        reducer,
        axes: axes.to_vec(),
    };
    if let Ok(types) = op.types(&[x.ty()]) {
        if axes.is_empty() {
            return x;
        }
        if reducer == Sum && x.as_literal().is_some_and(|l| l.bits == 0) {
            return Var::zeros(&types[0]);
        }
    }
    bind1(Op::Reduce(op), &[x])
}

/// Records the sum over the given axes, which ascend.
#[track_caller]
pub fn sum(x: Var, axes: &[usize]) -> Var {
    reduce(Sum, x, axes)
}

impl Primitive for Reduce {
    fn name(&self) -> Cow<'static, str> {
        match self.reducer {
            Sum => "sum",
            Prod => "prod",
            Min => "amin",
            Max => "amax",
            Any => "any",
            All => "all",
        }
        .into()
    }

    fn attributes(&self) -> Attributes {
        let axes = self.axes.iter().map(|&a| a as i64).collect();
        vec![("axes", Attribute::Ints(axes))]
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let [x] = inputs else {
            return Err(TypeError::new(crate::error::counted(
                inputs.len(),
                "operand",
                "operands",
            )));
        };
        if !ascending(&self.axes, x.rank()) {
            return Err(TypeError::new(format!(
                "{:?} are not ascending axes of {x}",
                self.axes
            )));
        }
        let logical = matches!(self.reducer, Any | All);
        if logical != (x.dtype == DType::Bool) {
            let error = TypeError::new(format!(
                "{x} is not {}",
                match logical {
                    true => "an array of truth values",
                    false => "an array of numbers",
                }
            ));
            return Err(match logical {
                true => error.hint("compare it first, as in `x.ne(0)`"),
                false => error.hint("convert it first, as in `x.to(DType::I64)`"),
            });
        }
        if self.axes.iter().any(|&a| a < x.shape.batch_axis()) {
            return Err(TypeError::new(format!(
                "{x} has an axis of run-time length"
            )));
        }
        if matches!(self.reducer, Min | Max)
            && let Some(a) = self.axes.iter().find(|&&a| x.shape.0[a] == Dim::N(0))
        {
            return Err(TypeError::new(format!("{x} has no element along axis {a}")));
        }
        let mut ty = x.clone();
        for &a in self.axes.iter().rev() {
            ty = ty.without_axis(a);
        }
        Ok(vec![ty])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        Ok(vec![eval(self.reducer, &inputs[0], &self.axes)])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let smooth = !matches!(self.reducer, Any | All);
        BitMatrix::from_fn(outputs, inputs, |_, _| smooth)
    }

    fn folding(&self) -> Folding {
        match self.reducer {
            // Without elements the result is not the number that fills the operand.
            Sum | Prod | Any | All => Folding::Keep,
            Min | Max => Folding::Layout,
        }
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let (x, dx) = (x[0], dx[0].expect("the tangent of the one operand"));
        let y = reduce(self.reducer, x, &self.axes);
        let dy = match self.reducer {
            Sum => sum(dx, &self.axes),
            Prod => self.prod_tangent(x, dx),
            Min | Max => self.extreme_tangent(x, y, dx),
            Any | All => unreachable!("truth values have no tangents"),
        };
        (vec![y], vec![Some(dy)])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        assert_eq!(self.reducer, Sum, "only sums are linear");
        let ty = inputs[0].ty();
        let ct = ct[0].expect("the cotangent of the one result");
        vec![Some(ct.map(|ct| self.spread(ct, &ty)))]
    }

    fn finishes(&self) -> bool {
        true
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let op = match self.reducer {
            Sum => FoldOp::Add,
            Prod => FoldOp::Mul,
            Min | All => FoldOp::Min,
            Max | Any => FoldOp::Max,
        };
        if l.ty(inputs[0]).shape.has_run() {
            // A list is reduced row by row.
            let want = Wanted {
                ty: outputs[0].ty.row(),
                place: None,
            };
            let axes = self.axes.iter().map(|a| a - 1).collect();
            let row = Reduce {
                axes,
                ..self.clone()
            };
            let make = move |l: &mut Lowering, rows: &[NodeId]| {
                Ok(row.lower(l, rows, std::slice::from_ref(&want))?[0])
            };
            return Ok(vec![l.rows(outputs[0].ty.clone(), inputs.into(), make)]);
        }
        Ok(vec![l.reduce(inputs[0], &self.axes, op, &outputs[0])?])
    }

    fn batch(&self, inputs: &[Batched], _: usize) -> Vec<Batched> {
        // All reduced axes come after the batch axis, so it stays in front.
        let axes: Vec<usize> = self.axes.iter().map(|a| a + 1).collect();
        vec![Batched::mapped(reduce(
            self.reducer,
            inputs[0].value,
            &axes,
        ))]
    }
}

impl Reduce {
    /// Returns the tangent of an extreme. Ties share: if `k` elements are equal to the extreme (or are NaN, if it is),
    /// each has weight `1/k`. The tangents of the other elements are dropped rather than multiplied by zero, so that
    /// infinite ones do no harm.
    fn extreme_tangent(&self, x: Var, y: Var, dx: Var) -> Var {
        let ty = x.ty();
        let equal = elementwise::eq(x, self.spread(y, &ty));
        let chosen = elementwise::or(equal, elementwise::ne(x, x));
        let (zeros, ones) = (Var::zeros(&ty), Var::full(&ty, 1.0));
        let count = sum(elementwise::select(chosen, ones, zeros), &self.axes);
        let total = sum(elementwise::select(chosen, dx, zeros), &self.axes);
        elementwise::div(total, count)
    }

    /// Returns the tangent of a product, computed as a tree of pairwise products: each level multiplies the
    /// first half by the second half, `(a b)' = a' b + a b'`. There is no division by a factor, so zeros among
    /// them do no harm at any order, and the work is that of a few products, `O(n)`.
    fn prod_tangent(&self, x: Var, dx: Var) -> Var {
        let ty = x.ty();
        let kept = self.kept(ty.rank());
        let dims = ty.dims();
        let mut rest: Vec<usize> = kept.iter().map(|&a| dims[a]).collect();
        let mut n: usize = self.axes.iter().map(|&a| dims[a]).product();
        if n == 0 {
            return Var::zeros(&ty.with_dims(&rest));
        }
        // The factors are moved to the first axis.
        let order = [&self.axes[..], &kept].concat();
        rest.insert(0, n);
        let flat = |x: Var| layout::reshape(layout::transpose(x, &order), &rest);
        let (mut p, mut dp) = (flat(x), flat(dx));
        while n > 1 {
            let half = n / 2;
            let part = |x: Var, k: usize| layout::slice_axis(x, 0, k * half..(k + 1) * half);
            let odd = |x: Var, product: Var| match n % 2 {
                0 => product,
                _ => layout::concat(&[product, layout::slice_axis(x, 0, n - 1..n)], 0),
            };
            let (a, b) = (part(p, 0), part(p, 1));
            let (da, db) = (part(dp, 0), part(dp, 1));
            dp = odd(
                dp,
                elementwise::add(elementwise::mul(da, b), elementwise::mul(db, a)),
            );
            p = odd(p, elementwise::mul(a, b));
            n = n.div_ceil(2);
        }
        layout::reshape(dp, &rest[1..])
    }
}

fn eval(reducer: Reducer, x: &Buffer, axes: &[usize]) -> Buffer {
    match x {
        Buffer::List(rows) => {
            let axes: Vec<usize> = axes.iter().map(|a| a - 1).collect();
            Buffer::list(rows.iter().map(|r| eval(reducer, r, &axes)).collect())
        }
        Buffer::Dense(x) => {
            Buffer::Dense(with_data!(&*x.data, v => eval_dense(reducer, x, v, axes)))
        }
    }
}

fn eval_dense<T: Arithmetic>(reducer: Reducer, x: &Dense, v: &[T], axes: &[usize]) -> Dense {
    let pick = |gone: bool| -> (Vec<usize>, Vec<isize>) {
        let all = x.dims.iter().copied().zip(row_major(&x.dims)).enumerate();
        all.filter(|(i, _)| axes.contains(i) == gone)
            .map(|(_, d)| d)
            .unzip()
    };
    let (kept, strides) = pick(false);
    let firsts = places(&kept, 0, &strides);
    let (gone, strides) = pick(true);
    let offsets: Vec<usize> = places(&gone, 0, &strides).collect();
    let (none, op): (T, fn(T, T) -> T) = match reducer {
        Sum | Any => (T::ZERO, T::add),
        Prod | All => (T::ONE, T::mul),
        Min => (T::ZERO, T::min),
        Max => (T::ZERO, T::max),
    };
    let one = |first: usize| {
        let get = |i: usize| v[first + offsets[i]];
        order::reduce(offsets.len(), get, op).unwrap_or(none)
    };
    Dense::of(kept.clone(), firsts.map(one).collect())
}
