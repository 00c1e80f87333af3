//! Operations on uniform values, and on single lanes if there is no vector instruction.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, types};
use wengert_loop::loops::{FoldOp, LANES, ScalarOp, Value};
use wengert_loop::types::DType;

use super::outside::Helper;
use super::{Emitter, scalar_type};

impl Emitter<'_, '_> {
    /// A statement `out = op(args)` on uniform values.
    pub(super) fn uniform_op(&mut self, out: Value, op: ScalarOp, args: &[Value]) {
        let x = match op {
            ScalarOp::Fold(f) => self.fold(f, args[0]),
            ScalarOp::Any if self.is_lanes(args[0]) => self.any(args[0]),
            _ => {
                let regs: Vec<ir::Value> = args.iter().map(|&a| self.scalar(a)).collect();
                let d = self.dtype(args[args.len() - 1]);
                self.scalar_op(op, d, self.dtype(out), &regs)
            }
        };
        self.define(out, &[x]);
    }

    /// One operation on scalars. `d` is the type of the last operand, `out` of the result.
    pub(super) fn scalar_op(
        &mut self,
        op: ScalarOp,
        d: DType,
        out: DType,
        a: &[ir::Value],
    ) -> ir::Value {
        let float = d.is_float();
        let signed = d.is_signed_int();
        let bool = d == DType::Bool;
        let b = &mut self.b;
        match op {
            ScalarOp::Add if float => b.ins().fadd(a[0], a[1]),
            ScalarOp::Add => b.ins().iadd(a[0], a[1]),
            ScalarOp::Sub if float => b.ins().fsub(a[0], a[1]),
            ScalarOp::Sub => b.ins().isub(a[0], a[1]),
            ScalarOp::Mul if float => b.ins().fmul(a[0], a[1]),
            ScalarOp::Mul => b.ins().imul(a[0], a[1]),
            ScalarOp::Div if float => b.ins().fdiv(a[0], a[1]),
            ScalarOp::Rem if float => {
                let f = match d {
                    DType::F64 => Helper::RemF64,
                    _ => Helper::RemF32,
                };
                let ty = scalar_type(d);
                let y = self.helper(f, &[a[0], a[1]], Some(ty)).expect("a result");
                self.note_call();
                y
            }
            ScalarOp::Div | ScalarOp::Rem => self.int_division(op == ScalarOp::Div, d, a[0], a[1]),
            ScalarOp::MulHigh if signed => b.ins().smulhi(a[0], a[1]),
            ScalarOp::MulHigh => b.ins().umulhi(a[0], a[1]),
            ScalarOp::Neg if float => b.ins().fneg(a[0]),
            ScalarOp::Neg => b.ins().ineg(a[0]),
            ScalarOp::Abs if float => b.ins().fabs(a[0]),
            ScalarOp::Abs if signed => b.ins().iabs(a[0]),
            ScalarOp::Abs => a[0],
            ScalarOp::Sqrt => b.ins().sqrt(a[0]),
            ScalarOp::Fma => b.ins().fma(a[0], a[1], a[2]),
            ScalarOp::Min if float => b.ins().fmin(a[0], a[1]),
            ScalarOp::Min if bool => b.ins().band(a[0], a[1]),
            ScalarOp::Min if signed => b.ins().smin(a[0], a[1]),
            ScalarOp::Min => b.ins().umin(a[0], a[1]),
            ScalarOp::Max if float => b.ins().fmax(a[0], a[1]),
            ScalarOp::Max if bool => b.ins().bor(a[0], a[1]),
            ScalarOp::Max if signed => b.ins().smax(a[0], a[1]),
            ScalarOp::Max => b.ins().umax(a[0], a[1]),
            ScalarOp::Floor => b.ins().floor(a[0]),
            ScalarOp::Ceil => b.ins().ceil(a[0]),
            ScalarOp::Round => b.ins().nearest(a[0]),
            ScalarOp::Trunc => b.ins().trunc(a[0]),
            ScalarOp::And => b.ins().band(a[0], a[1]),
            ScalarOp::Or => b.ins().bor(a[0], a[1]),
            ScalarOp::Xor => b.ins().bxor(a[0], a[1]),
            ScalarOp::Not if bool => {
                let one = b.ins().iconst(types::I8, 1);
                b.ins().bxor(a[0], one)
            }
            ScalarOp::Not => b.ins().bnot(a[0]),
            ScalarOp::Shl => b.ins().ishl(a[0], a[1]),
            ScalarOp::Shr if signed => b.ins().sshr(a[0], a[1]),
            ScalarOp::Shr | ScalarOp::ShrLogical => b.ins().ushr(a[0], a[1]),
            ScalarOp::Rotl => b.ins().rotl(a[0], a[1]),
            ScalarOp::Eq | ScalarOp::Ne | ScalarOp::Lt | ScalarOp::Le => {
                if float {
                    b.ins().fcmp(float_cc(op), a[0], a[1])
                } else {
                    b.ins().icmp(int_cc(op, signed), a[0], a[1])
                }
            }
            ScalarOp::Select => b.ins().select(a[0], a[1], a[2]),
            ScalarOp::Convert => self.scalar_convert(d, out, a[0]),
            ScalarOp::Bitcast => {
                let (from, to) = (scalar_type(d), scalar_type(out));
                if out == DType::Bool && d != DType::Bool {
                    b.ins().icmp_imm_u(IntCC::NotEqual, a[0], 0)
                } else if from == to {
                    a[0]
                } else {
                    b.ins().bitcast(to, ir::MemFlagsData::new(), a[0])
                }
            }
            ScalarOp::Any => a[0],
            ScalarOp::Fold(_) => panic!("a fold of a uniform value"),
        }
    }

    /// Total division: a divisor that would trap becomes 1.
    pub(super) fn int_division(
        &mut self,
        div: bool,
        d: DType,
        x: ir::Value,
        y: ir::Value,
    ) -> ir::Value {
        let ty = scalar_type(d);
        let (x, y) = if ty == types::I8 {
            let b = &mut self.b;
            (
                b.ins().uextend(types::I32, x),
                b.ins().uextend(types::I32, y),
            )
        } else {
            (x, y)
        };
        let wide = self.b.func.dfg.value_type(x);
        let b = &mut self.b;
        let one = b.ins().iconst(wide, 1);
        let zero = b.ins().iconst(wide, 0);
        let by_zero = b.ins().icmp_imm_u(IntCC::Equal, y, 0);
        let out = if d.is_signed_int() {
            let by_minus_one = b.ins().icmp_imm_s(IntCC::Equal, y, -1);
            let unsafe_ = b.ins().bor(by_zero, by_minus_one);
            let divisor = b.ins().select(unsafe_, one, y);
            if div {
                let q = b.ins().sdiv(x, divisor);
                let negated = b.ins().ineg(x);
                let q = b.ins().select(by_minus_one, negated, q);
                b.ins().select(by_zero, zero, q)
            } else {
                b.ins().srem(x, divisor)
            }
        } else {
            let divisor = b.ins().select(by_zero, one, y);
            if div {
                let q = b.ins().udiv(x, divisor);
                b.ins().select(by_zero, zero, q)
            } else {
                b.ins().urem(x, divisor)
            }
        };
        if ty == types::I8 {
            self.b.ins().ireduce(types::I8, out)
        } else {
            out
        }
    }

    /// Joins the eight copies of a per-lane value, pairwise.
    fn fold(&mut self, f: FoldOp, v: Value) -> ir::Value {
        let op = f.scalar();
        let d = self.dtype(v);
        let mut row: Vec<ir::Value> = (0..LANES).map(|l| self.lane(v, l)).collect();
        while row.len() > 1 {
            row = row.chunks(2).map(|p| self.scalar_op(op, d, d, p)).collect();
        }
        row[0]
    }
}

/// The condition of a comparison of floats.
pub(super) fn float_cc(op: ScalarOp) -> FloatCC {
    match op {
        ScalarOp::Eq => FloatCC::Equal,
        ScalarOp::Ne => FloatCC::NotEqual,
        ScalarOp::Lt => FloatCC::LessThan,
        _ => FloatCC::LessThanOrEqual,
    }
}

/// The condition of a comparison of integers.
pub(super) fn int_cc(op: ScalarOp, signed: bool) -> IntCC {
    match (op, signed) {
        (ScalarOp::Eq, _) => IntCC::Equal,
        (ScalarOp::Ne, _) => IntCC::NotEqual,
        (ScalarOp::Lt, true) => IntCC::SignedLessThan,
        (ScalarOp::Lt, false) => IntCC::UnsignedLessThan,
        (_, true) => IntCC::SignedLessThanOrEqual,
        (_, false) => IntCC::UnsignedLessThanOrEqual,
    }
}
