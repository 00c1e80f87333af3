//! What each scalar operation means, on the bits of its operands.

use super::{FoldOp, ScalarOp};
use crate::buffer::Element;
use crate::ir::types::DType;

/// The result of an operation on operands of type `dtype` (the type of the last operand: a
/// select's predicate comes first), as bits of type `out`.
///
/// [`ScalarOp::Fold`] and [`ScalarOp::Any`] look at several lanes and are the caller's business;
/// on one lane both are the identity.
pub fn eval(op: ScalarOp, dtype: DType, out: DType, args: &[u64]) -> u64 {
    match op {
        ScalarOp::Select => return if args[0] != 0 { args[1] } else { args[2] },
        ScalarOp::Bitcast | ScalarOp::Fold(_) | ScalarOp::Any => return args[0],
        ScalarOp::Convert => return convert(dtype, out, args[0]),
        _ => {}
    }
    match dtype {
        DType::F32 => float::<f32>(op, args),
        DType::F64 => float::<f64>(op, args),
        DType::I32 => int::<i32>(op, args),
        DType::I64 => int::<i64>(op, args),
        DType::U32 => int::<u32>(op, args),
        DType::U64 => int::<u64>(op, args),
        DType::U8 => int::<u8>(op, args),
        DType::Bool => truth(op, args),
    }
}

/// Joins eight copies pairwise: `((p0+p1)+(p2+p3)) + ((p4+p5)+(p6+p7))`.
pub fn fold(op: FoldOp, dtype: DType, p: &[u64; super::LANES]) -> u64 {
    let f = |a, b| eval(op.scalar(), dtype, dtype, &[a, b]);
    f(
        f(f(p[0], p[1]), f(p[2], p[3])),
        f(f(p[4], p[5]), f(p[6], p[7])),
    )
}

impl FoldOp {
    /// The operation that joins two values.
    pub fn scalar(self) -> ScalarOp {
        match self {
            FoldOp::Add => ScalarOp::Add,
            FoldOp::Mul => ScalarOp::Mul,
            FoldOp::Min => ScalarOp::Min,
            FoldOp::Max => ScalarOp::Max,
        }
    }
}

/// What the two float types share.
trait Float: Element + std::ops::Neg<Output = Self> + PartialOrd {
    fn add(self, y: Self) -> Self;
    fn sub(self, y: Self) -> Self;
    fn mul(self, y: Self) -> Self;
    fn div(self, y: Self) -> Self;
    fn rem(self, y: Self) -> Self;
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;
    fn fma(self, y: Self, z: Self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn round(self) -> Self;
    fn trunc(self) -> Self;
    fn negative(self) -> bool;
}

macro_rules! floats {
    ($($t:ty)*) => {$(
        impl Float for $t {
            fn add(self, y: $t) -> $t { self + y }
            fn sub(self, y: $t) -> $t { self - y }
            fn mul(self, y: $t) -> $t { self * y }
            fn div(self, y: $t) -> $t { self / y }
            fn rem(self, y: $t) -> $t { self % y }
            fn abs(self) -> $t { <$t>::abs(self) }
            fn sqrt(self) -> $t { <$t>::sqrt(self) }
            fn fma(self, y: $t, z: $t) -> $t { self.mul_add(y, z) }
            fn floor(self) -> $t { <$t>::floor(self) }
            fn ceil(self) -> $t { <$t>::ceil(self) }
            fn round(self) -> $t { self.round_ties_even() }
            fn trunc(self) -> $t { <$t>::trunc(self) }
            fn negative(self) -> bool { self.is_sign_negative() }
        }
    )*};
}
floats! { f32 f64 }

fn float<T: Float>(op: ScalarOp, args: &[u64]) -> u64 {
    let x = T::from_bits(args[0]);
    let y = T::from_bits(*args.get(1).unwrap_or(&0));
    let truth = |b: bool| b.to_bits();
    let value = match op {
        ScalarOp::Add => x.add(y),
        ScalarOp::Sub => x.sub(y),
        ScalarOp::Mul => x.mul(y),
        ScalarOp::Div => x.div(y),
        ScalarOp::Rem => x.rem(y),
        ScalarOp::Neg => -x,
        ScalarOp::Abs => x.abs(),
        ScalarOp::Sqrt => x.sqrt(),
        ScalarOp::Fma => x.fma(y, T::from_bits(args[2])),
        ScalarOp::Min => ordered(x, y).0,
        ScalarOp::Max => ordered(x, y).1,
        ScalarOp::Floor => x.floor(),
        ScalarOp::Ceil => x.ceil(),
        ScalarOp::Round => x.round(),
        ScalarOp::Trunc => x.trunc(),
        ScalarOp::Eq => return truth(x == y),
        ScalarOp::Ne => return truth(x != y),
        ScalarOp::Lt => return truth(x < y),
        ScalarOp::Le => return truth(x <= y),
        _ => panic!("{op:?} is not an operation on floats"),
    };
    value.to_bits()
}

/// The smaller and the larger: both NaN if either is, -0 below +0.
fn ordered<T: Float>(x: T, y: T) -> (T, T) {
    if x < y || (x == y && x.negative()) {
        (x, y)
    } else if x >= y {
        (y, x)
    } else {
        let nan = x.add(y);
        (nan, nan)
    }
}

/// What the integer types share.
trait Int: Element + Ord {
    fn binary(op: ScalarOp, x: Self, y: Self) -> Self;
}

macro_rules! ints {
    ($($t:ty, $unsigned:ty, $signed:expr;)*) => {$(
        impl Int for $t {
            fn binary(op: ScalarOp, x: $t, y: $t) -> $t {
                let shift = (y as u32) % <$t>::BITS;
                match op {
                    ScalarOp::Add => x.wrapping_add(y),
                    ScalarOp::Sub => x.wrapping_sub(y),
                    ScalarOp::Mul => x.wrapping_mul(y),
                    ScalarOp::Div if y == 0 => 0,
                    ScalarOp::Div => x.wrapping_div(y),
                    ScalarOp::Rem if y == 0 => 0,
                    ScalarOp::Rem => x.wrapping_rem(y),
                    ScalarOp::Neg => (0 as $t).wrapping_sub(x),
                    ScalarOp::Abs if $signed && x < <$t>::default() => (0 as $t).wrapping_sub(x),
                    ScalarOp::Abs => x,
                    ScalarOp::Min => x.min(y),
                    ScalarOp::Max => x.max(y),
                    ScalarOp::And => x & y,
                    ScalarOp::Or => x | y,
                    ScalarOp::Xor => x ^ y,
                    ScalarOp::Not => !x,
                    ScalarOp::Shl => x.wrapping_shl(shift),
                    ScalarOp::Shr => x.wrapping_shr(shift),
                    ScalarOp::ShrLogical => (x as $unsigned).wrapping_shr(shift) as $t,
                    _ => panic!("{op:?} is not an operation on integers"),
                }
            }
        }
    )*};
}
ints! {
    i32, u32, true;
    i64, u64, true;
    u32, u32, false;
    u64, u64, false;
    u8, u8, false;
}

fn int<T: Int>(op: ScalarOp, args: &[u64]) -> u64 {
    let x = T::from_bits(args[0]);
    let y = T::from_bits(*args.get(1).unwrap_or(&0));
    let truth = |b: bool| b.to_bits();
    match op {
        ScalarOp::Eq => truth(x == y),
        ScalarOp::Ne => truth(x != y),
        ScalarOp::Lt => truth(x < y),
        ScalarOp::Le => truth(x <= y),
        _ => T::binary(op, x, y).to_bits(),
    }
}

fn truth(op: ScalarOp, args: &[u64]) -> u64 {
    let x = args[0] != 0;
    let y = args.get(1).is_some_and(|&y| y != 0);
    let value = match op {
        ScalarOp::And | ScalarOp::Min => x & y,
        ScalarOp::Or | ScalarOp::Max => x | y,
        ScalarOp::Xor | ScalarOp::Ne => x ^ y,
        ScalarOp::Not => !x,
        ScalarOp::Eq => x == y,
        ScalarOp::Lt => !x & y,
        ScalarOp::Le => !x | y,
        _ => panic!("{op:?} is not an operation on truth values"),
    };
    value.to_bits()
}

/// The bits of a value of type `from` converted to type `to`.
pub fn convert(from: DType, to: DType, bits: u64) -> u64 {
    macro_rules! to {
        ($x:expr, $zero:expr) => {{
            let x = $x;
            match to {
                DType::F32 => (x as f32).to_bits().into(),
                DType::F64 => (x as f64).to_bits(),
                DType::I32 => u64::from(x as i32 as u32),
                DType::I64 => x as i64 as u64,
                DType::U32 => u64::from(x as u32),
                DType::U64 => x as u64,
                DType::U8 => u64::from(x as u8),
                DType::Bool => u64::from(x != $zero),
            }
        }};
    }
    match from {
        DType::F32 => to!(<f32 as Element>::from_bits(bits), 0.0),
        DType::F64 => to!(<f64 as Element>::from_bits(bits), 0.0),
        DType::I32 => to!(<i32 as Element>::from_bits(bits), 0),
        DType::I64 => to!(<i64 as Element>::from_bits(bits), 0),
        DType::U32 => to!(<u32 as Element>::from_bits(bits), 0),
        DType::U64 => to!(bits, 0),
        DType::U8 => to!(bits as u8, 0),
        DType::Bool => to!(u8::from(bits != 0), 0),
    }
}

/// The type of the result, given the types of the operands. `None` for [`ScalarOp::Convert`] and
/// [`ScalarOp::Bitcast`], which may give any.
pub fn result_type(op: ScalarOp, args: &[DType]) -> Option<DType> {
    match op {
        ScalarOp::Eq | ScalarOp::Ne | ScalarOp::Lt | ScalarOp::Le => Some(DType::Bool),
        ScalarOp::Convert | ScalarOp::Bitcast => None,
        ScalarOp::Select => Some(args[1]),
        _ => Some(args[0]),
    }
}
