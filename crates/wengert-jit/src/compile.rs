//! From a program to an executable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, ModuleError, default_libcall_names};
use wengert_loop::error::said;
use wengert_loop::loops::Program;
use wengert_loop::loops::promote::promote;
use wengert_loop::loops::unroll::unroll;
use wengert_loop::loops::verify::verify;
use wengert_loop::panics;

use crate::cpu::Cpu;
use crate::emit::session::{self, Code};
use crate::plan;
use crate::runtime::code::CodeMemory;
use crate::runtime::executable::{Executable, Size};
use crate::runtime::helpers;

/// How to compile, and limits of what is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that the lists of one call may take.
    pub list_limit: usize,
    /// Functions of more instructions than this are compiled by the quick register allocator:
    /// several times faster, and a third slower to run.
    pub quick_above: usize,
    /// Nanoseconds of work below which a parallel loop runs on the calling thread.
    pub parallel_above: u64,
    /// Whether short loops become straight lines, and elements of small arrays live in registers.
    pub unroll: bool,
    /// How much is done in registers wider than 128 bits, where the machine has them.
    pub vectors: Vectors,
    /// The processor that code is made for: one that has less than this machine's is slower, and a test of what
    /// better ones never run.
    pub cpu: Cpu,
    /// Whether to keep the text of the code and the program it was made of, see [`Executable::listing`].
    pub listing: bool,
}

/// What is done in registers wider than 128 bits. The results are the same, bit for bit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Vectors {
    /// Nothing.
    Narrow,
    /// Elementary functions in lanes, by the runtime.
    Functions,
    /// Vector loops too, where it pays.
    Loops,
    /// Every vector loop that there is such code for: for tests.
    AllLoops,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            list_limit: 8 << 30,
            quick_above: 20_000,
            parallel_above: 80_000,
            unroll: true,
            vectors: Vectors::Loops,
            cpu: Cpu::host(),
            listing: false,
        }
    }
}

/// Why a program could not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// There is no code generator for this machine: programs can be interpreted.
    #[error("no code for this machine: {0}")]
    Machine(String),
    /// The code generator refused.
    #[error("code generation failed: {0}")]
    Codegen(String),
    /// A malformed program, or a mistake of the code generator.
    #[error("code generation stopped: {0}")]
    Internal(String),
}

impl From<ModuleError> for CompileError {
    fn from(e: ModuleError) -> CompileError {
        CompileError::Codegen(e.to_string())
    }
}

/// A target, with either allocator: the thorough one, and the one for long functions.
pub(crate) type Isas = [OwnedTargetIsa; 2];

/// A target with our settings.
pub(crate) fn isas(
    builder: impl Fn() -> Result<isa::Builder, String>,
) -> Result<Isas, CompileError> {
    let wrong = |e: &dyn std::fmt::Display| CompileError::Machine(e.to_string());
    let checked = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    let target = |allocator: &str| {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "none"),
            ("regalloc_algorithm", allocator),
            ("enable_verifier", checked),
            ("enable_alias_analysis", "false"),
            ("use_colocated_libcalls", "false"),
            ("is_pic", "false"),
            ("unwind_info", "false"),
            ("enable_probestack", "false"),
        ] {
            flags.set(name, value).map_err(|e| wrong(&e))?;
        }
        builder()
            .map_err(CompileError::Machine)?
            .finish(settings::Flags::new(flags))
            .map_err(|e| wrong(&e))
    };
    Ok([target("backtracking")?, target("single_pass")?])
}

/// Compiles a program to machine code.
///
/// # Errors
/// If there is no code generator for the machine, this one has not got what [`Options::cpu`] has, or the program is
/// malformed.
pub fn compile(program: &Program, options: &Options) -> Result<Executable, CompileError> {
    caught(|| build(program, options))
}

/// What `f` gives, a panic of the code generator being an error.
pub(crate) fn caught<T>(f: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
    panics::caught(f).unwrap_or_else(|panic| {
        let text = said(&*panic.payload);
        Err(CompileError::Internal(
            text.unwrap_or_else(|| "a panic".to_string()),
        ))
    })
}

/// The program with its short loops written out, if that is wanted.
pub(crate) fn prepared(
    program: &Program,
    options: &Options,
) -> Result<Option<Program>, CompileError> {
    let unrolled = options.unroll.then(|| promote(&unroll(program)));
    if cfg!(debug_assertions)
        && let Some(p) = &unrolled
    {
        verify(p).map_err(CompileError::Internal)?;
    }
    Ok(unrolled)
}

/// A place for the functions of a program.
pub(crate) fn module(isa: &OwnedTargetIsa, memory: Option<CodeMemory>) -> JITModule {
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.symbols(helpers::library());
    if let Some(memory) = memory {
        builder.memory_provider(Box::new(memory));
    }
    JITModule::new(builder)
}

/// Throws away functions that nobody has seen.
pub(crate) fn release(module: JITModule) {
    // SAFETY: nothing of this module has been or will be called.
    unsafe { module.free_memory() };
}

fn build(program: &Program, options: &Options) -> Result<Executable, CompileError> {
    let cpu = options.cpu;
    if !cpu.runs_here() {
        let message = format!("it has not got all that {cpu} has");
        return Err(CompileError::Machine(message));
    }
    let [isa, quick] = cpu.isas()?;
    let prepared = prepared(program, options)?;
    let plan = plan::plan(prepared.as_ref().unwrap_or(program), options);
    let space = Arc::new(AtomicUsize::new(0));
    let mut module = module(isa, Some(CodeMemory::new(space.clone())));
    let written = session::write(&plan, &mut module, &**isa, quick, options);
    let finished = written.and_then(|mut w| {
        let size = Size {
            functions: w.code.len(),
            wide_loops: w.wide_loops,
            bytes: w.code.iter().map(|c| c.bytes.len()).sum(),
        };
        let needs = w.code.iter().map(Code::space);
        space.store(needs.sum(), Ordering::Relaxed);
        for f in w.code.drain(..) {
            module.define_function_bytes(f.id, f.align, &f.bytes, &f.relocs)?;
        }
        module.finalize_definitions()?;
        Ok((w, size))
    });
    match finished {
        Ok((w, size)) => Ok(Executable::new(module, w, plan, size, options)),
        Err(e) => {
            release(module);
            Err(e)
        }
    }
}
