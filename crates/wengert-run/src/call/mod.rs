//! The memory of a running call and its errors: frames, the lists built in them, and pages.

pub mod frame;
pub mod layout;
pub mod lists;
pub mod pages;

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wengert_loop::source::SourceId;

use self::frame::{Frame, Pool};
use self::lists::TooMuch;
use crate::sample;

/// The reason why a call failed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Lists exceeded their limit.
    #[error("lists need {need} bytes, and {limit} are allowed")]
    #[non_exhaustive]
    ListMemory {
        /// Bytes needed so far.
        need: usize,
        /// Bytes allowed.
        limit: usize,
        /// The line of the loop that builds the list, if the program has it.
        at: Option<SourceId>,
    },
    /// There is no memory for the scratch of a call.
    #[error("a call needs {need} bytes of scratch, and there is not so much memory")]
    #[non_exhaustive]
    Scratch {
        /// Bytes needed.
        need: usize,
    },
    /// An argument or result does not match the program.
    #[error("{what} {index}: expected {expected}, found {found}")]
    #[non_exhaustive]
    Argument {
        /// "input" or "output".
        what: &'static str,
        /// Its number.
        index: usize,
        /// The type that the program takes.
        expected: String,
        /// The type that was given.
        found: String,
    },
    /// The program, or a host function that it called, stopped with an error: a check does not hold, or a
    /// loop does not end within its limit.
    #[error("{0}")]
    Stopped(wengert_loop::error::Error),
    /// A device failed, or cannot do what was asked.
    #[error("device {device}: {what}")]
    Device {
        /// The device's name.
        device: String,
        /// What happened.
        what: String,
    },
    /// A library kernel panicked.
    #[error("a library kernel failed")]
    Internal,
    /// The program is malformed: a bug of whatever built it.
    #[error("a malformed program: {0}")]
    Malformed(String),
}

/// A running call.
pub struct Run<'a> {
    /// Frames for tasks.
    pub tasks: &'a Pool,
    /// Bytes of a frame's header and the pointers that follow it.
    pub header_bytes: usize,
    /// Nanoseconds of work from which threads pay.
    pub parallel_above: u64,
    list_limit: usize,
    list_bytes: AtomicUsize,
    failed: AtomicBool,
    error: Mutex<Option<RunError>>,
    /// The panic payload of a host function.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// The first of the frames of finished tasks whose lists may still be read.
    finished: Mutex<Option<Box<Frame>>>,
}

impl<'a> Run<'a> {
    /// Starts a call.
    #[inline]
    pub(crate) fn new(
        tasks: &'a Pool,
        header_bytes: usize,
        parallel_above: u64,
        list_limit: usize,
    ) -> Run<'a> {
        Run {
            tasks,
            header_bytes,
            parallel_above,
            list_limit,
            list_bytes: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            error: Mutex::new(None),
            panic: Mutex::new(None),
            finished: Mutex::new(None),
        }
    }

    /// Ends the call, and returns the result for its status.
    ///
    /// # Panics
    /// If a host function panicked, with its payload.
    #[inline]
    pub(crate) fn end(&mut self, status: i32) -> Result<(), RunError> {
        sample::lists(self.list_bytes.load(Ordering::Relaxed));
        let finished = self.finished.get_mut().expect("no panic holds it");
        while let Some(mut frame) = finished.take() {
            *finished = frame.next.take();
            self.tasks.give(frame);
        }
        match status {
            0 => Ok(()),
            _ => Err(self.failure()),
        }
    }

    /// Takes the error of a call that has failed.
    #[cold]
    fn failure(&mut self) -> RunError {
        let panic = self.panic.get_mut().expect("no panic holds it");
        if let Some(panic) = panic.take() {
            resume_unwind(panic);
        }
        let error = self.error.get_mut().expect("no panic holds it");
        error.take().unwrap_or(RunError::Internal)
    }

    /// Stores an error; the first one is kept.
    pub fn fail(&self, e: RunError) {
        let mut error = self.error.lock().expect("no panic holds it");
        if error.is_none() {
            *error = Some(e);
        }
        self.failed.store(true, Ordering::Release);
    }

    /// Stores a panic of a host function, to be resumed for the caller.
    pub fn passes_through(&self, panic: Box<dyn Any + Send>) {
        *self.panic.lock().expect("no panic holds it") = Some(panic);
    }

    /// Returns whether an error is stored.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Counts bytes of lists against the limit.
    pub fn charge(&self, bytes: usize) -> Result<(), TooMuch> {
        let before = self.list_bytes.fetch_add(bytes, Ordering::Relaxed);
        let need = before.saturating_add(bytes);
        if need > self.list_limit {
            self.list_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(TooMuch(need));
        }
        Ok(())
    }

    /// Gives back bytes that were counted.
    pub fn discharge(&self, bytes: usize) {
        self.list_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Makes the error that lists need `need` bytes in total.
    pub fn list_error(&self, need: usize, at: Option<SourceId>) -> RunError {
        RunError::ListMemory {
            need,
            limit: self.list_limit,
            at,
        }
    }

    /// Keeps a task's frame if its lists may still be read, and returns it to the pool otherwise.
    pub fn keep_or_give(&self, mut frame: Box<Frame>) {
        if frame.lists.is_used() {
            let mut finished = self.finished.lock().expect("no panic holds it");
            frame.next = finished.take();
            *finished = Some(frame);
        } else {
            self.tasks.give(frame);
        }
    }
}
