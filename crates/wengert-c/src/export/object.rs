//! Objects: the functions of a source as machine code.

use std::fmt;

use wengert_jit::object::{Numbers, Object};
use wengert_jit::{CompileError, Cpu};
use wengert_run::Arch;

use super::function::Function;
use super::{Abi, abi, elf, files};
use crate::CError;
use crate::unit::Unit;

/// The processors that an [object](super::Export::object) is for.
///
/// The bits of results are the same on all of them. An object for another architecture than this machine's needs the
/// feature of that name (`x86` or `arm64`) of the crate `cranelift-codegen`.
///
/// ```
/// use wengert_c::Processor;
///
/// assert_eq!(Processor::X86_64V3.to_string(), "x86-64-v3");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Processor {
    /// Every 64-bit x86. Multiplying and adding with one rounding, and rounding to integers, are calls of C's library of
    /// mathematics (`-lm`). Elementary functions consist of them, and take about three times as long where that has an
    /// instruction for each, and longer elsewhere.
    X86_64,
    /// Those of the level x86-64-v3: of Intel since Haswell (2013), of AMD since Excavator (2015).
    X86_64V3,
    /// Every 64-bit ARM.
    Arm64,
    /// All that are like this machine's.
    Host,
}

impl Default for Processor {
    /// Returns [`X86_64V3`](Processor::X86_64V3) or [`Arm64`](Processor::Arm64), as this machine is one or the other.
    fn default() -> Processor {
        match Arch::HOST {
            Arch::X86_64 => Processor::X86_64V3,
            Arch::Arm64 => Processor::Arm64,
            Arch::Other => Processor::Host,
        }
    }
}

impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Processor::X86_64 => "x86-64",
            Processor::X86_64V3 => "x86-64-v3",
            Processor::Arm64 => "64-bit ARM",
            Processor::Host => "processors like the one that wrote it",
        })
    }
}

impl Processor {
    fn cpu(self) -> Cpu {
        match self {
            Processor::X86_64 => Cpu::X86_64,
            Processor::X86_64V3 => Cpu::X86_64_V3,
            Processor::Arm64 => Cpu::ARM64,
            Processor::Host => Cpu::host(),
        }
    }

    /// Whether it lacks instructions for which code calls C's library of mathematics.
    pub(super) fn needs_libm(self) -> bool {
        !self.cpu().has_fma()
    }
}

/// The code of an object in the making.
pub(super) struct Code(Object);

fn refused(e: CompileError) -> CError {
    CError::Object(e.to_string())
}

impl Code {
    /// The code of the functions of a source, and room for it in the scratch of the source.
    pub(super) fn of(
        processor: Processor,
        functions: &[Function],
        unit: &mut Unit,
        list_bytes: usize,
    ) -> Result<Code, CError> {
        let cpu = processor.cpu();
        let elf = cfg!(all(unix, not(target_vendor = "apple"))) || cpu.arch() != Arch::HOST;
        if !elf {
            let message = "this system has another format than ELF: compile the source";
            return Err(CError::Object(message.into()));
        }
        let mut object = Object::new(cpu, list_bytes).map_err(|e| {
            CError::Object(format!(
                "{e}; a program that depends on cranelift-codegen with its feature for that architecture has it, and the source serves every processor"
            ))
        })?;
        for f in functions {
            let (program, ports) = (f.loops()?, (f.inputs.len(), f.outputs.len()));
            let mut status = |failure: &_| unit.failure(failure);
            object
                .add(&program, &f.name, ports, &mut status)
                .map_err(refused)?;
        }
        unit.make_room(object.scratch_bytes());
        Ok(Code(object))
    }

    /// Adds a function in a convention of others, which has been found to fit.
    pub(super) fn convention(&mut self, abi: &Abi, name: &str, f: &Function) -> Result<(), CError> {
        let lens: Vec<usize> = f.inputs.iter().map(|l| l.port.len).collect();
        let (own, how) = match abi {
            Abi::Scipy => {
                let places: Vec<usize> = lens
                    .iter()
                    .scan(0, |at, len| Some(std::mem::replace(at, *at + len)))
                    .collect();
                let (own, len) = (format!("{name}_scipy"), lens.iter().sum());
                let places = &places;
                let how = Numbers::Packed { places, len };
                return self.0.numbers(&own, name, how).map_err(refused);
            }
            Abi::Rhs => {
                let (states, parameters) = (lens[1], lens.len() == 3);
                let how = Numbers::RightHandSide { states, parameters };
                (format!("{name}_rhs"), how)
            }
            Abi::Casadi => return without("CasADi"),
            Abi::Diffsl(_) => return without("DiffSL's external object"),
        };
        self.0.numbers(&own, name, how).map_err(refused)
    }

    /// The object, for a source that is complete.
    pub(super) fn finish(mut self, name: &str, unit: &Unit) -> Result<Vec<u8>, CError> {
        let messages = files::messages(unit);
        let own = format!("{name}_message");
        self.0
            .messages(&own, &messages, files::NO_STATUS)
            .map_err(refused)?;
        elf::elf(name, self.0)
    }
}

fn without<T>(convention: &str) -> Result<T, CError> {
    abi::refuse(
        convention,
        "an object has no functions for it: export without `object`, and compile the source".into(),
    )
}
