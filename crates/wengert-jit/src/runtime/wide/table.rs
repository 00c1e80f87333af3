//! The functions that there is code for, by number, in any arithmetic.

use wengert_ir::elementary::{self, Arith, Elementary};

/// Added to the number of a function: on `f32`.
pub(super) const SINGLE: u64 = 1 << 8;
/// Added to the number of a function: of two arguments.
pub(super) const PAIR: u64 = 1 << 9;

/// The number of a function that has code.
pub(super) fn number(which: Elementary, single: bool) -> Option<u64> {
    if !has_code(which) {
        return None;
    }
    let number = Elementary::ALL.iter().position(|&f| f == which)? as u64;
    let single = if single { SINGLE } else { 0 };
    let pair = if which.arity() == 2 { PAIR } else { 0 };
    Some(number + single + pair)
}

/// The functions that are a straight line, but for what is rare.
fn has_code(f: Elementary) -> bool {
    use Elementary::*;
    matches!(
        f,
        Exp | Exp2
            | Expm1
            | Sigmoid
            | Log
            | Log1p
            | Log2
            | Log10
            | Sin
            | Cos
            | Tan
            | Asin
            | Acos
            | Atan
            | Atan2
            | Sinh
            | Cosh
            | Tanh
            | Asinh
            | Acosh
            | Atanh
            | Pow
            | Cbrt
            | Erf
            | Erfc
            | ErfInv
            | NormalTail
    )
}

/// A function that has code, in any arithmetic. All of it is inlined where the vectors are known.
#[inline(always)]
pub(super) fn compute<A: Arith>(a: &mut A, how: u64, x: A::F, y: A::F) -> A::F {
    use Elementary::*;
    match Elementary::ALL[(how & (SINGLE - 1)) as usize] {
        Exp => elementary::exp(a, x),
        Exp2 => elementary::exp2(a, x),
        Expm1 => elementary::expm1(a, x),
        Sigmoid => elementary::sigmoid(a, x),
        Log => elementary::log(a, x),
        Log1p => elementary::log1p(a, x),
        Log2 => elementary::log2(a, x),
        Log10 => elementary::log10(a, x),
        Sin => elementary::sin(a, x),
        Cos => elementary::cos(a, x),
        Tan => elementary::tan(a, x),
        Asin => elementary::asin(a, x),
        Acos => elementary::acos(a, x),
        Atan => elementary::atan(a, x),
        Atan2 => elementary::atan2(a, x, y),
        Sinh => elementary::sinh(a, x),
        Cosh => elementary::cosh(a, x),
        Tanh => elementary::tanh(a, x),
        Asinh => elementary::asinh(a, x),
        Acosh => elementary::acosh(a, x),
        Atanh => elementary::atanh(a, x),
        Pow => elementary::pow(a, x, y),
        Cbrt => elementary::cbrt(a, x),
        Erf => elementary::erf(a, x),
        Erfc => elementary::erfc(a, x),
        ErfInv => elementary::erf_inv(a, x),
        NormalTail => elementary::normal_tail(a, x),
        _ => unreachable!("it has no code"),
    }
}

/// Bytes of a row of eight lanes: an argument, or the result.
pub(super) const ROW: usize = 64;
