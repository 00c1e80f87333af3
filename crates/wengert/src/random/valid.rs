//! Results for invalid parameters.
//!
//! A float draw is NaN, and so are its derivatives. An integer draw is the smallest number of its type, which
//! is no count. A count that exceeds its type saturates.

use wengert_ir::ir::{DType, Splat, Type};
use wengert_ir::trace::Var;

/// Returns `x`, or NaN where it is not `valid`. The NaN is added, not selected, so that derivatives are NaN,
/// too.
#[track_caller]
pub(super) fn where_valid(x: Var, valid: Var) -> Var {
    let ty = x.ty();
    x + valid.select(Var::zeros(&ty), Var::full(&ty, f64::NAN))
}

/// Returns the placeholder where there is no draw: for floats NaN, for signed integers the smallest, for
/// unsigned ones the largest, for truth values `false`.
pub(super) fn no_draw(ty: &Type) -> Var {
    Var::literal(match ty.dtype {
        DType::F32 | DType::F64 => return Var::full(ty, f64::NAN),
        DType::I32 => Splat::new(ty, u64::from(i32::MIN as u32)),
        DType::I64 => Splat::new(ty, i64::MIN as u64),
        DType::U8 => Splat::new(ty, u64::from(u8::MAX)),
        DType::U32 => Splat::new(ty, u64::from(u32::MAX)),
        DType::U64 => Splat::new(ty, u64::MAX),
        _ => return Var::zeros(ty),
    })
}

/// Converts counts, which are nonnegative `i64`s, to another signed integer type.
#[track_caller]
pub(super) fn counts_where_valid(counts: Var, valid: Var, dtype: DType) -> Var {
    let counts = match dtype {
        DType::I32 => counts.minimum(i64::from(i32::MAX)).to(dtype),
        _ => counts,
    };
    let none = no_draw(&counts.ty());
    valid.select(counts, none)
}
