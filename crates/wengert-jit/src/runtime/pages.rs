//! Large memory in large pages: touching it for the first time then costs a fraction.

use wengert_ir::buffer::Data;
use wengert_ir::ir::types::DType;

/// From how many bytes on large pages are asked for: a few of the largest common size.
const LARGE: usize = 4 << 20;

/// Memory for `len` elements that are going to be overwritten.
pub fn memory_for(dtype: DType, len: usize) -> Data {
    let mut data = Data::zeros(dtype, len);
    advise(data.as_mut_ptr(), len * dtype.bytes());
    data
}

/// Asks the system to back this memory with large pages, where it has such. Nothing but speed comes of
/// it.
#[cfg(target_os = "linux")]
pub(super) fn advise(memory: *mut u8, bytes: usize) {
    /// The smallest page of all machines this runs on is no larger.
    const PAGE: usize = 64 << 10;
    if bytes < LARGE {
        return;
    }
    let inside = memory.align_offset(PAGE);
    let len = (bytes - inside) & !(PAGE - 1);
    // SAFETY: whole pages within memory that is the caller's; the advice changes no contents.
    unsafe {
        libc::madvise(memory.add(inside).cast(), len, libc::MADV_HUGEPAGE);
    }
}

/// Other systems choose the size of pages by themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever lies in the memory is still there, and small or odd pieces are passed over.
    #[test]
    fn contents_stay() {
        let mut data: Vec<u8> = (0..2 * LARGE + 123).map(|i| (i % 251) as u8).collect();
        for (from, len) in [(0, 3), (1, LARGE), (7, 2 * LARGE), (0, 2 * LARGE + 123)] {
            advise(data[from..].as_mut_ptr(), len);
        }
        assert!(data.iter().enumerate().all(|(i, x)| *x == (i % 251) as u8));
    }
}
