//! Elementary functions as functions of the loop IR: the same definitions that the interpreter
//! computes with, recorded.

use super::affine::Affine;
use super::builder::Builder;
use super::{ScalarOp, Value};
use crate::elementary::{Arith, Elementary};
use crate::scalar::{Scalar, Scalars};
use crate::types::DType;

/// An elementary function on floats of type `dtype`. It is defined on `f64`; on `f32` it converts,
/// computes in `f64` and rounds.
pub fn elementary(b: &mut Builder, f: Elementary, dtype: DType) -> u32 {
    let name = match dtype {
        DType::F64 => f.name().to_string(),
        _ => format!("{}_{dtype}", f.name()),
    };
    let function = b.function(&name, &vec![dtype; f.arity()], |b, params| {
        let args: Vec<Value> = params.iter().map(|&p| b.convert(p, DType::F64)).collect();
        let y = f.build(b, &args);
        b.convert(y, dtype)
    });
    b.is_elementary(function, f);
    function
}

fn shift(b: &mut Builder, op: ScalarOp, a: Value, by: u32) -> Value {
    let by = b.i64(i64::from(by));
    b.op(op, &[a, by])
}

/// Records arithmetic as statements. All three kinds of number are values here.
impl Arith for Builder {
    type F = Value;
    type I = Value;
    type M = Value;

    fn float(&mut self, x: f64) -> Value {
        self.f64(x)
    }
    fn int(&mut self, x: i64) -> Value {
        self.i64(x)
    }
    fn add(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Add, &[a, b])
    }
    fn sub(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Sub, &[a, b])
    }
    fn mul(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Mul, &[a, b])
    }
    fn div(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Div, &[a, b])
    }
    fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        self.op(ScalarOp::Fma, &[a, b, c])
    }
    fn neg(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Neg, &[a])
    }
    fn abs(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Abs, &[a])
    }
    fn sqrt(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Sqrt, &[a])
    }
    fn round(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Round, &[a])
    }
    fn lt(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Lt, &[a, b])
    }
    fn le(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Le, &[a, b])
    }
    fn eq(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Eq, &[a, b])
    }
    fn select(&mut self, m: Value, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Select, &[m, a, b])
    }
    fn select_int(&mut self, m: Value, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Select, &[m, a, b])
    }
    fn and(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::And, &[a, b])
    }
    fn or(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Or, &[a, b])
    }
    fn not(&mut self, a: Value) -> Value {
        self.op(ScalarOp::Not, &[a])
    }
    fn bits(&mut self, a: Value) -> Value {
        self.bitcast(a, DType::I64)
    }
    fn from_bits(&mut self, a: Value) -> Value {
        self.bitcast(a, DType::F64)
    }
    fn int_add(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Add, &[a, b])
    }
    fn int_sub(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Sub, &[a, b])
    }
    fn int_and(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::And, &[a, b])
    }
    fn int_or(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Or, &[a, b])
    }
    fn int_xor(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Xor, &[a, b])
    }
    fn int_shl(&mut self, a: Value, by: u32) -> Value {
        shift(self, ScalarOp::Shl, a, by)
    }
    fn int_shr(&mut self, a: Value, by: u32) -> Value {
        shift(self, ScalarOp::Shr, a, by)
    }
    fn int_ushr(&mut self, a: Value, by: u32) -> Value {
        shift(self, ScalarOp::ShrLogical, a, by)
    }
    fn int_lt(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Lt, &[a, b])
    }
    fn int_eq(&mut self, a: Value, b: Value) -> Value {
        self.op(ScalarOp::Eq, &[a, b])
    }

    fn table(&mut self, table: &'static [f64], index: Value) -> Value {
        let bits = table.iter().map(|x| x.to_bits()).collect();
        let buffer = Builder::table(self, DType::F64, bits);
        let each = self.clamp(index, 0, table.len() as i64 - 1);
        let at = Affine {
            each: Some(each),
            ..Affine::default()
        };
        self.load(buffer, &at)
    }

    fn rare(&mut self, m: Value, common: Value, rare: impl FnOnce(&mut Self) -> Value) -> Value {
        self.if_(m, |b| vec![rare(b)], |_| vec![common])[0]
    }

    fn repeat<const N: usize>(
        &mut self,
        state: [Value; N],
        goes_on: impl Fn(&mut Self, [Value; N]) -> Value,
        body: impl Fn(&mut Self, [Value; N]) -> [Value; N],
    ) -> [Value; N] {
        let all = |values: &[Value]| values.try_into().expect("as many values as were carried");
        let carries = state.map(|init| self.carry(init));
        let cond = |b: &mut Builder, x: &[Value]| goes_on(b, all(x));
        let body = |b: &mut Builder, x: &[Value]| body(b, all(x)).to_vec();
        all(&self.while_(u64::MAX, &carries, cond, body))
    }
}

/// Records definitions of elementwise operations; a scalar is known by its number.
impl Scalars for Builder {
    fn constant(&mut self, dtype: DType, bits: u64) -> Scalar {
        let v = Builder::constant(self, dtype, bits);
        self.scalar(v)
    }

    fn op_to(&mut self, op: ScalarOp, out: DType, args: &[Scalar]) -> Scalar {
        let args: smallvec::SmallVec<[Value; 3]> = args.iter().map(|&a| a.into()).collect();
        let v = Builder::op_to(self, op, out, &args);
        self.scalar(v)
    }

    fn elementary_f64(&mut self, f: Elementary, args: &[Scalar]) -> Scalar {
        let function = elementary(self, f, DType::F64);
        let args: smallvec::SmallVec<[Value; 3]> = args.iter().map(|&a| a.into()).collect();
        let v = self.call(function, &args);
        self.scalar(v)
    }
}

impl Builder {
    /// A value in the form that definitions take.
    pub fn scalar(&self, v: Value) -> Scalar {
        let (dtype, id) = (self.dtype(v), u64::from(v.0));
        Scalar { dtype, id }
    }
}

/// The value that a definition recorded.
impl From<Scalar> for Value {
    fn from(s: Scalar) -> Value {
        Value(s.id as u32)
    }
}
