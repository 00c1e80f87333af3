//! Elementary functions of eight lanes at once, for generated code: the definitions that it is made of
//! too, in vectors that it does not have. So the bits are the same.

use wengert_ir::elementary::Elementary;
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
    if !std::arch::is_x86_feature_detected!("avx512f") || !has_code(which) {
        return None;
    }
    let number = Elementary::ALL.iter().position(|&f| f == which)? as u64;
    let single = if single { SINGLE } else { 0 };
    let pair = if which.arity() == 2 { PAIR } else { 0 };
    Some((avx512::apply as *const () as usize, number + single + pair))
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

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use wengert_ir::elementary::{self, Arith, Elementary};

    use super::{PAIR, SINGLE};

    /// The bytes of an argument, and of the result.
    const ROW: usize = 64;

    /// To the nearest integer, ties to even, without a flag.
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

    /// Computes a function in eight lanes; see [`Wide`](super::Wide).
    ///
    /// # Safety
    /// The processor has AVX-512. There is memory for the result and the arguments, on a multiple
    /// of 16 bytes, and the number is one that [`wide`](super::wide) gives.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe extern "C" fn apply(at: *mut u8, how: u64) {
        let a = &mut Eight;
        let single = how & SINGLE != 0;
        // SAFETY: by the caller.
        let x = unsafe { read(at.add(ROW), single) };
        let y = match how & PAIR != 0 {
            // SAFETY: by the caller.
            true => unsafe { read(at.add(2 * ROW), single) },
            false => x,
        };
        use Elementary::*;
        let result = match Elementary::ALL[(how & (SINGLE - 1)) as usize] {
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
        };
        // SAFETY: by the caller.
        unsafe {
            match single {
                true => _mm256_storeu_ps(at.cast(), _mm512_cvtpd_ps(result)),
                false => _mm512_storeu_pd(at.cast(), result),
            }
        }
    }

    /// Eight lanes, piece by piece as they were written: a processor does not look for a whole in
    /// several stores that are still on their way.
    ///
    /// # Safety
    /// The processor has AVX-512; there is a row, on a multiple of 16 bytes.
    #[inline(always)]
    unsafe fn read(at: *const u8, single: bool) -> __m512d {
        // SAFETY: by the caller. Volatile, or they become one read again.
        unsafe {
            if single {
                let at: *const __m128 = at.cast();
                let (low, high) = (at.read_volatile(), at.add(1).read_volatile());
                return _mm512_cvtps_pd(_mm256_set_m128(high, low));
            }
            let at: *const __m128d = at.cast();
            let low = _mm256_set_m128d(at.add(1).read_volatile(), at.read_volatile());
            let high = _mm256_set_m128d(at.add(3).read_volatile(), at.add(2).read_volatile());
            _mm512_insertf64x4::<1>(_mm512_castpd256_pd512(low), high)
        }
    }

    /// Arithmetic of eight lanes. Whoever uses it has AVX-512, and all of it is inlined there.
    struct Eight;

    impl Arith for Eight {
        type F = __m512d;
        type I = __m512i;
        type M = __mmask8;

        #[inline(always)]
        fn float(&mut self, x: f64) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_set1_pd(x) }
        }

        #[inline(always)]
        fn int(&mut self, x: i64) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_set1_epi64(x) }
        }

        #[inline(always)]
        fn add(&mut self, a: __m512d, b: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_add_pd(a, b) }
        }

        #[inline(always)]
        fn sub(&mut self, a: __m512d, b: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_sub_pd(a, b) }
        }

        #[inline(always)]
        fn mul(&mut self, a: __m512d, b: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_mul_pd(a, b) }
        }

        #[inline(always)]
        fn div(&mut self, a: __m512d, b: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_div_pd(a, b) }
        }

        #[inline(always)]
        fn fma(&mut self, a: __m512d, b: __m512d, c: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_fmadd_pd(a, b, c) }
        }

        #[inline(always)]
        fn neg(&mut self, a: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe {
                _mm512_castsi512_pd(_mm512_xor_si512(
                    _mm512_castpd_si512(a),
                    _mm512_set1_epi64(i64::MIN),
                ))
            }
        }

        #[inline(always)]
        fn abs(&mut self, a: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe {
                _mm512_castsi512_pd(_mm512_and_si512(
                    _mm512_castpd_si512(a),
                    _mm512_set1_epi64(i64::MAX),
                ))
            }
        }

        #[inline(always)]
        fn sqrt(&mut self, a: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_sqrt_pd(a) }
        }

        #[inline(always)]
        fn round(&mut self, a: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_roundscale_pd::<NEAREST>(a) }
        }

        #[inline(always)]
        fn lt(&mut self, a: __m512d, b: __m512d) -> __mmask8 {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b) }
        }

        #[inline(always)]
        fn le(&mut self, a: __m512d, b: __m512d) -> __mmask8 {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b) }
        }

        #[inline(always)]
        fn eq(&mut self, a: __m512d, b: __m512d) -> __mmask8 {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b) }
        }

        #[inline(always)]
        fn select(&mut self, m: __mmask8, a: __m512d, b: __m512d) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_mask_blend_pd(m, b, a) }
        }

        #[inline(always)]
        fn select_int(&mut self, m: __mmask8, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_mask_blend_epi64(m, b, a) }
        }

        #[inline(always)]
        fn bits(&mut self, a: __m512d) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_castpd_si512(a) }
        }

        #[inline(always)]
        fn from_bits(&mut self, a: __m512i) -> __m512d {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_castsi512_pd(a) }
        }

        #[inline(always)]
        fn int_add(&mut self, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_add_epi64(a, b) }
        }

        #[inline(always)]
        fn int_sub(&mut self, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_sub_epi64(a, b) }
        }

        #[inline(always)]
        fn int_and(&mut self, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_and_si512(a, b) }
        }

        #[inline(always)]
        fn int_or(&mut self, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_or_si512(a, b) }
        }

        #[inline(always)]
        fn int_xor(&mut self, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_xor_si512(a, b) }
        }

        #[inline(always)]
        fn int_shl(&mut self, a: __m512i, by: u32) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_sllv_epi64(a, _mm512_set1_epi64(by.into())) }
        }

        #[inline(always)]
        fn int_shr(&mut self, a: __m512i, by: u32) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_srav_epi64(a, _mm512_set1_epi64(by.into())) }
        }

        #[inline(always)]
        fn int_ushr(&mut self, a: __m512i, by: u32) -> __m512i {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_srlv_epi64(a, _mm512_set1_epi64(by.into())) }
        }

        #[inline(always)]
        fn int_lt(&mut self, a: __m512i, b: __m512i) -> __mmask8 {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_cmplt_epi64_mask(a, b) }
        }

        #[inline(always)]
        fn int_eq(&mut self, a: __m512i, b: __m512i) -> __mmask8 {
            // SAFETY: the processor has AVX-512.
            unsafe { _mm512_cmpeq_epi64_mask(a, b) }
        }

        #[inline(always)]
        fn and(&mut self, a: __mmask8, b: __mmask8) -> __mmask8 {
            a & b
        }
        #[inline(always)]
        fn or(&mut self, a: __mmask8, b: __mmask8) -> __mmask8 {
            a | b
        }
        #[inline(always)]
        fn not(&mut self, a: __mmask8) -> __mmask8 {
            !a
        }

        #[inline(always)]
        fn table(&mut self, table: &'static [f64], index: __m512i) -> __m512d {
            let last = table.len() as i64 - 1;
            // SAFETY: the processor has AVX-512; every index is one of the table.
            unsafe {
                let index = _mm512_min_epi64(index, _mm512_set1_epi64(last));
                let index = _mm512_max_epi64(index, _mm512_setzero_si512());
                _mm512_i64gather_pd::<8>(index, table.as_ptr())
            }
        }

        #[inline(always)]
        fn rare(
            &mut self,
            m: __mmask8,
            common: __m512d,
            rare: impl FnOnce(&mut Self) -> __m512d,
        ) -> __m512d {
            if m == 0 {
                return common;
            }
            let rare = rare(self);
            self.select(m, rare, common)
        }

        #[inline(always)]
        fn repeat<const N: usize>(
            &mut self,
            mut state: [__m512d; N],
            goes_on: impl Fn(&mut Self, [__m512d; N]) -> __mmask8,
            body: impl Fn(&mut Self, [__m512d; N]) -> [__m512d; N],
        ) -> [__m512d; N] {
            loop {
                let live = goes_on(self, state);
                if live == 0 {
                    return state;
                }
                let next = body(self, state);
                for (x, new) in state.iter_mut().zip(next) {
                    *x = self.select(live, new, *x);
                }
            }
        }
    }
}

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
        let points = points();
        let mut tried = 0;
        for &which in Elementary::ALL {
            let Some(f) = code(which, false) else {
                continue;
            };
            let single = code(which, true).expect("it has code for both");
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
        let expected = match std::arch::is_x86_feature_detected!("avx512f") {
            true => 27,
            false => 0,
        };
        assert_eq!(tried, expected);
    }
}
