//! Elementary functions as functions of the loop IR: the same definitions that the interpreter
//! computes with, recorded.

use super::affine::Affine;
use super::builder::Builder;
use super::{ScalarOp, Value};
use crate::elementary::{Arith, Elementary, Plain, PlainSingle};
use crate::scalar::{Scalar, Scalars, bits_of};
use crate::types::DType;

/// An elementary function on floats of type `dtype`. On `f32` it is the definition in `f32` arithmetic, if there is one;
/// otherwise it converts, computes in `f64` and rounds.
pub fn elementary(b: &mut Builder, f: Elementary, dtype: DType) -> u32 {
    let name = match dtype {
        DType::F64 => f.name().to_string(),
        _ => format!("{}_{dtype}", f.name()),
    };
    let function = b.function(&name, &vec![dtype; f.arity()], |b, params| {
        if dtype == DType::F32 && f.is_single() {
            let y = in_single(b, |b| f.build_single(b, params));
            return y.expect("a definition in `f32`");
        }
        let args: Vec<Value> = params.iter().map(|&p| b.convert(p, DType::F64)).collect();
        let y = f.build(b, &args);
        b.convert(y, dtype)
    });
    b.is_elementary(function, f);
    function
}

/// Records arithmetic on `f32`; a [`Builder`] itself records that on `f64`.
struct InSingle(Builder);

/// Lets a function record arithmetic on `f32`.
fn in_single<T>(b: &mut Builder, record: impl FnOnce(&mut InSingle) -> T) -> T {
    let mut inside = InSingle(std::mem::take(b));
    let result = record(&mut inside);
    *b = inside.0;
    result
}

/// Lets a function record arithmetic on `f64`.
fn in_double<T>(b: &mut Builder, record: impl FnOnce(&mut Builder) -> T) -> T {
    record(b)
}

/// Implements [`Arith`] for a recorder of floats `$f` and integers `$i`. Its builder is `$b`, and in that of a
/// block it records by `$within`. All three kinds of number are values here.
macro_rules! recorder {
    (
        @ $recorder:ty: $float:ident, $plain:ident, $f:expr, $i:expr,
        |$this:ident| $b:expr, $within:ident,
        $( $name:ident($($arg:ident),+) => $op:ident; )*
    ) => {
        impl Arith for $recorder {
            type Number = $float;
            type F = Value;
            type I = Value;
            type M = Value;

            const FRACTION: u32 = $plain::FRACTION;

            fn pattern(x: f64) -> i64 {
                $plain::pattern(x)
            }
            fn float(&mut self, x: f64) -> Value {
                let $this = self;
                $b.constant($f, bits_of(x, $f))
            }
            fn int(&mut self, x: i64) -> Value {
                let $this = self;
                $b.constant($i, bits_of(x, $i))
            }
            $(
                fn $name(&mut self, $($arg: Value),+) -> Value {
                    let $this = self;
                    $b.op(ScalarOp::$op, &[$($arg),+])
                }
            )*
            fn bits(&mut self, a: Value) -> Value {
                let $this = self;
                $b.bitcast(a, $i)
            }
            fn from_bits(&mut self, a: Value) -> Value {
                let $this = self;
                $b.bitcast(a, $f)
            }
            fn int_shl(&mut self, a: Value, by: u32) -> Value {
                let by = self.int(by.into());
                let $this = self;
                $b.op(ScalarOp::Shl, &[a, by])
            }
            fn int_shr(&mut self, a: Value, by: u32) -> Value {
                let by = self.int(by.into());
                let $this = self;
                $b.op(ScalarOp::Shr, &[a, by])
            }
            fn int_ushr(&mut self, a: Value, by: u32) -> Value {
                let by = self.int(by.into());
                let $this = self;
                $b.op(ScalarOp::ShrLogical, &[a, by])
            }

            #[allow(clippy::useless_conversion)]
            fn table(&mut self, table: &'static [$float], index: Value) -> Value {
                let bits = table.iter().map(|x| u64::from(x.to_bits())).collect();
                let $this = self;
                let buffer = Builder::table($b, $f, bits);
                let index = $b.convert(index, DType::I64);
                let each = $b.clamp(index, 0, table.len() as i64 - 1);
                let at = Affine {
                    each: Some(each),
                    ..Affine::default()
                };
                $b.load(buffer, &at)
            }

            fn rare(
                &mut self,
                m: Value,
                common: Value,
                rare: impl FnOnce(&mut Self) -> Value,
            ) -> Value {
                let $this = self;
                $b.if_(m, |b| vec![$within(b, rare)], |_| vec![common])[0]
            }

            fn repeat<const N: usize>(
                &mut self,
                state: [Value; N],
                goes_on: impl Fn(&mut Self, [Value; N]) -> Value,
                body: impl Fn(&mut Self, [Value; N]) -> [Value; N],
            ) -> [Value; N] {
                let all =
                    |values: &[Value]| values.try_into().expect("as many values as were carried");
                let $this = self;
                let carries = state.map(|init| $b.carry(init));
                let cond = |b: &mut Builder, x: &[Value]| $within(b, |b| goes_on(b, all(x)));
                let body = |b: &mut Builder, x: &[Value]| $within(b, |b| body(b, all(x)).to_vec());
                all(&$b.while_(u64::MAX, &carries, cond, body))
            }
        }
    };
    ($($head:tt)*) => {
        recorder! {
            @ $($head)*
            add(a, b) => Add; sub(a, b) => Sub; mul(a, b) => Mul; div(a, b) => Div;
            fma(a, b, c) => Fma; neg(a) => Neg; abs(a) => Abs; sqrt(a) => Sqrt; round(a) => Round;
            lt(a, b) => Lt; le(a, b) => Le; eq(a, b) => Eq;
            select(m, a, b) => Select; select_int(m, a, b) => Select;
            and(a, b) => And; or(a, b) => Or; not(a) => Not;
            int_add(a, b) => Add; int_sub(a, b) => Sub;
            int_and(a, b) => And; int_or(a, b) => Or; int_xor(a, b) => Xor;
            int_lt(a, b) => Lt; int_eq(a, b) => Eq;
        }
    };
}

recorder! {
    Builder: f64, Plain, DType::F64, DType::I64, |this| this, in_double,
}
recorder! {
    InSingle: f32, PlainSingle, DType::F32, DType::I32, |this| (&mut this.0), in_single,
}

/// Records a call of an elementary function of a type.
fn calling(b: &mut Builder, f: Elementary, dtype: DType, args: &[Scalar]) -> Scalar {
    let function = elementary(b, f, dtype);
    let args: smallvec::SmallVec<[Value; 3]> = args.iter().map(|&a| a.into()).collect();
    let v = b.call(function, &args);
    b.scalar(v)
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
        calling(self, f, DType::F64, args)
    }

    fn elementary_f32(&mut self, f: Elementary, args: &[Scalar]) -> Scalar {
        calling(self, f, DType::F32, args)
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
