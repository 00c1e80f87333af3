//! A compiled program, and a call of it in preparation.

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

/// What an argument or result has to be.
#[derive(Clone, Copy)]
struct Spec {
    dtype: DType,
    len: usize,
}

/// Code of a program. Any number of threads may run it at the same time.
pub struct Executable {
    code: Box<dyn Code>,
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
}

impl fmt::Debug for Executable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executable")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Executable {
    /// Code of a program, as a back end has made it.
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

    /// Where an argument or result lies, by its number among both.
    fn pointer(&mut self, i: usize) -> *mut u8 {
        // SAFETY: the frame has been made with room for all of them.
        unsafe { self.frame().get(Layout::pointer(i)) }
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
        let at = self.pointer(self.exe.inputs.len() + output);
        self.frame().set(Layout::pointer(input), at);
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
                let given = !self.pointer(first + i).is_null();
                if let Some(spec) = spec.filter(|_| !given) {
                    spec.check(what, i, None)?;
                }
            }
        }
        let header_bytes = Layout::pointer(exe.inputs.len() + exe.outputs.len()) as usize;
        let run = Run::new(&exe.tasks, header_bytes, exe.parallel_above, exe.list_limit);
        let frame = self.frame();
        frame.run = (&raw const run).cast();
        let base = frame.base();
        frame.set(header::CALL, base);
        upper::clear();
        // SAFETY: the code was made for a frame of this shape; inputs and outputs have the types and lengths it was made
        // for, and are borrowed until it returns. An input that lies in an output is one that the code reads before it
        // writes there.
        let status = unsafe { exe.code.run(base) };
        run.end(status)
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
