//! Code for one signature, and how a call of it reuses memory.

use std::cell::Cell;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wengert_ir::buffer::{Data, Dense};
use wengert_ir::error::{Error, Result, counted};
use wengert_ir::ir::Type;
use wengert_ir::rewrite::Choice;
use wengert_run::{Backend, Prepared};

use crate::array::{Array, Form, is_own, memory_of, recycle};
use crate::debug::{Printer, printing};
use crate::tree::{self, Compare, Feed, Known, Node, Sink, Tree, TreeDef, each};

/// The code of a signature, and what is needed to call it.
pub(super) struct Compiled {
    pub func: crate::Func,
    /// Which residuals its loops store.
    pub choices: Vec<Choice>,
    /// The arrays that the function captures, which follow its arguments.
    pub arrays: Vec<Dense>,
    pub out: TreeDef,
    pub results: Vec<Form>,
    pub code: wengert_run::Executable,
    /// The back end that compiled the code.
    pub backend: Arc<dyn Backend>,
    /// The options it was compiled with.
    pub options: wengert_run::Options,
    pub spare: Spare,
    /// The printer for `debug_print`.
    pub printer: Option<Printer>,
}

/// An argument while a call is being set up.
pub(super) enum Argument {
    /// The memory of an array; the call owns it if nobody else holds it.
    Memory(Arc<Data>),
    /// An argument whose memory has become that of this result.
    InResult(usize),
}

impl Argument {
    /// Takes the memory for a result, if nobody else holds it.
    #[inline]
    fn take(&mut self, result: usize) -> Option<Arc<Data>> {
        let Argument::Memory(data) = self else {
            return None;
        };
        if !is_own(data) {
            return None;
        }
        match std::mem::replace(self, Argument::InResult(result)) {
            Argument::Memory(data) => Some(data),
            Argument::InResult(_) => None,
        }
    }
}

/// Arguments and results of a call. The lists are reused by the next call on the thread.
pub(super) struct Work {
    /// `None` only during drop.
    lists: Option<Box<Lists>>,
}

#[derive(Default)]
struct Lists {
    args: Vec<Argument>,
    /// The types of the arguments, if they differ from those of a signature.
    types: Vec<Type>,
    /// The structure of the arguments, if it differs from that of a signature.
    structure: Option<TreeDef>,
    results: Vec<Arc<Data>>,
}

thread_local! {
    /// The empty lists of an earlier call.
    static LISTS: Cell<Option<Box<Lists>>> = const { Cell::new(None) };
}

/// How the arguments of a call compare with a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// They have its structure and types.
    Same,
    /// They differ from it: see [`Work::structure`] and [`Work::types`].
    Other,
}

impl Work {
    /// Collects the arguments of a call, and compares them with a signature.
    ///
    /// # Errors
    /// If one of them cannot be converted to an array.
    #[inline]
    pub(super) fn feed<T: Tree<Leaf = Array>, A: Feed<T>>(
        args: A,
        def: &TreeDef,
        types: &[Type],
    ) -> Result<(Work, Seen)> {
        let kept = LISTS.try_with(Cell::take).ok().flatten();
        let mut work = Work {
            lists: Some(kept.unwrap_or_default()),
        };
        let lists = work.lists();
        let mut arguments = Arguments {
            structure: Known::new(def),
            types,
            fit: true,
            args: &mut lists.args,
            others: &mut lists.types,
        };
        args.feed(&mut arguments);
        let fit = arguments.fit;
        let structure = arguments.structure.finish()?;
        if fit && structure.is_none() {
            return Ok((work, Seen::Same));
        }
        if fit {
            lists.types.extend_from_slice(&types[..lists.args.len()]);
        }
        lists.structure = structure;
        Ok((work, Seen::Other))
    }

    #[inline]
    fn lists(&mut self) -> &mut Lists {
        self.lists.as_mut().expect("taken only by `drop`")
    }

    /// Returns the structure of the arguments, if it differs from that of the signature.
    pub(super) fn structure(&self) -> Option<&TreeDef> {
        self.lists.as_ref()?.structure.as_ref()
    }

    /// Returns the types of the arguments, which were not the [same](Seen::Same) as those of the signature.
    pub(super) fn types(&self) -> &[Type] {
        self.lists.as_ref().map_or(&[], |lists| &lists.types)
    }
}

impl Drop for Work {
    #[inline]
    fn drop(&mut self) {
        let Some(mut lists) = self.lists.take() else {
            return;
        };
        lists.clear();
        // They are freed if the thread is ending.
        let _ = LISTS.try_with(|kept| kept.set(Some(lists)));
    }
}

impl Lists {
    #[inline]
    fn clear(&mut self) {
        // A call that has succeeded leaves nothing.
        if !(self.args.is_empty() && self.results.is_empty()) {
            self.recycle();
        }
        self.types.clear();
        self.structure = None;
    }

    fn recycle(&mut self) {
        for arg in self.args.drain(..) {
            if let Argument::Memory(data) = arg {
                recycle(data);
            }
        }
        self.results.drain(..).for_each(recycle);
    }
}

/// A sink that collects arguments.
struct Arguments<'a> {
    structure: Known<'a>,
    /// The types that the leaves should have.
    types: &'a [Type],
    /// Whether all leaves so far have these types.
    fit: bool,
    args: &'a mut Vec<Argument>,
    /// The types that the leaves have, if they differ.
    others: &'a mut Vec<Type>,
}

impl Arguments<'_> {
    #[inline]
    fn take(&mut self, array: &Array) {
        self.structure.leaf();
        let n = self.args.len();
        if !(self.fit && self.types.get(n).is_some_and(|ty| array.has_type(ty))) {
            self.differs(n, array);
        }
    }

    /// Records the type of leaf `n`, which or one before which differs from that of the signature.
    #[cold]
    fn differs(&mut self, n: usize, array: &Array) {
        if self.fit {
            self.others.extend_from_slice(&self.types[..n]);
            self.fit = false;
        }
        self.others.push(array.ty());
    }
}

impl Sink<Array> for Arguments<'_> {
    #[inline]
    fn node(&mut self, node: Node<'_>) {
        self.structure.node(node);
    }
    #[inline]
    fn leaf(&mut self, array: Array) {
        self.take(&array);
        self.args.push(Argument::Memory(array.into_memory()));
    }
    #[inline]
    fn shared(&mut self, array: &Array) {
        self.take(array);
        self.args.push(Argument::Memory(array.dense().data.clone()));
    }
    fn fail(&mut self, error: Error) {
        self.structure.fail(error);
    }
}

/// Memory of arguments that were given up, for results of later calls.
#[derive(Default)]
pub(super) struct Spare {
    /// The number of arrays, so that most calls need not lock them.
    count: AtomicUsize,
    memory: Mutex<Vec<Arc<Data>>>,
}

impl Spare {
    /// Takes memory for a result.
    #[inline]
    fn take(&self, form: &Form) -> Option<Arc<Data>> {
        match self.count.load(Ordering::Relaxed) {
            0 => None,
            _ => self.take_fitting(form),
        }
    }

    fn take_fitting(&self, form: &Form) -> Option<Arc<Data>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let i = memory.iter().position(|data| form.fits(data))?;
        let data = memory.swap_remove(i);
        self.count.store(memory.len(), Ordering::Relaxed);
        Some(data)
    }

    /// Keeps memory, unless there are `limit` pieces already.
    fn put(&self, data: Arc<Data>, limit: usize) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.len() < limit {
            memory.push(data);
            self.count.store(memory.len(), Ordering::Relaxed);
        } else {
            drop(memory);
            recycle(data);
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        let memory = self
            .memory
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        memory.drain(..).for_each(recycle);
    }
}

impl Compiled {
    /// Runs the code on arguments of its types. The memory of arguments that nobody else holds is reused: for
    /// results of this call where the code allows it, otherwise of a later one.
    #[inline]
    pub(super) fn call<Y: Tree>(&self, mut work: Work) -> Result<Y::With<Array>> {
        self.run(&mut work)?;
        let results = work.lists().results.drain(..).zip(&self.results);
        tree::unflatten(&self.out, results.map(|(data, form)| form.array(data)))
    }

    /// Computes the results from the arguments.
    fn run(&self, work: &mut Work) -> Result<()> {
        let Lists { args, results, .. } = work.lists();
        for (n, form) in self.results.iter().enumerate() {
            let memory = self.taken(args, n).or_else(|| self.spare.take(form));
            results.push(match memory {
                Some(memory) => memory,
                None => memory_of(form)?,
            });
        }
        let mut call = self.code.prepare().map_err(run_error)?;
        for (n, result) in results.iter_mut().enumerate() {
            let data = Arc::get_mut(result).expect("nobody else holds a result");
            call.output(n, data).map_err(run_error)?;
        }
        for (n, arg) in args.iter().enumerate() {
            match arg {
                Argument::Memory(data) => call.input(n, data),
                Argument::InResult(r) => call.input_in_output(n, *r),
            }
            .map_err(run_error)?;
        }
        for (n, array) in self.arrays.iter().enumerate() {
            call.input(args.len() + n, &array.data).map_err(run_error)?;
        }
        printing(self.printer.as_ref(), || call.run()).map_err(run_error)?;
        self.keep(args);
        Ok(())
    }

    /// Returns the memory of an argument over which the result may be written, if nobody else holds one.
    #[inline]
    fn taken(&self, args: &mut [Argument], result: usize) -> Option<Arc<Data>> {
        let mut choices = self.code.choices(result).iter();
        // Indices past the arguments are arrays that the function captures.
        choices.find_map(|&i| args.get_mut(i as usize)?.take(result))
    }

    /// Keeps the memory of arguments that nobody else holds, for results of later calls.
    #[inline]
    fn keep(&self, args: &mut Vec<Argument>) {
        for arg in args.drain(..) {
            let Argument::Memory(mut data) = arg else {
                continue;
            };
            match is_own(&mut data) && self.results.iter().any(|form| form.fits(&data)) {
                true => self.spare.put(data, self.results.len()),
                false => recycle(data),
            }
        }
    }

    /// Makes the error that arguments of structure `def` do not have the types of the signature.
    #[cold]
    pub(super) fn misfit(&self, def: &TreeDef, args: &[Type]) -> Error {
        let mut fit = Fit::new("call", "args", def, self.arg_types().iter());
        args.iter().for_each(|ty| fit.next(ty.clone()));
        let fit = fit.finish();
        fit.expect_err("some argument does not fit")
    }

    /// Returns the types of the arguments, without those of the captured arrays that follow them.
    pub(super) fn arg_types(&self) -> &[Type] {
        let all = self.func.ir().param_types();
        &all[..all.len() - self.arrays.len()]
    }

    /// Runs the code and writes the results into existing arrays. Memory that other arrays share is replaced,
    /// not overwritten. Returns whether the arguments and the arrays for the results fit; if not, nothing is
    /// done.
    pub(super) fn call_into<X, Y>(&self, def: &TreeDef, args: &X, out: &mut Y) -> Result<bool>
    where
        X: Tree<Leaf = Array>,
        Y: Tree<Leaf = Array>,
    {
        let mut forms = Forms {
            rest: self.results.iter(),
            fit: true,
        };
        out.walk(&mut forms);
        if !forms.fit || !forms.rest.as_slice().is_empty() {
            return Ok(false);
        }
        let mut inputs = Inputs {
            structure: Compare::new(def),
            types: self.arg_types(),
            setting: Setting::of(self.code.prepare().map_err(run_error)?),
            fit: true,
        };
        args.walk(&mut inputs);
        if !inputs.fit || !inputs.structure.is_equal() {
            return Ok(false);
        }
        let mut setting = inputs.setting;
        for array in &self.arrays {
            setting.input(&array.data);
        }
        let mut outputs = Outputs { setting, n: 0 };
        out.walk_mut(&mut outputs);
        let Setting { call, given, .. } = outputs.setting;
        given?;
        printing(self.printer.as_ref(), || call.run()).map_err(run_error)?;
        Ok(true)
    }

    /// Makes the error that the arguments, whose structure is `def`, or the arrays for results do not fit.
    #[cold]
    pub(super) fn misfit_into<X, Y>(&self, def: &TreeDef, args: &X, out: &Y) -> Error
    where
        X: Tree<Leaf = Array>,
        Y: Tree<Leaf = Array>,
    {
        let mut args_fit = Fit::new("call_into", "args", def, self.arg_types().iter());
        args.walk(&mut each(|a: &Array| args_fit.next(a.ty())));
        let types = self.results.iter().map(|form| &form.ty);
        let mut results_fit = Fit::new("call_into", "out", &self.out, types);
        out.walk(&mut each(|a: &Array| results_fit.next(a.ty())));
        let fit = args_fit.finish().and_then(|()| results_fit.finish());
        fit.expect_err("something does not fit")
    }
}

/// A call whose inputs and outputs are set in order.
struct Setting<'e, 'd> {
    call: Prepared<'e, 'd>,
    /// The number of inputs.
    inputs: usize,
    /// The first error.
    given: Result<()>,
}

impl<'e, 'd> Setting<'e, 'd> {
    #[inline]
    fn of(call: Prepared<'e, 'd>) -> Self {
        Setting {
            call,
            inputs: 0,
            given: Ok(()),
        }
    }

    #[inline]
    fn input(&mut self, data: &'d Data) {
        if let Err(e) = self.call.input(self.inputs, data) {
            note(&mut self.given, run_error(e));
        }
        self.inputs += 1;
    }
}

/// A sink that compares arguments with a signature, and sets them as inputs.
struct Inputs<'e, 'd> {
    structure: Compare<'e>,
    types: &'e [Type],
    setting: Setting<'e, 'd>,
    /// Whether all leaves so far have their types.
    fit: bool,
}

impl<'d> Sink<&'d Array> for Inputs<'_, 'd> {
    #[inline]
    fn node(&mut self, node: Node<'_>) {
        self.structure.part(node);
    }
    #[inline]
    fn leaf(&mut self, array: &'d Array) {
        self.structure.place();
        let ty = self.types.get(self.setting.inputs);
        match ty.is_some_and(|ty| array.has_type(ty)) {
            true => self.setting.input(&array.dense().data),
            false => self.fit = false,
        }
    }
}

/// A sink that sets arrays as outputs.
struct Outputs<'e, 'd> {
    setting: Setting<'e, 'd>,
    n: usize,
}

impl<'d> Sink<&'d mut Array> for Outputs<'_, 'd> {
    #[inline]
    fn node(&mut self, _: Node<'_>) {}
    #[inline]
    fn leaf(&mut self, array: &'d mut Array) {
        let set = match array.data_to_overwrite() {
            Ok(data) => self.setting.call.output(self.n, data).map_err(run_error),
            Err(error) => Err(error),
        };
        if let Err(error) = set {
            note(&mut self.setting.given, error);
        }
        self.n += 1;
    }
}

/// A sink that compares arrays for results with the types they should have.
struct Forms<'a> {
    rest: slice::Iter<'a, Form>,
    fit: bool,
}

impl Sink<&Array> for Forms<'_> {
    #[inline]
    fn node(&mut self, _: Node<'_>) {}
    #[inline]
    fn leaf(&mut self, array: &Array) {
        self.fit &= self
            .rest
            .next()
            .is_some_and(|form| array.has_type(&form.ty));
    }
}

/// A comparison of arrays with the types they should have.
struct Fit<'a> {
    op: &'static str,
    what: &'static str,
    def: &'a TreeDef,
    types: Vec<&'a Type>,
    seen: usize,
    /// The index of the first mismatch, and its actual type.
    wrong: Option<(usize, Type)>,
}

impl<'a> Fit<'a> {
    fn new(
        op: &'static str,
        what: &'static str,
        def: &'a TreeDef,
        types: impl Iterator<Item = &'a Type>,
    ) -> Fit<'a> {
        Fit {
            op,
            what,
            def,
            types: types.collect(),
            seen: 0,
            wrong: None,
        }
    }

    fn next(&mut self, ty: Type) {
        let n = self.seen;
        self.seen += 1;
        if self.wrong.is_none() && self.types.get(n).is_some_and(|t| **t != ty) {
            self.wrong = Some((n, ty));
        }
    }

    fn finish(self) -> Result<()> {
        if let Some((n, got)) = self.wrong {
            return Err(Error::argument(
                self.op,
                format!("{}{}", self.what, self.def.paths()[n]),
                self.types[n].to_string(),
                got.to_string(),
                None,
            ));
        }
        if self.seen != self.types.len() {
            return Err(Error::argument(
                self.op,
                self.what,
                counted(self.types.len(), "leaf", "leaves"),
                self.seen.to_string(),
                None,
            ));
        }
        Ok(())
    }
}

/// Keeps the first error.
#[cold]
fn note(all: &mut Result<()>, error: Error) {
    if all.is_ok() {
        *all = Err(error);
    }
}

#[cold]
fn run_error(error: wengert_run::RunError) -> Error {
    match error {
        // The system has less memory than the limit allows.
        wengert_run::RunError::ListMemory {
            need, limit, at, ..
        } if need <= limit => Error::no_memory("call", "the residuals of a loop", need as u64, at),
        wengert_run::RunError::Scratch { need, .. } => {
            Error::no_memory("call", "values on the way", need as u64, None)
        }
        wengert_run::RunError::ListMemory {
            need, limit, at, ..
        } => Error::memory(need as u64, limit as u64, at),
        wengert_run::RunError::Stopped(error) => error,
        other => Error::value("call", other.to_string(), None),
    }
}
