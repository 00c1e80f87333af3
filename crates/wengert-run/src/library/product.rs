//! Matrix products, for generated code.

use wengert_loop::loops::kernel::Gemm;
use wengert_loop::order::{self, ALONE, LIBRARY, SHORT, SIDE};
use wengert_loop::types::DType;

use super::helpers::guard;
use super::share::share;
use super::tiles::Number;
use super::vectors::FewVectors;
use crate::call::frame::Frame;
use crate::cpu::Cpu;
use crate::sample;

/// Size from which a product of a matrix and a few vectors uses several threads: reading the matrix takes as long as
/// waking them.
const PARALLEL: usize = 1 << 17;

/// Parts for each thread, so that threads that are done early take over.
const EACH: usize = 2;

/// Rows of a part are a multiple of this number, so that lines of memory are not shared.
const ROWS: usize = 32;

/// A matrix product in a program.
pub struct GemmCall {
    /// Its shapes and strides.
    pub gemm: Gemm,
    /// Whether it may use several threads.
    pub threads: bool,
    /// The processor it runs on.
    pub cpu: Cpu,
}

/// Computes a matrix product.
///
/// # Safety
/// `frame` is the frame pointer of the calling code; `regions` points to the addresses of the product and its
/// factors, which have the shapes and strides that `call` says, and the product overlaps no factor.
pub unsafe extern "C" fn gemm(
    frame: *mut u8,
    call: *const GemmCall,
    regions: *const [*mut u8; 3],
) -> i32 {
    // SAFETY: guaranteed by the caller; a frame in use belongs to a call.
    let (run, call, [c, a, b]) = unsafe { (&*Frame::of(frame).run, &*call, *regions) };
    guard(run, || {
        // SAFETY: guaranteed by the caller.
        unsafe {
            match call.gemm.dtype {
                DType::F32 => product::<f32>(call, c.cast(), a.cast(), b.cast()),
                _ => product::<f64>(call, c.cast(), a.cast(), b.cast()),
            }
        }
        Ok(())
    })
}

/// Computes products of a matrix and a few vectors in the order of reductions, and small products in order, with the same
/// bits as loops; medium ones in order too, but fused; larger ones with the library.
///
/// # Safety
/// As for [`gemm()`].
unsafe fn product<T: Number>(call: &GemmCall, c: *mut T, a: *const T, b: *const T) {
    let Gemm { m, n, k, .. } = call.gemm;
    if m == 0 || n == 0 {
        return;
    }
    if order::is_long(m, n, k) || (1..SHORT).contains(&k) && m.min(n) < SIDE {
        let product = FewVectors::new(&call.gemm, c, a, b);
        // SAFETY: guaranteed by the caller.
        unsafe { few_vectors(call, &product) };
        return;
    }
    let size = m.saturating_mul(n).saturating_mul(k);
    if (1..=ALONE).contains(&size)
        && call.gemm.c.1 == 1
        && let Some(tiles) = T::tiles(call.cpu, size >= LIBRARY)
    {
        // SAFETY: guaranteed by the caller; nothing is empty, and columns are adjacent.
        unsafe { tiles(&call.gemm, c, a, b) };
        return;
    }
    let threads = match call.threads && size > ALONE {
        true => gemm::Parallelism::Rayon(0),
        false => gemm::Parallelism::None,
    };
    // SAFETY: guaranteed by the caller.
    sample::with_pool(|| unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            call.gemm.c.1 as isize,
            call.gemm.c.0 as isize,
            false,
            a,
            call.gemm.a.1 as isize,
            call.gemm.a.0 as isize,
            b,
            call.gemm.b.1 as isize,
            call.gemm.b.0 as isize,
            T::default(),
            T::ONE,
            false,
            false,
            false,
            threads,
        );
    });
}

/// Computes a product of a matrix and a few vectors.
///
/// # Safety
/// As for [`gemm()`].
unsafe fn few_vectors<T: Number>(call: &GemmCall, product: &FewVectors<T>) {
    let Gemm { m, n, k, .. } = call.gemm;
    let rows = product.rows();
    let code = T::vectors(call.cpu);
    if !call.threads || m.saturating_mul(n).saturating_mul(k) < PARALLEL {
        // SAFETY: guaranteed by the caller.
        unsafe { code(product, 0..rows) };
        return;
    }
    let part = rows.div_ceil(EACH * rayon::current_num_threads());
    let part = part.next_multiple_of(ROWS);
    share(rows.div_ceil(part), |i| {
        let first = i * part;
        // SAFETY: guaranteed by the caller; each part has rows of its own.
        unsafe { code(product, first..rows.min(first + part)) };
    });
}
