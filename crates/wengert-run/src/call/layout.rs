//! The layout of frames: the memory of a running call, or of a parallel task.
//!
//! A frame pointer points into the middle, so that one register reaches all of it. Above it lie a header, the
//! pointers of the call's arguments and the buffers; below it, growing while code is emitted, constants and the
//! slots of long-lived values.

use std::collections::{BTreeMap, HashMap};

use wengert_loop::loops::{BufferId, LANES};
use wengert_loop::types::DType;

use crate::plan::scratch::Arena;

/// Bytes of the header, see [`header`].
const HEADER: i64 = 64;
/// Free bytes on both sides of the scratch: a vector access may extend past the ends of a buffer.
const PAD: i64 = 64;

/// Offsets in the header of a frame.
pub mod header {
    /// The [`Frame`](crate::call::frame::Frame) itself.
    pub const SELF: i32 = 0;
    /// The frame pointer of the call.
    pub const CALL: i32 = 16;
}

/// The memory plan of one kind of frame.
pub struct Layout<'p> {
    below: i64,
    /// The offset of the scratch, above the pointers.
    scratch: i64,
    buffers: &'p Arena,
    constants: HashMap<Box<[u8]>, i32>,
    image: Vec<(i32, Vec<u8>)>,
    live_table: Option<i32>,
    /// Free slots for values, by size.
    free: HashMap<u32, Vec<i32>>,
    /// Used slots, by the position after which they are free.
    used: BTreeMap<u32, Vec<(u32, i32)>>,
}

/// The size and initial contents of a frame.
pub struct FrameShape {
    /// Bytes below the frame pointer.
    pub below: usize,
    /// Bytes above it.
    pub above: usize,
    /// Initial contents, at offsets from the frame pointer.
    pub image: Vec<(i32, Vec<u8>)>,
}

impl FrameShape {
    /// Extends the shape to a header and this many pointers at least.
    pub(crate) fn with_room_for(mut self, pointers: usize) -> FrameShape {
        self.above = self.above.max(Layout::pointer(pointers) as usize);
        self
    }

    /// Makes the shape of a frame with a header and this many pointers of arguments and results.
    pub fn of_pointers(pointers: usize) -> FrameShape {
        Layout::new(pointers, &Arena::default()).finish()
    }

    /// Returns the total size.
    pub fn bytes(&self) -> usize {
        self.below.saturating_add(self.above)
    }
}

fn round(n: i64, to: i64) -> i64 {
    n.saturating_add(to - 1) / to * to
}

impl<'p> Layout<'p> {
    /// Starts the plan of a frame with this many argument pointers and this scratch.
    pub fn new(pointers: usize, buffers: &'p Arena) -> Layout<'p> {
        Layout {
            below: 0,
            scratch: round(HEADER + 8 * pointers as i64 + PAD, 64),
            buffers,
            constants: HashMap::new(),
            image: Vec::new(),
            live_table: None,
            free: HashMap::new(),
            used: BTreeMap::new(),
        }
    }

    /// Reserves memory below the frame pointer. Rows of lanes start at a cache line: a load cannot be forwarded
    /// from a store that crosses two.
    pub fn reserve(&mut self, bytes: u32) -> i32 {
        let align = match bytes {
            64.. => 64,
            16.. => 16,
            _ => 8,
        };
        self.below = round(self.below + i64::from(bytes), align);
        i32::try_from(-self.below).expect("a frame's places fit 31 bits")
    }

    /// Reserves a slot for a value that lives until position `last`.
    pub fn place(&mut self, bytes: u32, last: u32) -> i32 {
        let off = match self.free.get_mut(&bytes).and_then(Vec::pop) {
            Some(off) => off,
            None => self.reserve(bytes),
        };
        self.used.entry(last).or_default().push((bytes, off));
        off
    }

    /// Frees the slots of values whose last use is before position `now`.
    pub fn release(&mut self, now: u32) {
        while let Some(entry) = self.used.first_entry() {
            if *entry.key() >= now {
                return;
            }
            for (bytes, off) in entry.remove() {
                self.free.entry(bytes).or_default().push(off);
            }
        }
    }

    /// Returns the offset of a constant of 16 bytes.
    pub fn vector(&mut self, value: [u8; 16]) -> i32 {
        self.constant(&value)
    }

    /// Returns the offset of a constant of 64 bytes.
    pub fn row(&mut self, value: [u8; 64]) -> i32 {
        self.constant(&value)
    }

    /// Returns the offset of a constant of 8 bytes.
    pub fn word(&mut self, bits: u64) -> i32 {
        self.constant(&bits.to_le_bytes())
    }

    fn constant(&mut self, value: &[u8]) -> i32 {
        if let Some(&off) = self.constants.get(value) {
            return off;
        }
        let off = self.reserve(value.len() as u32);
        self.constants.insert(value.into(), off);
        self.image.push((off, value.to_vec()));
        off
    }

    /// Returns the offset of a table of 64-bit masks: entry `n`, of 64 bytes, has the first `n` of 8 lanes set.
    pub fn live_table(&mut self) -> i32 {
        if let Some(off) = self.live_table {
            return off;
        }
        let mut bytes = Vec::new();
        for live in 0..=LANES {
            for lane in 0..LANES {
                let mask = if lane < live { u64::MAX } else { 0 };
                bytes.extend(mask.to_le_bytes());
            }
        }
        let off = self.reserve(bytes.len() as u32);
        self.image.push((off, bytes));
        self.live_table = Some(off);
        off
    }

    /// Returns the offset of an argument's pointer; results follow the arguments.
    pub fn pointer(i: usize) -> i32 {
        HEADER as i32 + 8 * i as i32
    }

    /// Returns the offset of a buffer.
    pub fn buffer(&self, id: BufferId) -> i64 {
        self.scratch.saturating_add(self.buffers.place(id))
    }

    /// Finishes the plan.
    pub fn finish(self) -> FrameShape {
        FrameShape {
            below: round(self.below + 64, 64) as usize,
            above: round(self.buffers.bytes.saturating_add(self.scratch + PAD), 64) as usize,
            image: self.image,
        }
    }
}

/// Returns the bytes of a lane vector (16 bytes) with this constant in each lane; truth values become masks of
/// the given width.
pub fn splat(dtype: DType, bits: u64, narrow: bool) -> [u8; 16] {
    let mut out = [0; 16];
    let wide = match dtype {
        DType::F64 | DType::I64 | DType::U64 => true,
        DType::Bool => !narrow,
        _ => false,
    };
    let bits = match dtype {
        DType::Bool if bits != 0 => u64::MAX,
        DType::U8 => bits & 0xff,
        _ => bits,
    };
    let step = if wide { 8 } else { 4 };
    for chunk in out.chunks_mut(step) {
        chunk.copy_from_slice(&bits.to_le_bytes()[..step]);
    }
    out
}
