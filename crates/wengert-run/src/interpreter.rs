//! The interpreter of the loop IR as a back end: slow, but it runs any program on any machine, and is the
//! reference for the other back ends.

use std::collections::HashMap;

use wengert_loop::buffer::Data;
use wengert_loop::loops::interp;
use wengert_loop::loops::verify::verify;
use wengert_loop::loops::{BufferKind, Program, While};
use wengert_loop::target::Target;
use wengert_loop::types::DType;

use crate::backend::{Backend, Code, CompileError, Listing, Made, Options, Size};
use crate::call::RunError;
use crate::call::frame::Frame;
use crate::call::layout::{FrameShape, Layout};
use crate::executable::Executable;
use crate::library::helpers::{guard, region_at, region_mut};
use crate::plan::cost::Costs;

/// The interpreter of the loop IR. It runs on one thread, on copies of the arguments, and does not limit lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interpreter;

/// The dtype and length of an argument or result; `None` for a number that the program does not name.
type Spec = Option<(DType, usize)>;

struct Interpreted {
    program: Program,
    inputs: Vec<Spec>,
    outputs: Vec<Spec>,
}

impl Backend for Interpreter {
    fn name(&self) -> String {
        "the interpreter of the loop IR".into()
    }

    fn target(&self, _: &Options) -> Target {
        // A multiply-add is a function call here.
        Target::default().with_fused(false)
    }

    fn compile(&self, program: &Program, options: &Options) -> Result<Executable, CompileError> {
        verify(program).map_err(CompileError::Internal)?;
        let specs = |number: fn(BufferKind) -> Option<u32>| {
            let mut specs: Vec<Spec> = vec![];
            for b in &program.buffers {
                if let Some(i) = number(b.kind) {
                    specs.resize(specs.len().max(i as usize + 1), None);
                    specs[i as usize] = Some((b.dtype, b.len));
                }
            }
            specs
        };
        let code = Interpreted {
            program: program.clone(),
            inputs: specs(|kind| match kind {
                BufferKind::Input(i) => Some(i),
                _ => None,
            }),
            outputs: specs(|kind| match kind {
                BufferKind::Output(i) => Some(i),
                _ => None,
            }),
        };
        let frame = || FrameShape::of_pointers(code.inputs.len() + code.outputs.len());
        let (call, task) = (frame(), frame());
        let made = Made {
            call,
            task,
            choices: vec![],
            size: Size {
                functions: 0,
                wide_loops: 0,
                bytes: 0,
            },
            lines: None,
            listing: options.listing.then(|| Listing {
                program: program.clone(),
                costs: Costs::of(
                    program,
                    &HashMap::new(),
                    &vec![false; program.functions.len()],
                ),
                functions: vec![],
            }),
            code: Box::new(code),
        };
        Ok(Executable::new(program, made, options))
    }
}

impl Interpreted {
    fn error(&self, error: interp::Error) -> RunError {
        match error {
            interp::Error::MaxSteps { limit, at } => {
                RunError::Stopped(While::endless(limit, at).error())
            }
            interp::Error::Failed(i) => {
                RunError::Stopped(self.program.failures[i as usize].error())
            }
            interp::Error::Host(error) => RunError::Stopped(error),
            interp::Error::NoMemory(memory) => RunError::Scratch {
                need: memory.len.saturating_mul(memory.dtype.bytes()),
            },
            other => RunError::Malformed(other.to_string()),
        }
    }
}

impl Code for Interpreted {
    unsafe fn run(&self, frame: *mut u8) -> i32 {
        // SAFETY: guaranteed by the caller; a frame in use serves a call.
        let (frame, run) = unsafe {
            let frame = Frame::of(frame);
            let run = &*frame.run;
            (frame, run)
        };
        // SAFETY: the frame was made for this program.
        let pointer = |i: usize| unsafe { frame.get(Layout::pointer(i)) };
        guard(run, || {
            let inputs = self.inputs.iter().enumerate();
            let inputs = inputs.map(|(i, spec)| match *spec {
                // SAFETY: guaranteed by the caller.
                Some((dtype, len)) => unsafe { region_at(dtype, pointer(i), len) }.to_data(),
                None => Data::zeros(DType::Bool, 0),
            });
            let inputs: Vec<Data> = inputs.collect();
            let outputs = self.outputs.iter();
            let outputs = outputs.map(|spec| {
                let (dtype, len) = spec.unwrap_or((DType::Bool, 0));
                Data::try_splat(dtype, len, 0).map_err(|_| RunError::Scratch {
                    need: len.saturating_mul(dtype.bytes()),
                })
            });
            let mut outputs = outputs.collect::<Result<Vec<Data>, _>>()?;
            let inputs: Vec<&Data> = inputs.iter().collect();
            interp::run(&self.program, &inputs, &mut outputs).map_err(|e| self.error(e))?;
            for (i, (spec, data)) in self.outputs.iter().zip(&outputs).enumerate() {
                if let Some((dtype, len)) = *spec {
                    // SAFETY: guaranteed by the caller.
                    let mut to = unsafe { region_mut(dtype, pointer(self.inputs.len() + i), len) };
                    to.copy_from(data);
                }
            }
            Ok(())
        })
    }
}
