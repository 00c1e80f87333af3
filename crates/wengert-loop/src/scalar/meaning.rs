//! The semantics of each [`ScalarOp`], on bits: what every back end must compute exactly.
//!
//! Operations are total: each has a result for all operands. Values narrower than 64 bits are in the low bits,
//! with zeros above.

use super::table::Gives;
use super::{FoldOp, ScalarOp};
use crate::arithmetic::Arithmetic;
use crate::buffer::Element;
use crate::types::DType;

/// Returns the type of the result, given the types of the operands. `None` for [`ScalarOp::Convert`] and
/// [`ScalarOp::Bitcast`], whose result type does not follow from them.
pub fn result_type(op: ScalarOp, args: &[DType]) -> Option<DType> {
    match op.row().gives {
        Gives::Same => args.last().copied(),
        Gives::Truth => Some(DType::Bool),
        Gives::Any | Gives::AnyOfWidth => None,
    }
}

/// Returns the bits of the result. `dtype` is the type of the operands (of [`ScalarOp::Select`]: of the last
/// two), `out` that of the result. For [`ScalarOp::Fold`] and [`ScalarOp::Any`] the operands are the copies of
/// the value, one per lane.
///
/// # Panics
/// If the operation does not exist for the type, which the verifier excludes.
pub fn apply(op: ScalarOp, dtype: DType, out: DType, args: &[u64]) -> u64 {
    match op {
        ScalarOp::Select => {
            if args[0] != 0 {
                args[1]
            } else {
                args[2]
            }
        }
        ScalarOp::Convert => convert(dtype, out, args[0]),
        ScalarOp::Bitcast => args[0],
        ScalarOp::Any => u64::from(args.iter().any(|&a| a != 0)),
        ScalarOp::Fold(f) => fold(f, dtype, args),
        _ => match dtype {
            DType::F32 => f32_op(op, args),
            DType::F64 => f64_op(op, args),
            DType::I32 => i32_op(op, args),
            DType::I64 => i64_op(op, args),
            DType::U32 => u32_op(op, args),
            DType::U64 => u64_op(op, args),
            DType::U8 => u8_op(op, args),
            DType::Bool => bool_op(op, args),
        },
    }
}

/// Folds neighbours first, then pairs of neighbours, and so on.
fn fold(f: FoldOp, dtype: DType, copies: &[u64]) -> u64 {
    let op = f.scalar();
    match copies {
        [one] => *one,
        _ => {
            let (low, high) = copies.split_at(copies.len() / 2);
            apply(
                op,
                dtype,
                dtype,
                &[fold(f, dtype, low), fold(f, dtype, high)],
            )
        }
    }
}

fn convert(from: DType, to: DType, bits: u64) -> u64 {
    fn float(x: f64, to: DType) -> u64 {
        match to {
            DType::F32 => (x as f32).to_bits().into(),
            DType::F64 => x.to_bits(),
            DType::I32 => Element::to_bits(x as i32),
            DType::I64 => Element::to_bits(x as i64),
            DType::U32 => Element::to_bits(x as u32),
            DType::U64 => x as u64,
            DType::U8 => Element::to_bits(x as u8),
            DType::Bool => u64::from(x != 0.0),
        }
    }
    fn int(x: i128, to: DType) -> u64 {
        match to {
            DType::F32 => (x as f32).to_bits().into(),
            DType::F64 => (x as f64).to_bits(),
            DType::I32 => Element::to_bits(x as i32),
            DType::I64 => Element::to_bits(x as i64),
            DType::U32 => Element::to_bits(x as u32),
            DType::U64 => x as u64,
            DType::U8 => Element::to_bits(x as u8),
            DType::Bool => u64::from(x != 0),
        }
    }
    match from {
        // Every f32 is an f64, so only the second step rounds.
        DType::F32 => float(f32::from_bits(bits as u32).into(), to),
        DType::F64 => float(f64::from_bits(bits), to),
        DType::I32 => int((bits as i32).into(), to),
        DType::I64 => int((bits as i64).into(), to),
        DType::U32 | DType::U64 | DType::U8 | DType::Bool => int(bits.into(), to),
    }
}

fn missing(op: ScalarOp, dtype: DType) -> ! {
    panic!("{op:?} does not exist for {dtype}")
}

macro_rules! float_op {
    ($name:ident, $t:ty) => {
        fn $name(op: ScalarOp, args: &[u64]) -> u64 {
            let x = |i: usize| <$t as Element>::from_bits(args[i]);
            let value = match op {
                ScalarOp::Add => x(0) + x(1),
                ScalarOp::Sub => x(0) - x(1),
                ScalarOp::Mul => x(0) * x(1),
                ScalarOp::Div => x(0) / x(1),
                ScalarOp::Rem => x(0) % x(1),
                ScalarOp::Neg => -x(0),
                ScalarOp::Abs => x(0).abs(),
                ScalarOp::Sqrt => x(0).sqrt(),
                ScalarOp::Fma => x(0).mul_add(x(1), x(2)),
                ScalarOp::Min => Arithmetic::min(x(0), x(1)),
                ScalarOp::Max => Arithmetic::max(x(0), x(1)),
                ScalarOp::Floor => x(0).floor(),
                ScalarOp::Ceil => x(0).ceil(),
                ScalarOp::Round => x(0).round_ties_even(),
                ScalarOp::Trunc => x(0).trunc(),
                ScalarOp::Eq => return u64::from(x(0) == x(1)),
                ScalarOp::Ne => return u64::from(x(0) != x(1)),
                ScalarOp::Lt => return u64::from(x(0) < x(1)),
                ScalarOp::Le => return u64::from(x(0) <= x(1)),
                _ => missing(op, <$t as Element>::DTYPE),
            };
            Element::to_bits(value)
        }
    };
}
float_op!(f32_op, f32);
float_op!(f64_op, f64);

macro_rules! int_op {
    ($name:ident, $t:ty, $unsigned:ty, $abs:expr) => {
        fn $name(op: ScalarOp, args: &[u64]) -> u64 {
            let x = |i: usize| <$t as Element>::from_bits(args[i]);
            let abs: fn($t) -> $t = $abs;
            // Shifts count modulo the width, which is a power of two.
            let by = || args[1] as u32;
            let value = match op {
                ScalarOp::Add => x(0).wrapping_add(x(1)),
                ScalarOp::Sub => x(0).wrapping_sub(x(1)),
                ScalarOp::Mul => x(0).wrapping_mul(x(1)),
                ScalarOp::Div if x(1) == 0 => 0,
                ScalarOp::Div => x(0).wrapping_div(x(1)),
                ScalarOp::Rem if x(1) == 0 => 0,
                ScalarOp::Rem => x(0).wrapping_rem(x(1)),
                // The bits above those of the upper half may be wrong, and are cut off.
                ScalarOp::MulHigh => {
                    (i128::from(x(0)).wrapping_mul(i128::from(x(1))) >> <$t>::BITS) as $t
                }
                ScalarOp::Neg => x(0).wrapping_neg(),
                ScalarOp::Abs => abs(x(0)),
                ScalarOp::Min => Ord::min(x(0), x(1)),
                ScalarOp::Max => Ord::max(x(0), x(1)),
                ScalarOp::And => x(0) & x(1),
                ScalarOp::Or => x(0) | x(1),
                ScalarOp::Xor => x(0) ^ x(1),
                ScalarOp::Not => !x(0),
                ScalarOp::Shl => x(0).wrapping_shl(by()),
                ScalarOp::Shr => x(0).wrapping_shr(by()),
                ScalarOp::ShrLogical => (x(0) as $unsigned).wrapping_shr(by()) as $t,
                ScalarOp::Rotl => x(0).rotate_left(by() % <$t>::BITS),
                ScalarOp::Eq => return u64::from(x(0) == x(1)),
                ScalarOp::Ne => return u64::from(x(0) != x(1)),
                ScalarOp::Lt => return u64::from(x(0) < x(1)),
                ScalarOp::Le => return u64::from(x(0) <= x(1)),
                _ => missing(op, <$t as Element>::DTYPE),
            };
            Element::to_bits(value)
        }
    };
}
int_op!(i32_op, i32, u32, i32::wrapping_abs);
int_op!(i64_op, i64, u64, i64::wrapping_abs);
int_op!(u32_op, u32, u32, |x| x);
int_op!(u64_op, u64, u64, |x| x);
int_op!(u8_op, u8, u8, |x| x);

fn bool_op(op: ScalarOp, args: &[u64]) -> u64 {
    match op {
        ScalarOp::And | ScalarOp::Min => args[0] & args[1],
        ScalarOp::Or | ScalarOp::Max => args[0] | args[1],
        ScalarOp::Xor | ScalarOp::Ne => args[0] ^ args[1],
        ScalarOp::Not => args[0] ^ 1,
        ScalarOp::Eq => u64::from(args[0] == args[1]),
        ScalarOp::Lt => u64::from(args[0] < args[1]),
        ScalarOp::Le => u64::from(args[0] <= args[1]),
        _ => missing(op, DType::Bool),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T: Element>(op: ScalarOp, args: &[T]) -> T {
        let args: Vec<u64> = args.iter().map(|a| a.to_bits()).collect();
        T::from_bits(apply(op, T::DTYPE, T::DTYPE, &args))
    }

    fn to<T: Element, U: Element>(x: T) -> U {
        U::from_bits(apply(ScalarOp::Convert, T::DTYPE, U::DTYPE, &[x.to_bits()]))
    }

    /// The table and the semantics list the same types.
    #[test]
    fn each_operation_is_for_the_types_it_takes() {
        let quiet = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let mut wrong = vec![];
        for op in ScalarOp::ALL {
            for dtype in DType::ALL {
                let row = op.row();
                // A fold takes the types of its operation; any operation can fold a single copy.
                let (copies, takes) = match op {
                    ScalarOp::Fold(f) => (2, f.scalar().row().takes),
                    _ => (row.arity, row.takes),
                };
                let out = result_type(op, &vec![dtype; row.arity]).unwrap_or(dtype);
                let args = vec![1; copies];
                let is_there = std::panic::catch_unwind(|| apply(op, dtype, out, &args)).is_ok();
                // An operation that ignores its operands accepts all types.
                let any = matches!(op, ScalarOp::Any);
                if !any && is_there != takes.includes(dtype) {
                    wrong.push((op, dtype));
                }
            }
        }
        std::panic::set_hook(quiet);
        assert!(wrong.is_empty(), "{wrong:?}");
        for op in ScalarOp::ALL {
            assert_eq!(ScalarOp::from_name(op.row().name), Some(op));
        }
    }

    #[test]
    fn integers_wrap_and_never_trap() {
        assert_eq!(run(ScalarOp::Div, &[7i64, 0]), 0);
        assert_eq!(run(ScalarOp::Rem, &[7i64, 0]), 0);
        assert_eq!(run(ScalarOp::Div, &[i64::MIN, -1]), i64::MIN);
        assert_eq!(run(ScalarOp::Rem, &[i32::MIN, -1]), 0);
        assert_eq!(run(ScalarOp::Div, &[-7i32, 2]), -3);
        assert_eq!(run(ScalarOp::Rem, &[-7i32, 2]), -1);
        assert_eq!(run(ScalarOp::MulHigh, &[i64::MIN, i64::MIN]), 1 << 62);
        assert_eq!(run(ScalarOp::MulHigh, &[-1i32, 1]), -1);
        assert_eq!(run(ScalarOp::MulHigh, &[u64::MAX, u64::MAX]), u64::MAX - 1);
        assert_eq!(run(ScalarOp::MulHigh, &[255u8, 255]), 254);
        assert_eq!(run(ScalarOp::Add, &[255u8, 2]), 1);
        assert_eq!(run(ScalarOp::Neg, &[1u32]), u32::MAX);
        assert_eq!(run(ScalarOp::Abs, &[i32::MIN]), i32::MIN);
        assert_eq!(run(ScalarOp::Shl, &[1i32, 33]), 2);
        assert_eq!(run(ScalarOp::Shl, &[1i32, -1]), i32::MIN);
        assert_eq!(run(ScalarOp::Shr, &[-8i64, 1]), -4);
        assert_eq!(run(ScalarOp::ShrLogical, &[-8i32, 28]), 15);
        assert_eq!(run(ScalarOp::Shr, &[200u8, 9]), 100);
        assert_eq!(run(ScalarOp::Rotl, &[0x8000_0001u32, 36]), 24);
        assert_eq!(run(ScalarOp::Rotl, &[i64::MIN, 1]), 1);
        assert_eq!(run(ScalarOp::Rotl, &[0x81u8, 12]), 0x18);
    }

    #[test]
    fn min_and_max_order_zeros_and_keep_nan() {
        let zero = |x: f64| x.is_sign_negative();
        for (a, b) in [(0.0, -0.0), (-0.0, 0.0)] {
            assert!(zero(run(ScalarOp::Min, &[a, b])));
            assert!(!zero(run(ScalarOp::Max, &[a, b])));
            assert!(run(ScalarOp::Max, &[f64::NAN, a]).is_nan());
            assert!(run(ScalarOp::Min, &[a, f64::NAN]).is_nan());
        }
        assert_eq!(run(ScalarOp::Min, &[2.0f32, 1.0]), 1.0);
        assert!(run(ScalarOp::Max, &[false, true]));
    }

    #[test]
    fn conversions_saturate_from_floats_and_wrap_between_integers() {
        assert_eq!(to::<f64, i32>(1e10), i32::MAX);
        assert_eq!(to::<f64, u8>(-3.0), 0);
        assert_eq!(to::<f32, i64>(f32::NAN), 0);
        assert_eq!(to::<f64, i64>(-2.9), -2);
        assert_eq!(to::<i64, i32>((1 << 32) + 5), 5);
        assert_eq!(to::<i32, u64>(-1), u64::MAX);
        assert_eq!(to::<u64, f32>(u64::MAX), 18446744073709551615u64 as f32);
        assert_eq!(to::<i64, f32>((1 << 24) + 1), ((1i64 << 24) + 1) as f32);
        assert!(to::<f64, bool>(f64::NAN));
        assert!(!to::<f64, bool>(-0.0));
        assert_eq!(to::<bool, f64>(true), 1.0);
        assert_eq!(to::<f64, f32>(0.1), 0.1f32);
    }

    #[test]
    fn copies_fold_pairwise() {
        let copies = [1e16f64, 1.0, -1e16, 1.0, 1.0, 1.0, 1.0, 1.0];
        let [a, b, c, d, e, f, g, h] = copies;
        let pairs = ((a + b) + (c + d)) + ((e + f) + (g + h));
        assert_eq!(run(ScalarOp::Fold(FoldOp::Add), &copies), pairs);
        assert_eq!(run(ScalarOp::Fold(FoldOp::Max), &copies), 1e16);
    }
}
