//! Products of a matrix and a few vectors. Their sums are in the order of reductions, and the matrix is read once, in
//! the order in which it lies in memory.

use std::mem::MaybeUninit;
use std::ops::Range;

use wengert_loop::loops::kernel::Gemm;
use wengert_loop::order::{self, CHUNK, PARTIALS, SHORT};

use super::tiles::{LONGEST, Vector};

/// Bytes of one partial sum of each of the sums that are computed side by side: all eight fit a near cache, and rows of
/// this length are read at the speed of memory.
const WIDTH: usize = 8192;

/// Sums of a subtree of chunks that are kept at a time.
const ROOM: usize = 128;

/// Subtrees of a sum whose terms have an address each, and one more.
const SUBTREES: usize = (usize::BITS - CHUNK.ilog2() + 1) as usize;

/// A matrix, a few vectors, and the sums of their products: `sums[i, v]` is the sum over `k` of
/// `matrix[i, k] * vectors[v, k]`.
pub(super) struct FewVectors<T> {
    rows: usize,
    pub(super) terms: usize,
    pub(super) vectors: usize,
    pub(super) matrix: *const T,
    pub(super) matrix_strides: (usize, usize),
    pub(super) vector: *const T,
    pub(super) vector_strides: (usize, usize),
    pub(super) sums: *mut T,
    pub(super) sums_strides: (usize, usize),
}

// SAFETY: whoever gives parts of it to several threads lets each write other rows, and the factors are only read.
unsafe impl<T: Sync> Sync for FewVectors<T> {}

/// Code for some of the rows: see [`compute`].
pub(super) type Vectors<T> = unsafe fn(&FewVectors<T>, Range<usize>);

impl<T: Copy> FewVectors<T> {
    /// The product `c = a b`, of which one factor has few rows or columns.
    pub fn new(call: &Gemm, c: *mut T, a: *const T, b: *const T) -> FewVectors<T> {
        let Gemm { m, n, k, .. } = *call;
        let of = |rows, vectors, matrix, vector| FewVectors {
            rows,
            terms: k,
            vectors,
            matrix,
            matrix_strides: call.a,
            vector,
            vector_strides: (call.b.1, call.b.0),
            sums: c,
            sums_strides: call.c,
        };
        if m >= n {
            return of(m, n, a, b);
        }
        FewVectors {
            matrix_strides: (call.b.1, call.b.0),
            vector_strides: call.a,
            sums_strides: (call.c.1, call.c.0),
            ..of(n, m, b, a)
        }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the terms of a sum are adjacent.
    pub(super) fn lies_along(&self) -> bool {
        self.matrix_strides.1 == 1 && self.vector_strides.1 == 1
    }
}

/// Adds to each of `n` sums the one that is `n` places behind it.
///
/// # Safety
/// There are `2 n` sums.
#[inline(always)]
unsafe fn join_rows<T: Copy + std::ops::Add<Output = T>>(sums: *mut T, n: usize) {
    for i in 0..n {
        // SAFETY: guaranteed by the caller.
        unsafe { *sums.add(i) = *sums.add(i) + *sums.add(n + i) };
    }
}

/// Rows that are computed side by side, if those are adjacent: the fewer the more vectors there are.
fn width<T>(vectors: usize) -> usize {
    let each = WIDTH / size_of::<T>() / vectors.max(1);
    (each / 16 * 16).max(16)
}

/// Computes the sums of some rows. `A` is for sums whose terms are adjacent, as `N` vectors of partial sums, `ROWS` sums
/// at a time, and `B` for sums that are adjacent.
///
/// # Safety
/// The processor has the vectors. The matrix, the vectors and the sums have these shapes and strides, the sums overlap
/// nothing, and nobody else writes those of these rows.
#[inline(always)]
pub(super) unsafe fn compute<A, B, const N: usize, const ROWS: usize>(
    p: &FewVectors<A::T>,
    rows: Range<usize>,
) where
    A: Vector,
    B: Vector<T = A::T>,
{
    const { assert!(N * A::LANES == PARTIALS) };
    // SAFETY: guaranteed by the caller.
    unsafe {
        if (1..SHORT).contains(&p.terms) && p.lies_along() {
            p.short::<B>(rows);
        } else if p.terms < SHORT || !(p.lies_along() || p.matrix_strides.0 == 1) {
            p.one_by_one(rows, A::NOTHING);
        } else {
            p.by_chunks::<A, B, N, ROWS>(rows);
        }
    }
}

impl<T> FewVectors<T>
where
    T: Copy + std::ops::Add<Output = T> + std::ops::Mul<Output = T>,
{
    /// # Safety
    /// As for [`compute`].
    unsafe fn one_by_one(&self, rows: Range<usize>, nothing: T) {
        for row in rows {
            for v in 0..self.vectors {
                let term = |k: usize| {
                    // SAFETY: guaranteed by the caller.
                    unsafe { self.element(row, k) * self.factor(v, k) }
                };
                let sum = order::reduce(self.terms, term, |x, y| x + y);
                // SAFETY: guaranteed by the caller.
                unsafe { self.set(row, v, sum.unwrap_or(nothing)) };
            }
        }
    }

    /// Computes the sums chunk by chunk, and joins those of the chunks in a tree.
    ///
    /// # Safety
    /// As for [`compute`]; terms or rows are adjacent.
    #[inline(always)]
    unsafe fn by_chunks<A, B, const N: usize, const ROWS: usize>(&self, rows: Range<usize>)
    where
        A: Vector<T = T>,
        B: Vector<T = T>,
    {
        let long = self.terms > CHUNK;
        // The sums of the subtrees of some rows, of which the tree has at most one for each bit of a length.
        let mut room = [const { MaybeUninit::<u64>::uninit() }; ROOM * SUBTREES];
        let room: *mut T = room.as_mut_ptr().cast();
        let some = match long {
            true => (ROOM / self.vectors).max(1),
            false => rows.len().max(1),
        };
        for row in rows.clone().step_by(some) {
            let len = some.min(rows.end - row);
            let each = len * self.vectors;
            let mut subtrees = 0;
            for first in (0..self.terms).step_by(CHUNK) {
                // SAFETY: guaranteed by the caller; the rows and terms exist, and there is room for the sums.
                unsafe {
                    let part = FewVectors {
                        rows: len,
                        terms: CHUNK.min(self.terms - first),
                        matrix: self
                            .matrix
                            .add(row * self.matrix_strides.0 + first * self.matrix_strides.1),
                        vector: self.vector.add(first * self.vector_strides.1),
                        sums: match long {
                            true => room.add(subtrees * each),
                            false => self.sums.add(row * self.sums_strides.0),
                        },
                        sums_strides: match long {
                            true => (1, len),
                            false => self.sums_strides,
                        },
                        ..*self
                    };
                    match self.lies_along() {
                        true => part.along::<A, N, ROWS>(0..len),
                        false => part.across::<B>(0..len),
                    }
                    subtrees += 1;
                    for _ in 0..(first / CHUNK).trailing_ones() {
                        subtrees -= 1;
                        join_rows(room.add((subtrees - 1) * each), each);
                    }
                }
            }
            // SAFETY: guaranteed by the caller; the sums have been computed.
            unsafe {
                while subtrees > 1 {
                    subtrees -= 1;
                    join_rows(room.add((subtrees - 1) * each), each);
                }
                for at in 0..if long { each } else { 0 } {
                    self.set(row + at % len, at / len, *room.add(at));
                }
            }
        }
    }

    /// # Safety
    /// The element exists.
    #[inline(always)]
    unsafe fn element(&self, row: usize, k: usize) -> T {
        let (by_row, by_term) = self.matrix_strides;
        // SAFETY: guaranteed by the caller.
        unsafe { *self.matrix.add(row * by_row + k * by_term) }
    }

    /// # Safety
    /// The element exists.
    #[inline(always)]
    unsafe fn factor(&self, v: usize, k: usize) -> T {
        let (by_vector, by_term) = self.vector_strides;
        // SAFETY: guaranteed by the caller.
        unsafe { *self.vector.add(v * by_vector + k * by_term) }
    }

    /// # Safety
    /// The sum exists, and nobody else writes it.
    #[inline(always)]
    unsafe fn set(&self, row: usize, v: usize, sum: T) {
        let (by_row, by_vector) = self.sums_strides;
        // SAFETY: guaranteed by the caller.
        unsafe { *self.sums.add(row * by_row + v * by_vector) = sum }
    }

    /// Computes short sums, which are in order: rows side by side.
    ///
    /// # Safety
    /// As for [`compute`]; there are fewer terms than a long sum has.
    #[inline(always)]
    unsafe fn short<B: Vector<T = T>>(&self, rows: Range<usize>) {
        let whole = rows.start + rows.len() / B::LANES * B::LANES;
        // SAFETY: guaranteed by the caller; the rows exist, and `column` has room for the longest vector.
        unsafe {
            for row in (rows.start..whole).step_by(B::LANES) {
                for v in 0..self.vectors {
                    let mut column = [B::NOTHING; LONGEST];
                    let mut sums = B::all(B::NOTHING);
                    for k in 0..self.terms {
                        for (r, x) in column[..B::LANES].iter_mut().enumerate() {
                            *x = self.element(row + r, k);
                        }
                        let x = B::load(column.as_ptr());
                        sums = sums.add_product::<false>(x, B::all(self.factor(v, k)));
                    }
                    sums.store(column.as_mut_ptr());
                    for (r, &sum) in column[..B::LANES].iter().enumerate() {
                        self.set(row + r, v, sum);
                    }
                }
            }
            self.one_by_one(whole..rows.end, B::NOTHING);
        }
    }

    /// # Safety
    /// As for [`compute`]; terms are adjacent.
    #[inline(always)]
    unsafe fn along<A: Vector<T = T>, const N: usize, const ROWS: usize>(
        &self,
        rows: Range<usize>,
    ) {
        let mut row = rows.start;
        while row < rows.end {
            let some = match rows.end - row {
                left if left >= ROWS => ROWS,
                left if left >= 4 => 4,
                _ => 1,
            };
            for v in 0..self.vectors {
                // SAFETY: guaranteed by the caller; the rows exist.
                unsafe {
                    match some {
                        1 => self.few_rows::<A, N, 1>(row, v),
                        4 => self.few_rows::<A, N, 4>(row, v),
                        _ => self.few_rows::<A, N, ROWS>(row, v),
                    }
                }
            }
            row += some;
        }
    }

    /// # Safety
    /// As for [`FewVectors::along`]; the rows exist.
    #[inline(always)]
    unsafe fn few_rows<A: Vector<T = T>, const N: usize, const ROWS: usize>(
        &self,
        row: usize,
        v: usize,
    ) {
        let by_row = self.matrix_strides.0;
        let whole = self.terms / PARTIALS * PARTIALS;
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut sums = [[A::all(A::NOTHING); N]; ROWS];
            let mut left = self.matrix.add(row * by_row);
            let mut right = self.vector.add(v * self.vector_strides.0);
            let end = right.add(whole);
            while right < end {
                let mut y = [A::all(A::NOTHING); N];
                for (j, y) in y.iter_mut().enumerate() {
                    *y = A::load(right.add(j * A::LANES));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    for (j, sum) in sums.iter_mut().enumerate() {
                        let x = A::load(left.wrapping_add(r * by_row + j * A::LANES));
                        *sum = sum.add_product::<false>(x, y[j]);
                    }
                }
                left = left.wrapping_add(PARTIALS);
                right = right.add(PARTIALS);
            }
            for (r, sums) in sums.iter().enumerate() {
                let mut partials = [A::NOTHING; PARTIALS];
                for (j, sum) in sums.iter().enumerate() {
                    sum.store(partials.as_mut_ptr().add(j * A::LANES));
                }
                let rest = left.wrapping_add(r * by_row);
                for (j, partial) in partials.iter_mut().enumerate() {
                    if whole + j < self.terms {
                        *partial = *partial + *rest.add(j) * *right.add(j);
                    }
                }
                self.set(row + r, v, order::join(partials, &mut |x, y| x + y));
            }
        }
    }

    /// # Safety
    /// As for [`compute`]; rows are adjacent.
    #[inline(always)]
    unsafe fn across<B: Vector<T = T>>(&self, rows: Range<usize>) {
        let mut partials = [const { MaybeUninit::<u64>::uninit() }; PARTIALS * WIDTH / 8];
        let partials: *mut T = partials.as_mut_ptr().cast();
        let width = width::<T>(self.vectors);
        for row in rows.clone().step_by(width) {
            let len = width.min(rows.end - row);
            let place = |v: usize, j: usize| partials.wrapping_add((v * PARTIALS + j) * width);
            // SAFETY: guaranteed by the caller; there is room for as many partial sums as there are few vectors.
            unsafe {
                for v in 0..self.vectors {
                    for j in 0..PARTIALS {
                        let to = place(v, j);
                        (0..len).for_each(|r| to.add(r).write(B::NOTHING));
                    }
                }
                // Several terms at a time, since each time the partial sums are read and written.
                let partial = (partials, width);
                let done = self.add_blocks::<B, 8>(partial, (row, len), 0);
                let done = self.add_blocks::<B, 2>(partial, (row, len), done);
                for k in done..self.terms {
                    for v in 0..self.vectors {
                        let to = place(v, k % PARTIALS);
                        self.add_terms::<B, 1>(to, (row, len), (v, k));
                    }
                }
                for v in 0..self.vectors {
                    for r in 0..len {
                        let each = std::array::from_fn(|j| *place(v, j).add(r));
                        self.set(row + r, v, order::join(each, &mut |x, y| x + y));
                    }
                }
            }
        }
    }

    /// Adds terms to all partial sums, `TERMS` to each at a time, from term `first` on for as long as there are enough, and
    /// returns how many terms have been added.
    ///
    /// # Safety
    /// As for [`FewVectors::across`]; the rows exist, and their partial sums are there.
    #[inline(always)]
    unsafe fn add_blocks<B: Vector<T = T>, const TERMS: usize>(
        &self,
        (partials, width): (*mut T, usize),
        rows: (usize, usize),
        first: usize,
    ) -> usize {
        let blocks = (self.terms - first) / (PARTIALS * TERMS);
        for block in 0..blocks {
            for v in 0..self.vectors {
                for j in 0..PARTIALS {
                    let to = partials.wrapping_add((v * PARTIALS + j) * width);
                    let term = first + block * PARTIALS * TERMS + j;
                    // SAFETY: guaranteed by the caller; the terms exist.
                    unsafe { self.add_terms::<B, TERMS>(to, rows, (v, term)) };
                }
            }
        }
        first + blocks * PARTIALS * TERMS
    }

    /// Adds terms `k`, `k + 8`, .. of adjacent sums to what is at `to`.
    ///
    /// # Safety
    /// As for [`FewVectors::across`]; the rows and terms exist, and their partial sums are at `to`.
    #[inline(always)]
    unsafe fn add_terms<B: Vector<T = T>, const TERMS: usize>(
        &self,
        to: *mut T,
        (row, len): (usize, usize),
        (v, k): (usize, usize),
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut ys = [B::NOTHING; TERMS];
            for (t, y) in ys.iter_mut().enumerate() {
                *y = self.factor(v, k + t * PARTIALS);
            }
            let mut y = [B::all(B::NOTHING); TERMS];
            for (y, &one) in y.iter_mut().zip(&ys) {
                *y = B::all(one);
            }
            let from = self.matrix.add(row + k * self.matrix_strides.1);
            let apart = PARTIALS * self.matrix_strides.1;
            let whole = len / B::LANES * B::LANES;
            let mut r = 0;
            while r < whole {
                let mut sum = B::load(to.add(r));
                for (t, &y) in y.iter().enumerate() {
                    sum = sum.add_product::<false>(B::load(from.add(t * apart + r)), y);
                }
                sum.store(to.add(r));
                r += B::LANES;
            }
            for r in whole..len {
                let mut sum = *to.add(r);
                for (t, &y) in ys.iter().enumerate() {
                    sum = sum + *from.add(t * apart + r) * y;
                }
                *to.add(r) = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wengert_loop::types::DType;

    use super::*;
    use crate::cpu::Cpu;
    use crate::library::tiles::Number;

    fn agree<T>(cpu: Cpu)
    where
        T: Number + From<f32> + PartialEq + std::fmt::Debug,
        T: std::ops::Add<Output = T> + std::ops::Mul<Output = T>,
    {
        let number = |i: usize| T::from((i * 7919 % 1009) as f32 / 509.0 - 1.0);
        let dtype = match size_of::<T>() {
            8 => DType::F64,
            _ => DType::F32,
        };
        let shapes = [
            (1, 1),
            (8, 1),
            (1, 13),
            (600, 1),
            (1, 1100),
            (30, 7),
            (3, 40),
        ];
        for (m, n) in shapes {
            let long = [CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 70];
            let long = long.into_iter().filter(|_| m * n <= 120);
            for k in [1, 7, 8, 32, 63, 64, 65, 71, 96, 200]
                .into_iter()
                .chain(long)
            {
                // Both layouts of each factor, and one with gaps.
                for (left, right) in (0..9).map(|i| (i % 3, i / 3)) {
                    let strides = |rows: usize, columns: usize, how: usize| match how {
                        0 => (columns + 1, 1),
                        1 => (1, rows + 1),
                        // Rows that begin at the same places of cache lines.
                        _ if columns.is_multiple_of(8) => (columns + 8, 1),
                        _ => (2 * columns, 2),
                    };
                    let (sa, sb) = (strides(m, k, left), strides(k, n, right));
                    let a: Vec<T> = (0..2 * (m + 1) * (k + 1)).map(number).collect();
                    let b: Vec<T> = (0..2 * (k + 1) * (n + 1)).map(number).collect();
                    let mut c = vec![T::from(-7.0); m * (n + 2)];
                    let call = Gemm {
                        dtype,
                        m,
                        n,
                        k,
                        c: (n + 2, 1),
                        a: sa,
                        b: sb,
                    };
                    let p = FewVectors::new(&call, c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
                    let middle = p.rows() / 3;
                    // SAFETY: the code is for this machine; the matrices are as the call says.
                    unsafe {
                        T::vectors(cpu)(&p, 0..middle);
                        T::vectors(cpu)(&p, middle..p.rows());
                    }
                    for (at, got) in c.into_iter().enumerate() {
                        let (i, j) = (at / (n + 2), at % (n + 2));
                        let term = |l: usize| a[i * sa.0 + l * sa.1] * b[l * sb.0 + j * sb.1];
                        let want = match j < n {
                            true => order::reduce(k, term, |x, y| x + y).unwrap(),
                            false => T::from(-7.0),
                        };
                        assert_eq!(got, want, "({i}, {j}) of {m}x{k} and {k}x{n}");
                    }
                }
            }
        }
    }

    #[test]
    fn sums_are_in_the_order_of_reductions() {
        for cpu in [Cpu::X86_64, Cpu::host()] {
            agree::<f64>(cpu);
            agree::<f32>(cpu);
        }
    }
}
