//! Code for one signature, and how a call of it reuses memory.

use std::panic::Location;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wengert_ir::buffer::{Data, Dense};
use wengert_ir::error::{Error, Result, counted};
use wengert_ir::ir::Type;
use wengert_ir::rewrite::Choice;
use wengert_run::Prepared;

use super::machine::{Code, Machine, OnDevice};
use super::work::{Argument, Lists, Work};
use crate::array::{Array, Form, is_own, memory_of, recycle, run_error};
use crate::debug::{Printer, printing};
use crate::tree::{self, Compare, Node, Sink, Tree, TreeDef, each};

/// The code of a signature, and what is needed to call it.
pub(super) struct Compiled {
    pub func: crate::Func,
    /// Which residuals its loops store.
    pub choices: Vec<Choice>,
    /// The number of arrays that the function captures, which follow its arguments.
    pub captured: usize,
    /// These arrays. Code for a device has its own copies.
    pub arrays: Vec<Dense>,
    pub out: TreeDef,
    pub results: Vec<Form>,
    pub code: Code,
    /// What it was compiled for.
    pub machine: Machine,
    /// The options it was compiled with.
    pub options: wengert_run::Options,
    pub spare: Spare,
    /// The printer for `debug_print`.
    pub printer: Option<Printer>,
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
    ///
    /// Code for a device is queued: it runs later, and `place`, the line of the call, is where its errors are.
    #[inline]
    pub(super) fn call<Y: Tree>(
        &self,
        mut work: Work,
        place: &'static Location<'static>,
    ) -> Result<Y::With<Array>> {
        let code = match &self.code {
            Code::Host(code) => code,
            Code::Device(code) => {
                let results = code.run(&mut work.lists().args, &self.results, place)?;
                return tree::unflatten(&self.out, results.into_iter().map(Array::from_remote));
            }
        };
        self.run(code, &mut work)?;
        let results = work.lists().results.drain(..).zip(&self.results);
        tree::unflatten(&self.out, results.map(|(data, form)| form.array(data)))
    }

    /// Computes the results from the arguments.
    fn run(&self, code: &wengert_run::Executable, work: &mut Work) -> Result<()> {
        let Lists { args, results, .. } = work.lists();
        for (n, form) in self.results.iter().enumerate() {
            let memory = taken(code, args, n).or_else(|| self.spare.take(form));
            results.push(match memory {
                Some(memory) => memory,
                None => memory_of(form)?,
            });
        }
        let mut call = code.prepare().map_err(run_error)?;
        for (n, result) in results.iter_mut().enumerate() {
            let data = Arc::get_mut(result).expect("nobody else holds a result");
            call.output(n, data).map_err(run_error)?;
        }
        for (n, arg) in args.iter().enumerate() {
            match arg {
                Argument::Memory(data) => call.input(n, data),
                Argument::Device(remote) => call.input(n, &remote.read()?.data),
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
        &all[..all.len() - self.captured]
    }

    /// Returns the code for the CPU.
    ///
    /// # Panics
    /// If it is code for a device: a caller has looked.
    pub(super) fn executable(&self) -> &wengert_run::Executable {
        match &self.code {
            Code::Host(code) => code,
            Code::Device(code) => panic!("code for {}", code.device()),
        }
    }

    /// Runs the code and writes the results into existing arrays. Memory that other arrays share is replaced,
    /// not overwritten. Returns whether the arguments and the arrays for the results fit; if not, nothing is
    /// done.
    pub(super) fn call_into<X, Y>(
        &self,
        def: &TreeDef,
        args: &X,
        out: &mut Y,
        place: &'static Location<'static>,
    ) -> Result<bool>
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
        let code = match &self.code {
            Code::Host(code) => code,
            Code::Device(code) => return self.queue_into(code, def, args, out, place),
        };
        let mut inputs = Inputs {
            structure: Compare::new(def),
            types: self.arg_types(),
            setting: Setting::of(code.prepare().map_err(run_error)?),
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

    /// Queues a call, whose results replace the arrays, which fit them. Returns whether the arguments fit.
    fn queue_into<X, Y>(
        &self,
        code: &OnDevice,
        def: &TreeDef,
        args: &X,
        out: &mut Y,
        place: &'static Location<'static>,
    ) -> Result<bool>
    where
        X: Tree<Leaf = Array>,
        Y: Tree<Leaf = Array>,
    {
        let (leaves, structure) = tree::flatten_ref(args);
        let mut typed = leaves.iter().zip(self.arg_types());
        if structure != *def || !typed.all(|(a, ty)| a.has_type(ty)) {
            return Ok(false);
        }
        let mut args: Vec<Argument> = leaves.iter().map(|a| Argument::of(a.parts())).collect();
        let results = code.run(&mut args, &self.results, place)?;
        for (place, result) in tree::leaves_mut(out).into_iter().zip(results) {
            *place = Array::from_remote(result);
        }
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

/// Returns the memory of an argument over which the result may be written, if nobody else holds one.
#[inline]
fn taken(
    code: &wengert_run::Executable,
    args: &mut [Argument],
    result: usize,
) -> Option<Arc<Data>> {
    let mut choices = code.choices(result).iter();
    // Indices past the arguments are arrays that the function captures.
    choices.find_map(|&i| args.get_mut(i as usize)?.take(result))
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

    /// Sets an array on a device as the next input.
    #[cold]
    fn read(&mut self, array: &'d Array) {
        match array.try_dense() {
            Ok(dense) => self.input(&dense.data),
            Err(error) => {
                note(&mut self.given, error);
                self.inputs += 1;
            }
        }
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
            true => match array.on_host() {
                Some(dense) => self.setting.input(&dense.data),
                None => self.setting.read(array),
            },
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
