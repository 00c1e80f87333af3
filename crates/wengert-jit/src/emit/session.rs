//! The state that the functions of one program share while they are written.

pub(super) mod kept;

use std::collections::HashMap;

use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, Signature, types};
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Module, ModuleReloc};
use wengert_loop::loops::{BufferKind, For, LANES, ListId};
use wengert_loop::types::DType;
use wengert_run::call::layout::{FrameShape, Layout};
use wengert_run::call::lists::Slot;
use wengert_run::{CompileError, Listed, Options};

pub(crate) use self::kept::Kept;
use self::kept::keep;
use super::how::Machine;
use super::outside::Linked;
use super::{Emitter, Lanes, Location, Unit, scalar_type};
use crate::compile::refused;
use crate::lines::{Traced, traced};
use crate::memory;
use crate::plan::{Plan, Values, plan_function};
use crate::zmm::{self, About, FrameSlots, ListPlace, Places, VectorLoop};

/// Code without a loop runs once a call; above this number of instructions it takes the quick
/// allocator.
const ONCE: usize = 1500;

/// The state of writing a program.
pub(crate) struct Session<'p> {
    pub(super) plan: &'p Plan,
    pub(super) module: &'p mut dyn Module,
    pub(super) isa: &'p dyn TargetIsa,
    /// The target with the allocator for long functions.
    quick: &'p OwnedTargetIsa,
    pub(super) machine: Machine,
    /// The number of arguments of the program.
    pub(super) inputs: usize,
    call: Layout<'p>,
    task: Layout<'p>,
    /// The slots that wide loops use in each kind of frame.
    spare: HashMap<Unit, FrameSlots>,
    scratch: HashMap<(Unit, usize), i32>,
    scatter: HashMap<Unit, (i32, i32)>,
    lists: HashMap<(Unit, ListId), i32>,
    areas: HashMap<(Unit, usize), i32>,
    functions: HashMap<(u32, bool, Unit), FuncId>,
    waiting: Vec<Waiting<'p>>,
    pub(super) code: Vec<Code>,
    wide_loops: usize,
    units: u32,
    context: Context,
    builder: FunctionBuilderContext,
    /// The number of instructions above which the quick allocator is used.
    long: usize,
    /// The text of each function, if requested.
    listing: Option<Vec<Listed>>,
    /// Whether a table of the lines of the code is wanted.
    lines: bool,
    kept: Kept,
    /// The object that the program becomes a part of, if it does not run in this process.
    pub(super) linked: Option<Linked<'p>>,
}

enum Waiting<'p> {
    Body(FuncId, &'p For),
    Function(FuncId, u32, bool, Unit),
}

/// The code of a function.
pub(crate) struct Code {
    pub id: FuncId,
    pub align: u64,
    pub bytes: Vec<u8>,
    pub relocs: Vec<ModuleReloc>,
    /// The places that it comes from, if they were asked for.
    pub traced: Option<Traced>,
}

impl Code {
    /// The largest number of bytes that it needs.
    pub(crate) fn space(&self) -> usize {
        memory::space(self.bytes.len(), self.relocs.len(), self.align)
    }
}

/// A written program, before its code is final.
pub(crate) struct Written {
    /// The outer function.
    pub main: FuncId,
    /// The numbers of pointers of inputs, and of outputs, which follow.
    pub pointers: (usize, usize),
    /// Whether it has a parallel loop, whose tasks have frames of their own.
    pub tasks: bool,
    /// The frame of a call.
    pub call: FrameShape,
    /// The frame of a task.
    pub task: FrameShape,
    /// The functions, to be placed in one block of memory.
    pub code: Vec<Code>,
    /// The number of vector loops in wide registers among them.
    pub wide_loops: usize,
    /// The data that the code points to.
    pub kept: Kept,
    /// The text of each function, if requested.
    pub listing: Option<Vec<Listed>>,
}

/// Writes a program, to be run in this process or as a part of an object.
pub(crate) fn write<'p>(
    plan: &'p Plan,
    module: &'p mut dyn Module,
    isa: &'p dyn TargetIsa,
    quick: &'p OwnedTargetIsa,
    options: &Options,
    linked: Option<Linked<'p>>,
) -> Result<Written, CompileError> {
    let count = |want: fn(&BufferKind) -> Option<u32>| {
        plan.program
            .buffers
            .iter()
            .filter_map(|b| want(&b.kind))
            .max()
            .map_or(0, |n| n as usize + 1)
    };
    let inputs = count(|k| match k {
        BufferKind::Input(i) => Some(*i),
        _ => None,
    });
    let outputs = count(|k| match k {
        BufferKind::Output(i) => Some(*i),
        _ => None,
    });
    let mut s = Session {
        plan,
        isa,
        quick,
        machine: Machine::of(isa),
        inputs,
        call: Layout::new(inputs + outputs, &plan.scratch.call),
        task: Layout::new(inputs + outputs, &plan.scratch.task),
        spare: HashMap::new(),
        scratch: HashMap::new(),
        scatter: HashMap::new(),
        lists: HashMap::new(),
        areas: HashMap::new(),
        functions: HashMap::new(),
        waiting: Vec::new(),
        code: Vec::new(),
        wide_loops: 0,
        units: 0,
        context: module.make_context(),
        builder: FunctionBuilderContext::new(),
        long: options.quick_above,
        listing: options.listing.then(Vec::new),
        lines: options.lines,
        kept: Kept::default(),
        module,
        linked,
    };
    let mut locations = vec![Location::none(); plan.values.types.len()];
    let main = s.declare(&[types::I64])?;
    s.write_main(main, &mut locations)?;
    let mut at = 0;
    while at < s.waiting.len() {
        match s.waiting[at] {
            Waiting::Body(id, stmt) => s.write_body(id, stmt, &mut locations)?,
            Waiting::Function(id, f, lanes, unit) => s.write_function(id, f, lanes, unit)?,
        }
        at += 1;
    }
    s.finish_constants();
    Ok(Written {
        pointers: (inputs, outputs),
        tasks: s.waiting.iter().any(|w| matches!(w, Waiting::Body(..))),
        main,
        call: s.call.finish(),
        task: s.task.finish(),
        code: s.code,
        wide_loops: s.wide_loops,
        kept: s.kept,
        listing: s.listing,
    })
}

impl<'p> Session<'p> {
    pub(super) fn layout(&mut self, unit: Unit) -> &mut Layout<'p> {
        match unit {
            Unit::Call => &mut self.call,
            Unit::Task => &mut self.task,
        }
    }

    fn signature(&self, params: &[cranelift_codegen::ir::Type]) -> Signature {
        let mut sig = Signature::new(self.isa.default_call_conv());
        sig.params.extend(params.iter().map(|&t| AbiParam::new(t)));
        sig
    }

    /// Declares a function that returns a status.
    fn declare(&mut self, params: &[cranelift_codegen::ir::Type]) -> Result<FuncId, CompileError> {
        let mut sig = self.signature(params);
        sig.returns.push(AbiParam::new(types::I32));
        self.module
            .declare_anonymous_function(&sig)
            .map_err(refused)
    }

    /// Writes a function and compiles it.
    #[allow(clippy::too_many_arguments)]
    fn emit(
        &mut self,
        id: FuncId,
        unit: Unit,
        values: &Values,
        locations: &mut Vec<Location>,
        lanes: bool,
        name: &str,
        body: impl FnOnce(&mut Emitter<'_, 'p>),
    ) -> Result<(), CompileError> {
        let sig = self
            .module
            .declarations()
            .get_function_decl(id)
            .signature
            .clone();
        let mut func = Function::with_name_signature(Default::default(), sig);
        let mut builder_context = std::mem::take(&mut self.builder);
        let mut b = FunctionBuilder::new(&mut func, &mut builder_context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let frame = b.block_params(entry)[0];
        self.units += 1;
        let number = self.units;
        let pure = !std::ptr::eq(values, &self.plan.values);
        let lines = self.lines && !pure;
        let mut e = Emitter {
            b,
            s: self,
            v: values,
            locations,
            unit,
            id: number,
            frame,
            lanes: lanes.then_some(Lanes { bounds: None }),
            mask: None,
            parallel: unit == Unit::Task,
            spread: HashMap::new(),
            negated: HashMap::new(),
            constant: None,
            near: None,
            kept: HashMap::new(),
            called: 0,
            fail: None,
            signatures: HashMap::new(),
            loops: false,
            lines,
        };
        body(&mut e);
        let loops = e.loops;
        e.finish();
        self.builder = builder_context;
        self.define(id, func, loops, name, pure)
    }

    fn define(
        &mut self,
        id: FuncId,
        func: Function,
        loops: bool,
        name: &str,
        pure: bool,
    ) -> Result<(), CompileError> {
        self.context.clear();
        self.context.func = func;
        if let Some(listing) = &mut self.listing {
            listing.push(Listed {
                name: name.to_string(),
                text: self.context.func.display().to_string(),
                assembly: String::new(),
            });
            self.context.set_disasm(true);
        }
        let size = self.context.func.dfg.num_insts();
        let long = size > self.long || (size > ONCE && !loops);
        let isa: &dyn TargetIsa = if long { &**self.quick } else { self.isa };
        self.context
            .compile(isa, &mut Default::default())
            .map_err(|e| {
                CompileError::Codegen(cranelift_codegen::print_errors::pretty_error(
                    e.func, e.inner,
                ))
            })?;
        let code = self.context.compiled_code().expect("it was just compiled");
        let listed = self.listing.as_mut().and_then(|l| l.last_mut());
        if let (Some(listed), Some(assembly)) = (listed, &code.vcode) {
            listed.assembly.clone_from(assembly);
        }
        let align = u64::from(code.buffer.alignment);
        let bytes = code.code_buffer().to_vec();
        let relocs: Vec<ModuleReloc> = code
            .buffer
            .relocs()
            .iter()
            .map(|r| ModuleReloc::from_mach_reloc(r, &self.context.func, id))
            .collect();
        let len = bytes.len() as u32;
        let traced = self
            .lines
            .then(|| traced(&code.buffer, len, &relocs, name, pure));
        self.code.push(Code {
            id,
            align,
            bytes,
            relocs,
            traced,
        });
        Ok(())
    }

    /// Writes the outermost block as one function, or, if it is long, as one that calls several.
    fn write_main(
        &mut self,
        main: FuncId,
        locations: &mut Vec<Location>,
    ) -> Result<(), CompileError> {
        let plan = self.plan;
        let stmts = &plan.program.body.stmts;
        let cuts = &plan.values.live.cuts;
        let mut parts = Vec::new();
        let mut begin = 0;
        for end in cuts.iter().copied().chain([stmts.len()]) {
            parts.push(&stmts[begin..end]);
            begin = end;
        }
        let mut ids = vec![main];
        if parts.len() > 1 {
            ids.clear();
            for _ in &parts {
                ids.push(self.declare(&[types::I64])?);
            }
        }
        let name = if ids.len() == 1 {
            "call"
        } else {
            "part of the call"
        };
        for (&id, part) in ids.iter().zip(parts) {
            self.emit(id, Unit::Call, &plan.values, locations, false, name, |e| {
                e.uniform_stmts(part);
                e.succeed();
            })?;
        }
        if ids.len() == 1 {
            return Ok(());
        }
        self.emit(
            main,
            Unit::Call,
            &plan.values,
            locations,
            false,
            "call",
            |e| {
                for id in ids {
                    let f = e.s.module.declare_func_in_func(id, e.b.func);
                    let call = e.b.ins().call(f, &[e.frame]);
                    let status = e.b.inst_results(call)[0];
                    e.check(status);
                }
                e.succeed();
            },
        )
    }

    /// Declares the function of a parallel loop's body, which is written later.
    pub(super) fn parallel_body(&mut self, l: &'p For) -> FuncId {
        let id = self
            .declare(&[types::I64, types::I64, types::I64])
            .expect("an anonymous function can be declared");
        self.waiting.push(Waiting::Body(id, l));
        id
    }

    fn write_body(
        &mut self,
        id: FuncId,
        l: &'p For,
        locations: &mut Vec<Location>,
    ) -> Result<(), CompileError> {
        let values = &self.plan.values;
        let name = "body of a parallel loop";
        self.emit(id, Unit::Task, values, locations, false, name, |e| {
            e.parallel_body(l);
            e.succeed();
        })
    }

    /// Writes the function of a vector loop that has wide code.
    pub(super) fn wide_loop(
        &mut self,
        l: &VectorLoop<'p>,
        mut places: Places,
        unit: Unit,
    ) -> FuncId {
        let id = self
            .declare(&[types::I64])
            .expect("an anonymous function can be declared");
        for list in zmm::built(&l.looped.body) {
            let place = ListPlace {
                slot: self.list_slot(unit, list),
                line: self.list_line(list),
            };
            places.lists.insert(list, place);
        }
        let layout = match unit {
            Unit::Call => &mut self.call,
            Unit::Task => &mut self.task,
        };
        let kept = &mut self.kept.values;
        let zmm::Wide {
            bytes,
            text,
            lines,
            calls,
        } = zmm::write(
            l,
            self.plan,
            places,
            layout,
            self.spare.entry(unit).or_default(),
            &mut |value| keep(kept, value) as i64,
            About {
                text: self.listing.is_some(),
                lines: self.lines,
            },
        );
        let bits = self.plan.cpu.wide_loops().unwrap_or_default();
        if let (Some(listing), Some(assembly)) = (&mut self.listing, text) {
            listing.push(Listed {
                name: match l.blocks.lanes {
                    LANES => format!("vector loop in registers of {bits} bits"),
                    n => format!("vector loop of {n} lanes in registers of {bits} bits"),
                },
                text: "; written without it: see the machine code\n".to_string(),
                assembly,
            });
        }
        self.wide_loops += 1;
        self.code.push(Code {
            id,
            align: 64,
            bytes,
            relocs: Vec::new(),
            traced: self.lines.then(|| Traced {
                name: "vector loop".to_string(),
                pure: false,
                lines,
                calls,
            }),
        });
        id
    }

    /// The native function of a pure function, which is written later.
    pub(super) fn function(&mut self, f: u32, lanes: bool, unit: Unit) -> FuncId {
        if let Some(&id) = self.functions.get(&(f, lanes, unit)) {
            return id;
        }
        let function = &self.plan.program.functions[f as usize];
        let mut sig = self.signature(&[types::I64]);
        if !lanes {
            for p in &function.params {
                let d = function.values[p.0 as usize];
                sig.params.push(AbiParam::new(scalar_type(d)));
            }
            let out = function.values[function.body.results[0].0 as usize];
            sig.returns.push(AbiParam::new(scalar_type(out)));
        }
        let id = self
            .module
            .declare_anonymous_function(&sig)
            .expect("an anonymous function can be declared");
        self.functions.insert((f, lanes, unit), id);
        self.waiting.push(Waiting::Function(id, f, lanes, unit));
        id
    }

    fn write_function(
        &mut self,
        id: FuncId,
        f: u32,
        lanes: bool,
        unit: Unit,
    ) -> Result<(), CompileError> {
        let plan = self.plan;
        let function = &plan.program.functions[f as usize];
        let values = plan_function(function, lanes);
        let mut locations = vec![Location::none(); values.types.len()];
        let area = lanes.then(|| self.call_area(unit, function.params.len()));
        let name = &function.name;
        self.emit(id, unit, &values, &mut locations, lanes, name, |e| {
            let entry = e.b.current_block().expect("a block is open");
            let result = function.body.results[0];
            match area {
                Some(area) => {
                    for (n, &p) in function.params.iter().enumerate() {
                        e.define_in_frame(p, area + 64 * (n as i32 + 1));
                    }
                    e.lane_block(&function.body);
                    let bool = e.dtype(result) == DType::Bool;
                    let narrow = !bool && e.is_narrow(result);
                    for i in 0..if narrow { 2 } else { 4 } {
                        let x = if bool {
                            e.mask_piece(result, false, i)
                        } else {
                            e.piece(result, i)
                        };
                        let off = area + 16 * i as i32;
                        e.b.ins().store(super::FRAME, x, e.frame, off);
                    }
                    e.b.ins().return_(&[]);
                }
                None => {
                    let regs = e.b.block_params(entry)[1..].to_vec();
                    for (&p, x) in function.params.iter().zip(regs) {
                        e.define(p, &[x]);
                    }
                    e.block(&function.body);
                    let y = e.scalar(result);
                    e.b.ins().return_(&[y]);
                }
            }
        })
    }

    /// Memory for `args` lane vectors, the arguments of a function, and for its result.
    pub(super) fn call_area(&mut self, unit: Unit, args: usize) -> i32 {
        if let Some(&off) = self.areas.get(&(unit, args)) {
            return off;
        }
        let off = self.layout(unit).reserve(64 * (args as u32 + 1));
        self.areas.insert((unit, args), off);
        off
    }

    /// The memory that stands in for the n-th row of a segment.
    pub(super) fn scratch(&mut self, unit: Unit, n: usize) -> i32 {
        if let Some(&off) = self.scratch.get(&(unit, n)) {
            return off;
        }
        let off = self.layout(unit).reserve(64);
        self.scratch.insert((unit, n), off);
        off
    }

    /// Memory for the element numbers and the elements of a scattered store.
    pub(super) fn scatter_scratch(&mut self, unit: Unit) -> (i32, i32) {
        if let Some(&offs) = self.scatter.get(&unit) {
            return offs;
        }
        let layout = self.layout(unit);
        let offs = (layout.reserve(64), layout.reserve(64));
        self.scatter.insert(unit, offs);
        offs
    }

    /// The words of a list under construction.
    pub(super) fn list_slot(&mut self, unit: Unit, id: ListId) -> i32 {
        if let Some(&off) = self.lists.get(&(unit, id)) {
            return off;
        }
        let off = self.layout(unit).reserve(size_of::<Slot>() as u32);
        self.lists.insert((unit, id), off);
        off
    }

    /// The line of the loop that builds a list, for its error.
    pub(super) fn list_line(&mut self, id: ListId) -> i64 {
        self.source(self.plan.program.lists[id.0 as usize].at) as i64
    }
}
