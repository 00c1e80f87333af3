//! Scalar operations.

use wengert_loop::loops::{FoldOp, ScalarOp, Value};
use wengert_loop::types::DType;

use super::{Emitter, ty};
use crate::dialect::Dialect;

impl Emitter<'_> {
    /// The expression of an operation.
    pub(super) fn op(&mut self, out: Value, op: ScalarOp, args: &[Value]) -> String {
        use ScalarOp::*;
        let last = args[args.len() - 1];
        let (from, to) = (self.dtype(last), self.dtype(out));
        if let Fold(f) = op {
            let name = self.name(last);
            return fold(f, from, &|i| format!("{name}[{i}]"), 0, 8);
        }
        let a: Vec<String> = args.iter().map(|&a| self.v(a)).collect();
        let t = ty(from);
        let (float, truth) = (from.is_float(), from == DType::Bool);
        let infix = |o: &str| format!("{} {o} {}", a[0], a[1]);
        let typed = |f: &str| format!("{f}_{t}({})", a.join(", "));
        let cast = |x: &str| match x.contains(' ') || x.starts_with('-') {
            true => format!("({})({x})", ty(to)),
            false => format!("({}){x}", ty(to)),
        };
        match op {
            Add if float => infix("+"),
            Sub if float => infix("-"),
            Mul if float => infix("*"),
            // Devices may round a quotient twice.
            Div if from == DType::F32 && self.dialect != Dialect::C => typed("div"),
            Div if float => infix("/"),
            Add => typed("add"),
            Sub => typed("sub"),
            Mul => typed("mul"),
            Div => typed("div"),
            Rem => typed("rem"),
            MulHigh => typed("mul_high"),
            Neg if float && a[0].starts_with(|c: char| c.is_ascii_alphabetic()) => {
                format!("-{}", a[0])
            }
            Neg if float => format!("-({})", a[0]),
            Neg => typed("neg"),
            Abs => typed("abs"),
            Sqrt => typed("sqrt"),
            Fma => typed("fma"),
            Min if truth => infix("&"),
            Max if truth => infix("|"),
            Min => typed("min"),
            Max => typed("max"),
            Floor => typed("floor"),
            Ceil => typed("ceil"),
            Round => typed("round"),
            Trunc => typed("trunc"),
            And => infix("&"),
            Or => infix("|"),
            Xor => infix("^"),
            Not if truth => format!("!{}", a[0]),
            Not => format!("({t})~({t}){}", a[0]),
            Shl => typed("shl"),
            Shr => typed("shr"),
            ShrLogical => typed("ushr"),
            Rotl => typed("rotl"),
            Eq => infix("=="),
            Ne => infix("!="),
            // A compiler may complain of a comparison that always holds.
            Lt if !float && !truth && !from.is_signed_int() => typed("lt"),
            Le if !float && !truth && !from.is_signed_int() => typed("le"),
            Lt => infix("<"),
            Le => infix("<="),
            Select => format!("{} ? {} : {}", a[0], a[1], a[2]),
            Convert if from == to => a[0].clone(),
            Convert if to == DType::Bool => format!("{} != 0", a[0]),
            Convert if float && !to.is_float() => format!("{}_of_{t}({})", ty(to), a[0]),
            Convert if !float && to.is_signed_int() && wraps(from, to) => {
                let bits = if to == DType::I64 { "u64" } else { "u32" };
                format!("{}_of_bits(({bits}){})", ty(to), a[0])
            }
            Convert => cast(&a[0]),
            Bitcast if from == to => a[0].clone(),
            Bitcast => {
                let bits = match from.is_float() {
                    true => format!("bits_{t}({})", a[0]),
                    false => format!(
                        "({}){}",
                        if from.bytes() == 8 { "u64" } else { "u32" },
                        a[0]
                    ),
                };
                match to {
                    DType::F64 | DType::F32 => format!("{}_of({bits})", ty(to)),
                    DType::I64 | DType::I32 => format!("{}_of_bits({bits})", ty(to)),
                    _ if from.bytes() == 1 => a[0].clone(),
                    _ => bits,
                }
            }
            Any => a[0].clone(),
            Fold(_) => unreachable!("it is above"),
        }
    }
}

/// Whether numbers of a type may not fit a signed one.
fn wraps(from: DType, to: DType) -> bool {
    from.bytes() > to.bytes() || (from.bytes() == to.bytes() && !from.is_signed_int())
}

/// The copies of a value, joined in pairs.
fn fold(f: FoldOp, dtype: DType, each: &dyn Fn(usize) -> String, low: usize, n: usize) -> String {
    if n == 1 {
        return each(low);
    }
    let a = fold(f, dtype, each, low, n / 2);
    let b = fold(f, dtype, each, low + n / 2, n / 2);
    let (float, truth, t) = (dtype.is_float(), dtype == DType::Bool, ty(dtype));
    match f {
        FoldOp::Add if float => format!("({a} + {b})"),
        FoldOp::Mul if float => format!("({a} * {b})"),
        FoldOp::Add | FoldOp::Max if truth => format!("({a} | {b})"),
        FoldOp::Mul | FoldOp::Min if truth => format!("({a} & {b})"),
        FoldOp::Add => format!("add_{t}({a}, {b})"),
        FoldOp::Mul => format!("mul_{t}({a}, {b})"),
        FoldOp::Min => format!("min_{t}({a}, {b})"),
        FoldOp::Max => format!("max_{t}({a}, {b})"),
    }
}
