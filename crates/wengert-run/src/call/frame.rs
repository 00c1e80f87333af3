//! Frames: the memory of a running call or task, pooled for the next one.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::lists::Arena;
use super::pages;
use crate::call::layout::{FrameShape, header};
use crate::call::{Run, RunError};

/// The memory that generated code reaches through its frame pointer, see `plan::layout`.
pub struct Frame {
    memory: *mut u8,
    layout: Layout,
    base: *mut u8,
    /// The call it belongs to.
    pub run: *const Run<'static>,
    /// The lists built in it.
    pub lists: Arena,
    /// The next of several frames that a call keeps.
    pub(super) next: Option<Box<Frame>>,
}

// SAFETY: the frame owns its memory, and only its owner accesses it.
unsafe impl Send for Frame {}

impl Frame {
    /// Allocates a frame, if there is memory for it. It must not be moved out of its box.
    fn new(shape: &FrameShape) -> Option<Box<Frame>> {
        /// The alignment of a frame.
        const LINE: usize = 64;
        // The allocator would zero memory with a larger alignment explicitly, and so touch it; pages that a
        // call does not write should take no memory.
        let layout = Layout::from_size_align(shape.bytes().checked_add(LINE)?, 16).ok()?;
        // SAFETY: the size is not 0, because a frame has a header.
        let memory = unsafe { alloc_zeroed(layout) };
        if memory.is_null() {
            return None;
        }
        pages::advise(memory, layout.size());
        // SAFETY: the allocation has a line more than the frame takes, and `below` lies within it.
        let base = unsafe { memory.add(memory.align_offset(LINE) + shape.below) };
        let mut frame = Box::new(Frame {
            memory,
            layout,
            base,
            run: ptr::null(),
            lists: Arena::default(),
            next: None,
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

    /// Returns the frame pointer.
    #[inline]
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Writes a pointer into the header.
    #[inline]
    pub(crate) fn set(&mut self, off: i32, value: *mut u8) {
        // SAFETY: called with offsets in the header or of argument pointers, which lie within the frame and are
        // aligned.
        unsafe { *self.base.offset(off as isize).cast::<*mut u8>() = value }
    }

    /// Returns a pointer stored in the header, or that of an argument or result.
    ///
    /// # Safety
    /// The offset is one of the header, or that of an [argument or result](super::layout::Layout::pointer) of
    /// the program that the frame was made for.
    #[inline]
    pub unsafe fn get(&self, off: i32) -> *mut u8 {
        // SAFETY: guaranteed by the caller; the slot is aligned.
        unsafe { *self.base.offset(off as isize).cast::<*mut u8>() }
    }

    /// Copies the header from the frame of the call, except for its own address.
    pub(crate) fn copy_header(&mut self, call: *const u8, bytes: usize) {
        let from = header::CALL as usize;
        // SAFETY: both frames start with a header and the same number of pointers.
        unsafe {
            ptr::copy_nonoverlapping(call.add(from), self.base.add(from), bytes - from);
        }
    }

    /// Returns the frame of a frame pointer.
    ///
    /// # Safety
    /// `base` is the frame pointer of a frame that only the caller uses.
    pub unsafe fn of<'a>(base: *mut u8) -> &'a mut Frame {
        // SAFETY: `new` has written the frame's address there, and generated code does not write headers.
        unsafe { &mut **base.offset(header::SELF as isize).cast::<*mut Frame>() }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.memory, self.layout) }
    }
}

/// A pool of unused frames.
pub struct Pool {
    shape: FrameShape,
    /// Frames that can be taken without a lock. Each thread uses one of the places, so that threads rarely wait
    /// for the same memory.
    near: [Place; PLACES],
    #[expect(clippy::vec_box, reason = "a frame holds its own address")]
    rest: Mutex<Vec<Box<Frame>>>,
}

/// The number of frames kept beside those in places; more are freed.
const KEPT: usize = 64;

/// The number of places for frames.
const PLACES: usize = 8;

/// A place for one frame, in cache lines of its own.
#[repr(align(128))]
struct Place(AtomicPtr<Frame>);

impl Place {
    /// Takes the frame, if there is one.
    #[inline]
    fn take(&self) -> Option<Box<Frame>> {
        // Most empty places are recognised without writing to them.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let raw = self.0.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: `put` stored the address of a box there, and the swap has just removed it.
        (!raw.is_null()).then(|| unsafe { Box::from_raw(raw) })
    }

    /// Puts a frame into the place, and returns it if the place is not empty.
    #[inline]
    fn put(&self, frame: Box<Frame>) -> Option<Box<Frame>> {
        let raw = Box::into_raw(frame);
        let put =
            self.0
                .compare_exchange(ptr::null_mut(), raw, Ordering::Release, Ordering::Relaxed);
        // SAFETY: the exchange failed, so the box is still ours.
        put.is_err().then(|| unsafe { Box::from_raw(raw) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Returns a number of the current thread, which differs among the first few threads.
#[inline]
fn thread_number() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(1);
    thread_local! {
        /// The number, or 0 if the thread has none yet.
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }
    match NUMBER.get() {
        0 => {
            // The numbers may wrap, since several threads may have the same.
            let number = THREADS.fetch_add(1, Ordering::Relaxed).max(1);
            NUMBER.set(number);
            number
        }
        number => number,
    }
}

impl Pool {
    /// Makes an empty pool of frames of a shape.
    pub fn new(shape: FrameShape) -> Pool {
        Pool {
            shape,
            near: [const { Place(AtomicPtr::new(ptr::null_mut())) }; PLACES],
            rest: Mutex::new(Vec::new()),
        }
    }

    /// Returns the size of a frame.
    pub fn frame_bytes(&self) -> usize {
        self.shape.bytes()
    }

    /// Takes a frame, allocating one if the pool is empty.
    ///
    /// # Errors
    /// If there is no memory for it.
    #[inline]
    pub fn take(&self) -> Result<Box<Frame>, RunError> {
        match self.own_place().take() {
            Some(frame) => Ok(frame),
            None => self.take_any(),
        }
    }

    fn own_place(&self) -> &Place {
        &self.near[thread_number() % PLACES]
    }

    /// Takes a frame that any thread has given back, allocating one if there is none.
    #[cold]
    fn take_any(&self) -> Result<Box<Frame>, RunError> {
        let waiting = self.rest.lock().expect("no panic holds it").pop();
        let frame = waiting
            .or_else(|| self.near.iter().find_map(Place::take))
            .or_else(|| Frame::new(&self.shape));
        frame.ok_or(RunError::Scratch {
            need: self.frame_bytes(),
        })
    }

    /// Returns a frame to the pool.
    #[inline]
    pub fn give(&self, mut frame: Box<Frame>) {
        frame.lists.reset();
        frame.run = ptr::null();
        if let Some(frame) = self.own_place().put(frame) {
            self.give_rest(frame);
        }
    }

    #[cold]
    fn give_rest(&self, frame: Box<Frame>) {
        let mut rest = self.rest.lock().expect("no panic holds it");
        if rest.len() < KEPT {
            rest.push(frame);
        }
    }
}
