//! The functions that there is code for: the straight lines, but for what is rare.

use wengert_loop::elementary::{self, Arith, Elementary};

/// Vectors of some width.
pub(super) trait Machine {
    /// The address of the code of a function, by its number: see [`compute`].
    fn code<const F: usize>() -> usize;
}

/// The address of a function's code. Each has code of its own: what a call has to look at first,
/// lanes that wait for their arguments cannot overtake.
pub(super) fn code<M: Machine>(which: Elementary) -> Option<usize> {
    use Elementary::*;
    Some(match which {
        Exp => M::code::<{ Exp as usize }>(),
        Exp2 => M::code::<{ Exp2 as usize }>(),
        Expm1 => M::code::<{ Expm1 as usize }>(),
        Sigmoid => M::code::<{ Sigmoid as usize }>(),
        SigmoidSlope => M::code::<{ SigmoidSlope as usize }>(),
        Log => M::code::<{ Log as usize }>(),
        Log1p => M::code::<{ Log1p as usize }>(),
        Log2 => M::code::<{ Log2 as usize }>(),
        Log10 => M::code::<{ Log10 as usize }>(),
        Sin => M::code::<{ Sin as usize }>(),
        Cos => M::code::<{ Cos as usize }>(),
        Tan => M::code::<{ Tan as usize }>(),
        Asin => M::code::<{ Asin as usize }>(),
        Acos => M::code::<{ Acos as usize }>(),
        Atan => M::code::<{ Atan as usize }>(),
        Atan2 => M::code::<{ Atan2 as usize }>(),
        Sinh => M::code::<{ Sinh as usize }>(),
        Cosh => M::code::<{ Cosh as usize }>(),
        Tanh => M::code::<{ Tanh as usize }>(),
        TanhSlope => M::code::<{ TanhSlope as usize }>(),
        Asinh => M::code::<{ Asinh as usize }>(),
        Acosh => M::code::<{ Acosh as usize }>(),
        Atanh => M::code::<{ Atanh as usize }>(),
        Pow => M::code::<{ Pow as usize }>(),
        Cbrt => M::code::<{ Cbrt as usize }>(),
        Erf => M::code::<{ Erf as usize }>(),
        Erfc => M::code::<{ Erfc as usize }>(),
        ErfInv => M::code::<{ ErfInv as usize }>(),
        NormalTail => M::code::<{ NormalTail as usize }>(),
        Erfcx => M::code::<{ Erfcx as usize }>(),
        LogErfc => M::code::<{ LogErfc as usize }>(),
        Ndtr => M::code::<{ Ndtr as usize }>(),
        LogNdtr => M::code::<{ LogNdtr as usize }>(),
        _ => return None,
    })
}

/// Function number `F` in any arithmetic; `y` gives its second argument. All of it is inlined where
/// the vectors are known.
#[inline(always)]
pub(super) fn compute<const F: usize, A: Arith>(
    a: &mut A,
    x: A::F,
    y: impl FnOnce() -> A::F,
) -> A::F {
    use Elementary::*;
    match const { Elementary::ALL[F] } {
        Exp => elementary::exp(a, x),
        Exp2 => elementary::exp2(a, x),
        Expm1 => elementary::expm1(a, x),
        Sigmoid => elementary::sigmoid(a, x),
        SigmoidSlope => elementary::sigmoid_slope(a, x, y()),
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
        Atan2 => elementary::atan2(a, x, y()),
        Sinh => elementary::sinh(a, x),
        Cosh => elementary::cosh(a, x),
        Tanh => elementary::tanh(a, x),
        TanhSlope => elementary::tanh_slope(a, x, y()),
        Asinh => elementary::asinh(a, x),
        Acosh => elementary::acosh(a, x),
        Atanh => elementary::atanh(a, x),
        Pow => elementary::pow(a, x, y()),
        Cbrt => elementary::cbrt(a, x),
        Erf => elementary::erf(a, x),
        Erfc => elementary::erfc(a, x),
        ErfInv => elementary::erf_inv(a, x),
        NormalTail => elementary::normal_tail(a, x),
        Erfcx => elementary::erfcx(a, x),
        LogErfc => elementary::log_erfc(a, x),
        Ndtr => elementary::ndtr(a, x),
        LogNdtr => elementary::log_ndtr(a, x),
        _ => unreachable!("it has no code"),
    }
}

/// Bytes of a row of eight lanes: an argument, or the result.
pub(super) const ROW: usize = 64;
