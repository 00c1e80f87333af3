//! A compiled program, and a running call of it.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cranelift_jit::JITModule;
use wengert_loop::buffer::Data;
use wengert_loop::loops::{BufferKind, Program};
use wengert_loop::source::SourceId;
use wengert_loop::types::DType;

use super::frame::{Frame, Pool};
use super::lists::TooMuch;
use super::upper;
use crate::compile::Options;
use crate::emit::session::{Kept, Listed, Written};
use crate::plan::Plan;
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
        /// The user's line, where the program says it.
        at: Option<SourceId>,
    },
    /// Lists grew beyond what they may take.
    #[error("lists need {need} bytes, and {limit} are allowed")]
    ListMemory {
        /// Bytes needed so far.
        need: usize,
        /// Bytes allowed.
        limit: usize,
        /// The line of the loop that builds the list, where the program says it.
        at: Option<SourceId>,
    },
    /// The system has not got the memory for what a call needs on the way.
    #[error("a call needs {need} bytes of scratch, and there is not so much memory")]
    Scratch {
        /// Bytes needed.
        need: usize,
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
    Stopped(wengert_loop::error::Error),
    /// A library kernel panicked.
    #[error("a library kernel failed")]
    Internal,
}

/// How much code there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Native functions.
    pub functions: usize,
    /// Vector loops in registers of 512 bits; each is one of the functions.
    pub wide_loops: usize,
    /// Bytes of machine code in all.
    pub bytes: usize,
}

/// What code was made of, and its text.
#[derive(Debug)]
pub struct Listing {
    /// The program as it was emitted: short loops are straight lines, small arrays in registers.
    pub program: Program,
    /// The native functions.
    pub functions: Vec<Listed>,
}

type Main = unsafe extern "C" fn(*mut u8) -> i32;

/// What an argument or result has to be.
#[derive(Clone, Copy)]
struct Spec {
    dtype: DType,
    len: usize,
}

/// Machine code of a program. Any number of threads may run it at the same time.
pub struct Executable {
    module: Option<JITModule>,
    main: Main,
    calls: Pool,
    tasks: Pool,
    /// By number; `None` where the program names no such.
    inputs: Vec<Option<Spec>>,
    outputs: Vec<Option<Spec>>,
    /// For each output the inputs over which it may be written.
    choices: Vec<Vec<u32>>,
    list_limit: usize,
    parallel_above: u64,
    size: Size,
    listing: Option<Listing>,
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

    pub(crate) fn list_error(&self, need: usize, at: Option<SourceId>) -> RunError {
        RunError::ListMemory {
            need,
            limit: self.list_limit,
            at,
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
        plan: Plan,
        size: Size,
        options: &Options,
    ) -> Executable {
        let code = module.get_finalized_function(written.main);
        // SAFETY: the function was declared with this signature.
        let main = unsafe { std::mem::transmute::<*const u8, Main>(code) };
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for b in &plan.program.buffers {
            let (list, index) = match b.kind {
                BufferKind::Input(i) => (&mut inputs, i as usize),
                BufferKind::Output(i) => (&mut outputs, i as usize),
                _ => continue,
            };
            list.resize(list.len().max(index + 1), None);
            list[index] = Some(Spec {
                dtype: b.dtype,
                len: b.len,
            });
        }
        Executable {
            module: Some(module),
            main,
            calls: Pool::new(written.call),
            tasks: Pool::new(written.task),
            inputs,
            outputs,
            choices: plan.reuse.choices,
            list_limit: options.list_limit,
            parallel_above: options.parallel_above,
            size,
            listing: written.listing.map(|functions| Listing {
                program: plan.program,
                functions,
            }),
            _kept: written.kept,
        }
    }

    /// What the code was made of and what it is, if [`Options::listing`] asked for it.
    pub fn listing(&self) -> Option<&Listing> {
        self.listing.as_ref()
    }

    /// How much code there is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Nanoseconds of work, as estimated, from which on a parallel loop goes to several threads.
    pub fn parallel_above(&self) -> u64 {
        self.parallel_above
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

    /// The inputs over which output `output` may be written, the best first: see
    /// [`Prepared::input_in_output`].
    pub fn choices(&self, output: usize) -> &[u32] {
        self.choices.get(output).map_or(&[], |c| c)
    }

    /// Runs the program.
    ///
    /// # Errors
    /// If an input or output is not what the program names, a loop does not end within its limit,
    /// lists grow too large, or there is not enough memory. Outputs are then in no particular state.
    pub fn run(&self, inputs: &[&Data], outputs: &mut [&mut Data]) -> Result<(), RunError> {
        let mut call = self.prepare()?;
        for (i, data) in inputs.iter().enumerate() {
            call.input(i, data)?;
        }
        for (i, data) in outputs.iter_mut().enumerate() {
            call.output(i, data)?;
        }
        call.run()
    }

    /// A call whose inputs and outputs are given one by one. Nothing is allocated for it, but by the
    /// first calls.
    ///
    /// # Errors
    /// If there is not enough memory for its [scratch](Executable::scratch_bytes).
    pub fn prepare(&self) -> Result<Prepared<'_, '_>, RunError> {
        let mut frame = self.calls.take()?;
        for n in 0..self.inputs.len() + self.outputs.len() {
            frame.set(Layout::pointer(n), std::ptr::null_mut());
        }
        Ok(Prepared {
            exe: self,
            frame: Some(frame),
            data: PhantomData,
        })
    }
}

/// A call in preparation: see [`Executable::prepare`].
pub struct Prepared<'e, 'd> {
    exe: &'e Executable,
    /// `None` only while it is dropped.
    frame: Option<Box<Frame>>,
    /// What its pointers point to is borrowed until the call has run.
    data: PhantomData<&'d mut Data>,
}

impl<'d> Prepared<'_, 'd> {
    fn frame(&mut self) -> &mut Frame {
        self.frame.as_mut().expect("taken only by `drop`")
    }

    /// The pointer of an output lies behind those of the inputs.
    fn output_pointer(&self, i: usize) -> i32 {
        Layout::pointer(self.exe.inputs.len() + i)
    }

    /// Gives an input. One that the program does not name is passed over.
    ///
    /// # Errors
    /// If it is not what the program names.
    pub fn input(&mut self, i: usize, data: &'d Data) -> Result<(), RunError> {
        let Some(&Some(spec)) = self.exe.inputs.get(i) else {
            return Ok(());
        };
        spec.check("input", i, Some(data))?;
        let at = data.as_ptr().cast_mut();
        self.frame().set(Layout::pointer(i), at);
        Ok(())
    }

    /// Gives memory for an output. One that the program does not name is passed over.
    ///
    /// # Errors
    /// If it is not what the program names.
    pub fn output(&mut self, i: usize, data: &'d mut Data) -> Result<(), RunError> {
        let Some(&Some(spec)) = self.exe.outputs.get(i) else {
            return Ok(());
        };
        spec.check("output", i, Some(data))?;
        let at = self.output_pointer(i);
        self.frame().set(at, data.as_mut_ptr());
        Ok(())
    }

    /// Says that the elements of an input are in the memory given for an output, which is written
    /// over them.
    ///
    /// # Errors
    /// If the input is not among [`Executable::choices`] of the output.
    pub fn input_in_output(&mut self, input: usize, output: usize) -> Result<(), RunError> {
        if !self.exe.choices(output).contains(&(input as u32)) {
            return Err(RunError::Argument {
                what: "input",
                index: input,
                expected: "memory of its own".to_string(),
                found: format!("that of output {output}"),
            });
        }
        let from = self.output_pointer(output);
        let frame = self.frame();
        let at = frame.get(from);
        frame.set(Layout::pointer(input), at);
        Ok(())
    }

    /// Runs the program.
    ///
    /// # Errors
    /// If an input or output has not been given, a loop does not end within its limit, or lists grow
    /// too large. Outputs are then in no particular state.
    pub fn run(mut self) -> Result<(), RunError> {
        let exe = self.exe;
        let named = [
            ("input", &exe.inputs, 0),
            ("output", &exe.outputs, exe.inputs.len()),
        ];
        for (what, specs, first) in named {
            for (i, spec) in specs.iter().enumerate() {
                let given = !self.frame().get(Layout::pointer(first + i)).is_null();
                if let Some(spec) = spec.filter(|_| !given) {
                    spec.check(what, i, None)?;
                }
            }
        }
        let run = Run {
            tasks: &exe.tasks,
            header_bytes: Layout::pointer(exe.inputs.len() + exe.outputs.len()) as usize,
            parallel_above: exe.parallel_above,
            list_limit: exe.list_limit,
            list_bytes: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            error: Mutex::new(None),
            panic: Mutex::new(None),
            finished: Mutex::new(Vec::new()),
        };
        let frame = self.frame();
        frame.run = (&raw const run).cast();
        let base = frame.base();
        frame.set(header::CALL, base);
        upper::clear();
        // SAFETY: the code was compiled for a frame of this shape; inputs and outputs have the
        // types and lengths it was compiled for, and are borrowed until it returns. An input that
        // lies in an output is one that the code reads before it writes there.
        let status = unsafe { (exe.main)(base) };
        for f in run.finished.into_inner().expect("no panic holds it") {
            exe.tasks.give(f);
        }
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

impl Drop for Prepared<'_, '_> {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.exe.calls.give(frame);
        }
    }
}

impl Spec {
    fn check(self, what: &'static str, index: usize, found: Option<&Data>) -> Result<(), RunError> {
        if found.is_some_and(|d| d.dtype() == self.dtype && d.len() == self.len) {
            return Ok(());
        }
        Err(RunError::Argument {
            what,
            index,
            expected: format!("{} elements of {}", self.len, self.dtype),
            found: found.map_or("nothing".to_string(), |d| {
                format!("{} elements of {}", d.len(), d.dtype())
            }),
        })
    }
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
