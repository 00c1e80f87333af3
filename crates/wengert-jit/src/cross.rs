//! Code for any processor, for inspection. For the current processor it is the code that
//! [`compile`](crate::compile()) runs.

use cranelift_codegen::ir::LibCall;
use cranelift_module::{ModuleRelocTarget, default_libcall_names};
use wengert_loop::loops::{Program, ScalarOp};
use wengert_loop::types::DType;
use wengert_run::Cpu;
use wengert_run::library::helpers;
use wengert_run::{CompileError, Listed, Options, Size};

use crate::compile::{caught, module, prepared, release};
use crate::emit::how::{self, How, Machine};
use crate::emit::session;
use crate::plan;
use crate::target::{Lies, isas_of};

/// How an operation is written in lanes for a processor. `from` is the type of its last operand, `to`
/// that of its result; `even` says whether the last operand is the same in all lanes.
///
/// # Errors
/// If the code generator was built without that processor.
pub fn how(
    op: ScalarOp,
    from: DType,
    to: DType,
    even: bool,
    cpu: Cpu,
) -> Result<How, CompileError> {
    let [isa, _] = isas_of(cpu, Lies::Here)?;
    Ok(how::how(op, from, to, even, Machine::of(&**isa)))
}

/// Code that was generated for inspection and is not run.
#[derive(Debug)]
pub struct Unrun {
    /// The size of the code.
    pub size: Size,
    /// Its functions, if [`Options::listing`] asked for them.
    pub functions: Option<Vec<Listed>>,
}

/// Compiles a program for the processor of the options, whether or not it could run here.
///
/// # Errors
/// As [`compile`](crate::compile()), if the code generator was built without that processor, and if the code calls
/// a function that the runtime does not have.
pub fn code_for(program: &Program, options: &Options) -> Result<Unrun, CompileError> {
    caught(|| {
        let [isa, quick] = isas_of(options.cpu, Lies::Here)?;
        let prepared = prepared(program, options)?;
        let plan = plan::plan(prepared.as_ref().unwrap_or(program), options);
        let mut module = module(isa, None);
        let written = session::write(&plan, &mut module, &**isa, quick, options, None);
        release(module);
        let written = written?;
        let calls = written.code.iter().flat_map(|c| &c.relocs);
        for reloc in calls {
            if let ModuleRelocTarget::LibCall(call) = reloc.name {
                known(call)?;
            }
        }
        Ok(Unrun {
            size: Size {
                functions: written.code.len(),
                wide_loops: written.wide_loops,
                bytes: written.code.iter().map(|c| c.bytes.len()).sum(),
            },
            functions: written.listing,
        })
    })
}

/// Whether the runtime has a function that code may call.
fn known(call: LibCall) -> Result<(), CompileError> {
    let name = default_libcall_names()(call);
    let mut library = helpers::library().into_iter();
    match library.any(|(n, _)| n == name) {
        true => Ok(()),
        false => Err(CompileError::Codegen(format!("no `{name}` to call"))),
    }
}
