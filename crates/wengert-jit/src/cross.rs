//! Code for processors other than the one at hand: to see that there is some.

use cranelift_codegen::ir::LibCall;
use cranelift_codegen::isa;
use cranelift_codegen::settings::Configurable;
use cranelift_module::{ModuleRelocTarget, default_libcall_names};
use wengert_loop::loops::{Program, ScalarOp};
use wengert_loop::types::DType;

use crate::compile::{
    CompileError, Isas, Options, Vectors, caught, isas, module, prepared, release,
};
use crate::emit::how::{self, How, Machine};
use crate::emit::session;
use crate::plan;
use crate::runtime::helpers;

/// Processors that code is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// What every x86-64 has: SSE2.
    X86_64,
    /// With AVX2 and fused multiply-add.
    X86_64V3,
    /// 64-bit ARM, with what each of them has.
    Arm64,
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 3] = [Target::X86_64, Target::X86_64V3, Target::Arm64];

    fn isas(self) -> Result<Isas, CompileError> {
        let (triple, preset) = match self {
            Target::X86_64 => ("x86_64-unknown-linux-gnu", None),
            Target::X86_64V3 => ("x86_64-unknown-linux-gnu", Some("x86-64-v3")),
            Target::Arm64 => ("aarch64-unknown-linux-gnu", None),
        };
        isas(|| {
            let mut builder = isa::lookup_by_name(triple).map_err(|e| e.to_string())?;
            if let Some(preset) = preset {
                builder.enable(preset).map_err(|e| e.to_string())?;
            }
            Ok(builder)
        })
    }
}

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
    target: Target,
) -> Result<How, CompileError> {
    let [isa, _] = &target.isas()?;
    Ok(how::how(op, from, to, even, Machine::of(&**isa)))
}

/// Compiles a program for a processor, to be thrown away. How many bytes of code it has.
///
/// # Errors
/// As [`compile`](crate::compile()), if the code generator was built without that processor, and if the code calls
/// a function that the runtime does not have.
pub fn code_for(
    program: &Program,
    target: Target,
    options: &Options,
) -> Result<usize, CompileError> {
    caught(|| {
        let isas = target.isas()?;
        let prepared = prepared(program, options)?;
        // What the runtime has is for this processor.
        let plan = plan::plan(prepared.as_ref().unwrap_or(program), Vectors::Narrow);
        let mut module = module(&isas[0], None);
        let written = session::write(&plan, &mut module, &*isas[0], &isas[1], options);
        release(module);
        let written = written?;
        let calls = written.code.iter().flat_map(|c| &c.relocs);
        for reloc in calls {
            if let ModuleRelocTarget::LibCall(call) = reloc.name {
                known(call)?;
            }
        }
        Ok(written.code.iter().map(|c| c.bytes.len()).sum())
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
