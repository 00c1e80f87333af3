//! From a program to an executable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module, ModuleError, default_libcall_names};
use wengert_ir::error::said;
use wengert_ir::loops::Program;
use wengert_ir::loops::promote::promote;
use wengert_ir::loops::unroll::unroll;
use wengert_ir::loops::verify::verify;

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
    /// Whether elementary functions in lanes are those of the runtime, where the machine has vectors
    /// for them that generated code has not.
    pub wide: bool,
    /// Whether to use no more than what every processor of the architecture has. Slower, and a test
    /// of what better ones never run.
    pub baseline: bool,
    /// Whether to keep the text of the code and the program it was made of, see [`Executable::listing`].
    pub listing: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            list_limit: 8 << 30,
            quick_above: 20_000,
            parallel_above: 80_000,
            unroll: true,
            wide: true,
            baseline: false,
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

fn target(allocator: &str, native: bool) -> Result<OwnedTargetIsa, CompileError> {
    let wrong = |e: &dyn std::fmt::Display| CompileError::Machine(e.to_string());
    let mut flags = settings::builder();
    let checked = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
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
    cranelift_native::builder_with_options(native)
        .map_err(|e| wrong(&e))?
        .finish(settings::Flags::new(flags))
        .map_err(|e| wrong(&e))
}

/// The target with the two allocators, made once.
fn targets(baseline: bool) -> Result<&'static [OwnedTargetIsa; 2], CompileError> {
    static TARGETS: [OnceLock<[OwnedTargetIsa; 2]>; 2] = [OnceLock::new(), OnceLock::new()];
    let known = &TARGETS[usize::from(baseline)];
    if let Some(t) = known.get() {
        return Ok(t);
    }
    let t = [
        target("backtracking", !baseline)?,
        target("single_pass", !baseline)?,
    ];
    Ok(known.get_or_init(|| t))
}

/// Compiles a program to machine code.
///
/// # Errors
/// If there is no code generator for the machine, or the program is malformed.
pub fn compile(program: &Program, options: &Options) -> Result<Executable, CompileError> {
    let result = catch_unwind(AssertUnwindSafe(|| build(program, options)));
    result.unwrap_or_else(|payload| {
        let text = said(&*payload);
        Err(CompileError::Internal(
            text.unwrap_or_else(|| "a panic".to_string()),
        ))
    })
}

fn build(program: &Program, options: &Options) -> Result<Executable, CompileError> {
    let [isa, quick] = targets(options.baseline)?;
    let unrolled = options.unroll.then(|| promote(&unroll(program)));
    let program = unrolled.as_ref().unwrap_or(program);
    if cfg!(debug_assertions) && options.unroll {
        verify(program).map_err(CompileError::Internal)?;
    }
    let plan = plan::plan(program, options.wide && !options.baseline);
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.symbols(helpers::library());
    let space = Arc::new(AtomicUsize::new(0));
    builder.memory_provider(Box::new(CodeMemory::new(space.clone())));
    let mut module = JITModule::new(builder);
    let written = session::write(&plan, &mut module, &**isa, quick, options);
    let finished = written.and_then(|mut w| {
        let size = Size {
            functions: w.code.len(),
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
            // SAFETY: nothing of this module has been or will be called.
            unsafe { module.free_memory() };
            Err(e)
        }
    }
}
