//! The memory of lists: chunks that are filled one after the other and kept for the next call.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::mem::offset_of;
use std::ptr;

/// Bytes at the start of a list: the number of its rows, in each lane.
pub const COUNTS: i64 = 64;

/// The layout of the rows of a list's field.
#[repr(C)]
pub struct Signpost {
    /// The number of rows, in each lane.
    counts: *const [i64; 8],
    /// The first element of the first row, in the first lane.
    first: *const u8,
    /// Bytes from row to row.
    size: i64,
    /// Bytes from element to element.
    pitch: i64,
}

impl Signpost {
    /// The offset of `counts`.
    pub const COUNTS: i32 = offset_of!(Signpost, counts) as i32;
    /// The offset of `first`.
    pub const FIRST: i32 = offset_of!(Signpost, first) as i32;
    /// The offset of `size`.
    pub const SIZE: i32 = offset_of!(Signpost, size) as i32;
    /// The offset of `pitch`.
    pub const PITCH: i32 = offset_of!(Signpost, pitch) as i32;
}

// SAFETY: nobody writes what a signpost points to once a handle exists.
unsafe impl Sync for Signpost {}

static ZEROS: [i64; 8] = [0; 8];

/// The list of handle 0, which reads as zero: every element of every row is the same zero.
pub static NO_ROWS: Signpost = Signpost {
    counts: &raw const ZEROS,
    first: (&raw const ZEROS).cast(),
    size: 0,
    pitch: 0,
};

/// The size of the first chunk.
const SMALL: usize = 64 << 10;
/// The size from which a list has its own chunk.
const LARGE: usize = 1 << 20;
/// How many times as large as needed a spare chunk may be that takes a list.
const SPACIOUS: usize = 4;
/// Bytes that an arena keeps for the next call.
const RETAINED: usize = 64 << 20;

/// The error that memory exceeds the limit, with the total bytes needed.
pub struct TooMuch(pub usize);

/// Counts bytes against the limit.
pub type Charge<'a> = dyn Fn(usize) -> Result<(), TooMuch> + 'a;

/// Memory for lists, in a block of the allocator that has room for their alignment: blocks of its own alignment grow where they lie,
/// or move without being copied.
struct Chunk {
    block: *mut u8,
    memory: *mut u8,
    size: usize,
    used: usize,
}

/// The alignment of the memory of lists.
const LINE: usize = 64;

impl Chunk {
    /// Allocates memory, of which nothing is used.
    fn new(size: usize) -> Option<Chunk> {
        // SAFETY: the size is not 0.
        let block = unsafe { alloc(layout(size)?) };
        (!block.is_null()).then(|| Chunk {
            block,
            // SAFETY: the block has a line more than the size.
            memory: unsafe { block.add(block.align_offset(LINE)) },
            size,
            used: 0,
        })
    }

    /// Makes it larger, which may move it.
    fn grow(&mut self, size: usize) -> Option<()> {
        let old = layout(self.size).expect("it was allocated");
        let before = self.memory as usize - self.block as usize;
        // SAFETY: allocated with this layout, and the new size is not 0.
        let block = unsafe { realloc(self.block, old, layout(size)?.size()) };
        if block.is_null() {
            return None;
        }
        let after = block.align_offset(LINE);
        // SAFETY: both blocks have a line more than the size.
        let memory = unsafe { block.add(after) };
        if after != before {
            // SAFETY: what was used lay from `before` on, and is not longer than the new memory.
            unsafe { ptr::copy(block.add(before), memory, self.used) };
        }
        (self.block, self.memory, self.size) = (block, memory, size);
        Some(())
    }
}

/// The lists of a frame.
#[derive(Default)]
pub struct Arena {
    chunks: Vec<Chunk>,
    spare: Vec<Chunk>,
}

/// A list under construction, as generated code sees it.
#[repr(C)]
pub struct Slot {
    /// Its memory; null before the first row.
    memory: *mut u8,
    /// Number of rows that fit in the memory.
    room: i64,
    /// Number of rows pushed.
    rows: i64,
    /// Bytes before the first row.
    head: i64,
    /// Number of rows that the list had when it was built before, in this call or an earlier one: it may well get as
    /// many again.
    before: i64,
}

impl Slot {
    /// The offset of `room`.
    pub const ROOM: i32 = offset_of!(Slot, room) as i32;
    /// The offset of `rows`.
    pub const ROWS: i32 = offset_of!(Slot, rows) as i32;
    /// The offset of `head`.
    pub const HEAD: i32 = offset_of!(Slot, head) as i32;

    /// Returns the bytes of a list with this many rows of `size` bytes each.
    fn bytes(&self, rows: usize, size: usize) -> Option<usize> {
        rows.checked_mul(size)
            .and_then(|b| b.checked_add(self.head as usize))
            .filter(|&b| b <= isize::MAX as usize / 2)
            .map(|b| b.next_multiple_of(64))
    }

    /// Returns the bytes of its memory.
    fn held(&self, size: usize) -> usize {
        match self.memory.is_null() {
            true => 0,
            false => (self.head as usize + self.room as usize * size).next_multiple_of(64),
        }
    }
}

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(LINE)?, 16).ok()
}

impl Arena {
    /// Makes room for row number `row` of a list. `charge` counts bytes against the limit.
    ///
    /// # Safety
    /// `slot` is a list of this arena whose rows have `size` bytes.
    pub unsafe fn grow(
        &mut self,
        slot: &mut Slot,
        size: usize,
        row: usize,
        charge: &Charge<'_>,
    ) -> Result<(), TooMuch> {
        let least = row + 1;
        let old = slot.room as usize;
        let some = match old {
            0 => (512 / size).max(4).max(slot.before as usize),
            _ => 2 * old,
        };
        let first = self.place(slot, size, least.max(some), charge);
        let room = match first {
            Ok(room) => room,
            // Near the limit, lists grow more slowly.
            Err(_) => self.place(slot, size, least.max(old + old / 8), charge)?,
        };
        slot.room = ((room - slot.head as usize) / size) as i64;
        Ok(())
    }

    /// Moves a list to memory for at least `rows` rows, or extends its memory; returns its size in bytes.
    fn place(
        &mut self,
        slot: &mut Slot,
        size: usize,
        rows: usize,
        charge: &Charge<'_>,
    ) -> Result<usize, TooMuch> {
        let need = slot.bytes(rows, size).ok_or(TooMuch(usize::MAX))?;
        let held = slot.held(size);
        if held > 0
            && let Some(c) = self.chunks.iter_mut().rev().find(|c| {
                let begin = c.memory as usize;
                (begin..begin + c.size).contains(&(slot.memory as usize))
            })
        {
            let begin = slot.memory as usize - c.memory as usize;
            let last = begin + held == c.used;
            if last && begin + need <= c.size {
                c.used = begin + need;
                return Ok(need);
            }
            // A chunk of an earlier list takes it, unless that is far too large: its pages are there.
            let fits = |spare: &Chunk| (need..=SPACIOUS * need).contains(&spare.size);
            if last && begin == 0 && !self.spare.iter().any(fits) {
                charge(need - c.size)?;
                c.grow(need).ok_or(TooMuch(need))?;
                c.used = need;
                slot.memory = c.memory;
                return Ok(need);
            }
        }
        let memory = self.take(need, charge)?;
        if held > 0 {
            // SAFETY: the old memory has `held` bytes, the new one more, and they are disjoint.
            unsafe { ptr::copy_nonoverlapping(slot.memory, memory, held) };
        }
        slot.memory = memory;
        Ok(need)
    }

    /// Allocates memory in the arena.
    fn take(&mut self, need: usize, charge: &Charge<'_>) -> Result<*mut u8, TooMuch> {
        let last = self.chunks.iter().rposition(|c| c.size < LARGE);
        if need < LARGE
            && let Some(i) = last
            && self.chunks[i].used + need <= self.chunks[i].size
        {
            let c = &mut self.chunks[i];
            // SAFETY: within the chunk.
            let memory = unsafe { c.memory.add(c.used) };
            c.used += need;
            return Ok(memory);
        }
        let size = if need >= LARGE {
            need
        } else {
            let last = last.map_or(0, |i| self.chunks[i].size);
            need.max(SMALL).max((2 * last).min(LARGE / 2))
        };
        let spare = self
            .spare
            .iter()
            .enumerate()
            .filter(|(_, c)| c.size >= size && (c.size >= LARGE) == (size >= LARGE))
            .min_by_key(|(_, c)| c.size)
            .map(|(i, _)| i);
        let mut chunk = match spare {
            Some(i) => {
                charge(self.spare[i].size)?;
                self.spare.swap_remove(i)
            }
            None => {
                charge(size)?;
                Chunk::new(size).ok_or(TooMuch(size))?
            }
        };
        chunk.used = need;
        let memory = chunk.memory;
        self.chunks.push(chunk);
        Ok(memory)
    }

    /// Finishes a list and frees its unused memory. The caller must write the number of rows at the start of
    /// its memory.
    ///
    /// # Safety
    /// `slot` is a list of this arena whose rows have `size` bytes.
    pub unsafe fn finish(
        &mut self,
        slot: &mut Slot,
        size: usize,
        charge: &Charge<'_>,
    ) -> Result<(), TooMuch> {
        slot.before = slot.rows;
        if slot.memory.is_null() {
            slot.memory = self.take(slot.head as usize, charge)?;
            slot.room = 0;
        }
        let held = slot.held(size);
        let kept = (slot.head as usize + slot.rows as usize * size).next_multiple_of(64);
        if let Some(c) = self.chunks.last_mut() {
            let begin = (slot.memory as usize).wrapping_sub(c.memory as usize);
            if begin < c.size && begin + held == c.used {
                c.used = begin + kept;
            }
        }
        Ok(())
    }

    /// Returns whether a list was built that may still be read.
    pub fn is_used(&self) -> bool {
        !self.chunks.is_empty()
    }

    /// Discards all lists, and returns the bytes of their memory.
    #[inline]
    pub fn reset(&mut self) -> usize {
        match self.chunks.is_empty() {
            true => 0,
            false => self.empty(),
        }
    }

    #[cold]
    fn empty(&mut self) -> usize {
        let mut total: usize = self.spare.iter().map(|c| c.size).sum();
        let held = self.chunks.iter().map(|c| c.size).sum();
        for mut c in self.chunks.drain(..) {
            if total + c.size <= RETAINED {
                total += c.size;
                c.used = 0;
                self.spare.push(c);
            } else {
                free(&c);
            }
        }
        held
    }
}

fn free(c: &Chunk) {
    let l = layout(c.size).expect("it was allocated");
    // SAFETY: allocated with this layout, and no longer reachable.
    unsafe { dealloc(c.block, l) }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.chunks.iter().chain(&self.spare).for_each(free);
    }
}
