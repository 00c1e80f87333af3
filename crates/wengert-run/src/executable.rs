//! Compiled programs, and calls in preparation.

use std::fmt;
use std::marker::PhantomData;

use wengert_loop::buffer::Data;
use wengert_loop::loops::{BufferKind, Program};
use wengert_loop::types::DType;

use crate::backend::{Code, Listing, Made, Options, Size};
use crate::call::frame::{Frame, Pool};
use crate::call::layout::{Layout, header};
use crate::call::{Run, RunError};
use crate::library::upper;
use crate::lines::LineTable;
use crate::sample::{self, Activity};

/// The dtype and length that an argument or result must have.
#[derive(Clone, Copy)]
struct Spec {
    dtype: DType,
    len: usize,
}

/// Compiled code of a program. Any number of threads may run it at the same time.
pub struct Executable {
    code: Box<dyn Code>,
    calls: Pool,
    tasks: Pool,
    /// Inputs by number; `None` for numbers that the program does not name.
    inputs: Vec<Option<Spec>>,
    outputs: Vec<Option<Spec>>,
    /// For each output, the inputs over which it may be written.
    choices: Vec<Vec<u32>>,
    list_limit: usize,
    parallel_above: u64,
    size: Size,
    listing: Option<Listing>,
    lines: Option<LineTable>,
}

impl fmt::Debug for Executable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executable")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Executable {
    /// Wraps the code that a back end has made of a program.
    pub fn new(program: &Program, made: Made, options: &Options) -> Executable {
        let mut inputs = Vec::new();
        let mut outputs = Vec::new();
        for b in &program.buffers {
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
        let pointers = inputs.len() + outputs.len();
        let known = |all: Vec<u32>| {
            let all = all.into_iter().filter(|&i| (i as usize) < inputs.len());
            all.collect()
        };
        Executable {
            code: made.code,
            calls: Pool::new(made.call.with_room_for(pointers)),
            tasks: Pool::new(made.task.with_room_for(pointers)),
            choices: made.choices.into_iter().map(known).collect(),
            inputs,
            outputs,
            list_limit: options.list_limit,
            parallel_above: options.parallel_above,
            size: made.size,
            listing: made.listing,
            lines: made.lines,
        }
    }

    /// Returns the emitted program and its text, if [`Options::listing`] asked for them.
    pub fn listing(&self) -> Option<&Listing> {
        self.listing.as_ref()
    }

    /// Returns where the code comes from, if [`Options::lines`] asked for it and the back end makes machine code.
    pub fn lines(&self) -> Option<&LineTable> {
        self.lines.as_ref()
    }

    /// Returns the size of the code.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns the estimated nanoseconds of work from which a parallel loop uses several threads.
    pub fn parallel_above(&self) -> u64 {
        self.parallel_above
    }

    /// Returns the bytes of scratch that a running call takes beside its arguments, results and lists:
    /// intermediate arrays, where those with disjoint lifetimes share memory, and long-lived values.
    pub fn scratch_bytes(&self) -> usize {
        self.calls.frame_bytes()
    }

    /// Returns the additional bytes of scratch for each thread while it works on a parallel loop.
    pub fn task_scratch_bytes(&self) -> usize {
        self.tasks.frame_bytes()
    }

    /// Returns the inputs over which output `output` may be written, the best first: see
    /// [`Prepared::input_in_output`].
    #[inline]
    pub fn choices(&self, output: usize) -> &[u32] {
        self.choices.get(output).map_or(&[], |c| c)
    }

    /// Runs the program.
    ///
    /// # Errors
    /// If an input or output does not match the program, a loop does not end within its limit, lists grow too
    /// large, or there is not enough memory. The contents of the outputs are then unspecified.
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

    /// Makes the error that an argument or result is not set; they are numbered through both.
    #[cold]
    fn missing(&self, i: usize) -> RunError {
        let inputs = self.inputs.len();
        let (what, n, spec) = match i < inputs {
            true => ("input", i, self.inputs[i]),
            false => ("output", i - inputs, self.outputs[i - inputs]),
        };
        spec.expect("only those that the program names are missing")
            .misfit(what, n, None)
    }

    /// Prepares a call whose inputs and outputs are set one by one. Only the first calls allocate.
    ///
    /// # Errors
    /// If there is not enough memory for its [scratch](Executable::scratch_bytes).
    #[inline]
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
    /// `None` only during drop.
    frame: Option<Box<Frame>>,
    /// Keeps the data behind the frame's pointers borrowed until the call has run.
    data: PhantomData<&'d mut Data>,
}

impl<'d> Prepared<'_, 'd> {
    fn frame(&mut self) -> &mut Frame {
        self.frame.as_mut().expect("taken only by `drop`")
    }

    /// Returns the slot of an argument's or result's pointer, numbered through both.
    fn pointer(&mut self, i: usize) -> *mut u8 {
        // SAFETY: the frame has room for all these pointers.
        unsafe { self.frame().get(Layout::pointer(i)) }
    }

    /// Returns the slot of an output's pointer; these follow the input pointers.
    fn output_pointer(&self, i: usize) -> i32 {
        Layout::pointer(self.exe.inputs.len() + i)
    }

    /// Sets an input. A number that the program does not name is ignored.
    ///
    /// # Errors
    /// If it does not match the program.
    #[inline]
    pub fn input(&mut self, i: usize, data: &'d Data) -> Result<(), RunError> {
        let Some(&Some(spec)) = self.exe.inputs.get(i) else {
            return Ok(());
        };
        if !spec.fits(data) {
            return Err(spec.misfit("input", i, Some(data)));
        }
        let at = data.as_ptr().cast_mut();
        self.frame().set(Layout::pointer(i), at);
        Ok(())
    }

    /// Sets the memory for an output. A number that the program does not name is ignored.
    ///
    /// # Errors
    /// If it does not match the program.
    #[inline]
    pub fn output(&mut self, i: usize, data: &'d mut Data) -> Result<(), RunError> {
        let Some(&Some(spec)) = self.exe.outputs.get(i) else {
            return Ok(());
        };
        if !spec.fits(data) {
            return Err(spec.misfit("output", i, Some(data)));
        }
        let at = self.output_pointer(i);
        self.frame().set(at, data.as_mut_ptr());
        Ok(())
    }

    /// Declares that the elements of an input are in the memory set for an output, which overwrites them.
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
        let at = self.pointer(self.exe.inputs.len() + output);
        self.frame().set(Layout::pointer(input), at);
        Ok(())
    }

    /// Runs the program.
    ///
    /// # Errors
    /// If an input or output is not set, a loop does not end within its limit, or lists grow too large. The
    /// contents of the outputs are then unspecified.
    #[inline]
    pub fn run(mut self) -> Result<(), RunError> {
        let exe = self.exe;
        let specs = exe.inputs.iter().chain(&exe.outputs);
        for (i, spec) in specs.enumerate() {
            if spec.is_some() && self.pointer(i).is_null() {
                return Err(exe.missing(i));
            }
        }
        let header_bytes = Layout::pointer(exe.inputs.len() + exe.outputs.len()) as usize;
        let mut run = Run::new(&exe.tasks, header_bytes, exe.parallel_above, exe.list_limit);
        let frame = self.frame();
        frame.run = (&raw const run).cast();
        let base = frame.base();
        frame.set(header::CALL, base);
        upper::clear();
        // SAFETY: the code was made for a frame of this shape; inputs and outputs have the types and lengths it
        // was made for, and are borrowed until it returns. The code reads an input that shares an output's
        // memory before it writes there.
        let status = sample::span(Activity::Call, || unsafe { exe.code.run(base) });
        run.end(status)
    }
}

impl Drop for Prepared<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            self.exe.calls.give(frame);
        }
    }
}

impl Spec {
    #[inline]
    fn fits(self, data: &Data) -> bool {
        data.dtype() == self.dtype && data.len() == self.len
    }

    /// Makes the error that the data does not fit, or is not given.
    #[cold]
    fn misfit(self, what: &'static str, index: usize, found: Option<&Data>) -> RunError {
        RunError::Argument {
            what,
            index,
            expected: format!("{} elements of {}", self.len, self.dtype),
            found: found.map_or("nothing".to_string(), |d| {
                format!("{} elements of {}", d.len(), d.dtype())
            }),
        }
    }
}
