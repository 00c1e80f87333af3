//! Elementary functions of eight lanes at once, for generated code: the definitions that it is made of
//! too, in vectors that it does not have. So the bits are the same.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use wengert_ir::elementary::{self, Arith, Elementary};
use wengert_ir::ir::types::DType;
use wengert_ir::loops::Function;

/// A function of the runtime that computes functions in eight lanes, and which of them it shall be.
///
/// It takes the address of the result, 64 bytes before that of the first argument, and so on.
pub(crate) type Wide = (usize, u64);

/// Added to the number of a function: on `f32`.
#[cfg(target_arch = "x86_64")]
const SINGLE: u64 = 1 << 8;
/// Added to the number of a function: of two arguments.
#[cfg(target_arch = "x86_64")]
const PAIR: u64 = 1 << 9;

/// The code for eight lanes of a function that this machine has, if it is better than what is made.
pub(crate) fn wide(f: &Function) -> Option<Wide> {
    let dtype = f.values[f.params.first()?.0 as usize];
    code(f.elementary?, dtype == DType::F32)
}

#[cfg(target_arch = "x86_64")]
fn code(which: Elementary, single: bool) -> Option<Wide> {
    use std::arch::is_x86_feature_detected;
    let apply = if is_x86_feature_detected!("avx512f") {
        avx512::apply as *const () as usize
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        avx2::apply as *const () as usize
    } else {
        return None;
    };
    Some((apply, number(which, single)?))
}

/// The number of a function that has code.
#[cfg(target_arch = "x86_64")]
fn number(which: Elementary, single: bool) -> Option<u64> {
    if !has_code(which) {
        return None;
    }
    let number = Elementary::ALL.iter().position(|&f| f == which)? as u64;
    let single = if single { SINGLE } else { 0 };
    let pair = if which.arity() == 2 { PAIR } else { 0 };
    Some(number + single + pair)
}

#[cfg(not(target_arch = "x86_64"))]
fn code(_which: Elementary, _single: bool) -> Option<Wide> {
    None
}

/// The functions that are a straight line, but for what is rare.
#[cfg(target_arch = "x86_64")]
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
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn compute<A: Arith>(a: &mut A, how: u64, x: A::F, y: A::F) -> A::F {
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
#[cfg(target_arch = "x86_64")]
const ROW: usize = 64;

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use wengert_ir::elementary::eval;
    use wengert_ir::loops::LANES;

    use super::*;

    /// The result and two arguments, as generated code has them.
    #[repr(align(64))]
    struct Area([[u64; 8]; 3]);

    fn in_lanes((f, how): Wide, x: [f64; LANES], y: [f64; LANES]) -> [f64; LANES] {
        let mut area = Area([[0; 8], x.map(f64::to_bits), y.map(f64::to_bits)]);
        // SAFETY: it is a function of the runtime, and gets the memory it wants.
        unsafe {
            let f: unsafe extern "C" fn(*mut u8, u64) = std::mem::transmute(f);
            f((&raw mut area).cast(), how);
        }
        area.0[0].map(f64::from_bits)
    }

    fn in_narrow_lanes((f, how): Wide, x: [f32; LANES], y: [f32; LANES]) -> [f32; LANES] {
        let rows = |x: [f32; LANES]| {
            let bits = x.map(|x| u64::from(x.to_bits()));
            std::array::from_fn(|i| match i < 4 {
                true => bits[2 * i] | (bits[2 * i + 1] << 32),
                false => 0,
            })
        };
        let mut area = Area([[0; 8], rows(x), rows(y)]);
        // SAFETY: it is a function of the runtime, and gets the memory it wants.
        unsafe {
            let f: unsafe extern "C" fn(*mut u8, u64) = std::mem::transmute(f);
            f((&raw mut area).cast(), how);
        }
        std::array::from_fn(|i| f32::from_bits((area.0[0][i / 2] >> (32 * (i % 2))) as u32))
    }

    /// Specials, numbers of every size, and numbers around 1, in an order without a pattern.
    fn points() -> Vec<f64> {
        let special = [
            0.0,
            f64::INFINITY,
            f64::NAN,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            1.0,
            0.5,
            709.9,
            745.2,
        ];
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut all: Vec<f64> = special.iter().flat_map(|&x| [x, -x]).collect();
        for _ in 0..3_000 {
            all.push((random() - 0.5) * 20.0);
            all.push(random());
            all.push((random() - 0.5).signum() * ((random() - 0.5) * 1400.0).exp());
        }
        all.truncate(all.len() / LANES * LANES);
        all
    }

    fn same(a: f64, b: f64) -> bool {
        a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
    }

    #[test]
    fn the_bits_are_those_of_plain_arithmetic() {
        use std::arch::is_x86_feature_detected;
        let (best, good) = (
            is_x86_feature_detected!("avx512f"),
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
        );
        if best {
            gives_the_bits(avx512::apply as *const () as usize);
        }
        if good {
            gives_the_bits(avx2::apply as *const () as usize);
        }
        assert_eq!(code(Elementary::Exp, false).is_some(), best || good);
    }

    fn gives_the_bits(apply: usize) {
        let points = points();
        let mut tried = 0;
        for &which in Elementary::ALL {
            let Some(n) = number(which, false) else {
                continue;
            };
            let f = (apply, n);
            let single = (apply, number(which, true).expect("it has code for both"));
            let second: Vec<f64> = points.iter().rev().copied().collect();
            for (x, y) in points.chunks(LANES).zip(second.chunks(LANES)) {
                let (x, y) = (x.try_into().unwrap(), y.try_into().unwrap());
                let got = in_lanes(f, x, y);
                let narrow = in_narrow_lanes(single, x.map(|x| x as f32), y.map(|y| y as f32));
                for i in 0..LANES {
                    let plain = eval(which, &[x[i], y[i]][..which.arity()]);
                    assert!(
                        same(got[i], plain),
                        "{which:?}({}, {}): {}, {plain}",
                        x[i],
                        y[i],
                        got[i]
                    );
                    let (x, y) = (f64::from(x[i] as f32), f64::from(y[i] as f32));
                    let plain = eval(which, &[x, y][..which.arity()]) as f32;
                    let ok = same(narrow[i].into(), plain.into());
                    assert!(ok, "{which:?}({x}, {y}) of f32: {}, {plain}", narrow[i]);
                }
            }
            tried += 1;
        }
        assert_eq!(tried, 27);
    }
}
