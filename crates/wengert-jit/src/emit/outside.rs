//! What code finds outside of itself: functions that it calls, and data. In the process that compiled it they are at
//! addresses. In an object they are other pieces of it, and no address is in the code.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Signature, types};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module, ModuleRelocTarget};
use wengert_loop::loops::{BufferId, Failure};
use wengert_run::CompileError;
use wengert_run::call::layout::Layout;
use wengert_run::call::lists::{NO_ROWS, Signpost};
use wengert_run::library::helpers;
use wengert_run::plan::scratch::Arena;

use super::session::Session;
use super::session::kept::PAD;
use super::{Emitter, FRAME, Held, Kept, Unit};
use crate::compile::refused;

/// A function that code calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Helper {
    RemF64,
    RemF32,
    /// Of bytes between regions that are disjoint or identical.
    Copy,
    ListGrow,
    ListFinish,
    /// One of the runtime, which no object has.
    At(usize),
}

impl Helper {
    /// Its address in this process.
    pub(super) fn address(self) -> usize {
        match self {
            Helper::RemF64 => helpers::rem_f64 as *const () as usize,
            Helper::RemF32 => helpers::rem_f32 as *const () as usize,
            Helper::Copy => helpers::copy as *const () as usize,
            Helper::ListGrow => helpers::list_grow as *const () as usize,
            Helper::ListFinish => helpers::list_finish as *const () as usize,
            Helper::At(address) => address,
        }
    }
}

/// Words of the frame of a call that the entries of an object set, beside those of [`header`].
pub(crate) mod words {
    /// Where the free memory for lists begins.
    pub(crate) const TOP: i32 = 24;
    /// Where it ends.
    pub(crate) const END: i32 = 32;
    /// The frame pointer of the one task.
    pub(crate) const TASK: i32 = 40;
}

/// The object that a program becomes a part of.
pub(crate) struct Linked<'p> {
    pub shared: &'p mut Shared,
    /// The statuses of failures.
    pub statuses: &'p mut dyn FnMut(&Failure) -> i32,
    /// The constants of the program. Their places count back from the end, which is known when there are no more.
    constants: Layout<'p>,
    /// The data that they become, if there are any.
    data: Option<DataId>,
    /// The tables of the program, by their number.
    tables: HashMap<u32, DataId>,
}

/// What the programs of an object share.
#[derive(Default)]
pub(crate) struct Shared {
    /// The functions of [`Helper`] that are called, in the order in which they were asked for.
    pub helpers: Vec<(Helper, FuncId)>,
    tables: HashMap<Vec<u64>, DataId>,
    no_rows: Option<DataId>,
}

impl<'p> Linked<'p> {
    pub(crate) fn new(
        shared: &'p mut Shared,
        statuses: &'p mut dyn FnMut(&Failure) -> i32,
        arena: &'p Arena,
    ) -> Linked<'p> {
        Linked {
            shared,
            statuses,
            constants: Layout::new(0, arena),
            data: None,
            tables: HashMap::new(),
        }
    }
}

impl Shared {
    /// The function of a helper, to be written when all programs are.
    pub(crate) fn helper(
        &mut self,
        module: &mut dyn Module,
        helper: Helper,
        sig: &Signature,
    ) -> Result<FuncId, CompileError> {
        if let Some(&(_, id)) = self.helpers.iter().find(|(h, _)| *h == helper) {
            return Ok(id);
        }
        let id = match helper {
            Helper::Copy => module.declare_function("memmove", Linkage::Import, sig),
            Helper::At(_) => {
                let message = "an object calls the runtime".to_string();
                return Err(CompileError::Internal(message));
            }
            _ => module.declare_anonymous_function(sig),
        };
        let id = id.map_err(refused)?;
        self.helpers.push((helper, id));
        Ok(id)
    }

    /// Data that is only read, and stands once however often it is asked for.
    fn table(&mut self, module: &mut dyn Module, words: Vec<u64>) -> DataId {
        if let Some(&id) = self.tables.get(&words) {
            return id;
        }
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let id = define(module, None, bytes, 64, &[]);
        self.tables.insert(words, id);
        id
    }

    /// The signpost of a list without rows, and the zeros that it points to.
    fn no_rows(&mut self, module: &mut dyn Module) -> DataId {
        const ZEROS: usize = 64;
        *self.no_rows.get_or_insert_with(|| {
            let pointers = [Signpost::COUNTS, Signpost::FIRST].map(|at| (at as u32, ZEROS as i64));
            define(module, None, vec![0; 2 * ZEROS], 64, &pointers)
        })
    }
}

/// Defines data, with pointers at offsets to places in itself.
fn define(
    module: &mut dyn Module,
    declared: Option<DataId>,
    bytes: Vec<u8>,
    align: u64,
    pointers: &[(u32, i64)],
) -> DataId {
    let declared = declared.or_else(|| module.declare_anonymous_data(false, false).ok());
    let id = declared.expect("anonymous data can be declared");
    let mut data = DataDescription::new();
    data.define(bytes.into_boxed_slice());
    data.set_align(align);
    for &(at, to) in pointers {
        let own = module.declare_data_in_data(id, &mut data);
        data.write_data_addr(at, own, to);
    }
    module
        .define_data(id, &data)
        .expect("it was declared, and not defined");
    id
}

impl<'p> Session<'p> {
    /// Whether the code becomes a part of an object.
    pub(super) fn is_linked(&self) -> bool {
        self.linked.is_some()
    }

    /// The function of an object that does what a helper does.
    pub(super) fn linked_helper(&mut self, helper: Helper, sig: &Signature) -> FuncId {
        let linked = self.linked.as_mut().expect("an object");
        let id = linked.shared.helper(&mut *self.module, helper, sig);
        id.expect("a program of loops calls nothing else")
    }

    /// The status of a failure, if the code becomes a part of an object.
    pub(super) fn linked_status(&mut self, failure: &Failure) -> Option<i32> {
        self.linked.as_mut().map(|l| (l.statuses)(failure))
    }

    /// Where constants are: in the frame, or in the data of an object.
    pub(super) fn constants(&mut self, unit: Unit) -> &mut Layout<'p> {
        if self.linked.is_none() {
            return self.layout(unit);
        }
        let linked = self.linked.as_mut();
        &mut linked.expect("an object").constants
    }

    /// Defines the constants of an object's program, and lets the code that refers to them find their end.
    pub(super) fn finish_constants(&mut self) {
        let Some(linked) = self.linked.take() else {
            return;
        };
        let Some(id) = linked.data else { return };
        let shape = linked.constants.finish();
        let mut bytes = vec![0; shape.below];
        for (off, part) in &shape.image {
            let at = (shape.below as i64 + i64::from(*off)) as usize;
            bytes[at..at + part.len()].copy_from_slice(part);
        }
        define(&mut *self.module, Some(id), bytes, 64, &[]);
        for reloc in self.code.iter_mut().flat_map(|c| &mut c.relocs) {
            let is_data = matches!(reloc.name, ModuleRelocTarget::User { namespace: 1, index } if index == id.as_u32());
            if is_data {
                reloc.addend += shape.below as i64;
            }
        }
    }
}

impl Emitter<'_, '_> {
    /// The address of data of an object.
    fn symbol(&mut self, id: DataId) -> ir::Value {
        let data = self.s.module.declare_data_in_func(id, self.b.func);
        self.b.ins().symbol_value(types::I64, data)
    }

    /// What the places of constants count from.
    pub(super) fn constants_base(&mut self) -> ir::Value {
        let Some(linked) = &mut self.s.linked else {
            return self.frame;
        };
        let module = &mut *self.s.module;
        let id = *linked.data.get_or_insert_with(|| {
            let id = module.declare_anonymous_data(false, false);
            id.expect("anonymous data can be declared")
        });
        self.kept(Kept::Constants, |e| e.symbol(id))
    }

    /// The address of a table of constants.
    pub(super) fn table(&mut self, b: BufferId) -> ir::Value {
        if !self.s.is_linked() {
            let at = self.s.table(b);
            return self.int(at);
        }
        let n = self.s.table_number(b);
        let known = |s: &Session<'_>| s.linked.as_ref().and_then(|l| l.tables.get(&n).copied());
        let id = known(self.s).unwrap_or_else(|| {
            let words = self.s.table_words(b);
            let linked = self.s.linked.as_mut().expect("an object");
            let id = linked.shared.table(&mut *self.s.module, words);
            linked.tables.insert(n, id);
            id
        });
        let start = self.symbol(id);
        self.plus(start, 8 * PAD as i64)
    }

    /// The address of the signpost of a list without rows.
    pub(super) fn no_rows(&mut self) -> ir::Value {
        let Some(linked) = &mut self.s.linked else {
            return self.int(&raw const NO_ROWS as i64);
        };
        let id = linked.shared.no_rows(&mut *self.s.module);
        self.symbol(id)
    }

    /// Runs all steps of a parallel loop, one after the other, on the frame of the one task.
    pub(super) fn run_here(&mut self, body: FuncId, steps: ir::Value) {
        let (run, done) = (self.b.create_block(), self.b.create_block());
        let some = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, steps, 0);
        self.branch(some, (run, &[]), (done, &[]));
        self.switch(run);
        let task = (self.b.ins()).load(types::I64, FRAME, self.frame, words::TASK);
        let zero = self.int(0);
        let f = self.s.module.declare_func_in_func(body, self.b.func);
        let call = self.b.ins().call(f, &[task, zero, steps]);
        self.note_call();
        let status = self.b.inst_results(call)[0];
        let fail = self.fail_block();
        self.branch(status, (fail, &[status]), (done, &[]));
        self.switch(done);
        self.note_call();
    }

    /// Where the free memory for lists begins, to be held across a body of that many instructions.
    pub(super) fn lists_taken(&mut self, size: usize) -> Held {
        let call = self.call_frame();
        let top = (self.b.ins()).load(types::I64, FRAME, call, words::TOP);
        self.hold(top, size)
    }

    /// Frees the lists that were built since.
    pub(super) fn free_lists(&mut self, taken: Held) {
        let top = self.held(taken);
        let call = self.call_frame();
        self.b.ins().store(FRAME, top, call, words::TOP);
    }
}
