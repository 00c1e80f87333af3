//! Products of matrices in lanes, for generated code: eight products side by side, in tiles of sums in registers. If the
//! lanes share the first factor, each of its elements is read once for all of them.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::ops::Range;

use wengert_loop::loops::LANES;
use wengert_loop::loops::kernel::{Gemm, LaneProduct};
use wengert_loop::order::{self, CHUNK, PARTIALS, SHORT};
use wengert_loop::types::DType;

use super::tiles::{Machine, Vector};
use super::upper;
use crate::cpu::Cpu;

/// Code for products in lanes: see [`products`].
type Products<T> = unsafe extern "C" fn(*const LaneProduct, *mut T, *const T, *const T);

/// Returns the best function for products in lanes on a processor.
///
/// It takes the product, which it reads during the call only, and the addresses of the result and of the factors. Each
/// has a row of [`LANES`] numbers for each element, except for a first factor that lanes share. The memory has the
/// shapes and strides that the product says, and the result overlaps no factor.
pub fn of_lanes(cpu: Cpu, dtype: DType) -> usize {
    match dtype {
        DType::F32 => f32_code(cpu) as *const () as usize,
        _ => f64_code(cpu) as *const () as usize,
    }
}

fn f64_code(cpu: Cpu) -> Products<f64> {
    #[cfg(target_arch = "x86_64")]
    match Machine::of(cpu) {
        Machine::Avx512 => return f64_by_avx512,
        Machine::Avx2 => return f64_by_avx2,
        Machine::Any => {}
    }
    let _ = cpu;
    f64_anywhere
}

fn f32_code(cpu: Cpu) -> Products<f32> {
    #[cfg(target_arch = "x86_64")]
    match Machine::of(cpu) {
        Machine::Avx512 | Machine::Avx2 => return f32_by_avx2,
        Machine::Any => {}
    }
    let _ = cpu;
    f32_anywhere
}

/// Defines the code for a processor: the vectors, how many of them a row of lanes is, and the tiles.
macro_rules! code {
    ($( $(#[$on:meta])* $name:ident: $t:ident $v:ty, $n:literal, $long:literal, $wide:literal; )*) => {$(
        /// # Safety
        /// As for [`products`]; the processor has the vectors.
        $(#[$on])*
        unsafe extern "C" fn $name(p: *const LaneProduct, c: *mut $t, a: *const $t, b: *const $t) {
            // SAFETY: guaranteed by the caller.
            unsafe { products::<$v, $n, $long, $wide>(&*p, c, a, b) };
            upper::clear();
        }
    )*};
}

code! {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx2,fma")]
    f64_by_avx512: f64 __m512d, 1, 8, 4;
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    f64_by_avx2: f64 __m256d, 2, 4, 2;
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    f32_by_avx2: f32 __m256, 1, 8, 2;
    f64_anywhere: f64 [f64; 4], 2, 4, 2;
    f32_anywhere: f32 [f32; 8], 1, 4, 2;
}

/// Some sums side by side: `R` rows, `C` columns, and a row of lanes of `N` vectors for each.
type Sums<V, const N: usize, const R: usize, const C: usize> = [[[V; N]; C]; R];

/// Computes the products in tiles of `LONG` rows and one column, or of `WIDE` rows and as many columns.
///
/// # Safety
/// The processor has the vectors; the memory is as [`of_lanes`] says.
#[inline(always)]
unsafe fn products<V: Vector, const N: usize, const LONG: usize, const WIDE: usize>(
    p: &LaneProduct,
    c: *mut V::T,
    a: *const V::T,
    b: *const V::T,
) {
    const { assert!(N * V::LANES == LANES) };
    let product = InLanes {
        gemm: &p.gemm,
        c,
        a,
        b,
    };
    // SAFETY: guaranteed by the caller.
    unsafe {
        match p.shared {
            true => product.fill::<V, N, LONG, WIDE, true>(),
            false => product.fill::<V, N, LONG, WIDE, false>(),
        }
    }
}

/// A product and its memory.
struct InLanes<'a, T> {
    gemm: &'a Gemm,
    c: *mut T,
    a: *const T,
    b: *const T,
}

impl<T: Copy + std::ops::Mul<Output = T>> InLanes<'_, T> {
    /// # Safety
    /// As for [`products`].
    #[inline(always)]
    unsafe fn fill<
        V: Vector<T = T>,
        const N: usize,
        const LONG: usize,
        const WIDE: usize,
        const SHARED: bool,
    >(
        &self,
    ) {
        let Gemm { m, n, .. } = *self.gemm;
        let mut column = 0;
        while column < n {
            let columns = if n - column >= WIDE { WIDE } else { 1 };
            let most = if columns == 1 { LONG } else { WIDE };
            let mut row = 0;
            while row < m {
                let rows = if m - row >= most { most } else { 1 };
                // SAFETY: guaranteed by the caller; the rows and columns exist.
                unsafe {
                    match (rows == 1, columns == 1) {
                        (true, true) => self.tile::<V, N, 1, 1, SHARED>(row, column),
                        (true, false) => self.tile::<V, N, 1, WIDE, SHARED>(row, column),
                        (false, true) => self.tile::<V, N, LONG, 1, SHARED>(row, column),
                        (false, false) => self.tile::<V, N, WIDE, WIDE, SHARED>(row, column),
                    }
                }
                row += rows;
            }
            column += columns;
        }
    }

    /// Computes a tile.
    ///
    /// # Safety
    /// As for [`products`]; the rows and columns exist.
    #[inline(always)]
    unsafe fn tile<
        V: Vector<T = T>,
        const N: usize,
        const R: usize,
        const C: usize,
        const SHARED: bool,
    >(
        &self,
        row: usize,
        column: usize,
    ) {
        let Gemm { m, n, k, .. } = *self.gemm;
        // Sums that are not long have one chunk, which is added in order.
        let chunk = match order::is_long(m, n, k) {
            true => CHUNK,
            false => k.max(CHUNK + 1),
        };
        if k == 0 {
            // A sum without terms is a zero without a sign.
            // SAFETY: guaranteed by the caller.
            let zero = unsafe { V::all(V::NOTHING * V::NOTHING) };
            // SAFETY: guaranteed by the caller.
            return unsafe { self.store((row, column), &[[[zero; N]; C]; R]) };
        }
        let place = (row, column);
        // SAFETY: guaranteed by the caller; the terms exist.
        unsafe {
            if k <= chunk {
                let sum = self.chunk::<V, N, R, C, SHARED>(place, 0..k, chunk == CHUNK);
                return self.store(place, &sum);
            }
            // As `order::Tree` joins chunks. No closures here: what is not inlined could not use the vectors of the
            // processor.
            let mut subtrees: Vec<Sums<V, N, R, C>> = vec![];
            for start in (0..k).step_by(chunk) {
                let terms = start..k.min(start + chunk);
                let mut sum = self.chunk::<V, N, R, C, SHARED>(place, terms, true);
                for _ in 0..(start / chunk).trailing_ones() {
                    let left = subtrees.pop().expect("one for each bit");
                    sum = plus(&left, &sum);
                }
                subtrees.push(sum);
            }
            let mut total = subtrees.pop().expect("there are terms");
            while let Some(left) = subtrees.pop() {
                total = plus(&left, &total);
            }
            self.store(place, &total);
        }
    }

    /// Computes the sums of a chunk of terms, in order or, if they are long sums, in partial sums.
    ///
    /// # Safety
    /// As for [`products`]; the rows, columns and terms exist.
    #[inline(always)]
    unsafe fn chunk<
        V: Vector<T = T>,
        const N: usize,
        const R: usize,
        const C: usize,
        const SHARED: bool,
    >(
        &self,
        place: (usize, usize),
        terms: Range<usize>,
        long: bool,
    ) -> Sums<V, N, R, C> {
        // SAFETY: guaranteed by the caller.
        unsafe {
            if !long || terms.len() < SHORT {
                return self.sums::<V, N, R, C, SHARED>(place, (terms.start, 1, terms.end));
            }
            let mut parts = [[[[V::all(V::NOTHING); N]; C]; R]; PARTIALS];
            for (j, part) in parts.iter_mut().enumerate() {
                let terms = (terms.start + j, PARTIALS, terms.end);
                *part = self.sums::<V, N, R, C, SHARED>(place, terms);
            }
            // Pairwise, as `order::join` does.
            for apart in [1, 2, 4] {
                for j in (0..PARTIALS).step_by(2 * apart) {
                    parts[j] = plus(&parts[j], &parts[j + apart]);
                }
            }
            parts[0]
        }
    }

    /// Stores a tile.
    ///
    /// # Safety
    /// As for [`products`]; the rows and columns exist.
    #[inline(always)]
    unsafe fn store<V: Vector<T = T>, const N: usize, const R: usize, const C: usize>(
        &self,
        (row, column): (usize, usize),
        sums: &Sums<V, N, R, C>,
    ) {
        let (by_row, by_column) = self.gemm.c;
        for (r, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                let at = (row + r) * by_row + (column + j) * by_column;
                for (i, x) in sum.iter().enumerate() {
                    // SAFETY: guaranteed by the caller.
                    unsafe { x.store(self.c.add(at * LANES + i * V::LANES)) };
                }
            }
        }
    }

    /// Computes the sums of every `step`-th term from the `first` one to `end`, in order.
    ///
    /// # Safety
    /// As for [`products`]; the rows, columns and terms exist.
    #[inline(always)]
    unsafe fn sums<
        V: Vector<T = T>,
        const N: usize,
        const R: usize,
        const C: usize,
        const SHARED: bool,
    >(
        &self,
        (row, column): (usize, usize),
        (first, step, end): (usize, usize, usize),
    ) -> Sums<V, N, R, C> {
        let Gemm { a, b, .. } = *self.gemm;
        let pitch = if SHARED { 1 } else { LANES };
        let (left_row, right_column) = (a.0 * pitch, b.1 * LANES);
        let (left_step, right_step) = (step * a.1 * pitch, step * b.0 * LANES);
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut sums = [[[V::all(V::NOTHING); N]; C]; R];
            let mut left = self.a.wrapping_add(row * left_row + first * a.1 * pitch);
            let mut right = (self.b).wrapping_add(column * right_column + first * b.0 * LANES);
            for _ in (first..end).step_by(step) {
                let mut y = [[V::all(V::NOTHING); N]; C];
                for (j, y) in y.iter_mut().enumerate() {
                    for (i, y) in y.iter_mut().enumerate() {
                        *y = V::load(right.add(j * right_column + i * V::LANES));
                    }
                }
                for (r, row) in sums.iter_mut().enumerate() {
                    let from = left.add(r * left_row);
                    let mut x = [V::all(V::NOTHING); N];
                    for (i, x) in x.iter_mut().enumerate() {
                        *x = match SHARED {
                            true => V::all(*from),
                            false => V::load(from.add(i * V::LANES)),
                        };
                    }
                    for (sum, y) in row.iter_mut().zip(&y) {
                        for i in 0..N {
                            sum[i] = sum[i].add_product::<false>(x[i], y[i]);
                        }
                    }
                }
                left = left.wrapping_add(left_step);
                right = right.wrapping_add(right_step);
            }
            sums
        }
    }
}

/// Adds sums.
///
/// # Safety
/// The processor has the vectors.
#[inline(always)]
unsafe fn plus<V: Vector, const N: usize, const R: usize, const C: usize>(
    x: &Sums<V, N, R, C>,
    y: &Sums<V, N, R, C>,
) -> Sums<V, N, R, C> {
    let mut sums = *x;
    for r in 0..R {
        for j in 0..C {
            for i in 0..N {
                // SAFETY: guaranteed by the caller.
                sums[r][j][i] = unsafe { x[r][j][i].plus(y[r][j][i]) };
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree<T>(f: Products<T>, dtype: DType)
    where
        T: Copy + From<f32> + PartialEq + std::fmt::Debug,
        T: std::ops::Add<Output = T> + std::ops::Mul<Output = T>,
    {
        let number = |i: usize| T::from((i * 7919 % 1009) as f32 / 509.0 - 1.0);
        let shapes = [
            (1, 1),
            (8, 1),
            (13, 1),
            (1, 9),
            (4, 4),
            (9, 11),
            (5, 8),
            (3, 2),
        ];
        for (m, n) in shapes {
            for k in [1, 7, 63, 64, 65, 71, 200] {
                for (shared, turned) in (0..4).map(|i| (i % 2 == 0, i / 2 == 0)) {
                    let strides = |rows: usize, columns: usize| match turned {
                        true => (1, rows),
                        false => (columns + 1, 1),
                    };
                    let gemm = Gemm {
                        dtype,
                        m,
                        n,
                        k,
                        c: (1, m),
                        a: strides(m, k),
                        b: strides(k, n),
                    };
                    let p = LaneProduct { gemm, shared };
                    let pitch = if shared { 1 } else { LANES };
                    let a: Vec<T> = (0..m * (k + 1) * pitch).map(number).collect();
                    let b: Vec<T> = (0..k * (n + 1) * LANES).map(|i| number(i + 5)).collect();
                    let mut c = vec![T::from(-7.0); m * n * LANES];
                    // SAFETY: the code is for this machine, and the memory as the product says.
                    unsafe { f(&raw const p, c.as_mut_ptr(), a.as_ptr(), b.as_ptr()) };
                    for (at, got) in c.into_iter().enumerate() {
                        let (lane, i, j) = (at % LANES, at / LANES % m, at / LANES / m);
                        let term = |l: usize| {
                            let x = (i * gemm.a.0 + l * gemm.a.1) * pitch;
                            let y = (l * gemm.b.0 + j * gemm.b.1) * LANES + lane;
                            a[if shared { x } else { x + lane }] * b[y]
                        };
                        let want = match order::is_long(m, n, k) {
                            true => order::reduce(k, term, |x, y| x + y),
                            false => (0..k).map(term).reduce(|x, y| x + y),
                        };
                        assert_eq!(got, want.unwrap(), "({i}, {j}) of {p:?} in lane {lane}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_machine_adds_in_the_order_of_products() {
        for cpu in [Cpu::X86_64, Cpu::host()] {
            agree(f64_code(cpu), DType::F64);
            agree(f32_code(cpu), DType::F32);
        }
        #[cfg(target_arch = "x86_64")]
        if Cpu::host().has_avx2_fma() {
            agree(f64_by_avx2, DType::F64);
        }
    }

    #[test]
    fn long_sums_are_in_chunks() {
        let gemm = Gemm {
            dtype: DType::F64,
            m: 1,
            n: 1,
            k: 6 * CHUNK + 70,
            c: (1, 1),
            a: (0, 1),
            b: (1, 1),
        };
        let a: Vec<f64> = (0..gemm.k).map(|i| 1.0 / (i + 1) as f64).collect();
        let b = vec![1.0; gemm.k * LANES];
        let p = LaneProduct { gemm, shared: true };
        let mut c = [0.0; LANES];
        // SAFETY: the code is for this machine, and the memory as the product says.
        unsafe { f64_code(Cpu::host())(&raw const p, c.as_mut_ptr(), a.as_ptr(), b.as_ptr()) };
        let want = order::reduce(gemm.k, |i| a[i], |x, y| x + y).unwrap();
        assert_eq!(c, [want; LANES]);
    }
}
