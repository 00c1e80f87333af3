//! Reducing axes: sums, products, extremes and truth values.

use std::borrow::Cow;

use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes};
use crate::ir::{BitMatrix, DType, Dim, Func, Type, order};
use crate::ops::layout::{ascending, broadcast, places, row_major};
use crate::ops::{Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Tangent};
use crate::ops::{elementwise, layout};
use crate::trace::{Var, bind1};

/// What a reduction makes of the elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reducer {
    /// Their sum; zero of none. Integers wrap.
    Sum,
    /// Their product; one of none. Integers wrap.
    Prod,
    /// The smallest; NaN if any is. There must be one.
    Min,
    /// The largest; NaN if any is. There must be one.
    Max,
    /// Whether any is true; false of none.
    Any,
    /// Whether all are true; true of none.
    All,
}

/// A reduction over some axes, which go.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reduce {
    /// What it makes of the elements.
    pub reducer: Reducer,
    /// Over these axes; ascending.
    pub axes: Vec<usize>,
}

use Reducer::*;

impl Reduce {
    fn bind(reducer: Reducer, x: Var, axes: &[usize]) -> Var {
        let axes = axes.to_vec();
        bind1(Op::Reduce(Reduce { reducer, axes }), &[x])
    }

    /// The axes that stay.
    fn kept(&self, rank: usize) -> Vec<usize> {
        (0..rank).filter(|a| !self.axes.contains(a)).collect()
    }

    /// Repeats a result along the axes that went.
    fn spread(&self, y: Var, ty: &Type) -> Var {
        broadcast(y, &ty.shape, &self.kept(ty.rank()))
    }
}

/// The sum over those axes, which ascend.
#[track_caller]
pub fn sum(x: Var, axes: &[usize]) -> Var {
    if axes.is_empty() {
        return x;
    }
    let op = Reduce {
        reducer: Sum,
        axes: axes.to_vec(),
    };
    if let Some(zero) = x.as_literal().filter(|l| l.bits == 0)
        && let Ok(types) = op.types(&[zero.ty().clone()])
    {
        return Var::zeros(&types[0]);
    }
    bind1(Op::Reduce(op), &[x])
}

/// The reduction over those axes, which ascend.
#[track_caller]
pub fn reduce(reducer: Reducer, x: Var, axes: &[usize]) -> Var {
    match reducer {
        Sum => sum(x, axes),
        _ => bind1(
            Op::Reduce(Reduce {
                reducer,
                axes: axes.to_vec(),
            }),
            &[x],
        ),
    }
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
            return Err(TypeError::new(format!("{} operands", inputs.len())));
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
                true => error.hint("compare it first: `x.ne(0)`"),
                false => error.hint("convert it first: `x.to(I64)`"),
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

    fn has_effect(&self) -> bool {
        false
    }

    fn folding(&self) -> Folding {
        match self.reducer {
            // Of no elements these are not the number that fills the operand.
            Sum | Prod | Any | All => Folding::Keep,
            Min | Max => Folding::Layout,
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn bodies(&self) -> Vec<&Func> {
        vec![]
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let (x, dx) = (x[0], dx[0].expect("the tangent of the one operand"));
        let y = Reduce::bind(self.reducer, x, &self.axes);
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

    fn batch(&self, inputs: &[Batched], _: usize) -> Vec<Batched> {
        // No axis is reduced in front of the batch axis, so it stays where it goes.
        let axes: Vec<usize> = self.axes.iter().map(|a| a + 1).collect();
        vec![Batched::mapped(Reduce::bind(
            self.reducer,
            inputs[0].value,
            &axes,
        ))]
    }
}

impl Reduce {
    fn extreme_tangent(&self, _x: Var, _y: Var, _dx: Var) -> Var {
        todo!()
    }

    /// The derivative of a product taken as a tree of pairwise products: each level multiplies the
    /// front half by the back half, `(a b)' = a' b + a b'`. No factor is divided by, so zeros among
    /// them do no harm, at any order; and the work is that of a few products, `O(n)`.
    fn prod_tangent(&self, x: Var, dx: Var) -> Var {
        let ty = x.ty();
        let kept = self.kept(ty.rank());
        let dims = ty.dims();
        let mut rest: Vec<usize> = kept.iter().map(|&a| dims[a]).collect();
        let mut n: usize = self.axes.iter().map(|&a| dims[a]).product();
        if n == 0 {
            return Var::zeros(&ty.with_dims(&rest));
        }
        // The factors along the first axis.
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
            dp = odd(dp, elementwise::add(da * b, db * a));
            p = odd(p, a * b);
            n = n.div_ceil(2);
        }
        layout::reshape(dp, &rest[1..])
    }
}

/// The smaller and the larger of two floats: NaN if either is, and -0 below +0.
macro_rules! extremes {
    ($t:ty, $min:ident, $max:ident) => {
        fn $min(a: $t, b: $t) -> $t {
            match a.is_nan() || (a < b) || (a == b && a.is_sign_negative()) {
                true => a,
                false => b,
            }
        }
        fn $max(a: $t, b: $t) -> $t {
            match a.is_nan() || (a > b) || (a == b && a.is_sign_positive()) {
                true => a,
                false => b,
            }
        }
    };
}
extremes!(f32, min_f32, max_f32);
extremes!(f64, min_f64, max_f64);

fn eval(reducer: Reducer, x: &Buffer, axes: &[usize]) -> Buffer {
    match x {
        Buffer::List(rows) => {
            let axes: Vec<usize> = axes.iter().map(|a| a - 1).collect();
            Buffer::list(rows.iter().map(|r| eval(reducer, r, &axes)).collect())
        }
        Buffer::Dense(x) => Buffer::Dense(eval_dense(reducer, x, axes)),
    }
}

fn eval_dense(reducer: Reducer, x: &Dense, axes: &[usize]) -> Dense {
    let pick = |keep: bool| -> (Vec<usize>, Vec<isize>) {
        let all = x.dims.iter().copied().zip(row_major(&x.dims)).enumerate();
        all.filter(|(i, _)| axes.contains(i) != keep)
            .map(|(_, d)| d)
            .unzip()
    };
    let (kept, kept_strides) = pick(true);
    let (gone, gone_strides) = pick(false);
    let firsts = places(&kept, 0, &kept_strides);
    let offsets: Vec<usize> = places(&gone, 0, &gone_strides).collect();
    fn go<T: Copy>(
        v: &[T],
        firsts: impl Iterator<Item = usize>,
        offsets: &[usize],
        none: T,
        op: impl Fn(T, T) -> T,
    ) -> Vec<T> {
        firsts
            .map(|first| {
                let get = |i: usize| v[first + offsets[i]];
                order::reduce(offsets.len(), get, &op).unwrap_or(none)
            })
            .collect()
    }
    macro_rules! numbers {
        ($variant:ident, $v:expr, $add:expr, $mul:expr, $min:expr, $max:expr) => {{
            let (zero, one) = (Default::default(), 1u8.into());
            Data::$variant(match reducer {
                Sum => go($v, firsts, &offsets, zero, $add),
                Prod => go($v, firsts, &offsets, one, $mul),
                Min => go($v, firsts, &offsets, zero, $min),
                Max => go($v, firsts, &offsets, zero, $max),
                Any | All => unreachable!("typed"),
            })
        }};
    }
    macro_rules! floats {
        ($variant:ident, $v:expr, $min:expr, $max:expr) => {
            numbers!($variant, $v, |a, b| a + b, |a, b| a * b, $min, $max)
        };
    }
    macro_rules! ints {
        ($t:ty, $variant:ident, $v:expr) => {
            numbers!(
                $variant,
                $v,
                <$t>::wrapping_add,
                <$t>::wrapping_mul,
                std::cmp::min,
                std::cmp::max
            )
        };
    }
    let data = match &*x.data {
        Data::F32(v) => floats!(F32, v, min_f32, max_f32),
        Data::F64(v) => floats!(F64, v, min_f64, max_f64),
        Data::I32(v) => ints!(i32, I32, v),
        Data::I64(v) => ints!(i64, I64, v),
        Data::U32(v) => ints!(u32, U32, v),
        Data::U64(v) => ints!(u64, U64, v),
        Data::U8(v) => ints!(u8, U8, v),
        Data::Bool(v) => Data::Bool(match reducer {
            Any => go(v, firsts, &offsets, false, |a, b| a | b),
            All => go(v, firsts, &offsets, true, |a, b| a & b),
            _ => unreachable!("typed"),
        }),
    };
    Dense::new(kept, data)
}
