//! Cumulative operations along an axis: sums, products, extremes, and the linear recurrence that their derivatives
//! are made of.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::{Attribute, Attributes, Given};
use crate::ir::{BitMatrix, DType, Func, Type};
use crate::loops::builder::Builder;
use crate::loops::{FoldOp, ScalarOp, Value};
use crate::ops::layout::{self, known, places, row_major};
use crate::ops::{
    Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Tangent, elementwise, not_linear,
};
use crate::order::CHUNK;
use crate::scalar::{Exact, Scalar, Scalars};
use crate::schedule::fold::neutral;
use crate::schedule::node::NodeId;
use crate::schedule::running::Running;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

/// How each value follows from the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// `(x)`: `y[i] = y[i-1] + x[i]`. Integers wrap. In each chunk of [`CHUNK`] elements the sum begins anew, and the last
    /// one of the chunk before is added to it.
    Sum,
    /// `(x)`: `y[i] = y[i-1] * x[i]`. Integers wrap.
    Prod,
    /// `(x)`: the smaller of `y[i-1]` and `x[i]`; NaN from the first NaN on.
    Min,
    /// `(x)`: the larger of `y[i-1]` and `x[i]`; NaN from the first NaN on.
    Max,
    /// `(a, b)`: `y[i] = a[i] * y[i-1] + b[i]`, and `y[0] = b[0]`.
    Linear {
        /// Whether the product is zero where `a` is zero: earlier values are cut off, even infinite ones.
        cut: bool,
        /// Whether the product is zero where `y[i-1]` is zero: `y` is a cotangent that has passed through a mask
        /// (see [`Cotangent::maybe_zero`]).
        zero_wins: bool,
    },
}

use Step::{Linear, Max, Min, Prod, Sum};

/// Computes values along an axis, each from the one before it, in order from the first to the last.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cumulative {
    /// How each value follows from the one before it.
    pub step: Step,
    /// The axis.
    pub axis: usize,
    /// Whether the values are computed from the last to the first.
    pub reverse: bool,
}

/// Records the cumulative sum, product or extreme along an axis.
#[track_caller]
pub fn cumulative(step: Step, x: Var, axis: usize, reverse: bool) -> Var {
    let op = Cumulative {
        step,
        axis,
        reverse,
    };
    op.bind(&[x])
}

/// Records `y[i] = a[i] * y[i-1] + b[i]` along an axis, with `y[0] = b[0]`; in the opposite direction with
/// `reverse`. Both operands have the same type.
#[track_caller]
pub fn recurrence(a: Var, b: Var, axis: usize, reverse: bool) -> Var {
    let step = Linear {
        cut: false,
        zero_wins: false,
    };
    let op = Cumulative {
        step,
        axis,
        reverse,
    };
    op.bind(&[a, b])
}

/// Shifts each element by one place along an axis, towards the last element (with `reverse`, towards the first), and
/// puts `fill` in the place that becomes free.
#[track_caller]
pub fn moved_on(x: Var, axis: usize, reverse: bool, fill: f64) -> Var {
    let ty = x.ty();
    let mut dims = ty.dims();
    let n = dims[axis];
    if n <= 1 {
        return Var::full(&ty, fill);
    }
    dims[axis] = 1;
    let fill = Var::full(&ty.with_dims(&dims), fill);
    match reverse {
        false => layout::concat(&[fill, layout::slice_axis(x, axis, 0..n - 1)], axis),
        true => layout::concat(&[layout::slice_axis(x, axis, 1..n), fill], axis),
    }
}

impl Cumulative {
    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, given: &Given, _: &[Func]) -> Option<Op> {
        let step = match name {
            "cumsum" => Sum,
            "cumprod" => Prod,
            "cummin" => Min,
            "cummax" => Max,
            "recurrence" => Linear {
                cut: given.boolean("cut")?,
                zero_wins: given.boolean("zero_wins")?,
            },
            _ => return None,
        };
        Some(Op::Cumulative(Cumulative {
            step,
            axis: given.index("axis")?,
            reverse: given.boolean("reverse")?,
        }))
    }

    #[track_caller]
    fn bind(&self, inputs: &[Var]) -> Var {
        let y = bind1(Op::Cumulative(*self), inputs);
        // A cumulative sum of zeros is zero, and so is a recurrence that only adds zeros.
        let last = inputs[inputs.len() - 1];
        match (self.step, last.as_literal()) {
            (Sum | Linear { .. }, Some(l)) if l.bits == 0 => Var::zeros(&last.ty()),
            _ => y,
        }
    }

    fn with_step(&self, step: Step) -> Cumulative {
        Cumulative { step, ..*self }
    }

    /// Returns the initial value from which a step gives its operand, bit for bit.
    fn start(&self, dtype: DType) -> u64 {
        let op = match self.step {
            Sum | Linear { .. } => FoldOp::Add,
            Prod => FoldOp::Mul,
            Min => FoldOp::Min,
            Max => FoldOp::Max,
        };
        neutral(op, dtype)
    }

    /// Returns the operation that joins the last value of a chunk with the values of the next one. If there is one, the
    /// values begin anew in each chunk: rounding errors grow with the number of chunks, and chunks run in parallel.
    fn join(&self) -> Option<FoldOp> {
        match self.step {
            Sum => Some(FoldOp::Add),
            // No bit depends on where they begin.
            Min => Some(FoldOp::Min),
            Max => Some(FoldOp::Max),
            // Products over a chunk may overflow where those up to each place do not.
            Prod | Linear { .. } => None,
        }
    }

    /// Computes one step: the next value, given the one before and the operands at this place. At the first place
    /// `first` is true and `before` is the `start`.
    pub fn advance(
        &self,
        s: &mut dyn Scalars,
        first: Scalar,
        before: Scalar,
        x: &[Scalar],
    ) -> Scalar {
        match self.step {
            Sum => s.op(ScalarOp::Add, &[before, x[0]]),
            Prod => s.op(ScalarOp::Mul, &[before, x[0]]),
            Min => s.op(ScalarOp::Min, &[before, x[0]]),
            Max => s.op(ScalarOp::Max, &[before, x[0]]),
            Linear { cut, zero_wins } => {
                let mut product = s.op(ScalarOp::Mul, &[x[0], before]);
                for (zero, wins) in [(before, zero_wins), (x[0], cut)] {
                    if wins {
                        let none = s.number(zero, 0.0);
                        let is_zero = s.op(ScalarOp::Eq, &[zero, none]);
                        product = s.select(is_zero, zero, product);
                    }
                }
                let product = s.select(first, before, product);
                s.op(ScalarOp::Add, &[product, x[1]])
            }
        }
    }

    /// Returns the tangent of a running extreme. Equal elements share as in [`crate::ops::reduce`]: if `k` elements so
    /// far are equal to the extreme (or are NaN, if it is), each has weight `1/k`. At each step the extreme either
    /// changes or stays, so both the number of equals and the tangent are recurrences that a change cuts off.
    fn extreme_tangent(&self, x: Var, y: Var, dx: Var) -> Var {
        let ty = x.ty();
        let (zeros, ones) = (Var::zeros(&ty), Var::full(&ty, 1.0));
        let before = moved_on(y, self.axis, self.reverse, 0.0);
        let stays = elementwise::or(elementwise::eq(y, before), elementwise::ne(before, before));
        let chosen = elementwise::or(elementwise::eq(x, y), elementwise::ne(x, x));
        let old = elementwise::select(stays, ones, zeros);
        let new = elementwise::select(chosen, ones, zeros);
        let count = recurrence(old, new, self.axis, self.reverse);
        let weight = elementwise::div(elementwise::sub(count, new), count);
        let weight = elementwise::select(stays, weight, zeros);
        let share = elementwise::select(chosen, elementwise::div(dx, count), zeros);
        let cut = Linear {
            cut: true,
            zero_wins: false,
        };
        self.with_step(cut).bind(&[weight, share])
    }

    /// Returns the tangent of a recurrence: for `y[i] = a[i] y[i-1] + b[i]` it is the same recurrence over
    /// `a'[i] y[i-1] + b'[i]`.
    fn linear_tangent(&self, a: Var, y: Var, da: Tangent, db: Tangent) -> Var {
        let change = da.map(|da| {
            let before = moved_on(y, self.axis, self.reverse, 0.0);
            match self.step {
                Linear {
                    zero_wins: true, ..
                } => elementwise::mul_or_zero(before, da),
                Linear { cut: true, .. } => elementwise::mul_or_zero(da, before),
                _ => elementwise::mul(da, before),
            }
        });
        let change = crate::ops::add_tangents(change, db).expect("a tangent");
        self.bind(&[a, change])
    }
}

impl Primitive for Cumulative {
    fn name(&self) -> Cow<'static, str> {
        match self.step {
            Sum => "cumsum",
            Prod => "cumprod",
            Min => "cummin",
            Max => "cummax",
            Linear { .. } => "recurrence",
        }
        .into()
    }

    fn attributes(&self) -> Attributes {
        let mut all = vec![
            ("axis", Attribute::Int(self.axis as i64)),
            ("reverse", Attribute::Bool(self.reverse)),
        ];
        if let Linear { cut, zero_wins } = self.step {
            all.push(("cut", Attribute::Bool(cut)));
            all.push(("zero_wins", Attribute::Bool(zero_wins)));
        }
        all
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let arity = match self.step {
            Linear { .. } => 2,
            _ => 1,
        };
        if inputs.len() != arity {
            return Err(TypeError::new(crate::error::counted(
                inputs.len(),
                "operand",
                "operands",
            )));
        }
        let x = &inputs[arity - 1];
        if inputs[0] != *x {
            let message = format!("{} and {x} have different types", inputs[0]);
            return Err(TypeError::new(message));
        }
        if self.axis >= known(x)?.len() {
            return Err(TypeError::new(format!("{x} has no axis {}", self.axis)));
        }
        if x.dtype == DType::Bool {
            let error = TypeError::new(format!("{x} is not an array of numbers"));
            return Err(error.hint("convert it first, as in `x.to(DType::I64)`"));
        }
        Ok(vec![x.clone()])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let inputs: SmallVec<[&Dense; 2]> = inputs.iter().map(Buffer::dense).collect();
        let x = inputs[0];
        let dtype = x.data.dtype();
        let mut data = Data::zeros(dtype, x.data.len());
        let strides = row_major(&x.dims);
        let (n, stride) = (x.dims[self.axis], strides[self.axis]);
        let mut others = x.dims.clone();
        others[self.axis] = 1;
        let scalar = |id| Scalar { dtype, id };
        for start in places(&others, 0, &strides) {
            let s: &mut dyn Scalars = &mut Exact;
            let neutral = scalar(self.start(dtype));
            let (mut value, mut last) = (neutral, neutral);
            let mut joined = neutral;
            for i in 0..n {
                if self.join().is_some() && i % CHUNK == 0 {
                    (value, last) = (neutral, joined);
                }
                let along = if self.reverse { n - 1 - i } else { i };
                let at = start + along * stride as usize;
                let x: SmallVec<[Scalar; 2]> =
                    inputs.iter().map(|x| scalar(x.data.bits(at))).collect();
                let first = Scalar {
                    dtype: DType::Bool,
                    id: u64::from(i == 0),
                };
                value = self.advance(s, first, value, &x);
                joined = match self.join() {
                    Some(join) => s.op(join.scalar(), &[last, value]),
                    None => value,
                };
                data.set_bits(at, joined.id);
            }
        }
        Ok(vec![Buffer::Dense(Dense::new(x.dims.clone(), data))])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        BitMatrix::full(outputs, inputs)
    }

    fn folding(&self) -> Folding {
        match self.step {
            Min | Max => Folding::Layout,
            Sum | Prod | Linear { .. } => Folding::Keep,
        }
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = self.bind(x);
        let tangent = || dx[0].expect("the tangent of the one operand");
        let dy = match self.step {
            Sum => self.bind(&[tangent()]),
            Prod => {
                // (y[i-1] x[i])' = x[i] y'[i-1] + y[i-1] x'[i]: nothing is divided by a factor.
                let before = moved_on(y, self.axis, self.reverse, 1.0);
                let change = elementwise::mul(tangent(), before);
                recurrence(x[0], change, self.axis, self.reverse)
            }
            Min | Max => self.extreme_tangent(x[0], y, tangent()),
            Linear { .. } => self.linear_tangent(x[0], y, dx[0], dx[1]),
        };
        (vec![y], vec![Some(dy)])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let ct = ct[0].expect("the cotangent of the one result");
        let mut back = Cumulative {
            reverse: !self.reverse,
            ..*self
        };
        match self.step {
            Sum => vec![Some(ct.map(|ct| back.bind(&[ct])))],
            Linear { cut, zero_wins } => {
                // Going back, a cotangent is multiplied at place `i` by the factor of place `i + 1`.
                let factors = moved_on(inputs[0].known(), self.axis, back.reverse, 0.0);
                back.step = Linear {
                    cut,
                    zero_wins: zero_wins || ct.maybe_zero,
                };
                let ct = if zero_wins { ct.masked() } else { ct };
                vec![None, Some(ct.map(|ct| back.bind(&[factors, ct])))]
            }
            Prod | Min | Max => not_linear("a running product or extreme"),
        }
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let op = *self;
        let step = |b: &mut Builder, first: Value, before: Value, x: &[Value]| {
            let (first, before) = (b.scalar(first), b.scalar(before));
            let x: SmallVec<[Scalar; 2]> = x.iter().map(|&v| b.scalar(v)).collect();
            op.advance(b, first, before, &x).into()
        };
        let running = Running {
            axis: self.axis,
            reverse: self.reverse,
            start: self.start(outputs[0].ty.dtype),
            step: &step,
            join: self.join(),
        };
        Ok(vec![l.running(&running, inputs, &outputs[0])?])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let op = Cumulative {
            axis: self.axis + 1,
            ..*self
        };
        let inputs: SmallVec<[Var; 2]> = inputs.iter().map(|b| b.spread(size)).collect();
        vec![Batched::mapped(op.bind(&inputs))]
    }
}
