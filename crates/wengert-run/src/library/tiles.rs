//! Matrix products that fit a cache: the sums of a tile of the result are kept in registers, and the factors
//! are read in place.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::array::from_fn;
use std::mem::MaybeUninit;
use std::ops::{Add, Mul, Range};

use wengert_loop::loops::kernel::Gemm;

#[cfg(target_arch = "x86_64")]
use super::lines;
use super::vectors::{self, FewVectors, Vectors};
use crate::cpu::Cpu;

/// Number of adjacent vectors in a tile.
const SIDE: usize = 2;

/// Number of rows in the largest tile.
const MOST: usize = 8;

/// Number of elements in the longest vector.
pub(super) const LONGEST: usize = 16;

/// Number of rows of the right factor that are copied at a time, where its columns are not laid out as tiles
/// need them.
const DEPTH: usize = 64;

/// Code for products of matrices of `T`: see [`product`].
pub(super) type Tiles<T> = unsafe fn(&Gemm, *mut T, *const T, *const T);

/// An element type of matrix products.
pub(super) trait Number: Copy + Default + Sync + 'static {
    /// The number 1.
    const ONE: Self;

    /// Returns the code for a processor. Every sum is in order. With `fused` each multiply-add is rounded once,
    /// if the machine supports that; otherwise products are rounded first.
    fn tiles(cpu: Cpu, fused: bool) -> Option<Tiles<Self>>;

    /// Returns the code for products of a matrix and a few vectors.
    fn vectors(cpu: Cpu) -> Vectors<Self>;
}

impl Number for f64 {
    const ONE: f64 = 1.0;

    fn tiles(cpu: Cpu, fused: bool) -> Option<Tiles<f64>> {
        #[cfg(target_arch = "x86_64")]
        match (Machine::of(cpu), fused) {
            (Machine::Avx512, false) => return Some(by_avx512::<__m512d, false>),
            (Machine::Avx512, true) => return Some(by_avx512::<__m512d, true>),
            (Machine::Avx2, false) => return Some(by_avx2::<__m256d, false>),
            (Machine::Avx2, true) => return Some(by_avx2::<__m256d, true>),
            (Machine::Any, _) => {}
        }
        (!fused).then_some(product::<[f64; 4], 4, false>)
    }

    fn vectors(cpu: Cpu) -> Vectors<f64> {
        #[cfg(target_arch = "x86_64")]
        match Machine::of(cpu) {
            Machine::Avx512 => return lines::by_avx512,
            Machine::Avx2 => return vectors_by_avx2::<__m256d, __m256d, 2>,
            Machine::Any => {}
        }
        vectors::compute::<[f64; 4], [f64; 4], 2, 4>
    }
}

impl Number for f32 {
    const ONE: f32 = 1.0;

    fn tiles(cpu: Cpu, fused: bool) -> Option<Tiles<f32>> {
        #[cfg(target_arch = "x86_64")]
        match (Machine::of(cpu), fused) {
            (Machine::Avx512, false) => return Some(by_avx512::<__m512, false>),
            (Machine::Avx512, true) => return Some(by_avx512::<__m512, true>),
            (Machine::Avx2, false) => return Some(by_avx2::<__m256, false>),
            (Machine::Avx2, true) => return Some(by_avx2::<__m256, true>),
            (Machine::Any, _) => {}
        }
        (!fused).then_some(product::<[f32; 8], 4, false>)
    }

    fn vectors(cpu: Cpu) -> Vectors<f32> {
        #[cfg(target_arch = "x86_64")]
        match Machine::of(cpu) {
            Machine::Avx512 => return vectors_by_avx512::<__m256, __m512, 1>,
            Machine::Avx2 => return vectors_by_avx2::<__m256, __m256, 1>,
            Machine::Any => {}
        }
        vectors::compute::<[f32; 8], [f32; 8], 1, 4>
    }
}

/// The vectors that a processor has.
#[cfg(target_arch = "x86_64")]
pub(super) enum Machine {
    Avx512,
    Avx2,
    Any,
}

#[cfg(target_arch = "x86_64")]
impl Machine {
    pub(super) fn of(cpu: Cpu) -> Machine {
        if cpu.avx512f {
            Machine::Avx512
        } else if cpu.has_avx2_fma() {
            Machine::Avx2
        } else {
            Machine::Any
        }
    }
}

/// # Safety
/// As for [`product`]; the processor has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn by_avx512<V: Vector, const FUSED: bool>(
    call: &Gemm,
    c: *mut V::T,
    a: *const V::T,
    b: *const V::T,
) {
    // SAFETY: guaranteed by the caller. Sixteen vectors of sums take half of the registers.
    unsafe { product::<V, MOST, FUSED>(call, c, a, b) }
}

/// # Safety
/// As for [`product`]; the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn by_avx2<V: Vector, const FUSED: bool>(
    call: &Gemm,
    c: *mut V::T,
    a: *const V::T,
    b: *const V::T,
) {
    // SAFETY: guaranteed by the caller. Eight vectors of sums take half of the registers.
    unsafe { product::<V, 4, FUSED>(call, c, a, b) }
}

/// # Safety
/// As for [`vectors::compute`]; the processor has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) unsafe fn vectors_by_avx512<A: Vector, B: Vector<T = A::T>, const N: usize>(
    p: &FewVectors<A::T>,
    rows: Range<usize>,
) {
    // SAFETY: guaranteed by the caller.
    unsafe { vectors::compute::<A, B, N, 8>(p, rows) }
}

/// # Safety
/// As for [`vectors::compute`]; the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn vectors_by_avx2<A: Vector, B: Vector<T = A::T>, const N: usize>(
    p: &FewVectors<A::T>,
    rows: Range<usize>,
) {
    // SAFETY: guaranteed by the caller. Eight vectors of sums take half of the registers.
    unsafe { vectors::compute::<A, B, N, 4>(p, rows) }
}

/// A vector of numbers. Everything is inlined where the processor is known to support it.
pub(super) trait Vector: Copy {
    type T: Copy + Add<Output = Self::T> + Mul<Output = Self::T>;
    const LANES: usize;
    /// The start of a sum, chosen so that adding the first product returns it bit for bit.
    const NOTHING: Self::T;

    /// # Safety
    /// The processor has these vectors.
    unsafe fn all(x: Self::T) -> Self;

    /// # Safety
    /// The processor has these vectors; a full vector can be read at `at`.
    unsafe fn load(at: *const Self::T) -> Self;

    /// # Safety
    /// The processor has these vectors; a full vector can be written at `at`.
    unsafe fn store(self, at: *mut Self::T);

    /// Returns `self + x y`, with the product rounded unless `FUSED`.
    ///
    /// # Safety
    /// The processor has these vectors.
    unsafe fn add_product<const FUSED: bool>(self, x: Self, y: Self) -> Self;

    /// Returns `self + x`.
    ///
    /// # Safety
    /// The processor has these vectors.
    unsafe fn plus(self, x: Self) -> Self;
}

/// Implements [`Vector`] for vectors of a processor, one per line.
#[cfg(target_arch = "x86_64")]
macro_rules! vectors {
    ($( $v:ident: $lanes:literal $t:ident $all:ident $load:ident $store:ident $add:ident $mul:ident $fma:ident; )*) => {$(
        impl Vector for $v {
            type T = $t;
            const LANES: usize = $lanes;
            const NOTHING: $t = -0.0;

            #[inline(always)]
            unsafe fn all(x: $t) -> Self {
                // SAFETY: guaranteed by the caller.
                unsafe { $all(x) }
            }

            #[inline(always)]
            unsafe fn load(at: *const $t) -> Self {
                // SAFETY: guaranteed by the caller.
                unsafe { $load(at) }
            }

            #[inline(always)]
            unsafe fn store(self, at: *mut $t) {
                // SAFETY: guaranteed by the caller.
                unsafe { $store(at, self) }
            }

            #[inline(always)]
            unsafe fn add_product<const FUSED: bool>(self, x: Self, y: Self) -> Self {
                // SAFETY: guaranteed by the caller.
                unsafe {
                    match FUSED {
                        true => $fma(x, y, self),
                        false => $add(self, $mul(x, y)),
                    }
                }
            }

            #[inline(always)]
            unsafe fn plus(self, x: Self) -> Self {
                // SAFETY: guaranteed by the caller.
                unsafe { $add(self, x) }
            }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
vectors! {
    __m512d:  8 f64 _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_add_pd _mm512_mul_pd _mm512_fmadd_pd;
    __m512:  16 f32 _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_mul_ps _mm512_fmadd_ps;
    __m256d:  4 f64 _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_add_pd _mm256_mul_pd _mm256_fmadd_pd;
    __m256:   8 f32 _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_mul_ps _mm256_fmadd_ps;
}

/// Implements [`Vector`] for any machine, with arrays that the compiler vectorises.
macro_rules! arrays {
    ($( [$t:ident; $lanes:literal] )*) => {$(
        impl Vector for [$t; $lanes] {
            type T = $t;
            const LANES: usize = $lanes;
            const NOTHING: $t = -0.0;

            #[inline(always)]
            unsafe fn all(x: $t) -> Self {
                [x; $lanes]
            }

            #[inline(always)]
            unsafe fn load(at: *const $t) -> Self {
                // SAFETY: guaranteed by the caller.
                unsafe { at.cast::<Self>().read_unaligned() }
            }

            #[inline(always)]
            unsafe fn store(self, at: *mut $t) {
                // SAFETY: guaranteed by the caller.
                unsafe { at.cast::<Self>().write_unaligned(self) }
            }

            #[inline(always)]
            unsafe fn add_product<const FUSED: bool>(self, x: Self, y: Self) -> Self {
                from_fn(|i| self[i] + x[i] * y[i])
            }

            #[inline(always)]
            unsafe fn plus(self, x: Self) -> Self {
                from_fn(|i| self[i] + x[i])
            }
        }
    )*};
}

arrays! { [f64; 4] [f32; 8] }

/// Computes a matrix product in tiles of `ROWS` rows. It has at least one row, column and term, and its columns
/// are adjacent.
///
/// # Safety
/// The processor has the vectors; the matrices have the shapes and strides that `call` says, and
/// the product overlaps no factor.
#[inline(always)]
unsafe fn product<V: Vector, const ROWS: usize, const FUSED: bool>(
    call: &Gemm,
    c: *mut V::T,
    a: *const V::T,
    b: *const V::T,
) {
    let Gemm { m, n, k, .. } = *call;
    let mut copied = [const { MaybeUninit::<V::T>::uninit() }; DEPTH * LONGEST * SIDE];
    let mut aside = [V::NOTHING; MOST * LONGEST];
    let mut column = 0;
    while column < n {
        let left = n - column;
        let vectors = if left >= SIDE * V::LANES { SIDE } else { 1 };
        let width = left.min(vectors * V::LANES);
        let whole = width == vectors * V::LANES;
        let as_it_is = call.b.1 == 1 && whole;
        let depth = if as_it_is { k } else { DEPTH };
        for first in (0..k).step_by(depth) {
            let terms = depth.min(k - first);
            // SAFETY: an element of the matrix.
            let from = unsafe { b.add(first * call.b.0 + column * call.b.1) };
            let (right, right_row) = match as_it_is {
                true => (from, call.b.0),
                false => {
                    let to = copied.as_mut_ptr().cast();
                    // SAFETY: the rows and columns exist, and the copy has room for them.
                    unsafe { copy::<V>(to, vectors, from, call.b, (terms, width)) };
                    (to.cast_const(), vectors * V::LANES)
                }
            };
            let mut row = 0;
            while row < m {
                let rows = match m - row {
                    left if left >= ROWS => ROWS,
                    left if left >= 4 => 4,
                    _ => 1,
                };
                // SAFETY: the rows, columns and terms exist; partial tiles are built in `aside`, which has room
                // for the largest tile that is one vector wide.
                unsafe {
                    let to = c.add(row * call.c.0 + column);
                    let (sums, sums_row) = match whole {
                        true => (to, call.c.0),
                        false => (aside.as_mut_ptr(), V::LANES),
                    };
                    if !whole && first > 0 {
                        for r in 0..rows {
                            let from = to.add(r * call.c.0).cast_const();
                            sums.add(r * sums_row).copy_from_nonoverlapping(from, width);
                        }
                    }
                    let tile = Tile {
                        sums,
                        sums_row,
                        goes_on: first > 0,
                        left: a.add(row * call.a.0 + first * call.a.1),
                        left_strides: call.a,
                        right,
                        right_row,
                        terms,
                    };
                    match (rows, vectors) {
                        (1, 1) => tile.fill::<V, 1, 1, FUSED>(),
                        (1, _) => tile.fill::<V, 1, SIDE, FUSED>(),
                        (4, 1) => tile.fill::<V, 4, 1, FUSED>(),
                        (4, _) => tile.fill::<V, 4, SIDE, FUSED>(),
                        (_, 1) => tile.fill::<V, ROWS, 1, FUSED>(),
                        (_, _) => tile.fill::<V, ROWS, SIDE, FUSED>(),
                    }
                    if !whole {
                        for r in 0..rows {
                            let from = sums.add(r * sums_row).cast_const();
                            to.add(r * call.c.0).copy_from_nonoverlapping(from, width);
                        }
                    }
                }
                row += rows;
            }
        }
        column += width;
    }
}

/// Copies rows of the right factor to adjacent rows, padded to whole vectors with arbitrary numbers.
///
/// # Safety
/// The terms and columns exist, at least one of each, and there is room for as many rows of vectors.
#[inline(always)]
unsafe fn copy<V: Vector>(
    to: *mut V::T,
    vectors: usize,
    from: *const V::T,
    strides: (usize, usize),
    (terms, width): (usize, usize),
) {
    for l in 0..terms {
        for j in 0..vectors * V::LANES {
            // SAFETY: guaranteed by the caller.
            unsafe {
                let x = *from.add(l * strides.0 + j.min(width - 1) * strides.1);
                to.add(l * vectors * V::LANES + j).write(x);
            }
        }
    }
}

/// A tile of the product and its operands.
struct Tile<T> {
    sums: *mut T,
    sums_row: usize,
    /// Whether the sums continue from the contents of the tile.
    goes_on: bool,
    left: *const T,
    left_strides: (usize, usize),
    right: *const T,
    right_row: usize,
    /// Number of terms in each sum.
    terms: usize,
}

impl<T: Copy> Tile<T> {
    /// Computes the sums.
    ///
    /// # Safety
    /// The processor has the vectors. The pointers cover these rows, terms and vectors, and the tile overlaps
    /// no factor.
    #[inline(always)]
    unsafe fn fill<V: Vector<T = T>, const ROWS: usize, const SIDE: usize, const FUSED: bool>(
        &self,
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut sums = [[V::all(V::NOTHING); SIDE]; ROWS];
            if self.goes_on {
                for (r, row) in sums.iter_mut().enumerate() {
                    for (j, sum) in row.iter_mut().enumerate() {
                        *sum = V::load(self.sums.add(r * self.sums_row + j * V::LANES));
                    }
                }
            }
            let (mut left, mut right) = (self.left, self.right);
            for _ in 0..self.terms {
                let mut y = [V::all(V::NOTHING); SIDE];
                for (j, y) in y.iter_mut().enumerate() {
                    *y = V::load(right.add(j * V::LANES));
                }
                for (r, row) in sums.iter_mut().enumerate() {
                    let x = V::all(*left.add(r * self.left_strides.0));
                    for (sum, y) in row.iter_mut().zip(y) {
                        *sum = sum.add_product::<FUSED>(x, y);
                    }
                }
                left = left.wrapping_add(self.left_strides.1);
                right = right.wrapping_add(self.right_row);
            }
            for (r, row) in sums.iter().enumerate() {
                for (j, sum) in row.iter().enumerate() {
                    sum.store(self.sums.add(r * self.sums_row + j * V::LANES));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wengert_loop::types::DType;

    use super::*;

    /// A matrix of irregular numbers, with its strides: row-major or column-major, with a gap.
    struct Matrix<T> {
        elements: Vec<T>,
        strides: (usize, usize),
    }

    impl<T: From<f32>> Matrix<T> {
        fn new(rows: usize, columns: usize, by_columns: bool) -> Matrix<T> {
            let strides = match by_columns {
                true => (1, rows + 1),
                false => (columns + 1, 1),
            };
            let number = |i: usize| (i * 7919 % 1009) as f32 / 509.0 - 1.0;
            let elements = (0..(rows + 1) * (columns + 1)).map(|i| number(i).into());
            Matrix {
                elements: elements.collect(),
                strides,
            }
        }
    }

    fn sums_in_order<T>(tiles: Tiles<T>, nothing: T, add_product: impl Fn(T, T, T) -> T)
    where
        T: Copy + From<f32> + PartialEq + std::fmt::Debug,
    {
        let shapes = [1, 3, 4, 7, 8, 13, 16, 33].map(|m| [1, 8, 15, 16, 31, 33].map(|n| (m, n)));
        for (m, n) in shapes.into_iter().flatten() {
            for (k, left, right) in [(1, false, true), (9, true, false), (70, false, true)] {
                for right in [right, false] {
                    let (a, b) = (Matrix::new(m, k, left), Matrix::new(k, n, right));
                    let untouched = T::from(-7.0);
                    let mut c = vec![untouched; m * (n + 2)];
                    let call = Gemm {
                        dtype: if size_of::<T>() == 8 {
                            DType::F64
                        } else {
                            DType::F32
                        },
                        m,
                        n,
                        k,
                        c: (n + 2, 1),
                        a: a.strides,
                        b: b.strides,
                    };
                    // SAFETY: the code is for this machine; the matrices are as the call says.
                    unsafe {
                        tiles(
                            &call,
                            c.as_mut_ptr(),
                            a.elements.as_ptr(),
                            b.elements.as_ptr(),
                        )
                    };
                    for (at, got) in c.into_iter().enumerate() {
                        let (i, j) = (at / (n + 2), at % (n + 2));
                        let want = match j < n {
                            true => (0..k).fold(nothing, |sum, l| {
                                let x = a.elements[i * a.strides.0 + l * a.strides.1];
                                let y = b.elements[l * b.strides.0 + j * b.strides.1];
                                add_product(x, y, sum)
                            }),
                            false => untouched,
                        };
                        assert_eq!(got, want, "({i}, {j}) of {m}x{k} and {k}x{n}");
                    }
                }
            }
        }
    }

    #[test]
    fn sums_go_in_order_on_any_machine() {
        sums_in_order(product::<[f64; 4], 4, false>, -0.0, |x, y, sum| sum + x * y);
        sums_in_order(product::<[f32; 8], 4, false>, -0.0, |x, y, sum| sum + x * y);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn sums_go_in_order_in_vectors() {
        if Cpu::host().avx512f {
            sums_in_order(by_avx512::<__m512d, false>, -0.0, |x, y, sum| sum + x * y);
            sums_in_order(by_avx512::<__m512, false>, -0.0, |x, y, sum| sum + x * y);
            sums_in_order(by_avx512::<__m512d, true>, -0.0, f64::mul_add);
            sums_in_order(by_avx512::<__m512, true>, -0.0, f32::mul_add);
        }
        if Cpu::host().has_avx2_fma() {
            sums_in_order(by_avx2::<__m256d, false>, -0.0, |x, y, sum| sum + x * y);
            sums_in_order(by_avx2::<__m256, false>, -0.0, |x, y, sum| sum + x * y);
            sums_in_order(by_avx2::<__m256d, true>, -0.0, f64::mul_add);
            sums_in_order(by_avx2::<__m256, true>, -0.0, f32::mul_add);
        }
    }
}
