//! Frames: the memory of a running call or task, kept for the next one.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::lists::Arena;
use super::pages;
use crate::call::layout::{FrameShape, header};
use crate::call::{Run, RunError};

/// The memory that generated code reaches by its frame pointer, see `plan::layout`.
pub struct Frame {
    memory: *mut u8,
    layout: Layout,
    base: *mut u8,
    /// The call that it serves.
    pub run: *const Run<'static>,
    /// The lists built on it.
    pub lists: Arena,
}

// SAFETY: the memory is the frame's own, and whoever has the frame has it alone.
unsafe impl Send for Frame {}

impl Frame {
    /// A new frame, if the system has the memory. It must not be moved out of its box.
    fn new(shape: &FrameShape) -> Option<Box<Frame>> {
        /// What a frame begins at a multiple of.
        const LINE: usize = 64;
        // More than the system aligns to by itself would be cleared by hand, and so touched: what a call does not
        // write takes no memory.
        let layout = Layout::from_size_align(shape.bytes().checked_add(LINE)?, 16).ok()?;
        // SAFETY: the size is not 0: a frame has a header.
        let memory = unsafe { alloc_zeroed(layout) };
        if memory.is_null() {
            return None;
        }
        pages::advise(memory, layout.size());
        // SAFETY: there is room for a line more than the frame takes, and `below` lies within that.
        let base = unsafe { memory.add(memory.align_offset(LINE) + shape.below) };
        let mut frame = Box::new(Frame {
            memory,
            layout,
            base,
            run: ptr::null(),
            lists: Arena::default(),
        });
        for (off, bytes) in &shape.image {
            let (from, to) = (i64::from(*off), i64::from(*off) + bytes.len() as i64);
            let fits = from >= -(shape.below as i64) && to <= shape.above as i64;
            assert!(fits, "an image of {from}..{to} in a frame that is smaller");
            // SAFETY: offsets and lengths of the image lie within the shape.
            unsafe {
                ptr::copy_nonoverlapping(bytes.as_ptr(), base.offset(*off as isize), bytes.len());
            }
        }
        let this: *mut Frame = &mut *frame;
        frame.set(header::SELF, this.cast());
        Some(frame)
    }

    /// The frame pointer.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Writes a pointer into the header.
    pub(crate) fn set(&mut self, off: i32, value: *mut u8) {
        // SAFETY: called with offsets in the header or among the pointers of arguments, which lie
        // within the frame and are aligned.
        unsafe { *self.base.offset(off as isize).cast::<*mut u8>() = value }
    }

    /// A pointer of the header, or of an argument or result.
    ///
    /// # Safety
    /// The offset is one in the header, or that of an [argument or result](super::layout::Layout::pointer) of the program that the
    /// frame was made for.
    pub unsafe fn get(&self, off: i32) -> *mut u8 {
        // SAFETY: by the caller; it is aligned.
        unsafe { *self.base.offset(off as isize).cast::<*mut u8>() }
    }

    /// Copies the header's pointers from the frame of the call, but its own address.
    pub(crate) fn copy_header(&mut self, call: *const u8, bytes: usize) {
        let from = header::CALL as usize;
        // SAFETY: both frames begin with a header and as many pointers.
        unsafe {
            ptr::copy_nonoverlapping(call.add(from), self.base.add(from), bytes - from);
        }
    }

    /// The frame of a frame pointer.
    ///
    /// # Safety
    /// `base` is the frame pointer of a frame that is in use by the caller alone.
    pub unsafe fn of<'a>(base: *mut u8) -> &'a mut Frame {
        // SAFETY: `new` has written the frame's address there, and generated code writes no header.
        unsafe { &mut **base.offset(header::SELF as isize).cast::<*mut Frame>() }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.memory, self.layout) }
    }
}

/// Frames that wait for the next call.
pub struct Pool {
    shape: FrameShape,
    /// One frame at hand without a lock.
    first: AtomicPtr<Frame>,
    #[expect(clippy::vec_box, reason = "a frame holds its own address")]
    rest: Mutex<Vec<Box<Frame>>>,
}

/// Frames kept beside the first; more are freed.
const KEPT: usize = 64;

impl Pool {
    /// Frames of a shape.
    pub fn new(shape: FrameShape) -> Pool {
        Pool {
            shape,
            first: AtomicPtr::new(ptr::null_mut()),
            rest: Mutex::new(Vec::new()),
        }
    }

    /// How long a frame is.
    pub fn frame_bytes(&self) -> usize {
        self.shape.bytes()
    }

    /// A frame, new if none waits.
    ///
    /// # Errors
    /// If the system has not got the memory.
    pub fn take(&self) -> Result<Box<Frame>, RunError> {
        let first = self.first.swap(ptr::null_mut(), Ordering::Acquire);
        if !first.is_null() {
            // SAFETY: `give` has put the address of a box there, and it was taken out just now.
            return Ok(unsafe { Box::from_raw(first) });
        }
        let waiting = self.rest.lock().expect("no panic holds it").pop();
        let frame = waiting.or_else(|| Frame::new(&self.shape));
        frame.ok_or(RunError::Scratch {
            need: self.frame_bytes(),
        })
    }

    /// Gives a frame back.
    pub fn give(&self, mut frame: Box<Frame>) {
        frame.lists.reset();
        frame.run = ptr::null();
        let raw = Box::into_raw(frame);
        let put =
            self.first
                .compare_exchange(ptr::null_mut(), raw, Ordering::Release, Ordering::Relaxed);
        if put.is_err() {
            // SAFETY: not put there, so still ours.
            let frame = unsafe { Box::from_raw(raw) };
            let mut rest = self.rest.lock().expect("no panic holds it");
            if rest.len() < KEPT {
                rest.push(frame);
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let first = *self.first.get_mut();
        if !first.is_null() {
            // SAFETY: the pool owns the box whose address is there.
            drop(unsafe { Box::from_raw(first) });
        }
    }
}
