//! The memory of code: one piece for all functions of a program.
//!
//! Calls between them reach two gigabytes. Were each function put where the system has a gap, they
//! could be further apart in a process that holds large arrays.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_jit::{ArenaMemoryProvider, BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::ModuleResult;

/// The alignment of the whole: that of a function is no larger.
const ALIGN: usize = 64;

/// Memory for as much code as is said before the first function is put there.
pub(crate) struct CodeMemory {
    /// How much that is.
    space: Arc<AtomicUsize>,
    arena: Option<ArenaMemoryProvider>,
    /// What is left of it.
    next: *mut u8,
    left: usize,
}

// SAFETY: the memory is its own until it is final, and nobody writes it after that.
unsafe impl Send for CodeMemory {}

/// Bytes that a function takes at the most: its code, a way to each function that it calls, and what
/// aligns it.
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
