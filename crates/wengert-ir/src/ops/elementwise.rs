//! Elementwise operations: one family for all rows of the tables in [`rows`].
//!
//! Operands have the same shape (a literal has any shape) and, except for the condition of a
//! selection, the same element type. The methods of [`Var`] broadcast and promote; the functions here,
//! which rules use, do not.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::buffer::{Buffer, Data, Dense};
use crate::error::{Error, TypeError};
use crate::ir::text::Given;
use crate::ir::{BitMatrix, DType, Func, Shape, Type};
use crate::loops::Value;
use crate::loops::builder::Builder;
use crate::ops::rows::{self, Derive, Row, Term, row};
use crate::ops::work;
use crate::ops::{
    Batched, Cotangent, Folding, Mode, Op, Operand, Primitive, Tangent, add_tangents, not_linear,
};
use crate::scalar::{Exact, Scalar};
use crate::schedule::node::NodeId;
use crate::schedule::{Lowering, Wanted};
use crate::trace::{Var, bind1};

/// An elementwise operation, identified by its row in a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Elementwise {
    table: u8,
    row: u8,
}

impl Elementwise {
    pub(super) const fn at(table: usize, row: usize) -> Elementwise {
        Elementwise {
            table: table as u8,
            row: row as u8,
        }
    }

    /// Returns the row of the table.
    pub fn row(self) -> &'static Row {
        &rows::TABLES[self.table as usize][self.row as usize]
    }

    /// Records the operation on operands of the types that it takes.
    #[track_caller]
    pub fn apply(self, inputs: &[Var]) -> Var {
        bind1(Op::Elementwise(self), inputs)
    }

    /// Parses an operation of this family from the text form; `None` if it is none of this family.
    pub fn parse(name: &str, _: &Given, _: &[Func]) -> Option<Op> {
        rows::find(name).map(Op::Elementwise)
    }

    /// Returns the tangent of the result `y`.
    fn tangent(self, x: &[Var], y: Var, dx: &[Tangent]) -> Tangent {
        match self.row().derive {
            Derive::Zero => None,
            Derive::Factor(f) => dx[0].map(|d| times(d, f(x[0], y))),
            Derive::Tangent(f) => f(x, dx),
            Derive::Terms(terms) => {
                let term = |(i, t): (usize, &Term)| {
                    dx[i].map(|d| match t {
                        Term::Factor(f) => times(d, f(x, y)),
                        Term::Linear(f) => f(x, d),
                    })
                };
                let terms = terms.iter().enumerate().map(term);
                terms.fold(None, add_tangents)
            }
        }
    }

    /// Returns the operands without the condition; they have one element type.
    fn values<T>(self, inputs: &[T]) -> &[T] {
        &inputs[usize::from(self.row().signature.predicate)..]
    }

    /// Computes the result, row by row if operands are lists. A missing operand stands for zeros, as does
    /// an empty list next to a list that is not empty; at least one operand must be given.
    fn compute(self, inputs: &[Option<&Buffer>]) -> Buffer {
        let rows = |b: &Option<&Buffer>| match b {
            Some(Buffer::List(rows)) => Some(rows.len()),
            _ => None,
        };
        match self.values(inputs).iter().filter_map(rows).max() {
            None => Buffer::Dense(self.compute_dense(inputs)),
            Some(n) => {
                let pick = |b: &Option<&'_ Buffer>, i: usize| match b {
                    Some(Buffer::List(rows)) => rows.get(i).cloned(),
                    // A condition applies to every row: see `types`.
                    dense => dense.cloned(),
                };
                let row = |i: usize| {
                    let picked: SmallVec<[Option<Buffer>; 3]> =
                        inputs.iter().map(|b| pick(b, i)).collect();
                    let picked: SmallVec<[Option<&Buffer>; 3]> =
                        picked.iter().map(Option::as_ref).collect();
                    self.compute(&picked)
                };
                Buffer::list((0..n).map(row).collect())
            }
        }
    }

    fn compute_dense(self, inputs: &[Option<&Buffer>]) -> Dense {
        let values = self.values(inputs);
        let like = values.iter().flatten().next().expect("a value").dense();
        let signature = self.row().signature;
        let dtype = like.data.dtype();
        let mut data = Data::zeros(self.result_dtype(dtype), like.data.len());
        for i in 0..data.len() {
            let element = |(k, b): (usize, &Option<&Buffer>)| Scalar {
                dtype: match signature.predicate && k == 0 {
                    true => DType::Bool,
                    false => dtype,
                },
                id: b.map_or(0, |b| b.dense().data.bits(i)),
            };
            let x: SmallVec<[Scalar; 3]> = inputs.iter().enumerate().map(element).collect();
            data.set_bits(i, self.row().define.apply(&mut Exact, &x).id);
        }
        Dense::new(like.dims.clone(), data)
    }

    fn result_dtype(self, dtype: DType) -> DType {
        match self.row().signature.returns_bool {
            true => DType::Bool,
            false => dtype,
        }
    }
}

impl std::fmt::Debug for Elementwise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row().name)
    }
}

impl Primitive for Elementwise {
    fn name(&self) -> Cow<'static, str> {
        self.row().name.into()
    }

    fn method(&self) -> Cow<'static, str> {
        match self.row().method {
            "" => self.name(),
            method => method.into(),
        }
    }

    fn types(&self, inputs: &[Type]) -> Result<Vec<Type>, TypeError> {
        let signature = self.row().signature;
        if inputs.len() != signature.arity {
            let message = format!(
                "{}, not {}",
                crate::error::counted(signature.arity, "operand", "operands"),
                inputs.len()
            );
            return Err(TypeError::new(message));
        }
        let values = self.values(inputs);
        let ty = &values[0];
        // A condition may lack the axes up to the last run-time one: then it is the same
        // along them.
        let known = Shape(ty.shape.0[ty.shape.batch_axis()..].into());
        let fits = |(i, t): (usize, &Type)| {
            t.shape == ty.shape || (signature.predicate && i == 0 && t.shape == known)
        };
        let misfit = inputs.iter().enumerate().find(|&input| !fits(input));
        if let Some((_, other)) = misfit {
            let message = format!("{other} and {ty} have different shapes");
            return Err(TypeError::new(message));
        }
        if let Some(other) = values.iter().find(|t| t.dtype != ty.dtype) {
            let message = format!("{ty} and {other} have different element types");
            return Err(TypeError::new(message));
        }
        if signature.predicate && inputs[0].dtype != DType::Bool {
            let message = format!("the condition is {}, not bool", inputs[0]);
            return Err(TypeError::new(message).hint("compare it with something, as in `x.ne(0)`"));
        }
        if !signature.elements.contains(ty.dtype) {
            let message = format!("{} expected, got {ty}", signature.elements.describe());
            let error = TypeError::new(message);
            return Err(match (signature.elements, ty.dtype) {
                (rows::Elements::Float, _) => error.hint("convert it, as in `x.to(DType::F64)`"),
                (_, DType::Bool) => error.hint(
                    "use `&`, `|` and `^` on truth values, or convert them, as in `x.to(DType::I64)`",
                ),
                _ => error,
            });
        }
        Ok(vec![ty.with_dtype(self.result_dtype(ty.dtype))])
    }

    fn eval(&self, inputs: &[Buffer]) -> Result<Vec<Buffer>, Error> {
        let inputs: SmallVec<[Option<&Buffer>; 3]> = inputs.iter().map(Some).collect();
        Ok(vec![self.compute(&inputs)])
    }

    fn deps(&self, inputs: usize, outputs: usize) -> BitMatrix {
        let row = self.row();
        if matches!(row.derive, Derive::Zero) {
            return BitMatrix::new(outputs, inputs);
        }
        BitMatrix::from_fn(outputs, inputs, |_, i| i > 0 || !row.signature.predicate)
    }

    fn folding(&self) -> Folding {
        Folding::Elementwise
    }

    fn masks(&self) -> bool {
        self.row().signature.predicate
    }

    fn jvp(&self, x: &[Var], dx: &[Tangent], _: Mode) -> (Vec<Var>, Vec<Tangent>) {
        let y = self.apply(x);
        (vec![y], vec![self.tangent(x, y, dx)])
    }

    fn transpose(&self, inputs: &[Operand], ct: &[Option<Cotangent>]) -> Vec<Option<Cotangent>> {
        let Some(ct) = ct[0] else {
            return vec![None; inputs.len()];
        };
        let Some(transpose) = self.row().transpose else {
            not_linear(&format!("`{}`", self.method()))
        };
        transpose(inputs, ct)
    }

    fn element_work(&self, inputs: &[Type]) -> Option<u64> {
        Some(work::of(*self, inputs.iter().map(|t| t.dtype)))
    }

    fn lower(
        &self,
        l: &mut Lowering,
        inputs: &[NodeId],
        outputs: &[Wanted],
    ) -> Result<Vec<NodeId>, Error> {
        let define = &self.row().define;
        let emit = move |b: &mut Builder, x: &[Value]| {
            let x: SmallVec<[Scalar; 3]> = x.iter().map(|&v| b.scalar(v)).collect();
            define.apply(b, &x).into()
        };
        let work = work::of(*self, inputs.iter().map(|&i| l.ty(i).dtype));
        Ok(vec![l.each(&outputs[0].ty, inputs, work, emit)])
    }

    fn batch(&self, inputs: &[Batched], size: usize) -> Vec<Batched> {
        let inputs: SmallVec<[Var; 3]> = inputs.iter().map(|b| b.spread(size)).collect();
        vec![Batched::mapped(self.apply(&inputs))]
    }
}

/// Records the sum of two values of one type.
#[track_caller]
pub fn add(a: Var, b: Var) -> Var {
    const { row("add") }.apply(&[a, b])
}

/// Records the difference of two values of one type.
#[track_caller]
pub fn sub(a: Var, b: Var) -> Var {
    const { row("sub") }.apply(&[a, b])
}

/// Records the product of two values of one type.
#[track_caller]
pub fn mul(a: Var, b: Var) -> Var {
    const { row("mul") }.apply(&[a, b])
}

/// Records the quotient of two values of one type.
#[track_caller]
pub fn div(a: Var, b: Var) -> Var {
    const { row("div") }.apply(&[a, b])
}

/// Records the negative of a value.
#[track_caller]
pub fn neg(a: Var) -> Var {
    const { row("neg") }.apply(&[a])
}

/// Records `a * b + c` of three values of one type, rounded once.
#[track_caller]
pub fn fma(a: Var, b: Var, c: Var) -> Var {
    const { row("fma") }.apply(&[a, b, c])
}

/// Records the product of two values of one type, which is zero where the first is zero, whatever the other is.
#[track_caller]
pub fn mul_or_zero(a: Var, b: Var) -> Var {
    const { row("mul_or_zero") }.apply(&[a, b])
}

/// Records a tangent times a factor. If the tangent is masked, the product is zero where the tangent is, whatever the
/// factor.
#[track_caller]
pub fn times(d: Var, factor: Var) -> Var {
    match d.is_masked() {
        true => mul_or_zero(d, factor),
        false => mul(d, factor),
    }
}

/// Records `a` where `p` is true, and `b` elsewhere; all have the same shape, and `a` and `b` the same type. A known
/// condition is decided at once.
#[track_caller]
pub fn select(p: Var, a: Var, b: Var) -> Var {
    if let Some(known) = p.as_literal() {
        return match known.bits != 0 {
            true => a,
            false => b,
        };
    }
    const { row("select") }.apply(&[p, a, b])
}

/// Records whether two values of one type are equal, element by element.
#[track_caller]
pub fn eq(a: Var, b: Var) -> Var {
    const { row("eq") }.apply(&[a, b])
}

/// Records whether two values of one type differ, element by element.
#[track_caller]
pub fn ne(a: Var, b: Var) -> Var {
    const { row("ne") }.apply(&[a, b])
}

/// Records whether the first of two values of one type is smaller, element by element.
#[track_caller]
pub fn lt(a: Var, b: Var) -> Var {
    const { row("lt") }.apply(&[a, b])
}

/// Records whether the first of two values of one type is not larger, element by element.
#[track_caller]
pub fn le(a: Var, b: Var) -> Var {
    const { row("le") }.apply(&[a, b])
}

/// Records the conjunction of truth values, or of the bits of integers.
#[track_caller]
pub fn and(a: Var, b: Var) -> Var {
    const { row("and") }.apply(&[a, b])
}

/// Records the disjunction of truth values, or of the bits of integers.
#[track_caller]
pub fn or(a: Var, b: Var) -> Var {
    const { row("or") }.apply(&[a, b])
}

/// Records the negation of truth values, or of the bits of integers.
#[track_caller]
pub fn not(a: Var) -> Var {
    const { row("not") }.apply(&[a])
}

/// Records the larger of two values of one type.
#[track_caller]
pub fn max(a: Var, b: Var) -> Var {
    const { row("max") }.apply(&[a, b])
}

/// Records the smaller of two values of one type.
#[track_caller]
pub fn min(a: Var, b: Var) -> Var {
    const { row("min") }.apply(&[a, b])
}
