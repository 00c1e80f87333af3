//! Code for one signature, and how a call of it reuses memory.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use wengert_ir::buffer::Dense;
use wengert_ir::error::{Error, Result, counted};
use wengert_ir::ir::Type;
use wengert_ir::rewrite::Choice;
use wengert_run::Backend;

use crate::array::{Array, memory_for};
use crate::debug::{Printer, printing};
use crate::tree::{self, Feed, Known, Tree, TreeDef, each};

/// The code of a signature, and what is needed to call it.
pub(super) struct Compiled {
    pub func: crate::Func,
    /// Which residuals its loops store.
    pub choices: Vec<Choice>,
    /// The arrays that the function captures, which follow its arguments.
    pub arrays: Vec<Dense>,
    pub out: TreeDef,
    pub results: Vec<Type>,
    pub code: wengert_run::Executable,
    /// The back end that compiled the code.
    pub backend: Arc<dyn Backend>,
    /// The options it was compiled with.
    pub options: wengert_run::Options,
    /// Memory of arguments that were given up, for results of later calls.
    pub spare: Mutex<Vec<Array>>,
    /// The printer for `debug_print`.
    pub printer: Option<Printer>,
}

/// An argument while a call is being set up.
pub(super) enum Argument {
    /// An array; the call owns its memory if nobody else holds it.
    Array(Array),
    /// An argument whose memory has become that of this result.
    InResult(usize),
}

impl Argument {
    /// Returns whether it is an array that nobody else holds.
    fn is_own(&mut self) -> bool {
        match self {
            Argument::Array(a) => a.is_unique(),
            Argument::InResult(_) => false,
        }
    }

    /// Takes the array as memory for a result.
    fn take(&mut self, result: usize) -> Option<Array> {
        match std::mem::replace(self, Argument::InResult(result)) {
            Argument::Array(a) => Some(a),
            Argument::InResult(_) => None,
        }
    }
}

/// Arguments and results of a call. The vectors are reused by the next call on the thread.
#[derive(Default)]
pub(super) struct Work {
    pub args: Vec<Argument>,
    results: Vec<Array>,
}

thread_local! {
    static WORK: RefCell<Work> = const {
        RefCell::new(Work { args: vec![], results: vec![] })
    };
}

impl Work {
    /// Collects the arguments of a call, and their structure if it differs from the known one.
    ///
    /// # Errors
    /// If one of them cannot be converted to an array.
    pub(super) fn feed<T: Tree<Leaf = Array>, A: Feed<T>>(
        args: A,
        known: &TreeDef,
    ) -> Result<(Work, Option<TreeDef>)> {
        let mut work = WORK.try_with(RefCell::take).unwrap_or_default();
        let mut take = Known::new(known, |a| work.args.push(Argument::Array(a)));
        args.feed(&mut take);
        let def = take.finish()?;
        Ok((work, def))
    }

    /// Iterates over the arguments. All are arrays until a call takes the memory of one.
    pub(super) fn arrays(&self) -> impl Iterator<Item = &Array> + Clone {
        self.args.iter().filter_map(|a| match a {
            Argument::Array(a) => Some(a),
            Argument::InResult(_) => None,
        })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.args.clear();
        self.results.clear();
        let (args, results) = (
            std::mem::take(&mut self.args),
            std::mem::take(&mut self.results),
        );
        if args.capacity() + results.capacity() > 0 {
            // The vectors are empty; only their capacity is kept.
            let _ = WORK.try_with(|w| {
                let mut w = w.borrow_mut();
                (w.args, w.results) = (args, results);
            });
        }
    }
}

impl Compiled {
    /// Runs the code on arguments of its types. The memory of arguments that nobody else holds is reused: for
    /// results of this call where the code allows it, otherwise of a later one.
    pub(super) fn call<Y: Tree>(&self, mut work: Work) -> Result<Y::With<Array>> {
        let Work { args, results } = &mut work;
        for (n, ty) in self.results.iter().enumerate() {
            let memory = self.taken(args, n).or_else(|| self.left(ty));
            results.push(match memory {
                Some(array) => array.with_shape_of(ty),
                None => memory_for(ty)?,
            });
        }
        let mut call = self.code.prepare().map_err(run_error)?;
        for (n, result) in results.iter_mut().enumerate() {
            let data = result.data_to_overwrite()?;
            call.output(n, data).map_err(run_error)?;
        }
        for (n, arg) in args.iter().enumerate() {
            match arg {
                Argument::Array(a) => call.input(n, &a.dense().data),
                Argument::InResult(r) => call.input_in_output(n, *r),
            }
            .map_err(run_error)?;
        }
        for (n, array) in self.arrays.iter().enumerate() {
            call.input(args.len() + n, &array.data).map_err(run_error)?;
        }
        printing(self.printer.as_ref(), || call.run()).map_err(run_error)?;
        self.keep(args);
        tree::unflatten(&self.out, results.drain(..))
    }

    /// Returns an argument over which the result may be written, if nobody else holds one.
    fn taken(&self, args: &mut [Argument], result: usize) -> Option<Array> {
        for &i in self.code.choices(result) {
            // Indices past the arguments are arrays that the function captures.
            if let Some(arg) = args.get_mut(i as usize)
                && arg.is_own()
            {
                return arg.take(result);
            }
        }
        None
    }

    /// Returns memory left by an earlier call that fits the result. The code writes every element of it.
    fn left(&self, ty: &Type) -> Option<Array> {
        let mut spare = self.spare.lock().unwrap_or_else(|e| e.into_inner());
        let i = spare.iter().position(|a| fits(a, ty))?;
        Some(spare.swap_remove(i))
    }

    /// Keeps the arguments that nobody else holds, for results of later calls.
    fn keep(&self, args: &mut Vec<Argument>) {
        for mut arg in args.drain(..) {
            if arg.is_own()
                && let Argument::Array(a) = arg
                && self.results.iter().any(|ty| fits(&a, ty))
            {
                let mut spare = self.spare.lock().unwrap_or_else(|e| e.into_inner());
                if spare.len() < self.results.len() {
                    spare.push(a);
                }
            }
        }
    }

    /// Checks the types of arguments of structure `def`.
    pub(super) fn check_args<'a>(
        &self,
        def: &TreeDef,
        args: impl Iterator<Item = &'a Array>,
    ) -> Result<()> {
        let mut fit = Fit::new("call", "args", def, self.arg_types());
        args.for_each(|a| fit.next(a));
        fit.finish()
    }

    /// Returns the types of the arguments, without those of the captured arrays that follow them.
    fn arg_types(&self) -> &[Type] {
        let all = self.func.ir().param_types();
        &all[..all.len() - self.arrays.len()]
    }

    /// Runs the code and writes the results into existing arrays. Memory that other arrays share is replaced,
    /// not overwritten.
    pub(super) fn call_into<X, Y>(&self, def: &TreeDef, args: &X, out: &mut Y) -> Result<()>
    where
        X: Tree<Leaf = Array>,
        Y: Tree<Leaf = Array>,
    {
        let mut args_fit = Fit::new("call_into", "args", def, self.arg_types());
        args.walk(&mut each(|a: &Array| args_fit.next(a)));
        args_fit.finish()?;
        let mut results_fit = Fit::new("call_into", "out", &self.out, &self.results);
        out.walk(&mut each(|a: &Array| results_fit.next(a)));
        results_fit.finish()?;
        let mut call = self.code.prepare().map_err(run_error)?;
        let mut given = Ok(());
        let mut n = 0;
        args.walk(&mut each(|a: &Array| {
            note(
                &mut given,
                call.input(n, &a.dense().data).map_err(run_error),
            );
            n += 1;
        }));
        for array in &self.arrays {
            note(&mut given, call.input(n, &array.data).map_err(run_error));
            n += 1;
        }
        let mut n = 0;
        out.walk_mut(&mut each(|a: &mut Array| {
            let data = a.data_to_overwrite();
            note(
                &mut given,
                data.and_then(|d| call.output(n, d).map_err(run_error)),
            );
            n += 1;
        }));
        given?;
        printing(self.printer.as_ref(), || call.run()).map_err(run_error)
    }
}

/// A comparison of arrays with the types they should have.
struct Fit<'a> {
    op: &'static str,
    what: &'static str,
    def: &'a TreeDef,
    types: &'a [Type],
    seen: usize,
    /// The index of the first mismatch, and its actual type.
    wrong: Option<(usize, Type)>,
}

impl<'a> Fit<'a> {
    fn new(op: &'static str, what: &'static str, def: &'a TreeDef, types: &'a [Type]) -> Fit<'a> {
        Fit {
            op,
            what,
            def,
            types,
            seen: 0,
            wrong: None,
        }
    }

    fn next(&mut self, a: &Array) {
        let n = self.seen;
        self.seen += 1;
        if self.wrong.is_none() && self.types.get(n).is_some_and(|ty| !a.has_type(ty)) {
            self.wrong = Some((n, a.ty()));
        }
    }

    fn finish(self) -> Result<()> {
        if let Some((n, got)) = self.wrong {
            return Err(Error::Argument {
                op: self.op.into(),
                path: format!("{}{}", self.what, self.def.paths()[n]),
                expected: self.types[n].to_string(),
                got: got.to_string(),
                at: None,
            });
        }
        if self.seen != self.types.len() {
            return Err(Error::Argument {
                op: self.op.into(),
                path: self.what.into(),
                expected: counted(self.types.len(), "leaf", "leaves"),
                got: self.seen.to_string(),
                at: None,
            });
        }
        Ok(())
    }
}

/// Keeps the first error.
fn note<E>(all: &mut std::result::Result<(), E>, next: std::result::Result<(), E>) {
    if all.is_ok() {
        *all = next;
    }
}

/// Returns whether an array has the dtype and the number of elements of a type.
fn fits(array: &Array, ty: &Type) -> bool {
    array.dtype() == ty.dtype && array.len() == ty.size()
}

fn run_error(error: wengert_run::RunError) -> Error {
    match error {
        wengert_run::RunError::MaxSteps { limit, at } => Error::MaxSteps { limit, at },
        // The system has less memory than the limit allows.
        wengert_run::RunError::ListMemory { need, limit, at } if need <= limit => Error::NoMemory {
            op: "call".into(),
            what: "the residuals of a loop".into(),
            need: need as u64,
            at,
        },
        wengert_run::RunError::Scratch { need } => Error::NoMemory {
            op: "call".into(),
            what: "values on the way".into(),
            need: need as u64,
            at: None,
        },
        wengert_run::RunError::ListMemory { need, limit, at } => Error::Memory {
            need: need as u64,
            limit: limit as u64,
            at,
        },
        wengert_run::RunError::Stopped(error) => error,
        other => Error::Value {
            op: "call".into(),
            message: other.to_string(),
            at: None,
        },
    }
}
