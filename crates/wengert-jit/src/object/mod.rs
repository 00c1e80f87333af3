//! Objects: code of programs for linkers, which needs neither this process nor a library of ours.
//!
//! Vector loops are in registers of 128 bits. Parallel loops run one step after the other, lists lie in memory that the caller
//! gives with the rest of the scratch, and kernels must have been [written as loops](wengert_loop::loops::kernel::as_loops).
//! What the processor lacks is called by the names that the C library has for it (`fma`, `floor`, ..); 64-bit ARM and
//! x86-64-v3 lack nothing.

mod entry;
mod helpers;
mod module;

use cranelift_codegen::ir::{self, Function};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Module};
use wengert_loop::loops::{Failure, Program, Stmt, walk};
use wengert_run::{Arch, CompileError, Cpu, Options, Vectors};

use self::module::Pieces;
use crate::compile::{caught, refused};
use crate::emit::outside::{Linked, Shared};
use crate::emit::session;
use crate::plan;
use crate::target::{Lies, isas_of};

pub use self::entry::Numbers;

/// What a piece is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Code.
    Code,
    /// Data that is only read.
    Data,
    /// Data with addresses in it, which is only read when these are known.
    Pointers,
}

/// A piece of an object, which a linker may put anywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The name by which others know it; without one it is for the object alone.
    pub name: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// The number of bytes of which its address is a multiple.
    pub align: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What is to be written into them, when addresses are known.
    pub references: Vec<Reference>,
}

/// What a reference refers to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A piece, by its number.
    Piece(usize),
    /// What has this name elsewhere.
    Named(String),
}

/// An address to be written into a piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// The offset in the bytes of the piece.
    pub at: u32,
    /// How it is written.
    pub way: Way,
    /// What it is the address of.
    pub to: Target,
    /// What is added to the address.
    pub addend: i64,
}

/// How the address of a reference is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// In 64 bits.
    Address,
    /// As a distance of 32 bits; to a function, perhaps to a stub that jumps there.
    X86Near,
    /// As the distance of a call, perhaps to a stub that jumps there.
    Arm64Call,
    /// As the distance to its page.
    Arm64Page,
    /// As its place in its page.
    Arm64InPage,
}

/// An object in the making: functions made of programs, and what they share. All functions work in one kind of scratch.
///
/// ```
/// use wengert_jit::Cpu;
/// use wengert_jit::object::{Kind, Object};
/// use wengert_loop::loops::Program;
///
/// let program = Program::parse("
/// b0: f64[3] input 0
/// b1: f64[1] output 0
/// x: f64 = b0[2]
/// y: f64 = mul x, x
/// b1[0] = y
/// ")?;
/// let mut object = Object::new(Cpu::baseline(), 1 << 16)?;
/// // It can fail in no way, so there is no status to choose.
/// object.add(&program, "square", (1, 1), &mut |_| 16)?;
/// let pieces = object.finish()?;
/// let square = pieces.iter().find(|p| p.name.as_deref() == Some("square")).unwrap();
/// assert_eq!(square.kind, Kind::Code);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Object {
    cpu: Cpu,
    module: Pieces,
    shared: Shared,
    scratch: usize,
    list_bytes: usize,
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (cpu, scratch) = (self.cpu, self.scratch);
        let mut f = f.debug_struct("Object");
        f.field("cpu", &cpu).field("scratch", &scratch);
        f.finish_non_exhaustive()
    }
}

/// The status of a call whose lists found no memory.
pub const LISTS_FULL: i32 = 1;

impl Object {
    /// Begins an object for a processor. Lists of a call have so many bytes, or eight times as many if they are built in
    /// lanes.
    ///
    /// # Errors
    /// If the code generator was built without that processor.
    pub fn new(cpu: Cpu, list_bytes: usize) -> Result<Object, CompileError> {
        let [isa, _] = isas_of(cpu, Lies::Anywhere)?;
        Ok(Object {
            cpu,
            module: Pieces::new(&**isa),
            shared: Shared::default(),
            scratch: 0,
            list_bytes,
        })
    }

    /// Adds a function for a [verified](wengert_loop::loops::verify) program without kernels:
    /// `int NAME(const double* x, .., double* y, .., void* scratch)`, with so many inputs and outputs. It returns 0,
    /// [`LISTS_FULL`], or what `statuses` says of the failure of the program that ended it.
    ///
    /// # Errors
    /// If the program has a kernel, the name is taken, or the generator refuses the program.
    pub fn add(
        &mut self,
        program: &Program,
        name: &str,
        ports: (usize, usize),
        statuses: &mut dyn FnMut(&Failure) -> i32,
    ) -> Result<(), CompileError> {
        let mut kernel = None;
        walk::stmts(&program.body, &mut |s| {
            if let Stmt::Kernel { kernel: k, .. } = s {
                kernel = Some(k.description());
            }
        });
        if let Some(kernel) = kernel {
            let message = format!("{kernel} is a function of the runtime, which no object has");
            return Err(CompileError::Codegen(message));
        }
        caught(|| self.add_loops(program, name, ports, statuses))
    }

    fn add_loops(
        &mut self,
        program: &Program,
        name: &str,
        ports: (usize, usize),
        statuses: &mut dyn FnMut(&Failure) -> i32,
    ) -> Result<(), CompileError> {
        let options = Options {
            cpu: self.cpu,
            vectors: Vectors::Narrow,
            unroll: false,
            ..Options::default()
        };
        let [isa, quick] = isas_of(self.cpu, Lies::Anywhere)?;
        let plan = plan::plan(program, &options);
        let linked = Linked::new(&mut self.shared, statuses, &plan.scratch.call);
        let linked = Some(linked);
        let written = session::write(&plan, &mut self.module, &**isa, quick, &options, linked)?;
        for f in &written.code {
            let defined = (self.module).define_function_bytes(f.id, f.align, &f.bytes, &f.relocs);
            defined.map_err(refused)?;
        }
        let (mut lists, mut in_lanes) = (false, false);
        walk::stmts(&plan.program.body, &mut |s| {
            if let Stmt::ListBegin { list } = s {
                lists = true;
                in_lanes |= plan.program.lists[list.0 as usize].lanes;
            }
        });
        let lists = match (lists, in_lanes) {
            (false, _) => 0,
            (true, false) => self.list_bytes,
            (true, true) => self.list_bytes.saturating_mul(wengert_loop::loops::LANES),
        };
        self.entry(name, ports, &written, lists)
    }

    /// Returns the bytes of scratch that the functions so far work in. It may lie anywhere.
    pub fn scratch_bytes(&self) -> usize {
        self.scratch
    }

    /// Finishes the object.
    ///
    /// # Errors
    /// If the generator refuses one of the functions that others share.
    pub fn finish(mut self) -> Result<Vec<Piece>, CompileError> {
        caught(|| self.write_helpers())?;
        self.module.finish()
    }

    /// Returns the architecture that it is for.
    pub fn arch(&self) -> Arch {
        self.cpu.arch()
    }

    /// Writes a function that is no program.
    fn write(
        &mut self,
        id: FuncId,
        body: impl FnOnce(&mut Pieces, &mut FunctionBuilder<'_>, &[ir::Value]),
    ) -> Result<(), CompileError> {
        let declared = self.module.declarations().get_function_decl(id);
        let signature = declared.signature.clone();
        let mut context = self.module.make_context();
        context.func = Function::with_name_signature(Default::default(), signature);
        let mut space = FunctionBuilderContext::new();
        let mut b = FunctionBuilder::new(&mut context.func, &mut space);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let params = b.block_params(entry).to_vec();
        body(&mut self.module, &mut b, &params);
        b.seal_all_blocks();
        let config = self.module.isa().frontend_config();
        b.finalize(config);
        (self.module)
            .define_function(id, &mut context)
            .map_err(refused)
    }
}
