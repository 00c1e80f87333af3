//! Code generators, one for each processor.

use std::sync::{LazyLock, Mutex};

use cranelift_codegen::isa;
use cranelift_codegen::settings::Configurable;
use wengert_run::{Arch, CompileError, Cpu, Known};

use crate::compile::{Isas, isas};

/// Where code is going to lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lies {
    /// Where it is put, and nowhere else.
    Here,
    /// Wherever a linker or a loader puts it.
    Anywhere,
}

/// The code generator for a processor, made once.
pub(crate) fn isas_of(cpu: Cpu, lies: Lies) -> Result<&'static Isas, CompileError> {
    type Made = Vec<((Cpu, Lies), &'static Isas)>;
    static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(|e| e.into_inner());
    if let Some((_, isas)) = made.iter().find(|(known, _)| *known == (cpu, lies)) {
        return Ok(isas);
    }
    let isas = Box::leak(Box::new(isas(|| builder(cpu), lies)?));
    made.push(((cpu, lies), isas));
    Ok(isas)
}

fn builder(cpu: Cpu) -> Result<isa::Builder, String> {
    let is_host = cpu.known() == Known::Host;
    let mut builder = match cpu.arch() {
        arch if arch == Arch::HOST => cranelift_native::builder_with_options(is_host)?,
        Arch::X86_64 => by_name("x86_64-unknown-linux-gnu")?,
        Arch::Arm64 => by_name("aarch64-unknown-linux-gnu")?,
        Arch::Other => return Err("an architecture that is not known".to_string()),
    };
    if let Known::Level(level) = cpu.known() {
        builder.enable(level).map_err(|e| e.to_string())?;
        // The generator's feature levels do not include AVX itself, and it uses no later extension
        // without it.
        builder.enable("has_avx").map_err(|e| e.to_string())?;
    }
    Ok(builder)
}

fn by_name(triple: &str) -> Result<isa::Builder, String> {
    isa::lookup_by_name(triple).map_err(|e| e.to_string())
}
