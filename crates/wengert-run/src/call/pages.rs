//! Large pages for large memory, which make the first touch much cheaper.

use std::alloc::{Layout, alloc_zeroed};

use wengert_loop::buffer::{Data, Element, NoMemory};
use wengert_loop::types::DType;

/// The size from which large pages are requested: a few of the largest common page size.
const LARGE: usize = 4 << 20;

/// The size up to which memory is zeroed here: an allocator has small pieces at hand, but may look for zeroed ones
/// in a slower way.
const SMALL: usize = 4 << 10;

/// Allocates memory for `len` zero elements, which will be overwritten.
///
/// # Errors
/// If there is not enough memory.
pub fn memory_for(dtype: DType, len: usize) -> Result<Data, NoMemory> {
    let data = match dtype {
        DType::F32 => zeros::<f32>(len).map(Data::F32),
        DType::F64 => zeros::<f64>(len).map(Data::F64),
        DType::I32 => zeros::<i32>(len).map(Data::I32),
        DType::I64 => zeros::<i64>(len).map(Data::I64),
        DType::U32 => zeros::<u32>(len).map(Data::U32),
        DType::U64 => zeros::<u64>(len).map(Data::U64),
        DType::U8 => zeros::<u8>(len).map(Data::U8),
        DType::Bool => zeros::<bool>(len).map(Data::Bool),
    };
    let mut data = data.ok_or(NoMemory { dtype, len })?;
    if len * dtype.bytes() >= LARGE {
        advise(data.as_mut_ptr(), len * dtype.bytes());
    }
    Ok(data)
}

/// Allocates zeros as `vec![0; len]` does: untouched pages, if they are many.
fn zeros<T: Element>(len: usize) -> Option<Vec<T>> {
    let layout = Layout::array::<T>(len).ok()?;
    if layout.size() == 0 {
        return Some(Vec::new());
    }
    if layout.size() <= SMALL {
        let mut small = Vec::new();
        small.try_reserve_exact(len).ok()?;
        small.resize(len, T::default());
        return Some(small);
    }
    // SAFETY: the size is not 0.
    let memory = unsafe { alloc_zeroed(layout) };
    // SAFETY: from the global allocator, with the layout of a vector of that capacity; zero bits are a valid
    // value of every element type.
    (!memory.is_null()).then(|| unsafe { Vec::from_raw_parts(memory.cast(), len, len) })
}

/// Asks the system to back this memory with large pages where it can. This affects only speed.
#[cfg(target_os = "linux")]
pub(super) fn advise(memory: *mut u8, bytes: usize) {
    /// Upper bound on the regular page size of all supported machines.
    const PAGE: usize = 64 << 10;
    if bytes < LARGE {
        return;
    }
    let inside = memory.align_offset(PAGE);
    let len = (bytes - inside) & !(PAGE - 1);
    // SAFETY: whole pages within the caller's memory; the advice does not change the contents.
    unsafe {
        libc::madvise(memory.add(inside).cast(), len, libc::MADV_HUGEPAGE);
    }
}

/// Does nothing: other systems choose page sizes themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn advise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Advice leaves the contents unchanged, and small or unaligned memory is skipped.
    #[test]
    fn contents_stay() {
        let mut data: Vec<u8> = (0..2 * LARGE + 123).map(|i| (i % 251) as u8).collect();
        for (from, len) in [(0, 3), (1, LARGE), (7, 2 * LARGE), (0, 2 * LARGE + 123)] {
            advise(data[from..].as_mut_ptr(), len);
        }
        assert!(data.iter().enumerate().all(|(i, x)| *x == (i % 251) as u8));
    }
}
