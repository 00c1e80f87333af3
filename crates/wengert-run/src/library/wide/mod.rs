//! Elementary functions of eight or sixteen lanes at once, for generated code. They use the same definitions as emitted
//! code, in wider vectors than it has, and so give the same bits.

#[cfg(target_arch = "x86_64")]
mod arith;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use wengert_loop::elementary::Elementary;
use wengert_loop::loops::Function;
use wengert_loop::types::DType;

use crate::cpu::Cpu;

/// The runtime functions that compute an elementary function in lanes.
///
/// They take the address of the result, which is 64 bytes before that of the first argument, and so on, and flags. Like
/// all code compiled for AVX they clear the upper halves of vector registers when they return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wide {
    /// The address of that for eight lanes.
    pub eight: usize,
    /// The address of that for sixteen lanes of elements of 32 bits, each written by one store, if there is one.
    pub sixteen: Option<usize>,
    /// The flags: [`SINGLE`], to which the caller may add [`WHOLE`].
    pub how: u64,
}

/// The flag of a function of `f32` that is computed in `f64`.
pub const SINGLE: u64 = 1;

/// The flag of arguments of which each was written by one store, for AVX-512. Others were written in pieces of 16 bytes.
pub const WHOLE: u64 = 2;

/// Bytes of a row: an argument, or the result.
#[cfg(target_arch = "x86_64")]
const ROW: usize = 64;

/// Returns the code for a function on a processor, if it is better than emitted code.
pub fn wide(f: &Function, cpu: Cpu) -> Option<Wide> {
    let dtype = f.values[f.params.first()?.0 as usize];
    let which = f.elementary?;
    match dtype {
        DType::F32 if which.is_single() => single(which, cpu),
        _ => Some(Wide {
            eight: code(which, cpu)?,
            sixteen: None,
            how: if dtype == DType::F32 { SINGLE } else { 0 },
        }),
    }
}

/// Returns the code of a function that is defined in `f32` arithmetic.
#[cfg(target_arch = "x86_64")]
fn single(which: Elementary, cpu: Cpu) -> Option<Wide> {
    let eight = match cpu.has_avx2_fma() {
        true => which.wide_single::<avx2::Avx2Single>()?,
        false => return None,
    };
    let sixteen = match cpu.avx512f {
        true => which.wide_single::<avx512::Avx512Single>(),
        false => None,
    };
    Some(Wide {
        eight,
        sixteen,
        how: 0,
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn single(_which: Elementary, _cpu: Cpu) -> Option<Wide> {
    None
}

/// Returns the address of a function's code. Each function has its own code, because a dispatch inside a call
/// would delay lanes that wait for their arguments.
#[cfg(target_arch = "x86_64")]
fn code(which: Elementary, cpu: Cpu) -> Option<usize> {
    if cpu.avx512f {
        which.wide::<avx512::Avx512>()
    } else if cpu.has_avx2_fma() {
        which.wide::<avx2::Avx2>()
    } else {
        None
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn code(_which: Elementary, _cpu: Cpu) -> Option<usize> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use wengert_loop::elementary::{Each, eval, eval_single};
    use wengert_loop::loops::LANES;

    use super::*;

    /// Memory for the result and two arguments, as in generated code.
    #[repr(align(64))]
    struct Area([[u64; 8]; 3]);

    fn in_lanes((f, how): (usize, u64), x: [f64; LANES], y: [f64; LANES]) -> [f64; LANES] {
        let mut area = Area([[0; 8], x.map(f64::to_bits), y.map(f64::to_bits)]);
        // SAFETY: it is a function of the runtime, and gets the memory it needs.
        unsafe {
            let f: unsafe extern "C" fn(*mut u8, u64) = std::mem::transmute(f);
            f((&raw mut area).cast(), how);
        }
        area.0[0].map(f64::from_bits)
    }

    fn in_narrow_lanes<const N: usize>(
        (f, how): (usize, u64),
        x: [f32; N],
        y: [f32; N],
    ) -> [f32; N] {
        let rows = |x: [f32; N]| {
            let bits = x.map(|x| u64::from(x.to_bits()));
            std::array::from_fn(|i| match i < N / 2 {
                true => bits[2 * i] | (bits[2 * i + 1] << 32),
                false => 0,
            })
        };
        let mut area = Area([[0; 8], rows(x), rows(y)]);
        // SAFETY: it is a function of the runtime, and gets the memory it needs.
        unsafe {
            let f: unsafe extern "C" fn(*mut u8, u64) = std::mem::transmute(f);
            f((&raw mut area).cast(), how);
        }
        std::array::from_fn(|i| f32::from_bits((area.0[0][i / 2] >> (32 * (i % 2))) as u32))
    }

    /// Returns special values, numbers of every magnitude, and numbers around 1, in an irregular order.
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
        let (best, good) = (Cpu::host().avx512f, Cpu::host().has_avx2_fma());
        if best {
            gives_the_bits::<avx512::Avx512>(0);
            gives_the_bits::<avx512::Avx512>(WHOLE);
        }
        if good {
            gives_the_bits::<avx2::Avx2>(0);
        }
        assert_eq!(code(Elementary::Exp, Cpu::host()).is_some(), best || good);
    }

    #[test]
    fn the_bits_are_those_of_plain_arithmetic_in_f32() {
        if Cpu::host().has_avx2_fma() {
            gives_the_bits_of_single::<avx2::Avx2Single, LANES>(0);
            gives_the_bits_of_single::<avx2::Avx2Single, LANES>(WHOLE);
        }
        if Cpu::host().avx512f {
            gives_the_bits_of_single::<avx512::Avx512Single, { 2 * LANES }>(0);
        }
        let sixteen = single(Elementary::Exp, Cpu::host()).is_some_and(|w| w.sixteen.is_some());
        assert_eq!(sixteen, Cpu::host().avx512f);
    }

    fn gives_the_bits_of_single<E: Each<Made = usize>, const N: usize>(how: u64) {
        let points: Vec<f32> = points().into_iter().map(|x| x as f32).collect();
        let second: Vec<f32> = points.iter().rev().copied().collect();
        let mut tried = 0;
        for &which in Elementary::ALL {
            let Some(code) = which.wide_single::<E>() else {
                continue;
            };
            for (x, y) in points.chunks_exact(N).zip(second.chunks_exact(N)) {
                let (x, y): ([f32; N], [f32; N]) = (x.try_into().unwrap(), y.try_into().unwrap());
                let got = in_narrow_lanes((code, how), x, y);
                for i in 0..N {
                    let plain = eval_single(which, &[x[i], y[i]][..which.arity()]);
                    assert!(
                        same(got[i].into(), plain.into()),
                        "{which:?}({:e}, {:e}): {}, {plain}",
                        x[i],
                        y[i],
                        got[i]
                    );
                }
            }
            tried += 1;
        }
        assert!(tried > 20);
    }

    fn gives_the_bits<E: Each<Made = usize>>(pieces: u64) {
        let points = points();
        let mut tried = false;
        for &which in Elementary::ALL {
            let Some(code) = which.wide::<E>() else {
                continue;
            };
            let (f, single) = ((code, pieces), (code, pieces | SINGLE));
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
            tried = true;
        }
        assert!(tried);
    }
}
