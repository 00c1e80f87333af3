//! Matrix products, for generated code.

use super::frame::Frame;
use super::helpers::guard;

/// A matrix product, as a program says it.
pub(crate) struct GemmCall {
    /// `f64`, else `f32`.
    pub double: bool,
    /// Whether it may use several threads.
    pub threads: bool,
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

/// Products with fewer multiplications run on one thread.
const PARALLEL: usize = 64 * 64 * 64;

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
                product::<f64>(call, c.cast(), a.cast(), b.cast(), 1.0);
            } else {
                product::<f32>(call, c.cast(), a.cast(), b.cast(), 1.0);
            }
        }
        Ok(())
    })
}

/// # Safety
/// As for [`gemm()`].
unsafe fn product<T: Copy + Default + 'static>(
    call: &GemmCall,
    c: *mut T,
    a: *const T,
    b: *const T,
    one: T,
) {
    let GemmCall { m, n, k, .. } = *call;
    if m == 0 || n == 0 {
        return;
    }
    let threads = if call.threads && m.saturating_mul(n).saturating_mul(k) >= PARALLEL {
        gemm::Parallelism::Rayon(0)
    } else {
        gemm::Parallelism::None
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
            one,
            false,
            false,
            false,
            threads,
        );
    }
}
