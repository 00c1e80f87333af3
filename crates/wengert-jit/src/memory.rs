//! The memory of code: one block for all functions of a program.
//!
//! Calls between functions reach two gigabytes. If each function were placed separately, two of
//! them could be further apart in a process that holds large arrays.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_jit::{ArenaMemoryProvider, BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::ModuleResult;

/// The alignment of the block; no function needs more.
const ALIGN: usize = 64;

/// Memory for code, whose size is set before the first function is placed.
pub(crate) struct CodeMemory {
    /// The size of the memory.
    space: Arc<AtomicUsize>,
    arena: Option<ArenaMemoryProvider>,
    /// The start of the free part.
    next: *mut u8,
    left: usize,
}

// SAFETY: the memory is owned until it is final, and is not written after that.
unsafe impl Send for CodeMemory {}

/// The largest number of bytes of a function: its code, a stub for each function that it calls, and
/// padding.
pub(crate) fn space(code: usize, calls: usize, align: u64) -> usize {
    code + 32 * calls + ALIGN.max(align as usize)
}

impl CodeMemory {
    pub(crate) fn new(space: Arc<AtomicUsize>) -> CodeMemory {
        CodeMemory {
            space,
            arena: None,
            next: std::ptr::null_mut(),
            left: 0,
        }
    }
}

impl JITMemoryProvider for CodeMemory {
    fn allocate(&mut self, size: usize, align: u64, kind: JITMemoryKind) -> io::Result<*mut u8> {
        if self.arena.is_none() {
            let all = self.space.load(Ordering::Relaxed);
            let mut arena = ArenaMemoryProvider::new_with_size(all).map_err(io::Error::other)?;
            self.next = arena.allocate(all, ALIGN as u64, kind)?;
            self.left = all;
            self.arena = Some(arena);
        }
        let skipped = self.next.align_offset(align as usize);
        let taken = skipped.saturating_add(size);
        let left = self.left.checked_sub(taken);
        self.left = left.ok_or_else(|| io::Error::other("more code than was counted"))?;
        let at = self.next.wrapping_add(skipped);
        self.next = at.wrapping_add(size);
        Ok(at)
    }

    unsafe fn free_memory(&mut self) {
        if let Some(arena) = &mut self.arena {
            // SAFETY: by the caller.
            unsafe { JITMemoryProvider::free_memory(arena) };
        }
    }

    fn finalize(&mut self, protection: BranchProtection) -> ModuleResult<()> {
        match &mut self.arena {
            Some(arena) => JITMemoryProvider::finalize(arena, protection),
            None => Ok(()),
        }
    }
}
