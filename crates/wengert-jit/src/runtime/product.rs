//! Matrix products, for generated code.

use wengert_loop::order::{ALONE, LIBRARY};

use super::frame::Frame;
use super::helpers::guard;
use super::tiles::Number;
use crate::cpu::Cpu;

/// A matrix product, as a program says it.
pub(crate) struct GemmCall {
    /// `f64`, else `f32`.
    pub double: bool,
    /// Whether it may use several threads.
    pub threads: bool,
    /// The processor that it is for.
    pub cpu: Cpu,
    /// Rows of the product.
    pub m: usize,
    /// Columns of the product.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
    /// Row and column stride of the product.
    pub c: (usize, usize),
    /// Row and column stride of the left factor.
    pub a: (usize, usize),
    /// Row and column stride of the right factor.
    pub b: (usize, usize),
}

/// A matrix product.
///
/// # Safety
/// `frame` is the frame pointer that the calling code runs on; the matrices have the shapes and
/// strides that `call` says, and the product overlaps no factor.
pub(crate) unsafe extern "C" fn gemm(
    frame: *mut u8,
    c: *mut u8,
    a: *const u8,
    b: *const u8,
    call: *const GemmCall,
) -> i32 {
    // SAFETY: by the caller; a frame in use serves a call.
    let (run, call) = unsafe { (&*Frame::of(frame).run, &*call) };
    guard(run, || {
        // SAFETY: by the caller.
        unsafe {
            if call.double {
                product::<f64>(call, c.cast(), a.cast(), b.cast());
            } else {
                product::<f32>(call, c.cast(), a.cast(), b.cast());
            }
        }
        Ok(())
    })
}

/// Small products go in order, as loops do them, to the same bits; those in between too, but fused; the
/// rest is the library's.
///
/// # Safety
/// As for [`gemm()`].
unsafe fn product<T: Number>(call: &GemmCall, c: *mut T, a: *const T, b: *const T) {
    let GemmCall { m, n, k, .. } = *call;
    if m == 0 || n == 0 {
        return;
    }
    let size = m.saturating_mul(n).saturating_mul(k);
    if (1..=ALONE).contains(&size)
        && call.c.1 == 1
        && let Some(tiles) = T::tiles(call.cpu, size >= LIBRARY)
    {
        // SAFETY: by the caller; nothing is empty, and columns lie side by side.
        unsafe { tiles(call, c, a, b) };
        return;
    }
    let threads = match call.threads && size > ALONE {
        true => gemm::Parallelism::Rayon(0),
        false => gemm::Parallelism::None,
    };
    // SAFETY: by the caller.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            call.c.1 as isize,
            call.c.0 as isize,
            false,
            a,
            call.a.1 as isize,
            call.a.0 as isize,
            b,
            call.b.1 as isize,
            call.b.0 as isize,
            T::default(),
            T::ONE,
            false,
            false,
            false,
            threads,
        );
    }
}
