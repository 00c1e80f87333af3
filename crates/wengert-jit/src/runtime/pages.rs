//! Large pieces of memory in large pages.
//!
//! The system hands out memory a page at a time, when it is first touched, and that takes longer than most
//! programs take to fill the page. It does so in much larger pieces where it is told that they are wanted.

/// Bytes of a large page.
const LARGE: usize = 1 << 21;

/// Asks for large pages under a piece of memory, as far as it spans whole ones. Nothing else changes, and
/// where there are none, nothing at all.
pub(crate) fn prefer_large(memory: *mut u8, bytes: usize) {
    if bytes < 2 * LARGE {
        return;
    }
    let skipped = memory.align_offset(LARGE);
    let whole = bytes.saturating_sub(skipped) / LARGE * LARGE;
    system::advise(memory.wrapping_add(skipped), whole);
}

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::{c_int, c_void};

    /// `MADV_HUGEPAGE` of the kernel's `mman-common.h`.
    const LARGE_PAGES: c_int = 14;

    unsafe extern "C" {
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }

    pub(super) fn advise(start: *mut u8, bytes: usize) {
        // SAFETY: advice of this kind leaves what is in the memory, and who may use it, as it is; the
        // system itself refuses a range that is not ours. It need not be taken: the status is of no interest.
        unsafe { madvise(start.cast(), bytes, LARGE_PAGES) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn advise(_: *mut u8, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever lies in the memory is still there, and small or odd pieces are passed over.
    #[test]
    fn contents_stay() {
        let mut data: Vec<u8> = (0..5 * LARGE + 123).map(|i| (i % 251) as u8).collect();
        for (from, len) in [(0, 3), (1, 2 * LARGE), (7, 5 * LARGE), (0, 5 * LARGE + 123)] {
            prefer_large(data[from..].as_mut_ptr(), len);
        }
        assert!(data.iter().enumerate().all(|(i, x)| *x == (i % 251) as u8));
    }
}
