//! Arrays from others, and from nothing.

use super::{axis, axis_of_rank, lengths, promoted, refuse, spread};
use crate::error::TypeError;
use crate::ir::{DType, Splat, Type};
use crate::ops::{convert, elementwise, iota, layout};
use crate::trace::span::{Axis, Ints};
use crate::trace::{Argument, IntoVar, Var, number};

/// One behind the other along an axis: `numpy.concatenate`. The other axes agree; element types are
/// promoted. Derivative: the tangents, one behind the other.
#[track_caller]
pub fn concat(parts: &[Var], along: impl Into<Axis>) -> Var {
    let parts = promoted("concat", parts);
    if parts[0].rank() == 0 {
        let error = TypeError::new(format!("{} has no axis", parts[0].ty()));
        refuse("concat", &parts, error.hint("use `stack` to make an axis"));
    }
    let a = axis("concat", parts[0], along.into());
    layout::concat(&parts, a)
}

/// One behind the other along a new first axis: `numpy.stack`. Shapes agree; element types are
/// promoted. Derivative: the tangents, one behind the other.
#[track_caller]
pub fn stack(parts: &[Var]) -> Var {
    stack_axis(parts, 0)
}

/// One behind the other along a new axis, which is axis `along` of the result: `numpy.stack`.
#[track_caller]
pub fn stack_axis(parts: &[Var], along: impl Into<Axis>) -> Var {
    let parts = promoted("stack", parts);
    let (first, rank) = (parts[0].ty(), parts[0].rank());
    if let Some(other) = parts.iter().find(|x| x.ty() != first) {
        let message = format!("{first} and {} have different shapes", other.ty());
        refuse("stack", &parts, TypeError::new(message));
    }
    let a = axis_of_rank("stack", parts[0], along.into(), rank + 1);
    layout::stack(&parts, a)
}

/// Zeros of those lengths, `f64`: `numpy.zeros`. A literal.
#[track_caller]
pub fn zeros(dims: impl Into<Ints>) -> Var {
    filled("zeros", Var::scalar(0.0), dims.into())
}

/// Ones of those lengths, `f64`: `numpy.ones`. A literal.
#[track_caller]
pub fn ones(dims: impl Into<Ints>) -> Var {
    filled("ones", Var::scalar(1.0), dims.into())
}

/// One value everywhere: `numpy.full`. Of the element type of the value: `f64` for Rust's floats,
/// `i64` for its integers.
#[track_caller]
pub fn full(dims: impl Into<Ints>, value: impl IntoVar) -> Var {
    let value = match value.argument() {
        Argument::Var(v) => v,
        number => {
            let dtype = match number {
                Argument::Int(_) => DType::I64,
                Argument::Bool(_) => DType::Bool,
                _ => DType::F64,
            };
            number::literal("full", number, dtype)
        }
    };
    filled("full", value, dims.into())
}

#[track_caller]
fn filled(op: &str, value: Var, dims: Ints) -> Var {
    let dims = lengths(op, &[value], value.dtype(), &dims);
    match value.as_literal() {
        Some(l) if value.rank() == 0 => {
            Var::literal(Splat::new(&value.ty().with_dims(&dims), l.bits))
        }
        _ => spread(op, value, &dims),
    }
}

/// Zeros of the type of another value: `numpy.zeros_like`. A literal.
#[track_caller]
pub fn zeros_like(x: Var) -> Var {
    Var::zeros(&x.ty())
}

/// Ones of the type of another value: `numpy.ones_like`. A literal.
#[track_caller]
pub fn ones_like(x: Var) -> Var {
    Var::full(&x.ty(), 1.0)
}

/// `0, 1, .. n - 1`, `i64`: `numpy.arange`.
#[track_caller]
pub fn arange(n: usize) -> Var {
    let dims = lengths("arange", &[], DType::I64, &n.into());
    iota::iota(Type::new(DType::I64, &dims), 0)
}

/// The unit matrix of `n` rows, `f64`: `numpy.eye`.
#[track_caller]
pub fn eye(n: usize) -> Var {
    let dims = lengths("eye", &[], DType::I64, &[n, n].into());
    let ty = Type::new(DType::I64, &dims);
    let unit = elementwise::eq(iota::iota(ty.clone(), 0), iota::iota(ty, 1));
    convert::convert(unit, DType::F64)
}
