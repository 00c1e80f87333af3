//! What becomes of parameters that no distribution has.
//!
//! A draw of floats is NaN, and so are its derivatives. Of whole numbers it is the smallest number of their
//! type, which is no count. A count that is too large for its type is the largest number of the type.

use wengert_ir::ir::{DType, Splat, Type};
use wengert_ir::trace::Var;

/// `x`, and NaN where it is not `valid`. What is added, and not chosen, is NaN in derivatives, too.
#[track_caller]
pub(super) fn where_valid(x: Var, valid: Var) -> Var {
    let ty = x.ty();
    x + valid.select(Var::zeros(&ty), Var::full(&ty, f64::NAN))
}

/// Numbers that stand for draws, whatever they are, where there is no draw: of floats NaN, of signed integers
/// the smallest, of unsigned ones the largest, of truth values `false`.
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

/// Counts, which are `i64` and not negative, as another type of signed integers.
#[track_caller]
pub(super) fn counts_where_valid(counts: Var, valid: Var, dtype: DType) -> Var {
    let counts = match dtype {
        DType::I32 => counts.minimum(i64::from(i32::MAX)).to(dtype),
        _ => counts,
    };
    let none = no_draw(&counts.ty());
    valid.select(counts, none)
}
