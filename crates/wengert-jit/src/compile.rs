//! Compiles a program to an executable.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use wengert_loop::error::said;
use wengert_loop::loops::Program;
use wengert_loop::loops::prepare::prepare;
use wengert_loop::loops::verify::verify;
use wengert_loop::panics;
use wengert_loop::target::Target;
use wengert_loop::timing::timed;
use wengert_run::library::helpers;
use wengert_run::lines::{CallSite, LineTable, Native};
use wengert_run::perf;
use wengert_run::{Backend, CompileError, Executable, Listing, Made, Options, Size};

use crate::code::MachineCode;
use crate::emit::session::{self, Code};
use crate::lines::Traced;
use crate::memory::CodeMemory;
use crate::plan;
use crate::target::{Lies, isas_of};

/// The Cranelift back end. Vector loops in 512-bit registers are written by this crate's own
/// generator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cranelift;

impl Backend for Cranelift {
    fn name(&self) -> String {
        "Cranelift".into()
    }

    fn target(&self, options: &Options) -> Target {
        let target = Target::default().with_threads(wengert_run::threads);
        target.with_fused(options.cpu.has_fma())
    }

    fn compile(&self, program: &Program, options: &Options) -> Result<Executable, CompileError> {
        caught(|| build(program, options))
    }
}

/// Wraps an error of the code generator.
pub(crate) fn refused(e: ModuleError) -> CompileError {
    CompileError::Codegen(e.to_string())
}

/// A target with each of two register allocators: the thorough one, and the one for long functions.
pub(crate) type Isas = [OwnedTargetIsa; 2];

/// A target with our settings.
pub(crate) fn isas(
    builder: impl Fn() -> Result<isa::Builder, String>,
    lies: Lies,
) -> Result<Isas, CompileError> {
    let wrong = |e: &dyn std::fmt::Display| CompileError::Machine(e.to_string());
    let checked = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    let near = match lies {
        Lies::Here => "false",
        Lies::Anywhere => "true",
    };
    let target = |allocator: &str| {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "none"),
            ("regalloc_algorithm", allocator),
            ("enable_verifier", checked),
            ("enable_alias_analysis", "false"),
            // Then code of x86 finds what is near by distance, and otherwise in a table of addresses, to which nothing
            // can be added.
            ("is_pic", "false"),
            ("use_colocated_libcalls", near),
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
    Cranelift.compile(program, options)
}

/// The result of `f`, with a panic of the code generator as an error.
pub(crate) fn caught<T>(f: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
    panics::caught(f).unwrap_or_else(|panic| {
        let text = said(&*panic.payload);
        Err(CompileError::Internal(
            text.unwrap_or_else(|| "a panic".to_string()),
        ))
    })
}

/// The program after the passes that make it faster, if the options ask for them.
pub(crate) fn prepared(
    program: &Program,
    options: &Options,
) -> Result<Option<Program>, CompileError> {
    let prepared = options
        .unroll
        .then(|| timed("prepare", || prepare(program)));
    if cfg!(debug_assertions)
        && let Some(p) = &prepared
    {
        verify(p).map_err(CompileError::Internal)?;
    }
    Ok(prepared)
}

/// A module for the functions of a program.
pub(crate) fn module(isa: &OwnedTargetIsa, memory: Option<CodeMemory>) -> JITModule {
    let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
    builder.symbols(helpers::library());
    if let Some(memory) = memory {
        builder.memory_provider(Box::new(memory));
    }
    JITModule::new(builder)
}

/// Frees the memory of a module that was never run.
pub(crate) fn release(module: JITModule) {
    // SAFETY: nothing of this module has been or will be called.
    unsafe { module.free_memory() };
}

/// The table of where the code of finished functions comes from.
fn table(module: &JITModule, traced: Vec<(FuncId, usize, Traced)>) -> LineTable {
    let mut traced = traced;
    let address = |id: FuncId| module.get_finalized_function(id) as usize;
    traced.sort_by_key(|(id, ..)| address(*id));
    let numbers: HashMap<FuncId, u32> = (traced.iter().enumerate())
        .map(|(n, (id, ..))| (*id, n as u32))
        .collect();
    let functions = traced.into_iter().map(|(id, len, traced)| {
        let calls = traced.calls.iter().map(|c| CallSite {
            back: c.back,
            depth: c.depth,
            callee: c.callee.and_then(|id| numbers.get(&id).copied()),
        });
        let calls: Vec<CallSite> = calls.collect();
        let mut depths: Vec<u32> = calls.iter().map(|c| c.depth).collect();
        depths.sort_unstable();
        depths.dedup();
        Native {
            address: address(id),
            len,
            pure: traced.pure,
            calls,
            depths,
            lines: traced.lines,
            name: traced.name,
        }
    });
    LineTable {
        functions: functions.collect(),
    }
}

fn build(program: &Program, options: &Options) -> Result<Executable, CompileError> {
    let cpu = options.cpu;
    if !cpu.runs_here() {
        let message = format!("it has not got all that {cpu} has");
        return Err(CompileError::Machine(message));
    }
    let [isa, quick] = isas_of(cpu, Lies::Here)?;
    let prepared = prepared(program, options)?;
    let plan = timed("plan", || {
        plan::plan(prepared.as_ref().unwrap_or(program), options)
    });
    let space = Arc::new(AtomicUsize::new(0));
    let mut module = module(isa, Some(CodeMemory::new(space.clone())));
    let written = timed("write code", || {
        session::write(&plan, &mut module, &**isa, quick, options, None)
    });
    let finish = |mut w: session::Written| {
        let size = Size {
            functions: w.code.len(),
            wide_loops: w.wide_loops,
            bytes: w.code.iter().map(|c| c.bytes.len()).sum(),
        };
        let needs = w.code.iter().map(Code::space);
        space.store(needs.sum(), Ordering::Relaxed);
        let mut traced = vec![];
        for f in w.code.drain(..) {
            if let Some(t) = f.traced {
                traced.push((f.id, f.bytes.len(), t));
            }
            module
                .define_function_bytes(f.id, f.align, &f.bytes, &f.relocs)
                .map_err(refused)?;
        }
        module.finalize_definitions().map_err(refused)?;
        let lines = options.lines.then(|| table(&module, traced));
        if let Some(lines) = &lines {
            // SAFETY: the code is final, and lies where the table says.
            unsafe { perf::publish(lines) };
        }
        Ok((w, size, lines))
    };
    let finished = timed("place code", || written.and_then(finish));
    match finished {
        Ok((w, size, lines)) => {
            let made = Made {
                code: Box::new(MachineCode::new(module, w.main, w.kept)),
                call: w.call,
                task: w.task,
                choices: plan.reuse.choices,
                size,
                lines,
                listing: w.listing.map(|functions| Listing {
                    program: plan.program,
                    costs: plan.costs.expect("they were asked for"),
                    functions,
                }),
            };
            Ok(Executable::new(program, made, options))
        }
        Err(e) => {
            release(module);
            Err(e)
        }
    }
}
