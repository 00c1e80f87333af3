//! A compiled program, and a running call of it.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cranelift_jit::JITModule;
use wengert_ir::buffer::Data;
use wengert_ir::ir::types::DType;
use wengert_ir::loops::{BufferKind, Program};

use super::frame::{Frame, Pool};
use super::lists::TooMuch;
use super::upper;
use crate::compile::Options;
use crate::emit::session::{Kept, Written};
use crate::plan::layout::{Layout, header};

/// Why a call failed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A loop did not end within its limit.
    #[error("a loop did not end within {limit} steps")]
    MaxSteps {
        /// The limit.
        limit: u64,
    },
    /// Lists grew beyond what they may take.
    #[error("lists need {need} bytes, and {limit} are allowed")]
    ListMemory {
        /// Bytes needed so far.
        need: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// An argument or a result is not what the program was compiled for.
    #[error("{what} {index}: expected {expected}, found {found}")]
    Argument {
        /// "input" or "output".
        what: &'static str,
        /// Which.
        index: usize,
        /// What the program takes.
        expected: String,
        /// What it was given.
        found: String,
    },
    /// The program gave up, or a function of the host that it called.
    #[error("{0}")]
    Stopped(wengert_ir::error::Error),
    /// A library kernel panicked.
    #[error("a library kernel failed")]
    Internal,
}

type Main = unsafe extern "C" fn(*mut u8) -> i32;

/// What an argument or result has to be.
struct Spec {
    index: usize,
    dtype: DType,
    len: usize,
}

/// Machine code of a program. Any number of threads may run it at the same time.
pub struct Executable {
    module: Option<JITModule>,
    main: Main,
    calls: Pool,
    tasks: Pool,
    inputs: Vec<Spec>,
    outputs: Vec<Spec>,
    /// How many inputs and outputs the program names.
    counts: (usize, usize),
    list_limit: usize,
    parallel_above: u64,
    listing: Option<String>,
    /// The code points into it.
    _kept: Kept,
}

// SAFETY: code and constants do not change once compiled, and the pools synchronise themselves. The
// module is only touched to free its memory, by whoever drops the executable.
unsafe impl Sync for Executable {}

impl fmt::Debug for Executable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executable")
            .field("main", &(self.main as *const ()))
            .finish_non_exhaustive()
    }
}

/// A running call.
pub(crate) struct Run<'a> {
    /// Frames for tasks.
    pub tasks: &'a Pool,
    /// Bytes of a frame's header and the pointers behind it.
    pub header_bytes: usize,
    /// Nanoseconds of work from which on threads pay.
    pub parallel_above: u64,
    list_limit: usize,
    list_bytes: AtomicUsize,
    failed: AtomicBool,
    error: Mutex<Option<RunError>>,
    /// What a function of the host panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Frames of finished tasks whose lists may still be read.
    #[expect(clippy::vec_box, reason = "a frame holds its own address")]
    finished: Mutex<Vec<Box<Frame>>>,
}

impl Run<'_> {
    /// Stores an error, the first one counts.
    pub(crate) fn fail(&self, e: RunError) {
        let mut error = self.error.lock().expect("no panic holds it");
        if error.is_none() {
            *error = Some(e);
        }
        self.failed.store(true, Ordering::Release);
    }

    /// Keeps a panic that is not ours for the caller.
    pub(crate) fn passes_through(&self, panic: Box<dyn Any + Send>) {
        *self.panic.lock().expect("no panic holds it") = Some(panic);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Counts bytes of lists.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), TooMuch> {
        let before = self.list_bytes.fetch_add(bytes, Ordering::Relaxed);
        let need = before.saturating_add(bytes);
        if need > self.list_limit {
            self.list_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(TooMuch(need));
        }
        Ok(())
    }

    pub(crate) fn list_error(&self, need: usize) -> RunError {
        RunError::ListMemory {
            need,
            limit: self.list_limit,
        }
    }

    /// Puts a task's frame aside, or back where its lists need not live on.
    pub(crate) fn keep_or_give(&self, frame: Box<Frame>) {
        if frame.lists.is_used() {
            self.finished.lock().expect("no panic holds it").push(frame);
        } else {
            self.tasks.give(frame);
        }
    }
}

impl Executable {
    pub(crate) fn new(
        module: JITModule,
        written: Written,
        program: &Program,
        options: &Options,
    ) -> Executable {
        let code = module.get_finalized_function(written.main);
        // SAFETY: the function was declared with this signature.
        let main = unsafe { std::mem::transmute::<*const u8, Main>(code) };
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for b in &program.buffers {
            let (list, index) = match b.kind {
                BufferKind::Input(i) => (&mut inputs, i),
                BufferKind::Output(i) => (&mut outputs, i),
                _ => continue,
            };
            list.push(Spec {
                index: index as usize,
                dtype: b.dtype,
                len: b.len,
            });
        }
        let count = |l: &[Spec]| l.iter().map(|s| s.index + 1).max().unwrap_or(0);
        let counts = (count(&inputs), count(&outputs));
        Executable {
            module: Some(module),
            main,
            calls: Pool::new(written.call),
            tasks: Pool::new(written.task),
            inputs,
            outputs,
            counts,
            list_limit: options.list_limit,
            parallel_above: options.parallel_above,
            listing: written.listing,
            _kept: written.kept,
        }
    }

    /// Cranelift's text and the assembly of the code, if [`Options::listing`] asked for it.
    pub fn listing(&self) -> Option<&str> {
        self.listing.as_deref()
    }

    /// Bytes of scratch that a running call takes, beside its arguments, results and lists: arrays on
    /// the way, those that live at different times in the same place, and values that live long.
    pub fn scratch_bytes(&self) -> usize {
        self.calls.frame_bytes()
    }

    /// Bytes of scratch that each thread takes besides while it works on a parallel loop.
    pub fn task_scratch_bytes(&self) -> usize {
        self.tasks.frame_bytes()
    }

    /// Runs the program.
    ///
    /// # Errors
    /// If an input or output is not what the program names, a loop does not end within its limit,
    /// or lists grow too large. Outputs are then in no particular state.
    pub fn run(&self, inputs: &[&Data], outputs: &mut [&mut Data]) -> Result<(), RunError> {
        check("input", &self.inputs, |i| inputs.get(i).map(|d| &**d))?;
        check("output", &self.outputs, |i| outputs.get(i).map(|d| &**d))?;
        let mut frame = self.calls.take();
        let run = Run {
            tasks: &self.tasks,
            header_bytes: Layout::pointer(self.counts.0 + self.counts.1) as usize,
            parallel_above: self.parallel_above,
            list_limit: self.list_limit,
            list_bytes: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            error: Mutex::new(None),
            panic: Mutex::new(None),
            finished: Mutex::new(Vec::new()),
        };
        frame.run = (&raw const run).cast();
        let base = frame.base();
        frame.set(header::CALL, base);
        for (i, data) in inputs.iter().take(self.counts.0).enumerate() {
            let at = elements(data);
            frame.set(Layout::pointer(i), at.cast_mut());
        }
        for (i, data) in outputs.iter_mut().take(self.counts.1).enumerate() {
            let at = elements_mut(data);
            frame.set(Layout::pointer(self.counts.0 + i), at);
        }
        upper::clear();
        // SAFETY: the code was compiled for a frame of this shape; inputs and outputs have the
        // types and lengths it was compiled for, and are borrowed until it returns.
        let status = unsafe { (self.main)(base) };
        for f in run.finished.into_inner().expect("no panic holds it") {
            self.tasks.give(f);
        }
        self.calls.give(frame);
        if status == 0 {
            return Ok(());
        }
        if let Some(panic) = run.panic.into_inner().expect("no panic holds it") {
            resume_unwind(panic);
        }
        let error = run.error.into_inner().expect("no panic holds it");
        Err(error.unwrap_or(RunError::Internal))
    }
}

/// Where the elements are.
fn elements(data: &Data) -> *const u8 {
    match data {
        Data::F32(v) => v.as_ptr().cast(),
        Data::F64(v) => v.as_ptr().cast(),
        Data::I32(v) => v.as_ptr().cast(),
        Data::I64(v) => v.as_ptr().cast(),
        Data::U32(v) => v.as_ptr().cast(),
        Data::U64(v) => v.as_ptr().cast(),
        Data::U8(v) => v.as_ptr().cast(),
        Data::Bool(v) => v.as_ptr().cast(),
        other => panic!("no machine type for {}", other.dtype()),
    }
}

/// Where the elements are, to be written.
fn elements_mut(data: &mut Data) -> *mut u8 {
    match data {
        Data::F32(v) => v.as_mut_ptr().cast(),
        Data::F64(v) => v.as_mut_ptr().cast(),
        Data::I32(v) => v.as_mut_ptr().cast(),
        Data::I64(v) => v.as_mut_ptr().cast(),
        Data::U32(v) => v.as_mut_ptr().cast(),
        Data::U64(v) => v.as_mut_ptr().cast(),
        Data::U8(v) => v.as_mut_ptr().cast(),
        Data::Bool(v) => v.as_mut_ptr().cast(),
        other => panic!("no machine type for {}", other.dtype()),
    }
}

fn check<'a>(
    what: &'static str,
    specs: &[Spec],
    get: impl Fn(usize) -> Option<&'a Data>,
) -> Result<(), RunError> {
    for s in specs {
        let found = get(s.index);
        if found.is_none_or(|d| d.dtype() != s.dtype || d.len() != s.len) {
            return Err(RunError::Argument {
                what,
                index: s.index,
                expected: format!("{} elements of {}", s.len, s.dtype),
                found: found.map_or("nothing".to_string(), |d| {
                    format!("{} elements of {}", d.len(), d.dtype())
                }),
            });
        }
    }
    Ok(())
}

impl Drop for Executable {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: no call is running, for it would borrow the executable, and no pointer to the
            // code leaves it.
            unsafe { module.free_memory() };
        }
    }
}
